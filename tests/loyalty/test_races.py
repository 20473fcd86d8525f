"""Many at once: points are never spent twice, the last piece goes to one, nothing is lost.

Each race has a control beside it: the same without the guard, which must go wrong, so that the
test is known to see.
"""

import threading
from collections import Counter

import pytest
from django.db import connection

from loyalty.models import LoyaltyAccount, Redemption, Reward
from loyalty.services import (
    account_of,
    add_points,
    cancel_redemption,
    create_reward,
    redeem_reward,
    spend_points,
    use_coupon,
)
from tenancy.scoping import in_tenant
from tests.api_client import Api
from tests.factories import CustomerFactory, TenantFactory, make_token
from tests.loyalty.racing import DONE, at_once, outcome, wrong_accounts

pytestmark = pytest.mark.django_db(transaction=True)

N_CALLERS = 100


@pytest.fixture
def shop():
    """A business of its own for each race, with its scope open here (threads open their own)."""
    tenant = TenantFactory(code="acme")
    with in_tenant(tenant):
        yield tenant


def spends(shop, *, n, n_threads, balance, amount):
    """Spend `amount` n times from n_threads threads; returns (outcomes, what is left)."""
    customer = CustomerFactory(tenant=shop)
    add_points(customer, points=balance)
    share = n // n_threads

    def work(_number):
        return sum((outcome(spend) for _n in range(share)), Counter())

    def spend():
        spend_points(customer, points=amount)

    outcomes = at_once(shop, n_threads, work)
    return outcomes, account_of(customer).points


def test_a_balance_is_spent_to_the_last_whole_amount(shop):
    outcomes, left = spends(shop, n=192, n_threads=32, balance=500_00, amount=7_00)

    assert outcomes == {DONE: 71, "insufficient_points": 121}
    assert left == 500_00 - 71 * 7_00
    assert wrong_accounts() == []


@pytest.mark.long
def test_a_balance_is_spent_to_the_last_whole_amount_by_a_thousand(shop):
    outcomes, left = spends(shop, n=1024, n_threads=32, balance=500_00, amount=7_00)

    assert outcomes == {DONE: 71, "insufficient_points": 953}
    assert left == 500_00 - 71 * 7_00
    assert wrong_accounts() == []


def test_who_reads_first_and_writes_then_spends_more_than_there_is(shop):
    """The control: the same without a lock accepts every spend that read the balance in time."""
    customer = CustomerFactory(tenant=shop)
    add_points(customer, points=10_00)
    all_have_read = threading.Barrier(8)

    def naive(_number):
        account = account_of(customer)
        assert account.points >= 7_00
        all_have_read.wait(timeout=60)
        LoyaltyAccount.objects.filter(pk=account.pk).update(points=account.points - 7_00)

    assert at_once(shop, 8, naive) == {DONE: 8}
    assert wrong_accounts() != []


def test_without_its_lock_an_account_refuses_to_be_written_over(shop, monkeypatch):
    """The control of the lock: without it the belt is felt, the number of entries that was read."""
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time, whatever is locked")
    monkeypatch.setattr(
        "django.db.models.query.QuerySet.select_for_update", lambda rows, **options: rows
    )
    customer = CustomerFactory(tenant=shop)
    add_points(customer, points=500_00)
    all_read = threading.Barrier(4)
    monkeypatch.setattr(
        "loyalty.services.points.refuse_status", lambda *args, **options: all_read.wait(timeout=60)
    )

    outcomes = at_once(shop, 4, lambda n: spend_points(customer, points=7_00))

    assert outcomes[DONE] == 1
    assert len(outcomes) == 2
    assert any("Integrity" in name or name == "unique" for name in outcomes)
    assert wrong_accounts() == []


@pytest.mark.parametrize("stock", [1, 5])
def test_the_last_pieces_go_to_as_many_customers(shop, stock):
    reward = create_reward(name="Bag", cost=0, stock=stock)
    customers = [CustomerFactory(tenant=shop) for _n in range(16)]

    outcomes = at_once(shop, 16, lambda n: redeem_reward(customers[n], reward))

    assert outcomes == {DONE: stock, "sold_out": 16 - stock}
    assert Redemption.objects.count() == Reward.objects.get().n_redeemed == stock


def test_one_customer_does_not_pass_the_limit_by_asking_often(shop):
    reward = create_reward(name="Bag", cost=1, per_customer=2)
    customer = CustomerFactory(tenant=shop)
    add_points(customer, points=100_00)

    outcomes = at_once(shop, 8, lambda n: redeem_reward(customer, reward))

    assert outcomes == {DONE: 2, "limit_reached": 6}
    assert account_of(customer).points == 98_00
    assert wrong_accounts() == []


@pytest.fixture
def redemption(shop):
    customer = CustomerFactory(tenant=shop)
    add_points(customer, points=10_00)
    return redeem_reward(customer, create_reward(name="Bag", cost=10, stock=1))


def test_a_coupon_is_used_by_one_of_eight(shop, redemption):
    assert at_once(shop, 8, lambda n: use_coupon(redemption)) == {DONE: 1, "used": 7}


def test_a_coupon_is_cancelled_once(shop, redemption):
    outcomes = at_once(shop, 8, lambda n: cancel_redemption(redemption))

    assert outcomes == {DONE: 1, "cancelled": 7}
    assert (Reward.objects.get().n_redeemed, redemption.account.customer_id) != (1, None)
    assert wrong_accounts() == []


def test_a_coupon_is_used_or_cancelled_never_both(shop, redemption):
    deeds = [use_coupon, cancel_redemption]

    outcomes = at_once(shop, 8, lambda n: deeds[n % 2](redemption))

    row = Redemption.objects.get()
    assert outcomes[DONE] == 1
    assert (row.used_at is None) != (row.cancelled_at is None)
    assert account_of(redemption.account.customer).points == (0 if row.used_at else 10_00)
    assert wrong_accounts() == []


def test_who_looks_first_and_marks_then_uses_a_coupon_twice(shop, redemption):
    """The control: reading before writing lets everybody through who has read."""
    all_have_read = threading.Barrier(4)

    def naive(_number):
        row = Redemption.objects.get(pk=redemption.pk)
        assert row.used_at is None
        all_have_read.wait(timeout=60)
        Redemption.objects.filter(pk=row.pk).update(used_at=row.redeemed_at)

    assert at_once(shop, 4, naive) == {DONE: 4}


def sent_at_once(shop, path, body, *, n, headers):
    """The answers to the same POST from n callers with one token that start together."""
    api, answers = Api(make_token(shop), raises=False), []

    def send(_number):
        answers.append(api.post(path, body, headers=headers))

    assert at_once(shop, n, send) == {DONE: n}
    return answers


@pytest.mark.parametrize("deed", ["add", "spend"])
def test_a_request_under_one_key_moves_points_once(shop, deed):
    customer = CustomerFactory(tenant=shop)
    add_points(customer, points=100_00)

    answers = sent_at_once(
        shop,
        f"customers/{customer.pk}/points/{deed}/",
        {"points": 7},
        n=N_CALLERS,
        headers={"Idempotency-Key": "till-7"},
    )

    statuses = Counter(answer.status_code for answer in answers)
    assert statuses[201] >= 1
    assert statuses[201] + statuses[409] == N_CALLERS
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    assert account_of(customer).points == (107_00 if deed == "add" else 93_00)
    assert wrong_accounts() == []


def test_a_source_without_a_key_moves_points_once(shop):
    customer = CustomerFactory(tenant=shop)

    answers = sent_at_once(
        shop,
        f"customers/{customer.pk}/points/add/",
        {"points": 7, "source": "receipt-7"},
        n=N_CALLERS,
        headers={},
    )

    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: N_CALLERS - 1}
    assert len({answer.content for answer in answers}) == 1
    assert account_of(customer).points == 7_00


def test_a_transaction_that_comes_often_counts_once(shop):
    customer = CustomerFactory(tenant=shop)
    body = {
        "customer": str(customer.pk),
        "number": "S-1",
        "amount": 10,
        "purchased_at": "2026-03-10T12:00:00Z",
    }

    answers = sent_at_once(shop, "transactions/", body, n=N_CALLERS, headers={})

    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: N_CALLERS - 1}
    assert account_of(customer).transactions_count == 1


def test_two_batches_with_the_same_customers_do_not_wait_for_each_other(shop):
    customers = [CustomerFactory(tenant=shop) for _n in range(8)]
    api, rounds = Api(make_token(shop), raises=False), 4
    statuses, start = Counter(), threading.Barrier(2)

    def send(number):
        ordered = customers if number else customers[::-1]
        for step in range(rounds):
            items = [
                {
                    "customer": str(customer.pk),
                    "number": f"{number}-{step}-{customer.number}",
                    "amount": 1,
                    "purchased_at": "2026-03-10",
                }
                for customer in ordered
            ]
            start.wait(timeout=60)
            answer = api.post(
                "transactions/batch/",
                {"transactions": items},
                headers={"Idempotency-Key": f"{number}-{step}"},
            )
            statuses.update(row["status"] for row in answer.json()["results"])

    assert at_once(shop, 2, send) == {DONE: 2}
    assert statuses == {201: 2 * rounds * len(customers)}
