"""Who looked at whom, written down where the tenant asks for it (the setting `log_reads`).

A request collects whom it tells of: every place that reads a single customer says so with `tell`,
at no cost where nobody collects. A reading request that was answered hands its collection to
`after_response`, and when the answer is out, each look is written in a transaction of its own, in
the thread that answered. So it delays no answer, fails none, and is in nobody's transaction; a look
that could not be written stands in the log, whole, as ids.

Lists of several are not looks at anybody: docs/privacy.md says what counts.
"""

import logging
import threading
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime

from django.core.signals import request_finished
from django.db import InterfaceError, OperationalError, connection, transaction

from events.actors import acting, current
from tenancy import clock
from tenancy.models import Tenant
from tenancy.scoping import current_tenant, in_tenant

logger = logging.getLogger(__name__)

SETTING = "log_reads"
TRIES = 2

_collection = ContextVar("collection", default=None)
# type of a subject -> what writes a look at one; see `write_with`
_writers = {}


class _Due(threading.local):
    """The looks of this thread that wait for the end of their answer."""

    def __init__(self):
        self.looks = []


_due = _Due()


@dataclass(frozen=True, slots=True)
class Look:
    """Somebody looked at one object: who (an `events.actors` state), when, which way in (`office`,
    `api` or the name of a wire), and what was asked for."""

    tenant: Tenant
    subject_type: str
    subject_id: object
    by: object
    at: datetime
    way: str
    what: str

    def __str__(self):
        actor = self.by.actor
        return (
            f"tenant {self.tenant.pk}, {self.subject_type} {self.subject_id}, by {actor.kind} "
            f"{actor.id}, at {self.at.isoformat()}, way {self.way}, for {self.what}, "
            f"request {self.by.request_id}"
        )


def write_with(subject_type, write):
    """`write(look)` records looks at this type of object, in their tenant, by their actor, at
    their time and inside a transaction; called once, when the app is ready."""
    _writers[subject_type] = write


# --- During the request --------------------------------------------------------------------------
@contextmanager
def collecting(tenant):
    """Yield the dict whose keys become whom the block tells of, as (type, id). None, and nothing is
    collected, where the tenant does not ask for it."""
    collected = {} if tenant.setting(SETTING) else None
    token = _collection.set(collected)
    try:
        yield collected
    finally:
        _collection.reset(token)


def tell(subject_type, subject_id):
    """Say that this one object is being told of to whoever asks."""
    collected = _collection.get()
    if collected is not None:
        collected[subject_type, subject_id] = True


def after_response(collected, *, way, what):
    """Have what was collected written down when the answer is out, as looks by the present actor
    in the active tenant."""
    tenant, by, at = current_tenant(), current(), clock.now()
    _due.looks += [
        Look(tenant, subject_type, subject_id, by, at, way, what)
        for subject_type, subject_id in collected
    ]


# --- Afterwards ----------------------------------------------------------------------------------
def write_due(**kwargs):
    """Write the looks of this thread that are due; receives `request_finished`. Raises nothing."""
    looks, _due.looks = _due.looks, []
    if not looks:
        return
    for look in looks:
        _write(look)
    # Django has given back its connection of the request already; ours must not stay either.
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()


def _write(look):
    for attempt in range(1, TRIES + 1):
        try:
            with (
                in_tenant(look.tenant),
                acting(look.by.actor, request_id=look.by.request_id, reason=look.by.reason),
                clock.frozen(look.at),
                # Refuses to be part of any other transaction.
                transaction.atomic(durable=True),
            ):
                _writers[look.subject_type](look)
        except Exception as failure:
            if isinstance(failure, (OperationalError, InterfaceError)) and attempt < TRIES:
                _reconnect()
                continue
            # The name of the failure only: its text may quote what was to be written.
            logger.error("A look was not written (%s): %s", type(failure).__name__, look)
        return


def _reconnect():
    """A connection that broke while it lay idle is no reason to lose anything."""
    if not connection.in_atomic_block:
        connection.close()


def listen():
    """Begin to write when answers are out; called once, when the app is ready."""
    request_finished.connect(write_due, dispatch_uid="events.reading")
