"""Registering over Fieldpine's wire: once, by content, by the caller's key or by ours."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection

from customers.models import Customer, Fingerprint
from customers.services import (
    anonymise_customer,
    merge_customers,
    register_customer,
    update_customer,
)
from tenancy import clock
from tenancy.scoping import in_tenant
from tests.dialects.fieldpine.client import HERE, Fieldpine, is_packet
from tests.factories import StoreFactory, TenantFactory, make_token
from tests.loyalty.racing import at_once

pytestmark = pytest.mark.django_db

PAT = {
    "Name": "Pat Ulvik",
    "Address1": "1 Rd",
    "Mobile": "+61 12 1234 5678",
    "Email": "",
    "EUCitizen": True,
}


def test_f01_who_is_sent_is_found_again(api):
    made = api.made(**PAT)

    (row,) = api.rows("englishquery=Ulvik")
    assert uuid.UUID(made["CustomerId"])
    assert made["Cid"] == int(made["Physkey"].removeprefix("CUST-")) > 0
    assert {name: row[name] for name in PAT} == PAT
    assert row == made


def test_f02_the_same_body_is_processed_once_also_days_later(api):
    ids = [api.made(**PAT)["CustomerId"]]
    folded = {name.lower(): value for name, value in reversed(PAT.items())}
    with clock.frozen(clock.now() + timedelta(days=3)):
        ids += [api.made(**PAT)["CustomerId"], api.made(**folded)["CustomerId"]]

    (row,) = api.rows("englishquery=Ulvik")
    assert set(ids) == {row["CustomerId"]}
    assert row["EditDtu"] == api.made(**PAT)["EditDtu"]


def test_f04_a_further_detail_makes_another_customer_and_leaves_the_first(api):
    first = api.made(**PAT)

    other = api.made(**PAT, Phone="555")

    assert other["CustomerId"] != first["CustomerId"]
    (row,) = api.rows(f"englishquery=customerid={first['CustomerId']}")
    assert row == first
    assert (row["Phone"], other["Phone"]) == ("", "555")


def test_f06_a_name_is_built_from_its_parts(api):
    for sent, name in (
        ({"LastName": "Ulvik"}, "Ulvik"),
        ({"FirstName": "Ada", "LastName": "Ulvik"}, "Ada Ulvik"),
        ({"CompanyName": "Ulvik AS"}, "Ulvik AS"),
        ({"Email": "ada@example.org"}, "ada@example.org"),
        ({"Mobile": "0412 345 678"}, "0412 345 678"),
    ):
        assert api.made(**sent)["Name"] == name


def test_a_name_is_no_longer_than_clients_have_room_for(api, acme):
    built = api.made(FirstName="A" * 100, LastName="B" * 100)
    company = api.made(CompanyName="C" * 200)

    assert built["Name"] == "A" * 100 + " " + "B" * 19
    assert company["Name"] == "C" * 120
    assert (built["LastName"], company["CompanyName"]) == ("B" * 100, "C" * 200)


def test_f07_a_name_that_is_given_wins(api):
    row = api.made(Name="Boss Ulvik", FirstName="Ada", LastName="X")

    assert (row["Name"], row["FirstName"], row["LastName"]) == ("Boss Ulvik", "Ada", "X")


def test_f09_a_key_of_the_callers_own_is_usable_at_once(api, tenant):
    key = str(uuid.uuid4()).upper()

    made = api.made(CustomerId=key, Name="Ulvik")

    assert made["CustomerId"].upper() == key
    sale = {
        "number": "Sale.000001",
        "purchased_at": "2026-01-01T00:00:00Z",
        "amount": 10,
        "customer": key,
    }
    answer = api.client.post(
        "/api/v1/transactions/",
        sale,
        content_type="application/json",
        headers={"Authorization": f"Bearer {api.token}"},
    )
    assert answer.status_code == 201, answer.content


def test_f11_f12_a_key_that_is_none_reserves_nothing(api):
    wrong = ["not-a-uuid", "12345", "CUST-99999", str(uuid.UUID(int=0)), 5, True, ["x"], {"a": 1}]
    for key in wrong:
        refused = api.post({"CustomerId": key, "Name": "Ulvik"})

        assert is_packet(refused, 400), key
        assert refused.json()["error"]["Message"].startswith("CustomerId: ")
    assert api.rows("englishquery=Ulvik") == []
    api.made(CustomerId=str(uuid.uuid4()), Name="Ulvik")
    assert len(api.rows("englishquery=Ulvik")) == 1


def test_a_refused_body_may_be_sent_right_under_the_same_key(api, tenant):
    key = str(uuid.uuid4())

    assert is_packet(api.post({"CustomerId": key, "Name": "Pat", "Email": "nonsense"}), 400)
    assert is_packet(api.post({"CustomerId": key, "Name": "Pat", "Email": "nonsense"}), 400)

    with in_tenant(tenant):
        assert not Fingerprint.objects.exists()
    made = api.made(CustomerId=key, Name="Pat", Email="pat@example.org")
    assert made["CustomerId"] == key


def test_a_known_key_with_another_body_changes_nothing(api, tenant):
    first = api.made(CustomerId=str(uuid.uuid4()), Name="Pat")
    for key in (first["CustomerId"], first["Physkey"], first["Physkey"].lower()):
        assert api.made(CustomerId=key, Name="Somebody else") == first
    with in_tenant(tenant):
        assert Customer.objects.count() == 1


def test_a_key_of_another_business_is_refused_and_tells_nothing(api, rival):
    theirs = Fieldpine(make_token(rival, "service")).made(Name="Secret Pat")

    answer = api.post({"CustomerId": theirs["CustomerId"], "Name": "Pat"})

    assert is_packet(answer, 400)
    assert answer.json()["error"]["Code"] == 4002
    assert b"Secret" not in answer.content
    assert api.rows() == []


def test_the_key_of_an_erased_customer_is_taken_and_tells_nothing(api, acme, settings, tmp_path):
    settings.ERASURE_JOURNAL = tmp_path / "erasures.jsonl"
    made = api.made(**PAT)
    anonymise_customer(Customer.objects.get(pk=made["CustomerId"]))

    assert is_packet(api.post({"CustomerId": made["CustomerId"], "Name": "Pat"}), 400)
    assert api.rows() == []
    assert api.made(**PAT)["CustomerId"] != made["CustomerId"]


def test_a_key_whose_customer_was_merged_answers_the_survivor(api, acme, ada):
    made = api.made(**PAT)
    merge_customers(ada, Customer.objects.get(pk=made["CustomerId"]))

    assert api.made(**PAT)["CustomerId"] == str(ada.pk)
    assert api.made(Name="X", CustomerId=made["CustomerId"])["CustomerId"] == str(ada.pk)


def test_f14_a_body_that_says_nothing_is_refused_in_the_vendors_words(api):
    empty = (b"{}", b"[]", b'"x"', b'{"Name": "Pat"', b"", b"\xff", b"null", b'{"A": 1, "a": 1}')
    for body in empty:
        for content_type in ("application/json", "text/plain"):
            assert is_packet(api.post(body, content_type=content_type), 400), body


WRONG = [
    ("Name", "x" * 121),
    ("Name", ["Pat"]),
    ("Name", True),
    ("FirstName", "x" * 121),
    ("Email", "nonsense"),
    ("Mobile", "call me"),
    ("Fax", "x"),
    ("Phone", {"a": 1}),
    ("EUCitizen", "perhaps"),
    ("EUCitizen", []),
    ("Birthday", "31/02"),
    ("Birthday", "2999-01-01"),
    ("CreditLimit", "many"),
    ("CreditLimit", 0.001),
    ("FloorLimit", [1]),
    ("DoNotUse", 2),
    ("ExcludeLoyalty", "x"),
    ("Postcode", "x" * 21),
    ("Address4", "x" * 251),
    ("ContactComment", 5.5),
]


def test_a_wrong_value_is_named_and_nothing_is_stored(api, tenant):
    for field, value in WRONG:
        answer = api.post({"LastName": "Ulvik", "Mobile": "0412 345 678", field: value})

        assert is_packet(answer, 400), (field, value)
        assert answer.json()["error"]["Message"].startswith(f"{field}: ")
    with in_tenant(tenant):
        assert not Customer.objects.exists()


def test_everything_that_a_body_may_say_is_read_back(api, tenant):
    with in_tenant(tenant):
        tenant.currency = "NZD"
        tenant.save()
    sent = {
        **{"Name": "Pat U", "FirstName": "Pat", "LastName": "U", "CompanyName": "Acme"},
        **{"Address1": "1 Rd", "Address2": "Perth", "City": "Perth", "Postcode": "6000"},
        **{"Mobile": "0412 345 678", "Phone": "08 9321 0000", "Fax": "08 9321 0001"},
        **{"Email": "Pat@example.org", "EUCitizen": False, "ContactComment": "Rings twice"},
        **{"Birthday": "10/12", "CreditLimit": 100.5, "FloorLimit": 5, "DoNotUse": 0},
        **{"ExcludeLoyalty": 1},
    }

    row = api.made(**sent, Address3="Block 2", Address5="Gate")

    assert {name: row[name] for name in sent} == sent
    assert row["Address3"] == "Block 2, Gate"
    assert [row[f"Address{n}"] for n in (4, 5, 6)] == ["", "", ""]
    with in_tenant(tenant):
        customer = Customer.objects.get(pk=row["CustomerId"])
        kinds = {phone.given: phone.kind for phone in customer.phones.all()}
        assert customer.kind == "person"
        assert customer.addresses.get().kind == "billing"
    assert kinds == {"0412 345 678": "mobile", "08 9321 0000": "home", "08 9321 0001": "other"}


def test_names_that_mean_nothing_are_passed_over_and_told_to_developers(api):
    quiet = api.post({"Name": "Pat", "Shoesize": 44})
    told = api.post(
        {"Name": "Pat", "Shoesize": 45, "Hat": 1},
        headers={"X-Fieldpine-CallerHandling": "full, developer"},
    )

    assert "error" not in quiet.json()
    assert {one["Severity"] for one in told.json()["error"]["QERR"]} == {"Warning"}
    assert told.json()["data"]["Name"] == "Pat"


def test_developers_are_told_every_mistake_at_once(api):
    body = {"Email": "nonsense", "Mobile": "x", "Birthday": "never"}

    answer = api.post(body, headers={"X-Fieldpine-CallerHandling": "audit developer"})

    told = [one["Message"].partition(":")[0] for one in answer.json()["error"]["QERR"]]
    assert sorted(told) == ["Birthday", "Email", "Mobile"]
    assert is_packet(api.post(body), 400)


def test_a_seller_sets_no_credit_and_registers_at_the_own_store(tenant, acme):
    shop = StoreFactory(tenant=tenant, code="shop")
    seller = Fieldpine(make_token(tenant, "seller", stores=[shop]))

    refused = seller.post({"Name": "Pat", "CreditLimit": 5})
    made = seller.made(Name="Pat")

    assert is_packet(refused, 403)
    assert refused.json()["error"]["Message"].startswith("CreditLimit: ")
    assert Customer.objects.get(pk=made["CustomerId"]).home_store == shop
    assert Customer.objects.count() == 1


def test_who_may_only_read_registers_nobody(tenant):
    reader = Fieldpine(make_token(tenant, "service", scopes=["customers:read"]))

    assert is_packet(reader.post({"Name": "Pat"}), 403)


def test_a_resend_after_an_edit_answers_the_edited_row_and_touches_nothing(api, acme):
    made = api.made(**PAT)
    update_customer(Customer.objects.get(pk=made["CustomerId"]), last_name="Changed")

    again = api.made(**PAT)

    assert again["LastName"] == "Changed"
    assert Customer.objects.get(pk=made["CustomerId"]).version == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("key", [None, "16D33318-1AB4-4728-806D-928DD3C07F01"])
def test_f16_two_at_once_are_both_told_the_same_customer(key):
    """With a key of the caller's and bodies that differ, one of them is stored."""
    tenant = TenantFactory()
    token = make_token(tenant, "service")
    answers = []

    def send(number):
        body = PAT if key is None else {"Name": f"Pat {number}", "CustomerId": key}
        answers.append(Fieldpine(token, raises=False).post(body))

    at_once(tenant, 4, send)
    connection.close()

    assert [answer.status_code for answer in answers] == [200] * 4
    assert len({answer.content for answer in answers}) == 1
    with in_tenant(tenant):
        assert Customer.objects.count() == 1


def test_bodies_of_any_shape_never_break_it(api):
    for body in (b'{"Name":' + b"[" * 100_000, b'{"CustomerId":' + b"9" * 5_000 + b"}"):
        assert is_packet(api.post(body), 400)
    assert is_packet(api.post(b"{" + b" " * 2_700_000 + b"}"), 413)
    assert is_packet(api.send("PATCH", HERE, {}), 405)


def test_a_customer_of_all_ways_in_has_a_row(api, acme):
    register_customer(phones=[{"given": "900 00 001", "kind": "work"}, {"given": "900 00 002"}])

    (row,) = api.rows()
    assert (row["Phone"], row["Mobile"], row["Fax"]) == ("900 00 001", "900 00 002", "")
