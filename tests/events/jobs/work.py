"""A worker as a process of its own, and the jobs that it knows.

    python -m tests.events.jobs.work [--threads N] [--kill-at N] [--until-empty]

It works on the database that DATABASE_URL names, says "ready", and prints the id of each job that
sleeps.
"""

import argparse
import itertools
import os
import signal
import sys
import time

from django.db import connection, transaction

KILL_AT = 0
begun = itertools.count(1)


def register():
    """Make the jobs known, in a worker as well as in the test that orders them."""
    from events.jobs import Retry, job

    retry = Retry(delays=(0.1,) * 5)
    job("tests.effect", retry=retry, lease=3)(effect)
    job("tests.rows", retry=retry, lease=3)(rows)
    job("tests.sleep", retry=retry, lease=60)(sleep)


def effect(run):
    """Leave one mark in the history, once: it and the note that it is there are one transaction."""
    number = next(begun)
    if not run.data.get("done"):
        with transaction.atomic():
            leave_mark(run)
            run.checkpoint({"done": True})
    if number == KILL_AT:
        os.kill(os.getpid(), signal.SIGKILL)


def rows(run, *, n_rows):
    """Leave as many marks, ten at a time; a second attempt goes on where the first was ended."""
    for done in range(run.data.get("done", 0), n_rows, 10):
        if done == KILL_AT and KILL_AT:
            os.kill(os.getpid(), signal.SIGKILL)
        with transaction.atomic():
            for row in range(done, done + 10):
                leave_mark(run, row)
            run.checkpoint({"done": done + 10})
        run.progress(done + 10, n_rows)


def sleep(run, *, seconds):
    tell(run.job_id)
    time.sleep(seconds)


def leave_mark(run, row=0):
    from events.services import build_history

    told = {"row": row, "attempt": run.attempt}
    build_history(run.tenant, "job", run.job_id, deed="tests.effect", changes=told).save()


def tell(text):
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main():
    global KILL_AT
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--kill-at", type=int, default=0)
    parser.add_argument("--until-empty", action="store_true")
    options = parser.parse_args()
    KILL_AT = options.kill_at

    import django

    django.setup()
    from events.jobs.worker import Worker
    from events.management.commands.run_jobs import Command

    register()
    worker = Worker(threads=options.threads, until_empty=options.until_empty, poll=0.05, look=0.2)
    tell("ready")
    Command().work(worker)
    connection.close()


if __name__ == "__main__":
    main()
