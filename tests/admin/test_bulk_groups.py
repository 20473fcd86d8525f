"""Many customers into a group and out of one: chosen, previewed, confirmed, done one by one."""

import pytest

from customers.models import BulkDeed, Customer
from customers.services import anonymise_customer, merge_customers
from customers.services.bulk_deeds import draft_bulk_deed
from events.models import HistoryEntry
from groups.models import Subscription
from groups.services import add_to_group, delete_group, subscribe_customer, subscribing
from tenancy.models import User
from tenancy.scoping import in_tenant
from tests.admin.browsing import form_data, text_of
from tests.admin.conftest import page
from tests.admin.test_bulk_deeds import LIST, choose, confirm
from tests.factories import CustomerFactory, GroupFactory

pytestmark = pytest.mark.django_db
ALL = f"{LIST}all/"


@pytest.fixture
def news(acme):
    return GroupFactory(tenant=acme, code="news", title="News")


def begin(client, deed, group, *customers, **more):
    """The address of the page that asks for the number, after the group was chosen."""
    url = choose(client, deed, *customers)
    answer = client.post(url, form_data(client.get(url), None, group=str(group.pk), **more))
    assert answer.status_code == 302, text_of(answer)
    return answer["Location"]


def members(group):
    return dict(group.subscriptions.values_list("customer", "subscribed"))


def test_many_join_a_group_and_nobody_s_own_word_is_changed(office, news, ada, grace, run_jobs):
    linus = CustomerFactory(tenant=news.tenant, first_name="Linus")
    subscribe_customer(grace, news, subscribed=False)

    url = begin(office, "add_to_group", news, ada, grace, linus, subscribed="on")
    text = text_of(office.get(url))
    confirm(office, url, typed="2", reason="Summer party")
    run_jobs()

    assert "Add to “News”, with its mail: 3 customers" in text
    assert "2 customers are changed." in text
    assert "1 is so already and stays." in text
    assert members(news) == {ada.pk: True, grace.pk: False, linus.pk: True}
    assert BulkDeed.objects.get().counts == {"done": 2, "unchanged": 1}


def test_each_joins_with_the_evidence_and_history_of_a_single_membership(
    office, news, ada, run_jobs
):
    version = ada.version
    confirm(office, begin(office, "add_to_group", news, ada), typed="1", reason="Summer party")
    run_jobs()

    row = Subscription.objects.get()
    assert (row.subscribed, row.source, row.actor_label) == (False, "back office", "Bo Boss")
    entry = HistoryEntry.objects.about("customer", ada.pk).first()
    assert (entry.deed, entry.reason) == ("customer.updated", "Summer party")
    assert entry.changes == {"groups": [[], ["news (not subscribed)"]]}
    assert Customer.objects.get(pk=ada.pk).version == version + 1


def test_many_leave_a_group(office, news, ada, grace, run_jobs):
    subscribe_customer(ada, news)

    url = begin(office, "remove_from_group", news, ada, grace)
    text = text_of(office.get(url))
    confirm(office, url, typed="1")
    run_jobs()

    assert "Remove from “News”: 2 customers" in text
    assert members(news) == {}
    assert HistoryEntry.objects.about("customer", ada.pk).first().changes == {
        "groups": [["news"], []]
    }


def test_all_that_a_search_finds_join_with_the_true_number(office, news, ada, grace, run_jobs):
    url = office.post(f"{ALL}?q=Ada", {"deed": "add_to_group"})["Location"]
    url = office.post(url, {"group": str(news.pk)})["Location"]
    confirm(office, url, typed="1")
    run_jobs()

    assert members(news) == {ada.pk: False}


def test_who_was_anonymised_deleted_or_merged_is_refused_and_stops_no_other(
    office, news, ada, grace, run_jobs
):
    shell, gone = (CustomerFactory(tenant=news.tenant, first_name=n) for n in ("Sue", "Gus"))
    url = begin(office, "add_to_group", news, ada, grace, shell, gone)
    anonymise_customer(shell)
    merge_customers(ada, gone)

    text = text_of(office.get(url))
    confirm(office, url, typed="2")
    run_jobs()

    assert "1 was anonymised: nothing can be changed any more." in text
    assert "1 is no longer here" in text
    assert set(members(news)) == {ada.pk, grace.pk}
    assert BulkDeed.objects.get().counts == {"done": 2, "refused": 2}


def test_a_group_that_is_gone_before_the_confirmation_is_said(office, news, ada):
    url = begin(office, "add_to_group", news, ada)
    delete_group(news)

    text = text_of(office.get(url))

    assert "The group “News” is no longer there." in text
    assert 'name="typed"' not in text


def test_a_group_that_goes_while_it_waits_refuses_each(office, news, ada, run_jobs):
    url = begin(office, "add_to_group", news, ada)
    confirm(office, url, typed="1")
    delete_group(news)
    run_jobs()

    assert "No such group." in text_of(office.get(url))
    assert BulkDeed.objects.get().counts == {"refused": 1}


@pytest.mark.parametrize("group", ["", "nonsense", "00000000-0000-4000-8000-000000000000"])
def test_no_group_is_no_choice(office, news, ada, group):
    url = choose(office, "add_to_group", ada)

    answer = office.post(url, {"group": group, "typed": "1"})

    assert answer.status_code == 200
    assert 'name="group"' in text_of(answer)
    assert (BulkDeed.objects.get().choice, members(news)) == ({}, {})


def test_a_group_of_another_tenant_is_no_choice(office, rival, ada):
    with in_tenant(rival):
        theirs = GroupFactory(tenant=rival, code="theirs", title="Theirs")
    url = choose(office, "add_to_group", ada)

    answer = office.post(url, {"group": str(theirs.pk)})

    assert "Theirs" not in text_of(answer)
    assert BulkDeed.objects.get().choice == {}


def test_another_choice_leaves_the_page_that_a_colleague_has_open_as_it_is(office, news, ada):
    club = GroupFactory(tenant=news.tenant, code="club", title="Club")
    first = begin(office, "add_to_group", news, ada)

    second = office.post(f"{first}?choose=1", {"group": str(club.pk)})["Location"]

    assert first != second
    assert "Add to “News”" in text_of(office.get(first))
    assert "Add to “Club”" in text_of(office.get(second))


def test_a_confirmed_deed_takes_no_other_group(office, news, ada, run_jobs):
    club = GroupFactory(tenant=news.tenant, code="club", title="Club")
    url = begin(office, "add_to_group", news, ada)
    confirm(office, url, typed="1")

    answer = office.post(f"{url}?choose=1", {"group": str(club.pk)}, follow=True)
    run_jobs()

    assert "It was confirmed already." in text_of(answer)
    assert (members(news), members(club)) == ({ada.pk: False}, {})


def test_a_seller_may_what_a_seller_may_with_one(shop, news, ada, run_jobs):
    confirm(shop, begin(shop, "add_to_group", news, ada), typed="1")
    run_jobs()

    assert members(news) == {ada.pk: False}


def test_without_the_right_over_memberships_there_is_no_such_deed(office, news, ada, monkeypatch):
    bulk = draft_bulk_deed("add_to_group", Customer.objects.filter(pk=ada.pk))
    real = User.has_perm
    monkeypatch.setattr(
        User,
        "has_perm",
        lambda self, name, obj=None: not name.startswith("subscriptions.") and real(self, name),
    )

    offered = text_of(office.get(ALL))
    answers = [
        office.post(ALL, {"deed": "add_to_group"}).status_code,
        office.get(page("customers_bulkdeed", "change", bulk.pk)).status_code,
        office.post(page("customers_bulkdeed", "change", bulk.pk), {"group": "x"}).status_code,
    ]

    assert "Add to a group" not in offered
    assert all(status in (302, 403, 404) for status in answers)
    assert members(news) == {}


def test_to_add_who_is_in_it_already_says_so_and_keeps_the_flag(acme, news, ada):
    subscribe_customer(ada, news, subscribed=False)

    assert add_to_group(ada, news, subscribed=True) is False
    assert members(news) == {ada.pk: False}


def test_adding_by_name_without_the_tick_unsubscribes_nobody(office, news, ada, grace):
    subscribe_customer(ada, news)

    url = page("groups_group", "add_members", news.pk)
    office.post(url, {"references": f"{ada.code}\n{grace.code}"})

    assert members(news) == {ada.pk: True, grace.pk: False}


def test_who_says_no_in_the_same_moment_is_not_overruled(acme, news, ada, monkeypatch):
    take = subscribing.take_subscription_codes

    def meanwhile(*args):
        monkeypatch.setattr(subscribing, "take_subscription_codes", take)
        subscribe_customer(ada, news, subscribed=False)
        return take(*args)

    monkeypatch.setattr(subscribing, "take_subscription_codes", meanwhile)

    assert add_to_group(ada, news, subscribed=True) is False
    assert members(news) == {ada.pk: False}
