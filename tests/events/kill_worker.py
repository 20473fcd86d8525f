"""A worker as a process of its own that is killed while it tells a webhook.

    python -m tests.events.kill_worker STEP

It works on the database that DATABASE_URL names, and dies by SIGKILL the first time it comes to
STEP: `queueing` (deliveries written, not committed), `queued` (committed, nothing sent), `asking`
(about to send), `sent` (the receiver has it, nothing written down), `settling` (written down, not
committed). Without a STEP it works until nothing is due.
"""

import os
import signal
import sys


def die(*args, **options):
    os.kill(os.getpid(), signal.SIGKILL)


def lay_trap(step):
    """Make the step deadly."""
    from events.models import WebhookDelivery
    from events.webhooks import jobs, sending

    if step == "queueing":
        make = WebhookDelivery.objects.bulk_create.__func__
        manager = type(WebhookDelivery.objects)
        manager.bulk_create = lambda self, rows: (make(self, rows), die())
    elif step == "queued":
        jobs.send_due = die
    elif step == "asking":
        sending.request = die
    elif step == "sent":
        sending.settle = die
    elif step == "settling":
        sending._note = die


def main():
    import django

    django.setup()
    from django.db import connections

    from events.jobs import enqueue
    from events.jobs.running import run_due

    lay_trap(sys.argv[1] if len(sys.argv) > 1 else "")
    enqueue("webhooks.tick", tenant=None)
    run_due()
    connections.close_all()


if __name__ == "__main__":
    main()
