"""Birth dates, dates in files, and instants."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from .text import OUTER_SPACE

EARLIEST_BIRTH_YEAR = 1890
EARLIEST_YEAR, LATEST_YEAR = 1900, 9000

_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_DAY_WITHOUT_YEAR = re.compile(r"--([0-9]{2})-([0-9]{2})")
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[Tt ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?"
    r"(?:[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
)
_ORDERED = {
    "YMD": re.compile(r"(?P<year>[0-9]{4})([-/. ]?)(?P<month>[0-9]{1,2})\2(?P<day>[0-9]{1,2})"),
    "DMY": re.compile(r"(?P<day>[0-9]{1,2})([-/. ]?)(?P<month>[0-9]{1,2})\2(?P<year>[0-9]{4})"),
    "MDY": re.compile(r"(?P<month>[0-9]{1,2})([-/. ]?)(?P<day>[0-9]{1,2})\2(?P<year>[0-9]{4})"),
}
_LONGEST = 64


@dataclass(frozen=True, slots=True)
class BirthDate:
    """A birthday; `year` is None where only month and day are known."""

    year: int | None
    month: int
    day: int

    def isoformat(self):
        """Return `YYYY-MM-DD`, or `--MM-DD` without a year (ISO 8601:2000)."""
        if self.year is None:
            return f"--{self.month:02d}-{self.day:02d}"
        return f"{self.year:04d}-{self.month:02d}-{self.day:02d}"

    __str__ = isoformat


def clean_birth_date(value, *, today=None):
    """Return the `BirthDate` in a date, a datetime, or ISO 8601 text.

    Text is `YYYY-MM-DD`, a date and time (its date as written: a birthday has no time zone),
    or `--MM-DD` where the year is unknown; then 29 February is always possible. Refuses years
    before 1890 and days after `today`. Without `today`, that is the date where the day begins
    first (UTC+14), so that nobody's today is somebody else's future.
    """
    year = None
    if isinstance(value, BirthDate):
        value = value.isoformat()
    elif isinstance(value, str) and len(value) == 10 and value[4] == value[7] == "-":
        value = _plain_day(value) or value
    if isinstance(value, date):
        year, month, day = value.year, value.month, value.day
    elif isinstance(value, str):
        year, month, day = _birthday_parts(value.strip(OUTER_SPACE))
    else:
        raise _no_date()
    try:
        # 2000 was a leap year: it knows every day that a year can have.
        found = date(2000 if year is None else year, month, day)
    except ValueError:
        raise _no_such_day() from None
    if year is None:
        return BirthDate(None, month, day)
    if year < EARLIEST_BIRTH_YEAR:
        raise ValidationError(
            _("A birth date is not before %(year)d."),
            code="birth_date_too_early",
            params={"year": EARLIEST_BIRTH_YEAR},
        )
    if found > (today or (datetime.now(UTC) + timedelta(hours=14)).date()):
        raise ValidationError(_("A birth date is not in the future."), code="birth_date_in_future")
    return BirthDate(year, month, day)


def clean_date_in_order(value, order):
    """Return the `date` in `value`, whose parts stand in `order`: 'YMD', 'DMY' or 'MDY'.

    For files: the order is known or asked for, never guessed. The parts are separated by the
    same `-`, `/`, `.` or blank, or by nothing when all digits are there (`17051988`). The year
    has four digits: a century would be a guess too.
    """
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    pattern = _ORDERED[order]
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise _not_in_order(order)
    parts = pattern.fullmatch(value.strip(OUTER_SPACE))
    if parts is None or (not parts.group(2) and len(parts.group()) != 8):
        raise _not_in_order(order)
    try:
        return date(int(parts["year"]), int(parts["month"]), int(parts["day"]))
    except ValueError:
        raise _no_such_day() from None


def parse_instant(value, *, tz):
    """Return the instant in `value` as an aware datetime in UTC.

    `value` is a datetime or ISO 8601 text (`2026-01-17T10:00:00Z`, an offset with or without
    colon, a blank in place of the T, a fraction of a second, a date alone for its first
    moment). Where it names no zone, it is local time in `tz` (a `tzinfo` or an IANA name).
    Local times that summer time makes strange are read as the standard library reads them: one
    that the clock skips counts with the offset before the change, hence as the same distance
    after it; one that happens twice is the first of the two. Years outside 1900 to 9000 are
    refused: so near the ends of the calendar, a change of zone would leave it.
    """
    if isinstance(value, datetime):
        moment = value
    elif isinstance(value, str):
        text = value.strip(OUTER_SPACE)
        if len(text) > _LONGEST or not _INSTANT.fullmatch(text):
            raise _no_instant()
        try:
            moment = datetime.fromisoformat(text.upper().replace(",", "."))
        except ValueError:
            raise _no_instant() from None
    else:
        raise _no_instant()
    if not EARLIEST_YEAR <= moment.year <= LATEST_YEAR:
        raise ValidationError(
            _("The year must be between %(first)d and %(last)d."),
            code="year_out_of_range",
            params={"first": EARLIEST_YEAR, "last": LATEST_YEAR},
        )
    if moment.utcoffset() is None:
        moment = moment.replace(tzinfo=ZoneInfo(tz) if isinstance(tz, str) else tz)
    return moment.astimezone(UTC)


def _birthday_parts(text):
    if len(text) > _LONGEST:
        raise _no_date()
    parts = _DAY.match(text)
    if parts and (parts.end() == len(text) or _is_instant(text)):
        return int(parts.group(1)), int(parts.group(2)), int(parts.group(3))
    parts = _DAY_WITHOUT_YEAR.fullmatch(text)
    if parts:
        return None, int(parts.group(1)), int(parts.group(2))
    raise _no_date()


def _plain_day(text):
    """The day in `YYYY-MM-DD`, which Python reads faster than we do; None where it does not."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _is_instant(text):
    if not _INSTANT.fullmatch(text):
        return False
    try:
        # Only the time matters here; the date is judged by the caller.
        datetime.fromisoformat("2000-01-01" + text[10:].upper().replace(",", "."))
    except ValueError:
        return False
    return True


def _no_date():
    return ValidationError(
        _("Enter a date as YYYY-MM-DD, or as --MM-DD where the year is not known."),
        code="invalid_date",
    )


def _no_such_day():
    return ValidationError(_("There is no such day in the calendar."), code="invalid_date")


def _not_in_order(order):
    return ValidationError(
        _("Enter a date as %(form)s, the year with four digits."),
        code="invalid_date",
        params={
            "form": {"YMD": "2000-12-31", "DMY": "31.12.2000", "MDY": "12/31/2000"}[order],
        },
    )


def _no_instant():
    return ValidationError(
        _("Enter a date and time as ISO 8601, such as 2026-01-17T10:00:00Z."),
        code="invalid_datetime",
    )
