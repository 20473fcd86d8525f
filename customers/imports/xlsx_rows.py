"""The rows of one sheet of an Excel workbook, every cell as the text that it means.

A cell is what its owner sees, as far as that is certain: a date is written year first, a number
without an exponent and without a `.0`, with the leading zeros that its format shows, a formula is
the value that was calculated last. What a spreadsheet has ruined already (a card number of sixteen
digits kept as a number) or what has no value (`#REF!`, a formula that nobody calculated) refuses
the file, with the cell.
"""

import datetime
import json
import tempfile
import weakref
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any, BinaryIO

from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH, from_excel
from openpyxl.utils.escape import unescape

from customers.spreadsheets import letters
from normalise.markup import Bounded

from .cells import restore
from .csv_rows import check_header
from .errors import FileError
from .sources import FIELD_LIMIT, RECORD_LIMIT, Checked, Input, Source
from .workbooks import SAVE_ANEW, Sheet, Workbook

LAST_ROW = 1 << 20
LAST_COLUMN = 1 << 14
# A spreadsheet keeps fifteen digits of a number; the rest it has replaced by zeros.
MOST_DIGITS = 15


class XlsxSource(Source):
    """One sheet of an Excel workbook, read once into a file of rows beside, which lies nowhere
    under a name and goes with this object."""

    kind = "xlsx"
    is_table = True

    def __init__(self, source: Input, sheet: str | None):
        self.delimiter = None
        self.header = []
        self._checked = Checked(0, 0)
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with this object
        weakref.finalize(self, self._file.close)
        with source.open() as binary:
            found = read_sheet(binary, sheet)
            self.encoding = f"sheet “{next(found).name}”"
            self._convert(found)

    def check(self) -> Checked:
        """What was counted while it was read."""
        return self._checked

    def _records(self) -> Iterator[tuple[int, dict[str, Any] | None]]:
        self._file.seek(0)
        for record in self._file:
            line, cells = json.loads(record)
            yield line, dict(zip(self.header, cells, strict=True))

    def _convert(self, found: Iterator[tuple[int, dict[int, str]]]) -> None:
        head, names = next(found, (1, {}))
        named = {column: name.strip() for column, name in names.items() if name.strip()}
        self.header = list(named.values())
        check_header(self.header, head)
        rows = blank = 0
        before = head
        for line, cells in found:
            for column, text in cells.items():
                if column not in named and text.strip():
                    place = f"{letters(column)}{line}"
                    message = f"the cell {place} has content, but its column has no name"
                    raise FileError(message, line, column)
                if len(text) > FIELD_LIMIT:
                    raise FileError(f"a cell is longer than {FIELD_LIMIT} characters", line, column)
            values = [restore(cells.get(column, "")) for column in named]
            if any(values):
                blank += line - before - 1
                rows, before = rows + 1, line
                self._file.write(_packed(line, values))
        self._file.flush()
        self._checked = Checked(rows, blank)


def _packed(line: int, values: list[str]) -> bytes:
    try:
        packed = json.dumps([line, values], ensure_ascii=False).encode() + b"\n"
    except UnicodeEncodeError:
        raise FileError("a text contains half a character (a lone surrogate)", line) from None
    if b"\\u0000" in packed and any("\0" in value for value in values):
        raise FileError("a text contains a NUL character", line)
    return packed


def read_sheet(file: BinaryIO, wanted: str | None) -> Iterator[Sheet | tuple[int, dict[int, str]]]:
    """First the sheet that is read, then every row with content as (row, {column: text}).

    Rows and columns count from 1. Raises FileError, also in the middle.
    """
    with Workbook(file) as book:
        sheet = book.sheet(wanted)
        yield sheet
        book.load_texts()
        handler = _Cells(book)
        for _step in book.steps(sheet.part, handler):
            yield from handler.take()


class _Cells(Bounded):
    """Collects the rows that a chunk completed."""

    def __init__(self, book: Workbook):
        super().__init__()
        self._texts = book.texts
        self._styles = book.styles
        self._epoch = MAC_EPOCH if book.from_1904 else WINDOWS_EPOCH
        self._names: list[str] = []
        self._found: list[tuple[int, dict[int, str]]] = []
        self._row = 0
        self._column = 0
        self._cells: dict[int, str] = {}
        self._size = 0
        self._type = self._style = ""
        self._text: list[str] = []
        self._calculated = False

    def take(self) -> list[tuple[int, dict[int, str]]]:
        """What was completed since the last call."""
        found, self._found = self._found, []
        return found

    def begin(self, name: str) -> None:
        self._names.append(name)
        if name == "c":
            attributes = self.attributes
            self._column = self._column_of(attributes.get("r"))
            self._type = attributes.get("t") or "n"
            self._style = attributes.get("s") or ""
            self._text, self._calculated = [], False
        elif name == "row":
            self._row = self._row_of(self.attributes.get("r"))
            self._column = self._size = 0
            self._cells = {}
        elif name == "f":
            self._calculated = True

    def hear(self, text: str) -> None:
        name = self._names[-1] if self._names else ""
        if name == "v" or (name == "t" and "is" in self._names and "rPh" not in self._names):
            self.bound(text)
            self._size += len(text)
            if self._size > RECORD_LIMIT:
                raise FileError(f"the row is longer than {RECORD_LIMIT} characters", self._row)
            self._text.append(text)

    def finish(self) -> None:
        name = self._names.pop()
        if name == "c":
            if text := self._value("".join(self._text)):
                self._cells[self._column] = text
        elif name == "row" and self._cells:
            self._found.append((self._row, self._cells))

    def _row_of(self, text: str | None) -> int:
        row = self._row + 1
        if text is not None:
            row = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
        if not self._row < row <= LAST_ROW:
            raise FileError(f"the rows of the sheet are out of order; {SAVE_ANEW}", self._row or 1)
        return row

    def _column_of(self, place: str | None) -> int:
        column = self._column + 1
        if place is not None:
            column = 0
            for letter in place[:4]:
                if not "A" <= letter <= "Z":
                    break
                column = column * 26 + ord(letter) - 64
        if not self._column < column <= LAST_COLUMN:
            raise FileError(f"the cells of the row are out of order; {SAVE_ANEW}", self._row or 1)
        return column

    def _fault(self, message: str) -> FileError:
        place = f"{letters(self._column)}{self._row}"
        return FileError(f"the cell {place} {message}", self._row, self._column)

    def _value(self, text: str) -> str:
        match self._type:
            case "s":
                return self._shared(text)
            case "inlineStr" | "str":
                return unescape(text)
            case "b":
                return {"1": "true", "0": "false"}.get(text, text)
            case "e":
                raise self._fault(f"holds the error {text[:20]}; mend or empty it")
            case "d":
                return text
        if text:
            return self._number(text)
        if self._calculated:
            raise self._fault(
                "holds a formula that was never calculated; open the workbook in a spreadsheet "
                "program and save it"
            )
        return ""

    def _shared(self, text: str) -> str:
        if not text:
            return ""
        try:
            if not text.isascii() or len(text) > 9:
                raise IndexError(text)
            return self._texts[int(text)]
        except (IndexError, ValueError):
            raise self._fault(
                f"names a text that the workbook does not have; {SAVE_ANEW}"
            ) from None

    def _number(self, text: str) -> str:
        meaning = self._meaning()
        try:
            number = Decimal(text[:40].strip())
            if not number.is_finite() or abs(number.adjusted()) > 300:
                raise InvalidOperation
        except InvalidOperation:
            raise self._fault(f"should be a number, but is “{text[:20]}”; {SAVE_ANEW}") from None
        if meaning in ("date", "time", "datetime"):
            return self._moment(float(number), meaning) or plain(float(number))
        if number == number.to_integral_value():
            if number.adjusted() >= MOST_DIGITS:
                raise self._fault(
                    f"holds a number of more than {MOST_DIGITS} digits, of which a spreadsheet "
                    "keeps no more: make the column a text and enter it again"
                )
            digits = f"{int(number)}"
            return digits.zfill(len(meaning)) if number >= 0 else digits
        return plain(float(number))

    def _meaning(self) -> str:
        style = self._style
        if style.isascii() and style.isdigit() and int(style[:6]) < len(self._styles):
            return self._styles[int(style[:6])]
        return ""

    def _moment(self, number: float, meaning: str) -> str | None:
        """The date or time, or None for a number that is none."""
        try:
            moment = from_excel(number, self._epoch)
        except (OverflowError, ValueError):
            return None
        if isinstance(moment, datetime.time):
            return None if meaning == "date" else moment.isoformat("seconds")
        if meaning == "date" or moment.time() == datetime.time():
            return moment.date().isoformat()
        # What a spreadsheet keeps of a second is not exact.
        moment += datetime.timedelta(milliseconds=500)
        return moment.replace(tzinfo=None).isoformat(" ", "seconds")


def plain(number: float) -> str:
    """A number in its shortest form, without an exponent."""
    return f"{Decimal(repr(number)):f}"
