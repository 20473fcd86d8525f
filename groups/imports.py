"""Groups from a file: the whole file is understood first, then written in one transaction."""

from dataclasses import dataclass, field
from pathlib import Path

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from customers.imports.errors import FileError
from customers.imports.readers import open_rows
from customers.imports.rejects import row_writer, rows_with_reason
from customers.imports.targets import REASON
from groups.models import Group
from groups.services import create_group, update_group
from groups.services.managing import clean_column

# A file of groups is typed or exported by people; one that is larger is another kind of file.
MOST_ROWS = 10_000


@dataclass(slots=True)
class Report:
    """What an import did, or would do: `created`, `updated`, `unchanged`, `skipped` and `refused`
    add up to `lines`. Where anything is refused nothing is written and the rest is skipped."""

    lines: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    refused: int = 0
    errors: list = field(default_factory=list)

    def as_dict(self):
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(slots=True)
class _Row:
    line: int
    raw: dict
    values: dict = field(default_factory=dict)
    parent: str | None = None
    names_parent: bool = False
    source: dict = field(default_factory=dict)


class _RolledBack(Exception):
    """Undoes what a dry run wrote."""


def import_groups(path_or_file, *, dry_run=False, errors=None, **reading):
    """Create and update groups of the active tenant by their code; returns a Report.

    Columns: the names of Group.FIELDS, `code` among them. A column that is not there stays as it
    is, an empty cell empties (title and subscribable stay). A parent may stand anywhere in the
    file or be there already. The same file again changes nothing. `reading` goes to `open_rows`.
    Where a row is refused nothing is written; `errors`, a path, then becomes the whole file once
    more, with the reasons beside the refused rows, to be mended and sent again. Raises FileError
    where that cannot be written.
    """
    report = Report()
    try:
        source = open_rows(path_or_file, **reading)
        rows = _read(source, report)
    except FileError as error:
        # The form of the file is wrong: nothing in it can be trusted, what was read is skipped.
        report = Report(lines=report.lines, skipped=report.lines)
        _add_error(report, error.line, error.column, None, error.message)
        return report
    existing = {group.code: group for group in Group.objects.select_related("parent")}
    _check_parents(rows, existing, report)
    report.refused = len({error["line"] for error in report.errors})
    if report.errors:
        report.skipped = report.lines - report.refused
    else:
        _write_all(rows, existing, report, dry_run)
    if report.errors and errors:
        _hand_back(errors, source, rows, report)
    return report


def _write_all(rows, existing, report, dry_run):
    try:
        with transaction.atomic():
            for row in _from_the_top(rows):
                _write(row, existing, report)
            if report.errors or dry_run:
                raise _RolledBack
    except _RolledBack:
        if report.errors:
            report.created = report.updated = report.unchanged = 0
            report.refused = len(report.errors)
            report.skipped = report.lines - report.refused


def _hand_back(path, source, rows, report):
    try:
        with Path(path).open("w", encoding="utf-8", newline="") as file:
            write = row_writer(file, source.kind, source.delimiter, source.header)
            for row in rows:
                faults = [error for error in report.errors if error["line"] == row.line]
                for values in rows_with_reason([row.source], faults):
                    write(values)
    except OSError as fault:
        raise FileError(f"{path} cannot be written: {fault.strerror}") from None


def _read(source, report):
    names = {name: name.strip().lower() for name in source.header}
    if source.is_table:
        _check_header(names)
    rows, lines = [], {}
    for raw in source:
        report.lines += 1
        if report.lines > MOST_ROWS:
            raise FileError(_("more than %d groups") % MOST_ROWS, line=raw.line)
        row = _clean_row(raw.line, _by_field(raw, names), report)
        row.source = raw.values
        code = row.values.get("code")
        if code in lines:
            first = _("stands in line %d already") % lines[code]
            _add_error(report, row.line, "code", code, first)
        elif code:
            lines[code] = row.line
        rows.append(row)
    return rows


def _check_header(names):
    seen = set()
    for name, field_name in names.items():
        if field_name == REASON:
            continue
        if field_name not in Group.FIELDS:
            known = ", ".join(Group.FIELDS)
            raise FileError(
                _("unknown column “%(name)s”; known: %(known)s") % {"name": name, "known": known},
                line=1,
            )
        if field_name in seen:
            raise FileError(_("the column “%s” stands twice") % field_name, line=1)
        seen.add(field_name)
    if "code" not in seen:
        raise FileError(_("the column “code” is missing"), line=1)


def _by_field(raw, names):
    # A key that only a late line of a JSON file has was not in the header.
    return {names.get(name, name.strip().lower()): value for name, value in raw.values.items()}


def _clean_row(line, raw, report):
    row = _Row(line, raw)
    for name, value in raw.items():
        if name == REASON:
            continue
        if name not in Group.FIELDS:
            _add_error(report, line, name, value, _("unknown column"))
        elif name in ("title", "subscribable") and value in (None, ""):
            continue
        elif name == "parent":
            row.names_parent = True
            row.parent = _collect(report, row, name, "code", value)
        else:
            row.values[name] = _collect(report, row, name, name, value)
    if not row.values.get("code") and not any(e["line"] == line for e in report.errors):
        _add_error(report, line, "code", raw.get("code"), _("a code is needed"))
    return row


def _collect(report, row, column, cleaner, value):
    try:
        return clean_column(cleaner, value)
    except ValidationError as error:
        _add_error(report, row.line, column, value, " ".join(error.messages))
        return None


def _check_parents(rows, existing, report):
    """Look at the tree as it will be: every parent there, nobody below itself."""
    by_code = {row.values["code"]: row for row in rows if row.values.get("code")}
    parents = {code: group.parent and group.parent.code for code, group in existing.items()}
    for code, row in by_code.items():
        if row.names_parent:
            if row.parent and row.parent not in by_code and row.parent not in existing:
                _add_error(report, row.line, "parent", row.parent, _("no such group"))
            parents[code] = row.parent
        else:
            parents.setdefault(code, None)
    sound = set()
    for code, row in by_code.items():
        path, step = [], code
        while step is not None and step not in sound and step not in path:
            path.append(step)
            step = parents.get(step)
        if step is not None and step in path:
            if code in path[path.index(step) :]:
                message = _("a group cannot stand below itself or one of its own")
                _add_error(report, row.line, "parent", row.parent, message)
        else:
            sound.update(path)


def _from_the_top(rows):
    """The rows with every parent before its children, so that each step finds a sound tree."""
    by_code = {row.values["code"]: row for row in rows}
    done, ordered = set(), []
    for row in rows:
        waiting = []
        while row is not None and row.values["code"] not in done:
            done.add(row.values["code"])
            waiting.append(row)
            row = by_code.get(row.parent)
        ordered += reversed(waiting)
    return ordered


def _write(row, existing, report):
    code = row.values["code"]
    values = dict(row.values)
    if row.names_parent:
        values["parent"] = existing[row.parent] if row.parent else None
    try:
        before = existing.get(code)
        if before is None:
            existing[code] = create_group(**values)
            report.created += 1
            return
        after = update_group(before, **values)
    except ValidationError as error:
        # Somebody else changed the tree since it was looked at.
        message = " ".join(error.messages)
        column = next(iter(getattr(error, "error_dict", {"code": None})))
        _add_error(report, row.line, column, row.raw.get(column), message)
        return
    existing[code] = after
    if all(getattr(after, name) == getattr(before, name) for name in Group.FIELDS):
        report.unchanged += 1
    else:
        report.updated += 1


def _add_error(report, line, column, value, message):
    report.errors.append({"line": line, "column": column, "value": value, "message": message})
