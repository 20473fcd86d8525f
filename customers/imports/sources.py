"""A file that rows are read from: its bytes, to be opened again and again, and what a source is."""

import io
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TextIO

from . import charsets
from .errors import FileError

# The kinds of which every row has the columns of one header.
TABLES = ("csv", "xlsx")
FIELD_LIMIT = 128 * 1024
RECORD_LIMIT = 1 << 20
COLUMN_LIMIT = 1000


class RawRow(NamedTuple):
    """One record: the physical line where it starts, and its values by column."""

    line: int
    values: dict[str, Any]


class Checked(NamedTuple):
    """What the structural pass counted."""

    rows: int
    blank_lines: int


class Input:
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

    `kind` is csv, xlsx, jsonl, json or xml; `encoding` the name of the encoding; `delimiter` the
    character between cells (None for all but CSV); `header` the columns in their order (for JSON:
    the keys of the first records, in the order of their first appearance). `is_table` says that
    every row has the columns of the header and no others. Iterating yields RawRow and may raise
    FileError at any row. One iteration at a time where a file object was given.
    """

    kind: str
    is_table = False

    def __init__(self, source: Input, charset: charsets.Charset):
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
