"""Customers as CSV, workbook, JSON lines and JSON, as an import takes them back.

All of them are made from the JSON texts of `documents`, batch by batch, so that memory stays
flat. In tables the first contact
points, addresses and consents stand in columns of their own; a list that says more than its
columns hold stands whole, as JSON, in one more (`emails`, `addresses`, …). A cell that a
spreadsheet could take for a formula gets an apostrophe, which an import takes off again.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

import orjson
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from customers import spreadsheets
from customers.documents import documents
from customers.imports.cells import neutralise
from customers.imports.converting import CONVERTERS, DEFAULT, ConversionError
from customers.imports.targets import FIELDS, LIST_FIELDS, PURPOSES, TARGETS
from customers.models import Customer
from customers.querysets import CustomerQuerySet
from customers.search import search_customers

# How many rows of a list have columns of their own.
SLOTS = {"emails": 2, "phones": 3, "addresses": 2, "contact_persons": 1}
# What only the system knows; an import passes over it.
AFTER = ("reachable", "updated_at", "version")

_COUNT = {name: range(1, n + 1) for name, n in SLOTS.items()}
# The cells of each slot in their order: (list, slot) -> [(column, key of the row)].
_NAMES: dict[tuple, list[tuple[str, str]]] = {}
for _target in TARGETS.values():
    if len(_target.path) == 3 and _target.path[1] in _COUNT.get(_target.path[0], ()):
        _NAMES.setdefault(_target.path[:2], []).append((_target.name, _target.path[2]))

COLUMNS = (
    *FIELDS,
    *(name for one in SLOTS for slot in _COUNT[one] for name, _key in _NAMES[one, slot]),
    *(f"consent_{purpose}{end}" for purpose in PURPOSES for end in ("", "_at")),
    *LIST_FIELDS,
    "labels",
    "groups",
    *AFTER,
)
# Where the cells of a row stand.
_PLACES = {name: place for place, name in enumerate(COLUMNS)}
_MADE = ("charge_account_number", "charge_account_retired", "level", "reachable")
_PLAIN = [(name, _PLACES[name]) for name in (*FIELDS, *AFTER) if name not in _MADE]
_CELLS = {slot: [(_PLACES[column], key) for column, key in named] for slot, named in _NAMES.items()}
# Records as JSON texts, some at a time (`customers.documents`).
Batches = Iterable[list[bytes]]


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

    def counted() -> Iterator[list[bytes]]:
        nonlocal n_rows
        for batch in _batches(customers, form):
            n_rows += len(batch)
            yield batch

    check_size(customers, form)
    for piece in FORMATS[form](counted()):
        out.write(piece)
    return n_rows


def pieces(customers: CustomerQuerySet, form: str) -> Iterator[bytes]:
    """The same as pieces of bytes. Raises ValidationError at once for what a form cannot hold."""
    check_size(customers, form)
    return FORMATS[form](_batches(customers, form))


def _batches(customers: CustomerQuerySet, form: str) -> Iterator[list[bytes]]:
    return documents(customers, texts=form in TABLES)


def check_size(customers: CustomerQuerySet, form: str) -> None:
    """Refuse more customers than a form holds."""
    most = spreadsheets.MOST_ROWS
    if form == XLSX and customers[most : most + 1].exists():
        message = _("An Excel workbook takes at most %(most)d customers; narrow it, or take CSV.")
        raise ValidationError(message % {"most": most}, code="too_many")


def csv_pieces(batches: Batches) -> Iterator[bytes]:
    """A table with a head, lines ending in CR LF."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    for batch in batches:
        writer.writerows(map(cells, map(orjson.loads, batch)))
        yield _taken(buffer)
    yield _taken(buffer)


def xlsx_pieces(batches: Batches) -> Iterator[bytes]:
    """The same table as a workbook: whole numbers are numbers, everything else is text."""
    rows = (cells(orjson.loads(document)) for batch in batches for document in batch)
    return spreadsheets.pieces("Customers", COLUMNS, rows)


def jsonl_pieces(batches: Batches) -> Iterator[bytes]:
    """One JSON object per line, with whole lists."""
    for batch in batches:
        yield b"\n".join([*map(_with_columns, batch), b""])


def json_pieces(batches: Batches) -> Iterator[bytes]:
    """One JSON list of the same objects, each on a line of its own."""
    before = b"[\n"
    for batch in batches:
        yield before + b",\n".join(map(_with_columns, batch))
        before = b",\n"
    yield b"\n]\n" if before == b",\n" else b"[]\n"


XLSX = "xlsx"
TABLES = ("csv", XLSX)
FORMATS = {"csv": csv_pieces, XLSX: xlsx_pieces, "jsonl": jsonl_pieces, "json": json_pieces}
MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    XLSX: spreadsheets.MEDIA_TYPE,
    "jsonl": "application/x-ndjson",
    "json": "application/json",
}


def _with_columns(document: bytes) -> bytes:
    """A record with what an import takes from it under names of its own."""
    record = orjson.loads(document)
    account = record["charge_account"] or {}
    more = {
        "charge_account_number": account.get("number"),
        "charge_account_retired": account.get("retired"),
        "level": (record.get("loyalty") or {}).get("level"),
    }
    return document[:-1] + b"," + orjson.dumps(more)[1:]


def cells(record: dict[str, Any]) -> list[str | int]:
    """A record, whose decimals are texts, as a row under COLUMNS, harmless to spreadsheets."""
    row: list[str | int] = [""] * len(COLUMNS)

    def put(place: int, value: Any) -> None:
        if value is None or value == "":
            return
        if value is True or value is False:
            row[place] = "yes" if value else "no"
        else:
            row[place] = neutralise(value) if type(value) is str else value

    for name, place in _PLAIN:
        put(place, record[name])
    account = record["charge_account"]
    if account:
        put(_PLACES["charge_account_number"], account["number"])
        put(_PLACES["charge_account_retired"], account["retired"])
    put(_PLACES["level"], (record.get("loyalty") or {}).get("level"))
    put(_PLACES["reachable"], " ".join(record["reachable"]))
    for list_name, slots in _COUNT.items():
        items = record[list_name]
        for slot, item in zip(slots, items, strict=False):
            for place, key in _CELLS[list_name, slot]:
                put(place, item[key])
        if len(items) > len(slots):
            put(_PLACES[list_name], _json(_kept(list_name, items)))
    for column, text in _lists(record).items():
        put(_PLACES[column], text)
    return row


def _lists(record: dict[str, Any]) -> dict[str, Any]:
    """The consents, labels and groups of a record by column."""
    found: dict[str, Any] = {}
    evidence = False
    for consent in record["consents"]:
        purpose = consent["purpose"]
        if purpose in PURPOSES:
            found[f"consent_{purpose}"] = consent["granted"]
            found[f"consent_{purpose}_at"] = consent["at"]
        evidence |= purpose not in PURPOSES or any(
            consent[name] for name in ("store", "source", "wording_version")
        )
    if evidence:
        found["consents"] = _json(_kept("consents", record["consents"]))
    if record["labels"]:
        labels = [{"key": label["key"], "value": label["value"]} for label in record["labels"]]
        found["labels"] = _joined(
            "labels", [f"{label['key']}:{label['value']}" for label in labels], labels
        )
    # Somebody who is in a group but wants nothing of it is left out: a list of codes cannot say it.
    codes = [group["code"] for group in record.get("groups", ()) if group["subscribed"]]
    if codes:
        found["groups"] = _joined("groups", codes, codes)
    return found


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
    return json.dumps(items, ensure_ascii=False)


def _taken(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode()
