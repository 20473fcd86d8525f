"""Two merges at once: one wins, whichever way round they were asked for."""

import threading

import pytest
from django.db import connection

from customers.models import Customer, Email, Merge
from customers.services import (
    MergeBlocked,
    add_entry,
    anonymise_customer,
    merge_customers,
    merging,
    undo_merge,
)
from tenancy.scoping import in_tenant
from tests.factories import CustomerFactory, TenantFactory
from tests.groups.test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def twins(tenant):
    emails = [{"address": "a@example.org"}]
    return [CustomerFactory(tenant=tenant, first_name="Ada", emails=emails) for _ in range(2)]


def merge_both_ways(n_rounds, *, same_way=False):
    """Merge two records into each other at once, often; how often how many of two came through."""
    tenant, came_through = TenantFactory(), []
    for _round in range(n_rounds):
        one, other = twins(tenant)
        second = (one, other) if same_way else (other, one)
        outcomes = at_once(
            tenant,
            lambda one=one, other=other: merge_customers(one.pk, other.pk),
            lambda second=second: merge_customers(second[0].pk, second[1].pk),
        )
        assert all(error is None or isinstance(error, MergeBlocked) for error in outcomes), outcomes
        came_through.append(outcomes.count(None))
    return came_through


@pytest.mark.parametrize("same_way", [True, False])
def test_of_two_merges_of_the_same_two_one_wins(same_way):
    assert merge_both_ways(6, same_way=same_way) == [1] * 6

    tenant = TenantFactory()
    with in_tenant(tenant):
        assert not Merge.objects.exists()


def test_without_the_lock_each_would_become_part_of_the_other(monkeypatch):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time: there is no lock that could be left out")
    both_looked = threading.Barrier(2)
    plan = merging.plan_merge

    def look_without_lock(*pair):
        rows = Customer.with_merged.select_related("merged_into", "tenant").in_bulk(pair)
        return [rows[key] for key in pair]

    def plan_together(*args):
        planned = plan(*args)
        both_looked.wait(timeout=20)
        return planned

    monkeypatch.setattr(merging, "lock_pair", look_without_lock)
    monkeypatch.setattr(merging, "plan_merge", plan_together)
    tenant = TenantFactory()
    one, other = twins(tenant)

    outcomes = at_once(
        tenant,
        lambda: merge_customers(one.pk, other.pk),
        lambda: merge_customers(other.pk, one.pk),
    )

    # Nothing but an accident of the database (a deadlock, a constraint) stands in the way then.
    assert not any(isinstance(error, MergeBlocked) for error in outcomes)


def test_a_change_that_waits_for_the_merge_reaches_the_survivor():
    tenant = TenantFactory()
    for n in range(6):
        one, other = twins(tenant)
        address = f"late{n}@example.org"
        merged, added = at_once(
            tenant,
            lambda one=one, other=other: merge_customers(one.pk, other.pk),
            lambda other=other, address=address: add_entry(other, "emails", {"address": address}),
        )

        assert (merged, added) == (None, None)
        with in_tenant(tenant):
            assert Email.objects.get(address=address).customer_id == one.pk


def test_an_erasure_at_the_same_time_leaves_nothing_of_either_or_no_merge():
    tenant = TenantFactory()
    for _round in range(6):
        one, other = twins(tenant)
        merged, erased = at_once(
            tenant,
            lambda one=one, other=other: merge_customers(one.pk, other.pk),
            lambda other=other: anonymise_customer(other.pk),
        )

        assert erased is None
        with in_tenant(tenant):
            rows = Customer.with_merged.in_bulk([one.pk, other.pk])
            assert rows[other.pk].anonymised_at is not None
            if merged is None:
                # The old id was the survivor's by then.
                assert rows[one.pk].anonymised_at is not None
                assert not Email.objects.filter(customer__in=[one.pk, other.pk]).exists()
            else:
                assert isinstance(merged, MergeBlocked)
                assert rows[other.pk].merged_into_id is None
                assert rows[one.pk].emails.count() == 1


def test_undoing_twice_at_once_undoes_once():
    tenant = TenantFactory()
    one, other = twins(tenant)
    with in_tenant(tenant):
        merge = merge_customers(one, other)

    outcomes = at_once(tenant, *[lambda: undo_merge(merge.pk)] * 3)

    assert outcomes.count(None) == 1
    assert {error.code for error in outcomes if error} == {"undone"}
    with in_tenant(tenant):
        assert Customer.objects.count() == 2
        assert Email.objects.count() == 2
