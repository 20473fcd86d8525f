"""From the bytes of a file to rows: CSV, JSON lines, JSON and XML, checked for their form only.

Whatever is wrong with the form (a wrong encoding, a cut-off end, a row with too few cells) is a
FileError with its line, and the importer then writes nothing. A source can be read as often as
one likes, so that a first pass proves the form of the whole file before the second one writes.
Memory stays flat: no more than one record is held at a time, and a record has a largest size.
"""

import csv
import io
import re
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TextIO

from . import charsets, json_rows, xml_rows
from .cells import restore
from .errors import FileError

__all__ = ["Checked", "FileError", "RawRow", "Source", "open_rows"]

KINDS = ("csv", "jsonl", "json")
XML = "xml"
DELIMITERS = (",", ";", "\t", "|")
FIELD_LIMIT = 128 * 1024
RECORD_LIMIT = 1 << 20
COLUMN_LIMIT = 1000
SAMPLE = 1 << 16
HEADER_SAMPLE = 200

_SPOKEN = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_OTHER_FILES = (
    (b"PK\x03\x04", "an Excel workbook or a zip archive; save it as CSV in UTF-8"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook; save it as CSV in UTF-8"),
    (b"\x1f\x8b", "a gzip archive; unpack it first"),
    (b"%PDF", "a PDF document"),
    (b"SQLite format 3", "an SQLite database"),
)
_SUFFIX_KINDS = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".tab": "csv",
    ".jsonl": "jsonl", ".ndjson": "jsonl",
}  # fmt: skip
_SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n?$", re.IGNORECASE)
_ADDRESS_LIKE = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+$")


class RawRow(NamedTuple):
    """One record: the physical line where it starts, and its values by column."""

    line: int
    values: dict[str, Any]


class Checked(NamedTuple):
    """What the structural pass counted."""

    rows: int
    blank_lines: int


class _Input:
    """The bytes behind a source, to be opened again and again."""

    def __init__(self, path_or_file: str | Path | BinaryIO):
        self.path = self.file = None
        if isinstance(path_or_file, (str, Path)):
            self.path = Path(path_or_file)
            self.suffix = self.path.suffix.lower()
            return
        file = path_or_file
        if isinstance(file, io.TextIOBase):
            raise TypeError("open_rows needs a file opened in binary mode")
        self.suffix = Path(str(getattr(file, "name", ""))).suffix.lower()
        seekable = getattr(file, "seekable", None)
        if seekable is None or not seekable():
            # A pipe can be read once; the two passes need it twice.
            copy = tempfile.TemporaryFile()  # noqa: SIM115 - closed with this object
            weakref.finalize(self, copy.close)
            while chunk := file.read(charsets.CHUNK):
                copy.write(chunk)
            file = copy
        self.file = file

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        if self.path is None:
            self.file.seek(0)
            yield self.file
            return
        try:
            file = self.path.open("rb")
        except OSError as fault:
            raise FileError(f"the file cannot be opened: {fault.strerror}") from None
        with file:
            yield file

    @contextmanager
    def text(self, codec: str, newline: str) -> Iterator[TextIO]:
        with self.open() as binary:
            text = io.TextIOWrapper(binary, encoding=codec, newline=newline)
            try:
                yield text
            except UnicodeDecodeError:
                raise FileError("the file changed while it was read") from None
            finally:
                # The wrapper must not close a file that somebody else opened.
                text.detach()


class Source:
    """A readable file: what was found out about it, and its rows as often as wanted.

    `kind` is csv, jsonl or json; `encoding` the name of the encoding; `delimiter` the character
    between cells (None for JSON); `header` the columns in their order (for JSON: the keys of
    the first records, in the order of their first appearance). Iterating yields RawRow and may
    raise FileError at any row. One iteration at a time where a file object was given.
    """

    kind: str

    def __init__(self, source: _Input, charset: charsets.Charset):
        self._input = source
        self._charset = charset
        self.encoding = charset.name
        self.delimiter: str | None = None
        self.header: list[str] = []

    def __iter__(self) -> Iterator[RawRow]:
        for line, values in self._records():
            if values is not None:
                yield RawRow(line, values)

    def check(self) -> Checked:
        """Read the whole file once for its form; raises the FileError of the first fault."""
        rows = blank = 0
        for _, values in self._records():
            if values is None:
                blank += 1
            else:
                rows += 1
        return Checked(rows, blank)

    def _records(self) -> Iterator[tuple[int, dict[str, Any] | None]]:
        raise NotImplementedError


def open_rows(
    path_or_file: str | Path | BinaryIO,
    *,
    kind: str | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
) -> Source:
    """Open a customer file and find out how it is written.

    What is given wins; what is not given is found out: the kind by the name and the first
    character, the encoding by `charsets.settle`, the delimiter by the header. Where two answers
    are equally good, a FileError asks for the right one. Raises FileError for a file that is
    empty, binary, undecodable or without a usable header; rows are checked as they are read.
    """
    if kind is not None and kind not in (*KINDS, XML):
        raise FileError(f"unknown kind of file “{kind}”; one of {', '.join(KINDS)}")
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n\0 '):
        raise FileError("the delimiter has to be one character, such as , ; | or a tab")
    source = _Input(path_or_file)
    with source.open() as binary:
        start = binary.read(64)
        if not start:
            raise FileError("the file is empty")
        for magic, what in _OTHER_FILES:
            if start.startswith(magic):
                raise FileError(f"this is not a text file but {what}")
        if kind == XML or (kind is None and _looks_like_xml(source.suffix, start)):
            return _XmlSource(source)
        json_by_name = kind in ("jsonl", "json") or source.suffix in (".jsonl", ".ndjson", ".json")
        charset = charsets.settle(binary, encoding, fallback=not json_by_name)
    first = _first_character(source, charset)
    if not first:
        raise FileError("the file is empty")
    found = kind or _kind_by_look(source.suffix, first)
    if found == "csv":
        return _CsvSource(source, charset, delimiter)
    if not (encoding or json_by_name):
        # Only its first character said that this is JSON, and JSON is Unicode.
        with source.open() as binary:
            charset = charsets.settle(binary, fallback=False)
    return _JsonSource(source, charset, found)


def _first_character(source: _Input, charset: charsets.Charset) -> str:
    with source.text(charset.codec, "") as text:
        while chunk := text.read(4096):
            if stripped := chunk.lstrip():
                return stripped[0]
    return ""


def _kind_by_look(suffix: str, first: str) -> str:
    if suffix in _SUFFIX_KINDS:
        return _SUFFIX_KINDS[suffix]
    if first == "[":
        return "json"
    return "jsonl" if first == "{" or suffix == ".json" else "csv"


def _looks_like_xml(suffix: str, start: bytes) -> bool:
    if suffix == ".xml":
        return True
    return suffix not in _SUFFIX_KINDS and start.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<"


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


class _CsvSource(Source):
    kind = "csv"

    def __init__(self, source: _Input, charset: charsets.Charset, delimiter: str | None):
        super().__init__(source, charset)
        with source.text(charset.codec, "") as text:
            declared = _SEPARATOR_LINE.match(text.readline(16))
            self._declares_delimiter = bool(declared)
        if declared:
            delimiter = delimiter or declared[1]
        self.delimiter = delimiter or self._sniff_delimiter()
        line, header = next(((n, c) for n, c in self._cells() if c), (1, []))
        self.header = [name.strip() for name in header]
        self._check_header(line)

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
            raise FileError(f"the columns may be separated by {names}; name the delimiter", line=1)
        return winners[0]

    def _check_header(self, line: int) -> None:
        if not self.header:
            raise FileError("the file has no header")
        if len(self.header) > COLUMN_LIMIT:
            raise FileError(f"the header has more than {COLUMN_LIMIT} columns", line=line)
        seen: dict[str, int] = {}
        for position, name in enumerate(self.header, 1):
            if not name:
                raise FileError(
                    f"the header cell in position {position} is blank; "
                    "give the column a name or take it out",
                    line=line,
                    column=position,
                )
            if name in seen:
                raise FileError(
                    f"the column “{name}” stands twice, in positions {seen[name]} and {position}",
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
                f"the row has {len(cells)} cells, the header {width}: a cell is missing, "
                "or the file is cut off here",
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


class _JsonSource(Source):
    def __init__(self, source: _Input, charset: charsets.Charset, kind: str):
        super().__init__(source, charset)
        self.kind = kind
        keys: dict[str, None] = {}
        for row in islice(self, HEADER_SAMPLE):
            keys.update(dict.fromkeys(row.values))
            if len(keys) > COLUMN_LIMIT:
                raise FileError(f"more than {COLUMN_LIMIT} different keys", line=row.line)
        self.header = list(keys)

    def _records(self) -> Iterator[tuple[int, dict[str, Any] | None]]:
        with self._input.text(self._charset.codec, "\n") as text:
            read = json_rows.read_lines if self.kind == "jsonl" else json_rows.read_list
            yield from read(text)


class _XmlSource(Source):
    """XML of a kind that is known: one element for each customer, whose parts are the columns."""

    kind = XML

    def __init__(self, source: _Input):
        self._input = source
        self.encoding = "as the file declares"
        self.delimiter = None
        with source.open() as binary:
            self._xml = xml_rows.kind_of(binary)
        self.header = list(self._xml.columns)

    def _records(self) -> Iterator[tuple[int, dict[str, Any] | None]]:
        with self._input.open() as binary:
            yield from xml_rows.read_elements(binary, self._xml)
