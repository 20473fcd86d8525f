"""What a chunk of an import says of people, sealed: why rows were refused, the rows themselves,
and how changed customers looked before."""

import json
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

from customers.models import ImportChunk, ImportRun
from tenancy.sealing import Unreadable, seal, unseal

from .guessing import is_secret

PARTS = ("errors", "refused", "before", "review")


def seal_chunk(run: ImportRun, number: int, chunk: Iterable[Any]) -> bytes | None:
    """The sealed part of a chunk of `engine.Done`; None where there is nothing to say."""
    errors, refused, before, review = [], [], [], []
    for done in chunk:
        if done.faults:
            errors += done.faults
            refused.append([_rows(done), done.faults])
        if done.review is not None:
            review.append([_rows(done), done.review])
        if done.before is not None:
            before.append(done.before)
    if not (errors or before or review):
        return None
    told = json.dumps([errors, refused, before, review], ensure_ascii=False, default=str)
    return seal(zlib.compress(told.encode(), 1), _about(run, number))


def _rows(done: Any) -> list[tuple[int, dict[str, Any]]]:
    return [(raw.line, _without_secrets(raw.values)) for raw in done.shaped.raw]


def opened(chunk: ImportChunk) -> dict[str, list]:
    """What `seal_chunk` took, by part; empty lists where it is no longer kept or readable."""
    if chunk.sealed is None:
        return {name: [] for name in PARTS}
    try:
        told = zlib.decompress(unseal(chunk.sealed, f"import {chunk.run_id} {chunk.number}"))
    except Unreadable:
        return {name: [] for name in PARTS}
    return dict(zip(PARTS, json.loads(told), strict=True))


def chunks_of(run: ImportRun) -> Iterator[dict[str, list]]:
    """The sealed parts of all chunks of a run, in the order of the file."""
    rows = ImportChunk.objects.filter(run=run.pk, sealed__isnull=False).order_by("number")
    for chunk in rows.iterator(chunk_size=20):
        yield opened(chunk)


def _about(run: ImportRun, number: int) -> str:
    return f"import {run.pk} {number}"


def _without_secrets(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if not is_secret(name)}
