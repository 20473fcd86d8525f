"""Truth values, whole numbers, decimals and money.

Every number ends in a 64-bit column, and both databases must refuse the same ones, so the
bounds are checked here. Texts are measured before they are converted: turning a million
digits into a number takes long, and longer still to print in an error.
"""

import math
import re
from datetime import date
from decimal import Context, Decimal
from functools import lru_cache

from babel.core import get_global
from babel.numbers import get_territory_currencies
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from .text import OUTER_SPACE

LARGEST = 2**63 - 1
SMALLEST = -(2**63)

_TRUE = frozenset(("true", "1", "yes"))
_FALSE = frozenset(("false", "0", "no"))
_WHOLE = re.compile(r"([+-]?[0-9]{1,40})(?:\.0{1,10})?")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})")
_LONGEST = 100
# Wide enough for every number that passes the checks before it is used.
_EXACT = Context(prec=100)

# ISO 4217's minor units where they are not hundredths. CLDR's figures are about display and
# round some currencies (RSD, ALL, IQD) that do have smaller coins in the books.
_PLACES = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"), 0),
    **dict.fromkeys(("RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}
_MONEY_SINCE = date(2000, 1, 1)


def clean_bool(value):
    """Return the truth value in a bool, 1, 0, or true, false, yes, no, 1, 0 in any case."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int) and value in (0, 1):
        return value == 1
    if isinstance(value, str) and len(value) <= _LONGEST:
        word = value.strip(OUTER_SPACE).lower()
        if word in _TRUE:
            return True
        if word in _FALSE:
            return False
    raise ValidationError(_("Enter true or false."), code="invalid_bool")


def clean_int(value, *, minimum=SMALLEST, maximum=LARGEST):
    """Return the whole number in an int, a float without fraction, or plain digits.

    `5.0` is five, as spreadsheets write it. Refuses bools, fractions, NaN and infinity, digits
    of other scripts, grouping, exponents, and what lies outside `minimum` to `maximum`, which
    are never wider than 64 bits.
    """
    number = None
    if isinstance(value, int) and not isinstance(value, bool):
        number = value
    elif isinstance(value, float) and value.is_integer():
        number = int(value)
    elif isinstance(value, str) and len(value) <= _LONGEST:
        digits = _WHOLE.fullmatch(value.strip(OUTER_SPACE))
        if digits:
            number = int(digits.group(1))
    if number is None:
        raise ValidationError(_("Enter a whole number."), code="invalid_integer")
    _check_bounds(number, max(minimum, SMALLEST), min(maximum, LARGEST))
    return number


def clean_decimal(value, *, places, minimum=None, maximum=None):
    """Return the number as a `Decimal` with exactly `places` decimals.

    Takes ints, floats (by their shortest writing: 0.1 is a tenth), Decimals and plain text
    with a point. Refuses bools, NaN and infinity, commas, grouping, exponents in text, a
    value that needs more decimals (`more_decimals`; zeros at the end do not count, nothing
    is ever rounded), and what lies outside the bounds or, in units of the last decimal,
    outside 64 bits.
    """
    number = _exact_number(value)
    largest = Decimal(LARGEST).scaleb(-places, _EXACT)
    _check_bounds(
        number,
        max(-largest, largest.copy_negate() if minimum is None else Decimal(minimum)),
        min(largest, largest if maximum is None else Decimal(maximum)),
    )
    # Far below the last place, quantize would need more digits than any context has.
    if number and number.adjusted() < -_LONGEST:
        raise _more_decimals(places)
    rounded = number.quantize(Decimal(1).scaleb(-places), context=_EXACT)
    if rounded != number:
        raise _more_decimals(places)
    # Plus makes a plain zero of a negative one.
    return _EXACT.plus(rounded)


def clean_currency(value):
    """Return an ISO 4217 code in upper case; '' stays ''.

    Known are the currencies that were legal tender somewhere since the year 2000, so that old
    sales keep theirs; metals, test codes and funds are not money in a shop.
    """
    if isinstance(value, str) and len(value) <= _LONGEST:
        code = value.strip(OUTER_SPACE).upper()
        if not code or code in _currencies():
            return code
    raise ValidationError(
        _("Enter a currency by its three letters, such as EUR."), code="invalid_currency"
    )


def minor_unit_places(currency):
    """Return how many decimals a currency has by ISO 4217: 2 but for the few that differ."""
    return _PLACES.get(currency, 2)


def to_minor_units(value, currency):
    """Return an amount as a 64-bit count of the currency's smallest unit (cents, øre, yen).

    Refuses what `clean_decimal` refuses, first of all more decimals than the currency has:
    which way to round money is for its owner to say.
    """
    places = minor_unit_places(currency)
    return int(clean_decimal(value, places=places).scaleb(places, _EXACT))


@lru_cache(maxsize=1)
def _currencies():
    return frozenset(
        code
        for territory in get_global("territory_currencies")
        for code in get_territory_currencies(territory, _MONEY_SINCE, date.max, tender=True)
    )


def _exact_number(value):
    if isinstance(value, str):
        text = value.strip(OUTER_SPACE) if len(value) <= _LONGEST else ""
        if _DECIMAL.fullmatch(text):
            return Decimal(text)
    elif isinstance(value, int) and not isinstance(value, bool):
        # Decimal(int) of a huge number is slow; so far out, only the sign is of interest.
        return Decimal(max(min(value, 10 * LARGEST), 10 * SMALLEST))
    elif isinstance(value, float) and math.isfinite(value):
        return Decimal(repr(value))
    elif isinstance(value, Decimal) and value.is_finite():
        return value
    raise ValidationError(_("Enter a number, such as 12.50."), code="invalid_number")


def _check_bounds(number, minimum, maximum):
    if number < minimum:
        raise ValidationError(
            _("This must be at least %(min)s."), code="min_value", params={"min": minimum}
        )
    if number > maximum:
        raise ValidationError(
            _("This must be at most %(max)s."), code="max_value", params={"max": maximum}
        )


def _more_decimals(places):
    if not places:
        return ValidationError(_("This has no decimals."), code="more_decimals")
    return ValidationError(
        _("This may have at most %(places)d decimals."),
        code="more_decimals",
        params={"places": places},
    )
