"""Background jobs: ours beside bare django-tasks-db and beside bare SQL, which is the limit.

    .venv/bin/python -m benchmarks.jobs [jobs per round] [rounds]

On SQLite in a temporary folder and on the PostgreSQL that the tests would use, each in a database
of its own. The three sides take turns, in one process and one thread; every order and every end is
a transaction of its own, as in a request. The figures are medians of the rounds in µs per job; the
ratios say how many times longer ours takes. It keeps a record that people can see, with retry,
lease and fence, where the library keeps its queue alone and bare SQL a number. Only the ratios
mean anything on another machine.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SIDES = ("bare SQL", "library", "ours")


def main(n_jobs=200, n_rounds=5):
    out = sys.stdout.write
    out(f"{n_jobs} jobs, median of {n_rounds} rounds in turn, µs per job\n")
    out(f"{'':24}{'bare SQL':>10}{'library':>10}{'ours':>10}{'/ library':>11}{'/ SQL':>8}\n")
    sys.stdout.flush()
    with tempfile.TemporaryDirectory() as folder:
        measure_in_a_process(f"sqlite:///{folder}/jobs.sqlite3", n_jobs, n_rounds)
    with suppress_missing_server(), postgres_database() as url:
        measure_in_a_process(url, n_jobs, n_rounds)


@contextmanager
def suppress_missing_server():
    from tests.postgres import NoPostgres

    try:
        yield
    except NoPostgres as reason:
        sys.stdout.write(f"{reason}\n")


@contextmanager
def postgres_database():
    """A database of our own on the server of the tests; gone afterwards."""
    import psycopg

    from tests.postgres import postgres

    name = f"regulars_bench_{os.getpid()}"
    with postgres() as (url, _place), psycopg.connect(url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        try:
            yield f"{url.rpartition('/')[0]}/{name}"
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def measure_in_a_process(url, n_jobs, n_rounds):
    code = f"from benchmarks.jobs import measure; measure({n_jobs}, {n_rounds})"
    subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | {
            "DATABASE_URL": url,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "LOG_LEVEL": "WARNING",
        },
        check=True,
    )  # fmt: skip


# --- In the process that knows Django ----------------------------------------------------------
def measure(n_jobs, n_rounds):
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    from django.db import connection

    order, run = deeds(n_jobs)
    figures = {(what, side): [] for what in ("order", "run") for side in SIDES}
    for _round in range(n_rounds):
        for side in SIDES:
            figures["order", side].append(timed(order[side], n_jobs))
            figures["run", side].append(timed(run[side], n_jobs))
    for what in ("order", "run"):
        bare, library, ours = (statistics.median(figures[what, side]) for side in SIDES)
        sys.stdout.write(
            f"{what + ', ' + connection.vendor:24}{bare:10.0f}{library:10.0f}{ours:10.0f}"
            f"{ours / library:10.1f}x{ours / bare:7.1f}x\n"
        )


def timed(deed, n_jobs):
    start = time.perf_counter()
    deed()
    return (time.perf_counter() - start) / n_jobs * 1e6


def deeds(n_jobs):
    """(order, run): for each side a function that orders, or runs, that many jobs of nothing."""
    from django.db import connection, transaction
    from django_tasks import task
    from django_tasks_db.management.commands.db_worker import Worker
    from django_tasks_db.models import DBTaskResult

    from events.jobs import enqueue, job
    from events.jobs.running import run_due
    from tenancy.services import create_tenant

    tenant = create_tenant("bench")[0]
    job("bench.nothing")(nothing)
    # Its worker looks for the task under the name of the function, and the decorator needs Django.
    library_task = globals()["nothing_of_the_library"] = task()(nothing_of_the_library)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_queue (number integer)")

    def execute(sql, *parameters):
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return cursor.fetchone() if cursor.description else None

    def order_bare():
        for number in range(n_jobs):
            execute("INSERT INTO bench_queue (number) VALUES (%s)", number)

    def run_bare():
        lock = " FOR UPDATE SKIP LOCKED" if connection.vendor == "postgresql" else ""
        for _ in range(n_jobs):
            with transaction.atomic():
                (number,) = execute(f"SELECT number FROM bench_queue LIMIT 1{lock}")
                execute("DELETE FROM bench_queue WHERE number = %s", number)

    def order_library():
        for number in range(n_jobs):
            library_task.enqueue(number)

    def run_library():
        Worker(
            queue_names=["default"],
            interval=0,
            batch=True,
            backend_name="default",
            startup_delay=False,
            max_tasks=None,
            worker_id="bench",
            excluded_queue_names=[],
        ).run()
        assert DBTaskResult.objects.successful().count() == n_jobs
        DBTaskResult.objects.all().delete()

    def order_ours():
        for number in range(n_jobs):
            enqueue("bench.nothing", tenant=tenant, number=number)

    def run_ours():
        assert run_due() == n_jobs

    return (
        dict(zip(SIDES, (order_bare, order_library, order_ours), strict=True)),
        dict(zip(SIDES, (run_bare, run_library, run_ours), strict=True)),
    )


def nothing(run, *, number):
    pass


def nothing_of_the_library(number):
    pass


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main(*(int(argument) for argument in sys.argv[1:]))
