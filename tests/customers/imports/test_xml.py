"""Customers from XML: what is read, and what no file can make us do."""

import io

import pytest

from customers.imports.errors import FileError
from customers.imports.readers import open_rows
from customers.imports.xml_rows import OPEN_LOYALTY, read_elements


def rows(text):
    return list(read_elements(io.BytesIO(text.encode()), OPEN_LOYALTY))


def test_parts_are_told_by_their_paths_and_customers_by_their_lines():
    found = rows(
        "<customers>\n<customer><email> a@b.no </email>\n<address><city>Oslo</city></address>"
        "</customer>\n<customer/></customers>"
    )

    assert found == [(2, {"email": "a@b.no", "address/city": "Oslo"}), (4, {})]


def test_labels_are_a_list():
    (_line, values), = rows(
        "<customer><labels><label><key>a</key><value>1</value></label>"
        "<label><key>b</key></label></labels></customer>"
    )  # fmt: skip

    assert values == {"labels": [{"key": "a", "value": "1"}, {"key": "b"}]}


def test_text_comes_whole_however_it_is_cut():
    text = "x" * 100_000

    assert rows(f"<c><customer><email>{text}</email></customer></c>")[0][1]["email"] == text


def test_a_source_can_be_read_again():
    source = open_rows(io.BytesIO(b"<c><customer><email>a</email></customer></c>"))

    assert (source.kind, source.check().rows) == ("xml", 1)
    assert [row.values for row in source] == [row.values for row in source] == [{"email": "a"}]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("<a>" * 33, "levels"),
        ("<customer>" + "<a/>" * 1_001, "parts"),
        ("<customer " + " ".join(f"a{n}='1'" for n in range(65)) + "/>", "attributes"),
        ("<customer><a>" + "x" * 140_000, "longer than"),
        ("<a " + "x" * 3_000_000, "too long"),
        ("<!DOCTYPE a><a/>", "not accepted"),
        ("<a>", "invalid structure"),
    ],
)
def test_what_could_fill_the_memory_is_refused_with_its_reason(text, part):
    with pytest.raises(FileError) as refusal:
        rows(text)

    assert part in refusal.value.message
