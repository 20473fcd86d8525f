"""The rows of a CSV file: its delimiter, its header, and the form of every row."""

import csv
import io
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, TextIO

from . import charsets
from .cells import restore
from .errors import FileError
from .sources import COLUMN_LIMIT, FIELD_LIMIT, RECORD_LIMIT, Input, Source

DELIMITERS = (",", ";", "\t", "|")
SAMPLE = 1 << 16

_SPOKEN = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n?$", re.IGNORECASE)
_ADDRESS_LIKE = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+$")


class _Lines:
    """The lines of a CSV file on their way into the csv module, counted and measured."""

    def __init__(self, text: TextIO):
        self.text = text
        self.number = 0
        self.start = 1
        self.size = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self.text.readline(RECORD_LIMIT)
        if not line:
            raise StopIteration
        self.number += 1
        if "\0" in line:
            hint = "" if self.number > 1 else " (is this UTF-16? then name the encoding)"
            raise FileError(f"contains a NUL character{hint}", line=self.number)
        self.size += len(line)
        if self.size >= RECORD_LIMIT:
            raise FileError(
                f"a record is longer than {RECORD_LIMIT} characters; "
                "perhaps a quotation mark is missing",
                line=self.start,
            )
        return line

    def next_record(self) -> None:
        self.start = self.number + 1
        self.size = 0


class CsvSource(Source):
    """A CSV file."""

    kind = "csv"
    is_table = True

    def __init__(self, source: Input, charset: charsets.Charset, delimiter: str | None):
        super().__init__(source, charset)
        with source.text(charset.codec, "") as text:
            declared = _SEPARATOR_LINE.match(text.readline(16))
            self._declares_delimiter = bool(declared)
        if declared:
            delimiter = delimiter or declared[1]
        self.delimiter = delimiter or self._sniff_delimiter()
        line, header = next(((n, c) for n, c in self._cells() if c), (1, []))
        self.header = [name.strip() for name in header]
        # Columns at the end without a name lose nothing while they are empty: see _check_width.
        while len(self.header) > 1 and not self.header[-1]:
            self.header.pop()
        check_header(self.header, line)

    def _sniff_delimiter(self) -> str:
        with self._input.text(self._charset.codec, "") as text:
            sample = text.read(SAMPLE)
            cut = bool(text.read(1))
        scores = {}
        for candidate in DELIMITERS:
            reader = csv.reader(io.StringIO(sample, newline=""), delimiter=candidate)
            try:
                records = [cells for cells in islice(reader, 50) if any(cells)]
            except csv.Error:
                # The strict reading names such a fault with its line.
                records = []
            if cut and len(records) > 1:
                records.pop()
            if not records or len(records[0]) < 2:
                continue
            width = len(records[0])
            fits = all(
                len(cells) == width or (len(cells) > width and not any(cells[width:]))
                for cells in records
            )
            scores[candidate] = (fits, width)
        if not scores:
            return ","
        best = max(scores.values())
        winners = [candidate for candidate, score in scores.items() if score == best]
        if len(winners) > 1:
            names = " or ".join(_SPOKEN[one] for one in winners)
            message = f"the columns may be separated by {names}; name the delimiter"
            raise FileError(message, line=1, asks="delimiter")
        return winners[0]

    def _cells(self) -> Iterator[tuple[int, list[str] | None]]:
        """Line and cells of every record; None for one without any content."""
        with self._input.text(self._charset.codec, "") as text:
            lines = _Lines(text)
            if self._declares_delimiter:
                next(lines)
            reader = csv.reader(lines, delimiter=self.delimiter, strict=True)
            while True:
                lines.next_record()
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error as fault:
                    raise _csv_fault(fault, lines) from None
                # The module's own limit can be changed by anybody in the process.
                if lines.size > FIELD_LIMIT and any(len(cell) > FIELD_LIMIT for cell in cells):
                    raise _field_too_long(lines.start)
                yield lines.start, cells if any(cells) else None

    def _records(self) -> Iterator[tuple[int, dict[str, Any] | None]]:
        header, width = self.header, len(self.header)
        records = self._cells()
        try:
            next(cells for _, cells in records if cells)
            for line, cells in records:
                if cells is None:
                    yield line, None
                    continue
                if len(cells) != width:
                    self._check_width(line, cells)
                yield (
                    line,
                    {
                        name: restore(cell) if cell[:1] == "'" else cell
                        for name, cell in zip(header, cells, strict=False)
                    },
                )
        finally:
            records.close()

    def _check_width(self, line: int, cells: list[str]) -> None:
        width = len(self.header)
        if len(cells) < width:
            raise FileError(
                f"the row has {len(cells)} cells, the header {width}: a cell is missing "
                "(an empty one counts, too), or the file is cut off here",
                line=line,
            )
        # Some shops end each row with one more delimiter; nothing is lost with empty cells.
        if any(cells[width:]):
            raise FileError(
                f"the row has {len(cells)} cells, the header {width}: a column has no name, or "
                f"a {_SPOKEN.get(self.delimiter, 'delimiter')} inside a cell needs quotation marks",
                line=line,
            )


def _field_too_long(line: int) -> FileError:
    return FileError(
        f"a cell is longer than {FIELD_LIMIT} characters; perhaps a quotation mark is missing",
        line=line,
    )


def _csv_fault(fault: csv.Error, lines: _Lines) -> FileError:
    words = str(fault)
    if "field larger" in words:
        return _field_too_long(lines.start)
    if "unexpected end" in words:
        return FileError(
            "a quotation mark opens here or below and is never closed: the file is cut off, "
            "or the mark is missing",
            line=lines.start,
        )
    if "expected after" in words:
        return FileError(
            "text follows a closing quotation mark; marks inside a cell have to be doubled",
            line=lines.number,
        )
    return FileError(f"the row cannot be read ({words})", line=lines.number)


def check_header(header: list[str], line: int) -> None:
    """Refuse a header with a blank name, one name twice, or data instead of names."""
    if not header:
        raise FileError("the file has no header")
    if len(header) > COLUMN_LIMIT:
        raise FileError(f"the header has more than {COLUMN_LIMIT} columns", line=line)
    seen: dict[str, int] = {}
    for position, name in enumerate(header, 1):
        if not name:
            raise FileError(
                f"the header cell in position {position} is blank; "
                "give the column a name or take it out",
                line=line,
                column=position,
            )
        if name in seen:
            raise FileError(
                f"the column “{name}” stands twice, in positions {seen[name]} and {position}; "
                "give one of them another name or take it out",
                line=line,
                column=position,
            )
        if _ADDRESS_LIKE.match(name):
            raise FileError(
                f"the first line has to name the columns, but “{name}” looks like data",
                line=line,
                column=position,
            )
        seen[name] = position
