"""The refused rows as a file of the same form, to be mended and sent again."""

import csv
import io
import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from customers.models import ImportRun

from .cells import neutralise
from .errors import FileError
from .guessing import fold, is_secret
from .mapping import ShapedRow
from .planning import Plan
from .sealed import chunks_of
from .sources import TABLES
from .targets import REASON


class Rejects:
    """Collects refused rows; used as the `on_refused` of an import, and as a context manager.

    The file has the columns of the source and one more that says why (an import passes over it),
    in UTF-8 with the source's delimiter (a comma for a workbook); for JSON sources it is JSON
    lines. It is made with the first refused row. Columns of passwords are left blank: what is not
    imported is not handed on.
    Raises FileError where it cannot be written.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self.n_rows = 0
        self._file: Any = None
        self._write: Any = None

    def __enter__(self) -> "Rejects":
        return self

    def __exit__(self, *exception: object) -> None:
        if self._file:
            self._file.close()

    def __call__(self, plan: Plan, shaped: ShapedRow, faults: list[dict[str, Any]]) -> None:
        if self._file is None:
            self._open(plan)
        for row in rows_with_reason([raw.values for raw in shaped.raw], faults):
            self._write(row)
            self.n_rows += 1

    def _open(self, plan: Plan) -> None:
        try:
            self._file = self.path.open("w", encoding="utf-8", newline="")
        except OSError as fault:
            raise FileError(f"{self.path} cannot be written: {fault.strerror}") from None
        source = plan.source
        self._write = row_writer(self._file, source.kind, source.delimiter, source.header)


def row_writer(file: Any, kind: str, delimiter: str | None, header: list[str]) -> Any:
    """A function that writes one row (its values by column) to `file`, whose head is written at
    once: CSV with these columns for a table, anything else as JSON lines."""
    if kind not in TABLES:

        def write_json(values: dict[str, Any]) -> None:
            kept = {name: value for name, value in values.items() if not is_secret(name)}
            file.write(json.dumps(kept, ensure_ascii=False, default=str) + "\n")

        return write_json
    secret = {name for name in header if is_secret(name)}
    columns = [name for name in header if fold(name) != fold(REASON)] + [REASON]
    writer = csv.writer(file, delimiter=delimiter or ",")
    writer.writerow(columns)

    def write(values: dict[str, Any]) -> None:
        writer.writerow(
            "" if name in secret else neutralise(str(values.get(name) or "")) for name in columns
        )

    return write


def rows_with_reason(rows: list[dict[str, Any]], faults: list[dict[str, Any]]) -> Iterator[dict]:
    """The rows of one refused customer, the first one with the reasons."""
    reason = "; ".join(
        f"{fault['column']}: {fault['message']}" if fault["column"] else fault["message"]
        for fault in faults
    )
    for values in rows:
        yield {**values, REASON: reason}
        # The further rows of the same customer need not say it again.
        reason = ""


def refused_rows(run: ImportRun) -> Iterator[str]:
    """The refused rows of an import on record as a file of the same form, in pieces of text;
    nothing where none was refused or they are no longer kept."""
    out, write = io.StringIO(), None
    for chunk in chunks_of(run):
        for rows, faults in chunk["refused"]:
            values = [values for _line, values in rows]
            if write is None:
                kind, delimiter = run.facts.get("kind", "csv"), run.facts.get("delimiter") or ","
                write = row_writer(out, kind, delimiter, list(values[0]))
            for row in rows_with_reason(values, faults):
                write(row)
        yield out.getvalue()
        out.seek(0)
        out.truncate()


def write_refused(run: ImportRun, path: str | Path) -> int:
    """Write them to a file, where there are any; how many characters. Raises FileError."""
    n_characters = 0
    try:
        with ExitStack() as stack:
            file = None
            for piece in filter(None, refused_rows(run)):
                if file is None:
                    file = stack.enter_context(Path(path).open("w", encoding="utf-8", newline=""))
                n_characters += file.write(piece)
    except OSError as fault:
        raise FileError(f"{path} cannot be written: {fault.strerror}") from None
    return n_characters
