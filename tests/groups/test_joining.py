"""Groups as a part of the customer: registered, updated, read, exported, erased with it."""

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import Customer
from customers.records import record_of, records
from customers.services import register_customer, update_customer
from events.models import HistoryEntry
from groups.models import Subscription
from groups.services import subscribe_customer, unsubscribe_customer
from tests.factories import GroupFactory, TenantFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def groups(acme):
    return [GroupFactory(tenant=acme, code=code) for code in ("club", "news", "vip")]


def flags(customer):
    return {group["code"]: group["subscribed"] for group in record_of(customer.pk)["groups"]}


def test_a_registration_may_name_groups(acme, groups):
    customer = register_customer(
        first_name="Ada",
        groups=["news", {"group": str(groups[2].pk), "subscribed": False, "custom_data1": "x"}],
    )

    assert flags(customer) == {"news": True, "vip": False}
    assert customer.version == 1
    entry = HistoryEntry.objects.get()
    assert entry.changes["groups"] == [[], ["news", "vip (not subscribed, custom_data1: x)"]]


def test_an_update_that_leaves_groups_out_keeps_them(acme, ada, groups):
    subscribe_customer(ada, "news")

    update_customer(ada, first_name="Augusta")

    assert flags(ada) == {"news": True}


def test_a_list_of_groups_replaces_the_list_and_keeps_flags_that_it_does_not_name(
    acme, ada, groups
):
    subscribe_customer(ada, "club")
    unsubscribe_customer(ada, "news")
    version = ada.version

    update_customer(ada, groups=["news", "vip"])

    assert flags(ada) == {"news": False, "vip": True}
    assert ada.version == version + 1


def test_the_same_list_again_changes_nothing(acme, ada, groups):
    update_customer(ada, groups=["news", {"group": "vip", "subscribed": False}])
    version = ada.version

    update_customer(ada, groups=["vip", "news"])

    assert ada.version == version


@pytest.mark.parametrize("nothing", [None, []])
def test_an_empty_list_leaves_every_group(acme, ada, groups, nothing):
    subscribe_customer(ada, "news")

    update_customer(ada, groups=nothing)

    assert flags(ada) == {}


@pytest.mark.parametrize(
    ("value", "field", "code"),
    [
        ("news", "groups", "invalid"),
        (["news", "nowhere"], "groups.1", "does_not_exist"),
        ([{"group": "nowhere"}], "groups.0.group", "does_not_exist"),
        ([{"subscribed": True}], "groups.0.group", "required"),
        ([{"group": "news", "flag": 1}], "groups.0.flag", "unknown"),
        ([{"group": "news", "subscribed": "?"}], "groups.0.subscribed", "invalid_bool"),
        (["news", "news"], "groups.1", "duplicate"),
        ([["news"]], "groups.0", "does_not_exist"),
        ([None], "groups.0", "does_not_exist"),
        (["news"] * 101, "groups", "max_length"),
    ],
)
def test_a_bad_list_is_refused_by_its_place(acme, ada, groups, value, field, code):
    with pytest.raises(ValidationError) as error:
        update_customer(ada, groups=value)

    assert [e.code for e in error.value.error_dict[field]] == [code]
    assert not Subscription.objects.exists()


def test_a_group_of_another_tenant_does_not_exist(acme, ada):
    GroupFactory(tenant=TenantFactory(), code="theirs")

    with pytest.raises(ValidationError) as error:
        update_customer(ada, groups=["theirs"])

    assert "groups.0" in error.value.error_dict


def test_records_read_the_groups_of_all_customers_in_one_query(acme, ada, grace, groups):
    subscribe_customer(ada, "vip")
    subscribe_customer(ada, "news")
    alone = len(captured_queries(lambda: list(records(Customer.objects.filter(pk=ada.pk)))))

    both = captured_queries(lambda: list(records(Customer.objects.all())))

    assert len(both) == alone
    assert sum("groups_subscription" in query for query in both) == 1
    assert record_of(ada.pk)["groups"] == [
        {"code": "news", "title": "News", "subscribed": True},
        {"code": "vip", "title": "Vip", "subscribed": True},
    ]
    assert record_of(grace.pk)["groups"] == []


def captured_queries(read):
    with CaptureQueriesContext(connection) as context:
        read()
    return [query["sql"] for query in context.captured_queries]
