"""From a ticket of the queue to a job that is settled.

Taking a job removes its ticket and gives the job a holder, in one transaction: no moment lies in
between at which a killed worker could lose it. Whatever the holder writes later names its fence.
"""

import logging
import traceback
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import IntegrityError, transaction
from django_tasks import TaskResultStatus, task
from django_tasks_db.models import DBTaskResult

from events.actors import Actor, acting
from events.jobs.failures import (
    Failure,
    JobCancelled,
    LeaseLost,
    PermanentFailure,
    RetryLater,
)
from events.jobs.handle import JobRun
from events.jobs.plain import plain_text
from events.jobs.registry import UNKNOWN_RETRY, JobType, job_type
from events.models import Job
from tenancy import clock
from tenancy.scoping import all_tenants, in_no_tenant, in_tenant

logger = logging.getLogger("regulars.jobs")

State = Job.State


# --- The queue ---------------------------------------------------------------------------------
@task()
def run_job(job_id):
    """What every ticket says. Our worker takes the job together with its ticket instead; this is
    for a worker of the library, which keeps the tickets that it has done."""
    with all_tenants():
        job = _hold(job_id)
    if job is not None:
        run = JobRun(job, kind_of(job))
        settle(run, perform(run))


def write_ticket(job):
    """Put a waiting job into the queue; the key of its ticket."""
    due = run_job.using(priority=job.priority, run_after=job.run_at)
    return uuid.UUID(due.enqueue(str(job.pk)).id)


def due_tickets():
    """The tickets whose time has come, by our clock: by priority, then the longest due first.

    These two conditions and the order are exactly what the library's index has; with one more,
    PostgreSQL may sort the whole queue to find the first.
    """
    return DBTaskResult.objects.filter(status=TaskResultStatus.READY, run_after__lte=clock.now())


def take_next():
    """Take the job that is due next, for as long as its lease: its JobRun, to be performed and
    settled. None when nothing is due."""
    while True:
        with transaction.atomic(), all_tenants():
            ticket = due_tickets().get_locked()
            if ticket is None:
                return None
            job_id = _job_of(ticket)
            if job_id is None:
                ticket.claim("left aside")
                logger.error("the queue holds a task of somebody else: %s", ticket.task_path)
                continue
            DBTaskResult.objects.filter(pk=ticket.pk).delete()
            job = _hold(job_id, ticket=ticket.pk)
        if job is not None:  # else it was cancelled, or went with its tenant
            return JobRun(job, kind_of(job))


def _job_of(ticket):
    """The id of the job that a ticket stands for; None for one that we have not written: it would
    stand at the head of the queue for ever."""
    try:
        (job_id,) = ticket.args_kwargs["args"]
        return uuid.UUID(job_id) if ticket.task_path == run_job.module_path else None
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def _hold(job_id, **expected):
    """Make a waiting job ours; None when it does not wait (any more)."""
    job = Job.objects.select_related("tenant").filter(pk=job_id).first()
    if job is None:
        return None
    instant = clock.now()
    held = {
        "state": State.RUNNING,
        "ticket": None,
        "lease_until": instant + timedelta(seconds=kind_of(job).lease),
        "fence": job.fence + 1,
        "attempts": job.attempts + 1,
        "started_at": instant,
    }
    if not Job.objects.waiting().filter(pk=job.pk, fence=job.fence, **expected).update(**held):
        return None
    for name, value in held.items():
        setattr(job, name, value)
    return job


def kind_of(job):
    """The JobType of a job; of a name that this version does not know, one that fails."""
    try:
        return job_type(job.name)
    except LookupError:
        return JobType(job.name, _unknown, UNKNOWN_RETRY)


def _unknown(run, **ids):
    raise Failure("This version of the product does not know the job.")


# --- Running -----------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Outcome:
    """How one attempt ended: the state that follows, the wait before it, what went wrong."""

    state: str
    seconds: float = 0
    counted: bool = True
    error_kind: str = ""
    error: str = ""


def perform(run):
    """Run a job that we hold; the Outcome, to be settled. Raises nothing that the job raised."""
    job = run.job
    try:
        with _scope_of(job), acting(Actor("system"), request_id=job.request_id):
            run.kind.function(run, **job.args)
        return Outcome(State.DONE)
    except JobCancelled:
        return Outcome(State.CANCELLED)
    except RetryLater as error:
        return Outcome(State.WAITING, error.seconds, False, "RetryLater", str(error))
    except PermanentFailure as error:
        return Outcome(State.DEAD, error_kind=type(error).__name__, error=str(error))
    except (Exception, SystemExit) as error:  # whatever it was, the worker goes on
        text = str(error) if isinstance(error, Failure) else place_of(error)
        return failed(run, type(error).__name__, text)


def failed(run, kind, text, *, at_once=False):
    """The Outcome of a failure that counts: the next attempt after its delay (or `at_once`), or
    the end."""
    seconds = run.kind.retry.delay(run.attempt)
    if seconds is None:
        return Outcome(State.DEAD, error_kind=kind, error=text)
    return Outcome(State.WAITING, 0 if at_once else seconds, error_kind=kind, error=text)


def place_of(error):
    """Where an exception was raised, in the innermost file of ours, without what it says."""
    frames = traceback.extract_tb(error.__traceback__)
    frame = ([frame for frame in frames if _is_ours(Path(frame.filename))] or frames)[-1]
    return f"{'/'.join(Path(frame.filename).parts[-2:])}, line {frame.lineno}"


def _is_ours(path):
    return path.is_relative_to(settings.BASE_DIR) and "site-packages" not in path.parts


@contextmanager
def _scope_of(job):
    with in_tenant(job.tenant) if job.tenant_id else in_no_tenant():
        yield


# --- Settling ----------------------------------------------------------------------------------
def settle_and_take(run, outcome):
    """Settle one job and take the next in a single transaction: one flush to disk, not two."""
    with transaction.atomic():
        settle(run, outcome)
        return take_next()


def settle(run, outcome, **expected):
    """Write down how an attempt ended; True unless the job was no longer ours to tell about.

    `expected` narrows what the row must still be like.
    """
    job = run.job
    columns = {
        **run.progress_columns(),
        "state": outcome.state,
        "lease_until": None,
        "error_kind": plain_text(outcome.error_kind, 80),
        "error": plain_text(outcome.error, 300),
    }
    try:
        with all_tenants():
            if outcome.state == State.WAITING:
                _again(run, outcome, columns, expected)
            else:
                _update(run, columns | {"finished_at": clock.now()}, expected)
    except LeaseLost:
        logger.warning("job %s %s: this run was too late, its end is not kept", job.name, job.pk)
        return False
    _log(job, outcome)
    return True


def _again(run, outcome, columns, expected):
    """Back into the queue; but a job that somebody wants to cancel, or whose work another waiting
    job of the same key will do, ends here."""
    job = run.job
    job.run_at = clock.now() + timedelta(seconds=outcome.seconds)
    ended = columns | {"state": State.CANCELLED, "finished_at": clock.now()}
    back = columns | {"run_at": job.run_at, "attempts": job.attempts - (not outcome.counted)}
    try:
        with transaction.atomic():
            back["ticket"] = write_ticket(job)
            _update(run, back, expected | {"cancel_requested": False})
    except LeaseLost:
        _update(run, ended, expected | {"cancel_requested": True})
    except IntegrityError:
        _update(run, ended | {"error": "Another job does the same work."}, expected)


def _update(run, columns, expected):
    if not run.held().filter(**expected).update(**columns):
        raise LeaseLost


def _log(job, outcome):
    level = {State.DEAD: logging.ERROR, State.WAITING: logging.WARNING}.get(
        outcome.state, logging.DEBUG
    )
    logger.log(
        level,
        "job %s %s, attempt %d: %s %s %s",
        *(job.name, job.pk, job.attempts, outcome.state, outcome.error_kind, outcome.error),
    )


# --- Without a worker --------------------------------------------------------------------------
def run_due(limit=None):
    """Run what is due, here and now, one after the other; how many attempts were made."""
    n_ran = 0
    run = take_next() if limit != 0 else None
    while run is not None:
        outcome = perform(run)
        n_ran += 1
        if n_ran == limit:
            settle(run, outcome)
            break
        run = settle_and_take(run, outcome)
    return n_ran
