"""Registering somebody on behalf of the person or program that asks."""

import pytest
from django.core.exceptions import ValidationError

from customers.services import set_customer_password, sign_in_customer
from customers.services.enrolling import enrol_customer
from customers.services.placing import OtherStore, store_of_registration
from tenancy.models import Store
from tenancy.services import principal_of, update_tenant
from tests.factories import PASSWORD, StoreFactory, make_token

pytestmark = pytest.mark.django_db


def caller(tenant, role, **options):
    return principal_of(make_token(tenant, role, **options))


@pytest.mark.parametrize(
    ("method", "role", "status"),
    [
        ("none", "seller", "active"),
        ("email", "seller", "active"),
        ("sms", "seller", "new"),
        ("sms", "admin", "active"),
        ("sms", "service", "active"),
    ],
)
def test_only_a_sellers_customer_waits_and_only_for_an_sms(acme, method, role, status):
    tenant = update_tenant(acme, settings={"activation_method": method})

    customer = enrol_customer(caller(tenant, role), first_name="Ada", login_phone="90000001")

    assert customer.status == status


def test_a_sellers_customer_is_the_sellers_own(acme):
    seller = caller(acme, "seller")

    assert enrol_customer(seller, first_name="Ada").seller == seller.staff


def test_a_token_of_one_store_registers_there(acme):
    store = StoreFactory(tenant=acme)

    customer = enrol_customer(caller(acme, "seller", stores=[store]), first_name="Ada")

    assert customer.home_store == store


def test_a_token_of_no_store_registers_anywhere(acme):
    store = StoreFactory(tenant=acme)
    principal = caller(acme, "seller")

    assert store_of_registration(principal) is None
    assert store_of_registration(principal, named=str(store.pk)) == store
    assert store_of_registration(principal, named=store.code.upper()) == store


def test_a_token_of_several_stores_must_name_one(acme):
    principal = caller(acme, "seller", stores=[StoreFactory(tenant=acme) for _n in range(2)])

    with pytest.raises(ValidationError) as refusal:
        store_of_registration(principal)

    assert set(refusal.value.message_dict) == {"store"}


def test_a_bound_token_registers_nowhere_else(acme):
    own, main = StoreFactory(tenant=acme), Store.objects.get(default=True)
    principal = caller(acme, "seller", stores=[own])

    for options in ({"named": main.code}, {"home": main.code}):
        with pytest.raises(OtherStore):
            store_of_registration(principal, **options)


def test_a_store_that_is_none_is_refused_by_name(acme):
    with pytest.raises(ValidationError) as refusal:
        store_of_registration(caller(acme, "admin"), named="nowhere")

    assert set(refusal.value.message_dict) == {"store"}


# --- The first password
def test_who_is_registered_without_a_password_is_sent_one(acme, sent_mail):
    customer = enrol_customer(
        caller(acme, "admin"), with_password=True, login_email="ada@example.org"
    )
    token = make_token(acme, "customer", customer=customer)

    mails = sent_mail()

    customer.refresh_from_db()
    assert [mail.to for mail in mails] == [["ada@example.org"]]
    assert customer.password_temporary
    assert principal_of(token)


def test_a_password_that_was_chosen_meanwhile_stays(acme, sent_mail):
    customer = enrol_customer(
        caller(acme, "admin"), with_password=True, login_email="ada@example.org"
    )
    set_customer_password(customer, PASSWORD)

    assert sent_mail() == []
    assert sign_in_customer("ada@example.org", PASSWORD, address="192.0.2.1")


def test_nothing_is_sent_where_nothing_arrives_or_nobody_asked(acme, sent_mail, sent_sms):
    enrol_customer(caller(acme, "admin"), with_password=True, first_name="Ada")
    enrol_customer(caller(acme, "admin"), login_email="ada@example.org")

    assert (sent_mail(), sent_sms()) == ([], [])
