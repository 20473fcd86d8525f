"""Dates inside a search: `edited after 17-jan-2020`, alone or among other words.

The grammar is small and stands here whole:

    phrase = ("edited" | "changed" | "updated" | "created" | "registered")
             ("after" | "before" | "since" | "on") date

`after` and `since` include the day named, `before` ends where it begins, `on` is that day, in the
tenant's time zone. A date is one to three words: `2020-01-17`, `17-jan-2020`, `17.1.2020`,
`17 January 2020`, `jan 2020`, `2020`, `today`, `yesterday`. The day stands before the month. What
is no phrase is searched as words.
"""

import re
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import dateparser
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from customers.search import search_customers
from tenancy import clock
from tenancy.scoping import current_tenant

COLUMNS = {
    **dict.fromkeys(("edited", "changed", "updated"), "updated_at"),
    **dict.fromkeys(("created", "registered"), "created_at"),
}
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
# The gate: only what looks like a date reaches the date parser, which would find one in anything.
DATE = (
    rf"(?:\d{{4}}-\d{{1,2}}-\d{{1,2}}|\d{{1,2}}[-./ ]\d{{1,2}}[-./ ]\d{{4}}"
    rf"|\d{{1,2}}[-. ]{{1,2}}{_MONTH}[-. ]{{1,2}}\d{{4}}|{_MONTH}[-. ]{{1,2}}\d{{4}}"
    r"|\d{4}|today|yesterday)"
)
_PHRASE = re.compile(
    rf"\b(?P<deed>{'|'.join(COLUMNS)})\s+(?P<side>after|before|since|on)\s+(?P<date>{DATE})"
    r"(?![\w-])",
    re.IGNORECASE | re.ASCII,
)
_NO_PHRASE = re.compile(
    rf"\b(?:{'|'.join(COLUMNS)})\s+(?:after|before|since)\b", re.IGNORECASE | re.ASCII
)
EARLIEST_YEAR, LATEST_YEAR = 1900, 9000


def search_with_phrases(customers, q):
    """Narrow customers by the phrases in `q`, and by its other words as `search_customers` does.

    Raises ValidationError for a phrase whose date cannot be read.
    """
    condition, words = read_phrases(q, tz=current_tenant().timezone)
    return search_customers(customers.filter(condition), words)


def read_phrases(q, *, tz):
    """(condition, the words that are left) of a search text."""
    condition = Q()
    zone = ZoneInfo(tz)
    for phrase in _PHRASE.finditer(q):
        first, last = days_of(phrase["date"].lower(), zone)
        column, side = COLUMNS[phrase["deed"].lower()], phrase["side"].lower()
        begin, end = midnight(first, zone), midnight(last + timedelta(days=1), zone)
        if side == "before":
            condition &= Q(**{f"{column}__lt": begin})
        else:
            condition &= Q(**{f"{column}__gte": begin})
            if side == "on":
                condition &= Q(**{f"{column}__lt": end})
    words = _PHRASE.sub(" ", q)
    if _NO_PHRASE.search(words):
        raise _no_date()
    return condition, words.strip()


def days_of(text, zone):
    """The first and the last day that a date (in lower case, of the form of DATE) names in a time
    zone; raises ValidationError for none."""
    if re.fullmatch(r"\d{4}", text):
        return _day(int(text), 1, 1), _day(int(text), 12, 31)
    today = clock.now().astimezone(zone)
    found = dateparser.parse(
        text,
        languages=["en"],
        settings={
            "DATE_ORDER": "YMD" if re.match(r"\d{4}-", text) else "DMY",
            "PREFER_DAY_OF_MONTH": "first",
            "RELATIVE_BASE": today.replace(tzinfo=None),
            "STRICT_PARSING": False,
        },
    )
    if found is None:
        raise _no_date()
    first = _day(found.year, found.month, found.day)
    if re.match(rf"{_MONTH}\b", text):
        return first, (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    return first, first


def _day(year, month, day):
    if not EARLIEST_YEAR <= year <= LATEST_YEAR:
        raise _no_date()
    return datetime(year, month, day).date()


def midnight(day, zone):
    """The instant at which a day begins in a time zone."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _no_date():
    return ValidationError(
        _("After edited or created, give a date such as 17-jan-2020 or 2020-01-17."),
        code="invalid_date",
    )
