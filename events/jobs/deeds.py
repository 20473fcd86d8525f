"""What people may do with a job: run it again, cancel it.

Both touch the ticket first and the job after it, as the workers do, so that nobody waits for
somebody who waits for them.
"""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from django_tasks_db.models import DBTaskResult

from events.jobs.running import State, write_ticket
from events.models import Job
from events.services import build_history
from tenancy import clock
from tenancy.integrity import refusals
from tenancy.scoping import all_tenants, in_tenant

_SAME_WORK = ("key", _("The same work is waiting already."))
_REFUSALS = {
    "job_key_waits_once": _SAME_WORK,
    "job_key_waits_once_installation": _SAME_WORK,
}


def retry_job(job):
    """Run a job again that was given up or cancelled, or one at once that waits for its next try.

    Attempts count anew; what it remembers stays. The job is answered as it is now. Raises
    ValidationError with code "job_state" for one that runs or is done, "unique" where another job
    with the same key waits.
    """
    with refusals(_REFUSALS), all_tenants():
        job.refresh_from_db()
        DBTaskResult.objects.filter(pk=job.ticket).delete()
        job.run_at = clock.now()
        again = {
            "state": State.WAITING,
            "ticket": write_ticket(job),
            "run_at": job.run_at,
            "attempts": 0,
            "cancel_requested": False,
            "finished_at": None,
        }
        rows = Job.objects.filter(pk=job.pk, state__in=Job.MAY_BE_RETRIED, ticket=job.ticket)
        if not rows.update(**again):
            raise ValidationError(_("A job that runs or is done is not run again."), "job_state")
        _record(job, "job.retried")
    return _fresh(job)


def cancel_job(job):
    """Cancel a job: one that waits ends now, one that runs when it next tells its progress.

    The job is answered as it is now. Raises ValidationError with code "job_state" for one that has
    ended.
    """
    with transaction.atomic(), all_tenants():
        job.refresh_from_db()
        DBTaskResult.objects.filter(pk=job.ticket).delete()
        rows = Job.objects.filter(pk=job.pk)
        ended = {"state": State.CANCELLED, "ticket": None, "finished_at": clock.now()}
        if rows.waiting().filter(ticket=job.ticket).update(**ended) or rows.running().update(
            cancel_requested=True
        ):
            _record(job, "job.cancelled")
        else:
            raise ValidationError(_("The job has ended already."), "job_state")
    return _fresh(job)


def _record(job, deed):
    """The history of the tenant tells who did it; integrators are not concerned."""
    if job.tenant_id:
        with in_tenant(job.tenant):
            build_history(job.tenant, "job", job.pk, deed=deed, changes={}).save(force_insert=True)


def _fresh(job):
    with all_tenants():
        job.refresh_from_db()
    return job
