"""Tills that speak at once: every document counts once, and none is lost."""

import threading

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from loyalty.models import Entry, Transaction
from loyalty.services import account_of, create_earning_rule, record_transaction
from loyalty.services.checking import check_account
from loyalty.services.transactions import Recording
from tenancy.scoping import OwnedQuerySet, in_tenant
from tests.factories import CustomerFactory, TenantFactory
from tests.loyalty.story import NOON

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shop():
    tenant = TenantFactory()
    with in_tenant(tenant):
        create_earning_rule(name="Purchases", kind="purchase", rate=1)
    return tenant


def at_once(tenant, *calls):
    """Record these (customer, fields) in threads that start together; what came of each."""
    start, outcomes = threading.Barrier(len(calls)), [None] * len(calls)

    def run(index, customer, fields):
        try:
            with in_tenant(tenant):
                start.wait(timeout=30)
                outcomes[index] = record_transaction(customer.pk, purchased_at=NOON, **fields)
        except Exception as error:  # the test looks at whatever came out
            outcomes[index] = error
        finally:
            connection.close()

    threads = [
        threading.Thread(target=run, args=(index, *call)) for index, call in enumerate(calls)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return outcomes


def sale(number, amount=9_00):
    return {"number": number, "amount": amount}


def back(number, amount, revises):
    return {"number": number, "amount": amount, "kind": "return", "revises": revises}


def test_the_same_sale_from_eight_tills_counts_once(shop):
    ada = CustomerFactory(tenant=shop)
    outcomes = at_once(shop, *[(ada, sale("S1"))] * 8)

    with in_tenant(shop):
        account = account_of(ada)
        assert sorted(created for _transaction, created in outcomes) == [False] * 7 + [True]
        assert (account.transactions_amount, account.transactions_count) == (9_00, 1)
        assert account.points == 9_00
        assert Entry.objects.count() == 1
        assert check_account(account) == []


def test_two_returns_at_once_both_count_and_nothing_falls_below_zero(shop):
    ada = CustomerFactory(tenant=shop)
    for index in range(4):
        number = f"S{index}"
        at_once(shop, (ada, sale(number)))
        at_once(
            shop, (ada, back(f"R{index}a", 6_00, number)), (ada, back(f"R{index}b", 6_00, number))
        )

    with in_tenant(shop):
        account = account_of(ada)
        assert (account.transactions_amount, account.transactions_count) == (0, 0)
        assert account.points == 0
        assert account.n_applied == 12
        assert check_account(account) == []


def test_a_sale_and_its_return_in_whatever_order(shop):
    ada = CustomerFactory(tenant=shop)
    for index in range(6):
        at_once(shop, (ada, back(f"R{index}", 4_00, f"S{index}")), (ada, sale(f"S{index}")))

    with in_tenant(shop):
        account = account_of(ada)
        assert (account.transactions_amount, account.transactions_count) == (6 * 5_00, 6)
        assert account.points == 6 * 5_00
        assert check_account(account) == []


def test_one_number_for_two_customers_at_once_goes_to_one_of_them(shop):
    ada, grace = CustomerFactory(tenant=shop), CustomerFactory(tenant=shop)
    for index in range(6):
        outcomes = at_once(shop, (ada, sale(f"S{index}")), (grace, sale(f"S{index}")))
        refused = [error for error in outcomes if isinstance(error, ValidationError)]
        assert [error.error_dict["number"][0].code for error in refused] == ["conflict"]

    with in_tenant(shop):
        accounts = [account_of(ada), account_of(grace)]
        assert sum(account.transactions_count for account in accounts) == 6
        assert Transaction.objects.count() == 6
        assert [check_account(account) for account in accounts] == [[], []]


def test_without_the_lock_a_sale_is_lost(shop, monkeypatch):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time: there is no lock that could be left out")
    ada = CustomerFactory(tenant=shop)
    with in_tenant(shop):
        at_once(shop, (ada, sale("S0", 0)))
    both_looked, look = threading.Barrier(2), Recording.__init__

    def look_together(self, *args):
        look(self, *args)
        both_looked.wait(timeout=30)

    monkeypatch.setattr(OwnedQuerySet, "select_for_update", lambda rows, **options: rows)
    monkeypatch.setattr(Recording, "__init__", look_together)
    monkeypatch.setattr("loyalty.services.transactions.earn_for_sale", lambda *sold: None)
    at_once(shop, (ada, sale("S1")), (ada, sale("S2")))

    with in_tenant(shop):
        assert Transaction.objects.count() == 3
        assert account_of(ada).transactions_count == 2
