"""Changing a customer: what empty means, and what customers may change themselves.

The numbers are those of the contract.
"""

import re

import pytest
from django.core import mail

from customers.models import Customer
from customers.services import register_customer
from tenancy.scoping import in_tenant
from tenancy.services import update_tenant
from tests.dialects.openloyalty.client import all_errors, customer
from tests.factories import StoreFactory

pytestmark = pytest.mark.django_db

FULL = {
    "email": "ada@example.com",
    "phone": "+48234234000",
    "gender": "female",
    "birthDate": "1985-12-10",
    "address__street": "Bagno",
    "address__address1": "1",
    "address__city": "Warszawa",
    "address__country": "PL",
    "company__name": "Lee Ltd",
    "company__nip": "998877",
    "loyaltyCardNumber": "47834433524",
    "labels": "a:1;b:2",
    "agreement2": "1",
}


@pytest.fixture
def ada(register):
    """The id of somebody of whom everything is known."""
    return register(**FULL)


@pytest.fixture
def told(admin, ada):
    """A function that reads her as she is now."""
    return lambda: admin.get(f"customer/{ada}").json()


@pytest.fixture
def own(as_, shop, ada):
    """The API in her own hands."""
    with in_tenant(shop):
        return as_("customer", customer=Customer.objects.get(pk=ada))


def without(record, *names):
    return {name: value for name, value in record.items() if name not in names}


def moved(before, after):
    """The names that differ, beside those that every change moves."""
    names = {*before, *after} - {"updatedAt", "version"}
    return {name for name in names if before.get(name) != after.get(name)}


def test_an_update_answers_the_id_alone(admin, ada):
    answer = admin.put(f"customer/{ada}", customer(firstName="Augusta"))

    assert (answer.status_code, answer.json()) == (200, {"customerId": ada})


@pytest.mark.parametrize("body", [{}, {"other": "1"}, {"customer": ""}])
def test_t49_without_a_customer_nothing_changes(admin, ada, told, body):
    before = told()

    assert admin.put(f"customer/{ada}", body).status_code == 200

    assert told() == before


def test_what_is_not_sent_stays(admin, ada, told):
    before = told()

    admin.put(f"customer/{ada}", customer(firstName="Augusta"))

    assert moved(before, told()) == {"firstName"}
    assert told()["version"] == before["version"] + 1


@pytest.mark.parametrize(
    ("name", "gone"),
    [
        ("firstName", set()),
        ("lastName", set()),
        ("gender", set()),
        ("phone", {"phone"}),
        ("birthDate", {"birthDate"}),
        ("createdAt", set()),
        ("loyaltyCardNumber", {"loyaltyCardNumber"}),
        ("labels", {"labels"}),
        ("agreement2", {"agreement2"}),
        ("address", {"address"}),
        ("company", {"company"}),
        ("posId", set()),
        ("sellerId", set()),
        ("levelId", set()),
    ],
)
def test_t39_t41_t47_what_empty_means(admin, ada, told, name, gone):
    before = told()

    answer = admin.put(f"customer/{ada}", customer(**{name: ""}))

    after = told()
    assert answer.status_code == 200
    assert moved(before, after) == gone
    for missing in gone & {"phone", "birthDate", "loyaltyCardNumber", "company"}:
        assert missing not in after
    assert {name: after[name] for name in gone & {"labels", "address"}} == {
        name: [] if name == "labels" else {} for name in gone & {"labels", "address"}
    }


def test_null_in_json_is_empty(admin, ada, told):
    admin.put(f"customer/{ada}", json={"customer": {"phone": None, "company": None}})

    assert {"phone", "company"} & set(told()) == set()


def test_t39_labels_are_replaced_as_a_whole(admin, ada, told):
    admin.put(f"customer/{ada}", customer(labels="test:testvalue;test2:test2value"))

    assert told()["labels"] == [
        {"key": "test", "value": "testvalue"},
        {"key": "test2", "value": "test2value"},
    ]


def test_labels_are_a_text(admin, ada):
    answer = admin.put(f"customer/{ada}", json={"customer": {"labels": [{"key": "a"}]}})

    assert all_errors(answer) == {
        "labels": [
            "Type of the labels field value is incorrect. The correct type is labels as a string."
        ]
    }


def test_an_address_is_replaced_as_a_whole(admin, ada, told):
    admin.put(f"customer/{ada}", customer(address__city="Łódź", address__street="Piotrkowska"))

    assert told()["address"] == {"street": "Piotrkowska", "city": "Łódź"}


def test_t42_a_wrong_phone_changes_nothing(admin, ada, told):
    before = told()

    answer = admin.put(f"customer/{ada}", customer(phone="+440000000", firstName="X"))

    assert answer.status_code == 400
    assert all_errors(answer) == {"phone": ["This value is not a valid phone number."]}
    assert answer.json()["errors"] == []
    assert list(answer.json()["form"]["children"]) == [
        *("firstName", "lastName", "gender", "email", "phone", "birthDate", "createdAt"),
        *("address", "company", "loyaltyCardNumber", "labels", "agreement1", "agreement2"),
        *("agreement3", "levelId", "posId", "sellerId"),
    ]
    assert told() == before


def test_t44_an_email_that_proves_the_account_cannot_be_taken_away(admin, ada, told):
    answer = admin.put(f"customer/{ada}", customer(email=""))

    assert all_errors(answer) == {"email": ["Incorrect e-mail address."]}
    assert told()["email"] == "ada@example.com"


def test_where_phones_prove_the_account_an_email_goes_and_the_phone_stays(admin, ada, told, by_sms):
    gone = admin.put(f"customer/{ada}", customer(email=""))
    stays = admin.put(f"customer/{ada}", customer(phone=""))

    assert gone.status_code == 200
    assert all_errors(stays) == {"phone": ["Incorrect phone number format, use 00000000000."]}
    assert "email" not in told()
    assert told()["phone"] == "+48234234000"


@pytest.mark.parametrize(
    ("half", "missing"), [({"company__name": "X"}, "nip"), ({"company__nip": "X"}, "name")]
)
def test_t46_half_a_company_changes_nothing(admin, ada, told, half, missing):
    before = told()

    answer = admin.put(f"customer/{ada}", customer(**half))

    assert answer.status_code == 400
    assert all_errors(answer) == {f"company.{missing}": ["This value should not be blank."]}
    assert told() == before


def test_t46_a_whole_company_is_set_and_removed(admin, ada, told):
    admin.put(f"customer/{ada}", customer(company__name="X", company__nip="Y"))
    assert told()["company"] == {"name": "X", "nip": "Y"}

    admin.put(f"customer/{ada}", customer(company__name="", company__nip=""))
    assert "company" not in told()


def test_t47_a_card_that_is_given_back_is_free(admin, ada, register):
    admin.put(f"customer/{ada}", customer(loyaltyCardNumber=""))

    assert register(loyaltyCardNumber="47834433524")


@pytest.mark.parametrize(
    ("name", "value"),
    [("email", "JOHN@example.com"), ("phone", "48456456000"), ("loyaltyCardNumber", "7")],
)
def test_what_is_another_customers_is_refused(admin, ada, register, told, name, value):
    register(email="john@example.com", phone="+48456456000", loyaltyCardNumber="7")
    before = told()

    answer = admin.put(f"customer/{ada}", customer(**{name: value}))

    assert set(all_errors(answer)) == {name}
    assert told() == before


def test_what_is_read_can_be_sent_back(admin, ada, told):
    before = told()
    sent = {name: before[name] for name in (
        *("firstName", "lastName", "gender", "email", "phone", "birthDate", "createdAt"),
        *("address", "company", "loyaltyCardNumber", "agreement1", "agreement2", "agreement3"),
    )} | {"labels": "a:1;b:2"}  # fmt: skip

    answer = admin.put(f"customer/{ada}", json={"customer": sent})

    assert answer.status_code == 200
    assert told() == before


def test_a_contact_point_that_is_sent_back_does_not_become_a_sign_in(admin, shop):
    with in_tenant(shop):
        one, two = (
            register_customer(first_name="X", emails=[{"address": "shared@example.com"}])
            for _n in range(2)
        )

    for row in (one, two):
        answer = admin.put(f"customer/{row.pk}", customer(email="shared@example.com"))
        assert answer.status_code == 200
    with in_tenant(shop):
        assert not Customer.objects.exclude(login_email=None).exists()


def test_a_new_email_takes_the_place_of_the_old_one(admin, ada, told, shop):
    admin.put(f"customer/{ada}", customer(email="New@example.com"))

    with in_tenant(shop):
        row = Customer.objects.get(pk=ada)
        listed = list(row.emails.values_list("address", "primary"))
    assert (row.login_email, listed) == ("new@example.com", [("New@example.com", True)])
    assert told()["email"] == "new@example.com"


def test_the_time_of_registration_is_corrected_by_the_office_alone(admin, seller, ada, told):
    seller.put(f"customer/{ada}", customer(createdAt="2016-01-01 10:00:00"))
    by_seller = told()["createdAt"]
    admin.put(f"customer/{ada}", customer(createdAt="2017-01-01 14:15:16"))

    assert not by_seller.startswith("2016")
    assert told()["createdAt"] == "2017-01-01T14:15:16+0100"


def test_sellers_change_customers(seller, ada, told, shop):
    store = StoreFactory(tenant=shop)

    answer = seller.put(f"customer/{ada}", customer(firstName="X", posId=str(store.pk)))

    assert answer.status_code == 200
    assert (told()["firstName"], told()["posId"]) == ("X", str(store.pk))


# --- By the customers themselves
def test_customers_change_their_own_profile(own, ada, told):
    answer = own.put(
        f"customer/{ada}",
        customer(firstName="Augusta", birthDate="1985-12-11", agreement2="0", address__city="X"),
    )

    assert answer.status_code == 200
    assert (told()["firstName"], told()["birthDate"][:10]) == ("Augusta", "1985-12-11")
    assert (told()["agreement2"], told()["address"]) == (False, {"city": "X"})


def test_customers_change_nobody_else(own, register):
    assert own.put(f"customer/{register()}", customer(firstName="X")).status_code == 403


@pytest.mark.parametrize(
    "given",
    [
        {"loyaltyCardNumber": "1"},
        {"labels": "vip:yes"},
        {"company__name": "X", "company__nip": "Y"},
        {"posId": "main"},
        {"sellerId": "x"},
        {"levelId": "x"},
        {"phone": ""},
        {"invitationToken": "x"},
    ],
)
def test_customers_do_not_change_what_is_the_shops(own, ada, told, given):
    before = told()

    answer = own.put(f"customer/{ada}", customer(**given, firstName="X"))

    (name,) = {name.partition("__")[0] for name in given}
    assert all_errors(answer) == {name: ["You don't have permission to edit this data."]}
    assert told() == before


def test_customers_can_send_back_what_they_are_shown(own, ada, told):
    before, shown = told(), own.get(f"customer/{ada}").json()
    sent = {name: shown[name] for name in (
        *("firstName", "lastName", "gender", "email", "phone", "birthDate", "createdAt"),
        *("address", "company", "loyaltyCardNumber", "agreement1", "agreement2", "agreement3"),
    )} | {"labels": "", "levelId": "", "posId": "", "sellerId": ""}  # fmt: skip

    answer = own.put(f"customer/{ada}", json={"customer": sent})

    assert answer.status_code == 200, answer.content
    assert told() == before


def test_a_closed_profile_says_so_at_every_field(own, ada, told, shop):
    update_tenant(shop, settings={"allow_profile_edits": False})
    before = told()

    answer = own.put(f"customer/{ada}", customer(firstName="X", phone="1", agreement2="0"))

    refused = ["You don't have permission to edit this data."]
    assert all_errors(answer) == {"firstName": refused, "phone": refused}
    assert told() == before
    assert own.put(f"customer/{ada}", customer(agreement2="0")).status_code == 200
    assert told()["agreement2"] is False


@pytest.mark.django_db(transaction=True)
def test_a_customers_new_email_waits_for_its_code(own, ada, told, run_jobs):
    answer = own.put(f"customer/{ada}", customer(email="new@example.com", firstName="Augusta"))

    assert answer.status_code == 200
    assert (told()["email"], told()["firstName"]) == ("ada@example.com", "Augusta")
    run_jobs()
    code = re.search(r"\b\d{6}\b", mail.outbox[-1].body)[0]
    assert own.post("customer/confirm-change/nonsense").status_code == 404
    assert own.post(f"customer/confirm-change/{code}").status_code == 204
    assert told()["email"] == "new@example.com"
    assert own.post(f"customer/confirm-change/{code}").status_code == 404


def test_a_taken_email_is_refused_and_nothing_else_changes(own, ada, told, register):
    register(email="john@example.com")
    before = told()

    answer = own.put(f"customer/{ada}", customer(email="john@example.com", firstName="X"))

    assert all_errors(answer) == {"email": ["Customer with such email already exists."]}
    assert told() == before


def test_wishes_for_another_sign_in_are_counted(own, ada):
    answers = [
        own.put(f"customer/{ada}", customer(email=f"new{n}@example.com")).status_code
        for n in range(12)
    ]

    assert answers == [200] * 10 + [429] * 2


def test_only_customers_confirm_a_change(admin, nobody):
    assert admin.post("customer/confirm-change/123456").status_code == 403
    assert nobody.post("customer/confirm-change/123456").status_code == 401
