"""A look at a file, what somebody makes of its columns, and the mapping that is remembered."""

import json

import pytest
from django.core.exceptions import ValidationError

from customers.imports import formats, storing
from customers.imports.errors import MappingError
from customers.imports.looking import chosen_mapping, header_key, look_at
from customers.imports.mapping import Mapping, guess_mapping
from customers.imports.mapping_text import NotWritable, written
from customers.imports.profiles import forget_profile, profile_for, remember_profile
from customers.imports.storing import keep_file, open_start
from customers.models import ImportProfile
from events.models import HistoryEntry
from tenancy.scoping import in_tenant

FULL = {
    "match": "external_id",
    "blank": "clear",
    "columns": {
        "Nr": "external_id",
        "Anrede": {"to": "gender", "values": {"1": "male"}, "otherwise": "blank"},
        "Geb": {"to": "birth_date", "dates": "DMY"},
        "Limit": {"to": "credit_limit", "decimal": ","},
        "News": {"to": "consent_marketing", "true": ["ja"], "false": ["nein", "nie"]},
        "Kontakt": {"to": ["contact_first_name", "contact_last_name"], "split": " ", "at": "last"},
        "Rest": None,
    },
    "joined": [{"from": ["Str", "Hnr"], "with": " ", "to": "street"}],
    "constants": {"origin": "old till"},
}


def test_a_mapping_is_written_down_as_it_was_read():
    mapping = Mapping.from_json(json.dumps(FULL))

    assert Mapping.from_json(json.dumps(written(mapping))) == mapping


@pytest.mark.parametrize(
    "header",
    [["name", "Strasse", "Hausnummer", "Anrede", "active"], ["Company", "Ansprechpartner", "x"]],
)
def test_what_is_guessed_can_be_written_down(header):
    mapping, _unmapped = guess_mapping(header)

    read = Mapping.from_json(json.dumps(written(mapping)))

    assert len(read.rules) == len(mapping.rules)
    assert all(rule in mapping.rules for rule in read.rules)


def test_the_rules_of_a_known_shop_cannot_all_be_written_down():
    with pytest.raises(NotWritable):
        written(formats.by_name("magento-addresses").mapping)


def test_columns_are_joined_only_where_all_are_left_as_they_are():
    base, _unmapped = guess_mapping(["name", "Strasse", "Hausnummer"])
    header = ["name", "Strasse", "Hausnummer"]
    as_is = dict.fromkeys(header, "=")

    whole = chosen_mapping(base, header, as_is, as_is="=")
    apart = chosen_mapping(base, header, {**as_is, "Hausnummer": "street2"}, as_is="=")

    assert [rule.columns for rule in whole.rules] == [("name",), ("Strasse", "Hausnummer")]
    assert [(rule.columns, rule.to) for rule in apart.rules] == [
        (("name",), ("name",)),
        (("Strasse",), ("street",)),
        (("Hausnummer",), ("street2",)),
    ]


def test_a_mapping_of_no_column_is_refused():
    base, _unmapped = guess_mapping(["name"])

    with pytest.raises(MappingError):
        chosen_mapping(base, ["name"], {}, as_is="=")


def test_files_with_the_same_columns_have_one_key():
    assert header_key(["E-Mail", "Vorname"]) == header_key(["vorname", "e mail"])
    assert header_key(["E-Mail"]) != header_key(["E-Mail", "Vorname"])


@pytest.mark.django_db
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_look_takes_the_beginning_of_a_file_and_cuts_no_row(acme, monkeypatch, encoding):
    monkeypatch.setattr(storing, "PIECE", 1000)
    text = "name,email\n" + "Ädä,ada@example.org\n" * 5_000
    file = keep_file([text.encode(encoding)])

    look = look_at(file, name="shop.csv")

    assert len(open_start(file).getvalue()) <= 4_000 < file.size
    assert look.fault is None
    assert (look.header, look.rows[0].values["name"]) == (["name", "email"], "Ädä")


@pytest.mark.django_db
def test_a_mapping_is_found_by_the_columns_within_the_tenant(acme, rival):
    key = header_key(["A"])
    first = remember_profile("till", key, mapping={"columns": {"A": "name"}}, options={})
    again = remember_profile("till", key, mapping={"columns": {"A": "email"}}, options={})

    assert (first.pk, again.mapping["columns"]) == (again.pk, {"A": "email"})
    assert profile_for(key) == first
    with in_tenant(rival):
        assert profile_for(key) is None
    forget_profile(again)
    assert not ImportProfile.objects.exists()
    deeds = HistoryEntry.objects.filter(subject_id=first.pk).values_list("deed", flat=True)
    assert sorted(deeds) == [
        "import_profile.created",
        "import_profile.deleted",
        "import_profile.updated",
    ]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "mapping", "options", "field"),
    [
        ("", None, {}, "name"),
        ("x" * 81, None, {}, "name"),
        ("till", None, {"on_match": "burn"}, "on_match"),
    ],
)
def test_what_cannot_be_remembered_is_named(acme, name, mapping, options, field):
    with pytest.raises(ValidationError) as refused:
        remember_profile(name, "k", mapping=mapping, options=options)

    assert set(refused.value.error_dict) == {field}
