"""What a running job holds in its hands."""

from datetime import date, timedelta

from events.jobs.failures import JobCancelled, LeaseLost
from events.jobs.plain import check_plain, plain_text
from events.models import Job
from tenancy import clock
from tenancy.scoping import all_tenants

SAVE_EVERY = timedelta(seconds=1)
LARGEST = 2**63 - 1


def _stored(number):
    return max(0, min(int(number), LARGEST))


class JobRun:
    """One attempt at a job: how far it is, what it remembers, whether it is still ours.

    `data` is what an earlier attempt left with `checkpoint`, {} at first.
    """

    def __init__(self, job, kind):
        self.job = job
        self.kind = kind
        self.data = job.data
        self._saved_at = None

    @property
    def job_id(self):
        """The id of the job, a UUID: the same in every attempt."""
        return self.job.pk

    @property
    def tenant(self):
        """The tenant whose job this is, or None."""
        return self.job.tenant

    @property
    def attempt(self):
        """1 for the first; attempts that ended in RetryLater are not counted."""
        return self.job.attempts

    @property
    def is_last_attempt(self):
        """Whether the job is given up if this attempt fails."""
        return self.attempt > len(self.kind.retry.delays)

    @property
    def date(self):
        """The local date that a daily job is for; None for any other."""
        try:
            return date.fromisoformat(self.job.slot)
        except ValueError:
            return None

    def progress(self, done, total=None, note=""):
        """Tell how far the job is; keeps the lease alive.

        Saved at most once a second. `note` is for staff and names nobody. Raises JobCancelled when
        somebody asked to cancel, LeaseLost when the job is another worker's by now.
        """
        self.job.progress_done = _stored(done)
        self.job.progress_total = None if total is None else _stored(total)
        self.job.progress_note = plain_text(note, 200)
        instant = clock.now()
        # Also a clock that was put back: the lease is to be kept by what it says now.
        if self._saved_at is not None and abs(instant - self._saved_at) < SAVE_EVERY:
            return
        self._saved_at = instant
        with all_tenants():
            if self._keep(self.held().filter(cancel_requested=False), **self.progress_columns()):
                return
            if self._keep(self.held()):
                raise JobCancelled
        raise LeaseLost

    def checkpoint(self, data):
        """Remember `data` (JSON of ids and codes) for the next attempt; keeps the lease alive.

        Written in the caller's transaction: together with the work that it tells of, that work
        happens exactly once. Raises LeaseLost when the job is another worker's by now, which rolls
        that transaction back.
        """
        check_plain(data, f"{self.job.name}.data")
        with all_tenants():
            if not self._keep(self.held(), data=data):
                raise LeaseLost
        self.data = self.job.data = data

    def progress_columns(self):
        """The columns that `progress` fills, as they are now."""
        names = ("progress_done", "progress_total", "progress_note")
        return {name: getattr(self.job, name) for name in names}

    def held(self):
        """The row while it is ours: every write of this run goes through it."""
        return Job.objects.running().filter(pk=self.job.pk, fence=self.job.fence)

    def _keep(self, rows, **columns):
        """Write the columns and a new lease; how many rows (0 or 1) it reached."""
        self.job.lease_until = clock.now() + timedelta(seconds=self.kind.lease)
        return rows.update(lease_until=self.job.lease_until, **columns)
