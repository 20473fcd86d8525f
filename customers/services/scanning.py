"""Looking for what should be gone: the values of a person, in every table and file."""

import json
import re
from pathlib import Path

from django.conf import settings
from django.db.models import JSONField, TextField
from django.db.models.functions import Cast

from customers.privacy import is_text, registry
from customers.services.holdings import Holdings
from customers.services.scanning_elsewhere import (
    SHOWN_ROWS,
    hits_elsewhere,
    rows_about,
    text_columns,
)

FEWEST = 3
# In a picture's bytes, a random file name or the ids of the journal three letters stand by chance.
FEWEST_IN_FILES = 6
# An id in a text: so many letters of it in a row are no chance any more.
ID = re.compile(r"[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}")
FEWEST_IN_IDS = 8
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
    have no tenant. In files only values of six characters and more are looked for. Reads whole
    tables: minutes where there are many rows; `scan_own_rows` answers at once.
    """
    report = scan_own_rows(customer_id, values)
    wanted = long_enough(values)
    report["elsewhere"] = []
    for table in registry.tables.values():
        report["elsewhere"] += hits_elsewhere(table, customer_id, wanted)
        if not table.is_about_customers:
            report["searched"] += len(text_columns(table)) if wanted else 0
    left, n_files = hits_in_files(wanted)
    report["left"] += left
    report["searched"] += n_files
    report["clean"] = not report["left"]
    return report


def scan_own_rows(customer_id, values):
    """Search the rows about this customer, and about what was merged into it, for `values`.

    Returns {"clean", "left", "kept", "searched", "too_short"}, as `scan_for` does.
    """
    wanted = long_enough(values)
    too_short = sorted({str(value) for value in values if value is not None} - set(wanted))
    report = {"left": [], "kept": [], "searched": 0, "too_short": too_short}
    for table in registry.about_customers() if wanted else ():
        columns = text_columns(table)
        report["searched"] += len(columns)
        found = {column.name: [] for column in columns}
        texts = {f"text_{n}": Cast(one.attname, TextField()) for n, one in enumerate(columns)}
        rows = table.all_rows().filter(rows_about(table, customer_id)).order_by("pk")
        for key, *told in rows.annotate(**texts).values_list("pk", *texts).iterator():
            for column, text in zip(columns, told, strict=True):
                if text and _tells(text, wanted):
                    found[column.name].append(str(key))
        for column in columns:
            if keys := found[column.name]:
                keeps = table.lines[column.name].action.keeps
                report["kept" if keeps else "left"].append(
                    {
                        "table": table.label,
                        "column": column.name,
                        "count": len(keys),
                        "rows": keys[:SHOWN_ROWS],
                    }
                )
    report["clean"] = not report["left"]
    return report


def long_enough(values):
    """Of these values those that do not stand everywhere, in order."""
    texts = {str(value) for value in values if value is not None}
    return sorted(value for value in texts if len(value) >= FEWEST)


def hits_in_files(values, *, on_file=None):
    """Where values of six characters and more stand in a picture or in the journal, as hits; and
    how many files were looked at. `on_file(number)` is called after each."""
    wanted = [value for value in values if len(value) >= FEWEST_IN_FILES]
    hits, n_files = [], 0
    for path in _files():
        n_files += 1
        if _stands_in_file(path, wanted):
            hits.append({"table": "files", "column": path.name, "count": 1, "rows": [str(path)]})
        if on_file is not None:
            on_file(n_files)
    return hits, n_files


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
