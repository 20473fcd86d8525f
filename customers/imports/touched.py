"""The customers that an import made or changed."""

from collections.abc import Iterator
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from customers.models import Customer, ImportChunk, ImportRun
from events.models import HistoryEntry

# Up to so many are asked for by name; beyond, each customer of the list is asked for its history.
NAMED = 5_000
CUSTOMER = "customer"


def touched_ids(run: ImportRun, *, most: int | None = None) -> list[UUID]:
    """Whom the run has made and changed so far, at most `most` of them (and one more)."""
    found: list[UUID] = []
    for ids in _packed(run):
        found += [UUID(bytes=ids[at : at + 16]) for at in range(0, len(ids), 16)]
        if most is not None and len(found) > most:
            return found[: most + 1]
    return list(dict.fromkeys(found))


def touched_by(run: ImportRun, customers: QuerySet[Customer]) -> QuerySet[Customer]:
    """Those of the customers that the run made or changed and that are still here."""
    ids = touched_ids(run, most=NAMED)
    if len(ids) <= NAMED:
        return customers.filter(pk__in=ids)
    told = HistoryEntry.objects.filter(
        tenant=run.tenant_id,
        subject_type=CUSTOMER,
        subject_id=OuterRef("pk"),
        request_id=str(run.pk),
    )
    return customers.filter(Exists(told))


def _packed(run: ImportRun) -> Iterator[bytes]:
    chunks = ImportChunk.objects.filter(run=run.pk).order_by("number")
    for created, changed in chunks.values_list("created", "changed").iterator(chunk_size=50):
        yield bytes(created)
        yield bytes(changed)
