"""Names and descriptions in other languages, as levels and rewards have them."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

import normalise

MOST_LANGUAGES = 50
LENGTHS = {"name": 120, "description": 4_000}


def clean_translations(value):
    """{language: {"name", "description"}} with clean texts; empty ones and empty languages go,
    None and "" are no translation.

    Raises ValidationError, by language where one of them is to blame.
    """
    if value in (None, ""):
        return {}
    if not isinstance(value, dict):
        raise ValidationError(_("Must be an object."), code="invalid")
    if len(value) > MOST_LANGUAGES:
        too_many = _("At most %(n)d entries.") % {"n": MOST_LANGUAGES}
        raise ValidationError(too_many, code="max_length")
    clean, errors = {}, {}
    for language, words in value.items():
        try:
            # Nothing at all is no language, though the cleaner would let it stand.
            tag = normalise.clean_language(language or "?")
            told = _clean_words(words)
        except ValidationError as error:
            errors[str(language)[:20]] = error.error_list
        else:
            if told:
                clean[tag] = told
    if errors:
        raise ValidationError(errors)
    return clean


def _clean_words(words):
    if not isinstance(words, dict) or set(words) - set(LENGTHS):
        raise ValidationError(_("Must be an object with name and description."), code="invalid")
    told = {
        name: normalise.clean_text(
            "" if text is None else text,
            max_length=LENGTHS[name],
            multiline=name == "description",
        )
        for name, text in words.items()
    }
    return {name: text for name, text in told.items() if text}


def placed(name, error):
    """The errors of a ValidationError by path below the field `name`, for a dict of all errors."""
    if hasattr(error, "error_dict"):
        return {f"{name}.{part}": errors for part, errors in error.error_dict.items()}
    return {name: error.error_list}
