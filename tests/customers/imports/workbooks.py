"""Excel workbooks to read in tests: by openpyxl, or part by part where they are to be bad."""

import io
import zipfile

from openpyxl import Workbook

SHEET = "xl/worksheets/sheet1.xml"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_TYPE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def workbook(*rows, **sheets):
    """The bytes of a workbook with these rows in its first sheet; the others by name."""
    book = Workbook()
    book.active.title = "First"
    for row in rows:
        book.active.append(row)
    for name, more in sheets.items():
        sheet = book.create_sheet(name)
        for row in more:
            sheet.append(row)
    return saved(book)


def saved(book):
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def parts(sheet="", *, strings=None, changes=None):
    """The bytes of a workbook whose one sheet is this XML; `changes` maps parts to other bytes, to
    None for one that is to be missing."""
    relation = '<Relationship Id="r{n}" Type="' + _TYPE + '/{kind}" Target="{target}"/>'
    files = {
        "_rels/.rels": relations(
            relation.format(n=1, kind="officeDocument", target="xl/workbook.xml")
        ),
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{_TYPE}"><sheets>'
        '<sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": relations(
            relation.format(n=1, kind="worksheet", target="worksheets/sheet1.xml")
            + relation.format(n=2, kind="sharedStrings", target="sharedStrings.xml")
        ),
        SHEET: f"<worksheet><sheetData>{sheet}</sheetData></worksheet>",
        "xl/sharedStrings.xml": strings or "<sst/>",
        **(changes or {}),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            if content is not None:
                archive.writestr(name, content)
    return out.getvalue()


def relations(inner):
    return f"<Relationships>{inner}</Relationships>"


def cell(text, place="A1"):
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


def table(*rows):
    """Rows of texts as the XML of a sheet."""
    return "".join(
        f'<row r="{n}">' + "".join(cell(text, f"{'ABCDEF'[i]}{n}") for i, text in enumerate(row))
        + "</row>"
        for n, row in enumerate(rows, 1)
    )  # fmt: skip
