"""Leases that end, tickets that get lost, jobs that grow old."""

import uuid
from datetime import timedelta

import pytest
from django.db import transaction
from django_tasks_db.models import DBTaskResult

from events.jobs import Retry, enqueue, schedule_daily
from events.jobs.housekeeping import (
    delete_old_jobs,
    restore_tickets,
    take_back_abandoned,
)
from events.jobs.registry import ticks
from events.jobs.running import perform, settle, take_next
from events.jobs.scheduling import order_daily, order_ticks
from events.jobs.status import nothing_left, status
from events.models import HistoryEntry, IdempotencyKey, Job
from events.services import build_history, claim_key
from tenancy.clock import frozen, now
from tenancy.models import RateCounter
from tenancy.scoping import all_tenants

pytestmark = pytest.mark.django_db


def later(**distance):
    return frozen(now() + timedelta(**distance))


class TestLeasesThatEnd:
    def test_a_job_whose_worker_died_is_run_again_at_once(self, acme, new_job, run_jobs):
        attempts = []
        new_job("tests.look", lambda run: attempts.append(run.attempt), lease=60)
        ordered = enqueue("tests.look", tenant=acme)
        take_next()  # and the worker is killed

        with later(seconds=59):
            assert take_back_abandoned() == 0
        with later(seconds=61):
            assert take_back_abandoned() == 1
            assert take_back_abandoned() == 0
            ordered.refresh_from_db()
            assert (ordered.state, ordered.error_kind) == ("waiting", "LeaseEnded")
            run_jobs()
        ordered.refresh_from_db()
        assert (attempts, ordered.state, ordered.error_kind) == ([2], "done", "")

    def test_a_job_that_kills_its_workers_comes_to_an_end(self, acme, new_job):
        new_job("tests.killer", lambda run: None, retry=Retry(delays=(1,)), lease=60)
        ordered = enqueue("tests.killer", tenant=acme)

        for minutes in (0, 2, 4):
            with later(minutes=minutes):
                take_next()
            with later(minutes=minutes + 2):
                take_back_abandoned()
        ordered.refresh_from_db()
        assert (ordered.state, ordered.attempts) == ("dead", 2)

    def test_a_job_that_is_to_be_cancelled_is_not_taken_back(self, acme, seen):
        ordered = enqueue("tests.look", tenant=acme)
        take_next()
        Job.objects.update(cancel_requested=True)

        with later(hours=1):
            take_back_abandoned()
        ordered.refresh_from_db()
        assert ordered.state == "cancelled"

    def test_what_a_frozen_worker_does_late_is_undone_with_its_checkpoint(self, acme, new_job):
        """A second worker holds the job already when the first wakes up in the middle of it."""

        def effect(run):
            with transaction.atomic():
                build_history(run.tenant, "job", run.job_id, deed="tests.effect", changes={}).save()
                run.checkpoint({"done": True})

        new_job("tests.effect", effect, lease=60)
        ordered = enqueue("tests.effect", tenant=acme)
        frozen_one = take_next()
        with later(minutes=2):
            take_back_abandoned()
            second = take_next()

            too_late = perform(frozen_one)
            assert too_late.error_kind == "LeaseLost"
            assert not settle(frozen_one, too_late)
            assert not HistoryEntry.objects.about("job", ordered.pk).exists()
            assert settle(second, perform(second))

        ordered.refresh_from_db()
        assert (ordered.state, ordered.attempts) == ("done", 2)
        assert HistoryEntry.objects.about("job", ordered.pk).count() == 1

    def test_a_run_that_is_late_but_still_the_holder_is_kept(self, acme, new_job):
        new_job("tests.slow", lambda run: None, lease=60)
        ordered = enqueue("tests.slow", tenant=acme)
        run = take_next()

        with later(minutes=5):
            assert settle(run, perform(run))
            assert take_back_abandoned() == 0
        ordered.refresh_from_db()
        assert ordered.state == "done"


class TestLostTickets:
    def test_an_overdue_job_without_a_ticket_gets_one(self, acme, seen, run_jobs):
        enqueue("tests.look", tenant=acme)
        DBTaskResult.objects.all().delete()

        assert restore_tickets() == 0
        with later(minutes=6):
            assert restore_tickets() == 1
            assert restore_tickets() == 0
            assert run_jobs() == 1

    def test_one_that_a_worker_of_the_library_dropped_comes_back(self, acme, seen, run_jobs):
        enqueue("tests.look", tenant=acme)
        DBTaskResult.objects.get().claim("killed")

        with later(minutes=6):
            assert restore_tickets() == 1
            assert run_jobs() == 1


class TestOldJobs:
    def left(self):
        with all_tenants():
            return set(Job.objects.values_list("name", "state"))

    def test_what_ended_long_ago_goes_and_what_has_not_ended_stays(
        self, acme, new_job, run_jobs, settings
    ):
        def fail(run):
            raise OSError

        new_job("tests.done", lambda run: None)
        new_job("tests.dead", fail, retry=Retry(delays=()))
        new_job("tests.waiting", lambda run: None)
        for name in ("tests.done", "tests.dead"):
            enqueue(name, tenant=acme)
        run_jobs()
        enqueue("tests.waiting", tenant=acme)

        with later(days=settings.JOBS_KEEP_DAYS - 1):
            assert delete_old_jobs() == 0
        with later(days=settings.JOBS_KEEP_DAYS, minutes=1):
            assert delete_old_jobs() == 2
        assert self.left() == {("tests.waiting", "waiting")}

    def test_the_night_of_a_date_is_kept_while_it_could_be_ordered_again(
        self, acme, seen, run_jobs, settings
    ):
        settings.JOBS_KEEP_DAYS = 0
        schedule_daily("tests.look", at="00:00")
        with later(days=1):
            order_daily()
            run_jobs()
            delete_old_jobs()
            assert order_daily() == 0
        with later(days=5):
            assert delete_old_jobs() == 1

    def test_ticks_that_went_well_go_after_a_day(self, acme, new_job, run_jobs):
        order_ticks({})
        run_jobs()
        assert self.left() == {(tick.name, "done") for tick in ticks()}
        assert len(self.left()) > 1

        with later(days=1, minutes=1):
            delete_old_jobs()
        assert self.left() == set()

    def test_routine_that_went_well_goes_after_an_hour(self, acme, new_job, run_jobs):
        def fail(run):
            raise OSError

        new_job("tests.fine", lambda run: None, routine=True)
        new_job("tests.broken", fail, routine=True, retry=Retry(delays=()))
        enqueue("tests.fine", tenant=acme)
        enqueue("tests.broken", tenant=acme)
        run_jobs()

        with later(minutes=59):
            assert delete_old_jobs() == 0
        with later(minutes=61):
            assert delete_old_jobs() == 1
        assert self.left() == {("tests.broken", "dead")}

    def test_what_the_library_has_done_goes_too(self, acme, seen):
        enqueue("tests.look", tenant=acme)
        DBTaskResult.objects.get().set_successful(None)

        with later(days=31):
            delete_old_jobs()
        assert not DBTaskResult.objects.exists()


def test_expired_answers_and_counters_go_every_day(acme, run_jobs):
    claim_key(acme, "staff:1", "k", method="POST", path="/", body_hash="a")
    RateCounter.objects.create(key="x", expires_at=now())

    with later(days=3):
        order_ticks({})
        run_jobs()

    assert not IdempotencyKey.objects.exists()
    assert not RateCounter.objects.exists()


def test_the_status_counts_over_all_tenants(acme, rival, seen, new_job, run_jobs):
    def fail(run):
        raise OSError

    new_job("tests.dead", fail, retry=Retry(delays=()))
    enqueue("tests.dead", tenant=acme)
    enqueue("tests.look", tenant=rival)
    run_jobs()
    enqueue("tests.look", tenant=acme)
    take_next()
    start = now()
    with frozen(start):
        enqueue("tests.look", tenant=rival)
        enqueue("tests.look", tenant=acme, run_at=start + timedelta(hours=1))

    with frozen(start + timedelta(seconds=30)):
        told = status()
        assert not nothing_left()
    assert told == {
        "waiting": 2,
        "due": 1,
        "running": 1,
        "dead": 1,
        "oldest_due_seconds": 30,
        "jobs": {
            "tests.dead": {
                "waiting": 0,
                "due": 0,
                "running": 0,
                "dead": 1,
                "oldest_due_seconds": 0,
            },
            "tests.look": {
                "waiting": 2,
                "due": 1,
                "running": 1,
                "dead": 0,
                "oldest_due_seconds": 30,
            },
        },
    }


def test_nothing_is_left_when_what_waits_is_not_due(acme, seen):
    assert nothing_left()
    enqueue("tests.look", tenant=acme, key=str(uuid.uuid4()), run_at=now() + timedelta(hours=1))
    assert nothing_left()
