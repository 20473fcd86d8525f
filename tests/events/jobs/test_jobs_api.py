"""/api/v1/jobs/ and the two deeds behind it."""

import uuid
from datetime import timedelta

import pytest
from django_tasks_db.models import DBTaskResult

from events.jobs import enqueue
from events.jobs.running import perform, settle, take_next
from events.models import HistoryEntry, Job
from tenancy.clock import frozen, now

pytestmark = pytest.mark.django_db


@pytest.fixture
def dead(acme, new_job, run_jobs):
    """A job that failed in all of its three attempts."""

    def broken(run):
        run.checkpoint({"row": run.attempt})
        raise OSError

    new_job("tests.broken", broken)
    start = now()
    ordered = enqueue("tests.broken", tenant=acme)
    for minutes in (1, 2, 4):
        with frozen(start + timedelta(minutes=minutes)):
            run_jobs()
    ordered.refresh_from_db()
    assert ordered.state == "dead"
    return ordered


def test_a_job_tells_how_it_does(admin, dead):
    told = admin.get(f"jobs/{dead.pk}/").json()

    assert told["name"] == "tests.broken"
    assert (told["state"], told["attempts"], told["error_kind"]) == ("dead", 3, "OSError")
    assert told["ids"] == {}
    assert told["actor"] == "system"
    assert set(told) & {"data", "fence", "ticket", "key", "tenant"} == set()


def test_the_list_is_filtered_and_the_newest_first(admin, acme, dead, seen):
    waiting = [enqueue("tests.look", tenant=acme) for _ in range(2)]

    def ids(**query):
        return [row["id"] for row in admin.get("jobs/", query).json()["results"]]

    newest_first = [str(job.pk) for job in reversed(waiting)]
    assert set(ids()[:2]) == set(newest_first)
    assert ids()[2] == str(dead.pk)
    assert ids(state="dead") == [str(dead.pk)]
    assert set(ids(name="tests.look")) == set(newest_first)
    assert ids(created_after=(now() + timedelta(hours=1)).isoformat()) == []
    assert admin.get("jobs/", {"state": "tired"}).status_code == 400


def test_what_belongs_to_others_is_not_there(admin, rival, seen):
    theirs = [enqueue("tests.look", tenant=rival), enqueue("tests.look", tenant=None)]

    assert admin.get("jobs/").json()["results"] == []
    for ordered in [*theirs, Job(pk=uuid.uuid4())]:
        assert admin.get(f"jobs/{ordered.pk}/").status_code == 404
        assert admin.post(f"jobs/{ordered.pk}/retry/").status_code == 404
        assert admin.post(f"jobs/{ordered.pk}/cancel/").status_code == 404
    assert admin.get("jobs/nonsense/").status_code == 404
    assert DBTaskResult.objects.count() == 2


def test_a_seller_may_not_even_look(seller, dead):
    assert seller.get("jobs/").status_code == 403
    assert seller.post(f"jobs/{dead.pk}/retry/").status_code == 403


class TestRunningAgain:
    def test_a_dead_letter_counts_anew_and_goes_on_from_its_checkpoint(
        self, admin, dead, new_job, run_jobs
    ):
        told = admin.post(f"jobs/{dead.pk}/retry/").json()
        assert (told["state"], told["attempts"], told["finished_at"]) == ("waiting", 0, None)

        seen = []
        new_job("tests.broken", lambda run: seen.append((run.attempt, run.data)))
        assert run_jobs() == 1
        dead.refresh_from_db()
        assert seen == [(1, {"row": 3})]
        assert (dead.state, dead.attempts, dead.error_kind) == ("done", 1, "")

    def test_it_is_on_record_who_did_it(self, admin, dead):
        admin.post(f"jobs/{dead.pk}/retry/")

        entry = HistoryEntry.objects.about("job", dead.pk).get()
        assert (entry.deed, entry.actor_kind) == ("job.retried", "staff")

    def test_one_that_waits_for_its_next_try_runs_now(self, admin, acme, new_job, run_jobs):
        calls = []

        def fail_once(run):
            calls.append(run.attempt)
            if len(calls) == 1:
                raise OSError

        new_job("tests.once", fail_once)
        ordered = enqueue("tests.once", tenant=acme)
        run_jobs()
        admin.post(f"jobs/{ordered.pk}/retry/")

        assert DBTaskResult.objects.count() == 1
        assert run_jobs() == 1
        ordered.refresh_from_db()
        assert (calls, ordered.state) == ([1, 1], "done")

    def test_a_running_job_is_refused(self, admin, acme, seen):
        ordered = enqueue("tests.look", tenant=acme)
        run = take_next()

        answer = admin.post(f"jobs/{ordered.pk}/retry/")

        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "job_state")
        assert not DBTaskResult.objects.exists()
        assert settle(run, perform(run))

    def test_a_done_job_is_refused(self, admin, acme, seen, run_jobs):
        ordered = enqueue("tests.look", tenant=acme)
        run_jobs()

        assert admin.post(f"jobs/{ordered.pk}/retry/").status_code == 409
        assert run_jobs() == 0

    def test_while_the_same_work_waits_it_is_refused(self, admin, acme, seen):
        first = enqueue("tests.look", tenant=acme, key="k")
        admin.post(f"jobs/{first.pk}/cancel/")
        second = enqueue("tests.look", tenant=acme, key="k")
        assert second != first

        answer = admin.post(f"jobs/{first.pk}/retry/")

        assert answer.status_code == 409
        assert answer.json()["errors"][0]["message"] == "The same work is waiting already."
        assert DBTaskResult.objects.count() == 1


class TestCancelling:
    def test_one_that_waits_ends_at_once(self, admin, acme, seen, run_jobs):
        ordered = enqueue("tests.look", tenant=acme)

        told = admin.post(f"jobs/{ordered.pk}/cancel/").json()

        assert told["state"] == "cancelled"
        assert told["finished_at"]
        assert run_jobs() == 0
        assert not DBTaskResult.objects.exists()

    def test_one_that_runs_is_asked_to_end(self, admin, acme, new_job):
        new_job("tests.look", lambda run: run.progress(1, 2))
        ordered = enqueue("tests.look", tenant=acme)
        run = take_next()

        told = admin.post(f"jobs/{ordered.pk}/cancel/").json()
        assert (told["state"], told["cancel_requested"]) == ("running", True)
        settle(run, perform(run))
        ordered.refresh_from_db()
        assert ordered.state == "cancelled"

    def test_a_cancelled_one_runs_again_when_asked(self, admin, acme, seen, run_jobs):
        ordered = enqueue("tests.look", tenant=acme)
        admin.post(f"jobs/{ordered.pk}/cancel/")
        admin.post(f"jobs/{ordered.pk}/retry/")

        assert run_jobs() == 1

    def test_one_that_has_ended_is_refused(self, admin, dead):
        answer = admin.post(f"jobs/{dead.pk}/cancel/")

        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "job_state")
