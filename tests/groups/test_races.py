"""Two at once: the tree stays a tree, and a membership is made once."""

import threading

import pytest
from django.db import connection

from customers.models import Customer
from groups.models import Group, Subscription
from groups.services import delete_group, managing, subscribe_customer, update_group
from tenancy.scoping import in_tenant
from tests.factories import CustomerFactory, GroupFactory, TenantFactory


def at_once(tenant, *deeds):
    """Run the deeds in threads that start together; returns what each raised, or None."""
    start, outcomes = threading.Barrier(len(deeds)), [None] * len(deeds)

    def run(index, deed):
        try:
            with in_tenant(tenant):
                start.wait(timeout=20)
                deed()
        except Exception as error:  # the test looks at whatever came out
            outcomes[index] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=item) for item in enumerate(deeds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return outcomes


def move_below_each_other(n_rounds):
    """Move two groups below each other at once, often; returns how many circles came out."""
    tenant, circles = TenantFactory(), 0
    for _round in range(n_rounds):
        one, other = GroupFactory(tenant=tenant), GroupFactory(tenant=tenant)
        at_once(
            tenant,
            lambda one=one, other=other: update_group(one, parent=other),
            lambda one=one, other=other: update_group(other, parent=one),
        )
        with in_tenant(tenant):
            parents = dict(Group.objects.values_list("pk", "parent_id"))
        circles += parents[one.pk] == other.pk and parents[other.pk] == one.pk
    return circles


@pytest.mark.django_db(transaction=True)
def test_two_moves_at_once_never_close_a_circle():
    assert move_below_each_other(15) == 0


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_on_the_tree_two_moves_do_close_a_circle(monkeypatch):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time: there is no lock that could be left out")
    both_looked = threading.Barrier(2)

    def look_without_lock():
        parents = dict(Group.objects.values_list("pk", "parent_id"))
        both_looked.wait(timeout=20)
        return parents

    monkeypatch.setattr(managing, "_lock_tree", look_without_lock)

    assert move_below_each_other(1) == 1


@pytest.mark.django_db(transaction=True)
def test_joining_twice_at_once_makes_one_membership():
    tenant = TenantFactory()
    group = GroupFactory(tenant=tenant)
    customers = [CustomerFactory(tenant=tenant) for _ in range(10)]

    for customer in customers:
        outcomes = at_once(
            tenant, *[lambda c=customer: subscribe_customer(c.pk, group) for _ in range(4)]
        )

        assert outcomes == [None] * 4
    with in_tenant(tenant):
        assert Subscription.objects.count() == 10
        assert set(Customer.objects.values_list("version", flat=True)) == {2}


@pytest.mark.django_db(transaction=True)
def test_joining_a_group_that_is_being_deleted_ends_in_a_clear_answer():
    tenant = TenantFactory()
    customer = CustomerFactory(tenant=tenant)

    for _round in range(15):
        group = GroupFactory(tenant=tenant)
        joined, deleted = at_once(
            tenant,
            lambda group=group: subscribe_customer(customer.pk, group),
            lambda group=group: delete_group(group),
        )

        assert deleted is None
        assert joined is None or "group" in joined.message_dict
        with in_tenant(tenant):
            assert not Group.objects.exists()
            assert not Subscription.objects.exists()
