"""Birth dates, dates in files, instants."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given, settings
from hypothesis import strategies as st

from normalise import BirthDate, clean_birth_date, clean_date_in_order, parse_instant

OSLO = ZoneInfo("Europe/Oslo")


def refusal(function, *args, **kwargs):
    with pytest.raises(ValidationError) as caught:
        function(*args, **kwargs)
    assert all(caught.value.messages)
    return caught.value.code


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1988-05-17", BirthDate(1988, 5, 17)),
        (" 1988-05-17 ", BirthDate(1988, 5, 17)),
        ("1988-05-17T23:30:00+0200", BirthDate(1988, 5, 17)),
        ("1988-05-17T00:00:00.000Z", BirthDate(1988, 5, 17)),
        ("1988-05-17 00:00:00", BirthDate(1988, 5, 17)),
        (date(1988, 5, 17), BirthDate(1988, 5, 17)),
        (datetime(1988, 5, 17, 23, 59, tzinfo=UTC), BirthDate(1988, 5, 17)),
        (BirthDate(None, 5, 17), BirthDate(None, 5, 17)),
        ("--05-17", BirthDate(None, 5, 17)),
        ("--02-29", BirthDate(None, 2, 29)),
        ("2004-02-29", BirthDate(2004, 2, 29)),
        ("1890-01-01", BirthDate(1890, 1, 1)),
    ],
)
def test_a_birth_date_is_read_with_or_without_its_year(value, expected):
    assert clean_birth_date(value) == expected


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("", "invalid_date"),
        (None, "invalid_date"),
        (True, "invalid_date"),
        (19880517, "invalid_date"),
        ("19880517", "invalid_date"),
        ("17.05.1988", "invalid_date"),
        ("05/17/1988", "invalid_date"),
        ("1988-5-17", "invalid_date"),
        ("88-05-17", "invalid_date"),
        ("1988-05", "invalid_date"),
        ("1988-W20-2", "invalid_date"),
        ("1988-02-30", "invalid_date"),
        ("1988-13-01", "invalid_date"),
        ("2003-02-29", "invalid_date"),
        ("1900-02-29", "invalid_date"),
        ("--02-30", "invalid_date"),
        ("--13-01", "invalid_date"),
        ("-05-17", "invalid_date"),
        ("0000-00-00", "invalid_date"),
        ("0000-05-17", "invalid_date"),
        ("1988-05-17T25:00:00", "invalid_date"),
        ("1988-05-17 sometime", "invalid_date"),
        ("1988-05-17\x00", "invalid_date"),
        ("١٩٨٨-٠٥-١٧", "invalid_date"),
        pytest.param("1988-05-17" * 100_000, "invalid_date", id="bomb-1"),
        ("1889-12-31", "birth_date_too_early"),
        ("0001-01-01", "birth_date_too_early"),
        (date(1, 1, 1), "birth_date_too_early"),
        ("9999-12-31", "birth_date_in_future"),
        (datetime(9999, 12, 31, tzinfo=UTC), "birth_date_in_future"),
    ],
)
def test_what_is_no_birth_date_is_refused(value, code):
    assert refusal(clean_birth_date, value) == code


def test_nobody_is_born_tomorrow():
    today = date(2026, 3, 1)

    assert clean_birth_date("2026-03-01", today=today) == BirthDate(2026, 3, 1)
    assert refusal(clean_birth_date, "2026-03-02", today=today) == "birth_date_in_future"


def test_the_day_of_whoever_is_furthest_east_is_not_the_future():
    earliest_day = (datetime.now(UTC) + timedelta(hours=14)).date()

    assert clean_birth_date(earliest_day).isoformat() == earliest_day.isoformat()


@settings(deadline=None)
@given(st.dates(date(1890, 1, 1), date(2020, 12, 31)), st.booleans())
def test_a_birth_date_survives_being_written_down(day, with_year):
    birth_date = BirthDate(day.year if with_year else None, day.month, day.day)

    assert clean_birth_date(birth_date.isoformat()) == birth_date
    assert clean_birth_date(str(birth_date)) == birth_date


@pytest.mark.parametrize(
    ("value", "order"),
    [
        ("1988-05-17", "YMD"),
        ("1988/5/17", "YMD"),
        ("19880517", "YMD"),
        ("17.05.1988", "DMY"),
        ("17/5/1988", "DMY"),
        ("17 5 1988", "DMY"),
        ("17051988", "DMY"),
        ("05/17/1988", "MDY"),
        (" 5-17-1988 ", "MDY"),
        (date(1988, 5, 17), "MDY"),
        (datetime(1988, 5, 17, 12, tzinfo=UTC), "MDY"),
    ],
)
def test_a_date_in_a_known_order_is_read(value, order):
    assert clean_date_in_order(value, order) == date(1988, 5, 17)


@pytest.mark.parametrize(
    ("value", "order"),
    [
        ("", "DMY"),
        (None, "DMY"),
        (17051988, "DMY"),
        ("1988-05-17", "DMY"),
        ("17.05.1988", "YMD"),
        ("17.05.1988", "MDY"),
        ("17.05.88", "DMY"),
        ("17.05/1988", "DMY"),
        ("1751988", "DMY"),
        ("17 May 1988", "DMY"),
        ("30.02.1988", "DMY"),
        ("00.00.0000", "DMY"),
        ("17.05.1988 10:00", "DMY"),
        ("١٧.٠٥.١٩٨٨", "DMY"),
        pytest.param("1" * 1_000_000, "DMY", id="bomb-2"),
    ],
)
def test_a_date_in_another_order_is_not_guessed(value, order):
    assert refusal(clean_date_in_order, value, order) == "invalid_date"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-01-17T10:00:00Z", "2026-01-17T10:00:00+00:00"),
        ("2026-01-17t10:00z", "2026-01-17T10:00:00+00:00"),
        ("2026-01-17T10:00:00+02:00", "2026-01-17T08:00:00+00:00"),
        ("2026-01-17T10:00:00+0200", "2026-01-17T08:00:00+00:00"),
        ("2026-01-17T10:00:00-05", "2026-01-17T15:00:00+00:00"),
        ("2026-01-17T10:00:00.250Z", "2026-01-17T10:00:00.250000+00:00"),
        ("2026-01-17T10:00:00,250000000Z", "2026-01-17T10:00:00.250000+00:00"),
        ("2026-01-17 10:00:00", "2026-01-17T09:00:00+00:00"),
        ("2026-07-17T10:00", "2026-07-17T08:00:00+00:00"),
        ("2026-01-17", "2026-01-16T23:00:00+00:00"),
        (datetime(2026, 1, 17, 10, tzinfo=OSLO), "2026-01-17T09:00:00+00:00"),
        (datetime(2026, 1, 17, 10), "2026-01-17T09:00:00+00:00"),
        ("1900-01-01T00:00:00+14:00", "1899-12-31T10:00:00+00:00"),
        ("9000-12-31T23:59:59-12:00", "9001-01-01T11:59:59+00:00"),
    ],
)
@pytest.mark.parametrize("zone", [OSLO, "Europe/Oslo"])
def test_an_instant_is_read_in_its_zone_or_ours(value, expected, zone):
    instant = parse_instant(value, tz=zone)

    assert instant.isoformat() == expected
    assert instant.tzinfo is UTC


def test_a_time_that_the_clock_skips_lies_behind_the_gap():
    instant = parse_instant("2026-03-29T02:30:00", tz=OSLO)

    assert instant.astimezone(OSLO).isoformat() == "2026-03-29T03:30:00+02:00"


def test_a_time_that_happens_twice_is_the_first_of_the_two():
    instant = parse_instant("2026-10-25T02:30:00", tz=OSLO)

    assert instant.astimezone(OSLO).isoformat() == "2026-10-25T02:30:00+02:00"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("", "invalid_datetime"),
        (None, "invalid_datetime"),
        (0, "invalid_datetime"),
        (1768644000, "invalid_datetime"),
        ("1768644000", "invalid_datetime"),
        (date(2026, 1, 17), "invalid_datetime"),
        ("yesterday", "invalid_datetime"),
        ("17-jan-2020", "invalid_datetime"),
        ("20260117", "invalid_datetime"),
        ("2026-W03-6", "invalid_datetime"),
        ("2026-01-17T", "invalid_datetime"),
        ("2026-01-17T10", "invalid_datetime"),
        ("2026-01-17x10:00:00", "invalid_datetime"),
        ("2026-01-17T24:00:00", "invalid_datetime"),
        ("2026-01-17T10:60:00", "invalid_datetime"),
        ("2026-01-17T10:00:60Z", "invalid_datetime"),
        ("2026-02-30T10:00:00Z", "invalid_datetime"),
        ("2026-01-17T10:00:00 02:00", "invalid_datetime"),
        ("2026-01-17T10:00:00+25:00", "invalid_datetime"),
        ("2026-01-17T10:00:00Z\x00", "invalid_datetime"),
        ("0000-01-01T00:00:00Z", "invalid_datetime"),
        ("10000-01-01T00:00:00Z", "invalid_datetime"),
        ("0001-01-01T00:00:00+14:00", "year_out_of_range"),
        ("9999-12-31T23:59:59-12:00", "year_out_of_range"),
        ("1899-12-31T23:59:59Z", "year_out_of_range"),
        ("9001-01-01T00:00:00Z", "year_out_of_range"),
        (datetime.max, "year_out_of_range"),
        (datetime.min.replace(tzinfo=timezone(timedelta(hours=14))), "year_out_of_range"),
        pytest.param("2026" * 1_000_000, "invalid_datetime", id="bomb-3"),
    ],
)
def test_what_is_no_instant_is_refused(value, code):
    assert refusal(parse_instant, value, tz=OSLO) == code
