"""What the clock orders: by the tenant's own calendar, once, whoever looks."""

import threading
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connections

from events.jobs import every, schedule_daily
from events.jobs.scheduling import latest, moment_of, order_daily, order_ticks
from events.models import Job
from tenancy.clock import frozen
from tenancy.models import Tenant
from tenancy.scoping import all_tenants
from tests.factories import TenantFactory

HALF_PAST_TWO = time(2, 30)


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "day", "at", "moment"),
    [
        # An ordinary day, and the two on which the clocks change.
        ("Europe/Oslo", (2026, 6, 1), "02:30", utc(2026, 6, 1, 0, 30)),
        ("Europe/Oslo", (2026, 3, 29), "02:30", utc(2026, 3, 29, 1, 0)),
        ("Europe/Oslo", (2026, 3, 29), "02:00", utc(2026, 3, 29, 1, 0)),
        ("Europe/Oslo", (2026, 3, 29), "03:00", utc(2026, 3, 29, 1, 0)),
        ("Europe/Oslo", (2026, 3, 29), "01:59", utc(2026, 3, 29, 0, 59)),
        ("Europe/Oslo", (2026, 10, 25), "02:30", utc(2026, 10, 25, 0, 30)),
        # Midnight itself is left out.
        ("America/Sao_Paulo", (2018, 11, 4), "00:00", utc(2018, 11, 4, 3, 0)),
        # Half an hour only; a quarter in the offset; New York's evening is another day in UTC.
        ("Australia/Lord_Howe", (2026, 10, 4), "02:15", utc(2026, 10, 3, 15, 30)),
        ("Australia/Lord_Howe", (2026, 4, 5), "01:45", utc(2026, 4, 4, 14, 45)),
        ("Asia/Kathmandu", (2026, 1, 1), "02:30", utc(2025, 12, 31, 20, 45)),
        ("America/New_York", (2026, 3, 8), "02:30", utc(2026, 3, 8, 7, 0)),
        ("Pacific/Apia", (2011, 12, 29), "02:30", utc(2011, 12, 29, 12, 30)),
    ],
)
def test_the_moment_of_a_local_time(zone, day, at, moment):
    assert moment_of(date(*day), time.fromisoformat(at), ZoneInfo(zone)) == moment


@pytest.mark.parametrize(
    "zone",
    [
        "Europe/Oslo",
        "America/New_York",
        "Australia/Lord_Howe",
        "Asia/Kathmandu",
        "Pacific/Apia",
        "America/St_Johns",
    ],
)
def test_every_local_date_has_its_moment_and_none_comes_twice(zone):
    """Hour by hour through two years: the latest date only ever grows, by one day."""
    info = ZoneInfo(zone)
    instant, seen = utc(2025, 1, 1), []
    while instant < utc(2027, 1, 1):
        with frozen(instant):
            day, moment = latest(HALF_PAST_TWO, info)
        assert moment <= instant < moment + timedelta(hours=26)
        if not seen or seen[-1] != day:
            seen.append(day)
        instant += timedelta(hours=1)

    assert seen == [seen[0] + timedelta(days=n) for n in range(len(seen))]


def test_a_date_that_a_zone_left_out_has_no_job():
    with frozen(utc(2011, 12, 30, 10, 30)):  # Samoa went from the 29th to the 31st
        assert latest(HALF_PAST_TWO, ZoneInfo("Pacific/Apia"))[0] == date(2011, 12, 29)


@pytest.fixture
def nightly(new_job):
    """tests.night runs at half past two; its list of (tenant, date)."""
    calls = []
    new_job("tests.night", lambda run: calls.append((run.tenant.code, run.date)))
    schedule_daily("tests.night", at="02:30")
    return calls


@pytest.mark.django_db
class TestDaily:
    @pytest.fixture(autouse=True)
    def _oslo(self, nightly):
        with frozen(utc(2026, 1, 1)):
            TenantFactory(code="oslo", timezone="Europe/Oslo")

    def look(self, instant, run_jobs):
        with frozen(instant):
            n_ordered = order_daily()
            run_jobs()
        return n_ordered

    def test_once_a_day_at_the_tenants_time(self, nightly, run_jobs):
        for hour in range(72):
            self.look(utc(2026, 6, 1) + timedelta(hours=hour), run_jobs)

        # It is two o'clock in Oslo when the first look falls: the night before is the latest.
        dates = [date(2026, 5, 31), *(date(2026, 6, day) for day in (1, 2, 3))]
        assert nightly == [("oslo", day) for day in dates]

    def test_each_tenant_by_its_own_clock(self, nightly, run_jobs):
        with frozen(utc(2026, 1, 1)):
            TenantFactory(code="auckland", timezone="Pacific/Auckland")
            TenantFactory(code="york", timezone="America/New_York")
        self.look(utc(2026, 6, 1, 0, 0), run_jobs)
        nightly.clear()

        for hour in range(1, 25):
            self.look(utc(2026, 6, 1) + timedelta(hours=hour), run_jobs)

        assert nightly == [
            ("oslo", date(2026, 6, 1)),
            ("york", date(2026, 6, 1)),
            ("auckland", date(2026, 6, 2)),
        ]

    def test_a_pause_is_caught_up_once(self, nightly, run_jobs):
        self.look(utc(2026, 6, 1, 12), run_jobs)

        assert self.look(utc(2026, 6, 9, 12), run_jobs) == 1
        assert self.look(utc(2026, 6, 9, 13), run_jobs) == 0
        assert nightly == [("oslo", date(2026, 6, 1)), ("oslo", date(2026, 6, 9))]

    def test_a_pause_over_one_night_is_caught_up_before_the_next(self, nightly, run_jobs):
        self.look(utc(2026, 6, 1, 12), run_jobs)

        self.look(utc(2026, 6, 2, 23, 0), run_jobs)  # the 3rd in Oslo, before half past two
        self.look(utc(2026, 6, 3, 12), run_jobs)

        assert [day.day for _code, day in nightly] == [1, 2, 3]

    def test_a_newcomer_waits_for_its_first_night(self, nightly, run_jobs):
        with frozen(utc(2026, 6, 1, 12)):
            TenantFactory(code="new", timezone="Europe/Oslo")
        self.look(utc(2026, 6, 1, 13), run_jobs)
        self.look(utc(2026, 6, 2, 13), run_jobs)

        assert [day for code, day in nightly if code == "new"] == [date(2026, 6, 2)]

    def test_a_tenant_that_is_switched_off_has_no_nights(self, nightly, run_jobs):
        Tenant.objects.update(active=False)

        assert self.look(utc(2026, 6, 1, 12), run_jobs) == 0

    def test_a_date_has_one_job_whatever_became_of_it(self, nightly, run_jobs):
        self.look(utc(2026, 6, 1, 12), run_jobs)
        with all_tenants():
            Job.objects.update(state="dead")

        assert self.look(utc(2026, 6, 1, 13), run_jobs) == 0

    def test_a_move_to_another_zone_repeats_no_date(self, nightly, run_jobs):
        self.look(utc(2026, 6, 1, 12), run_jobs)
        Tenant.objects.update(timezone="Pacific/Auckland")
        self.look(utc(2026, 6, 1, 13), run_jobs)
        Tenant.objects.update(timezone="America/New_York")
        for hour in range(14, 48):
            self.look(utc(2026, 6, 1) + timedelta(hours=hour), run_jobs)

        days = [day.day for _code, day in nightly]
        assert len(days) == len(set(days))


@pytest.mark.django_db
class TestTicks:
    def test_once_in_so_many_seconds(self, new_job, run_jobs):
        calls, known = [], {}
        new_job("tests.tick", lambda run: calls.append(run.tenant))
        every(60, "tests.tick")

        for second in range(0, 300, 10):
            with frozen(utc(2026, 6, 1) + timedelta(seconds=second)):
                order_ticks(known)
                run_jobs()

        assert calls == [None] * 5

    def test_whoever_forgot_orders_nothing_twice(self, new_job):
        new_job("tests.tick", lambda run: None)
        every(60, "tests.tick")
        with frozen(utc(2026, 6, 1)):
            before = order_ticks({})
            again = order_ticks({})

        assert before >= 1
        assert again == 0

    def test_a_tick_is_left_out_while_the_one_before_is_not_done(self, new_job, run_jobs):
        new_job("tests.tick", lambda run: None)
        every(60, "tests.tick")

        for minute in range(5):
            with frozen(utc(2026, 6, 1) + timedelta(minutes=minute)):
                order_ticks({})

        with all_tenants():
            assert Job.objects.filter(name="tests.tick").count() == 1

    def test_a_tick_takes_a_second_at_least(self):
        with pytest.raises(ValueError, match="a second"):
            every(0, "tests.tick")


@pytest.mark.django_db(transaction=True)
def test_of_eight_schedulers_that_look_at_once_one_orders(new_job):
    new_job("tests.night", lambda run: None)
    new_job("tests.tick", lambda run: None)
    schedule_daily("tests.night", at="00:00")
    every(1_000_000_000, "tests.tick")
    with frozen(utc(2026, 1, 1)):
        tenants = [TenantFactory() for _ in range(3)]
    barrier = threading.Barrier(8)

    def look():
        try:
            barrier.wait()
            order_daily()
            order_ticks({})
        finally:
            connections.close_all()

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with all_tenants():
        nights = Job.objects.filter(name="tests.night")
        assert sorted(nights.values_list("tenant", flat=True)) == sorted(
            tenant.pk for tenant in tenants
        )
        assert Job.objects.filter(name="tests.tick").count() == 1
