"""One customer on Flow Retail's wire: made, read, changed, deleted."""

import re

import pytest

from customers.models import Customer
from customers.records import record_of
from customers.services import merge_customers, record_consent, update_customer
from tests.dialects.flowretail.client import FlowRetail, fields_of
from tests.factories import GroupFactory, StoreFactory, make_token

pytestmark = pytest.mark.django_db
OLA = {
    "customerType": "PERSON",
    "firstname": "Ola",
    "lastname": "U",
    "email": "ola.U@ex.no",
    "mobile": "+4790000001",
}
KEYS = {
    *("customerUid", "customerType", "displayName", "firstname", "lastname", "companyName"),
    *("email", "mobile", "address", "city", "postalCode", "countryCode", "externalId"),
    *("ledgerNumber", "vatNumber", "pricelistUid", "origin", "internalNote", "loyaltyId"),
    *("paymentTerms", "ehf", "ehfEnabled", "customerGroupUids", "defaultStoreUid", "addresses"),
    *("contacts", "extensions", "consents", "credit", "accountManager", "createdAt"),
    "lastModifiedAt",
}


@pytest.fixture
def ola(access):
    return access.make(**OLA)


# --- Making ----------------------------------------------------------------------------------
def test_w01_makes_a_customer(access):
    answer = access.post("", OLA)

    told = answer.json()
    assert answer.status_code == 201
    assert re.fullmatch(r"[A-Za-z0-9-_]+", told["customerUid"])
    assert {name: told[name] for name in OLA} == OLA
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", told["createdAt"])
    assert set(told) == KEYS


def test_w02_reads_what_was_made(access, ola):
    assert access.get(ola["customerUid"]).json() == ola


def test_serves_below_both_mounts_and_by_the_tenants_uid_too(tenant, access, ola):
    for other in (
        FlowRetail(access.token, base="/tenants"),
        FlowRetail(access.token, tenant="ACME"),
        FlowRetail(access.token, tenant=str(tenant.pk)),
    ):
        assert other.get(ola["customerUid"]).json() == ola


def test_the_client_may_choose_the_uid(access):
    uid = "6b1f0a52-6f5d-4c9c-9a3e-3f2a4d1c9b10"

    access.make(customerUid=uid)
    again = access.post("", {"customerUid": uid, "firstname": "Ola"})

    assert access.get(uid).status_code == 200
    assert (again.status_code, fields_of(again)) == (409, ["customerUid"])


@pytest.mark.parametrize("uid", ["abc", "x!", 7, "{6b1f0a52-6f5d-4c9c-9a3e-3f2a4d1c9b10}"])
def test_a_uid_that_is_no_uuid_is_refused(access, uid):
    answer = access.post("", {"customerUid": uid, "firstname": "Ola"})

    assert (answer.status_code, fields_of(answer)) == (400, ["customerUid"])


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"firstname": "Ola"}, "PERSON"),
        ({"companyName": "Kaffe AS"}, "COMPANY"),
        ({"firstname": "Ola", "vatNumber": "999888777"}, "COMPANY"),
        ({"companyName": "Kaffe AS", "customerType": "PERSON"}, "PERSON"),
        ({"firstname": "Ola", "customerType": None}, "PERSON"),
    ],
)
def test_who_names_no_type_is_a_company_by_its_name_or_vat_number(access, fields, kind):
    assert access.post("", fields).json()["customerType"] == kind


def test_an_email_may_repeat_an_external_id_may_not(access):
    access.make(email="ola@ex.no", externalId="K-1")

    same_email = access.post("", {"firstname": "Kari", "email": "ola@ex.no"})
    same_key = access.post("", {"firstname": "Kari", "externalId": "K-1"})

    assert same_email.status_code == 201
    assert (same_key.status_code, fields_of(same_key)) == (409, ["externalId"])
    assert "externalId" in same_key.json()["message"]


def test_an_external_id_is_unique_in_its_tenant_only(access, rival):
    access.make(externalId="K-1")
    stranger = FlowRetail(make_token(rival), tenant="rival")

    assert stranger.post("", {"firstname": "Ola", "externalId": "K-1"}).status_code == 201


def test_every_field_comes_back_as_it_was_sent(access, tenant, s1):
    for code in ("vip", "club"):
        GroupFactory(tenant=tenant, code=code)
    fields = {
        **OLA,
        "customerType": "COMPANY",
        "companyName": "Kaffe AS",
        "address": "Storgata 1",
        "city": "Oslo",
        "postalCode": "0155",
        "countryCode": "NO",
        "externalId": "K-1",
        "ledgerNumber": "007",
        "vatNumber": "999888777",
        "pricelistUid": "wholesale",
        "origin": "shop",
        "internalNote": "Two lines\nof it",
        "loyaltyId": "7001",
        "paymentTerms": 14,
        "ehf": {"enabled": True},
        "customerGroupUids": ["club", "vip"],
        "defaultStoreUid": "s1",
    }

    told = access.post("", fields).json()

    assert {name: told[name] for name in fields} == fields
    assert told["ehfEnabled"] is True
    assert told["displayName"] == "Ola U"


def test_contacts_addresses_and_consents_come_with_a_registration(access):
    told = access.make(
        address="Storgata 1",
        contacts=[{"firstname": "Kari", "lastname": "N", "email": "kari@ex.no"}],
        addresses=[{"address": "Kaia 2", "city": "Moss", "firstname": "Per", "lastname": "D"}],
        consents=[{"name": "marketing", "status": True, "source": "till"}],
    )

    [contact], [address], [consent] = told["contacts"], told["addresses"], told["consents"]
    assert (contact["displayName"], contact["email"]) == ("Kari N", "kari@ex.no")
    assert (address["address"], address["type"]) == ("Kaia 2", "DELIVERY_ADDRESS")
    assert address["displayName"] == "Per D"
    assert (consent["name"], consent["status"], consent["source"]) == ("marketing", True, "till")
    assert all((contact["createdAt"], consent["consentUid"], address["customerAddressUid"]))
    assert told["address"] == "Storgata 1"


def test_a_wrong_part_of_a_registration_is_named_in_the_vendors_words(access):
    answer = access.post(
        "",
        {
            "firstname": "Ola",
            "city": "x" * 200,
            "email": "x",
            "contacts": [{"firstname": "Kari", "email": "x"}],
            "addresses": [{"city": "y" * 200}],
            "consents": [{"status": True}],
        },
    )

    assert answer.status_code == 400
    assert set(fields_of(answer)) == {
        *("city", "email", "contacts.email", "addresses.city", "consents.name"),
    }


def test_a_part_of_the_wrong_kind_is_refused(access):
    for body in ({"contacts": [7]}, {"addresses": {}}, {"addresses": [{"type": "HOME"}]}):
        answer = access.post("", {"firstname": "Ola", **body})

        assert answer.status_code == 400
        assert fields_of(answer)[0].startswith(next(iter(body)))


# --- Changing --------------------------------------------------------------------------------
def test_w07_a_change_leaves_what_it_does_not_name(access, ola):
    answer = access.put(ola["customerUid"], {"city": "Oslo"})

    changed = {"city": "Oslo", "lastModifiedAt": answer.json()["lastModifiedAt"]}
    assert answer.status_code == 200
    assert answer.json() == {**ola, **changed}


def test_null_clears_and_unknown_keys_are_passed_over(access, s1):
    made = access.make(**OLA, city="Oslo", externalId="K-1", paymentTerms=7, defaultStoreUid="s1")
    cleared = (
        *("city", "email", "mobile", "lastname", "externalId", "paymentTerms"),
        "defaultStoreUid",
    )

    told = access.put(
        made["customerUid"],
        {**dict.fromkeys(cleared), "surprise": [1], "customerUid": "x", "displayName": "Z"},
    ).json()

    assert [told[name] for name in cleared] == [None] * len(cleared)
    assert (told["firstname"], told["displayName"]) == ("Ola", "Ola")


def test_a_change_that_changes_nothing_moves_nothing(access, ola):
    same = access.put(ola["customerUid"], ola)

    assert same.status_code == 200
    assert same.json() == ola


@pytest.mark.parametrize(
    ("sent", "enabled"),
    [
        ({"ehfEnabled": False}, False),
        ({"ehf": {"enabled": False}}, False),
        ({"ehf": {"enabled": True}, "ehfEnabled": False}, True),
        ({"ehf": {"enabled": False}, "ehfEnabled": True}, False),
        ({"ehf": {}}, True),
        ({"ehf": {}, "ehfEnabled": False}, False),
        ({"ehf": None}, False),
        ({}, True),
    ],
)
def test_w09_the_deprecated_switch_is_the_new_one(access, sent, enabled):
    made = access.make(ehf={"enabled": True})

    told = access.put(made["customerUid"], sent).json()

    assert (told["ehf"], told["ehfEnabled"]) == ({"enabled": enabled}, enabled)


def test_w11_w12_takes(access, ola):
    for field, value, stored in (
        ("countryCode", "NO", "NO"),
        ("countryCode", "no", "NO"),
        ("paymentTerms", 14, 14),
        ("pricelistUid", "", None),
        ("ledgerNumber", "007", "007"),
        ("email", "", None),
    ):
        answer = access.put(ola["customerUid"], {field: value})

        assert (answer.status_code, answer.json()[field]) == (200, stored)


WRONG = {
    "countryCode": ("NOR", "N1", 47),
    "paymentTerms": ("x", -1, True, 2**63 - 1),
    "defaultStoreUid": ("", "nowhere", "x!", 1),
    "pricelistUid": ("a b", 7),
    "customerType": (None, "person", ["PERSON"]),
    "ledgerNumber": (7, "7a"),
    "firstname": (7, {"a": 1}, True),
    "lastname": ("x" * 1000,),
    "email": ("nobody", 7),
    "mobile": ("call me", {}),
    "ehf": (True, {"enabled": "perhaps"}),
    "ehfEnabled": ("true",),
    "customerGroupUids": ("vip", ["nobody"], [{"group": "vip"}], [7]),
    "externalId": (["K"], 7),
    "vatNumber": ("NO999888778MVA",),
}


def test_w11_w12_w14_refuses_by_the_vendors_name(access, ola):
    for field, values in WRONG.items():
        for value in values:
            answer = access.put(ola["customerUid"], {field: value, "city": "Moss"})

            assert (answer.status_code, set(fields_of(answer))) == (400, {field}), value
    assert access.get(ola["customerUid"]).json() == ola


def test_groups_are_replaced_as_a_whole(access, tenant):
    for code in ("a", "b", "c"):
        GroupFactory(tenant=tenant, code=code)
    made = access.make(customerGroupUids=["a", "b"])

    told = access.put(made["customerUid"], {"customerGroupUids": ["b", "c"]}).json()
    emptied = access.put(made["customerUid"], {"customerGroupUids": []}).json()

    assert told["customerGroupUids"] == ["b", "c"]
    assert emptied["customerGroupUids"] == []


def test_flat_fields_show_and_change_the_primary_rows_alone(access, ada):
    update_customer(
        ada,
        phones=[
            {"given": "22 44 22 44", "kind": "work", "primary": True},
            {"given": "900 00 001"},
        ],
        addresses=[
            {"street": "Storgata 1", "city": "Oslo", "street2": "2. etasje"},
            {"street": "Kaia 2", "kind": "shipping"},
        ],
    )

    told = access.put(ada.pk, {"mobile": "900 00 009", "email": "new@ex.no", "city": "Moss"}).json()

    assert (told["mobile"], told["email"]) == ("900 00 009", "new@ex.no")
    assert (told["address"], told["city"]) == ("Storgata 1", "Moss")
    assert [row["address"] for row in told["addresses"]] == ["Kaia 2"]
    record = record_of(ada.pk)
    assert [row["given"] for row in record["phones"]] == ["900 00 009", "900 00 001"]
    assert record["addresses"][0]["street2"] == "2. etasje"
    assert record["login_email"] == "ada@example.org"


def test_consents_and_credit_are_told(access, ada):
    update_customer(ada, credit_limit="1500.50", credit_balance="20")
    record_consent(ada, purpose="marketing", granted=True, source="till")
    record_consent(ada, purpose="marketing", granted=False, source="phone")

    told = access.get(ada.pk).json()

    assert told["credit"] == {"limit": 150050, "balance": 2000}
    assert [(row["name"], row["status"], row["source"]) for row in told["consents"]] == [
        ("marketing", False, "phone")
    ]


# --- Who may -----------------------------------------------------------------------------------
def test_sellers_are_the_managers_of_whom_they_register(seller):
    manager = seller.make()["accountManager"]

    assert manager["userCode"] == manager["displayName"]
    assert manager["tenantUserUid"]


def test_a_seller_sees_and_sets_what_the_table_of_rights_says(access, seller):
    made = access.make(ledgerNumber="007", externalId="K-1", ehf={"enabled": True})
    uid = made["customerUid"]

    told = seller.get(uid).json()
    echoed = seller.put(uid, {**told, "city": "Oslo"})
    refused = seller.put(uid, {"externalId": "K-2", "ledgerNumber": "8", "city": "Moss"})

    assert (told["externalId"], told["ledgerNumber"], told["ehfEnabled"]) == ("K-1", None, None)
    assert (echoed.status_code, echoed.json()["city"]) == (200, "Oslo")
    assert (refused.status_code, set(fields_of(refused))) == (403, {"externalId", "ledgerNumber"})
    now = access.get(uid).json()
    assert (now["ledgerNumber"], now["ehfEnabled"], now["city"]) == ("007", True, "Oslo")


def test_a_customer_has_no_access_to_the_tenant(ada, tenant):
    own = FlowRetail(make_token(tenant, "customer", customer=ada))

    for answer in (own.get(ada.pk), own.put(ada.pk, {"city": "Oslo"}), own.get()):
        assert answer.status_code == 403


def test_who_only_reads_changes_nothing(tenant, ola):
    reader = FlowRetail(make_token(tenant, "service", scopes=["customers:read"]))

    assert reader.get(ola["customerUid"]).status_code == 200
    assert reader.put(ola["customerUid"], {"city": "Oslo"}).status_code == 403
    assert reader.post("", OLA).status_code == 403
    assert reader.post("batch", {}).status_code == 403


def test_a_token_of_one_store_registers_there_alone(tenant, s1):
    StoreFactory(tenant=tenant, code="s2")
    till = FlowRetail(make_token(tenant, "seller", stores=[s1]))

    here = till.make()
    there = till.post("", {"firstname": "Kari", "defaultStoreUid": "s2"})

    assert here["defaultStoreUid"] == "s1"
    assert there.status_code == 403


def test_w22_deleting_needs_the_back_office(access, backoffice, seller, ola):
    refused = access.delete(ola["customerUid"])
    by_seller = seller.delete(ola["customerUid"])
    still_there = access.get(ola["customerUid"])
    done = backoffice.delete(ola["customerUid"])

    assert (refused.status_code, by_seller.status_code, still_there.status_code) == (403, 403, 200)
    assert (done.status_code, done.content) == (204, b"")
    assert access.get(ola["customerUid"]).status_code == 404
    assert backoffice.delete(ola["customerUid"]).status_code == 404


def test_the_uid_of_a_merged_record_leads_to_the_survivor(access, acme):
    kept = access.make(externalId="K-1", loyaltyId="1")
    gone = access.make(externalId="K-2", loyaltyId="2")
    merge_customers(*(Customer.objects.get(pk=one["customerUid"]) for one in (kept, gone)))

    told = access.put(gone["customerUid"], {**gone, "city": "Oslo"})

    assert told.status_code == 200
    assert (told.json()["customerUid"], told.json()["externalId"]) == (kept["customerUid"], "K-1")
    assert (told.json()["loyaltyId"], told.json()["city"]) == ("1", "Oslo")
