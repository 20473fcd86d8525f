"""What a text, a flag, a key or a birthday is on Fieldpine's wire. Empty text is "not supplied"."""

import re
import uuid

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.fields import SkipField, empty

from customers.models import Customer

UUID_TEXT = re.compile(r"\{?[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\}?")
PHYSKEY = re.compile(r"CUST-([1-9][0-9]{0,17})", re.IGNORECASE)
_DAY = re.compile(r"([0-9]{1,2})/([0-9]{1,2})(?:/([0-9]{4}))?")


class Word(serializers.Field):
    """One line of text. Numbers are taken as they are written; the services judge the rest."""

    schema = {"type": "string"}
    default_error_messages = {
        "invalid": _("This must be text."),
        "too_long": _("At most {most} characters."),
    }

    def __init__(self, *, most=None, **options):
        options.setdefault("required", False)
        super().__init__(**options)
        self.most = most

    def run_validation(self, data=empty):
        if data is None or data == "":
            raise SkipField
        return super().run_validation(data)

    def to_internal_value(self, data):
        if isinstance(data, bool) or not isinstance(data, (str, int)):
            self.fail("invalid")
        text = str(data)
        if self.most and len(text.strip()) > self.most:
            self.fail("too_long", most=self.most)
        return text

    def to_representation(self, value):
        return value


class Flag(Word):
    """true or false, 1 or 0; what is neither the services refuse."""

    schema = {"type": "boolean"}

    def to_internal_value(self, data):
        return data


class Number01(Flag):
    """The same, told as 1 or 0."""

    schema = {"type": "integer", "enum": [0, 1]}

    def to_representation(self, value):
        return int(bool(value))


class Amount(Word):
    """Money, with as many decimals as the currency has."""

    schema = {"type": "number"}

    def to_internal_value(self, data):
        return data


class Birthday(Word):
    """`1985-12-10`, `10/12/1985`, or `10/12` (the day first) where the year is unknown."""

    def to_internal_value(self, data):
        text = super().to_internal_value(data).strip()
        parts = _DAY.fullmatch(text)
        if parts is None:
            return text
        day, month, year = parts.groups()
        return f"{year or '-'}-{month:0>2}-{day:0>2}"

    def to_representation(self, value):
        if value and value.startswith("--"):
            return f"{value[5:7]}/{value[2:4]}"
        return value


class Key(Word):
    """A UUID that the caller chose, or a Physkey that was allocated here; the UUID in either case.

    A key that anybody may happen to send (all zeros) is none.
    """

    schema = {"type": "string", "format": "uuid"}
    default_error_messages = {
        "invalid": _("This must be a UUID, or a Physkey that was allocated here."),
    }

    def to_internal_value(self, data):
        text = data.strip() if isinstance(data, str) else ""
        if UUID_TEXT.fullmatch(text) and (key := uuid.UUID(text)).int:
            return key
        if physkey := PHYSKEY.fullmatch(text):
            found = Customer.objects.known_as("number", int(physkey[1])).first()
            if found is not None:
                return found.pk
        self.fail("invalid")
