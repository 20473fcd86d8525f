"""Writing history and events; both go into the transaction of the change they tell of."""

import contextlib
import uuid
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

import normalise
from events.actors import current
from events.kinds import READ, kind_named
from events.models import Event, HistoryEntry, IdempotencyKey
from tenancy import clock
from tenancy.bulk import draft_class, insert_rows

AT_ONCE = 1_000


def build_history(tenant, subject_type, subject_id, *, deed, changes, version=None, reason=""):
    """An unsaved history row by the current actor; for services that write many at once.

    Raises ValidationError naming `reason` when the reason is too long or cannot be stored.
    """
    who = current()
    reason = clean_reason(reason or who.reason)
    return HistoryEntry(
        tenant=tenant,
        subject_type=subject_type,
        subject_id=subject_id,
        at=clock.now(),
        actor_kind=who.actor.kind,
        actor_id=who.actor.id,
        actor_label=who.actor.label,
        deed=deed,
        reason=reason,
        request_id=who.request_id,
        version=version,
        changes=changes,
    )


def write_history(tenant, subject_type, told, *, reason=""):
    """Write the history rows of one kind of deed on many objects, in one statement.

    `told` yields (subject id, deed, version, changes). Raises as `build_history` does.
    """
    who = current()
    make = draft_class(HistoryEntry)
    common = {
        "tenant_id": tenant.pk,
        "subject_type": subject_type,
        "at": clock.now(),
        "actor_kind": who.actor.kind,
        "actor_id": who.actor.id,
        "actor_label": who.actor.label,
        "reason": clean_reason(reason or who.reason),
        "request_id": who.request_id,
    }
    rows = [
        make.of(
            {"subject_id": subject_id, "deed": deed, "version": version, "changes": changes}
            | common
        )
        for subject_id, deed, version, changes in told
    ]
    insert_rows(HistoryEntry, rows)


def clean_reason(reason):
    """A reason as it is stored; raises ValidationError naming `reason`."""
    try:
        return normalise.clean_text(str(reason or ""), max_length=500)
    except ValidationError as error:
        raise ValidationError({"reason": error.error_list}) from error


def build_event(tenant, kind, subject_type, subject_id, *, version=None, data=None):
    """An unsaved event row; `data` holds ids only.

    Raises LookupError for a kind that nobody registered (`events.kinds`), ValueError for another
    subject or other data than the kind is registered with.
    """
    known = kind_named(kind)
    if subject_type != known.subject or not set(data or ()) <= set(known.data):
        raise ValueError(f"{kind} is about a {known.subject} and tells {sorted(known.data)}")
    return Event(
        tenant=tenant,
        kind=kind,
        subject_type=subject_type,
        subject_id=subject_id,
        version=version,
        at=clock.now(),
        data=data or {},
    )


def write_events(tenant, kind, subject_type, told):
    """Write an event of one kind about each of many objects; `told` yields (subject id, version).

    Raises as `build_event` does.
    """
    if subject_type != kind_named(kind).subject:
        raise ValueError(f"{kind} is about another subject than a {subject_type}")
    make, instant = draft_class(Event), clock.now()
    rows = [
        make(
            tenant=tenant, uid=uuid.uuid4(), kind=kind, subject_type=subject_type,
            subject_id=subject_id, version=version, at=instant, data={},
        )
        for subject_id, version in told
    ]  # fmt: skip
    insert_rows(Event, rows)


def record(
    tenant, kind, subject_type, subject_id, *, changes=None, version=None, reason="", data=None
):
    """Write one history row and one event row for a deed. Must run inside a transaction."""
    build_history(
        tenant,
        subject_type,
        subject_id,
        deed=kind,
        changes=changes or {},
        version=version,
        reason=reason,
    ).save(force_insert=True)
    build_event(tenant, kind, subject_type, subject_id, version=version, data=data).save(
        force_insert=True
    )


def redact_history(subject_type, subject_ids, *, keep_fields=()):
    """Empty the values of every field but `keep_fields` in the history of these objects.

    Reasons and actor labels that could name the person go too. Returns how many rows changed.
    """
    n_rows = 0
    entries = HistoryEntry.objects.filter(
        subject_type=subject_type, subject_id__in=list(subject_ids)
    )
    for entry in entries.iterator(chunk_size=500):
        entry.changes = {
            name: values if name in keep_fields else [None, None]
            for name, values in entry.changes.items()
        }
        entry.reason = ""
        entry.redacted = True
        entry.save(update_fields=["changes", "reason", "redacted"])
        n_rows += 1
    return n_rows


def forget_reads():
    """Delete the history's entries of reads that are older than READS_KEEP_DAYS; how many."""
    oldest_kept = clock.now() - timedelta(days=settings.READS_KEEP_DAYS)
    old = HistoryEntry.objects.filter(deed=READ, at__lt=oldest_kept)
    n_removed = 0
    while keys := list(old.order_by("at").values_list("pk", flat=True)[:AT_ONCE]):
        n_removed += HistoryEntry.objects.filter(pk__in=keys).delete()[0]
    return n_removed


# --- What must not happen twice ---------------------------------------------------------------
LEASE = timedelta(seconds=60)


class KeyInUse(Exception):
    """The same key is being worked on right now; `retry_after` in seconds."""

    retry_after = 1


class KeyReused(Exception):
    """The same key came with another method, path or body."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to do the work of one idempotency key, until its lease ends."""

    pk: int
    lease: uuid.UUID


def claim_key(tenant, owner, key, *, method, path, body_hash):
    """Take the key for this request: a Claim to do the work, or the stored row to replay.

    Raises KeyReused (same key, other request) or KeyInUse (same request, still running). Runs in
    its own short transaction, before the work; a claim whose process died is taken over when the
    lease has ended.
    """
    instant = clock.now()
    lease = uuid.uuid4()
    IdempotencyKey.objects.filter(owner=owner, key=key, expires_at__lte=instant).delete()
    with contextlib.suppress(IntegrityError), transaction.atomic():
        row = IdempotencyKey.objects.create(
            tenant=tenant,
            owner=owner,
            key=key,
            method=method,
            path=path[:400],
            body_hash=body_hash,
            lease=lease,
            lease_until=instant + LEASE,
            expires_at=instant + timedelta(hours=settings.IDEMPOTENCY_HOURS),
        )
        return Claim(row.pk, lease)
    row = IdempotencyKey.objects.filter(owner=owner, key=key).first()
    if row is None:
        raise KeyInUse
    if (row.method, row.path, row.body_hash) != (method, path[:400], body_hash):
        raise KeyReused
    if row.done:
        return row
    taken_over = IdempotencyKey.objects.filter(
        pk=row.pk, done=False, lease=row.lease, lease_until__lte=instant
    ).update(lease=lease, lease_until=instant + LEASE)
    if not taken_over:
        raise KeyInUse
    return Claim(row.pk, lease)


def complete_key(claim, *, status, content_type, body, headers, subject_id=None):
    """Store the answer, in the transaction of the work. Raises KeyInUse when the lease was lost,
    so that the work of a frozen process is rolled back instead of happening twice."""
    stored = IdempotencyKey.objects.filter(pk=claim.pk, lease=claim.lease, done=False).update(
        done=True,
        status=status,
        content_type=content_type,
        body=body,
        headers=headers,
        subject_id=subject_id,
    )
    if not stored:
        raise KeyInUse


def release_key(claim):
    """Forget the claim of a request that was refused: a failed attempt reserves nothing."""
    IdempotencyKey.objects.filter(pk=claim.pk, lease=claim.lease, done=False).delete()


def forget_answers_about(subject_ids):
    """Delete stored answers that speak of these objects; part of erasure."""
    return IdempotencyKey.objects.filter(subject_id__in=list(subject_ids)).delete()[0]


def delete_expired_keys():
    """Remove idempotency keys past their time; returns how many."""
    return IdempotencyKey.objects.filter(expires_at__lte=clock.now()).delete()[0]
