"""Callers who take liberties: other people's stores, forged evidence, bodies made of mistakes."""

import time
import uuid

import pytest

from customers.models import Customer, Tombstone
from customers.services import delete_customer
from tenancy.scoping import in_tenant
from tenancy.services import update_tenant
from tests.factories import PASSWORD, CustomerFactory, StoreFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("home", ["b", "B", " b ", "\tb"])
def test_a_token_of_one_store_registers_at_no_other_however_it_is_written(tenant, as_role, home):
    own, _other = StoreFactory(tenant=tenant, code="a"), StoreFactory(tenant=tenant, code="b")
    till = as_role("seller", stores=[own])

    response = till.post("customers/", {"first_name": "Ada", "home_store": home})

    assert response.status_code == 403


def test_a_token_of_one_store_gives_an_unknown_store_back_by_name(tenant, as_role):
    till = as_role("seller", stores=[StoreFactory(tenant=tenant, code="a")])

    response = till.post("customers/", {"first_name": "Ada", "home_store": "nowhere"})

    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == "home_store"


def test_a_customer_claims_neither_time_nor_place_of_a_consent(as_role, ada):
    own = as_role("customer", customer=ada)
    claim = {"purpose": "marketing", "granted": True, "at": "2001-01-01T00:00:00Z", "store": "main"}

    response = own.patch(f"customers/{ada.pk}/", {"consents": [claim]})

    assert response.status_code == 403
    assert {error["field"] for error in response.json()["errors"]} == {
        "consents.0.at",
        "consents.0.store",
    }
    assert not ada.consents.exists()


def test_a_body_of_unknown_names_is_refused_quickly_and_briefly(as_role, ada):
    own = as_role("customer", customer=ada)
    body = {f"first_nam{n:05d}": 1 for n in range(50_000)}
    begin = time.monotonic()

    response = own.patch(f"customers/{ada.pk}/", body)

    assert response.status_code == 400
    assert len(response.content) < 20_000
    assert time.monotonic() - begin < 2


def test_an_anonymous_body_of_unknown_names_is_answered_briefly(tenant, anonymous):
    body = {f"name{n:05d}": 1 for n in range(20_000)}

    response = anonymous.post("tenants/acme/sign-in/", body)

    assert response.status_code == 400
    assert len(response.content) < 20_000


def test_two_emails_of_a_customer_change_places(admin, ada):
    one, other = emails_of(admin, ada, "a@example.org", "b@example.org")
    exchanged = [
        {"id": one, "address": "b@example.org"},
        {"id": other, "address": "a@example.org"},
    ]

    response = admin.patch(f"customers/{ada.pk}/", {"emails": exchanged})

    assert response.status_code == 200
    found = {row["id"]: row["address"] for row in response.json()["emails"]}
    assert (found[one], found[other]) == ("b@example.org", "a@example.org")
    assert [row["primary"] for row in response.json()["emails"]].count(True) == 1


def test_an_email_that_becomes_another_of_the_customer_is_named(admin, ada):
    one, _other = emails_of(admin, ada, "a@example.org", "b@example.org")

    by_entry = admin.patch(f"customers/{ada.pk}/emails/{one}/", {"address": "B@example.org"})
    listed = [{"id": one, "address": "z@example.org"}, {"address": "Z@example.org"}]
    by_list = admin.patch(f"customers/{ada.pk}/", {"emails": listed})

    assert (by_entry.status_code, by_list.status_code) == (400, 400)
    assert by_entry.json()["errors"][0]["field"] == "address"
    # Her sign-in, which the list leaves out, stands in front of it.
    assert by_list.json()["errors"][0]["field"] == "emails.2.address"


def emails_of(api, customer, *addresses):
    body = {"emails": [{"address": address} for address in addresses]}
    rows = api.patch(f"customers/{customer.pk}/", body).json()["emails"]
    ids = {row["address"]: row["id"] for row in rows}
    return [ids[address] for address in addresses]


def test_an_id_that_another_tenant_has_deleted_stands_in_no_deletions_way(acme, rival, admin):
    shared = uuid.uuid4()
    with in_tenant(rival):
        delete_customer(CustomerFactory(tenant=rival, id=shared))
    CustomerFactory(tenant=acme, id=shared)

    response = admin.delete(f"customers/{shared}/")

    assert response.status_code == 204
    assert not Customer.objects.filter(pk=shared).exists()
    with in_tenant(rival):
        assert Tombstone.objects.filter(pk=shared).exists()


def test_nobody_states_more_consents_at_once_than_a_list_may_have(tenant, anonymous):
    update_tenant(tenant, settings={"self_registration": True})
    consents = [{"purpose": f"p{n}", "granted": True} for n in range(101)]
    body = {"login_email": "x@example.org", "password": PASSWORD, "consents": consents}

    response = anonymous.post("tenants/acme/register/", body)

    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == "consents"


@pytest.mark.parametrize("key", [False, True])
def test_a_customer_asks_ten_times_a_day_whether_a_sign_in_is_taken(as_role, ada, grace, key):
    own = as_role("customer", customer=grace)
    answers = []

    for n in range(12):
        headers = {"Idempotency-Key": f"try-{n}"} if key else {}
        wish = {"login_email": "ada@example.org"}
        path = f"customers/{grace.pk}/change-login/"
        answers.append(own.post(path, wish, headers=headers).status_code)

    assert answers == [409] * 10 + [429] * 2


@pytest.mark.parametrize("named", ["b", " B "])
def test_a_token_of_one_store_states_no_consent_at_another(tenant, as_role, ada, named):
    own, _other = StoreFactory(tenant=tenant, code="a"), StoreFactory(tenant=tenant, code="b")
    till = as_role("seller", stores=[own])
    statement = {"purpose": "marketing", "granted": True, "store": named}

    response = till.post(f"customers/{ada.pk}/consents/", statement)

    assert response.status_code == 403
    assert not ada.consents.exists()
