from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from loyalty.amounts import money_in, money_out, number_in, number_out, plain, points_told


@pytest.mark.parametrize(
    ("value", "count"), [("12.5", 1250), (3, 300), (0.1, 10), ("0", 0), (Decimal("7.00"), 700)]
)
def test_numbers_are_kept_in_hundredths(value, count):
    assert number_in(value) == count


@pytest.mark.parametrize("value", ["0.005", -1, "1e5", "NaN", True, None, "", "1,5", 10**20])
def test_what_is_no_such_number_is_refused(value):
    with pytest.raises(ValidationError):
        number_in(value)


@pytest.mark.parametrize(
    ("currency", "value", "minor"),
    [("NOK", "9.90", 990), ("JPY", "990", 990), ("KWD", "1.5", 1500)],
)
def test_money_has_the_decimals_of_its_currency(currency, value, minor):
    assert money_in(value, currency) == minor
    assert money_out(minor, currency) == Decimal(value)


def test_nothing_stays_nothing():
    assert number_out(None) is None
    assert money_out(None, "EUR") is None


@pytest.mark.parametrize(
    ("count", "told"),
    [
        (0, "0"),
        (124000, "1,240"),
        (1250, "12.5"),
        (-5, "-0.05"),
        (-123456, "-1,234.56"),
        (99, "0.99"),
    ],
)
def test_points_are_told_as_people_read_them(count, told):
    assert points_told(count) == told


def test_zeros_at_the_end_are_left_out():
    assert (plain(Decimal("3.00")), plain(Decimal("10")), plain(Decimal("12.50"))) == (
        "3",
        "10",
        "12.5",
    )
