"""Names and descriptions in other languages, as levels and rewards have them."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

import normalise

MOST_LANGUAGES = 50
LENGTHS = {"name": 120, "description": 4_000}


def clean_translations(value):
    """{language: {"name", "description"}} with clean texts; empty ones and empty languages go.

    Raises ValidationError without a field's name.
    """
    if value in (None, ""):
        return {}
    if not isinstance(value, dict) or len(value) > MOST_LANGUAGES:
        raise ValidationError(
            _("Must be an object from language to name and description."), code="invalid"
        )
    clean = {}
    for language, texts in value.items():
        if not isinstance(texts, dict) or not set(texts) <= set(LENGTHS):
            raise ValidationError(
                _("%(language)s: may have a name and a description."),
                code="invalid",
                params={"language": str(language)[:20]},
            )
        own = {
            name: normalise.clean_text(
                text, max_length=LENGTHS[name], multiline=name == "description"
            )
            for name, text in texts.items()
            if text is not None
        }
        own = {name: text for name, text in own.items() if text}
        if own:
            # Nothing at all is no language, though the cleaner would let it stand.
            clean[normalise.clean_language(language or "?")] = own
    return clean
