"""The catalogue of translated words is complete, or the check says what is missing."""

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po

from config.translations import check, collect, compiled, faults_of, words_of


@pytest.fixture
def words():
    """A product of three sentences."""
    catalogue = Catalog()
    catalogue.add("Save %(name)s")
    catalogue.add(("%(n)d point", "%(n)d points"))
    catalogue.add("May", context="month")
    return catalogue


@pytest.fixture
def translated():
    """The same three in Norwegian."""
    catalogue = Catalog(locale="nb")
    catalogue.add("Save %(name)s", "Lagre %(name)s")
    catalogue.add(("%(n)d point", "%(n)d points"), ("%(n)d poeng", "%(n)d poeng"))
    catalogue.add("May", "mai", context="month")
    return catalogue


def faults(translated, words):
    return list(faults_of(translated, words))


def test_a_complete_catalogue_has_no_fault(translated, words):
    assert faults(translated, words) == []


def test_a_new_word_is_missed(translated, words):
    words.add("Undo")

    assert faults(translated, words) == ["is not in the catalogue: 'Undo'"]


def test_a_word_that_nobody_uses_is_named(translated, words):
    translated.add("Gone", "Borte")

    assert faults(translated, words) == ["is used nowhere: 'Gone'"]


def test_an_empty_half_of_a_plural_is_not_a_translation(translated, words):
    translated["%(n)d point"].string = ("%(n)d poeng", "")

    assert [fault[:18] for fault in faults(translated, words)] == ["is not translated:"]


def test_a_changed_placeholder_is_a_fault(translated, words):
    translated["Save %(name)s"].string = "Lagre %(navn)s"

    assert "has other placeholders" in faults(translated, words)[0]


def test_a_catalogue_must_be_compiled_after_its_last_change(translated, words, tmp_path):
    path = tmp_path / "django.po"
    with path.open("wb") as file:
        write_po(file, translated)
    path.with_suffix(".mo").write_bytes(b"older")

    assert list(check(path, words)) == ["was not compiled since its last change"]
    path.with_suffix(".mo").write_bytes(compiled(translated))
    assert list(check(path, words)) == []


def test_words_are_found_in_code_and_in_templates(tmp_path):
    code = tmp_path / "deeds.py"
    code.write_text('label = _("Merge")\ncount = ngettext("%d row", "%d rows", n)\nplain = "no"\n')
    page = tmp_path / "page.html"
    page.write_text(
        "{% load i18n %}\n   <p>{% trans 'Hello' %}</p>\n"
        " {% blocktrans trimmed with n=rows %}\n  {{ n }} found\n {% endblocktrans %} (odd"
    )

    assert [message for message, _ in words_of(code)] == ["Merge", ("%d row", "%d rows")]
    assert [message for message, _ in words_of(page)] == ["Hello", "%(n)s found"]


def test_the_words_of_the_back_office_are_collected_but_not_those_that_django_translates():
    ids = {word.id for word in collect()}

    assert "Find a customer" in ids or "customer" in ids
    assert "Log out" not in ids
