"""run_jobs: the worker. Start as many as there is work for, on as many machines as you like."""

import json
import signal

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from events.jobs.running import run_due
from events.jobs.status import status
from events.jobs.worker import TooManyHang, Worker


def pool_size():
    """How many connections this process may have."""
    pool = settings.DATABASES["default"]["OPTIONS"].get("pool")
    return pool["max_size"] if pool else float("inf")


class Command(BaseCommand):
    help = (
        "Run background jobs until stopped. SIGTERM or Ctrl-C lets the running ones finish; a "
        "second one ends them, and another worker takes them over when their lease ends."
    )

    def add_arguments(self, parser):
        parser.add_argument("--threads", type=int, default=4, help="jobs at a time (default: 4)")
        parser.add_argument(
            "--until-empty", action="store_true", help="end when no job is due or running"
        )
        parser.add_argument("--once", action="store_true", help="run one due job, or none, and end")
        parser.add_argument(
            "--status", action="store_true", help="run nothing; print how the jobs do, as JSON"
        )

    def handle(self, *, threads, until_empty, once, **options):
        if options["status"]:
            self.stdout.write(json.dumps(status(), indent=2))
        elif once:
            run_due(limit=1)
        elif threads < 1:
            raise CommandError("--threads must be 1 or more.")
        elif threads >= pool_size():
            raise CommandError(f"--threads {threads} needs DATABASE_POOL_SIZE={threads + 1}.")
        else:
            self.work(Worker(threads=threads, until_empty=until_empty))

    def work(self, worker):
        def stop(number, frame):
            worker.stop()
            signal.signal(number, signal.SIG_DFL)

        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, stop)
        try:
            worker.run()
        except TooManyHang as error:
            raise CommandError("Too many jobs hang. Start the worker afresh.") from error
