"""An Excel workbook of one sheet, written in pieces while its rows come, in flat memory.

Every cell is a whole number or a text: nothing in it is ever calculated, and a phone or a card
number keeps its plus and its zeros, also when somebody edits it.
"""

import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# A sheet ends at 1,048,576 rows; a part of an archive that is written in one go, at 2 GB.
MOST_ROWS = 500_000
BATCH = 200
# One level of packing for speed: the rest gains a tenth and costs double.
LEVEL = zlib.Z_BEST_SPEED

_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_CONTENT = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_DECLARED = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_TYPES = (
    f'{_DECLARED}<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package'
    '.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_CONTENT}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_CONTENT}.worksheet+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_CONTENT}.styles+xml"/></Types>'
)
_RELATIONS = (
    f'{_DECLARED}<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
    f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
)
_BOOK_RELATIONS = (
    f'{_DECLARED}<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>'
)
# Style 1 is text (number format 49), so that what is typed into such a cell stays text too.
_STYLES = (
    f'{_DECLARED}<styleSheet xmlns="{_MAIN}"><fonts count="1"><font/></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border/>'
    '</borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="2"><xf/>'
    '<xf numFmtId="49" applyNumberFormat="1"/></cellXfs><cellStyles count="1">'
    '<cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)
_HEAD = (
    f'{_DECLARED}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
    '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView>'
    "</sheetViews><sheetData>"
)
_TAIL = "</sheetData></worksheet>"
# What XML cannot hold, and what a reader would take for such an escape.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")


class _Column(NamedTuple):
    text: str
    number: str


def pieces(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[str | int]]
) -> Iterator[bytes]:
    """The bytes of a workbook with these columns in its first row. Empty texts are no cells."""
    sink = _Sink()
    places = [_Column(f'<c r="{name}%d" s="1" t="inlineStr"><is><t%s>%s</t></is></c>',
                      f'<c r="{name}%d"><v>%d</v></c>')
              for name in map(letters, range(1, len(columns) + 1))]  # fmt: skip
    with ZipFile(sink, "w", ZIP_DEFLATED, compresslevel=LEVEL) as archive:
        for name, text in (
            ("[Content_Types].xml", _TYPES),
            ("_rels/.rels", _RELATIONS),
            ("xl/workbook.xml", _book(title)),
            ("xl/_rels/workbook.xml.rels", _BOOK_RELATIONS),
            ("xl/styles.xml", _STYLES),
        ):
            archive.writestr(_part(name), text)
        with archive.open(_part("xl/worksheets/sheet1.xml"), "w") as part:
            part.write((_HEAD + _row(1, columns, places)).encode())
            numbered = enumerate(rows, 2)
            while batch := list(islice(numbered, BATCH)):
                part.write("".join(_row(n, row, places) for n, row in batch).encode())
                yield sink.take()
            part.write(_TAIL.encode())
    yield sink.take()


def letters(column: int) -> str:
    """A column, counted from 1, as spreadsheets call it: A, B, …, AA."""
    name = ""
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name


def _part(name: str) -> ZipInfo:
    """An entry without the time of writing: the same rows are the same bytes."""
    info = ZipInfo(name)
    info.compress_type = ZIP_DEFLATED
    info._compresslevel = LEVEL
    return info


def _book(title: str) -> str:
    return (
        f'{_DECLARED}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
        f'<sheet name={quoteattr(title)} sheetId="1" r:id="rId1"/></sheets></workbook>'
    )


def _row(n: int, cells: Sequence[str | int], places: list[_Column]) -> str:
    made = []
    for value, place in zip(cells, places, strict=True):
        if type(value) is int:
            made.append(place.number % (n, value))
        elif value:
            text = _UNSAFE.sub(lambda match: f"_x{ord(match[0]):04X}_", value)
            space = ' xml:space="preserve"' if text != text.strip() else ""
            made.append(place.text % (n, space, escape(text)))
    return f'<row r="{n}">{"".join(made)}</row>'


class _Sink:
    """Where the archive is written to: it is taken from here piece by piece."""

    def __init__(self) -> None:
        self._held: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._held.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Everything is there already."""

    def take(self) -> bytes:
        held, self._held = self._held, []
        return b"".join(held)
