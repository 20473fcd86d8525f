"""What an erasure has to do outside the transaction: the journal, the files, the write-ahead log.

An Erasure row says what is left to do. It is done right after the commit; whatever fails (a folder
that cannot be written, a long reader of the database) is logged by kind and tried again by the
next erasure and by `replay_erasures`.
"""

import json
import logging
import os
from pathlib import Path

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection, transaction

from customers.models import Erasure
from tenancy import clock
from tenancy.scoping import in_tenant

logger = logging.getLogger("regulars.erasure")
RETRIED_AT_ONCE = 20
CHECKPOINT_WAIT_MS = 2_000


def finish_after_commit(erasure):
    """Finish this erasure, and older ones that could not be, once the transaction has committed."""

    def finish():
        with in_tenant(erasure.tenant):
            finish_erasures(limit=RETRIED_AT_ONCE, first=erasure)

    transaction.on_commit(lambda: _guarded(finish))


def finish_erasures(*, limit=None, first=None):
    """Finish what is unfinished in the active tenant; returns how many erasures are left so."""
    unfinished = Erasure.objects.filter(finished_at=None)
    waiting = list(unfinished.order_by("at")[:limit])
    if first is not None:
        waiting = [first, *(erasure for erasure in waiting if erasure.pk != first.pk)]
    done = [erasure for erasure in waiting if _guarded(_write_and_remove, erasure)]
    if done and _guarded(empty_write_ahead_log):
        Erasure.objects.filter(pk__in=[erasure.pk for erasure in done]).update(
            finished_at=clock.now()
        )
    return unfinished.count()


def _guarded(step, *args):
    try:
        return step(*args)
    except Exception as error:  # whatever disk or database throw, the erasure itself is committed
        logger.error("%s of an erasure failed: %s", step.__name__, type(error).__name__)
        return False


def _write_and_remove(erasure):
    if erasure.journaled_at is None:
        append_to_journal(erasure)
        erasure.journaled_at = clock.now()
        Erasure.objects.filter(pk=erasure.pk).update(journaled_at=erasure.journaled_at)
    left = [name for name in erasure.files if not _guarded(_remove_file, name)]
    if left != erasure.files:
        erasure.files = left
        Erasure.objects.filter(pk=erasure.pk).update(files=left)
    return not left


def _remove_file(name):
    default_storage.delete(name)
    return not default_storage.exists(name)


def append_to_journal(erasure):
    """Add the erasure's line to the journal and force it to the disk."""
    path = Path(settings.ERASURE_JOURNAL)
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps(
        {
            "erasure": str(erasure.pk),
            "tenant": str(erasure.tenant_id),
            "customer": str(erasure.customer_id),
            "scope": str(erasure.scope),
            "at": erasure.at.isoformat(),
            "policy": erasure.policy,
        }
    )
    # One write to a file opened for appending: lines of several processes do not mix.
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, line.encode("ascii") + b"\n")
        os.fsync(handle)
    finally:
        os.close(handle)


def empty_write_ahead_log():
    """On SQLite: move the log into the database file and empty it; False while readers hold it.

    The log keeps earlier states of pages; in the database file they are overwritten
    (PRAGMA secure_delete). PostgreSQL's log is out of our hands: docs/privacy.md states its bound.
    """
    if connection.vendor != "sqlite":
        return True
    if connection.in_atomic_block:
        return False
    usual = int(connection.settings_dict["OPTIONS"].get("timeout", 5) * 1_000)
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA busy_timeout = {CHECKPOINT_WAIT_MS}")
        try:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            busy = cursor.fetchone()[0]
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {usual}")
    return not busy
