"""Workers as they really are: processes, threads, kills, hangs, a database that goes away."""

import collections
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta

import pytest
from django.db import OperationalError, connection, connections, transaction

from events.jobs import enqueue
from events.jobs import worker as worker_module
from events.jobs.running import run_due
from events.jobs.worker import TooManyHang, Turn, Worker
from events.models import HistoryEntry, Job
from tenancy.clock import frozen, now
from tenancy.scoping import all_tenants
from tests.events.jobs import work
from tests.factories import TenantFactory
from tests.other_process import ROOT, surroundings

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE = 120


@pytest.fixture
def start_worker(new_job):
    """A function (*arguments) -> a running process; what is left of them ends with the test."""
    running = []
    work.register()

    def start(*arguments):
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.events.jobs.work", *map(str, arguments)],
            env=surroundings(),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        return process

    yield start
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate()


def eventually(condition, patience=PATIENCE):
    """Wait until the condition holds."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def states():
    with all_tenants():
        jobs = Job.objects.filter(name__startswith="tests.")
        return dict(collections.Counter(jobs.values_list("state", flat=True)))


def effects():
    """job id -> how often it has had its effect."""
    with all_tenants():
        return collections.Counter(
            HistoryEntry.objects.filter(deed="tests.effect").values_list("subject_id", flat=True)
        )


def do_with_one_worker_killed(start_worker, n_jobs, kill_at, patience=PATIENCE):
    """Both workers stand ready when the jobs come; one of them dies over its own `kill_at`-th."""
    tenant = TenantFactory(code="acme")
    victim, survivor = start_worker("--kill-at", kill_at), start_worker()
    for process in (victim, survivor):
        assert process.stdout.readline().strip() == "ready"

    with transaction.atomic():
        ordered = {enqueue("tests.effect", tenant=tenant).pk for _ in range(n_jobs)}
    eventually(lambda: not set(states()) & {"waiting", "running"}, patience)
    survivor.send_signal(signal.SIGTERM)

    assert victim.wait(PATIENCE) == -signal.SIGKILL, victim.stderr.read()
    assert survivor.wait(PATIENCE) == 0, survivor.stderr.read()
    assert states() == {"done": n_jobs}
    assert set(effects()) == ordered
    assert set(effects().values()) == {1}
    with all_tenants():
        # The kill hit a job after its effect and before its end: a second attempt saw to it.
        assert Job.objects.filter(name="tests.effect", attempts__gt=1).exists()


def test_of_300_jobs_and_a_worker_killed_midway_each_has_its_effect_once(start_worker):
    do_with_one_worker_killed(start_worker, 300, kill_at=10)


@pytest.mark.long
def test_of_10000_jobs_and_a_worker_killed_midway_each_has_its_effect_once(start_worker):
    do_with_one_worker_killed(start_worker, 10_000, kill_at=1_000, patience=1_800)


def test_a_job_killed_midway_goes_on_from_its_checkpoint(start_worker):
    ordered = enqueue("tests.rows", tenant=TenantFactory(), n_rows=50)

    victim = start_worker("--kill-at", 20, "--threads", 1)
    victim.wait(PATIENCE)
    assert victim.returncode == -signal.SIGKILL
    assert effects()[ordered.pk] == 20
    survivor = start_worker("--until-empty")
    survivor.wait(PATIENCE)

    with all_tenants():
        left = HistoryEntry.objects.filter(deed="tests.effect").order_by("id")
        told = [(mark.changes["row"], mark.changes["attempt"]) for mark in left]
        ordered = Job.objects.get(pk=ordered.pk)
    assert told == [(row, 1) for row in range(20)] + [(row, 2) for row in range(20, 50)]
    assert (ordered.state, ordered.progress_done) == ("done", 50)


def test_a_worker_that_is_told_to_end_finishes_its_job_and_begins_no_other(start_worker):
    tenant = TenantFactory()
    first = enqueue("tests.sleep", tenant=tenant, seconds=1)
    enqueue("tests.sleep", tenant=tenant, seconds=1, run_at=first.run_at + timedelta(seconds=0.001))

    process = start_worker("--threads", 1)
    assert [process.stdout.readline().strip() for _ in range(2)] == ["ready", str(first.pk)]
    process.send_signal(signal.SIGTERM)
    rest, errors = process.communicate(timeout=PATIENCE)

    assert (process.returncode, rest) == (0, ""), errors
    assert states() == {"done": 1, "waiting": 1}


def test_a_second_word_ends_a_worker_at_once(start_worker):
    enqueue("tests.sleep", tenant=TenantFactory(), seconds=100)

    process = start_worker("--threads", 1)
    for _ in range(2):
        process.stdout.readline()
    while process.poll() is None:  # two signals that come too close together are one
        process.send_signal(signal.SIGTERM)
        time.sleep(0.2)

    assert process.returncode == -signal.SIGTERM
    assert states() == {"running": 1}


def test_on_sqlite_threads_stand_in_line_and_leave_the_door_open(monkeypatch):
    if connection.vendor != "sqlite":
        assert Turn().line is None
        return
    clock = iter([100.0, 100.03, 200.0, 209.0])
    pauses, held = [], []
    turn = Turn()
    monkeypatch.setattr(worker_module.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(
        worker_module.time,
        "sleep",
        lambda seconds: pauses.append((round(seconds, 3), turn.line.locked())),
    )

    assert turn.take(lambda: held.append(turn.line.locked())) is None
    with pytest.raises(OperationalError):
        turn.take(broken_deed)

    # As long as the deed took, a tenth of a second at most, and before the next thread's turn.
    assert pauses == [(0.03, True), (0.1, True)]
    assert held == [True]
    assert not turn.line.locked()


def broken_deed():
    raise OperationalError


# --- In this process ---------------------------------------------------------------------------
@pytest.fixture
def start_threads():
    """A function (**options) -> a Worker on threads of this process; ended with the test."""
    started = []

    def start(**options):
        worker = Worker(**{"poll": 0.05, "look": 0.1} | options)

        def run():
            try:
                worker.run()
            except TooManyHang as error:
                worker.gave_up = error
            finally:
                connections.close_all()

        thread = threading.Thread(target=run)
        thread.start()
        started.append((worker, thread))
        return worker, thread

    yield start
    for worker, thread in started:
        worker.stop()
        thread.join(PATIENCE)
        assert not thread.is_alive()


def test_a_job_that_raises_does_not_stop_the_worker(new_job, start_threads):
    tenant = TenantFactory()

    def broken(run):
        raise RuntimeError

    done = threading.Event()
    new_job("tests.broken", broken)
    new_job("tests.fine", lambda run: done.set())
    enqueue("tests.broken", tenant=tenant)
    enqueue("tests.fine", tenant=tenant)

    start_threads(threads=1)

    assert done.wait(PATIENCE)


def test_a_job_that_hangs_beyond_its_lease_is_taken_over(new_job, start_threads, monkeypatch):
    monkeypatch.setattr(worker_module, "GRACE", timedelta())
    release = threading.Event()
    attempts = []

    def hang(run):
        attempts.append(run.attempt)
        if run.attempt == 1:
            release.wait(PATIENCE)

    new_job("tests.hang", hang, lease=1)
    ordered = enqueue("tests.hang", tenant=TenantFactory())
    worker, _thread = start_threads(threads=1)

    eventually(lambda: states() == {"done": 1})
    (left_behind,) = worker.lost
    release.set()
    left_behind.join(PATIENCE)

    with all_tenants():
        ordered = Job.objects.get(pk=ordered.pk)
    # The late end of the first attempt has changed nothing.
    assert (attempts, ordered.state, ordered.attempts, ordered.fence) == ([1, 2], "done", 2, 2)


def test_a_worker_in_which_everything_hangs_ends(new_job, start_threads, monkeypatch):
    monkeypatch.setattr(worker_module, "GRACE", timedelta())
    monkeypatch.setattr(worker_module, "MOST_LOST", 1)
    release = threading.Event()
    new_job("tests.hang", lambda run: release.wait(PATIENCE), lease=0)
    for _ in range(3):
        enqueue("tests.hang", tenant=TenantFactory())

    worker, thread = start_threads(threads=1)
    thread.join(PATIENCE)
    release.set()

    assert isinstance(worker.gave_up, TooManyHang)
    for hand in [*worker.lost, *worker.hands]:
        hand.join(PATIENCE)


def test_a_worker_waits_for_a_database_that_is_away_and_goes_on(
    new_job, start_threads, monkeypatch, caplog
):
    failures = iter([OperationalError, OperationalError])
    take_next = worker_module.take_next

    def take_next_after_a_while():
        for failure in failures:
            raise failure("secret: the address of the server")
        return take_next()

    monkeypatch.setattr(worker_module, "take_next", take_next_after_a_while)
    done = threading.Event()
    new_job("tests.fine", lambda run: done.set())
    enqueue("tests.fine", tenant=TenantFactory())

    start_threads(threads=1)

    assert done.wait(PATIENCE)
    told = [record.getMessage() for record in caplog.records if "again in" in record.getMessage()]
    assert len(told) == 2
    assert "OperationalError" in told[0]
    assert "secret" not in "".join(told)


@pytest.mark.parametrize("seconds", [-60, 0, 60])
def test_a_clock_that_is_off_the_databases_is_told(caplog, seconds):
    with frozen(now() + timedelta(seconds=seconds)):
        worker_module.warn_of_clock()

    told = [record.getMessage() for record in caplog.records]
    assert len(told) == (connection.vendor == "postgresql" and seconds != 0), told


def test_a_clock_that_is_put_back_does_not_stop_the_looking(monkeypatch):
    looks = []
    monkeypatch.setattr(worker_module, "take_back_abandoned", lambda: looks.append(now()))
    worker = Worker(threads=1, look=15)

    for hours in (2, 0):
        with frozen(now() + timedelta(hours=hours)):
            worker.look_after()

    assert len(looks) == 2


@pytest.mark.skipif(connection.vendor != "postgresql", reason="needs a server that ends sessions")
def test_a_worker_outlives_the_end_of_all_its_sessions(new_job, start_threads):
    n_done = []
    half, cut = threading.Event(), threading.Event()

    def count(run):
        n_done.append(run.job_id)
        if len(n_done) == 10:
            half.set()
            cut.wait(PATIENCE)

    new_job("tests.count", count, lease=2)
    tenant = TenantFactory()
    for _ in range(20):
        enqueue("tests.count", tenant=tenant)
    start_threads(threads=2)

    assert half.wait(PATIENCE)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    cut.set()

    eventually(lambda: states() == {"done": 20})


def test_of_twenty_who_order_with_one_key_all_get_the_same_job(new_job):
    tenant = TenantFactory()
    new_job("tests.once", lambda run: None)
    barrier, ordered = threading.Barrier(20), []

    def order():
        try:
            barrier.wait()
            ordered.append(enqueue("tests.once", tenant=tenant, key="k").pk)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=order) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(ordered) == 20
    assert len(set(ordered)) == 1
    assert states() == {"waiting": 1}


def test_of_eight_workers_that_want_one_job_one_gets_it(new_job):
    calls, barrier = [], threading.Barrier(8)
    new_job("tests.once", lambda run: calls.append(run.job_id))
    enqueue("tests.once", tenant=TenantFactory())
    ran = []

    def want():
        try:
            barrier.wait()
            ran.append(run_due())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=want) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(ran) == 1
    assert len(calls) == 1


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
def test_what_an_open_transaction_has_asked_for_by_key_does_not_start_before_its_end(new_job):
    """Else the job could run on the state before the change, and the change would be forgotten."""
    tenant = TenantFactory()
    new_job("tests.once", lambda run: None)
    enqueue("tests.once", tenant=tenant, key="k")
    ran = []

    def look():
        try:
            ran.append(run_due())
        finally:
            connections.close_all()

    def look_from_elsewhere():
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()

    with transaction.atomic():
        enqueue("tests.once", tenant=tenant, key="k")
        look_from_elsewhere()
    look_from_elsewhere()

    assert ran == [0, 1]
