"""run_jobs: a worker for a while, one job, or the figures."""

import io
import json

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from events.jobs import enqueue, job
from events.jobs.registry import _types
from events.jobs.worker import TooManyHang, Worker
from events.models import Job
from tenancy.scoping import all_tenants


def run(*arguments):
    """What the command printed on standard output."""
    out = io.StringIO()
    call_command("run_jobs", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def _look():
    job("tests.look")(lambda run: None)
    yield
    del _types["tests.look"]


@pytest.fixture
def _signals():
    """The command listens to signals; afterwards everybody listens as before."""
    import signal

    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def states():
    with all_tenants():
        jobs = Job.objects.filter(name="tests.look").order_by("created_at")
        return list(jobs.values_list("state", flat=True))


@pytest.mark.django_db
@pytest.mark.usefixtures("_look")
class TestInThisProcess:
    def test_once_runs_one_job(self, acme):
        for _ in range(2):
            enqueue("tests.look", tenant=acme)

        run("--once")
        assert states() == ["done", "waiting"]

    def test_once_without_a_job_is_fine(self):
        assert run("--once") == ""

    def test_the_status_is_json_and_runs_nothing(self, acme):
        enqueue("tests.look", tenant=acme)

        told = json.loads(run("--status"))

        assert (told["waiting"], told["running"], told["dead"]) == (1, 0, 0)
        assert told["jobs"]["tests.look"]["due"] == 1
        assert states() == ["waiting"]

    @pytest.mark.parametrize("threads", ["0", "-1"])
    def test_no_threads_is_refused(self, threads):
        with pytest.raises(CommandError, match="--threads"):
            run("--threads", threads)

    def test_each_thread_needs_a_connection(self, settings, monkeypatch):
        options = settings.DATABASES["default"]["OPTIONS"]
        monkeypatch.setitem(options, "pool", {"max_size": 4})

        with pytest.raises(CommandError, match="DATABASE_POOL_SIZE=5"):
            run("--threads", "4")


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_look", "_signals")
def test_until_empty_runs_all_and_what_the_clock_asks_for(tenant):
    for _ in range(20):
        enqueue("tests.look", tenant=tenant)

    run("--until-empty", "--threads", "2")

    assert states() == ["done"] * 20
    with all_tenants():
        ticks = Job.objects.of_installation().filter(state="done")
        assert {tick.name for tick in ticks} >= {"events.tidy_jobs", "events.forget_expired"}


@pytest.mark.usefixtures("_signals")
def test_a_worker_in_which_everything_hangs_ends_with_a_word(monkeypatch):
    def give_up(self):
        raise TooManyHang

    monkeypatch.setattr(Worker, "run", give_up)

    with pytest.raises(CommandError, match="Start the worker afresh"):
        run()
