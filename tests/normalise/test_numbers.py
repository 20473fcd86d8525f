"""Truth values, numbers, money: exact or refused, on both databases alike."""

import time
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given, settings
from hypothesis import strategies as st

from normalise import (
    clean_bool,
    clean_currency,
    clean_decimal,
    clean_int,
    minor_unit_places,
    to_minor_units,
)


def refusal(function, *args, **kwargs):
    with pytest.raises(ValidationError) as caught:
        function(*args, **kwargs)
    assert all(caught.value.messages)
    return caught.value.code


@pytest.mark.parametrize("value", [True, 1, "1", "true", "TRUE", " True ", "yes", "Yes"])
def test_yes_is_true(value):
    assert clean_bool(value) is True


@pytest.mark.parametrize("value", [False, 0, "0", "false", "FALSE", "no", "No\n"])
def test_no_is_false(value):
    assert clean_bool(value) is False


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        None,
        2,
        -1,
        1.0,
        0.0,
        "2",
        "on",
        "t",
        "ja",
        "null",
        "truе",
        [],
        [1],
        pytest.param("1" * 1_000_000, id="bomb-8"),
    ],
)
def test_anything_else_is_neither(value):
    assert refusal(clean_bool, value) == "invalid_bool"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (5, 5),
        ("5", 5),
        (" +5 ", 5),
        ("-5", -5),
        ("007", 7),
        (5.0, 5),
        ("5.00", 5),
        (2**63 - 1, 2**63 - 1),
        (str(-(2**63)), -(2**63)),
    ],
)
def test_a_whole_number_is_read(value, expected):
    number = clean_int(value)

    assert number == expected
    assert type(number) is int


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("", "invalid_integer"),
        (None, "invalid_integer"),
        (True, "invalid_integer"),
        (1.5, "invalid_integer"),
        ("1.5", "invalid_integer"),
        ("1,000", "invalid_integer"),
        ("1_000", "invalid_integer"),
        ("1e3", "invalid_integer"),
        ("0x10", "invalid_integer"),
        ("٥", "invalid_integer"),
        ("²", "invalid_integer"),
        ("--5", "invalid_integer"),
        ("5\x00", "invalid_integer"),
        ("NaN", "invalid_integer"),
        (float("nan"), "invalid_integer"),
        (float("inf"), "invalid_integer"),
        (Decimal(5), "invalid_integer"),
        pytest.param("9" * 1_000_000, "invalid_integer", id="bomb-1"),
        (2**63, "max_value"),
        ("9223372036854775808", "max_value"),
        (-(2**63) - 1, "min_value"),
        (1e300, "max_value"),
        pytest.param(10**100_000, "max_value", id="bomb-2"),
    ],
)
def test_what_is_no_whole_number_is_refused(value, code):
    assert refusal(clean_int, value) == code


def test_a_whole_number_stays_within_its_bounds():
    assert clean_int("100", minimum=0, maximum=100) == 100
    assert refusal(clean_int, "101", minimum=0, maximum=100) == "max_value"
    assert refusal(clean_int, -1, minimum=0, maximum=100) == "min_value"
    assert refusal(clean_int, 2**63, maximum=2**70) == "max_value"


@pytest.mark.parametrize(
    ("value", "places", "expected"),
    [
        ("12.5", 2, "12.50"),
        (" 12.50 ", 2, "12.50"),
        ("12.500000", 2, "12.50"),
        ("12.", 2, "12.00"),
        (".5", 2, "0.50"),
        ("-0.00", 2, "0.00"),
        (-0.0, 2, "0.00"),
        (12, 2, "12.00"),
        (0.1, 2, "0.10"),
        (1e-2, 2, "0.01"),
        (Decimal("1.5e3"), 0, "1500"),
        ("92233720368547758.07", 2, "92233720368547758.07"),
    ],
)
def test_a_decimal_is_read_exactly(value, places, expected):
    number = clean_decimal(value, places=places)

    assert str(number) == expected


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("", "invalid_number"),
        (None, "invalid_number"),
        (True, "invalid_number"),
        ("12,50", "invalid_number"),
        ("1 000", "invalid_number"),
        ("1e2", "invalid_number"),
        ("1e400", "invalid_number"),
        (".", "invalid_number"),
        ("1.2.3", "invalid_number"),
        ("٥", "invalid_number"),
        ("NaN", "invalid_number"),
        ("Infinity", "invalid_number"),
        ("sNaN", "invalid_number"),
        (float("nan"), "invalid_number"),
        (float("-inf"), "invalid_number"),
        (Decimal("NaN"), "invalid_number"),
        (Decimal("sNaN"), "invalid_number"),
        (Decimal("-Infinity"), "invalid_number"),
        pytest.param("9" * 1_000_000, "invalid_number", id="bomb-3"),
        pytest.param("0." + "0" * 1_000_000, "invalid_number", id="bomb-4"),
        ("12.345", "more_decimals"),
        (0.1 + 0.2, "more_decimals"),
        (Decimal("1e-400"), "more_decimals"),
        (Decimal("1e-999999"), "more_decimals"),
        pytest.param(Decimal("0." + "3" * 100_000), "more_decimals", id="bomb-7"),
        ("92233720368547758.08", "max_value"),
        ("-92233720368547758.08", "min_value"),
        (Decimal("1e400"), "max_value"),
        (Decimal("-1e999999"), "min_value"),
        (1e308, "max_value"),
        pytest.param(10**100_000, "max_value", id="bomb-5"),
        pytest.param(-(10**100_000), "min_value", id="bomb-6"),
    ],
)
def test_what_is_no_decimal_is_refused(value, code):
    assert refusal(clean_decimal, value, places=2) == code


def test_a_decimal_stays_within_its_bounds():
    assert clean_decimal("100", places=1, minimum=0, maximum=100) == 100
    assert refusal(clean_decimal, "100.1", places=1, maximum=100) == "max_value"
    assert refusal(clean_decimal, "-0.1", places=1, minimum=0) == "min_value"


def test_numbers_made_to_stall_are_refused_at_once():
    bombs = ["9" * 10_000_000, "0." + "1" * 10_000_000, Decimal("1e999999999999999999")]
    start = time.perf_counter()

    for bomb in bombs:
        refusal(clean_decimal, bomb, places=2)
        refusal(clean_int, bomb)

    assert time.perf_counter() - start < 5


@pytest.mark.parametrize(
    ("value", "currency", "units"),
    [
        ("12.50", "EUR", 1250),
        ("12.5", "NOK", 1250),
        (12, "USD", 1200),
        ("-0.01", "GBP", -1),
        ("1250", "JPY", 1250),
        ("1250.00", "JPY", 1250),
        ("1.234", "KWD", 1234),
        ("10.55", "RSD", 1055),
        ("92233720368547758.07", "EUR", 2**63 - 1),
    ],
)
def test_an_amount_becomes_the_currencys_smallest_units(value, currency, units):
    assert to_minor_units(value, currency) == units


@pytest.mark.parametrize(
    ("value", "currency", "code"),
    [
        ("12.505", "EUR", "more_decimals"),
        ("12.5", "JPY", "more_decimals"),
        ("1.2345", "KWD", "more_decimals"),
        ("92233720368547758.08", "EUR", "max_value"),
        ("9223372036854775808", "JPY", "max_value"),
        ("12,50", "EUR", "invalid_number"),
        ("1e400", "EUR", "invalid_number"),
    ],
)
def test_money_is_never_rounded(value, currency, code):
    assert refusal(to_minor_units, value, currency) == code


@settings(deadline=None)
@given(st.integers(-(2**63) + 1, 2**63 - 1), st.sampled_from(["EUR", "JPY", "KWD", "CLF"]))
def test_units_survive_being_written_as_an_amount(units, currency):
    amount = Decimal(units).scaleb(-minor_unit_places(currency))

    assert to_minor_units(format(amount, "f"), currency) == units


@pytest.mark.parametrize(
    ("value", "expected"), [("EUR", "EUR"), (" nok ", "NOK"), ("DEM", "DEM"), ("", "")]
)
def test_a_currency_is_known_by_its_letters(value, expected):
    assert clean_currency(value) == expected


@pytest.mark.parametrize(
    "value", ["EURO", "€", "XXX", "XAU", "XTS", "ZZZ", "978", None, 978, "E\x00R"]
)
def test_what_is_no_money_is_refused(value):
    assert refusal(clean_currency, value) == "invalid_currency"
