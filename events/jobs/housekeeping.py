"""What keeps the jobs themselves in order: taking back, putting back, throwing away."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from events.jobs.handle import JobRun
from events.jobs.registry import every, job, routine_names
from events.jobs.running import State, failed, kind_of, settle, write_ticket
from events.models import Job
from events.services import delete_expired_keys, forget_reads
from tenancy import clock
from tenancy.scoping import all_tenants
from tenancy.services.counting import delete_old_counters

AT_ONCE = 500
# A daily job must outlive its date everywhere, or it would be ordered once more.
KEEP_SLOTS = timedelta(days=3)
KEEP_TICKS = timedelta(days=1)
KEEP_ROUTINE = timedelta(hours=1)
OVERDUE = timedelta(minutes=5)


def take_back_abandoned():
    """Put jobs whose lease has ended back into the queue, or give them up; how many.

    Their worker was killed or hangs. That counts as a failed attempt, so that a job which kills its
    workers comes to an end; the next attempt follows at once.
    """
    instant = clock.now()
    with all_tenants():
        abandoned = list(Job.objects.abandoned(instant).select_related("tenant")[:AT_ONCE])
    n_taken = 0
    for row in abandoned:
        run = JobRun(row, kind_of(row))
        outcome = failed(run, "LeaseEnded", "The worker stopped, or took too long.", at_once=True)
        n_taken += settle(run, outcome, lease_until__lte=instant)
    return n_taken


def restore_tickets():
    """Write the tickets anew of overdue jobs that have lost theirs; how many.

    Nothing of ours loses one; a hand in the queue's table or a worker of the library may.
    """
    queue = DBTaskResult.objects.filter(pk=OuterRef("ticket"), status=TaskResultStatus.READY)
    with all_tenants():
        lost = Job.objects.waiting().filter(~Exists(queue), run_at__lte=clock.now() - OVERDUE)
        lost = list(lost[:AT_ONCE])
        for row in lost:
            with transaction.atomic():
                ticket = write_ticket(row)
                if (
                    not Job.objects.waiting()
                    .filter(pk=row.pk, ticket=row.ticket)
                    .update(ticket=ticket)
                ):
                    transaction.set_rollback(True)
    return len(lost)


def delete_old_jobs():
    """Delete jobs that ended JOBS_KEEP_DAYS ago, those that went well earlier (ticks after a day,
    routine after an hour), and what workers of the library left in the queue; how many jobs."""
    instant = clock.now()
    keep = timedelta(days=settings.JOBS_KEEP_DAYS)
    with all_tenants():
        ended = Job.objects.finished()
        n_deleted = (
            _delete(ended.filter(slot="", finished_at__lte=instant - keep))
            + _delete(ended.filter(finished_at__lte=instant - max(keep, KEEP_SLOTS)))
            + _delete(
                ended.of_installation().filter(
                    state=State.DONE, slot__gt="", finished_at__lte=instant - KEEP_TICKS
                )
            )
            + _delete(
                ended.filter(
                    state=State.DONE,
                    name__in=routine_names(),
                    finished_at__lte=instant - KEEP_ROUTINE,
                )
            )
        )
    DBTaskResult.objects.finished().filter(finished_at__lte=instant - keep).delete()
    return n_deleted


def _delete(jobs):
    """Delete in small transactions; how many."""
    n_deleted = 0
    while keys := list(jobs.order_by("finished_at").values_list("pk", flat=True)[:AT_ONCE]):
        n_deleted += Job.objects.filter(pk__in=keys).delete()[0]
    return n_deleted


@job("events.tidy_jobs")
def tidy_jobs(run):
    """Every hour: what is old goes, what was lost comes back."""
    restore_tickets()
    delete_old_jobs()


@job("events.forget_expired")
def forget_expired(run):
    """Every day: stored answers, counters and notes of who read what whose time has ended."""
    with all_tenants():
        delete_expired_keys()
        forget_reads()
    delete_old_counters()


every(3600, "events.tidy_jobs")
every(86_400, "events.forget_expired")
