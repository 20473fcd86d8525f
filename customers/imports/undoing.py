"""An import taken back, as far as nobody has touched since what it did.

New customers are deleted, changed ones get back what the import replaced: fields, lists, groups,
charge account, status. Statements of consent and an assigned level stay, because somebody may have
acted on them. A customer whose version has moved since is left as it is and named.
"""

from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from customers.hooks import hooks
from customers.models import ChargeAccount, Customer, ImportChunk, ImportRun
from customers.services import delete_customer, open_change
from customers.services.changes import CustomerGone, VersionConflict
from customers.services.children import replace_children
from customers.services.lifecycle import deactivate_customer
from customers.snapshots import value_of
from events.actors import acting, current
from events.jobs import LeaseLost, RetryLater, enqueue
from events.models import HistoryEntry
from events.models.records import CHANGES
from tenancy import clock

from .runs import AlreadyRunning, hold_run, lease_end
from .sealed import opened

State = ImportRun.State
UNDO_JOB = "customers.undo_import"
DEED = "customer.updated"
MOST_NAMED = 1_000
# What follows from other columns, or is told under another name.
SILENT = ("login_phone_key", "name_given", "birth_year", "birth_month", "birth_day")


# --- Ordering ----------------------------------------------------------------------------------
def order_undo(run: ImportRun) -> ImportRun:
    """Have an import taken back in the background. Raises ValidationError (code "import_state")
    for one that is not through, was only tried, or is no longer kept."""
    with transaction.atomic():
        job = enqueue(UNDO_JOB, tenant=run.tenant, key=str(run.pk), run_id=str(run.pk))
        rows = ImportRun.objects.filter(pk=run.pk, dry_run=False)
        ended = rows.filter(state__in=[State.DONE, State.CANCELLED], n_chunks__gt=0)
        begun = {"deleted": 0, "restored": 0, "left": [], "left_out": 0}
        if not ended.update(
            state=State.UNDOING, lease_until=None, job_id=job.pk, undone=begun, finished_at=None
        ):
            message = _("Only an import that has ended and wrote something can be undone.")
            raise ValidationError(message, code="import_state")
    run.refresh_from_db()
    return run


# --- Doing -------------------------------------------------------------------------------------
def perform_undo(job: Any, run_id: str) -> None:
    """What the background job does: the chunks, from the last to the first, each exactly once."""
    run = ImportRun.objects.filter(pk=run_id, state=State.UNDOING).first()
    if run is None:
        return
    try:
        hold_run(run, state=State.UNDOING, job_id=job.job_id)
    except AlreadyRunning as busy:
        raise RetryLater(busy.seconds + 1, "Somebody else works on it.") from None
    with acting(current().actor, request_id=_request_id(run), reason=f"undo {run.reason}"[:200]):
        chunks = ImportChunk.objects.filter(run=run, undone=False).order_by("-number")
        numbers = list(chunks.values_list("number", flat=True))
        for place, number in enumerate(numbers):
            with transaction.atomic():
                _undo_chunk(run, chunks.get(number=number))
            job.progress(place + 1, len(numbers))
        ended = {"state": State.UNDONE, "lease_until": None, "finished_at": clock.now()}
        _write(run, **ended)


def _undo_chunk(run: ImportRun, chunk: ImportChunk) -> None:
    undone = run.undone
    for image in reversed(opened(chunk)["before"]):
        if _told(_restore, run, image):
            undone["restored"] += 1
        else:
            _name(undone, image["id"])
    ids = [
        UUID(bytes=bytes(chunk.created[at : at + 16])) for at in range(0, len(chunk.created), 16)
    ]
    changed = _changed_later(run, ids)
    for customer_id in reversed(ids):
        if customer_id in changed or not _told(_delete, customer_id):
            _name(undone, str(customer_id))
        else:
            undone["deleted"] += 1
    _write(run, undone=undone)
    ImportChunk.objects.filter(pk=chunk.pk).update(undone=True)


def _told(deed: Any, *args: Any) -> bool:
    """Whether the deed could be done; refused, it leaves nothing behind."""
    try:
        with transaction.atomic():
            deed(*args)
        return True
    except (ValidationError, VersionConflict, CustomerGone):
        return False


def _name(undone: dict[str, Any], customer_id: str) -> None:
    if customer_id in undone["left"]:
        return
    if len(undone["left"]) < MOST_NAMED:
        undone["left"].append(customer_id)
    else:
        undone["left_out"] += 1


def _changed_later(run: ImportRun, ids: list[UUID]) -> set[UUID]:
    """Those of the new customers that were changed or are gone."""
    kept = Customer.objects.filter(pk__in=ids, version=1).values_list("pk", flat=True)
    return {key for key in set(ids) - set(kept) if not _is_ours(run, key)}


def _is_ours(run: ImportRun, customer_id: UUID) -> bool:
    """Whether the last that happened to a customer is this undo: the import touched it twice."""
    last = HistoryEntry.objects.about("customer", customer_id).shown(CHANGES).first()
    return last is not None and last.request_id == _request_id(run)


def _request_id(run: ImportRun) -> str:
    return f"undo {run.pk}"


def _delete(customer_id: UUID) -> None:
    delete_customer(customer_id)


def _restore(run: ImportRun, image: dict[str, Any]) -> None:
    customer_id = UUID(image["id"])
    expected = None if _is_ours(run, customer_id) else image["version"]
    customer = Customer.objects.filter(pk=customer_id).first()
    if customer is None:
        raise CustomerGone
    with open_change(customer, deed=DEED, expected_version=expected) as change:
        for name, value in image["columns"].items():
            _set(change, Customer._meta.get_field(name), value)
        for name, rows in image.get("lists", {}).items():
            there = {str(row.pk) for row in getattr(change.customer, name).all()}
            replace_children(change, name, [_as_row(row, there) for row in rows])
        if "groups" in image:
            field = hooks.fields["groups"]
            field.apply(change, field.clean(image["groups"], tenant=run.tenant))
        if "account" in image:
            _restore_account(change, image["account"])
        if "status" in image:
            if image["status"] == Customer.Status.BLOCKED:
                deactivate_customer(change.customer)
            change.set("status", image["status"])


def _set(change: Any, field: Any, value: Any) -> None:
    if field.name in SILENT:
        change.set_silently(field.name, value)
    elif field.is_relation:
        found = value and field.related_model.objects.filter(pk=value).first()
        change.set(field.name, found or None)
    else:
        change.set(field.name, value_of(field, value))


def _as_row(row: dict[str, Any], there: set[str]) -> dict[str, Any]:
    return row if row["id"] in there else {name: row[name] for name in row if name != "id"}


def _restore_account(change: Any, before: list | None) -> None:
    account = ChargeAccount.objects.filter(customer=change.customer)
    now = account.first()
    if now is None:
        return
    change.record("charge_account", [now.number, now.retired], before)
    if before is None:
        account.delete()
    else:
        account.update(number=before[0], retired=before[1])


def _write(run: ImportRun, **columns: Any) -> None:
    columns = {"lease_until": lease_end(), **columns}
    if not ImportRun.objects.held_by(run.fence).filter(pk=run.pk).update(**columns):
        raise LeaseLost
