"""Ordering a job, in the transaction of the change that asks for it."""

from django.db import IntegrityError, transaction
from django_tasks_db.models import DBTaskResult

from events.actors import current
from events.jobs.plain import check_plain
from events.jobs.registry import job_type
from events.jobs.running import write_ticket
from events.models import Job
from tenancy import clock
from tenancy.scoping import all_tenants

TRIES = 5


def enqueue(name, /, *, tenant, run_at=None, key=None, priority=0, **ids):
    """Order the job `name` with these ids and answer its Job.

    Written in the caller's transaction: a rolled-back change orders nothing. `tenant` None: work of
    the whole installation. `run_at`: an aware datetime, not before which it starts. `key`: while a
    job of this tenant and name with the same key is waiting, that one is answered instead; it will
    not start before the caller's transaction has ended. `priority`: -100 to 100, higher first.

    Raises LookupError for an unknown name, TypeError or ValueError for ids that are none.
    """
    job_type(name)
    check_plain(ids, name)
    if key is not None:
        check_plain(key, f"{name}.key")
    if not key:
        return _write(name, tenant, run_at, priority, ids)
    for _try in range(TRIES):
        with transaction.atomic():
            twin = _waiting_twin(tenant, name, key)
            if twin is not None:
                return twin
            try:
                with transaction.atomic():
                    return _write(name, tenant, run_at, priority, ids, key=key)
            except IntegrityError:
                continue  # somebody else was faster by a moment; theirs is found now
    raise RuntimeError(f"{name}: the key changes hands too fast")


def enqueue_slot(name, *, tenant, slot, run_at):
    """Order the job `name` for one slot of its schedule; None when somebody has ordered it."""
    try:
        with transaction.atomic():
            return _write(name, tenant, run_at, 0, {}, slot=slot)
    except IntegrityError:
        return None


def _waiting_twin(tenant, name, key):
    """The job that waits with this key, held back until our transaction ends, or None.

    Were it not held, it could start now, and so before the change that asks for it is committed.
    """
    with all_tenants():
        twin = Job.objects.waiting().filter(tenant=tenant, name=name, key=key).first()
    if twin is None:
        return None
    held = DBTaskResult.objects.select_for_update().filter(pk=twin.ticket).first()
    return twin if held else None


def _write(name, tenant, run_at, priority, ids, *, key="", slot=""):
    instant = clock.now()
    who = current()
    job = Job(
        tenant=tenant,
        name=name,
        args=ids,
        key=key,
        slot=slot,
        priority=priority,
        run_at=run_at or instant,
        actor_kind=who.actor.kind,
        actor_id=who.actor.id,
        actor_label=who.actor.label,
        request_id=who.request_id,
        created_at=instant,
    )
    with transaction.atomic():
        job.ticket = write_ticket(job)
        job.save(force_insert=True)
    return job
