"""Reading a file: what is found out about it, and everything that makes it unreadable."""

import io
import os
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.imports import readers
from customers.imports.cells import neutralise, restore
from customers.imports.readers import FileError, open_rows


def source(content, **options):
    if isinstance(content, str):
        content = content.encode()
    return open_rows(io.BytesIO(content), **options)


def rows(content, **options):
    return [(row.line, row.values) for row in source(content, **options)]


def refusal(content, **options):
    with pytest.raises(FileError) as caught:
        for _ in source(content, **options):
            pass
    return caught.value


# CSV: what is read


def test_reads_a_plain_csv_file():
    opened = source("name,email\nAda,ada@example.com\n")

    assert (opened.kind, opened.encoding, opened.delimiter) == ("csv", "utf-8", ",")
    assert opened.header == ["name", "email"]
    assert list(opened) == [(2, {"name": "Ada", "email": "ada@example.com"})]


def test_reads_a_file_by_its_path(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text("name;email\nAda;ada@example.com\n")

    assert [row.values["name"] for row in open_rows(path)] == ["Ada"]


def test_a_source_can_be_read_again_and_again():
    opened = source("name\nAda\n\nGrace\n")

    assert opened.check() == (2, 1)
    assert [row.values["name"] for row in opened] == ["Ada", "Grace"]
    assert [row.values["name"] for row in opened] == ["Ada", "Grace"]


def test_a_pipe_that_can_be_read_once_is_kept_for_the_second_pass():
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as pipe:
        pipe.write(b"name\nAda\n")
    with os.fdopen(reading, "rb") as pipe:
        opened = open_rows(pipe)

        assert opened.check().rows == 1
        assert [row.values["name"] for row in opened] == ["Ada"]


def test_the_file_that_was_given_stays_open():
    file = io.BytesIO(b"name\nAda\n")

    list(open_rows(file))

    assert not file.closed


@pytest.mark.parametrize(
    ("delimiter", "name"), [(",", "a,b"), (";", "a;b"), ("\t", "tab"), ("|", "bar")]
)
def test_finds_the_delimiter_by_the_header(delimiter, name):
    opened = source(f'name{delimiter}email\n"{name}"{delimiter}a@example.com\n')

    assert opened.delimiter == delimiter
    assert [row.values["name"] for row in opened] == [name]


def test_a_given_delimiter_wins_over_the_header():
    assert source("a;b,c\n1;2,3\n", delimiter=",").header == ["a;b", "c"]


def test_a_separator_line_of_a_spreadsheet_names_the_delimiter():
    assert rows("sep=;\nname;mail\nAda;a,b\n") == [(3, {"name": "Ada", "mail": "a,b"})]


def test_a_header_that_explains_itself_with_other_delimiters_is_understood():
    opened = source("Id,Title (Mr = 1; Ms = 2; else 0),Groups (x;y;z)\n1,1,a;b\n")

    assert opened.delimiter == ","
    assert len(opened.header) == 3


def test_a_file_of_one_column_needs_no_delimiter():
    assert rows("email\nada@example.com\n") == [(2, {"email": "ada@example.com"})]


def test_the_line_of_a_record_is_the_physical_line_where_it_starts():
    content = 'name,note\nAda,"one\ntwo\r\nthree"\n\n,\nGrace,x\n'

    assert [(line, values["name"]) for line, values in rows(content)] == [(2, "Ada"), (7, "Grace")]


def test_a_line_break_inside_a_cell_is_kept():
    assert rows('name\n"a\r\nb"\n')[0][1] == {"name": "a\r\nb"}


def test_blank_lines_are_counted_and_passed_over():
    assert source("\nname,email\n\n,\nAda,\n\n").check() == (1, 3)


def test_blank_cells_beyond_the_header_lose_nothing():
    assert rows("a,b\n1,2,\n")[0][1] == {"a": "1", "b": "2"}


def test_a_header_without_rows_is_a_file_without_customers():
    assert source("name,email\n").check() == (0, 0)


def test_one_apostrophe_before_a_formula_is_taken_back():
    values = rows("phone,name,note\n'+4722334455,'Quoted',''=1+1\n")[0][1]

    assert values == {"phone": "+4722334455", "name": "'Quoted'", "note": "'=1+1"}


@given(st.text(alphabet=string.printable + "'=+-@＝＋\0", max_size=12))
def test_neutralise_and_restore_are_inverse_for_every_text(text):
    assert restore(neutralise(text)) == text


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\0", "＝", "'="])
def test_no_neutralised_cell_starts_a_formula(start):
    assert neutralise(start + "1+1") == "'" + start + "1+1"


# Encodings


def test_a_byte_order_mark_is_not_part_of_the_first_column():
    opened = source(b"\xef\xbb\xbfname\nJos\xc3\xa9\n")

    assert opened.header == ["name"]
    assert opened.encoding == "utf-8"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_a_marked_unicode_file_is_read(encoding):
    opened = source("name;city\nJosé;Málaga\n".encode(encoding))

    assert opened.encoding == encoding
    assert [row.values for row in opened] == [{"name": "José", "city": "Málaga"}]


def test_windows_1252_is_taken_where_nothing_speaks_against_it():
    content = "name,city,price\nO’Brien,Besançon,5 €\nJürgen Groß,Málaga,–\n".encode("cp1252")
    opened = source(content)

    assert opened.encoding == "cp1252"
    assert [row.values["name"] for row in opened] == ["O’Brien", "Jürgen Groß"]


def test_a_given_encoding_wins():
    opened = source("name\nŠtěpán\n".encode("cp1250"), encoding="cp1250")

    assert [row.values["name"] for row in opened] == ["Štěpán"]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Štěpán Dvořák", "cp1250"),
        ("Łukasz Wiśniewski", "iso8859-2"),
        ("Привет", "cp1251"),
        ("Γιώργος", "cp1253"),
        ("Müller", "cp850"),
        ("André Lefèvre", "cp437"),
        ("Müller", "mac-roman"),
        ("山田", "shift_jis"),
    ],
)
def test_another_8_bit_encoding_is_asked_for_and_not_guessed(text, encoding):
    error = refusal(f"name\nAda\n{text}\n".encode(encoding))

    assert error.line == 3
    assert "name the encoding" in error.message


def test_a_damaged_utf_8_file_is_not_taken_for_windows_1252():
    error = refusal("name\nJosé\n".encode() + b"Andr\xe9\n")

    assert error.line == 3
    assert "byte 15 (0xe9)" in error.message
    assert "damaged" in error.message


def test_utf_8_after_the_damage_speaks_against_windows_1252_too():
    assert "damaged" in refusal(b"name\nAndr\xe9\n" + "José\n".encode()).message


def test_a_letter_cut_off_at_the_end_of_the_file_is_named():
    error = refusal(b"name\nAda\nJos\xc3")

    assert error.line == 3
    assert "cut off" in error.message


def test_a_byte_that_the_given_encoding_does_not_know_is_named():
    error = refusal(b"name\nAda\nJos\x81\n", encoding="cp1252")

    assert error.line == 3
    assert "byte 12 (0x81) cannot be read as cp1252" in error.message


def test_the_position_is_right_beyond_the_first_chunk_of_the_file():
    lines = 50_000
    content = b"name\n" + b"abcdefghi\n" * lines + b"x\xff\n"

    error = refusal(content, encoding="utf-8")

    assert error.line == lines + 2
    assert f"byte {5 + 10 * lines + 1} " in error.message


def test_half_a_character_in_utf_16_is_refused():
    assert refusal("name\nx\n".encode("utf-16") + b"\x00\xd8x\x00").line == 3


@pytest.mark.parametrize("encoding", ["klingon", "base64", "utf-7", "rot13", "\0"])
def test_an_encoding_that_is_none_is_refused(encoding):
    assert "unknown encoding" in refusal("name\nAda\n", encoding=encoding).message


# CSV: what is refused


@pytest.mark.parametrize("content", ["", "\n\n  \n", "\ufeff"])
def test_an_empty_file_is_refused(content):
    assert refusal(content).message == "the file is empty"


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(FileError, match="cannot be opened"):
        open_rows(tmp_path / "nothing.csv")


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(FileError, match="cannot be opened"):
        open_rows(tmp_path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04rest", "workbook"),
        (b"\xd0\xcf\x11\xe0rest", "old Excel"),
        (b"\x1f\x8brest", "gzip"),
        (b"%PDF-1.4", "PDF"),
    ],
)
def test_a_file_of_another_kind_is_named(content, words):
    assert words in refusal(content).message


def test_a_file_opened_as_text_is_a_programming_error():
    with pytest.raises(TypeError, match="binary"):
        open_rows(io.StringIO("name\nAda\n"))


def test_an_unknown_kind_is_refused():
    assert "csv, xlsx, jsonl, json" in refusal("name\n", kind="ods").message


@pytest.mark.parametrize("delimiter", ["", ",,", '"', "\n", " "])
def test_a_delimiter_that_cannot_be_one_is_refused(delimiter):
    assert "delimiter" in refusal("name\nAda\n", delimiter=delimiter).message


def test_two_delimiters_that_fit_equally_well_are_asked_for():
    error = refusal("a,b;c\n1,2;3\n")

    assert error.line == 1
    assert "comma or semicolon" in error.message


def test_a_row_with_too_few_cells_is_refused_with_its_line():
    error = refusal("name,email,city\nAda,a@example.com,London\nGrace,g@exam")

    assert error.line == 3
    assert "2 cells, the header 3" in error.message
    assert "cut off" in error.message


def test_a_row_with_too_many_cells_is_refused_with_its_line():
    error = refusal("name,street\nAda,Main street, 5\n")

    assert error.line == 2
    assert "3 cells, the header 2" in error.message


def test_a_quotation_mark_that_is_never_closed_is_refused_where_the_record_starts():
    error = refusal('name,note\nAda,x\nGrace,"cut off\nhere\n')

    assert error.line == 3
    assert "never closed" in error.message


def test_text_behind_a_closing_quotation_mark_is_refused():
    assert refusal('name,note\nAda,"The "Countess" herself"\n').line == 2


@pytest.mark.parametrize(("content", "line"), [("na\0me\nAda\n", 1), ("name\nAda\nGr\0ce\n", 3)])
def test_a_nul_character_is_refused_with_its_line(content, line):
    error = refusal(content)

    assert error.line == line
    assert "NUL" in error.message


def test_utf_16_without_its_mark_is_refused_with_a_hint():
    assert "UTF-16" in refusal("name\nAda\n".encode("utf-16-le")).message


def test_a_cell_longer_than_the_limit_is_refused():
    error = refusal("name,note\nAda,x\nGrace," + "x" * (readers.FIELD_LIMIT + 1) + "\n")

    assert error.line == 3
    assert "longer than 131072" in error.message


def test_a_cell_of_exactly_the_limit_is_read():
    assert len(rows("note\n" + "x" * readers.FIELD_LIMIT + "\n")[0][1]["note"]) == 131072


def test_a_line_without_end_is_refused_before_it_fills_the_memory():
    error = refusal("a,b\n" + "x," * readers.RECORD_LIMIT)

    assert error.line == 2
    assert "record is longer" in error.message


def test_a_record_of_endless_lines_is_refused_where_it_starts():
    assert refusal("a,b\n" + '"x\n",' * readers.RECORD_LIMIT).line == 2


def test_a_blank_header_cell_is_refused_with_its_position():
    error = refusal("name,,email\nAda,x,y\n")

    assert (error.line, error.column) == (1, 2)
    assert "position 2 is blank" in error.message


def test_two_columns_of_one_name_are_refused():
    error = refusal("name,email,name\n1,2,3\n")

    assert (error.line, error.column) == (1, 3)
    assert "positions 1 and 3" in error.message


def test_a_file_without_a_header_is_refused():
    assert "name the columns" in refusal("Ada,ada@example.com\n").message


def test_a_header_of_too_many_columns_is_refused():
    assert "1000 columns" in refusal(",".join(f"c{n}" for n in range(1001)) + "\n").message


def test_an_error_speaks_its_line_and_column():
    assert str(FileError("broken", 7, 3)) == "line 7, column 3: broken"
    assert str(FileError("broken")) == "broken"


PIECES = st.sampled_from(
    [b"name", b"a@b.cd", b",", b";", b"\t", b'"', b"\n", b"\r", b"\r\n", b"{", b"}", b"[", b"]",
     b":", b'{"a": 1}', b"\xef\xbb\xbf", b"\xff\xfe", b"\xe9", b"\xc3\xa9", b"\0", b"'=",
     b"\\ud800"]
)  # fmt: skip


@given(
    st.lists(PIECES | st.binary(max_size=4), max_size=30), st.sampled_from([None, *readers.KINDS])
)
def test_any_bytes_are_read_or_refused(pieces, kind):
    try:
        opened = source(b"".join(pieces), kind=kind)
        first = list(opened)
    except FileError:
        return

    assert list(opened) == first


# JSON lines


def test_reads_json_lines_with_blank_lines_between():
    opened = source('{"name": "Ada"}\n\r\n{"name": "José", "labels": {"a": "b"}}\n')

    assert opened.kind == "jsonl"
    assert opened.header == ["name", "labels"]
    assert [row.line for row in opened] == [1, 3]
    assert opened.check() == (2, 1)


def test_numbers_keep_their_digits():
    from decimal import Decimal

    assert rows('{"credit_limit": 12.10}')[0][1] == {"credit_limit": Decimal("12.10")}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"name": "Ada"', "broken JSON"),
        ('{"name": "Ada",}', "broken JSON"),
        ("[1]", "one JSON object"),
        ("Ada", "one JSON object"),
        ('{"name": "Ada"} {"name": "Grace"}', "text after the object"),
        ('{"name": "Ada", "name": "Grace"}', "stands twice"),
        ('{"x": {"a": 1, "a": 2}}', "stands twice"),
        ('{"x": NaN}', "NaN"),
        ('{"x": -Infinity}', "Infinity"),
        ('{"x": 1e999999999}', "too large"),
        ('{"x": ' + "9" * 5000 + "}", "too long"),
        ('{"x": "\\ud800"}', "lone surrogate"),
        ('{"\\udfff": 1}', "lone surrogate"),
        ('{"x": "\\u0000"}', "NUL"),
        ('{"x": "a\0b"}', "NUL"),
        ('{"x": ' + "[" * 33 + "]" * 33 + "}", "deeper than 32"),
        ('{"x": ' + "[" * 100_000 + "]" * 100_000 + "}", "deeper than 32"),
        ('{"x": ' + '{"a":' * 100_000, "deeper than 32"),
        ('{"x": "' + "a" * (1 << 20) + '"}', "longer than 1048576"),
    ],
)
def test_a_line_that_is_not_one_sound_object_is_refused_with_its_number(line, words):
    error = refusal('{"name": "first"}\n' + line + "\n", kind="jsonl")

    assert error.line == 2
    assert words in error.message


def test_a_broken_line_is_refused_with_its_column():
    assert refusal('{"a": 1}\n{"b": tru}\n').column == 7


def test_a_cut_off_file_is_refused_at_its_last_line():
    assert refusal('{"a": 1}\n{"a": 2}\n{"a": "the en').line == 3


def test_many_brackets_in_a_text_are_not_depth():
    assert rows('{"x": "' + "[{" * 100 + '"}')[0][1]["x"] == "[{" * 100


def test_a_pair_of_surrogates_is_one_character():
    assert rows('{"x": "\\ud83d\\ude00"}')[0][1] == {"x": "😀"}


@pytest.mark.parametrize("name", ["people.jsonl", "people.json", "people"])
def test_json_that_is_not_unicode_is_refused(tmp_path, name):
    path = tmp_path / name
    path.write_bytes('{"name": "José"}\n'.encode("cp1252"))

    with pytest.raises(FileError, match="0xe9.*not utf-8"):
        open_rows(path)


# A JSON list


def test_reads_a_list_of_objects_with_the_line_of_each():
    opened = source('[\n  {"name": "Ada"},\n  {\n    "name": "Grace"\n  }\n]\n')

    assert opened.kind == "json"
    assert [(row.line, row.values["name"]) for row in opened] == [(2, "Ada"), (3, "Grace")]


def test_an_empty_list_is_a_file_without_customers():
    assert source("[ ]").check() == (0, 0)


def test_a_long_list_is_read_in_pieces():
    items = ",\n".join(f'{{"n": {n}, "text": "{"x" * 700}"}}' for n in range(1000))
    opened = source(f"[{items}]")

    assert opened.check().rows == 1000
    assert [row.line for row in opened][-1] == 1000


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        ('[{"a": 1},\n{"a": 2}', 2, "before its list is closed"),
        ('[{"a": 1},\n{"a": ', 2, "broken JSON"),
        ('[{"a": 1}\n{"a": 2}]', 2, "a comma or the end"),
        ('[{"a": 1},\n]', 2, "has to be an object"),
        ('[{"a": 1},\n2]', 2, "has to be an object"),
        ('[{"a": 1}]\n[]', 2, "after the end"),
        ('[{"a": 1},\n{"a": 1, "a": 2}]', 2, "stands twice"),
        ('[{"a": 1},\n{"a": Infinity}]', 2, "Infinity"),
        ('[{"a": 1},\n{"a": ' + "[" * 5000, 2, "deeper than 32"),
        ('[{"a": 1},\n{"a": "\\ud800"}]', 2, "lone surrogate"),
        ('[{"a": 1},\n{"a": "\0"}]', 2, "NUL"),
        ('[{"a": 1},\n{"a": "' + "x" * (1 << 21) + '"}]', 2, ""),
    ],
)
def test_a_list_that_is_not_sound_is_refused_with_its_line(content, line, words):
    error = refusal(content)

    assert error.line == line
    assert words in error.message


def test_an_object_alone_is_not_a_list(tmp_path):
    path = tmp_path / "people.json"
    path.write_text('{\n  "customers": []\n}\n')

    with pytest.raises(FileError, match="every line has to be one whole object"):
        open_rows(path)
