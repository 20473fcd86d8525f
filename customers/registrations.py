"""How many customers registered per day, month or year: one grouped query, gaps filled with 0."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Count
from django.db.models.functions import Trunc

from tenancy import clock

# Interval -> how many periods at most: what a chart can show.
INTERVALS = {"day": 400, "month": 240, "year": 50}


def registrations(customers, *, interval, last, timezone):
    """The last `last` periods, the present one included, as [(first day, count), …], oldest first.

    Days begin at midnight in `timezone` (an IANA name). `customers` is any queryset of them.
    """
    zone = ZoneInfo(timezone)
    days = _first_days(clock.now().astimezone(zone).date(), interval, last)
    begin = datetime.combine(days[0], time(), zone).astimezone(UTC)
    counted = (
        customers.filter(created_at__gte=begin)
        .order_by()
        .annotate(period=Trunc("created_at", interval, tzinfo=zone))
        .values_list("period")
        .annotate(n=Count("pk"))
    )
    counts = {period.date(): n for period, n in counted}
    return [(day, counts.get(day, 0)) for day in days]


def registrations_before_today(customers, *, interval, n_days, timezone):
    """The registrations of the `n_days` days before today, per interval, as `registrations` tells
    them; months and years at the ends count the days that belong to them."""
    zone = ZoneInfo(timezone)
    today = clock.now().astimezone(zone).date()
    first, last = today - timedelta(days=n_days), today - timedelta(days=1)
    begin, end = (datetime.combine(day, time(), zone).astimezone(UTC) for day in (first, today))
    counted = registrations(
        customers.filter(created_at__gte=begin, created_at__lt=end),
        interval=interval,
        last=_n_periods(first, today, interval),
        timezone=timezone,
    )
    return [(day, n) for day, n in counted if day <= last]


def _n_periods(first, today, interval):
    if interval == "day":
        return (today - first).days + 1
    if interval == "year":
        return today.year - first.year + 1
    return 12 * (today.year - first.year) + today.month - first.month + 1


def _first_days(today, interval, last):
    if interval == "day":
        return [today - timedelta(days=back) for back in reversed(range(last))]
    if interval == "year":
        return [date(today.year - back, 1, 1) for back in reversed(range(last))]
    months = today.year * 12 + today.month - 1
    return [
        date(month // 12, month % 12 + 1, 1)
        for month in (months - back for back in reversed(range(last)))
    ]
