"""Random deeds on a few accounts by several workers, some of them sent twice: whatever happens in
whatever order, every sum holds."""

import random
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db.models import Sum

from loyalty.models import Entry, Redemption, Transaction
from loyalty.services import (
    account_of,
    add_points,
    adjust_points,
    cancel_entry,
    cancel_redemption,
    create_earning_rule,
    create_level,
    create_reward,
    open_account,
    record_transaction,
    redeem_reward,
    spend_points,
    transfer_points,
    use_coupon,
)
from tenancy import clock
from tenancy.scoping import in_tenant
from tenancy.services import update_tenant
from tests.factories import CustomerFactory, TenantFactory
from tests.loyalty.racing import DONE, REPEATED, at_once, outcome, wrong_accounts

pytestmark = pytest.mark.django_db(transaction=True)

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
# How a deed may be refused; anything else is a fault.
REFUSALS = {
    *("insufficient_points", "not_cancellable", "cancelled", "used", "sold_out", "limit_reached"),
    *("unique", "conflict", "nothing_there"),
}


@pytest.fixture
def shop():
    """A business whose points expire after two days and that gives half a point for each unit that
    is bought, with its scope open here."""
    tenant = TenantFactory(code="acme")
    update_tenant(tenant, settings={"points_expire": "after_x_days", "points_days": 2})
    with in_tenant(tenant):
        create_level(name="Gold", threshold=50, reward_percent=5)
        create_earning_rule(name="Purchases", kind="purchase", rate="0.5")
        yield tenant


class Worker:
    """Does random deeds by a seed of its own, and now and then the same deed again."""

    def __init__(self, number, customers, rewards):
        self.dice = random.Random(number)
        self.number, self.customers, self.rewards = number, customers, rewards
        self.n_done, self.last = 0, None

    def work(self, n):
        """n deeds, an hour of the business apart from each other; what became of them."""
        outcomes = Counter()
        for step in range(n):
            again = self.last is not None and self.dice.random() < 0.1
            deed = self.last if again else self.deed()
            self.last = deed
            with clock.frozen(NOON + timedelta(hours=step)):
                outcomes += outcome(*deed)
        return outcomes

    def deed(self):
        """A random deed with a source of its own: a function and its arguments."""
        self.n_done += 1
        kind = self.dice.choice(
            (self.earn, self.earn, self.spend, self.adjust, self.send, self.cancel, self.redeem)
            + (self.use, self.give_back, self.settle, self.sell, self.sell, self.take_back)
        )
        return (
            kind,
            self.dice.choice(self.customers),
            self.dice.choice((1, 99, 1_00, 3_33, 10_00, 50_00)),
            ("random", f"{self.number}-{self.n_done}"),
        )

    def earn(self, customer, points, source):
        add_points(customer, points=points, source=source)

    def spend(self, customer, points, source):
        spend_points(customer, points=points, source=source)

    def adjust(self, customer, points, source):
        sign = 1 if points % 2 else -1
        adjust_points(customer, points=sign * points, reason="recount", source=source)

    def send(self, customer, points, source):
        receiver = self.customers[(self.customers.index(customer) + 1) % len(self.customers)]
        transfer_points(customer, receiver, points=points, source=source)

    def sell(self, customer, amount, source):
        record_transaction(customer, number=source[1], amount=amount, purchased_at=clock.now())

    def take_back(self, customer, amount, source):
        sales = Transaction.objects.sales().filter(account__customer=customer)
        sale = self.one_of(sales.order_by("-created_at"))
        record_transaction(
            customer,
            number=source[1],
            kind="return",
            revises=sale.number,
            amount=min(amount, sale.amount),
            purchased_at=clock.now(),
        )

    def cancel(self, customer, _points, _source):
        entries = Entry.objects.filter(account__customer=customer, kind__in=["earn", "adjust"])
        cancel_entry(self.one_of(entries.order_by("-seq")))

    def redeem(self, customer, _points, source):
        redeem_reward(customer, self.dice.choice(self.rewards), source=source)

    def use(self, customer, _points, _source):
        use_coupon(self.one_of(Redemption.objects.filter(account__customer=customer)))

    def give_back(self, customer, _points, _source):
        cancel_redemption(self.one_of(Redemption.objects.filter(account__customer=customer)))

    def settle(self, customer, _points, _source):
        settle(customer)

    def one_of(self, rows):
        found = list(rows[:5])
        if not found:
            raise ValidationError("There is nothing to do it to.", code="nothing_there")
        return self.dice.choice(found)


def settle(customer):
    """Look at an account: what is due by now expires."""
    with open_account(customer):
        pass


def random_deeds(shop, *, n, n_workers):
    """Let workers do n deeds in all; returns what became of them."""
    customers = [CustomerFactory(tenant=shop) for _n in range(4)]
    rewards = [
        create_reward(name="Mug", cost=3, stock=40),
        create_reward(name="Bag", cost=10, per_customer=3),
        create_reward(name="Sticker", cost=0, stock=1),
    ]
    workers = [Worker(number, customers, rewards) for number in range(n_workers)]
    return at_once(
        shop, n_workers, lambda number: workers[number].work(n // n_workers), patience=1_200
    )


def check_everything():
    assert wrong_accounts() == []
    # What was sent by some was received by others, and nothing else moves between accounts.
    sent = Entry.objects.filter(kind__in=["transfer_out", "transfer_in"])
    assert (sent.aggregate(total=Sum("points"))["total"] or 0) == 0
    reversed_ids = list(
        Entry.objects.filter(reverses__isnull=False).values_list("reverses", flat=True)
    )
    assert len(reversed_ids) == len(set(reversed_ids))
    for reward in {row.reward for row in Redemption.objects.select_related("reward")}:
        n_kept = Redemption.objects.filter(reward=reward, cancelled_at=None).count()
        assert reward.n_redeemed == n_kept


def test_whatever_happens_the_sums_hold(shop):
    outcomes = random_deeds(shop, n=320, n_workers=4)

    assert set(outcomes) <= REFUSALS | {DONE, REPEATED}
    assert outcomes[DONE] > 100
    assert outcomes[REPEATED] > 0
    check_everything()


@pytest.mark.long
def test_whatever_happens_five_thousand_times_the_sums_hold(shop):
    outcomes = random_deeds(shop, n=5_000, n_workers=8)

    assert set(outcomes) <= REFUSALS | {DONE, REPEATED}
    assert outcomes[DONE] > 1_500
    check_everything()


def expiring_rounds(shop, n_rounds):
    """Let spending race with expiry in rounds; returns the customer and how many spends went well,
    by whether they came in time.

    In each round a fresh lot of 10 points expires at an instant. A second before it two callers
    spend 4 points each; at it two others try to spend as well, and one looks at the account (which
    is what the daily job does).
    """
    customer = CustomerFactory(tenant=shop)
    ends, n_spent = [], Counter()
    gate = threading.Barrier(5)

    def spend():
        spend_points(customer, points=4_00)

    def work(number):
        for step in range(n_rounds):
            if number == 0:
                with clock.frozen(NOON + timedelta(days=10 * step)):
                    ends.append(add_points(customer, points=10_00).lot.expires_at)
            gate.wait(timeout=60)
            in_time = number < 2
            with clock.frozen(ends[step] - timedelta(seconds=1 if in_time else 0)):
                if number == 4:
                    settle(customer)
                else:
                    told = outcome(spend)
                    assert set(told) <= {DONE, "insufficient_points"}
                    n_spent["in time" if in_time else "too late"] += told[DONE]
            gate.wait(timeout=60)

    assert at_once(shop, 5, work, patience=1_200) == {DONE: 5}
    return customer, n_spent


def check_expiry(n_rounds, customer, n_spent):
    assert n_spent["too late"] == 0
    expired = Entry.objects.filter(kind="expire").aggregate(total=Sum("points"))["total"] or 0
    assert -expired == n_rounds * 10_00 - n_spent["in time"] * 4_00
    assert account_of(customer).points == 0
    assert wrong_accounts() == []


def test_what_expires_is_never_spent_and_never_expires_twice(shop):
    check_expiry(15, *expiring_rounds(shop, 15))


@pytest.mark.long
def test_what_expires_is_never_spent_in_five_hundred_rounds(shop):
    check_expiry(500, *expiring_rounds(shop, 500))
