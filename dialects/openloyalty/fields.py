"""The fields of Open Loyalty's forms: what a text, a tick or a date is, and what empty means.

Their answers to a bad value are the vendor's sentences. Which values are right is asked of
`normalise` and, for everything else, left to the services.
"""

import re
from enum import Enum
from functools import partial

from django.core.exceptions import ValidationError as ServiceError
from rest_framework import serializers
from rest_framework.fields import SkipField, empty

import normalise

BLANK = "This value should not be blank."
INVALID = "This value is not valid."
TOO_LONG = "This value is too long."
EXTRA = "This form should not contain extra fields."
LABELS = "Customer labels invalid data"
# The vendor's own words.
NO_START_LEVEL = "Neither level is not available as start level for this customer."
LABELS_TYPE = "Type of the labels field value is incorrect. The correct type is labels as a string."
WRONG_EMAIL = "Incorrect e-mail address."
WRONG_PHONE = "Incorrect phone number format, use 00000000000."
WRONG_SEARCHED_PHONE = "Incorrect phone number format, use +00000000000"
NO_RIGHT = "You don't have permission to edit this data."
NOT_ENOUGH = "Not enough points."
TOO_FEW = "This value should be 1 or more."
SHORT_PASSWORD = "Your password must be at least 8 characters long."
KNOWN_DOCUMENT = "Transaction with such document number already exists."
# The code of an error that is in the vendor's words already.
WORDED = "worded"
PLUS_LOST = re.compile(r" \d")
YES, NO = {"1", "true", "on", "yes"}, {"0", "false", "off", "no", ""}

# (their field, our code) -> their sentence; without a code: whatever else is wrong with it.
SENTENCES = {
    ("email", None): "This value is not a valid email address.",
    ("email", "required"): BLANK,
    ("email", "unique"): "Customer with such email already exists.",
    ("phone", None): "This value is not a valid phone number.",
    ("phone", "required"): BLANK,
    ("phone", "unique"): "Customer with such phone already exists.",
    ("loyaltyCardNumber", "unique"): "Customer with such loyalty card number already exists.",
    ("labels", None): LABELS,
    ("levelId", "no_start_level"): NO_START_LEVEL,
    ("plainPassword", "required"): BLANK,
    ("plainPassword", "password_too_short"): SHORT_PASSWORD,
    ("points", "insufficient_points"): NOT_ENOUGH,
    ("points", "min_value"): TOO_FEW,
    (
        "transactionData.documentNumber",
        "conflict",
    ): "Transaction with such document number already exists.",
    ("currentPassword", None): "This value should be the user's current password.",
    ("file", "too_large"): "The file is too large.",
}


class Empty(Enum):
    """What an empty value of a field can mean, beside a value that stands for it."""

    KEEP = "as if the field were not there"
    REFUSE = "a mistake"


KEEP, REFUSE = Empty.KEEP, Empty.REFUSE


def sentence(name, error):
    """The vendor's sentence for an error of ours about their field `name` (None: the whole)."""
    if (name, error["code"]) in SENTENCES:
        return SENTENCES[name, error["code"]]
    if error["code"] == "max_length" and name != "plainPassword":
        return TOO_LONG
    if name in (None, "plainPassword") or error["code"] == WORDED:
        return error["message"]
    return SENTENCES.get((name, None), INVALID)


class Text(serializers.Field):
    """One line of text. `blank` is what an empty one stands for: a value, KEEP (as if it were not
    there) or REFUSE."""

    default_error_messages = {"required": BLANK, "blank": BLANK, "invalid": INVALID}

    def __init__(self, *, blank="", blank_message=BLANK, clean=None, **options):
        options.setdefault("required", False)
        super().__init__(**options)
        self.blank = blank
        self.clean = clean
        self.error_messages["blank"] = blank_message

    def run_validation(self, data=empty):
        return super().run_validation("" if data is None else data)

    def to_internal_value(self, data):
        if isinstance(data, bool) or not isinstance(data, (str, int)):
            self.fail("invalid")
        text = str(data).strip()
        if text:
            return self._cleaned(text)
        if self.blank is KEEP:
            raise SkipField
        if self.blank is REFUSE:
            self.fail("blank")
        return self.blank

    def _cleaned(self, text):
        if self.clean is None:
            return text
        try:
            return self.clean(text)
        except ServiceError as refusal:
            error = {"code": refusal.error_list[0].code, "message": refusal.messages[0]}
            raise serializers.ValidationError(sentence(self.field_name, error)) from refusal

    def to_representation(self, value):
        return value


class Password(Text):
    """A password, which is needed; the spaces around it belong to it."""

    def __init__(self, **options):
        super().__init__(required=True, blank=REFUSE, **options)

    def to_internal_value(self, data):
        if not isinstance(data, str):
            self.fail("invalid")
        if not data:
            self.fail("blank")
        return data


class Phone(Text):
    """A phone number. In a form a plus that nobody encoded arrives as a space, as it does when the
    examples of the vendor's document are sent as they stand: a space before a digit is one."""

    def to_internal_value(self, data):
        if self.context.get("from_form") and isinstance(data, str) and PLUS_LOST.match(data):
            data = f"+{data[1:]}"
        return super().to_internal_value(data)


class Country(Text):
    """A country by its code, or by its name in English, its own language or the tenant's."""

    def _cleaned(self, text):
        self.clean = partial(normalise.clean_country, locale=self.tenant_locale())
        return super()._cleaned(text)

    def tenant_locale(self):
        return self.context["tenant"].setting("locale")


class Tick(serializers.Field):
    """A checkbox: 1 or 0, true or false; empty is no."""

    schema = {"type": "boolean"}

    default_error_messages = {"required": BLANK, "untrue": BLANK, "invalid": INVALID}

    def __init__(self, *, must=False, **options):
        options.setdefault("required", False)
        super().__init__(**options)
        self.must = must

    def run_validation(self, data=empty):
        return super().run_validation("" if data is None else data)

    def to_internal_value(self, data):
        if isinstance(data, bool):
            ticked = data
        else:
            word = str(data).strip().lower() if isinstance(data, (str, int)) else None
            if word not in YES | NO:
                self.fail("invalid")
            ticked = word in YES
        if self.must and not ticked:
            self.fail("untrue")
        return ticked

    def to_representation(self, value):
        return bool(value)


class Labels(serializers.Field):
    """`key1:value1;key2:value2`. What has no colon is no label; a key must not be empty."""

    default_error_messages = {"type": LABELS_TYPE, "invalid": LABELS}

    def __init__(self, **options):
        super().__init__(required=False, **options)

    def run_validation(self, data=empty):
        return super().run_validation("" if data is None else data)

    def to_internal_value(self, data):
        if not isinstance(data, str):
            self.fail("type")
        labels = []
        for part in data.split(";"):
            key, colon, value = part.partition(":")
            if not colon:
                continue
            if not key.strip():
                self.fail("invalid")
            labels.append({"key": key, "value": value})
        return labels

    def to_representation(self, value):
        return value


class Structure(serializers.Field):
    """A list or a map whose parts the services judge."""

    schema = {}
    default_error_messages = {"invalid": INVALID}

    def __init__(self, **options):
        super().__init__(required=False, **options)

    def run_validation(self, data=empty):
        return super().run_validation({} if data in (None, "") else data)

    def to_internal_value(self, data):
        if not isinstance(data, (dict, list)):
            self.fail("invalid")
        return data

    def to_representation(self, value):
        return value


class Group(serializers.Serializer):
    """Fields that are written as a whole: naming one of them empties those that are not named.

    Empty text stands for the whole being empty; then and when every part is empty the value is
    None.
    """

    default_error_messages = {"invalid": INVALID}

    def __init__(self, **options):
        super().__init__(required=False, **options)

    def run_validation(self, data=empty):
        if data is empty:
            raise SkipField
        if data in (None, ""):
            data = {}
        if not isinstance(data, dict):
            self.fail("invalid")
        extra = set(data) - set(self.fields)
        if extra:
            raise serializers.ValidationError(EXTRA, code="extra")
        values, errors = {}, {}
        for name, field in self.fields.items():
            try:
                values[field.source] = field.run_validation(data.get(name, ""))
            except serializers.ValidationError as refusal:
                errors[name] = refusal.detail
        if errors:
            raise serializers.ValidationError(errors)
        return self.whole(values) if any(values.values()) else None

    def whole(self, values):
        """The value, from our names of the parts; some part says something."""
        return values
