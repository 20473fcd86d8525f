"""The search column and what a person types: both sides meet, whatever was typed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from normalise import Term, clean_phone, email_part, fold, search_terms, search_text


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Anna", "anna"),
        ("  Anna   BERG ", "anna berg"),
        ("Søren Ærø", "soren aero"),
        ("Łódź", "lodz"),
        ("Đorđe", "dorde"),
        ("Straße", "strasse"),
        ("Þóra", "thora"),
        ("Œuvre", "oeuvre"),
        ("IĞDIR ığdır İzmir", "igdir igdir izmir"),
        ("José Jose\u0301", "jose jose"),
        ("ﬁne Ａｎｎａ", "fine anna"),
        ("O'Brien O’Brien D`Arcy", "obrien obrien darcy"),
        ("Anne-Marie von_Berg/Lie", "anne marie von berg lie"),
        ("J.R. & Sons, Ltd.", "j r sons ltd"),
        ("Anna\u200b\u00adBerg", "annaberg"),
        ("Anna\u2003Berg\u00a0Lie", "anna berg lie"),
        ("٤٢ ४२", "42 42"),
        ("Σίσυφος ΣΊΣΥΦΟΣ", "σισυφοσ σισυφοσ"),
        ("田中 😀", "田中 😀"),
        ("Anna.Berg+x@Example.org", "anna.berg+x@example.org"),
        ("<Jose\u0301.B@x.no>, Anna-Lie", "jose.b@x.no anna lie"),
        ("a-b,c_d@e.f.", "a b c_d@e.f"),
        ("", ""),
        (" \x00\n-- ", ""),
        ("\ud800x", "x"),
    ],
)
def test_a_text_is_folded_to_plain_words(text, folded):
    assert fold(text) == folded


@settings(deadline=None, max_examples=500)
@given(st.one_of(st.text(), st.text("aAéÉøß@._+-' \u0301İıΣς,'", max_size=20)))
def test_folding_twice_changes_nothing(text):
    folded = fold(text)

    assert fold(folded) == folded
    assert folded == " ".join(folded.split())


@settings(deadline=None)
@given(st.text("".join(chr(code) for code in range(128))))
def test_the_quick_way_for_ascii_folds_like_the_other(text):
    both = fold(text + " ø")

    assert both.split()[:-1] == fold(text).split()


def test_the_search_column_holds_every_word_once_between_blanks():
    column = search_text(
        names=["Anna Berg", "Berg AS", None, ""],
        emails=["Anna@Example.org"],
        phones=[clean_phone("02 9876 5432", country="AU"), clean_phone("12 34", country="NO")],
        identifiers=["CARD-0042", None],
        number=123,
    )

    assert column == (
        " cust-123 123 anna berg as anna@example.org 61298765432 0298765432 1234"
        " card 0042 card0042 "
    )


def test_an_umlaut_is_found_in_both_spellings():
    column = search_text(names=["Jürgen Müller", "Bjørn Aas"])

    assert column == " jurgen muller juergen mueller bjorn aas bjoern "


def test_phones_may_be_plain_texts():
    assert search_text(phones=["+47 22 44 12 34", "", "none"]) == " 4722441234 "


def test_a_column_of_nothing_is_empty():
    assert search_text() == ""
    assert search_text(names=["", None, "--"], emails=[], phones=[None]) == ""


def test_the_column_is_cut_between_words():
    names = [f"name{index}" for index in range(1000)]

    column = search_text(names=names, identifiers=["x" * 5000, "Z9"])

    assert 3980 < len(column) <= 4000
    assert set(column.split()) <= {*names, "z9"}
    assert (column[0], column[-1]) == (" ", " ")


@pytest.mark.parametrize(
    ("typed", "digits"),
    [
        ("+47 900 12 345", "4790012345"),
        ("0047 900 12 345", "4790012345"),
        ("004790012345", "4790012345"),
        ("900 12 345", "90012345"),
        ("(02) 9876-5432", "0298765432"),
        ("02.9876.5432", "0298765432"),
        ("+49 0711 2345678", "497112345678"),
        ("+49 (0)711 2345678", "497112345678"),
        ("+49 (0)711 23", "4971123"),
        ("+47 900", "47900"),
        ("2345", "2345"),
        ("000042", "000042"),
        ("０９００ １２３４", "09001234"),
    ],
)
def test_a_phone_is_one_term_however_it_is_typed(typed, digits):
    assert search_terms(f" {typed} ") == [Term("digits", digits)]


@pytest.mark.parametrize(
    ("typed", "terms"),
    [
        ("Anna Berg", [("word", "anna"), ("word", "berg")]),
        ("berg, ANNA", [("word", "berg"), ("word", "anna")]),
        ("José O'Brien", [("word", "jose"), ("word", "obrien")]),
        ("anna anna", [("word", "anna")]),
        ("Anna@Example.org", [("email", "anna@example.org")]),
        ("@example.org", [("email", "@example.org")]),
        ("CUST-123", [("number", "123")]),
        ("cust00123 berg", [("number", "123"), ("word", "berg")]),
        ("berg 90012345", [("word", "berg"), ("digits", "90012345")]),
        ("CARD-0042", [("word", "card"), ("digits", "0042")]),
        ("42", [("word", "42")]),
        ("0+1", [("word", "0"), ("word", "1")]),
        ("%_", []),
        ("田中", [("word", "田中")]),
    ],
)
def test_words_are_told_apart_by_what_they_look_like(typed, terms):
    assert search_terms(typed) == terms


@pytest.mark.parametrize(
    ("typed", "part"),
    [
        ("n.York", "n.york"),
        (" 09-3f ", "09-3f"),
        ("12.34", "12.34"),
        ("a_b+c", "a_b+c"),
        *dict.fromkeys(
            ("ann@x", "york", "n. york", ".york", "+47", "CUST-12", "o'brien", "", None, "x" * 999)
        ).items(),
    ],
)
def test_what_may_stand_inside_an_email_is_one_part_of_it(typed, part):
    assert email_part(typed) == (part and Term("email", part))


@pytest.mark.parametrize("typed", ["", "   ", None, 5, "---", "'", "\x00", "\u200b", "()"])
def test_nothing_to_look_for_is_no_term(typed):
    assert search_terms(typed) == []


def test_a_query_has_at_most_eight_terms():
    assert len(search_terms(" ".join(f"word{index}" for index in range(50)))) == 8
    assert len(search_terms("x" * 1_000_000)) == 1


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=60), st.sampled_from(["names", "identifiers"]))
def test_what_was_stored_is_found_by_typing_it(text, where):
    column = search_text(**{where: [text]})

    for term in search_terms(text):
        if term.kind != "number":
            assert term.value in column or term.kind == "digits"


@pytest.mark.parametrize(
    "typed",
    ["+61 2 9876 5432", "0061298765432", "(02) 9876-5432", "9876 5432", "5432", "02 9876"],
)
def test_a_phone_is_found_by_any_part_of_it(typed):
    column = search_text(phones=[clean_phone("02 9876 5432", country="AU")])

    (term,) = search_terms(typed)

    assert term.value in column
