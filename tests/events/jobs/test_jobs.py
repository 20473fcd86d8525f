"""Ordering jobs and running them: once, later, again, never."""

import uuid
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from django_tasks_db.models import DBTaskResult

from events.actors import Actor, acting, current
from events.jobs import (
    Failure,
    JobCancelled,
    LeaseLost,
    PermanentFailure,
    Retry,
    RetryLater,
    enqueue,
    job,
    running,
)
from events.jobs.running import perform, run_due, run_job, settle, take_next
from events.models import Job
from tenancy.clock import frozen, now
from tenancy.scoping import all_tenants, current_tenant, in_tenant

pytestmark = pytest.mark.django_db


def later(**distance):
    return frozen(now() + timedelta(**distance))


class TestOrdering:
    def test_a_job_runs_with_its_ids_and_is_done(self, acme, seen, run_jobs):
        ordered = enqueue("tests.look", tenant=acme, thing_id="7")

        assert run_jobs() == 1
        assert seen == [(1, {"thing_id": "7"})]
        ordered.refresh_from_db()
        assert (ordered.state, ordered.attempts, ordered.ticket) == ("done", 1, None)
        assert ordered.finished_at is not None
        assert not DBTaskResult.objects.exists()

    def test_a_rolled_back_change_orders_nothing(self, acme, seen, run_jobs):
        with transaction.atomic():
            enqueue("tests.look", tenant=acme)
            transaction.set_rollback(True)

        assert run_jobs() == 0
        assert not Job.objects.exists()
        assert not DBTaskResult.objects.exists()

    def test_nothing_runs_before_its_time(self, acme, seen, run_jobs):
        enqueue("tests.look", tenant=acme, run_at=now() + timedelta(hours=1))

        assert run_jobs() == 0
        with later(minutes=61):
            assert run_jobs() == 1

    def test_the_urgent_go_first_and_then_the_longest_due(self, acme, seen, run_jobs):
        for thing, hours, priority in (("b", 1, 0), ("c", 2, 0), ("a", 3, 5), ("d", 0, -5)):
            enqueue(
                "tests.look",
                tenant=acme,
                run_at=now() + timedelta(hours=hours),
                priority=priority,
                thing_id=thing,
            )

        with later(hours=4):
            run_jobs()
        assert [ids["thing_id"] for _attempt, ids in seen] == ["a", "b", "c", "d"]

    def test_the_order_remembers_who_gave_it(self, acme, seen):
        staff = Actor("staff", uuid.uuid4(), "Bo Boss")
        with acting(staff, request_id="r-1"):
            ordered = enqueue("tests.look", tenant=acme)

        assert (ordered.actor_kind, ordered.actor_id, ordered.actor_label, ordered.request_id) == (
            "staff",
            staff.id,
            "Bo Boss",
            "r-1",
        )

    def test_a_job_that_nobody_registered_cannot_be_ordered(self, acme):
        with pytest.raises(LookupError, match="tests.nothing"):
            enqueue("tests.nothing", tenant=acme)

    @pytest.mark.parametrize("value", [uuid.uuid4(), Decimal(1), now(), b"x", {1: "a"}, {"a"}])
    def test_what_is_no_json_is_refused(self, acme, seen, value):
        with pytest.raises(TypeError, match="tests.look"):
            enqueue("tests.look", tenant=acme, thing=value)

    @pytest.mark.parametrize(
        "value",
        ["Ada Lovelace", "ada@example.org", "Ørjan", "x" * 201, ["a b"], {"a b": 1}, float("nan")],
    )
    def test_what_may_speak_of_a_person_is_refused(self, acme, seen, value):
        with pytest.raises(ValueError, match="tests.look"):
            enqueue("tests.look", tenant=acme, thing=value)

    def test_ids_codes_numbers_and_dates_pass(self, acme, seen, run_jobs):
        ids = {
            "a": str(uuid.uuid4()),
            "b": [1, 2.5, None, True],
            "c": {"kind": "customer.updated"},
            "d": now().isoformat(),
        }

        enqueue("tests.look", tenant=acme, **ids)
        run_jobs()

        assert seen == [(1, ids)]


class TestKeys:
    def test_a_second_order_answers_the_first_while_that_waits(self, acme, seen, run_jobs):
        first = enqueue("tests.look", tenant=acme, key="k", thing_id="1")
        second = enqueue("tests.look", tenant=acme, key="k", thing_id="2")

        assert first == second
        assert run_jobs() == 1
        assert seen == [(1, {"thing_id": "1"})]

    def test_what_has_started_is_not_answered_any_more(self, acme, new_job, run_jobs):
        calls = []

        def again(run):
            calls.append(run.job_id)
            if len(calls) == 1:
                enqueue("tests.again", tenant=acme, key="k")

        new_job("tests.again", again)
        enqueue("tests.again", tenant=acme, key="k")

        assert run_jobs() == 2
        assert len(set(calls)) == 2

    def test_keys_belong_to_a_tenant_and_a_name(self, acme, rival, seen, new_job):
        new_job("tests.other", lambda run: None)

        ordered = {
            enqueue(name, tenant=tenant, key="k").pk
            for name in ("tests.look", "tests.other")
            for tenant in (acme, rival, None)
        }

        assert len(ordered) == 6

    def test_a_failure_whose_work_another_will_do_ends_there(self, acme, new_job, run_jobs):
        calls = []

        def fail_once(run):
            calls.append(run.job_id)
            if len(calls) == 1:
                enqueue("tests.again", tenant=acme, key="k")
                raise OSError

        new_job("tests.again", fail_once)
        first = enqueue("tests.again", tenant=acme, key="k")

        assert run_jobs() == 2
        first.refresh_from_db()
        assert (first.state, first.error) == ("cancelled", "Another job does the same work.")


class TestSurroundings:
    def test_a_job_works_for_its_tenant_as_the_system(self, acme, rival, new_job, run_jobs):
        told = []

        def look(run):
            told.append((current_tenant(), current().actor, current().request_id))

        new_job("tests.look", look)
        with acting(Actor("staff", uuid.uuid4()), request_id="r-7"):
            enqueue("tests.look", tenant=rival)
            enqueue("tests.look", tenant=None)

        run_jobs()

        assert told == [(rival, Actor("system"), "r-7"), (None, Actor("system"), "r-7")]
        assert current_tenant() == acme

    def test_a_tenant_sees_its_own_jobs_and_nobody_the_installations(self, acme, rival, seen):
        mine = enqueue("tests.look", tenant=acme)
        enqueue("tests.look", tenant=rival)
        nobodys = enqueue("tests.look", tenant=None)

        assert list(Job.objects.all()) == [mine]
        assert not Job.objects.of_installation().exists()
        with all_tenants():
            assert list(Job.objects.of_installation()) == [nobodys]

    def test_a_job_of_a_tenant_that_is_gone_is_dropped(self, rival, seen, run_jobs):
        enqueue("tests.look", tenant=rival)
        with in_tenant(rival):
            Job.objects.all().delete()

        assert run_jobs() == 0
        assert not DBTaskResult.objects.exists()


class TestEnding:
    def fail(self, new_job, error, **options):
        def broken(run):
            raise error

        new_job("tests.broken", broken, **options)

    def state(self, ordered):
        ordered.refresh_from_db()
        return ordered.state, ordered.attempts, ordered.error_kind, ordered.error

    def test_a_failure_is_tried_again_after_each_delay_and_then_given_up(
        self, acme, new_job, run_jobs
    ):
        self.fail(new_job, KeyError("Ada Lovelace"))
        start = now()

        with frozen(start):
            ordered = enqueue("tests.broken", tenant=acme)
            assert run_jobs() == 1
            assert self.state(ordered)[:3] == ("waiting", 1, "KeyError")
            assert ordered.run_at == start + timedelta(seconds=10)
        with frozen(start + timedelta(seconds=9.9)):
            assert run_jobs() == 0
        with frozen(start + timedelta(seconds=10)):
            assert run_jobs() == 1
            assert self.state(ordered)[:2] == ("waiting", 2)
            assert ordered.run_at == start + timedelta(seconds=70)
        with frozen(start + timedelta(seconds=70)):
            assert run_jobs() == 1
        state, attempts, kind, error = self.state(ordered)
        assert (state, attempts, kind) == ("dead", 3, "KeyError")
        assert error.startswith("jobs/test_jobs.py, line ")
        assert "Ada" not in error
        with frozen(start + timedelta(days=9)):
            assert run_jobs() == 0

    def test_the_place_of_a_failure_is_the_innermost_line_of_ours(self, acme, new_job, run_jobs):
        """Where we called the library, not where in the library it broke."""
        new_job("tests.missing", lambda run: Job.objects.get(name="nobody"))
        ordered = enqueue("tests.missing", tenant=acme)

        run_jobs()
        assert self.state(ordered)[2] == "DoesNotExist"
        assert ordered.error.startswith("jobs/test_jobs.py, line ")

    def test_a_permanent_failure_is_given_up_at_once(self, acme, new_job, run_jobs):
        self.fail(new_job, PermanentFailure("The address is gone."))
        ordered = enqueue("tests.broken", tenant=acme)

        assert run_jobs() == 1
        assert self.state(ordered) == ("dead", 1, "PermanentFailure", "The address is gone.")

    def test_a_failure_may_say_something_to_staff(self, acme, new_job, run_jobs):
        self.fail(new_job, Failure("Answered 503."))
        ordered = enqueue("tests.broken", tenant=acme)

        run_jobs()
        assert self.state(ordered) == ("waiting", 1, "Failure", "Answered 503.")

    def test_trying_later_is_no_failure(self, acme, new_job, run_jobs):
        self.fail(new_job, RetryLater(100, "The circuit is open."))
        start = now()
        ordered = enqueue("tests.broken", tenant=acme)

        for round_ in range(5):
            with frozen(start + timedelta(seconds=1 + 101 * round_)):
                assert run_jobs() == 1
        assert self.state(ordered) == ("waiting", 0, "RetryLater", "The circuit is open.")
        assert ordered.run_at == start + timedelta(seconds=1 + 404 + 100)

    def test_even_an_exit_does_not_reach_the_worker(self, acme, new_job, run_jobs):
        self.fail(new_job, SystemExit(3))
        ordered = enqueue("tests.broken", tenant=acme)

        assert run_jobs() == 1
        assert self.state(ordered)[0] == "waiting"

    def test_a_name_that_this_version_does_not_know_waits_for_one_that_does(
        self, acme, seen, run_jobs
    ):
        ordered = enqueue("tests.look", tenant=acme)
        Job.objects.filter(pk=ordered.pk).update(name="tests.future")

        assert run_jobs() == 1
        assert self.state(ordered)[:3] == ("waiting", 1, "Failure")

    def test_delays_are_stretched_never_shortened(self):
        waits = [Retry(delays=(100,), jitter=0.2).delay(1) for _ in range(200)]

        assert min(waits) >= 100
        assert max(waits) <= 120
        assert len(set(waits)) > 100

    def test_a_done_job_shows_no_error_of_an_earlier_attempt(self, acme, new_job, run_jobs):
        def once(run):
            if run.attempt == 1:
                raise OSError

        new_job("tests.once", once)
        ordered = enqueue("tests.once", tenant=acme)
        run_jobs()
        with later(seconds=11):
            run_jobs()

        assert self.state(ordered) == ("done", 2, "", "")


class TestRegistering:
    @pytest.mark.parametrize("name", ["look", "Tests.look", "tests.", ".x", "a b.c", "x" * 70])
    def test_a_name_says_app_and_deed(self, name):
        with pytest.raises(ValueError, match="name for a job"):
            job(name)(lambda run: None)

    def test_a_name_cannot_be_taken_twice(self, seen):
        def other(run):
            pass

        other.__module__ = "elsewhere"
        with pytest.raises(ValueError, match="already"):
            job("tests.look")(other)


class TestLeases:
    def test_a_frozen_workers_late_result_is_refused(self, acme, new_job):
        new_job("tests.slow", lambda run: None, lease=60)
        ordered = enqueue("tests.slow", tenant=acme)
        frozen_run = take_next()
        outcome = perform(frozen_run)
        # Meanwhile the lease ended, and somebody else has the job under a higher number.
        Job.objects.filter(pk=ordered.pk).update(fence=2)

        assert not settle(frozen_run, outcome)
        ordered.refresh_from_db()
        assert ordered.state == "running"
        with pytest.raises(LeaseLost):
            frozen_run.progress(1, 2)
        with pytest.raises(LeaseLost):
            frozen_run.checkpoint({"row": 1})

    @pytest.mark.parametrize(
        "change",
        [{"state": "cancelled", "ticket": None}, {"fence": 1}],
        ids=["cancelled", "taken by another"],
    )
    def test_what_happens_while_a_job_is_taken_is_seen(self, acme, seen, monkeypatch, change):
        ordered = enqueue("tests.look", tenant=acme)
        kind_of = running.kind_of

        def meanwhile(row):  # between reading the row and holding it
            Job.objects.filter(pk=row.pk).update(**change)
            return kind_of(row)

        monkeypatch.setattr(running, "kind_of", meanwhile)

        assert take_next() is None
        ordered.refresh_from_db()
        assert ordered.attempts == 0
        assert {name: getattr(ordered, name) for name in change} == change
        assert seen == []

    def test_progress_and_checkpoints_keep_the_lease_alive(self, acme, new_job):
        start = now()
        new_job("tests.slow", lambda run: None, lease=60)
        with frozen(start):
            ordered = enqueue("tests.slow", tenant=acme)
            run = take_next()
        with frozen(start + timedelta(seconds=50)):
            run.progress(5, 10, "halfway")
        ordered.refresh_from_db()
        assert ordered.lease_until == start + timedelta(seconds=110)
        with frozen(start + timedelta(seconds=100)):
            run.checkpoint({"row": 7})
        ordered.refresh_from_db()
        assert ordered.lease_until == start + timedelta(seconds=160)
        assert ordered.data == {"row": 7}
        assert (ordered.progress_done, ordered.progress_total, ordered.progress_note) == (
            5,
            10,
            "halfway",
        )

    def test_a_clock_that_is_put_back_does_not_stop_the_telling(self, acme, new_job):
        start = now()
        new_job("tests.slow", lambda run: None, lease=60)
        with frozen(start):
            ordered = enqueue("tests.slow", tenant=acme)
            run = take_next()
        with frozen(start + timedelta(hours=2)):
            run.progress(1)
        with frozen(start + timedelta(seconds=5)):
            run.progress(2)

        ordered.refresh_from_db()
        assert ordered.progress_done == 2
        assert ordered.lease_until == start + timedelta(seconds=65)

    def test_progress_is_saved_once_a_second_and_at_the_end(
        self, acme, new_job, run_jobs, django_assert_max_num_queries
    ):
        def count(run):
            with frozen(now()), django_assert_max_num_queries(3):
                for n in range(1000):
                    run.progress(n + 1, 1000)

        new_job("tests.count", count)
        ordered = enqueue("tests.count", tenant=acme)
        run_jobs()

        ordered.refresh_from_db()
        assert (ordered.progress_done, ordered.progress_total) == (1000, 1000)

    def test_what_an_attempt_remembered_is_there_in_the_next(self, acme, new_job, run_jobs):
        rows = []

        def work(run):
            for row in range(run.data.get("row", 0), 10):
                if row == 6 and run.attempt == 1:
                    raise OSError
                rows.append(row)
                run.checkpoint({"row": row + 1})

        new_job("tests.rows", work)
        enqueue("tests.rows", tenant=acme)
        run_jobs()
        with later(seconds=11):
            run_jobs()

        assert rows == list(range(10))

    def test_a_checkpoint_holds_no_text(self, acme, new_job, run_jobs):
        new_job("tests.chatty", lambda run: run.checkpoint({"who": "Ada Lovelace"}))
        ordered = enqueue("tests.chatty", tenant=acme)
        run_jobs()

        ordered.refresh_from_db()
        assert (ordered.error_kind, ordered.data) == ("ValueError", {})

    def test_a_running_job_that_somebody_cancels_stops_at_its_next_word(
        self, acme, new_job, run_jobs
    ):
        reached = []

        def work(run):
            run.progress(1, 3)
            reached.append(1)
            Job.objects.update(cancel_requested=True)
            with later(seconds=2):
                try:
                    run.progress(2, 3)
                except JobCancelled:
                    reached.append("told")
                    raise
            reached.append(2)

        new_job("tests.work", work)
        ordered = enqueue("tests.work", tenant=acme)
        run_jobs()

        ordered.refresh_from_db()
        assert reached == [1, "told"]
        assert (ordered.state, ordered.attempts) == ("cancelled", 1)

    def test_a_cancelled_job_that_fails_is_not_tried_again(self, acme, new_job):
        def work(run):
            Job.objects.update(cancel_requested=True)
            raise OSError

        new_job("tests.work", work)
        ordered = enqueue("tests.work", tenant=acme)

        assert run_due() == 1
        ordered.refresh_from_db()
        assert (ordered.state, ordered.error_kind) == ("cancelled", "OSError")
        assert not DBTaskResult.objects.exists()


def test_a_ticket_says_the_whole_to_a_worker_of_the_library(acme, seen):
    ordered = enqueue("tests.look", tenant=acme, thing_id="7")
    ticket = DBTaskResult.objects.get()

    for _twice in range(2):
        ticket.task.call(*ticket.args_kwargs["args"])

    ordered.refresh_from_db()
    assert (ordered.state, seen) == ("done", [(1, {"thing_id": "7"})])


@pytest.mark.parametrize(
    ("path", "args_kwargs"),
    [
        ("elsewhere.task", {"args": ["018f3a55-0000-7000-8000-000000000000"], "kwargs": {}}),
        (run_job.module_path, {"args": [], "kwargs": {}}),
        (run_job.module_path, {"args": ["no id"], "kwargs": {}}),
        (run_job.module_path, {"args": [7], "kwargs": {}}),
        (run_job.module_path, {}),
        (run_job.module_path, []),
    ],
)
def test_a_task_that_is_not_ours_is_left_aside_and_holds_nobody_up(
    acme, seen, run_jobs, path, args_kwargs
):
    enqueue("tests.look", tenant=acme)
    DBTaskResult.objects.create(
        task_path=path,
        args_kwargs=args_kwargs,
        run_after=now() - timedelta(hours=1),
        backend_name="default",
    )

    assert run_jobs() == 1
    assert DBTaskResult.objects.get().status == "RUNNING"
