"""Groups when two customers become one: joined, a no wins, and parted again."""

import pytest

from customers.records import record_of
from customers.services import merge_customers, preview_merge, register_customer, undo_merge
from events.models import Event, HistoryEntry
from groups.models import Subscription
from groups.services import delete_group, remove_from_group, subscribe_customer
from tests.customers.twins import everything
from tests.factories import GroupFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def news(acme):
    return GroupFactory(tenant=acme, code="news")


@pytest.fixture
def club(acme):
    return GroupFactory(tenant=acme, code="club")


@pytest.fixture
def twin(acme):
    return register_customer(first_name="Ada", last_name="King")


def flags(customer):
    return {group["code"]: group["subscribed"] for group in record_of(customer.pk)["groups"]}


def test_the_survivor_joins_the_others_groups(ada, twin, news, club):
    subscribe_customer(ada, news)
    member = subscribe_customer(twin, club, subscribed=False, source="shop")

    merge_customers(ada, twin)

    assert flags(ada) == {"news": True, "club": False}
    assert Subscription.objects.get(pk=member.pk).source == "shop"
    assert Event.objects.latest("id").kind == "customer.merged"
    changes = HistoryEntry.objects.about("customer", ada.pk).first().changes
    assert changes["groups"] == [["news"], ["club (not subscribed)", "news"]]


@pytest.mark.parametrize(
    ("mine", "theirs", "outcome"),
    [(True, False, False), (False, True, False), (True, True, True), (False, False, False)],
)
def test_a_no_to_a_group_stays_a_no_with_its_evidence(ada, twin, news, mine, theirs, outcome):
    subscribe_customer(ada, news, subscribed=mine, source="mine")
    subscribe_customer(twin, news, subscribed=theirs, source="theirs", custom_data1="x")

    preview = preview_merge(ada, twin)["sections"]["groups"]
    merge_customers(ada, twin)

    member = Subscription.objects.get()
    assert (member.subscribed, member.custom_data1) == (outcome, "x")
    assert member.source == ("theirs" if mine and not theirs else "mine")
    assert preview == [
        {"code": "news", "title": "News", "survivor": mine, "other": theirs, "outcome": outcome}
    ]


def test_memberships_part_again(ada, twin, news, club):
    subscribe_customer(ada, news)
    subscribe_customer(twin, news, subscribed=False)
    subscribe_customer(twin, club)
    before = everything()

    undo_merge(merge_customers(ada, twin))

    assert everything() == before
    assert Event.objects.latest("id").kind == "customer.unmerged"
    changes = HistoryEntry.objects.about("customer", ada.pk).first().changes
    assert changes["groups"] == [["club", "news (not subscribed)"], ["news"]]


def test_a_flag_that_was_set_again_since_stays(ada, twin, news):
    subscribe_customer(ada, news)
    subscribe_customer(twin, news, subscribed=False)
    merge = merge_customers(ada, twin)
    subscribe_customer(ada, news, source="asked again")

    undo_merge(merge)

    assert flags(ada) == {"news": True}
    assert ada.subscriptions.get().source == "asked again"
    assert flags(twin) == {"news": False}


def test_a_group_that_is_gone_does_not_come_back(ada, twin, news, club):
    subscribe_customer(twin, news)
    subscribe_customer(twin, club)
    merge = merge_customers(ada, twin)
    delete_group(news)
    remove_from_group(ada, club)

    undo_merge(merge)

    assert flags(ada) == {}
    assert flags(twin) == {"club": True}
