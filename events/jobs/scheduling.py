"""What the clock orders: once per tenant and local date, and once per tick.

Any number of workers may look; a unique constraint over name and slot decides who orders.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef

from events.jobs.enqueuing import enqueue_slot
from events.jobs.registry import daily_schedules, ticks
from events.models import Job
from tenancy import clock
from tenancy.models import Tenant
from tenancy.scoping import all_tenants


def order_daily():
    """Order each daily job for the latest local date whose time has come; how many were ordered.

    A tenant that has that date's job gets no second one, and one that did not exist at the time
    waits for its first. After a pause of the workers only the latest date is caught up.
    """
    n_ordered = 0
    zones = Tenant.objects.filter(active=True).values_list("timezone", flat=True).distinct()
    for timezone in sorted(zones):
        for schedule in daily_schedules():
            day, moment = latest(schedule.at, ZoneInfo(timezone))
            for tenant in _without(schedule.name, day.isoformat(), timezone, moment):
                if enqueue_slot(schedule.name, tenant=tenant, slot=day.isoformat(), run_at=moment):
                    n_ordered += 1
    return n_ordered


def _without(name, slot, timezone, moment):
    """The tenants of a time zone that exist since `moment` and lack the job of this slot."""
    with all_tenants():
        ordered = Job.objects.filter(tenant=OuterRef("pk"), name=name, slot=slot)
        tenants = Tenant.objects.filter(active=True, timezone=timezone, created_at__lte=moment)
        return list(tenants.filter(~Exists(ordered)))


def latest(at, zone):
    """(local date, instant) of the last time that the clocks of `zone` showed the time `at`."""
    instant = clock.now()
    day = instant.astimezone(zone).date()
    while instant < (moment := moment_of(day, at, zone)) or not _is_on(day, moment, zone):
        day -= timedelta(days=1)
    return day, moment


def _is_on(day, moment, zone):
    # A few zones once left out a whole date, to change sides of the date line.
    return moment.astimezone(zone).date() == day


def moment_of(day, at, zone):
    """The instant at which the clocks of `zone` show `at` on `day`: the first one where they show
    it twice, the first one after where they leap over it."""
    wall = datetime.combine(day, at)
    first, second = sorted(wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if _wall(first, zone) == wall:
        return first
    # The clocks are put forward somewhere between the two.
    while second - first > timedelta(seconds=1):
        middle = first + (second - first) // 2
        first, second = (first, middle) if _wall(middle, zone) >= wall else (middle, second)
    return second.replace(microsecond=0)


def _wall(instant, zone):
    return instant.astimezone(zone).replace(tzinfo=None)


def order_ticks(known):
    """Order each tick whose time has come; how many were ordered.

    A tick is left out while an earlier one of its name waits or runs. `known` (name -> slot) is the
    caller's memory of the slots it has looked at; start with {}.
    """
    n_ordered = 0
    instant = clock.now()
    for tick in ticks():
        slot = f"t{int(instant.timestamp() // tick.seconds)}"
        if known.get(tick.name) == slot:
            continue
        with all_tenants():
            busy = Job.objects.of_installation().unfinished().filter(name=tick.name).exists()
        if not busy and enqueue_slot(tick.name, tenant=None, slot=slot, run_at=instant):
            n_ordered += 1
        known[tick.name] = slot
    return n_ordered
