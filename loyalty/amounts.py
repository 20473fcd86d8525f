"""Numbers as people and wires write them, and as the tables keep them.

Points, thresholds and percents have two decimals and are kept in hundredths; money has the
decimals of its currency; quantities have three, rates and factors four. More decimals in an input
are refused, never rounded. Each `…_in` raises ValidationError without a field's name.
"""

from decimal import Decimal

import normalise

HUNDREDTHS, THOUSANDTHS, TEN_THOUSANDTHS = 2, 3, 4


def number_in(value, places=HUNDREDTHS, *, minimum=0, maximum=None):
    """A number with at most `places` decimals as an integer count of the last one."""
    number = normalise.clean_decimal(value, places=places, minimum=minimum, maximum=maximum)
    return int(number.scaleb(places))


def number_out(count, places=HUNDREDTHS):
    """The Decimal that a stored count stands for; None stays None."""
    return None if count is None else Decimal(count).scaleb(-places)


def money_in(value, currency, *, minimum=0):
    """An amount as a count of the currency's minor units."""
    return number_in(value, normalise.minor_unit_places(currency), minimum=minimum)


def money_out(amount, currency):
    """The Decimal amount that stored minor units stand for; None stays None."""
    return number_out(amount, normalise.minor_unit_places(currency))


def plain(number):
    """A Decimal without zeros at the end of its fraction, as text: 12.50 is "12.5", 3.00 "3"."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def points_told(count):
    """Stored points as a person reads them: "1,240" or "12.5"."""
    whole, _point, fraction = plain(number_out(count)).partition(".")
    grouped = f"{int(whole):,}" if whole not in ("-0",) else whole
    return f"{grouped}.{fraction}" if fraction else grouped
