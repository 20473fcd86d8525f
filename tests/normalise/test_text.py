"""Texts, identifiers and names: what is trimmed, what is refused, what stays."""

import time
import unicodedata

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given, settings
from hypothesis import strategies as st

from normalise import build_name, clean_identifier, clean_text


def refusal(function, *args, **kwargs):
    """Return the code of the refusal that a call must end in; its sentence must read."""
    with pytest.raises(ValidationError) as caught:
        function(*args, **kwargs)
    assert all(caught.value.messages)
    return caught.value.code


def test_a_text_is_trimmed_of_blanks_of_every_width():
    assert clean_text("\t\u00a0\u2003 Anna Berg \u3000\r\n", max_length=20) == "Anna Berg"


def test_a_text_is_brought_into_composed_form():
    assert clean_text("Jose\u0301", max_length=4) == "José"


def test_an_empty_text_stays_empty():
    assert clean_text("", max_length=5) == ""
    assert clean_text(" \u2029 ", max_length=5) == ""


def test_length_is_counted_in_characters_after_normalisation():
    assert clean_text("e\u0301" * 5, max_length=5) == "é" * 5
    assert clean_text("😀" * 5, max_length=5) == "😀" * 5
    assert refusal(clean_text, "é" * 6, max_length=5) == "max_length"
    assert refusal(clean_text, "abcdef", max_length=5) == "max_length"


@pytest.mark.parametrize("value", [None, True, 5, 1.5, b"Anna", ["Anna"], {"a": 1}])
def test_what_is_not_a_text_is_refused(value):
    assert refusal(clean_text, value, max_length=50) == "not_text"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("An\x00na", "null_character"),
        ("\x00", "null_character"),
        ("Anna\x07", "control_character"),
        ("\x1bAnna", "control_character"),
        ("An\x7fna", "control_character"),
        ("An\x9fna", "control_character"),
        ("Anna\ud83d", "surrogate"),
        ("\udc00", "surrogate"),
        ("An\tna", "control_character"),
        ("An\nna", "line_break"),
        ("An\r\nna", "line_break"),
        ("An\u2028na", "line_break"),
        ("An\x85na", "line_break"),
    ],
)
def test_a_line_of_text_holds_no_control_characters(value, code):
    assert refusal(clean_text, value, max_length=50) == code


def test_several_lines_keep_tabs_and_get_plain_line_feeds():
    assert clean_text("a\tb\r\nc\rd\ne", max_length=50, multiline=True) == "a\tb\nc\nd\ne"


@pytest.mark.parametrize("value", ["a\x00b", "a\x0bb", "a\x1fb", "a\x85b", "a\udfffb"])
def test_several_lines_hold_no_other_control_characters(value):
    with pytest.raises(ValidationError):
        clean_text(value, max_length=50, multiline=True)


@pytest.mark.parametrize(
    "value",
    [
        "👩‍👩‍👧",
        "مُنَاقَشَة",
        "Nguyễn Thị",
        "O’Brien",
        "\u202eanna",
        "田中",
        "' OR 1=1 --",
        "<b>Anna</b>",
    ],
)
def test_names_of_all_kinds_stay_as_they_are(value):
    cleaned = clean_text(value, max_length=50)

    assert cleaned == unicodedata.normalize("NFC", value)


def test_a_pile_of_accents_is_refused_before_it_costs_anything():
    start = time.perf_counter()

    code = refusal(clean_text, "a" + "\u0315\u0300" * 100_000, max_length=100_000)

    assert code == "too_many_marks"
    assert time.perf_counter() - start < 5


def test_a_text_far_too_long_is_refused_before_it_is_normalised():
    start = time.perf_counter()

    assert refusal(clean_text, "\u0315\u0300" * 1_000_000, max_length=200) == "max_length"
    assert time.perf_counter() - start < 5


@settings(deadline=None)
@given(st.text(), st.booleans())
def test_cleaning_twice_changes_nothing(value, multiline):
    try:
        once = clean_text(value, max_length=40, multiline=multiline)
    except ValidationError:
        return

    assert clean_text(once, max_length=40, multiline=multiline) == once
    assert len(once) <= 40
    assert unicodedata.is_normalized("NFC", once)
    once.encode()


def test_an_identifier_may_have_letters_of_any_script_and_single_blanks():
    assert clean_identifier(" Kård 42-Ø ", max_length=20) == "Kård 42-Ø"


def test_an_empty_identifier_is_none():
    assert clean_identifier("", max_length=20) is None
    assert clean_identifier("  ", max_length=20) is None
    assert clean_identifier(None, max_length=20) is None


@pytest.mark.parametrize(
    "hidden",
    [
        *("\u200b", "\u200d", "\u200e", "\u202e", "\u2066", "\u00ad", "\ufeff", "\u2060"),
        *("\u00a0", "\u2003", "\u034f", "\u3164", "\ufe0f", "\U000e0041", "\U000e0100"),
    ],
)
def test_an_identifier_holds_nothing_that_nobody_can_see(hidden):
    assert refusal(clean_identifier, f"CARD{hidden}1", max_length=20) == "invisible_character"


@pytest.mark.parametrize("value", ["CARD\x001", "CARD\n1", "CARD\ud8001", 12345, "x" * 21])
def test_an_identifier_is_refused_what_a_text_is_refused(value):
    with pytest.raises(ValidationError):
        clean_identifier(value, max_length=20)


@pytest.mark.parametrize(
    ("name", "first", "last", "company", "expected"),
    [
        ("Dr. Berg", "Anna", "Berg", "Berg AS", "Dr. Berg"),
        ("", "Anna", "Berg", "Berg AS", "Anna Berg"),
        ("", "Anna", "", "Berg AS", "Anna"),
        ("", "", "Berg", "", "Berg"),
        (None, None, None, "Berg AS", "Berg AS"),
        ("", "", "", "", ""),
    ],
)
def test_a_name_is_built_from_what_there_is(name, first, last, company, expected):
    built = build_name(name=name, first_name=first, last_name=last, company_name=company)

    assert built == expected
