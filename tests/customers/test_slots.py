"""Wires with room for one e-mail, one phone, one address."""

import pytest
from django.core.exceptions import ValidationError

from customers.records import record_of
from customers.services import update_customer
from customers.services.slots import Places
from customers.slots import (
    MAIN,
    addresses_by_place,
    email_of,
    phone_of,
    phones_by_place,
    slot_of,
)
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def grace(acme):
    """Grace, who has two of everything and signs in with neither."""
    return CustomerFactory(
        tenant=acme,
        first_name="Grace",
        emails=[{"address": "work@example.org"}, {"address": "home@example.org", "primary": True}],
        phones=[{"given": "22 44 22 44", "kind": "work"}, {"given": "900 00 001"}],
        addresses=[{"street": "A 1", "kind": "billing"}, {"street": "B 2", "primary": True}],
    )


def listed(customer, name, column):
    return [(row[column], row["primary"]) for row in record_of(customer.pk)[name]]


def test_the_slot_shows_the_primary_one(grace):
    record = record_of(grace.pk)

    assert email_of(record) == "home@example.org"
    assert phone_of(record) == "22 44 22 44"
    assert slot_of(record, "addresses")["street"] == "B 2"


def test_the_slot_shows_the_sign_in_first(ada):
    update_customer(ada, emails=[{"address": "other@example.org", "primary": True}])

    assert email_of(record_of(ada.pk)) == "ada@example.org"


def test_an_empty_slot_shows_nothing(acme):
    record = record_of(CustomerFactory(tenant=acme).pk)

    assert (email_of(record), phone_of(record), slot_of(record, "addresses")) == (None, None, None)


def test_writing_the_slot_changes_the_primary_row_alone(grace):
    row = grace.emails.get(address="home@example.org")

    update_customer(grace, slots={"emails": {"address": "new@example.org"}})

    assert listed(grace, "emails", "address") == [
        ("new@example.org", True),
        ("work@example.org", False),
    ]
    assert grace.emails.get(address="new@example.org").pk == row.pk


def test_a_row_that_is_there_takes_the_slot_instead_of_doubling(grace):
    update_customer(grace, slots={"emails": {"address": "Work@example.org"}})

    assert listed(grace, "emails", "address") == [("Work@example.org", True)]


def test_emptying_the_slot_leaves_the_others(grace):
    update_customer(grace, slots={"emails": None, "addresses": None})

    assert listed(grace, "emails", "address") == [("work@example.org", True)]
    assert listed(grace, "addresses", "street") == [("A 1", True)]


def test_a_new_row_takes_the_kind_that_is_said_an_old_one_keeps_its_own(grace, acme):
    item = {"given": "900 00 009", "kind": "mobile"}
    newcomer = CustomerFactory(tenant=acme)

    update_customer(grace, slots={"phones": item})
    update_customer(newcomer, slots={"phones": item})

    assert record_of(grace.pk)["phones"][0]["kind"] == "work"
    assert record_of(newcomer.pk)["phones"][0]["kind"] == "mobile"


def test_the_slot_follows_the_sign_in(ada):
    update_customer(
        ada, login_email="new@example.org", slots={"emails": {"address": "new@example.org"}}
    )

    assert listed(ada, "emails", "address") == [("new@example.org", True)]


def test_the_sign_in_goes_with_its_slot(ada):
    update_customer(ada, login_email=None, slots={"emails": None})

    assert listed(ada, "emails", "address") == []


def test_a_wire_without_sign_ins_takes_their_place_and_leaves_them_in_the_list(ada):
    row = ada.emails.get()

    update_customer(ada, slots={"emails": {"address": "new@example.org"}})

    ada.refresh_from_db()
    assert ada.login_email == "ada@example.org"
    assert listed(ada, "emails", "address") == [
        ("new@example.org", True),
        ("Ada@example.org", False),
    ]
    assert ada.emails.get(address_key="ada@example.org").pk == row.pk


def test_a_wire_without_sign_ins_cannot_empty_their_place(ada):
    with pytest.raises(ValidationError) as refusal:
        update_customer(ada, slots={"emails": None})

    assert set(refusal.value.message_dict) == {"emails"}


def test_a_wire_without_sign_ins_writes_the_primary_row_wherever_they_stand(ada):
    update_customer(
        ada,
        emails=[{"address": "ada@example.org"}, {"address": "first@example.org", "primary": True}],
    )

    update_customer(ada, slots={"emails": {"address": "new@example.org"}})

    assert listed(ada, "emails", "address") == [
        ("new@example.org", True),
        ("ada@example.org", False),
    ]


def test_what_an_address_does_not_name_stays(ada):
    update_customer(ada, slots={"addresses": {"city": "Bergen", "postal_code": None}})

    address = record_of(ada.pk)["addresses"][0]
    assert (address["street"], address["city"], address["postal_code"]) == (
        *("Storgata 1", "Bergen"),
        "",
    )


def test_an_address_that_says_nothing_any_more_goes(ada, acme):
    newcomer = CustomerFactory(tenant=acme)
    nothing = dict.fromkeys(("street", "city", "postal_code", "country"))

    update_customer(ada, slots={"addresses": nothing})
    update_customer(newcomer, slots={"addresses": nothing})

    assert record_of(ada.pk)["addresses"] == record_of(newcomer.pk)["addresses"] == []


def test_the_same_again_changes_nothing(grace):
    item = {"address": "home@example.org"}
    version = record_of(grace.pk)["version"]

    update_customer(grace, slots={"emails": item, "addresses": {"street": "B 2"}})

    assert record_of(grace.pk)["version"] == version


def test_a_bad_row_is_named_by_its_list(grace):
    with pytest.raises(ValidationError) as refusal:
        update_customer(
            grace, slots={"emails": {"address": "x"}, "addresses": {"country": "Atlantis"}}
        )

    assert set(refusal.value.message_dict) == {"emails.address", "addresses.country"}


def test_everything_that_is_wrong_with_a_change_is_told_at_once(grace):
    with pytest.raises(ValidationError) as refusal:
        update_customer(
            grace, discount_percent=101, slots={"emails": {"address": "x"}}, created_at="yesterday"
        )

    assert set(refusal.value.message_dict) == {"discount_percent", "emails.address", "created_at"}


def test_the_time_of_a_registration_elsewhere_can_be_corrected(grace):
    update_customer(grace, created_at="2017-01-01 14:15:16")

    assert record_of(grace.pk)["created_at"].isoformat() == "2017-01-01T13:15:16+00:00"


@pytest.mark.parametrize("created_at", ["yesterday", "2999-01-01"])
def test_a_time_that_is_none_or_to_come_is_refused(grace, created_at):
    with pytest.raises(ValidationError):
        update_customer(grace, created_at=created_at)


# --- A few places -----------------------------------------------------------------------------
def row(kind, text):
    return {"kind": kind, "text": text}


@pytest.mark.parametrize(
    ("rows", "shown"),
    [
        ("", {}),
        ("work a", {"work": "a"}),
        ("mobile a", {"work": "a"}),
        ("mobile a, work b", {"work": "b", "home": "a"}),
        ("home a, mobile b", {"work": "b", "home": "a"}),
        ("work a, work b", {"work": "a", "home": "b"}),
        ("mobile a, other b, home c", {"work": "a", "home": "c"}),
    ],
)
def test_a_phone_takes_the_place_of_its_kind_else_the_first_that_is_free(rows, shown):
    rows = [row(*text.split()) for text in rows.split(", ") if text]

    placed = phones_by_place(rows, ("work", "home"))

    assert {place: found["text"] for place, found in placed.items()} == shown


@pytest.mark.parametrize(
    ("rows", "shown"),
    [
        ("", {}),
        ("home a, work b", {MAIN: "a"}),
        ("home a, shipping b", {MAIN: "a", "shipping": "b"}),
        ("shipping a, home b", {MAIN: "b", "shipping": "a"}),
        ("shipping a, shipping b", {"shipping": "a"}),
    ],
)
def test_an_address_of_a_kind_with_a_place_is_never_the_main_one(rows, shown):
    rows = [row(*text.split()) for text in rows.split(", ") if text]

    placed = addresses_by_place(rows, ("shipping",))

    assert {place: found["text"] for place, found in placed.items()} == shown


def test_only_the_places_and_columns_that_are_named_change(grace):
    before = record_of(grace.pk)

    update_customer(
        grace,
        slots={
            "phones": Places(("work", "home"), {"home": {"given": "900 00 009"}}),
            "addresses": Places(("shipping",), {MAIN: {"city": "Bergen"}}),
        },
    )

    after = record_of(grace.pk)
    assert [(row["given"], row["kind"]) for row in after["phones"]] == [
        ("22 44 22 44", "work"),
        ("900 00 009", "mobile"),
    ]
    assert [row["id"] for row in after["phones"]] == [row["id"] for row in before["phones"]]
    assert [(row["street"], row["city"]) for row in after["addresses"]] == [
        ("B 2", "Bergen"),
        ("A 1", ""),
    ]


def test_a_place_that_is_filled_gets_its_kind_and_one_that_is_emptied_goes(grace):
    places = ("shipping",)

    update_customer(grace, slots={"addresses": Places(places, {"shipping": {"street": "C 3"}})})
    made = [(row["street"], row["kind"]) for row in record_of(grace.pk)["addresses"]]
    update_customer(grace, slots={"addresses": Places(places, {"shipping": {"street": ""}})})

    assert made == [("B 2", "home"), ("A 1", "billing"), ("C 3", "shipping")]
    assert listed(grace, "addresses", "street") == [("B 2", True), ("A 1", False)]


def test_an_empty_place_that_stays_empty_makes_no_row(grace):
    version = record_of(grace.pk)["version"]

    update_customer(grace, slots={"addresses": Places(("shipping",), {"shipping": {"city": ""}})})

    assert record_of(grace.pk)["version"] == version


def test_a_new_main_address_is_the_primary_billing_one(acme):
    customer = CustomerFactory(tenant=acme, addresses=[{"street": "A 1", "kind": "shipping"}])

    update_customer(customer, slots={"addresses": Places(("shipping",), {MAIN: {"city": "Oslo"}})})

    rows = record_of(customer.pk)["addresses"]
    assert [(row["kind"], row["primary"]) for row in rows] == [
        ("billing", True),
        ("shipping", False),
    ]


def test_another_number_in_a_place_loses_the_extension_of_the_old_one(acme):
    phones = [{"given": "22 44 22 44", "kind": "work", "extension": "12"}]
    customer = CustomerFactory(tenant=acme, phones=phones)

    update_customer(customer, slots={"phones": Places(("work",), {"work": {"given": "22442244"}})})
    same = customer.phones.get().extension
    update_customer(customer, slots={"phones": Places(("work",), {"work": {"given": "900 00 1"}})})

    assert (same, customer.phones.get().extension) == ("12", "")


def test_another_number_in_the_place_of_a_sign_in_leaves_the_sign_in(acme):
    customer = CustomerFactory(tenant=acme, login_phone="900 00 001")

    update_customer(
        customer, slots={"phones": Places(("work", "home"), {"work": {"given": "22 44 22 44"}})}
    )

    placed = phones_by_place(record_of(customer.pk)["phones"], ("work", "home"))
    assert {place: found["given"] for place, found in placed.items()} == {
        "work": "22 44 22 44",
        "home": "900 00 001",
    }


def test_a_bad_value_in_a_place_is_named_by_the_place(grace):
    with pytest.raises(ValidationError) as refusal:
        update_customer(
            grace, slots={"phones": Places(("work", "home"), {"home": {"given": "none"}})}
        )

    assert set(refusal.value.message_dict) == {"phones.home.given"}


def test_a_place_that_shows_the_sign_in_cannot_be_emptied(acme):
    ada = CustomerFactory(tenant=acme, login_phone="900 00 001")

    with pytest.raises(ValidationError) as refusal:
        update_customer(ada, slots={"phones": Places(("work", "home"), {"work": None})})

    assert set(refusal.value.message_dict) == {"phones"}
