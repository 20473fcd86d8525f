"""The customers of a location over Conecto's wire."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import Customer
from customers.services import (
    add_entry,
    anonymise_customer,
    delete_customer,
    register_customer,
    set_store_profile,
    update_customer,
)
from tenancy import clock
from tenancy.clock import frozen
from tenancy.models import Store
from tests.dialects.conecto.client import Conecto, at, is_refusal
from tests.factories import StoreFactory, make_token

pytestmark = pytest.mark.django_db
KEYS = {
    *("posRef", "firstName", "lastName", "companyName", "locationId", "createdAt", "updatedAt"),
    *("customerEmails", "customerPhones", "customerAddresses"),
}


@pytest.fixture
def api(acme):
    return Conecto(make_token(acme, "service", scopes=["customers:read"]))


@pytest.fixture
def main(acme):
    return Store.objects.get()


@pytest.fixture
def other(acme):
    return StoreFactory(tenant=acme, code="other", location_id=2)


@pytest.fixture
def crowd(acme):
    """150 customers at the default store, all of one moment."""
    instant = clock.now()
    Customer.objects.bulk_create(
        Customer(tenant=acme, number=n, first_name=f"P{n}", updated_at=instant)
        for n in range(1, 151)
    )


def test_c01_c04_c07_c29_pages_and_their_meta(api, crowd):
    first, large, far = api.page(1), api.page(1, pageSize=100), api.page(1, page=999)

    assert len(first["results"]) == 50
    assert first["meta"] == {"page": 1, "pageSize": 50, "totalCount": 150}
    assert len(large["results"]) == large["meta"]["pageSize"] == 100
    assert far == {"results": [], "meta": {"page": 999, "pageSize": 50, "totalCount": 150}}
    assert api.page(1, pageSize=5000)["meta"]["pageSize"] == 100
    assert api.page(1, foo=1, page="", pageSize="", search="", updatedAfter="") == first
    refs = [ref for page in (1, 2, 3) for ref in api.refs(1, page=page)]
    assert len(set(refs)) == 150


def test_c06_c16_a_parameter_that_is_none_is_refused(api):
    for name, values in {
        "pageSize": ("0", "-5", "abc", "1.5", "9" * 30, "\0"),
        "page": ("0", "x", "-1"),
        "updatedAfter": ("yesterday", "2026-13-01", "0001-01-01T00:00:00Z", "\0", "x" * 300),
        "search": ("x" * 300, "a\0"),
    }.items():
        for value in values:
            answer = api.get(1, **{name: value})

            assert is_refusal(answer, 400), (name, value)
            assert answer.json()["error"]["message"].startswith(f"{name}: ")


def test_c02_c19_c21_a_customer_has_all_its_keys(api, acme, main):
    customer = register_customer(
        first_name="Jane",
        emails=[
            {"address": "old@example.org"},
            {"address": "jane@example.org", "primary": True, "verified": True},
        ],
        phones=[
            {"given": "900 00 001", "kind": "home", "extension": "12"},
            {"given": "12"},
            {"given": "+61 412 345 678", "kind": "mobile", "primary": True},
        ],
        addresses=[
            {"street": "Storgata 1", "city": "Oslo", "kind": "shipping"},
            {"street": "Kai 2", "latitude": "59.91", "longitude": "10.75", "kind": "billing"},
        ],
    )
    register_customer(name="Pat Benatar")

    jane, pat = api.page(1)["results"]

    assert set(jane) == set(pat) == KEYS
    assert (jane["posRef"], jane["firstName"], jane["lastName"]) == (customer.code, "Jane", None)
    assert (jane["companyName"], jane["locationId"]) == (None, main.location_id)
    assert jane["updatedAt"].endswith("Z")
    assert [(row["email"], row["isPrimary"]) for row in jane["customerEmails"]] == [
        ("jane@example.org", True),
        ("old@example.org", False),
    ]
    assert [(row["phone"], row["type"], row["extension"]) for row in jane["customerPhones"]] == [
        ("+61412345678", "MOBILE", None),
        ("+4790000001", "HOME", "12"),
    ]
    assert all(re.fullmatch(r"\+[1-9]\d{1,14}", row["phone"]) for row in jane["customerPhones"])
    shipping, billing = jane["customerAddresses"]
    assert (shipping["type"], shipping["country"], shipping["latitude"]) == ("OTHER", None, None)
    assert (billing["type"], billing["latitude"], billing["longitude"]) == ("BILLING", 59.91, 10.75)
    assert (pat["firstName"], pat["lastName"]) == ("Pat Benatar", None)
    lists = ("customerEmails", "customerPhones", "customerAddresses")
    assert [pat[name] for name in lists] == [[], [], []]


def test_c09_c11_c12_search_in_name_email_and_phone(api, acme):
    jane = register_customer(
        first_name="Jane",
        last_name="Doe",
        company_name="Doe Ltd",
        emails=[{"address": "jane.doe@example.org"}, {"address": "jane@example.org"}],
        phones=[{"given": "+47 900 00 001"}],
    )
    register_customer(first_name="Joan")

    words = "example.org", "DOE@example", "e.do", "Jane Doe", "doe jane", "doe ltd", jane.code
    for text in (*words, "+47 (900) 00-001", "0001", "90000001"):
        page = api.page(1, search=text)
        assert [row["posRef"] for row in page["results"]] == [jane.code], text
        assert page["meta"]["totalCount"] == 1
    for text in ("zzz-none", "%", "_", "jane joan"):
        page = api.page(1, search=text)
        assert (page["results"], page["meta"]["totalCount"]) == ([], 0)


def test_c14_c17_only_what_changed_later(api, acme):
    instant = clock.now() - timedelta(days=1)
    for seconds, name in enumerate(("Ada", "Bea", "Adam", "Adele")):
        with frozen(instant + timedelta(seconds=seconds)):
            register_customer(first_name=name)
    rows = api.page(1)["results"]
    second = rows[1]["updatedAt"]

    later = api.page(1, updatedAfter=second)["results"]
    both = api.page(1, updatedAfter=rows[0]["updatedAt"], search="ada", pageSize=1)

    assert [row["firstName"] for row in later] == ["Adam", "Adele"]
    assert [row["firstName"] for row in both["results"]] == ["Adam"]
    assert both["meta"]["totalCount"] == 1
    local = (instant + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%S.%f")
    for same in (f"{local}+02:00", f"{local} 02:00", instant.strftime("%Y-%m-%dT%H:%M:%S.%f")):
        assert len(api.page(1, updatedAfter=same)["results"]) == 3, same


def test_c22_the_same_reference_in_two_locations_is_two_customers(api, acme, main, other):
    for store, name in ((main, "Ada"), (other, "Bea")):
        customer = register_customer(first_name=name, home_store=store)
        set_store_profile(customer, store, pos_ref="P-1")

    for location, name in ((1, "Ada"), (2, "Bea")):
        (row,) = api.page(location)["results"]
        assert (row["posRef"], row["firstName"], row["locationId"]) == ("P-1", name, location)
    assert api.refs(2, search="ada") == []


def test_who_has_a_profile_at_a_store_is_listed_there_too(api, acme, main, other):
    nobody = register_customer(first_name="Nobody's")
    both = register_customer(first_name="Both", home_store=main)
    set_store_profile(both, other, pos_ref="B-2")

    assert api.refs(1) == [nobody.code, both.code]
    assert api.refs(2) == ["B-2"]


def test_a_reference_of_the_till_that_looks_like_a_customer_number_stays_its_own(api, main, other):
    bea = register_customer(first_name="Bea", home_store=main)
    ada = register_customer(first_name="Ada", home_store=main)
    set_store_profile(ada, main, pos_ref=bea.code)
    set_store_profile(bea, other, note="Comes on Saturdays")

    assert api.refs(1) == [bea.code, str(bea.pk)]
    assert api.refs(2) == [bea.code]


def test_c24_a_token_reads_the_locations_that_it_is_bound_to(acme, main, other, rival):
    bound = Conecto(make_token(acme, "seller", stores=[main]))

    assert bound.page(1)["meta"]["totalCount"] == 0
    assert is_refusal(bound.get(2), 403)
    stranger = StoreFactory(tenant=rival, code="theirs", location_id=77)
    for nowhere in (stranger.location_id, 999, 2**31, 10**15, -1, "x", "1.0", "%00"):
        assert is_refusal(bound.get(nowhere), 404), nowhere


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_c26_nothing_can_be_written(api, method):
    answer = api.send(method, at(1))

    assert is_refusal(answer, 405)
    assert answer["Allow"].startswith("GET")


def test_c27_an_email_that_is_added_elsewhere_is_a_change_here(api, acme):
    ada = register_customer(first_name="Ada")
    before = api.page(1)["results"][0]["updatedAt"]

    add_entry(ada, "emails", {"address": "ada@example.org"})

    (row,) = api.page(1, updatedAfter=before)["results"]
    assert row["customerEmails"][0]["email"] == "ada@example.org"


def test_the_deleted_and_the_anonymised_are_not_shown(api, acme, settings, tmp_path):
    settings.ERASURE_JOURNAL = tmp_path / "erasures.jsonl"
    delete_customer(register_customer(first_name="Deleted"))
    anonymise_customer(register_customer(first_name="Anonymous"))

    assert api.page(1)["meta"]["totalCount"] == 0


def test_a_page_takes_the_same_number_of_queries_however_long_it_is(api, acme):
    for name in ("Ada", "Bea", "Cia"):
        register_customer(
            first_name=name,
            emails=[{"address": f"{name}@example.org"}],
            phones=[{"given": "900 00 001"}],
            addresses=[{"city": "Oslo"}],
        )
    api.page(1)
    with CaptureQueriesContext(connection) as one:
        api.page(1, pageSize=1)
    with CaptureQueriesContext(connection) as three:
        api.page(1)

    assert len(one) == len(three) <= 30


def test_it_also_stands_below_api(api, ada):
    assert api.page("/api/pos/v2/1/customers") == api.page(1)
    assert is_refusal(api.get("/api/pos/v2/nothing"), 404)


def test_who_may_not_read_is_refused(acme, ada):
    for token in (
        make_token(acme, "customer", customer=ada),
        make_token(acme, "service", scopes=["groups:read"]),
    ):
        assert is_refusal(Conecto(token).get(1), 403)


def test_a_bug_is_told_in_the_vendors_words(acme, monkeypatch):
    monkeypatch.setattr("dialects.conecto.views.shown", lambda *args, **options: 1 / 0)
    update_customer(register_customer(first_name="Ada"), last_name="X")

    assert is_refusal(Conecto(make_token(acme), raises=False).get(1), 500)
