"""From the bytes of a file to rows: CSV, Excel, JSON lines, JSON and XML, checked for their form.

Whatever is wrong with the form (a wrong encoding, a cut-off end, a row with too few cells) is a
FileError with its line, and the importer then writes nothing. A source can be read as often as
one likes, so that a first pass proves the form of the whole file before the second one writes.
Memory stays flat: no more than one record is held at a time, and a record has a largest size.
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from . import charsets, json_rows, xml_rows
from .csv_rows import CsvSource
from .errors import FileError
from .sources import COLUMN_LIMIT, FIELD_LIMIT, RECORD_LIMIT, Checked, Input, RawRow, Source
from .xlsx_rows import XlsxSource

__all__ = [
    "COLUMN_LIMIT", "FIELD_LIMIT", "KINDS", "RECORD_LIMIT", "Checked", "FileError", "RawRow",
    "Source", "open_rows",
]  # fmt: skip

XLSX, XML = "xlsx", "xml"
KINDS = ("csv", XLSX, "jsonl", "json")
HEADER_SAMPLE = 200

_ARCHIVE = b"PK\x03\x04"
_OTHER_FILES = (
    (b"PK\x05\x06", "an empty zip archive"),
    (
        b"\xd0\xcf\x11\xe0",
        "an old Excel workbook or one with a password; save it as .xlsx without a password",
    ),
    (b"\x1f\x8b", "a gzip archive; unpack it first"),
    (b"%PDF", "a PDF document"),
    (b"SQLite format 3", "an SQLite database"),
)
_SUFFIX_KINDS = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".tab": "csv",
    ".jsonl": "jsonl", ".ndjson": "jsonl",
}  # fmt: skip
_EXCEL_SUFFIXES = frozenset((".xlsx", ".xlsm"))


def open_rows(
    path_or_file: str | Path | BinaryIO,
    *,
    kind: str | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    sheet: str | None = None,
    workbook: type[XlsxSource] = XlsxSource,
) -> Source:
    """Open a customer file and find out how it is written.

    What is given wins; what is not given is found out: the kind by the name and the first
    character, the encoding by `charsets.settle`, the delimiter by the header, the sheet of a
    workbook by its place (the first that is seen). Where two answers are equally good, a FileError
    asks for the right one. Raises FileError for a file that is empty, binary, undecodable or
    without a usable header; rows are checked as they are read, those of a workbook at once.
    """
    if kind is not None and kind not in (*KINDS, XML):
        raise FileError(f"unknown kind of file “{kind}”; one of {', '.join(KINDS)}")
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n\0 '):
        raise FileError("the delimiter has to be one character, such as , ; | or a tab")
    source = Input(path_or_file)
    with source.open() as binary:
        start = binary.read(64)
        if not start:
            raise FileError("the file is empty")
        for magic, what in _OTHER_FILES:
            if start.startswith(magic):
                raise FileError(f"this is no file of rows but {what}")
        if start.startswith(_ARCHIVE):
            if kind not in (None, XLSX):
                raise FileError(f"this is an Excel workbook or another zip archive, not {kind}")
            return workbook(source, sheet)
        if kind == XLSX or (kind is None and source.suffix in _EXCEL_SUFFIXES):
            raise FileError("this is no Excel workbook, whatever it is called; save it as .xlsx")
        if sheet is not None:
            raise FileError("only an Excel workbook has sheets")
        if kind == XML or (kind is None and _looks_like_xml(source.suffix, start)):
            return _XmlSource(source)
        json_by_name = kind in ("jsonl", "json") or source.suffix in (".jsonl", ".ndjson", ".json")
        charset = charsets.settle(binary, encoding, fallback=not json_by_name)
    first = _first_character(source, charset)
    if not first:
        raise FileError("the file is empty")
    found = kind or _kind_by_look(source.suffix, first)
    if found == "csv":
        return CsvSource(source, charset, delimiter)
    if not (encoding or json_by_name):
        # Only its first character said that this is JSON, and JSON is Unicode.
        with source.open() as binary:
            charset = charsets.settle(binary, fallback=False)
    return _JsonSource(source, charset, found)


def _first_character(source: Input, charset: charsets.Charset) -> str:
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


class _JsonSource(Source):
    def __init__(self, source: Input, charset: charsets.Charset, kind: str):
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

    def __init__(self, source: Input):
        self._input = source
        self.encoding = "as the file declares"
        self.delimiter = None
        with source.open() as binary:
            self._xml = xml_rows.kind_of(binary)
        self.header = list(self._xml.columns)

    def _records(self) -> Iterator[tuple[int, dict[str, Any] | None]]:
        with self._input.open() as binary:
            yield from xml_rows.read_elements(binary, self._xml)
