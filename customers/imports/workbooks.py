"""The parts of an Excel workbook around its cells: the archive, the sheets, styles and texts.

A workbook is a zip archive of XML documents. Both come from outside, so neither is trusted: the
archive's directory is measured before it is read, a part that unpacks to far more than it can
honestly hold is not unpacked, and every document passes through `normalise.markup`. Shared texts
lie in a file beside, so that memory stays flat.
"""

import os
import posixpath
import re
import struct
import tempfile
import zlib
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any, BinaryIO, NamedTuple
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_datetime
from openpyxl.utils.escape import unescape

from normalise.markup import Bounded, MarkupRefused, read_markup

from .errors import FileError

SAVE_ANEW = "save it anew as .xlsx, or as CSV in UTF-8"
DIRECTORY_LIMIT = 1 << 20
# Below this size the proportion says nothing: a short part may hold the same row many times.
SMALL_PART = 8 << 20
MOST_UNPACKED = 200
BESIDE_LIMIT = 16 << 20  # a part that is neither a sheet nor the shared texts
MOST_STYLES = 1 << 16
LONGEST_FORMAT = 255

_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR_SIZE = 20
# Formats that programs for East Asia use by their number alone.
_DATE_NUMBERS = frozenset((*range(27, 37), *range(50, 59)))
_ZEROS = re.compile(r"0{2,20}$")
_TRUE = ("1", "true")
_FAULTS = (
    BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, struct.error, ValueError,
)  # fmt: skip


class Sheet(NamedTuple):
    """One sheet of a workbook: what people call it, where it lies, whether it is seen."""

    name: str
    part: str
    visible: bool


class Workbook:
    """An open workbook; a context manager. `sheets` are its tables, in the order of their tabs."""

    def __init__(self, file: BinaryIO):
        self._size = file.seek(0, os.SEEK_END)
        _check_directory(file, self._size)
        file.seek(0)
        try:
            self._zip = ZipFile(file)
        except _FAULTS as fault:
            raise damaged(fault) from None
        self.texts: Texts | None = None
        try:
            main = self._main_part()
            self._relations = self._related(main)
            handler = _Sheets()
            self.parse(main, handler, limit=BESIDE_LIMIT)
            self.from_1904 = handler.from_1904
            self.sheets = [
                Sheet(name, self._relations[key][1], visible)
                for name, key, visible in handler.found
                if self._relations.get(key, ("", ""))[0] == "worksheet"
            ]
            self.styles = self._read_styles()
        except BaseException:
            self._zip.close()
            raise

    def __enter__(self) -> "Workbook":
        return self

    def __exit__(self, *exception: object) -> None:
        self._zip.close()
        if self.texts:
            self.texts.close()

    def sheet(self, wanted: str | None) -> Sheet:
        """The sheet of that name, else the first that is seen. Raises FileError."""
        if not self.sheets:
            raise FileError("the workbook has no sheet with cells")
        if wanted is None:
            return next((one for one in self.sheets if one.visible), self.sheets[0])
        by_name = {one.name.casefold(): one for one in self.sheets}
        if found := by_name.get(wanted.casefold()):
            return found
        near = get_close_matches(wanted.casefold(), by_name, n=1)
        hint = f"; the nearest is “{by_name[near[0]].name}”" if near else ""
        names = ", ".join(f"“{one.name}”" for one in self.sheets[:20])
        raise FileError(f"the workbook has no sheet “{wanted}”; it has {names}{hint}")

    def load_texts(self) -> None:
        """Lay the texts that cells share where `texts` finds them."""
        self.texts = Texts()
        for kind, part in self._relations.values():
            if kind == "sharedStrings":
                self.parse(part, _SharedTexts(self.texts))

    def parse(self, part: str, handler: Bounded, *, limit: int | None = None) -> None:
        """Hand a part to a handler. Raises FileError for one that is missing or refused."""
        for _step in self.steps(part, handler, limit=limit):
            pass

    def steps(self, part: str, handler: Bounded, *, limit: int | None = None) -> Iterator[None]:
        """The same step by step, for a handler that gives up its finds between them."""
        with self._reading(part, limit) as stream:
            try:
                yield from read_markup(stream, handler)
            except MarkupRefused as fault:
                why = fault.message or "it is no XML that can be read"
                raise FileError(f"the workbook's part {part} is refused: {why}") from None

    @contextmanager
    def _reading(self, part: str, limit: int | None) -> Iterator[Any]:
        try:
            info = self._zip.getinfo(part)
        except KeyError:
            raise FileError(f"the workbook lacks its part {part}; {SAVE_ANEW}") from None
        self._check_part(info, limit)
        try:
            with self._zip.open(info) as stream:
                yield stream
        except _FAULTS as fault:
            raise damaged(fault) from None

    def _check_part(self, info: ZipInfo, limit: int | None) -> None:
        if info.flag_bits & 1:
            raise FileError("the workbook has a password; save it without one")
        if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED) or info.compress_size > self._size:
            raise FileError(f"the workbook is packed in a way that is not read; {SAVE_ANEW}")
        if limit and info.file_size > limit:
            raise FileError(f"the workbook's part {info.filename} is too large; {SAVE_ANEW}")
        most = max(SMALL_PART, info.compress_size * MOST_UNPACKED)
        if info.file_size > most:
            raise FileError(
                f"the workbook's part {info.filename} would unpack to {info.file_size} bytes, more "
                f"than {MOST_UNPACKED} times its size: this is a zip bomb, or holds almost nothing "
                "but empty cells; delete the empty rows, or save it as CSV in UTF-8"
            )

    def _main_part(self) -> str:
        if "_rels/.rels" in self._zip.NameToInfo:
            for kind, part in self._relations_in("_rels/.rels", "").values():
                if kind == "officeDocument" and part.endswith(".xml"):
                    return part
        raise FileError(f"this is a zip archive, but no Excel workbook (.xlsx); {SAVE_ANEW}")

    def _related(self, part: str) -> dict[str, tuple[str, str]]:
        folder, name = posixpath.split(part)
        rels = posixpath.join(folder, "_rels", f"{name}.rels")
        return self._relations_in(rels, folder)

    def _relations_in(self, rels: str, folder: str) -> dict[str, tuple[str, str]]:
        handler = _Relations()
        self.parse(rels, handler, limit=BESIDE_LIMIT)
        return {
            key: (kind, posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/"))
            for key, kind, target in handler.found
        }

    def _read_styles(self) -> list[str]:
        """By the number of a cell's style: how its numbers are shown, as `meaning_of` says it."""
        handler = _Styles()
        for kind, part in self._relations.values():
            if kind == "styles":
                self.parse(part, handler, limit=BESIDE_LIMIT)
        return [meaning_of(number, handler.codes.get(number)) for number in handler.cells]


def damaged(fault: Exception) -> FileError:
    """The refusal of an archive that cannot be read to its end."""
    if "password" in str(fault) or "encrypted" in str(fault):
        return FileError("the workbook has a password; save it without one")
    return FileError(f"the workbook is damaged or cut off; {SAVE_ANEW}")


def meaning_of(number: int, code: str | None) -> str:
    """What a number under this format is: "date", "time", "datetime", a row of zeros for one
    that is shown with leading zeros, else ""."""
    if code is None:
        code = BUILTIN_FORMATS.get(number, "date" if number in _DATE_NUMBERS else "General")
        if code == "date":
            return code
    code = code.partition(";")[0]
    if len(code) > LONGEST_FORMAT:
        return ""
    if _ZEROS.match(code):
        return code
    return is_datetime(code.lower()) or ""


def _check_directory(file: BinaryIO, size: int) -> None:
    """Refuse an archive whose directory alone would fill the memory, before anything reads it."""
    start = max(0, size - (1 << 16) - _END.size)
    file.seek(start)
    tail = file.read()
    place = len(tail) - _END.size
    if not (tail[place:].startswith(b"PK\5\6") and tail.endswith(b"\0\0")):
        place = tail.rfind(b"PK\5\6")
    if place < 0 or len(tail) - place < _END.size:
        raise damaged(BadZipFile())
    n_bytes = _END.unpack_from(tail, place)[5]
    place_64 = place - _LOCATOR_SIZE - _END_64.size
    if place_64 >= 0 and tail[place - _LOCATOR_SIZE :].startswith(b"PK\6\7"):
        n_bytes = _END_64.unpack_from(tail, place_64)[8]
    if n_bytes > DIRECTORY_LIMIT:
        raise FileError(f"the workbook has far too many parts; {SAVE_ANEW}")


class Texts:
    """The texts that cells share, by their number, in a file of their own."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        self._ends = array("Q", [0])

    def add(self, text: str) -> None:
        data = text.encode("utf-8", "surrogatepass")
        self._file.write(data)
        self._ends.append(self._ends[-1] + len(data))

    def flush(self) -> None:
        self._file.flush()

    def __getitem__(self, number: int) -> str:
        if number < 0:
            raise IndexError(number)
        start, end = self._ends[number], self._ends[number + 1]
        return os.pread(self._file.fileno(), end - start, start).decode("utf-8", "surrogatepass")

    def close(self) -> None:
        self._file.close()


class _SharedTexts(Bounded):
    """Adds every `si` of the shared texts; its runs are one text, its reading aids are left out."""

    def __init__(self, texts: Texts):
        super().__init__()
        self._texts = texts
        self._names: list[str] = []
        self._text: list[str] = []
        self._n_characters = 0

    def begin(self, name: str) -> None:
        self._names.append(name)
        if name == "si":
            self._text, self._n_characters = [], 0

    def hear(self, text: str) -> None:
        if self._names[-1:] == ["t"] and "rPh" not in self._names:
            self.bound(text)
            self._n_characters += len(text)
            if self._n_characters > 1 << 17:
                raise self.refuse("a text is too long")
            self._text.append(text)

    def finish(self) -> None:
        if self._names.pop() == "si":
            self._texts.add(unescape("".join(self._text)))
            self._text = []
        elif not self._names:
            self._texts.flush()


class _Attributes(Bounded):
    """A reader to which only elements and their attributes matter."""

    def hear(self, text: str) -> None:
        pass

    def finish(self) -> None:
        pass

    def whole(self, name: str) -> int:
        text = self.attributes.get(name) or "0"
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            raise self.refuse(f"“{text[:20]}” is no number")
        return int(text)


class _Relations(_Attributes):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str, str]] = []

    def begin(self, name: str) -> None:
        attributes = self.attributes
        if name == "Relationship" and attributes.get("TargetMode") != "External":
            kind = (attributes.get("Type") or "").rpartition("/")[2]
            self.found.append((attributes.get("Id"), kind, attributes.get("Target") or ""))


class _Sheets(_Attributes):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str, bool]] = []
        self.from_1904 = False

    def begin(self, name: str) -> None:
        attributes = self.attributes
        if name == "workbookPr":
            self.from_1904 = attributes.get("date1904") in _TRUE
        elif name == "sheet":
            keys = [key for key in attributes.getNames() if key.endswith(":id")]
            key = attributes.get(keys[0]) if keys else ""
            visible = attributes.get("state", "visible") == "visible"
            self.found.append((attributes.get("name") or "", key, visible))


class _Styles(_Attributes):
    def __init__(self) -> None:
        super().__init__()
        self.codes: dict[int, str] = {}
        self.cells: list[int] = []
        self._in_cells = False

    def begin(self, name: str) -> None:
        if name == "numFmt":
            self.codes[self.whole("numFmtId")] = self.attributes.get("formatCode") or ""
        elif name in ("cellXfs", "cellStyleXfs", "dxfs", "cellStyles"):
            self._in_cells = name == "cellXfs"
        elif name == "xf" and self._in_cells:
            self.cells.append(self.whole("numFmtId"))
        if len(self.cells) > MOST_STYLES or len(self.codes) > MOST_STYLES:
            raise self.refuse("it has too many styles")
