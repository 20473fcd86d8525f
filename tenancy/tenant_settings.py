"""A tenant's settings: one table of names, kinds and defaults.

`create_tenant --setting`, the API and the back office share it; an unknown name or a value of the
wrong kind is refused. Higher apps add theirs with `add_settings` while they are being loaded.
"""

from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

import normalise

TRUE_WORDS, FALSE_WORDS = {"true", "1", "yes", "on"}, {"false", "0", "no", "off"}


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: `kind` is bool, int, str or list (of words, each one of `choices`).

    `choices` limits a str, or `cleaner`, a function of the text, puts it into form; `minimum` and
    `maximum` limit an int.
    """

    name: str
    kind: type
    default: object
    help: str
    choices: tuple = ()
    minimum: int = 0
    maximum: int = 2_147_483_647
    cleaner: object = None

    def clean(self, value):
        """The value in its kind, from JSON or from a word on a command line."""
        if self.kind is bool:
            if isinstance(value, bool):
                return value
            word = str(value).strip().lower()
            if word in TRUE_WORDS | FALSE_WORDS:
                return word in TRUE_WORDS
            raise ValidationError(_("Must be true or false."), code="invalid")
        if self.kind is int:
            return normalise.clean_int(value, minimum=self.minimum, maximum=self.maximum)
        if self.kind is list:
            return self._clean_words(value)
        if self.cleaner is not None and isinstance(value, str):
            return self.cleaner(value)
        if not isinstance(value, str) or (self.choices and value not in self.choices):
            raise ValidationError(
                _("Must be one of: %(choices)s.") % {"choices": ", ".join(self.choices)},
                code="invalid_choice",
            )
        return value

    def _clean_words(self, value):
        """A list of known words, each once, in the order of the choices; also as "a,b"."""
        words = value.split(",") if isinstance(value, str) else value
        if not isinstance(words, (list, tuple)) or not all(isinstance(w, str) for w in words):
            raise ValidationError(_("Must be a list of words."), code="invalid")
        words = {word.strip() for word in words} - {""}
        if not words <= set(self.choices):
            raise ValidationError(
                _("Must be of: %(choices)s.") % {"choices": ", ".join(self.choices)},
                code="invalid_choice",
            )
        return [word for word in self.choices if word in words]


def clean_countries(text):
    """Country codes in a row, "NO,SE", from codes or names with commas between."""
    codes = [normalise.clean_country(word) for word in text.split(",") if word.strip()]
    return ",".join(dict.fromkeys(codes))


TABLE = [
    Setting(
        "activation_method",
        str,
        "none",
        _("How a customer who registers alone proves the contact point."),
        ("none", "email", "sms"),
    ),
    Setting("self_registration", bool, False, _("Customers may register themselves.")),
    Setting("allow_profile_edits", bool, True, _("Customers may edit their own profile.")),
    Setting(
        "allow_anonymous_check",
        bool,
        False,
        _("Anyone may ask whether an e-mail or phone is known (ten times a minute)."),
    ),
    Setting(
        "uniform_answers",
        bool,
        False,
        _("Nobody without a sign-in is told whether somebody is a customer, on no wire."),
    ),
    Setting(
        "log_reads",
        bool,
        False,
        _("Who looks at a single customer is written into the customer's history."),
    ),
    Setting(
        "mask_contacts",
        bool,
        False,
        _("Sellers see contact data masked in the back office; who reveals it is written down."),
    ),
    Setting("require_if_match", bool, False, _("Changes must name the version they are based on.")),
    Setting(
        "merge_undo_days", int, 30, _("For how many days a merge can be undone."), maximum=3_650
    ),
    Setting("locale", str, "en", _("Language of messages to customers."), ("en", "nb")),
    Setting("sms_per_day", int, 1000, _("The most SMS in a day; further ones are not sent.")),
    Setting(
        "sms_countries",
        str,
        "",
        _("Where SMS may go: country codes such as NO,SE; empty: everywhere."),
        cleaner=clean_countries,
    ),
]
SETTINGS = {setting.name: setting for setting in TABLE}


def add_settings(*settings):
    """Add a higher app's settings; a name that is there already raises ValueError."""
    for setting in settings:
        if setting.name in SETTINGS:
            raise ValueError(f"the setting {setting.name!r} is owned already")
        TABLE.append(setting)
        SETTINGS[setting.name] = setting


def clean_settings(values):
    """Known settings with clean values; raises ValidationError({name: …}) for the others."""
    clean, errors = {}, {}
    for name, value in values.items():
        try:
            if name not in SETTINGS:
                raise ValidationError(
                    _("Unknown setting. Known: %(known)s.") % {"known": ", ".join(SETTINGS)},
                    code="unknown",
                )
            clean[name] = SETTINGS[name].clean(value)
        except ValidationError as error:
            errors[name] = error
    if errors:
        raise ValidationError(errors)
    return clean
