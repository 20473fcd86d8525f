"""Looking for what should be gone: the values of a person, in every table and file."""

import json
import re
from pathlib import Path

from django.conf import settings
from django.db.models import JSONField, Q, TextField
from django.db.models.functions import Cast

from customers.privacy import is_text, registry
from customers.services.holdings import Holdings, merged_records

FEWEST = 3
# In a picture's bytes, a random file name or the ids of the journal three letters stand by chance.
FEWEST_IN_FILES = 6
# An id in a text: so many letters of it in a row are no chance any more.
ID = re.compile(r"[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}")
FEWEST_IN_IDS = 8
SHOWN_ROWS = 20
CHUNK = 1 << 20


def personal_values(customer):
    """Every text of this customer that an erasure must remove, longest first: what to scan for.

    Call it before the erasure. Texts of one or two characters are left out; they stand everywhere.
    """
    return _values(customer, lambda line: line.personal == "customer" and not line.action.keeps)


def identifying_values(customer):
    """The texts that name the person by themselves: names, contact points, identifiers."""
    return _values(customer, lambda line: line.identifies)


def _values(customer, wanted):
    held = Holdings(customer)
    found = {customer.code, *(record.code for record in held.records)}
    for table in registry.about_customers():
        columns = [
            table.column(line.column)
            for line in table.lines.values()
            if wanted(line) and not line.secret and _is_free_text(table.column(line.column))
        ]
        if columns and table.owner:
            names = [column.attname for column in columns]
            for row in held.rows(table):
                texts = (str(getattr(row, name) or "") for name in names)
                found.update(text.strip() for text in texts if text)
    return sorted((value for value in found if len(value) >= FEWEST), key=lambda v: (-len(v), v))


def _is_free_text(column):
    return is_text(column) and not column.choices and not isinstance(column, JSONField)


def scan_for(customer_id, values):
    """Search every text of every table and file for `values`; says where any of them still stands.

    `values` comes from `personal_values` before the erasure. Returns {"clean", "left", "kept",
    "elsewhere", "searched", "too_short"}: `left` are hits in rows of this customer and in files,
    `clean` says that there are none. `kept` are hits in this customer's columns that stay by the
    registry (a label that was called like a consent's purpose), `elsewhere` those in rows of
    others or of nobody, which may be theirs by right (a namesake, the same city). A hit is
    {"table", "column", "count", "rows"}. Looks at the active tenant's rows and at the tables that
    have no tenant. In files only values of six characters and more are looked for.
    """
    wanted = {str(value) for value in values if value is not None}
    too_short = sorted(value for value in wanted if len(value) < FEWEST)
    wanted = sorted(wanted - set(too_short))
    report = {"left": [], "kept": [], "elsewhere": [], "searched": 0, "too_short": too_short}
    for table in registry.tables.values():
        for line in table.lines.values():
            column = table.column(line.column)
            if wanted and is_text(column):
                report["searched"] += 1
                own = "kept" if line.action.keeps else "left"
                _scan_column(table, column, wanted, customer_id, report, own)
    for path in _files():
        report["searched"] += 1
        if _stands_in_file(path, [value for value in wanted if len(value) >= FEWEST_IN_FILES]):
            report["left"].append(
                {"table": "files", "column": path.name, "count": 1, "rows": [str(path)]}
            )
    report["clean"] = not report["left"]
    return report


def _scan_column(table, column, values, customer_id, report, own_list):
    condition = Q()
    for value in values:
        condition |= Q(_text__icontains=value)
        if isinstance(column, JSONField):
            # SQLite keeps JSON as it was written, with other letters than ASCII escaped.
            condition |= Q(_text__icontains=json.dumps(value)[1:-1])
    hits = (
        table.all_rows()
        .annotate(_text=Cast(column.attname, TextField()))
        .filter(condition)
        .order_by("pk")
    )
    own, elsewhere = hits.none(), hits
    if table.is_about_customers:
        own = hits.filter(_rows_of(table, customer_id))
        elsewhere = hits.exclude(_rows_of(table, customer_id))
    found = [str(key) for key, text in own.values_list("pk", "_text") if _tells(text, values)]
    n_elsewhere = elsewhere.count()
    others = elsewhere.values_list("pk", flat=True)[:SHOWN_ROWS] if n_elsewhere else ()
    for name, count, keys in (
        (own_list, len(found), found[:SHOWN_ROWS]),
        ("elsewhere", n_elsewhere, [str(key) for key in others]),
    ):
        if count:
            report[name].append(
                {"table": table.label, "column": column.name, "count": count, "rows": keys}
            )


def _tells(text, values):
    """Whether one of the values stands in a text otherwise than by chance: a short one may be a
    part of any id (`ada` of a request's)."""
    text = text.lower()
    without_ids = ID.sub(" ", text)
    return any(
        form.lower() in (text if len(value) >= FEWEST_IN_IDS else without_ids)
        for value in values
        for form in (value, json.dumps(value)[1:-1])
    )


def _rows_of(table, customer_id):
    wanted = Q()
    for record_id in (customer_id, *_ids_merged_into(customer_id)):
        if table.owner:
            wanted |= Q(**{table.owner: record_id})
        else:
            wanted |= table.select(_Erased(record_id))
    return wanted


def _ids_merged_into(customer_id):
    return [record.pk for record in merged_records(_Erased(customer_id))]


class _Erased:
    """Stands in for a customer who may be deleted: only the id is left to ask for."""

    code = ""

    def __init__(self, customer_id):
        self.pk = customer_id


def _files():
    """Every file of ours that could hold something: pictures and the erasure journal."""
    media = Path(settings.MEDIA_ROOT)
    if media.is_dir():
        yield from sorted(path for path in media.rglob("*") if path.is_file())
    journal = Path(settings.ERASURE_JOURNAL)
    if journal.is_file():
        yield journal


def _stands_in_file(path, values):
    """Whether the file's name or content holds any of the values, in any letter case of ASCII."""
    needles = [value.encode("utf-8").lower() for value in values]
    name = path.as_posix().removeprefix(Path(settings.MEDIA_ROOT).as_posix()).lower()
    if any(value.lower() in name for value in values):
        return True
    longest = max(map(len, needles), default=0)
    tail = b""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            window = tail + chunk.lower()
            if any(needle in window for needle in needles):
                return True
            tail = window[-longest:] if longest else b""
    return False
