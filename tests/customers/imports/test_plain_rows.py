"""The short way for rows in plain writing says what the long way says, or nothing."""

import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.imports.mapping import guess_mapping
from customers.imports.plain_rows import PlainRows
from customers.imports.planning import plan_import
from customers.imports.readers import RawRow
from customers.imports.validating import Validator
from tests.factories import StoreFactory

pytestmark = pytest.mark.django_db

HEADER = (
    *("external_id", "first_name", "last_name", "company_name", "name", "email", "phone"),
    *("phone_kind", "mobile_phone", "street", "postal_code", "city", "country", "birth_date"),
    *("status", "created_at", "home_store", "discount_percent", "gender", "consent_marketing"),
    *("groups", "level", "email_2", "billing_street", "address_first_name"),
)
CELLS = {
    "email": ["a@example.org", "B@Example.org", "nowhere", " a@example.org "],
    "email_2": ["z@example.org"],
    "phone": ["90000001", "+47 900 00 001", "030 901820", "none", "0047 900 00 003 x7"],
    "phone_kind": ["work", "cell", "shoe"],
    "mobile_phone": ["90000002"],
    "country": ["NO", "Norway", "Narnia", "no"],
    "birth_date": ["1990-02-03", "3.2.1990", "02/03/1990", "0000-00-00", "2990-01-01"],
    "status": ["new", "inactive", "odd"],
    "created_at": ["2020-05-17 12:00:00", "2999-01-01", "soon"],
    "home_store": ["oslo", "nowhere"],
    "discount_percent": ["5", "5.0", "101", "x"],
    "gender": ["Herr", "f", "odd"],
    "consent_marketing": ["ja", "maybe"],
    "groups": ["news"],
    "level": ["Gold"],
    "billing_street": ["Side street 2"],
}
words = st.one_of(
    st.sampled_from(["Ada", "Bjørn", " Zoë ", "a\tb", "x" * 260, "e\u0301", "\u200b", "O'Neil"]),
    st.text(max_size=6),
)
rows = st.fixed_dictionaries(
    {
        name: st.one_of(
            st.just(""), st.just(" "), st.sampled_from(CELLS[name]) if name in CELLS else words
        )
        for name in HEADER
    }
)


def only(plain, raw):
    (found,) = plain.candidates([raw])
    return found


@pytest.fixture
def both(acme):
    StoreFactory(tenant=acme, code="oslo", country="DE")
    mapping, _unmapped = guess_mapping(HEADER)
    validator = Validator(acme, mapping)
    plain = PlainRows(mapping, validator)
    assert plain.usable
    return plain, validator


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(values=rows, kept=st.sets(st.sampled_from(HEADER), min_size=1, max_size=6))
def test_the_short_way_says_what_the_long_way_says_or_nothing(both, values, kept):
    plain, validator = both
    raw = RawRow(2, {name: values[name] if name in kept else "" for name in HEADER})

    long = validator.validate(validator.mapping.apply(raw))
    short = only(plain, raw)

    if short is not None:
        assert long.errors == short.errors == []
        assert short.clean == long.clean
        assert (short.beside, short.created_at) == (long.beside, long.created_at)
        assert (short.account, short.statements, short.consents) == ({}, [], [])
        assert (short.profile, short.shaped) == (long.profile, long.shaped)


def test_an_ordinary_row_goes_the_short_way(both):
    plain, validator = both
    cells = {
        "external_id": "x1", "first_name": "Åse", "last_name": "Müller", "email": "a@example.org",
        "phone": "90000001", "street": "Storgata 1", "city": "Oslo", "country": "NO",
        "birth_date": "1990-02-03", "status": "active",
    }  # fmt: skip

    found = only(plain, RawRow(2, {name: cells.get(name, "") for name in HEADER}))

    assert found.clean.children["phones"][0]["e164"] == "+4790000001"
    assert found.beside == {"status": "active"}


def test_a_store_is_known_once_the_long_way_has_found_it(both):
    plain, validator = both
    cells = {"external_id": "x1", "first_name": "Ada", "home_store": "oslo"}
    raw = RawRow(2, {name: cells.get(name, "") for name in HEADER})
    assert only(plain, raw) is None

    validator.validate(validator.mapping.apply(raw))

    assert only(plain, raw).clean.columns["home_store"].code == "oslo"


@pytest.mark.parametrize(
    "mapping",
    [
        '{"columns": {"a": "first_name", "b": "email"}, "blank": "clear"}',
        '{"columns": {"a": {"to": "gender", "values": {"Herr": "male"}}, "b": "email"}}',
        '{"columns": {"b": "email"}, "joined": [{"from": ["a", "b"], "to": "name"}]}',
        '{"columns": {"b": "email", "a": "first_name"}, "constants": {"origin": "till"}}',
    ],
)
def test_a_mapping_that_does_more_than_name_columns_has_no_short_way(acme, mapping):
    plan = plan_import(io.BytesIO(b"a,b\nx,a@example.org\n"), mapping=mapping)

    assert not PlainRows(plan.mapping, Validator(acme, plan.mapping)).usable


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(chunk=st.lists(rows, min_size=2, max_size=8))
def test_a_chunk_says_of_each_row_what_the_row_says_alone(both, chunk):
    plain, validator = both
    validator.known("home_store", "oslo")
    blank = ("groups", "level", "consent_marketing", "email_2", "billing_street")
    raws = [RawRow(n, values | dict.fromkeys(blank, "")) for n, values in enumerate(chunk, 2)]

    together = plain.candidates(raws)

    for raw, found in zip(raws, together, strict=True):
        alone = only(plain, raw)
        assert (found is None) == (alone is None)
        if found is not None:
            assert (found.clean, found.beside, found.created_at, found.line) == (
                (alone.clean, alone.beside, alone.created_at, raw.line)
            )


def test_each_row_of_a_chunk_is_read_by_the_country_of_its_own_store(both):
    plain, validator = both
    raws = [
        RawRow(n, dict.fromkeys(HEADER, "") | {
            "external_id": f"x{n}", "phone": "030 901820", "home_store": store,
        })
        for n, store in enumerate(["", "oslo", " ", "nowhere", "oslo"])
    ]  # fmt: skip
    validator.validate(validator.mapping.apply(raws[1]))

    found = plain.candidates(raws)

    numbers = [one and one.clean.children["phones"][0]["e164"] for one in found]
    assert numbers == ["", "+4930901820", "", None, "+4930901820"]
    assert [one and one.clean.columns["external_id"] for one in found] == [
        "x0", "x1", "x2", None, "x4",
    ]  # fmt: skip
