"""Whoever comes with an id or identifier of a merged record is led to the survivor, everywhere."""

import io

import pytest
from django.core.exceptions import ValidationError

from customers.exports import export, select_customers
from customers.models import Customer
from customers.records import record_of
from customers.registrations import registrations
from customers.search import find_customer, search_customers
from customers.services import (
    add_device,
    anonymise_customer,
    get_customer,
    merge_customers,
    open_change,
    register_customer,
    set_customer_password,
    sign_in_customer,
    survivor_of,
    update_customer,
)
from groups.querysets import in_group
from groups.services import remove_from_group, subscribe_customer
from tenancy.models import Store
from tenancy.services import SignInRefused, principal_of
from tests.customers.twins import codes_of
from tests.factories import GroupFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def twin(acme):
    """Ada's other record, with an identifier of every kind."""
    return register_customer(
        first_name="Ada", external_id="ext-2", username="countess", card_number="8002"
    )


@pytest.fixture
def merged(ada, twin):
    """The survivor; `twin` is part of it."""
    update_customer(ada, username="ada")
    merge_customers(ada, twin)
    return ada


OLD = [("external_id", "ext-2"), ("username", "countess"), ("card_number", "8002"), ("number", 2)]


# --- Reading ---------------------------------------------------------------------------------
def test_the_old_id_answers_with_the_survivor(merged, twin):
    assert get_customer(twin.pk) == merged
    record = record_of(twin.pk)
    assert (record["id"], record["merged_from"]) == (merged.pk, [twin.pk])
    assert survivor_of(twin.pk) == merged.pk
    assert survivor_of(merged.pk) is None


@pytest.mark.parametrize(("column", "value"), OLD)
def test_each_old_identifier_is_the_survivors(merged, column, value):
    assert Customer.objects.known_as(column, value).get() == merged
    own = getattr(merged, column)
    assert Customer.objects.known_as(column, own).get() == merged


def test_a_chain_leads_to_its_end(merged, twin, grace):
    merge_customers(grace, merged)

    for old in (twin.pk, merged.pk):
        assert get_customer(old) == grace
    for column, value in OLD:
        assert Customer.objects.known_as(column, value).get() == grace


@pytest.mark.parametrize("words", ["8002", "CUST-2", "cust2", "countess", "ext2", "ada 8002"])
def test_people_find_the_survivor_by_what_stood_on_the_other_record(merged, words):
    assert list(search_customers(Customer.objects.all(), words)) == [merged]


def test_the_number_alone_finds_the_survivor_too(merged, twin):
    found = search_customers(Customer.objects.all(), str(twin.number))

    assert merged in found


@pytest.mark.parametrize("reference", ["CUST-2", "ext-2", "8002", "countess"])
def test_a_reference_is_followed(merged, reference):
    assert find_customer(reference) == merged


def test_the_old_id_as_a_reference_is_followed(merged, twin):
    assert find_customer(str(twin.pk)) == merged


def test_a_merged_record_is_in_no_list_and_counted_once(acme, merged, twin):
    assert list(select_customers()) == [merged]
    assert export(select_customers(), "jsonl", io.BytesIO()) == 1
    told = registrations(Customer.objects.all(), interval="day", last=1, timezone="Europe/Oslo")
    assert [n for _day, n in told] == [1]
    assert list(Customer.objects.at_store(Store.objects.get(default=True))) == [merged]


def test_a_member_is_counted_once(acme, ada, twin):
    group = GroupFactory(tenant=acme)
    for customer in (ada, twin):
        subscribe_customer(customer, group)

    merge_customers(ada, twin)

    assert list(in_group(Customer.objects.all(), group)) == [ada]
    assert type(group).objects.with_sizes().get().n_members == 1


# --- Writing ---------------------------------------------------------------------------------
def test_a_change_of_the_old_record_changes_the_survivor(merged, twin):
    late = Customer(pk=twin.pk, tenant=twin.tenant)

    update_customer(late, language="nb")

    assert late.pk == merged.pk
    assert Customer.objects.get(pk=merged.pk).language == "nb"
    add_device(twin.pk, "token")
    assert merged.devices.count() == 1


def test_a_change_that_is_open_is_joined_under_the_old_id_too(merged, twin):
    deed = "customer.updated"
    with open_change(merged.pk, deed=deed) as change, open_change(twin.pk, deed=deed) as inner:
        assert inner is change
        inner.set("language", "nb")

    assert Customer.objects.get(pk=merged.pk).language == "nb"


def test_a_group_is_left_under_the_old_id(acme, merged, twin):
    group = GroupFactory(tenant=acme)
    subscribe_customer(twin.pk, group)

    assert remove_from_group(twin.pk, group) is True
    assert not merged.subscriptions.exists()


def test_the_old_identifiers_and_the_old_id_are_not_free(merged, twin):
    for taken in ({"id": twin.pk}, {"card_number": "8002"}, {"external_id": "ext-2"}):
        with pytest.raises(ValidationError) as refused:
            register_customer(first_name="Eve", **taken)
        assert codes_of(refused.value) == {next(iter(taken)): "unique"}
    with pytest.raises(ValidationError) as refused:
        update_customer(register_customer(first_name="Eve"), username="countess")
    assert codes_of(refused.value) == {"username": "unique"}


def test_the_survivor_may_exchange_its_card_for_the_old_one(merged, twin):
    update_customer(merged, card_number="8002")

    assert merged.card_number == "8002"
    assert Customer.objects.known_as("card_number", "7001").get() == merged
    assert list(search_customers(Customer.objects.all(), "7001")) == [merged]
    update_customer(merged, card_number="9003")
    assert not Customer.objects.known_as("card_number", "8002").exists()
    assert register_customer(first_name="Eve", card_number="8002").pk


def test_an_exchange_that_is_refused_changes_nothing(merged, twin, grace):
    update_customer(grace, external_id="taken")

    with pytest.raises(ValidationError):
        update_customer(merged, card_number="8002", external_id="taken")

    assert Customer.with_merged.get(pk=twin.pk).card_number == "8002"
    assert Customer.objects.get(pk=merged.pk).card_number == "7001"


def test_another_customer_cannot_exchange_for_it(merged, grace):
    with pytest.raises(ValidationError):
        update_customer(grace, card_number="8002")


# --- Signing in ------------------------------------------------------------------------------
@pytest.mark.parametrize("login", ["8002", "countess", "7001", "ada@example.org"])
def test_the_old_card_and_username_sign_in_to_the_survivor(merged, login):
    set_customer_password(merged, "correct horse staple")

    pair = sign_in_customer(login, "correct horse staple", address="192.0.2.1")

    assert principal_of(pair["access_token"]).customer_id == merged.pk


def test_the_others_password_does_not_open_the_survivor(ada, twin):
    set_customer_password(ada, "correct horse staple")
    set_customer_password(twin, "another horse staple")
    merge_customers(ada, twin)

    for login in ("8002", "ada@example.org"):
        with pytest.raises(SignInRefused):
            sign_in_customer(login, "another horse staple", address="192.0.2.1")


def test_an_anonymised_survivor_is_found_by_nothing(merged, twin):
    anonymise_customer(merged)

    for column, value in OLD:
        assert not Customer.objects.known_as(column, value).exists()
    assert record_of(twin.pk)["id"] == merged.pk
    assert register_customer(first_name="Eve", card_number="8002").pk
