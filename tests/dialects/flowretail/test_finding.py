"""Lists and searches on Flow Retail's wire."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import Customer
from customers.services import add_extension, set_store_profile
from tests.dialects.flowretail.client import FlowRetail, fields_of
from tests.factories import StoreFactory, make_token

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(access):
    """Ola, Kari and Per, of whom no two share anything."""
    access.make(
        firstname="Ola",
        lastname="Nordmann",
        email="ola@ex.no",
        mobile="+4790000001",
        city="Oslo",
        postalCode="0155",
        address="Storgata 1",
        externalId="K-OLA",
        loyaltyId="7001",
        internalNote="likes chess",
        vatNumber="999888777",
    )
    access.make(
        firstname="Kari",
        lastname="Blå",
        companyName="Kaffe og Te AS",
        email="kari@shop.example",
        mobile="22 44 22 44",
        city="Bergen",
        postalCode="5003",
        contacts=[
            {"firstname": "Anne", "lastname": "Lie", "email": "anne@x.no", "mobile": "911 22 333"},
            {"firstname": "Bo", "lastname": "Dahl"},
        ],
    )
    access.make(firstname="Per", lastname="Hansen", city="Moss")
    return access


# --- Lists -----------------------------------------------------------------------------------
def test_w04_a_list_finds_exactly_one_external_id(people):
    told = people.get("", {"customerExternalId": "K-OLA"}).json()
    others = [
        people.get("", {"customerExternalId": text}).json()
        for text in ("K-OL", "k-ola", "K-OLA-", "")
    ]

    assert [row["firstname"] for row in told["items"]] == ["Ola"]
    assert told["paging"] == {"pageNumber": 1, "pageSize": 50, "totalCount": 1}
    assert [(one["items"], one["paging"]["totalCount"]) for one in others] == [([], 0)] * 4


def test_a_list_is_sorted_by_the_vendors_names(people):
    def names(**asked):
        return [row["firstname"] for row in people.get("", asked).json()["items"]]

    assert names() == ["Ola", "Kari", "Per"]
    assert names(sortDirection="DESC") == ["Per", "Kari", "Ola"]
    assert names(sortBy="lastname") == ["Kari", "Per", "Ola"]
    assert names(sortBy="city", sortDirection="DESC") == ["Ola", "Per", "Kari"]
    assert names(sortBy="email") == ["Kari", "Ola", "Per"]
    assert names(sortBy="paymentTerms", pageSize=2, pageNumber=2) != names(sortBy="paymentTerms")


def test_equals_are_ordered_by_their_key(people):
    def pages(direction):
        asked = {"sortBy": "paymentTerms", "sortDirection": direction, "pageSize": 1}
        return [
            people.get("", {**asked, "pageNumber": number}).json()["items"][0]["customerUid"]
            for number in (1, 2, 3)
        ]

    assert pages("ASC") == sorted(pages("ASC"))
    assert pages("DESC") == pages("ASC")[::-1]


def test_a_thousand_at_once_are_answered_and_more_are_refused(people):
    assert len(people.get("", {"pageSize": 1000}).json()["items"]) == 3
    assert people.get("", {"pageSize": 1001}).status_code == 400


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("sortDirection", ("UP", "asc", "", "%00")),
        ("sortBy", ("password", "tenant__id", "nothing", "")),
        ("pageSize", ("abc", "0", "-1", "1e3", "9" * 40, "")),
        ("pageNumber", ("0", "x", "-1", "9" * 40)),
        ("customerExternalId", ("a\x00b", "x" * 300)),
    ],
)
def test_w06_a_wrong_parameter_is_named(access, name, values):
    for value in values:
        answer = access.get("", {name: value})

        assert (answer.status_code, fields_of(answer)) == (400, [name]), value


def test_a_page_beyond_the_last_is_empty(people):
    told = people.get("", {"pageNumber": 10**9}).json()

    assert (told["items"], told["paging"]["totalCount"]) == ([], 3)


def test_a_list_costs_the_same_however_long_it_is(people):
    def queries(size):
        with CaptureQueriesContext(connection) as captured:
            assert len(people.get("", {"pageSize": size}).json()["items"]) == size
        return len(captured)

    queries(1)  # the first request of a token notes its use

    assert queries(3) == queries(1)
    assert queries(3) <= 25


# --- Searches --------------------------------------------------------------------------------
def test_w16_a_query_looks_at_eight_fields(people):
    for query, found in (
        ("oslo", ["Ola"]),
        ("0155", ["Ola"]),
        ("5003", ["Kari"]),
        ("kaffe", ["Kari"]),
        ("999888777", ["Ola"]),
        ("nordm", ["Ola"]),
        ("OLA@EX", ["Ola"]),
        ("90000001", ["Ola"]),
        ("BLÅ", ["Kari"]),
    ):
        assert people.found(query=query) == found, query


def test_w17_a_query_looks_at_nothing_else(people):
    for query in ("chess", "Storgata", "K-OLA", "7001", "Anne", "PERSON"):
        assert people.found(query=query) == [], query


def test_each_word_must_hit_some_field(people):
    for query, found in (
        ("ola oslo", ["Ola"]),
        ("oslo ola nordmann", ["Ola"]),
        ("ola bergen", []),
        ("%", []),
        ("_la", []),
        ("o", ["Kari", "Ola", "Per"]),
        ("", ["Kari", "Ola", "Per"]),
        ("   ", ["Kari", "Ola", "Per"]),
        ("+47 900 00 001", ["Ola"]),
    ):
        assert people.found(query=query) == found, query


def test_w19_a_field_is_matched_in_part_or_exactly(people):
    for criteria, found in (
        ({"mobile": "+4790000001"}, ["Ola"]),
        ({"mobile": "+4790000001", "exactMatch": True}, ["Ola"]),
        ({"mobile": "0047 900 00 001", "exactMatch": True}, ["Ola"]),
        ({"mobile": "90000001"}, ["Ola"]),
        ({"mobile": "90000001", "exactMatch": True}, []),
        ({"mobile": "+479000000", "exactMatch": True}, []),
        ({"mobile": "22442244", "exactMatch": True}, ["Kari"]),
        ({"mobile": "+4722442244", "exactMatch": True}, ["Kari"]),
        ({"mobile": "nobody"}, []),
        ({"email": "ola@"}, ["Ola"]),
        ({"email": "ola@", "exactMatch": True}, []),
        ({"email": "OLA@EX.NO", "exactMatch": True}, ["Ola"]),
        ({"vatNumber": "888"}, ["Ola"]),
        ({"vatNumber": "999 888 777", "exactMatch": True}, ["Ola"]),
        ({"vatNumber": "888", "exactMatch": True}, []),
        ({"query": "oslo", "exactMatch": True}, ["Ola"]),
        ({"query": "osl", "exactMatch": True}, []),
        ({"query": "kaffe og te as", "exactMatch": True}, ["Kari"]),
        ({"query": "ola nordmann", "exactMatch": True}, ["Ola"]),
        ({"query": "ola nordman", "exactMatch": True}, []),
    ):
        assert people.found(**criteria) == found, criteria


def test_a_field_with_a_criterion_of_its_own_leaves_the_query(people):
    assert people.found(query="90000001", mobile="+4790000001") == []
    assert people.found(query="ola@ex.no", email="ola") == []
    assert people.found(query="999888777", vatNumber="999") == []
    assert people.found(query="nordmann", mobile="+4790000001", email="ola") == ["Ola"]
    assert people.found(query="nordmann", mobile="22442244") == []


def test_w21_a_search_for_nothing_is_a_list(people):
    told = people.post("search", {}, query_params={"pageSize": 2, "sortBy": "firstname"}).json()
    without_body = people.post("search").json()

    assert [row["firstname"] for row in told["items"]] == ["Kari", "Ola"]
    assert told["paging"] == {"pageNumber": 1, "pageSize": 2, "totalCount": 3}
    assert without_body["paging"]["totalCount"] == 3


def test_the_scope_contact_finds_through_contacts(people):
    for criteria, found in (
        ({"query": "anne"}, ["Kari"]),
        ({"query": "anne lie"}, ["Kari"]),
        ({"query": "anne dahl"}, []),
        ({"query": "91122"}, ["Kari"]),
        ({"query": "kari"}, []),
        ({"query": "ann", "exactMatch": True}, []),
        ({"mobile": "91122333", "exactMatch": True}, ["Kari"]),
        ({"email": "ANNE@"}, ["Kari"]),
        ({"email": "ola@"}, []),
        ({}, ["Kari"]),
    ):
        assert people.found(scope="CONTACT", **criteria) == found, criteria
    assert people.found(scope="CUSTOMER", query="anne") == []


def test_a_search_in_a_store_finds_who_is_tied_to_it(people, acme, s1):
    other = StoreFactory(tenant=acme, code="s2")
    ola, kari, per = (Customer.objects.get(first_name=name) for name in ("Ola", "Kari", "Per"))
    people.put(ola.pk, {"defaultStoreUid": "s1"})
    set_store_profile(kari, s1, note="x")
    add_extension(per, s1, "TWO_INVOICE")
    people.make(firstname="Else", defaultStoreUid=other.code)

    assert people.found(storeUid="s1") == ["Kari", "Ola", "Per"]
    assert people.found(storeUid=str(s1.pk), query="oslo") == ["Ola"]
    assert people.found(storeUid="nowhere") == []


def test_a_search_since_an_instant_includes_it(people, acme):
    kari = Customer.objects.get(first_name="Kari")
    Customer.objects.filter(first_name="Ola").update(created_at=kari.created_at - timedelta(days=1))

    assert people.found(createdAt=kari.created_at.isoformat()) == ["Kari", "Per"]
    assert people.found(createdAt="2020-01-01") == ["Kari", "Ola", "Per"]


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("query", (7, ["ola"], "x" * 201, "a " * 11)),
        ("exactMatch", ("yes", 1)),
        ("mobile", (7, {})),
        ("email", (True,)),
        ("vatNumber", (999,)),
        ("storeUid", ("a b", 7, "")),
        ("createdAt", ("yesterday", 7)),
        ("scope", ("STORE", 7, ["CONTACT"])),
    ],
)
def test_a_wrong_criterion_is_named(access, field, values):
    for value in values:
        answer = access.post("search", {field: value})

        assert (answer.status_code, fields_of(answer)) == (400, [field]), value


def test_nobody_finds_another_tenants_customers(people, rival):
    stranger = FlowRetail(make_token(rival), tenant="rival")

    assert stranger.found() == stranger.found(query="ola") == stranger.found(scope="CONTACT") == []
    assert stranger.get("", {"customerExternalId": "K-OLA"}).json()["items"] == []
    elsewhere = FlowRetail(stranger.token, tenant="acme")
    assert elsewhere.get().status_code == elsewhere.post("search", {}).status_code == 404
