"""Two accounts that became one, and were parted again: nothing is lost, doubled or made up."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError

from customers.services import merge_customers, preview_merge, undo_merge
from loyalty.models import Entry, Lot, LoyaltyAccount, Redemption, Transaction
from loyalty.services import (
    Repeated,
    account_of,
    add_points,
    assign_level,
    cancel_entry,
    spend_points,
    transfer_points,
)
from loyalty.services.counting import replay
from loyalty.services.levels import create_level
from loyalty.services.points import account_of_lot
from loyalty.services.redeeming import cancel_redemption, redeem_reward
from loyalty.services.rewards import create_reward
from loyalty.services.rules import create_earning_rule
from loyalty.services.transactions import record_transaction
from loyalty.status import status_of
from tenancy import clock
from tenancy.services import update_tenant
from tests.factories import CustomerFactory
from tests.loyalty.story import adds_up

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
COUNTED = ("transactions_count", "transactions_amount", "amount_without_delivery")
TOTALS = ("points", "earned_points", "used_points", "expired_points", "locked_points")


def picture(customer):
    """All that an account says of itself, and all its lots."""
    account = LoyaltyAccount.objects.get(customer=customer)
    kept = ("points", "locked_points", "level_id", "manual_level_id", "recalculated_at", *COUNTED)
    lots = Lot.objects.filter(account=account).order_by("pk")
    return (
        {name: getattr(account, name) for name in kept},
        [(lot.pk, lot.value, lot.remaining, lot.expired, lot.cancelled) for lot in lots],
        set(Transaction.objects.filter(account=account).values_list("number", "applied_seq")),
        set(Redemption.objects.filter(account=account).values_list("coupon", flat=True)),
    )


def sums_hold(*customers):
    for customer in customers:
        account = LoyaltyAccount.objects.get(customer=customer)
        assert adds_up(account)
        counters = replay(list(Transaction.objects.filter(account=account)))
        assert [getattr(account, name) for name in COUNTED] == [
            getattr(counters, name) for name in COUNTED
        ]


def test_points_purchases_and_redemptions_come_together(acme, ada, grace):
    mug = create_reward(name="Mug", cost="5")
    for customer, points in ((ada, 100_00), (grace, 40_00)):
        add_points(customer, points=points)
        redeem_reward(customer, mug)
        number = f"R-{customer.pk}"
        record_transaction(customer, number=number, purchased_at=NOON, amount=50_00)
    n_entries = Entry.objects.count()
    before = list(Entry.objects.order_by("pk").values())

    merge_customers(ada, grace)

    status = status_of(ada)
    assert status.points == 130_00
    assert (status.earned_points, status.used_points) == (140_00, 10_00)
    assert (status.transactions_count, status.transactions_amount) == (2, 100_00)
    account = account_of(ada)
    assert Redemption.objects.filter(account=account).count() == 2
    joined = Entry.objects.filter(kind__in=["merge_in", "merge_out"])
    assert sorted(entry.points for entry in joined) == [-35_00, 35_00]
    assert list(Entry.objects.exclude(pk__in=joined).order_by("pk").values()) == before
    assert Entry.objects.count() == n_entries + 2
    sums_hold(ada)


def test_a_return_after_the_merge_finds_the_sale_that_the_other_record_made(ada, grace):
    record_transaction(grace, number="S-1", purchased_at=NOON, amount=50_00)
    merge_customers(ada, grace)

    record_transaction(
        ada, number="S-1-R", kind="return", revises="S-1", purchased_at=NOON, amount=50_00
    )

    account = account_of(ada)
    assert (account.transactions_count, account.transactions_amount) == (0, 0)


def test_bonuses_of_a_lifetime_are_not_doubled_and_come_back_with_the_undoing(acme):
    create_earning_rule(name="Welcome", kind="registration", points="10")
    update_tenant(acme, settings={"newsletter_points": 25})
    acme.refresh_from_db()
    consents = [{"purpose": "marketing", "granted": True}]
    one = CustomerFactory(tenant=acme, first_name="One", consents=consents)
    two = CustomerFactory(tenant=acme, first_name="Two", consents=consents)

    merge = merge_customers(one, two)
    joined = status_of(one)
    undo_merge(merge)

    assert (joined.points, joined.earned_points) == (35_00, 35_00)
    assert (status_of(one).points, status_of(two).points) == (35_00, 35_00)
    assert status_of(two).earned_points == 35_00
    sums_hold(one, two)


def test_the_better_level_and_its_assignment_hold(acme, ada, grace):
    gold = create_level(name="Gold", threshold="1000", reward_percent="10")
    assign_level(grace, gold)

    merge = merge_customers(ada, grace)
    joined = account_of(ada)
    undo_merge(merge)

    assert (joined.level, joined.manual_level) == (gold, gold)
    assert account_of(ada).level.name == "Member"
    assert (account_of(grace).level, account_of(grace).manual_level) == (gold, gold)


def test_purchases_of_both_records_can_reach_a_level_together(acme, ada, grace):
    create_level(name="Gold", threshold="100", reward_percent="10")
    for customer in (ada, grace):
        record_transaction(customer, number=str(customer.pk), purchased_at=NOON, amount=60_00)

    merge = merge_customers(ada, grace)
    joined = account_of(ada).level.name
    undo_merge(merge)

    assert joined == "Gold"
    assert {account_of(ada).level.name, account_of(grace).level.name} == {"Member"}


def test_what_was_spent_since_stays_spent(ada, grace):
    add_points(grace, points=40_00)
    merge = merge_customers(ada, grace)
    spend_points(ada, points=30_00)

    undo_merge(merge)

    assert (account_of(ada).points, account_of(grace).points) == (0, 10_00)
    sums_hold(ada, grace)


def test_what_was_earned_since_stays_with_the_survivor(ada, grace):
    add_points(grace, points=40_00)
    merge = merge_customers(ada, grace)
    add_points(ada, points=7_00)

    undo_merge(merge)

    assert (account_of(ada).points, account_of(grace).points) == (7_00, 40_00)


def test_a_redemption_cancelled_after_the_undoing_gives_back_to_who_bought_it(acme, ada, grace):
    add_points(grace, points=40_00)
    merge = merge_customers(ada, grace)
    redemption = redeem_reward(ada, create_reward(name="Mug", cost="5"))
    undo_merge(merge)

    cancel_redemption(redemption)

    assert (account_of(ada).points, account_of(grace).points) == (5_00, 35_00)
    sums_hold(ada, grace)


def test_cancelling_points_that_move_to_another_account_meanwhile_is_refused(ada, grace):
    entry = add_points(grace, points=40_00)
    stale = Lot.objects.select_related("account").get(entry=entry)
    Lot.objects.filter(pk=stale.pk).update(account=account_of(ada))

    with pytest.raises(ValidationError) as refusal, account_of_lot(stale):
        pass

    assert refusal.value.code == "busy"


def test_lots_that_expired_since_expire_once_when_the_merge_is_undone(acme, ada, grace):
    update_tenant(acme, settings={"points_expire": "after_x_days", "points_days": 1})
    acme.refresh_from_db()
    with clock.frozen(NOON):
        add_points(grace, points=40_00)
        merge = merge_customers(ada, grace)
    with clock.frozen(NOON + timedelta(days=5)):
        undo_merge(merge)

        assert (status_of(grace).points, status_of(grace).expired_points) == (0, 40_00)
    sums_hold(ada, grace)


def test_a_chain_of_merges_is_undone_from_the_last(acme, ada, grace):
    mary = CustomerFactory(tenant=acme, first_name="Mary")
    for customer, points in ((ada, 1_00), (grace, 2_00), (mary, 4_00)):
        add_points(customer, points=points)
    pictures = {customer: picture(customer) for customer in (ada, grace, mary)}

    first = merge_customers(grace, ada)
    second = merge_customers(mary, grace)
    assert account_of(mary).points == 7_00
    undo_merge(second)
    assert account_of(grace).points == 3_00
    undo_merge(first)

    assert {customer: picture(customer) for customer in pictures} == pictures
    again = merge_customers(grace, ada)
    assert account_of(grace).points == 3_00
    undo_merge(again)
    sums_hold(ada, grace, mary)


def test_a_message_repeated_after_two_merges_counts_once(acme, ada, grace):
    mary = CustomerFactory(tenant=acme, first_name="Mary")
    first = add_points(ada, points=5_00, source=("till", "receipt-1"))
    merge_customers(grace, ada)
    merge_customers(mary, grace)

    with pytest.raises(Repeated) as repeated:
        add_points(mary, points=5_00, source=("till", "receipt-1"))

    assert repeated.value.entry == first
    assert account_of(mary).points == 5_00


def test_an_account_that_must_be_checked_stands_in_the_way(ada, grace):
    LoyaltyAccount.objects.filter(customer=grace).update(frozen_at=NOON)

    preview = preview_merge(ada, grace)
    with pytest.raises(ValidationError):
        merge_customers(ada, grace)

    assert "account_frozen" in [blocker["code"] for blocker in preview["blockers"]]


def test_the_preview_tells_the_sum(ada, grace):
    add_points(ada, points=10_00)
    add_points(grace, points=2_50)

    told = preview_merge(ada, grace)["sections"]["loyalty"]

    assert (told["points"], told["points_after"], told["level"]) == (
        ["10", "2.5"],
        "12.5",
        "Member",
    )


@pytest.mark.parametrize("seed", range(12))
def test_merging_and_undoing_changes_nothing(acme, seed):
    pick = random.Random(seed)
    update_tenant(
        acme,
        settings={
            "points_expire": pick.choice(["never", "after_x_days", "end_of_month"]),
            "points_days": 3,
            "points_lock_days": pick.choice([0, 2]),
            "tier_by": pick.choice(["transactions", "points"]),
            "downgrade_mode": pick.choice(["none", "automatic"]),
            "newsletter_points": 5,
        },
    )
    acme.refresh_from_db()
    create_earning_rule(name="All", kind="purchase", rate="0.5")
    create_level(name="Gold", threshold="60", reward_percent="10")
    consents = [{"purpose": "marketing", "granted": True}]
    with clock.frozen(NOON):
        people = [CustomerFactory(tenant=acme, first_name=n, consents=consents) for n in "AB"]
    for step in range(14):
        with clock.frozen(NOON + timedelta(hours=10 * step)):
            live(pick, people, step)
    with clock.frozen(NOON + timedelta(days=7)):
        for person in people:
            add_points(person, points=1_00)  # brings what is due into the ledger
        before = [status_of(person) for person in people]
        pictures = [picture(person) for person in people]

        merge = merge_customers(*people)
        joined = status_of(people[0])
        sums_hold(people[0])
        undo_merge(merge)

        assert [picture(person) for person in people] == pictures
        sums_hold(*people)
    doubled = 5_00 if all(status.earned_points >= 5_00 for status in before) else 0
    for name in TOTALS:
        total = sum(getattr(status, name) for status in before)
        assert total - doubled <= getattr(joined, name) <= total


def live(pick, people, step):
    """One random deed of one of two people; refusals are part of life."""
    one, two = pick.sample(people, 2)
    try:
        match pick.choice(["earn", "spend", "send", "sale", "return", "cancel"]):
            case "earn":
                add_points(one, points=pick.randint(1, 40_00))
            case "spend":
                spend_points(one, points=pick.randint(1, 20_00))
            case "send":
                transfer_points(one, two, points=pick.randint(1, 10_00))
            case "sale":
                amount = pick.randint(1, 90_00)
                record_transaction(one, number=f"S-{step}", purchased_at=clock.now(), amount=amount)
            case "return":
                sale = Transaction.objects.filter(kind="sale").order_by("number").first()
                if sale is not None:
                    record_transaction(
                        sale.account.customer,
                        number=f"{sale.number}-R{step}",
                        kind="return",
                        revises=sale.number,
                        purchased_at=clock.now(),
                        amount=max(1, sale.amount // 2),
                    )
            case "cancel":
                entry = Entry.objects.filter(kind="earn", source_kind="hand").first()
                if entry is not None:
                    cancel_entry(entry)
    except ValidationError:
        pass
