"""Customers as CSV, workbook, JSON lines and JSON, as an import takes them back.

Rows stream through `records` in batches, so that memory stays flat. In tables the first contact
points, addresses and consents stand in columns of their own; a list that says more than its
columns hold stands whole, as JSON, in one more (`emails`, `addresses`, …). A cell that a
spreadsheet could take for a formula gets an apostrophe, which an import takes off again.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, BinaryIO

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from customers import spreadsheets
from customers.imports.cells import neutralise
from customers.imports.converting import CONVERTERS, DEFAULT, ConversionError
from customers.imports.targets import FIELDS, LIST_FIELDS, PURPOSES, TARGETS
from customers.models import Customer
from customers.querysets import CustomerQuerySet
from customers.records import records
from customers.search import search_customers

BATCH = 500
# How many rows of a list have columns of their own.
SLOTS = {"emails": 2, "phones": 3, "addresses": 2, "contact_persons": 1}
# What only the system knows; an import passes over it.
AFTER = ("reachable", "updated_at", "version")

_COUNT = {name: range(1, n + 1) for name, n in SLOTS.items()}
# The cells of each slot in their order: (list, slot) -> [(column, key of the row)].
_CELLS: dict[tuple, list[tuple[str, str]]] = {}
for _target in TARGETS.values():
    if len(_target.path) == 3 and _target.path[1] in _COUNT.get(_target.path[0], ()):
        _CELLS.setdefault(_target.path[:2], []).append((_target.name, _target.path[2]))

COLUMNS = (
    *FIELDS,
    *(name for one in SLOTS for slot in _COUNT[one] for name, _key in _CELLS[one, slot]),
    *(f"consent_{purpose}{end}" for purpose in PURPOSES for end in ("", "_at")),
    *LIST_FIELDS,
    "labels",
    "groups",
    *AFTER,
)


def select_customers(
    *, q: str = "", store: Any = None, status: str | None = None,
    updated_after: Any = None, reachable: str | None = None,
) -> CustomerQuerySet:  # fmt: skip
    """The customers of the active tenant that an export is about; the anonymised never are.

    `reachable` is a channel or "any". Filters of higher apps narrow the result further.
    """
    customers = Customer.objects.identifiable()
    if updated_after is not None:
        customers = customers.updated_after(updated_after)
    if q:
        customers = search_customers(customers, q)
    if store is not None:
        customers = customers.at_store(store)
    if status:
        customers = customers.filter(status=status)
    if reachable:
        customers = customers.reachable(None if reachable == "any" else reachable)
    return customers.order_by("number")


def export(customers: CustomerQuerySet, form: str, out: BinaryIO) -> int:
    """Write the customers to a binary file in one of FORMATS; returns how many."""
    n_rows = 0

    def counted() -> Iterator[dict[str, Any]]:
        nonlocal n_rows
        for record in exported(customers):
            n_rows += 1
            yield record

    check_size(customers, form)
    for piece in FORMATS[form](counted()):
        out.write(piece)
    return n_rows


def pieces(customers: CustomerQuerySet, form: str) -> Iterator[bytes]:
    """The same as pieces of bytes. Raises ValidationError at once for what a form cannot hold."""
    check_size(customers, form)
    return FORMATS[form](exported(customers))


def check_size(customers: CustomerQuerySet, form: str) -> None:
    """Refuse more customers than a form holds."""
    most = spreadsheets.MOST_ROWS
    if form == XLSX and customers[most : most + 1].exists():
        message = _("An Excel workbook takes at most %(most)d customers; narrow it, or take CSV.")
        raise ValidationError(message % {"most": most}, code="too_many")


def csv_pieces(found: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    """A table with a head, lines ending in CR LF."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    for record in found:
        cells = flat(record)
        writer.writerow([neutralise(_text(cells.get(name))) for name in COLUMNS])
        yield _taken(buffer)
    yield _taken(buffer)


def xlsx_pieces(found: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    """The same table as a workbook: whole numbers are numbers, everything else is text."""

    def row(record: dict[str, Any]) -> list[str | int]:
        cells = map(flat(record).get, COLUMNS)
        return [one if type(one) is int else neutralise(_text(one)) for one in cells]

    return spreadsheets.pieces("Customers", COLUMNS, map(row, found))


def jsonl_pieces(found: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    """One JSON object per line, with whole lists."""
    for record in found:
        yield _json(record).encode() + b"\n"


def json_pieces(found: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    """One JSON list of the same objects, each on a line of its own."""
    before = b"[\n"
    for record in found:
        yield before + _json(record).encode()
        before = b",\n"
    yield b"\n]\n" if before == b",\n" else b"[]\n"


XLSX = "xlsx"
FORMATS = {"csv": csv_pieces, XLSX: xlsx_pieces, "jsonl": jsonl_pieces, "json": json_pieces}
MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    XLSX: spreadsheets.MEDIA_TYPE,
    "jsonl": "application/x-ndjson",
    "json": "application/json",
}


def exported(customers: CustomerQuerySet) -> Iterator[dict[str, Any]]:
    """The records, with `reachable` in words, charge account and level flat."""
    for record in records(customers, batch=BATCH):
        account = record.pop("charge_account") or {}
        record["charge_account_number"] = account.get("number")
        record["charge_account_retired"] = account.get("retired")
        record["level"] = (record.get("loyalty") or {}).get("level")
        record["reachable"] = " ".join(record["reachable"])
        yield record


def flat(record: dict[str, Any]) -> dict[str, Any]:
    """A record by the names of the columns."""
    cells = {name: record[name] for name in (*FIELDS, *AFTER)}
    for list_name, slots in _COUNT.items():
        rows = record[list_name]
        for slot, row in zip(slots, rows, strict=False):
            cells.update((column, row[key]) for column, key in _CELLS[list_name, slot])
        if len(rows) > len(slots):
            cells[list_name] = _json(_kept(list_name, rows))
    evidence = False
    for consent in record["consents"]:
        purpose = consent["purpose"]
        if purpose in PURPOSES:
            cells[f"consent_{purpose}"] = consent["granted"]
            cells[f"consent_{purpose}_at"] = consent["at"]
        evidence |= purpose not in PURPOSES or any(
            consent[name] for name in ("store", "source", "wording_version")
        )
    if evidence:
        cells["consents"] = _json(_kept("consents", record["consents"]))
    labels = [{"key": label["key"], "value": label["value"]} for label in record["labels"]]
    cells["labels"] = _joined(
        "labels", [f"{label['key']}:{label['value']}" for label in labels], labels
    )
    # Somebody who is in a group but wants nothing of it is left out: a list of codes cannot say it.
    codes = [group["code"] for group in record.get("groups", ()) if group["subscribed"]]
    cells["groups"] = _joined("groups", codes, codes)
    return cells


def _kept(list_name: str, rows: Iterable[dict]) -> list[dict]:
    """The rows with what an import takes, without what says nothing."""
    return [
        {name: row[name] for name in LIST_FIELDS[list_name] if row[name] not in (None, "")}
        for row in rows
    ]


def _joined(type_: str, pieces: list[str], items: list) -> str:
    """`a;b` where reading it gives the same items again, else JSON."""
    text = ";".join(pieces)
    try:
        same = CONVERTERS[type_](text, DEFAULT) == items
    except ConversionError:
        same = False
    return text if same else _json(items)


def _json(items: Any) -> str:
    return json.dumps(items, ensure_ascii=False, default=_text)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _taken(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode()
