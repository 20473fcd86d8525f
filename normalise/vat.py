"""VAT numbers."""

import re
from functools import lru_cache

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from stdnum.exceptions import InvalidChecksum
from stdnum.exceptions import ValidationError as NotANumber
from stdnum.util import get_cc_module

from .text import clean_identifier

MAX_LENGTH = 40

_SEPARATORS = re.compile(r"[ .,:/\-]+")
_NUMBER = re.compile(r"[A-Z0-9]{4,24}")
# Prefixes on VAT numbers that are not the country's own code.
_PREFIXES = {"EL": "GR", "XI": "GB"}
# Countries that write their code in front of a VAT number. Elsewhere two letters in front may
# be part of something else.
_PREFIXED = re.compile(
    "AT|BE|BG|CH|CY|CZ|DE|DK|EE|EL|ES|FI|FR|GB|GR|HR|HU|IE|IT|LI|LT|LU|LV|MC|MT|NL|NO|PL|PT|RO"
    "|SE|SI|SK|XI"
)


def clean_vat_number(value, *, country):
    """Return a VAT number, compact and in upper case where it is a valid one; '' stays ''.

    `country` (alpha-2, or '' where unknown) says whose rules hold for a number without a
    prefix; a prefix (`DE136695976`, `NO…MVA`) names its own country and is kept, as is its
    absence.

    A number that no rule recognises is kept as given, trimmed: the field also holds company
    numbers, tax ids of private persons and countries without a public rule, old files are full
    of them, and a customer must not get lost for one. Refused (code `vat_check_digit`) is only
    what is unmistakably a VAT number with a typing error: it carries a country's prefix, has
    that country's form, and its check digit is wrong. An importer that would rather keep such a
    row may catch that code and store the text.
    """
    given = clean_identifier(value, max_length=MAX_LENGTH) or ""
    number = _SEPARATORS.sub("", given).upper()
    if not _NUMBER.fullmatch(number):
        return given
    prefix = number[:2]
    prefixed = bool(_PREFIXED.fullmatch(prefix))
    region = _PREFIXES.get(prefix, prefix) if prefixed else (country or "").upper()
    try:
        if _validate(number, region):
            return number
    except InvalidChecksum:
        if prefixed:
            raise ValidationError(
                _("The check digit of this VAT number is wrong; please compare it again."),
                code="vat_check_digit",
            ) from None
    return given


def _validate(number, region):
    """Return whether the region's rule accepts `number`; raise `InvalidChecksum` for a typo."""
    rule = _rule(region)
    if rule is None:
        return False
    if number[:2] in _PREFIXES:
        number = number[2:]
    try:
        rule.validate(number)
    except InvalidChecksum:
        raise
    except (NotANumber, ValueError, LookupError):
        # The last two: rules that did not expect letters where this number has them.
        return False
    return True


@lru_cache(maxsize=300)
def _rule(region):
    if len(region) != 2 or not (region.isascii() and region.isalpha()):
        return None
    return get_cc_module(region.lower(), "vat")
