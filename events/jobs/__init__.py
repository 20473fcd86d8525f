"""What must happen later or elsewhere happens, once, and somebody can see that it did.

    from events.jobs import job, enqueue, Retry

    @job("letters.send", retry=Retry(delays=(60, 600)))
    def send(run, *, letter_id): ...

    enqueue("letters.send", tenant=tenant, letter_id=str(letter.pk))

The queue is django-tasks with its database backend; retries, leases, progress, cancelling and
schedules are ours. docs/jobs.md tells the whole.
"""

from events.jobs.enqueuing import enqueue
from events.jobs.failures import (
    Failure,
    JobCancelled,
    LeaseLost,
    PermanentFailure,
    RetryLater,
)
from events.jobs.registry import Retry, every, job, schedule_daily

__all__ = [
    "Failure",
    "JobCancelled",
    "LeaseLost",
    "PermanentFailure",
    "Retry",
    "RetryLater",
    "enqueue",
    "every",
    "job",
    "schedule_daily",
]
