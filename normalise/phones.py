"""Phone numbers: the text as sent, and E.164 where that is certain.

The numbering plans are those of the phonenumbers library. Its own parse and check take some
90 µs; the fast path here asks the same plans directly and answers only where it is sure, so
that a file of a million customers does not spend its time on them. What it is not sure of
goes to the library, and a property test holds the two answers together.
"""

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

import phonenumbers
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from phonenumbers import PhoneMetadata, PhoneNumberFormat, ValidationResult
from phonenumbers.phonenumberutil import COUNTRY_CODE_TO_REGION_CODE

from .text import clean_text

MAX_LENGTH = 40
MAX_EXTENSION_LENGTH = 20

_NOT_DIGIT = re.compile("[^0-9]")
_SIMPLE = re.compile(r"\+?[0-9 ().\-]+")
_EXTENSION = re.compile(r"[0-9*#]{0,20}")
_SEPARATORS = str.maketrans("", "", " ().-")
_MAIN_REGIONS = {str(code): regions[0] for code, regions in COUNTRY_CODE_TO_REGION_CODE.items()}
_KINDS = (
    "mobile",
    "fixed_line",
    "toll_free",
    "shared_cost",
    "premium_rate",
    "voip",
    "personal_number",
    "pager",
    "uan",
    "voicemail",
)


class Phone(NamedTuple):
    """A phone number: `given` as sent, `e164` or '', the `digits` to find it by, `extension`."""

    given: str
    e164: str
    digits: str
    extension: str


def clean_phone(given, *, country, extension=None):
    """Return the `Phone` that `given` means in `country` (alpha-2; '' or None: unknown).

    `given` stays as sent, trimmed, NFC, at most 40 characters; only a text without a digit is
    refused, because a number that we can not read may still be right. `e164` is filled where
    the number is valid in `country`, or is written with `+` and has a length that exists
    there; `00` counts as `+` where the number is valid so. A trunk zero kept by mistake after
    the country code is dropped as the numbering plan says: `+49 0711 2842222` is
    `+497112842222`, while Italy's zeros belong to the number and stay. Letters are read as on
    a keypad. An extension in the text (`x123`, `ext. 12`) is split off; one given apart wins.
    `digits` are those of `e164`, else of `given` without its extension.
    """
    given = clean_text(given, max_length=MAX_LENGTH)
    e164, found = _e164_of_simple_number(given, country), ""
    if e164 is None:
        e164, found = _e164_by_library(given, country)
    digits = e164[1:]
    if not digits:
        digits = phone_digits(given)
        if not digits:
            raise ValidationError(_("A phone number has at least one digit."), code="invalid_phone")
        if found and len(digits) > len(found):
            digits = digits.removesuffix(found)
    if extension is not None:
        found = _clean_extension(extension) or found
    return Phone(given, e164, digits, found)


def clean_strict_phone(given):
    """Return a phone number as sent, for wires that refuse what may be a typing error.

    With a `+` it must be assigned by the numbering plan; without one it is digits only, which no
    country's plan is asked about. '' stays ''.
    """
    given = clean_text(given, max_length=MAX_LENGTH)
    if given.startswith("+"):
        e164, _extension = _e164_by_library(given, None)
        sound = bool(e164) and is_valid_e164(e164)
    else:
        sound = given.isascii() and given.isdigit()
    if given and not sound:
        raise ValidationError(_("This is not a valid phone number."), code="invalid_phone")
    return given


def phone_digits(text):
    """Return the digits in `text` as ASCII, whatever script they are written in."""
    if not text.isascii():
        text = "".join(str(unicodedata.decimal(character, "")) for character in text)
    return _NOT_DIGIT.sub("", text)


def reversed_digits(digits):
    """Return `digits` backwards: an index on this finds a number by its last digits."""
    return digits[::-1]


def login_phone_key(value):
    """Return the form in which phones that sign in are compared: the digits alone.

    `+48 234 234 000` and `48234234000` are the same login.
    """
    return phone_digits(value)


def is_valid_e164(e164):
    """Tell whether an E.164 number is assigned by the numbering plan, not merely long enough."""
    country_code, national = _split(e164[1:]) if e164[:1] == "+" else ("", "")
    return bool(country_code) and _is_valid(country_code, national)


def national_digits(e164):
    """Return the digits as dialled inside the country: trunk prefix and number.

    `+61298765432` gives `0298765432`, `+4722442222` gives `22442222`, since Norway has no
    trunk prefix; a prefix that repeats the country code (1 in North America) is left out.
    """
    country_code, national = _split(e164[1:])
    if not country_code:
        return e164[1:]
    prefix = _plan(_MAIN_REGIONS[country_code]).trunk_prefix
    return national if prefix == country_code else prefix + national


def _clean_extension(extension):
    extension = clean_text(extension, max_length=MAX_EXTENSION_LENGTH)
    if not _EXTENSION.fullmatch(extension):
        raise ValidationError(
            _("An extension has digits only, such as 123."), code="invalid_extension"
        )
    return extension


# -- the fast path


class _Plan(NamedTuple):
    """What the fast path needs of one region's numbering plan."""

    country_code: str
    lengths: frozenset
    idd: re.Pattern
    trunk: re.Pattern | None
    rewrites: bool
    trunk_prefix: str
    leading: re.Pattern | None
    general: re.Pattern
    kinds: tuple


@lru_cache(maxsize=512)
def _plan(region):
    """Return the region's `_Plan` from the library's data, or None where it has none."""
    data = PhoneMetadata.metadata_for_region(region, None)
    if data is None:
        return None
    trunk = data.national_prefix_for_parsing
    kinds = (getattr(data, kind) for kind in _KINDS)
    return _Plan(
        country_code=str(data.country_code),
        lengths=frozenset(data.general_desc.possible_length),
        idd=re.compile(data.international_prefix or r"(?!)"),
        trunk=re.compile(trunk) if trunk else None,
        rewrites=bool(data.national_prefix_transform_rule),
        trunk_prefix=data.national_prefix or "",
        leading=re.compile(data.leading_digits) if data.leading_digits else None,
        general=re.compile(data.general_desc.national_number_pattern),
        kinds=tuple(
            (frozenset(kind.possible_length), re.compile(kind.national_number_pattern))
            for kind in kinds
            if kind is not None and kind.national_number_pattern
        ),
    )


def _e164_of_simple_number(given, country):
    """Return the E.164 form of a number in plain writing, '' where it has none, or None where
    the library must say."""
    if given.isascii() and given[1:].isdigit() and given[0] in "+0123456789":
        digits = given
    elif _SIMPLE.fullmatch(given):
        digits = given.translate(_SEPARATORS)
    else:
        return None
    if len(digits) > 16:
        return None
    if digits[:1] == "+":
        return _e164_of_international(digits)
    plan = _plan(country.upper()) if country else None
    if plan is None or digits.startswith(plan.country_code) or plan.idd.match(digits):
        return None
    national = digits
    trunk = plan.trunk.match(digits) if plan.trunk else None
    if trunk:
        if plan.rewrites:
            return None
        # The library takes the prefix off whenever what remains fits the plan, and that is
        # all that is accepted below.
        national = digits[trunk.end() :]
    if not _is_valid(plan.country_code, national):
        # Where nothing was taken off, the library looks at the same digits by the same plans.
        # Zeroes in front may be another country's way to dial out.
        return None if trunk or digits.startswith("0") else ""
    if len(national) not in plan.lengths or not plan.general.fullmatch(national):
        return None
    return f"+{plan.country_code}{national}"


def _e164_of_international(digits):
    country_code, national = _split(digits[1:])
    if not country_code:
        return None
    plan = _plan(_MAIN_REGIONS[country_code])
    if plan is None or len(national) not in plan.lengths:
        return None
    # A number that begins like a trunk prefix may have to lose it.
    if plan.trunk and plan.trunk.match(national):
        return None
    return digits


def _split(digits):
    """Split international digits into country code and national number; ('', '') if unknown."""
    if digits.isascii() and digits.isdigit():
        for length in (1, 2, 3):
            if (code := digits[:length]) in _MAIN_REGIONS:
                return code, digits[length:]
    return "", ""


def _is_valid(country_code, national):
    """Tell what `phonenumbers.is_valid_number` would: the number has a type in its region."""
    regions = COUNTRY_CODE_TO_REGION_CODE[int(country_code)]
    if regions[0] == phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY:
        number = phonenumbers.parse(f"+{country_code}{national}")
        return phonenumbers.is_valid_number(number)
    for region in regions:
        plan = _plan(region)
        if plan.leading and len(regions) > 1:
            if plan.leading.match(national):
                return _has_kind(plan, national)
        elif _has_kind(plan, national):
            return True
    return False


def _has_kind(plan, national):
    if not plan.general.fullmatch(national):
        return False
    length = len(national)
    return any(
        (not lengths or length in lengths) and pattern.fullmatch(national)
        for lengths, pattern in plan.kinds
    )


# -- the library


def _e164_by_library(given, country):
    """Return (E.164 or '', extension or '') by the rules in `clean_phone`."""
    region = country.upper() if country else None
    number = _parse(given, region)
    if number is not None:
        extension = number.extension or ""
        if _is_international(given):
            reason = phonenumbers.is_possible_number_with_reason(number)
            certain = reason == ValidationResult.IS_POSSIBLE
        else:
            certain = phonenumbers.is_valid_number(number)
        if certain:
            return phonenumbers.format_number(number, PhoneNumberFormat.E164), extension
    else:
        extension = ""
    if given.startswith("00"):
        number = _parse("+" + given[2:], None)
        if number is not None and phonenumbers.is_valid_number(number):
            e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
            return e164, number.extension or ""
    return "", extension


def _parse(text, region):
    try:
        return phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None


def _is_international(given):
    """Tell whether the first thing that can start a number is a plus."""
    for character in given:
        if character in "+＋":
            return True
        if character.isdecimal():
            return False
    return False
