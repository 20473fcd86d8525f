"""Customers as CSV and JSON lines, in the columns and the shape that an import takes back.

Rows stream through `records` in batches, so that memory stays flat. In CSV the first contact
points, addresses and consents stand in columns of their own; a list that says more than its
columns hold stands whole, as JSON, in one more (`emails`, `addresses`, …). A cell that a
spreadsheet could take for a formula gets an apostrophe, which an import takes off again.
"""

import csv
import json
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, TextIO

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


def export_csv(customers: CustomerQuerySet, out: TextIO) -> int:
    """Write the customers to a text file opened with newline=""; returns how many."""
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    n_rows = 0
    for record in exported(customers):
        cells = flat(record)
        writer.writerow([neutralise(_text(cells.get(name))) for name in COLUMNS])
        n_rows += 1
    return n_rows


def export_jsonl(customers: CustomerQuerySet, out: TextIO) -> int:
    """Write one JSON object per line, with whole lists; returns how many."""
    n_rows = 0
    for record in exported(customers):
        out.write(json.dumps(record, ensure_ascii=False, default=_text) + "\n")
        n_rows += 1
    return n_rows


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
