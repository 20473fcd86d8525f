"""Files that nobody sends by accident, or only once: as bytes, by name."""

import io
import os
import struct
import zipfile

from tests.customers.imports.workbooks import SHEET, cell, parts, relations, table

DOCTYPE = "<!DOCTYPE a [{}]><customers><customer><email>{}</email></customer></customers>"
LAUGHS = '<!ENTITY l0 "ha">' + "".join(
    f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10)
)
EXTERNAL = '<!ENTITY x SYSTEM "file:///etc/passwd">'


def customer(inner):
    return f"<customers><customer>{inner}</customer></customers>"


def xml_files(size):
    """Name -> the bytes of an XML file; `size` is how large the large ones are."""
    long = "x" * size
    texts = {
        "entity bomb": DOCTYPE.format(LAUGHS, "&l9;"),
        "quadratic entity": DOCTYPE.format(f'<!ENTITY q "{"y" * 50_000}">', "&q;" * 50_000),
        "external entity": DOCTYPE.format(EXTERNAL, "&x;"),
        "outside document type": '<!DOCTYPE a SYSTEM "http://localhost/x.dtd"><customers/>',
        "parameter entity": DOCTYPE.format('<!ENTITY % p SYSTEM "file:///etc/passwd">%p;', "x"),
        "attributes by document type": DOCTYPE.format('<!ATTLIST email a CDATA "b">', "x"),
        "deep nesting": "<customer>" + "<a>" * 200_000,
        "deep nesting outside": "<a>" * 200_000,
        "many attributes": customer("<a " + " ".join(f'a{n}="1"' for n in range(5_000)) + "/>"),
        "many parts": customer("<a/>" * 500_000),
        "long text": customer(f"<email>{long}</email>"),
        "long text in pieces": customer("<email>" + "<!---->x" * (size // 8) + "</email>"),
        "long attribute": customer(f'<email a="{long}"/>'),
        "long name": customer(f"<{long}/>"),
        "long comment": customer(f"<!--{long}"),
        "long section": customer(f"<email><![CDATA[{long}]]></email>"),
        "long instruction": f"<?x {long}",
        "never closed": "<customers><customer><email>a@b.no",
        "closed wrongly": "<customers><customer></customers></customer>",
        "two roots": customer("<email>a@b.no</email>") + "<customers/>",
        "no tag": "<",
        "unknown entity": customer("<email>&nbsp;</email>"),
        "null by number": customer("<email>&#0;</email>"),
        "same attribute twice": customer('<email a="1" a="2"/>'),
        "unknown encoding": '<?xml version="1.0" encoding="utf-99"?><customers/>',
        "smuggling encoding": '<?xml version="1.0" encoding="utf-7"?><customers>+ADw-/customers>',
    }
    found = {name: text.encode() for name, text in texts.items()}
    found["null bytes"] = b"<customers>\0</customers>"
    found["not its encoding"] = customer("<email>\xff\xfe</email>").encode("latin-1")
    found["half of UTF-16"] = customer("<email>a</email>").encode("utf-16")[:-3]
    return found


def table_files(size):
    """Name -> the bytes of a CSV file or a workbook."""
    long = b"x" * size
    return {
        "csv: quote never closed": b'name,city\nAda,"' + long,
        "csv: long cell": b"name,city\nAda," + long + b"\n",
        "csv: long header": b"name," + long + b"\nAda,x\n",
        "csv: long line of nothing": b"name,city\n" + b"," * size,
        "csv: endless record": b"name,city\n" + b'"x\n",' * (size // 5),
        "csv: many columns": b",".join(b"c%d" % n for n in range(50_000)) + b"\n",
        "csv: null bytes": b"name,city\nAda,\0\n",
        "csv: UTF-16 without its mark": "name,city\nAda,Oslo\n".encode("utf-16-le"),
        "csv: half a letter": b"name,city\nAda,\xc3\xa5\nBob,\xc3",
        "csv: two encodings": "name,city\nÅda,x\n".encode() + b"B\xf8b,y\n",
        "csv: too few cells": b"name,city\nAda\n",
        "csv: text behind a quote": b'name,city\n"Ada"x,Oslo\n',
        "csv: no header": b"ada@example.org,Oslo\nbob@example.org,Oslo\n",
        "csv: only marks": b"\xef\xbb\xbf",
        **_archives(size),
        **_workbooks(size),
    }


def _archives(size):
    whole = parts(table(["name"], ["Ada"]))
    random = os.urandom(1 << 16) * (size >> 16)
    return {
        "not a zip": b"PK\3\4" + b"x" * 1_000,
        "old or with a password": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 1_000,
        "cut off": whole[: len(whole) // 2],
        "damaged in the middle": _damaged(whole),
        "with a password": whole.replace(b"PK\1\2\x14\3\x14\0\0\0", b"PK\1\2\x14\3\x14\0\1\0"),
        "a part that lies about its size": _lying(whole, SHEET, 20),
        "a part larger than the file": _lying(whole, SHEET, 1 << 31),
        "another archive": _zip({"a.zip": _zip({"b.zip": b"c"})}),
        "many parts": _zip({f"{'n' * 60}{n}": b"" for n in range(12_000)}),
        "bomb in the sheet": parts(cell("0" * size)),
        "bomb in the shared texts": parts(strings=f"<sst><si><t>{'0' * size}"),
        "bomb in the styles": _with_styles(f"<styleSheet>{' ' * size}</styleSheet>"),
        "long cell": parts(changes={SHEET: b'<worksheet><c t="str"><v>' + random.hex().encode()}),
    }


def _workbooks(size):
    def sheet(xml):
        return parts(table(["name"]) + xml)

    return {
        "entity bomb": parts(changes={SHEET: DOCTYPE.format(LAUGHS, "&l9;")}),
        "external entity": parts(changes={"xl/sharedStrings.xml": DOCTYPE.format(EXTERNAL, "")}),
        "outside part": parts(
            changes={
                "xl/_rels/workbook.xml.rels": relations(
                    '<Relationship Id="r1" Type="x/worksheet" Target="../../../etc/passwd"/>'
                )
            }
        ),
        "no sheet": parts(changes={SHEET: None}),
        "no workbook": parts(changes={"xl/workbook.xml": None}),
        "deep nesting": parts("<row><c><is>" + "<r>" * 100_000),
        "cell outside": sheet('<row><c r="XFE2"><v>1</v></c></row>'),
        "row outside": sheet('<row r="1048577"><c><v>1</v></c></row>'),
        "rows backwards": sheet('<row r="9"/><row r="3"/>'),
        "cells backwards": sheet('<row><c r="B2"/><c r="A2"/></row>'),
        "many cells": sheet(f"<row>{'<c/>' * 40_000}</row>"),
        "many columns": parts(
            "<row>" + "".join(f'<c t="str"><v>c{n}</v></c>' for n in range(1_100)) + "</row>"
        ),
        "wide row": sheet("<row>" + f'<c t="str"><v>{"ab" * 60_000}</v></c>' * 20 + "</row>"),
        "text that is not there": sheet('<row><c t="s"><v>99</v></c></row>'),
        "number that is none": sheet("<row><c><v>NaN</v></c></row>"),
        "number without end": sheet("<row><c><v>1e999999</v></c></row>"),
        "half a character": sheet(f"<row>{cell('_xD800_', 'A2')}</row>"),
        "null": sheet(f"<row>{cell('_x0000_', 'A2')}</row>"),
        "styles without end": _with_styles(f"<a><cellXfs>{'<xf/>' * 70_000}</cellXfs></a>"),
    }


def _with_styles(styles):
    relation = '<Relationship Id="r{}" Type="x/{}" Target="{}"/>'
    links = relation.format(1, "worksheet", "worksheets/sheet1.xml")
    links += relation.format(2, "styles", "styles.xml")
    changes = {"xl/_rels/workbook.xml.rels": relations(links), "xl/styles.xml": styles}
    return parts(table(["name"], ["Ada"]), changes=changes)


def _zip(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def _damaged(content):
    """One letter of the sheet's packed bytes changed: its checksum does not fit."""
    place = content.index(SHEET.encode()) + len(SHEET) + 12
    return content[:place] + bytes([content[place] ^ 255]) + content[place + 1 :]


def _lying(content, name, size):
    """The directory says another unpacked size of one part."""
    place = content.rindex(name.encode()) - 46 + 24
    return content[:place] + struct.pack("<L", size) + content[place + 4 :]
