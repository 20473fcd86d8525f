"""Excel workbooks as files of rows: what a cell means, and which sheet is read."""

import datetime
import io

import pytest
from openpyxl import Workbook

from customers.imports.engine import import_customers
from customers.imports.errors import FileError
from customers.imports.readers import open_rows
from customers.models import Customer
from tests.customers.imports.workbooks import parts, saved, table, workbook


def rows(content, **options):
    return [(row.line, row.values) for row in open_rows(io.BytesIO(content), **options)]


def refusal(content, **options):
    with pytest.raises(FileError) as caught:
        open_rows(io.BytesIO(content), **options)
    return caught.value


def read_cell(value, number_format="General"):
    book = Workbook()
    book.active["A1"] = "what"
    book.active["A2"] = value
    book.active["A2"].number_format = number_format
    return rows(saved(book))[0][1]["what"]


def test_the_first_row_with_content_names_the_columns_and_rows_keep_their_numbers():
    content = workbook([], ["name", "city"], ["Ada", "Oslo"], [], ["Bob", None])

    source = open_rows(io.BytesIO(content))

    assert (source.kind, source.header, source.is_table) == ("xlsx", ["name", "city"], True)
    assert (source.check().rows, source.check().blank_lines) == (2, 1)
    expected = [(3, {"name": "Ada", "city": "Oslo"}), (5, {"name": "Bob", "city": ""})]
    assert [tuple(row) for row in source] == [tuple(row) for row in source] == expected


@pytest.mark.parametrize(
    ("value", "number_format", "text"),
    [
        (4790000001, "General", "4790000001"),
        (123456789012345, "0", "123456789012345"),
        (7.0, "0.00", "7"),
        (0.1 + 0.2, "General", "0.3"),
        (12.5, '#,##0.00 "kr"', "12.5"),
        (-3, "General", "-3"),
        (1234, "00000", "01234"),
        ("0047", "@", "0047"),
        ("+47 900 00 001", "General", "+47 900 00 001"),
        (True, "General", "true"),
        (datetime.date(1988, 5, 17), "dd.mm.yyyy", "1988-05-17"),
        (datetime.date(1988, 5, 17), "mm-dd-yy", "1988-05-17"),
        (datetime.datetime(2026, 1, 31, 23, 59, 59), "yyyy-mm-dd hh:mm", "2026-01-31 23:59:59"),
        (datetime.datetime(2026, 1, 31), "yyyy-mm-dd hh:mm", "2026-01-31"),
        (datetime.time(12, 30), "hh:mm", "12:30:00"),
        ("'=1+1", "General", "=1+1"),
        ("two\nlines", "General", "two\nlines"),
    ],
)
def test_a_cell_is_the_text_that_it_means(value, number_format, text):
    assert read_cell(value, number_format) == text


def test_dates_may_count_from_1904():
    book = Workbook()
    book.epoch = datetime.datetime(1904, 1, 1)
    book.active.append(["day"])
    book.active.append([datetime.date(1988, 5, 17)])

    assert rows(saved(book))[0][1] == {"day": "1988-05-17"}


def test_shared_texts_are_joined_from_their_runs_without_reading_aids():
    strings = (
        "<sst><si><t>name</t></si><si><r><t>Ad</t></r><r><t>a_x0041_</t></r>"
        "<rPh><t>no</t></rPh></si></sst>"
    )
    sheet = '<row><c t="s"><v>0</v></c></row><row><c t="s"><v>1</v></c></row>'

    assert rows(parts(sheet, strings=strings)) == [(2, {"name": "AdaA"})]


def test_the_value_of_a_formula_is_the_one_that_was_calculated():
    sheet = table(["a"]) + '<row r="2"><c r="A2"><f>1+1</f><v>2</v></c></row>'

    assert rows(parts(sheet)) == [(2, {"a": "2"})]


def test_the_first_sheet_that_is_seen_is_read_unless_one_is_named():
    book = Workbook()
    book.active.title, book.active.sheet_state = "Lists", "hidden"
    book.active.append(["x"])
    for title in ("People", "Old people"):
        book.create_sheet(title).append(["name"])
        book[title].append([title])
    content = saved(book)

    assert rows(content) == [(2, {"name": "People"})]
    assert rows(content, sheet="old PEOPLE") == [(2, {"name": "Old people"})]
    assert open_rows(io.BytesIO(content)).encoding == "sheet “People”"
    assert "the nearest is “People”" in refusal(content, sheet="Peopel").message


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (workbook(["a"], [4970001234567890]), "A2 holds a number of more than 15 digits"),
        (workbook(["a"], ["=1+1"]), "A2 holds a formula that was never calculated"),
        (parts(table(["a"]) + '<row><c t="e"><v>#REF!</v></c></row>'), "A2 holds the error #REF!"),
        (workbook(["a", None], ["x", "y"]), "B2 has content, but its column has no name"),
        (workbook(["a", "a"], ["x", "y"]), "stands twice"),
        (workbook(["ada@example.org", "Ada"]), "looks like data"),
        (workbook(), "no header"),
    ],
)
def test_what_a_spreadsheet_has_ruined_is_refused_with_its_cell(content, part):
    assert part in refusal(content).message


def test_only_a_workbook_has_sheets():
    assert "only an Excel workbook" in refusal(b"a,b\n1,2\n", sheet="x").message


@pytest.mark.django_db
def test_customers_come_in_from_a_workbook(acme):
    content = workbook(
        ["Kundennummer", "Vorname", "Nachname", "Geburtstag", "Telefon", "Karte Nr", "PLZ"],
        ["K1", "Ada", "Lovelace", datetime.date(1988, 5, 17), "+47 900 00 001", 4711, "0151"],
        ["K2", "Bob", "", None, 4790000002, 12.0, None],
        ["K3", None, None, "99.99.2020", None, None, None],
    )

    report = import_customers(io.BytesIO(content))

    assert (report.kind, report.created, report.refused) == ("xlsx", 2, 1)
    assert report.errors[0]["line"] == 4
    ada = Customer.objects.get(external_id="K1")
    assert (ada.birth_year, ada.birth_month, ada.birth_day) == (1988, 5, 17)
    assert import_customers(io.BytesIO(content)).unchanged == 2
