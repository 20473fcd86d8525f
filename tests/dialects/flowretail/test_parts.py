"""Extensions, contacts, addresses, a store's view and the export on Flow Retail's wire."""

import uuid

import pytest

from customers.models import Customer
from customers.services import record_consent, set_store_profile, update_customer
from events.models import HistoryEntry
from tests.dialects.flowretail.client import FlowRetail, fields_of
from tests.factories import GroupFactory, StoreFactory, make_token

pytestmark = pytest.mark.django_db
TWO = "extensions/TWO_INVOICE"


# --- Extensions ------------------------------------------------------------------------------
def test_w24_w26_a_store_switches_an_extension_on_and_off(access, s1):
    uid = access.make()["customerUid"]

    on = access.post(f"{uid}/{TWO}", {"storeUid": "s1"})
    again = access.post(f"{uid}/{TWO}", {"storeUid": str(s1.pk)})
    without = access.delete(f"{uid}/{TWO}")
    off = access.delete(f"{uid}/{TWO}", {"storeUid": "s1"})
    absent = access.delete(f"{uid}/{TWO}", {"storeUid": "s1"})

    told = [{"extensionCode": "TWO_INVOICE", "organizationUid": "s1"}]
    assert (on.status_code, on.json()["extensions"]) == (200, told)
    assert again.json() == on.json()
    assert (without.status_code, fields_of(without)) == (400, ["storeUid"])
    assert (off.status_code, off.content) == (204, b"")
    assert access.get(uid).json()["extensions"] == []
    assert absent.status_code == 404


def test_a_body_with_delete_is_read_whatever_it_is_called(access, s1):
    uid = access.make()["customerUid"]
    access.post(f"{uid}/{TWO}", {"storeUid": "s1"})

    off = access.delete(
        f"{uid}/{TWO}", {"storeUid": "s1"}, content_type="application/x-www-form-urlencoded"
    )

    assert off.status_code == 204


def test_extensions_are_of_each_store(access, s1, tenant):
    StoreFactory(tenant=tenant, code="s2")
    uid = access.make()["customerUid"]
    for code in ("s1", "s2"):
        access.post(f"{uid}/{TWO}", {"storeUid": code})

    access.delete(f"{uid}/{TWO}", {"storeUid": "s1"})

    told = access.get(uid).json()["extensions"]
    assert [row["organizationUid"] for row in told] == ["s2"]


def test_a_wrong_extension_or_store_is_refused(access, s1, rival):
    StoreFactory(tenant=rival, code="theirs")
    uid = access.make()["customerUid"]

    for code, body, field in (
        ("OTHER", {"storeUid": "s1"}, "customerExtensionCode"),
        ("TWO_INVOICE", {}, "storeUid"),
        ("TWO_INVOICE", {"storeUid": None}, "storeUid"),
        ("TWO_INVOICE", {"storeUid": "a b"}, "storeUid"),
        ("TWO_INVOICE", {"storeUid": 7}, "storeUid"),
        ("TWO_INVOICE", {"storeUid": "nowhere"}, "storeUid"),
        ("TWO_INVOICE", {"storeUid": "theirs"}, "storeUid"),
    ):
        for send in (access.post, access.delete):
            answer = send(f"{uid}/extensions/{code}", body)

            assert (answer.status_code, fields_of(answer)) == (400, [field]), (code, body)
    assert access.post(f"{uuid.uuid4()}/{TWO}", {"storeUid": "s1"}).status_code == 404


def test_a_token_of_other_stores_switches_nothing(access, tenant, s1):
    StoreFactory(tenant=tenant, code="s2")
    uid = access.make()["customerUid"]
    till = FlowRetail(make_token(tenant, "seller", stores=[s1]))

    assert till.post(f"{uid}/{TWO}", {"storeUid": "s2"}).status_code == 403
    assert till.post(f"{uid}/{TWO}", {"storeUid": "s1"}).status_code == 200


# --- A store's view ----------------------------------------------------------------------------
def test_a_store_sees_the_whole_customer_and_what_it_keeps(access, acme, s1):
    made = access.make(defaultStoreUid="s1", city="Oslo")
    customer = Customer.objects.get(pk=made["customerUid"])
    set_store_profile(customer, s1, pos_ref="T-7", note="pays late")
    access.post(f"{made['customerUid']}/{TWO}", {"storeUid": "s1"})

    told = access.get(f"/stores/s1/customers/{made['customerUid']}").json()

    details = told.pop("storeCustomerDetails")
    assert told == access.get(made["customerUid"]).json()
    assert details == {
        "storeUid": "s1",
        "customerReference": "T-7",
        "note": "pays late",
        "extensions": [{"extensionCode": "TWO_INVOICE"}],
        "isDefaultStore": True,
    }
    for path in (
        f"/stores/nowhere/customers/{made['customerUid']}",
        f"/stores/x!/customers/{made['customerUid']}",
        f"/stores/s1/customers/{uuid.uuid4()}",
    ):
        assert access.get(path).status_code == 404


# --- Contacts and addresses ----------------------------------------------------------------------
@pytest.mark.parametrize(
    ("path", "key", "row", "change"),
    [
        ("contacts", "customerContactUid", {"firstname": "Kari", "lastname": "N"},
         {"email": "kari@ex.no"}),
        ("addresses", "customerAddressUid", {"address": "Kaia 2", "city": "Oslo"},
         {"city": "Moss", "firstname": "Per"}),
    ],
)  # fmt: skip
def test_rows_are_added_read_changed_and_removed(access, path, key, row, change):
    uid = access.make(address="Storgata 1")["customerUid"]

    made = access.post(f"{uid}/{path}", row)
    row_uid = made.json()[key]
    changed = access.put(f"{uid}/{path}/{row_uid}", change)
    listed = access.get(f"{uid}/{path}").json()
    read = access.get(f"{uid}/{path}/{row_uid}").json()
    in_customer = access.get(uid).json()[path]
    removed = access.delete(f"{uid}/{path}/{row_uid}")

    assert (made.status_code, changed.status_code, removed.status_code) == (201, 200, 204)
    assert {**row, **change}.items() <= read.items()
    assert listed == {
        "items": [read], "paging": {"pageNumber": 1, "pageSize": 1, "totalCount": 1},
    }  # fmt: skip
    assert in_customer == [read]
    assert access.get(f"{uid}/{path}").json()["items"] == []
    assert access.put(f"{uid}/{path}/{row_uid}", change).status_code == 404


def test_wrong_rows_are_refused_by_the_vendors_names(access):
    made = access.make(address="Storgata 1")
    other = access.make(contacts=[{"firstname": "Bo", "lastname": "D"}])
    uid, theirs = made["customerUid"], other["contacts"][0]["customerContactUid"]

    for path, body, fields in (
        ("contacts", {}, {"firstname", "lastname"}),
        ("contacts", {"firstname": "Kari", "lastname": "N", "email": "x"}, {"email"}),
        ("contacts", {"firstname": 7, "lastname": "N"}, {"firstname"}),
        ("addresses", {"address": "Kaia 2", "postalCode": 7}, {"postalCode"}),
        ("addresses", {"countryCode": "NOR"}, {"countryCode"}),
        ("addresses", {"type": "HOME", "city": "Oslo"}, {"type"}),
    ):
        answer = access.post(f"{uid}/{path}", body)

        assert (answer.status_code, set(fields_of(answer))) == (400, fields)
    for path in (f"contacts/{theirs}", f"contacts/{uuid.uuid4()}", "contacts/x!"):
        assert access.get(f"{uid}/{path}").status_code == 404
        assert access.delete(f"{uid}/{path}").status_code == 404
    assert access.get(other["customerUid"]).json()["contacts"] == other["contacts"]


# --- Lists of a customer that a PUT names ---------------------------------------------------------
def test_a_put_makes_the_lists_what_it_says(access, acme):
    kept, new = str(uuid.uuid4()), str(uuid.uuid4())
    made = access.make(
        address="Storgata 1",
        contacts=[
            {"customerContactUid": kept, "firstname": "Kari", "lastname": "N"},
            {"firstname": "Bo", "lastname": "D"},
        ],
        addresses=[{"customerAddressUid": kept, "address": "Kaia 2", "city": "Moss"}],
    )
    uid = made["customerUid"]

    told = access.put(
        uid,
        {
            "contacts": [
                {"customerContactUid": new, "firstname": "Per", "lastname": "H"},
                {"customerContactUid": kept, "email": "kari@ex.no"},
            ],
            "addresses": [
                {"customerAddressUid": kept, "city": "Oslo"},
                {"customerAddressUid": new, "address": "Brygga 3"},
            ],
        },
    ).json()

    assert [
        (row["customerContactUid"], row["firstname"], row["email"]) for row in told["contacts"]
    ] == [(new, "Per", None), (kept, "Kari", "kari@ex.no")]
    assert [
        (row["customerAddressUid"], row["address"], row["city"], row["type"])
        for row in told["addresses"]
    ] == [(kept, "Kaia 2", "Oslo", "DELIVERY_ADDRESS"), (new, "Brygga 3", None, "DELIVERY_ADDRESS")]
    assert told["address"] == "Storgata 1"
    assert Customer.objects.get(pk=uid).version == 2
    emptied = access.put(uid, {"contacts": None, "addresses": []}).json()
    assert (emptied["contacts"], emptied["addresses"], emptied["address"]) == ([], [], "Storgata 1")


def test_a_list_and_the_flat_fields_of_one_put_both_count(access):
    uid = access.make(address="Storgata 1", addresses=[{"address": "Kaia 2"}])["customerUid"]

    told = access.put(uid, {"city": "Oslo", "addresses": [{"address": "Kaia 3"}]}).json()

    assert (told["address"], told["city"]) == ("Storgata 1", "Oslo")
    assert [row["address"] for row in told["addresses"]] == ["Kaia 3"]


def test_a_customer_sent_back_as_it_was_shown_moves_nothing(access, seller, acme):
    made = access.make(
        address="Storgata 1",
        contacts=[{"firstname": "Kari", "lastname": "N"}],
        addresses=[{"address": "Kaia 2"}, {"address": "Kaia 3"}],
        consents=[{"name": "marketing", "status": True, "source": "till"}],
    )
    alone = access.make(addresses=[{"address": "Kaia 4"}])  # its own address is a delivery address

    for api in (access, seller):
        for one in (made, alone):
            sent = api.get(one["customerUid"]).json()
            answer = api.put(one["customerUid"], sent)

            assert (answer.status_code, answer.json()) == (200, sent)
    assert set(Customer.objects.values_list("version", flat=True)) == {1}


def test_a_put_states_a_consent_and_undoes_none_that_came_later(access):
    made = access.make(consents=[{"name": "marketing", "status": True}])
    uid, shown = made["customerUid"], made["consents"]

    off = access.put(uid, {"consents": [{**shown[0], "status": False}]}).json()["consents"]
    late = access.put(uid, {"city": "Oslo", "consents": shown}).json()
    on = access.put(uid, {"consents": [{"name": "marketing", "status": True}]}).json()["consents"]
    left = access.put(uid, {"consents": []}).json()["consents"]

    assert [row["status"] for row in off] == [False]
    assert off[0]["createdAt"] >= shown[0]["createdAt"]
    assert (late["city"], late["consents"]) == ("Oslo", off)
    assert [row["status"] for row in on] == [True]
    assert left == on


@pytest.mark.parametrize(
    ("path", "key"), [("contacts", "customerContactUid"), ("addresses", "customerAddressUid")]
)
def test_a_client_names_a_row_by_a_uid_of_its_own_once(access, rival, path, key):
    row_uid = str(uuid.uuid4())
    row = {key: row_uid, "firstname": "Kari", "lastname": "N"}
    uid, other = (access.make(address="Storgata 1")["customerUid"] for _n in range(2))
    stranger = FlowRetail(make_token(rival), tenant=rival.code)

    made = access.post(f"{uid}/{path}", row)
    answers = [
        access.post(f"{uid}/{path}", row),
        access.post(f"{other}/{path}", row),
        access.put(other, {path: [row]}),
        access.post("", {"firstname": "Bo", path: [row]}),
        access.put(uid, {path: [row, row]}),
        stranger.post("", {"firstname": "Bo", path: [row]}),
    ]

    assert (made.status_code, made.json()[key]) == (201, row_uid)
    assert access.get(f"{uid}/{path}/{row_uid}").json() == made.json()
    assert {(answer.status_code, *fields_of(answer)) for answer in answers} == {(409, path)}
    assert access.put(f"{uid}/{path}/{row_uid}", {**row, "firstname": "Bo"}).json()[key] == row_uid


def test_wrong_rows_of_a_put_are_refused_by_the_vendors_names(access, acme):
    uid = access.make(address="Storgata 1")["customerUid"]

    for body, field in (
        ({"contacts": {}}, "contacts"),
        ({"contacts": ["x"]}, "contacts"),
        ({"contacts": [{"customerContactUid": "x!"}]}, "contacts.customerContactUid"),
        ({"contacts": [{"customerContactUid": str(uuid.uuid4())}]}, "contacts"),
        ({"contacts": [{}]}, "contacts"),
        ({"contacts": [{"firstname": "a", "email": "x"}]}, "contacts.email"),
        ({"addresses": [{"address": 7}]}, "addresses.address"),
        ({"addresses": [{"countryCode": "NOR"}]}, "addresses.countryCode"),
        ({"consents": [{"name": "marketing"}]}, "consents.status"),
        ({"consents": [{"status": True}]}, "consents.name"),
    ):
        answer = access.put(uid, body)

        assert (answer.status_code, fields_of(answer)) == (400, [field]), body
    assert Customer.objects.get(pk=uid).version == 1


# --- Export --------------------------------------------------------------------------------------
def test_w32_an_export_has_everything_in_the_vendors_words_and_leaves_its_trace(access, acme, s1):
    GroupFactory(tenant=acme, code="vip")
    made = access.make(
        email="ola@ex.no",
        address="Storgata 1",
        contacts=[{"firstname": "Kari", "lastname": "N"}],
        addresses=[{"address": "Kaia 2"}],
        customerGroupUids=["vip"],
    )
    customer = Customer.objects.get(pk=made["customerUid"])
    update_customer(customer, phones=[{"given": "900 00 001"}, {"given": "900 00 002"}])
    record_consent(customer, purpose="marketing", granted=True)

    answer = access.get(f"{made['customerUid']}/export")

    told = answer.json()
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert (told["email"], told["firstname"]) == ("ola@ex.no", "Ola")
    assert [len(told[name]) for name in ("contacts", "addresses", "consents", "phones")] == [
        *(1, 1, 1, 2),
    ]
    assert told["customerGroups"] == [
        {"customerGroupUid": "vip", "name": "Vip", "subscribed": True}
    ]
    assert told["loyalty"]["level"]
    assert "ehfEnabled" not in told
    assert "everythingHeld" not in told
    assert HistoryEntry.objects.filter(subject_id=customer.pk, deed="customer.exported").exists()


def test_who_may_export_gets_everything_that_is_held(access, seller):
    uid = access.make(email="ola@ex.no")["customerUid"]

    told = seller.get(f"{uid}/export").json()

    assert told["everythingHeld"]["format"] == "regulars-customer-export"
    assert told["everythingHeld"]["emails"][0]["address"] == "ola@ex.no"
