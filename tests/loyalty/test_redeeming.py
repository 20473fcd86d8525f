"""Redeeming: points become a coupon, and the coupon is used, delivered or cancelled, once."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from events.models import Event, HistoryEntry
from loyalty.models import Entry, EntryNote, Level, Lot, Redemption, Reward
from loyalty.services import (
    Repeated,
    account_of,
    add_points,
    assign_level,
    cancel_redemption,
    create_reward,
    find_coupon,
    redeem_reward,
    redeeming,
    set_delivery,
    unuse_coupon,
    update_reward,
    use_coupon,
)
from tenancy import clock
from tenancy.models import Store
from tenancy.services import update_tenant
from tests.loyalty.story import adds_up

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture
def rich(ada):
    """Ada with a hundred points."""
    with clock.frozen(NOON):
        add_points(ada, points=100_00)
    return ada


@pytest.fixture
def bag(acme):
    return create_reward(name="Tote bag", cost=30)


def why(refusal):
    return {name: errors[0].code for name, errors in refusal.value.error_dict.items()}


def test_points_become_a_coupon(acme, rich, bag):
    redemption = redeem_reward(rich, bag, store=Store.objects.get())

    redemption.refresh_from_db()
    account = account_of(rich)
    assert (account.points, redemption.cost, redemption.name) == (70_00, 30_00, "Tote bag")
    assert re.fullmatch(r"([2-9A-HJ-NP-Z]{4}-){2}[2-9A-HJ-NP-Z]{4}", redemption.coupon)
    assert (redemption.active_until, redemption.delivery) == (None, "")
    entry = redemption.entry
    assert (entry.kind, entry.points, entry.source_kind) == ("spend", -30_00, "redemption")
    assert entry.store_id == Store.objects.get().pk
    assert adds_up(account)
    event = Event.objects.get(kind="reward.redeemed")
    assert event.subject_id == rich.pk
    assert event.data == {"reward": str(bag.pk), "redemption": str(redemption.pk)}


def test_the_same_source_redeems_once(rich, bag):
    first = redeem_reward(rich, bag, source=("till", "r-1"))

    with pytest.raises(Repeated) as repeated:
        redeem_reward(rich, bag, source=("till", "r-1"))

    assert repeated.value.entry == first.entry
    assert Redemption.objects.count() == 1
    bag.refresh_from_db()
    assert bag.n_redeemed == 1


def test_too_few_points_leave_everything_as_it_was(ada, bag):
    add_points(ada, points=29_99)

    with pytest.raises(ValidationError) as refusal:
        redeem_reward(ada, bag)

    bag.refresh_from_db()
    assert why(refusal) == {"points": "insufficient_points"}
    assert (account_of(ada).points, bag.n_redeemed) == (29_99, 0)
    assert not Redemption.objects.exists()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"active": False}, "not_on_offer"),
        ({"active_from": "2026-03-10T12:00:01Z"}, "not_on_offer"),
        ({"active_to": "2026-03-10T12:00:00Z"}, "not_on_offer"),
        ({"stock": 0}, "sold_out"),
        ({"active_from": "2026-03-10T12:00:00Z", "active_to": "2026-03-10T12:00:01Z"}, None),
    ],
)
def test_what_is_not_on_offer_cannot_be_redeemed(rich, bag, changes, code):
    update_reward(bag, **changes)

    with clock.frozen(NOON):
        if code is None:
            redeem_reward(rich, bag)
            return
        with pytest.raises(ValidationError) as refusal:
            redeem_reward(rich, bag)

    assert why(refusal) == {"reward": code}


def test_a_reward_that_is_gone_is_told(rich, bag):
    Reward.objects.filter(pk=bag.pk).delete()

    with pytest.raises(ValidationError) as refusal:
        redeem_reward(rich, bag)

    assert why(refusal) == {"reward": "does_not_exist"}


def test_the_price_is_the_one_of_now_not_the_one_that_was_read(rich, bag):
    update_reward(bag, cost=40)

    redemption = redeem_reward(rich, bag)

    assert (redemption.cost, account_of(rich).points) == (40_00, 60_00)


def test_one_customer_has_no_more_than_the_limit(rich, grace, bag):
    update_reward(bag, per_customer=1, cost=0)
    first = redeem_reward(rich, bag)

    with pytest.raises(ValidationError) as refusal:
        redeem_reward(rich, bag)
    redeem_reward(grace, bag)
    cancel_redemption(first)
    redeem_reward(rich, bag)

    assert why(refusal) == {"reward": "limit_reached"}


def test_a_reward_for_a_level_is_for_who_stands_on_it(acme, rich, bag):
    gold = Level.objects.create(tenant=acme, name="Gold", threshold=1000_00)
    update_reward(bag, levels=[gold])

    with pytest.raises(ValidationError) as refusal:
        redeem_reward(rich, bag)
    assign_level(rich, gold)
    redeem_reward(rich, bag)

    assert why(refusal) == {"reward": "wrong_level"}


def test_a_level_that_went_with_points_that_ran_out_counts_no_more(acme, ada, bag):
    update_tenant(
        acme,
        settings={
            "tier_by": "points",
            "downgrade_mode": "automatic",
            "points_expire": "after_x_days",
            "points_days": 1,
        },
    )
    ada.refresh_from_db()
    gold = Level.objects.create(tenant=acme, name="Gold", threshold=50_00, reward_percent=10_00)
    update_reward(bag, levels=[gold], cost=0)
    with clock.frozen(NOON):
        add_points(ada, points=60_00)
        assert account_of(ada).level == gold

    with clock.frozen(NOON + timedelta(days=3)), pytest.raises(ValidationError) as refusal:
        redeem_reward(ada, bag)

    assert why(refusal) == {"reward": "wrong_level"}


def test_a_blocked_customer_redeems_nothing(rich, bag):
    type(rich).objects.filter(pk=rich.pk).update(status="blocked")

    with pytest.raises(ValidationError) as refusal:
        redeem_reward(rich, bag)

    assert why(refusal) == {"customer": "not_spending"}


@pytest.mark.parametrize(
    ("zone", "until"),
    [
        ("Europe/Oslo", datetime(2026, 3, 29, 21, 59, 59, tzinfo=UTC)),
        ("Pacific/Apia", datetime(2026, 3, 30, 10, 59, 59, tzinfo=UTC)),
    ],
)
def test_a_coupon_works_to_the_last_second_of_its_last_day_in_the_shop(
    acme, rich, bag, zone, until
):
    update_tenant(acme, timezone=zone)
    rich.refresh_from_db()
    update_reward(bag, valid_days=5)
    with clock.frozen(datetime(2026, 3, 24, 12, tzinfo=UTC)):
        redemption = redeem_reward(rich, bag)
    assert redemption.active_until == until

    with clock.frozen(until), pytest.raises(ValidationError) as refusal:
        use_coupon(redemption)
    assert refusal.value.code == "expired"
    with clock.frozen(until - timedelta(seconds=1)):
        assert use_coupon(redemption).used_at == until - timedelta(seconds=1)


def test_a_coupon_is_used_once_and_it_is_told_where(acme, rich, bag):
    store = Store.objects.get()
    redemption = redeem_reward(rich, bag)

    used = use_coupon(redemption, store=store)

    assert used.used_store == store
    with pytest.raises(ValidationError) as refusal:
        use_coupon(redemption)
    assert refusal.value.code == "used"
    entry = HistoryEntry.objects.get(deed="redemption.used")
    assert (entry.subject_id, entry.changes) == (
        rich.pk,
        {"redemption": ["open", "Tote bag: used"]},
    )


def test_a_use_by_mistake_is_taken_back(rich, bag):
    redemption = redeem_reward(rich, bag)
    use_coupon(redemption)

    assert unuse_coupon(redemption, reason="wrong coupon scanned").used_at is None

    with pytest.raises(ValidationError) as refusal:
        unuse_coupon(redemption)
    assert refusal.value.code == "not_used"
    use_coupon(redemption)


def test_a_code_is_found_however_it_is_typed(rich, bag, monkeypatch):
    monkeypatch.setattr(redeeming, "new_coupon", lambda: "K7QF-9M2X-HT4R")
    redemption = redeem_reward(rich, bag)

    for text in ("K7QF-9M2X-HT4R", " k7qf9m2xht4r ", "k7qf 9m2x ht4r"):
        assert find_coupon(text) == redemption
    for text in ("", "K7QF-9M2X-HT4", "K7QF-9M2X-HT40", "\0" * 12, "ı" * 12, "Å" * 500, None, 5):
        assert find_coupon(text) is None


def test_a_code_that_was_given_before_is_drawn_again(rich, bag, monkeypatch):
    drawn = iter(["AAAA-AAAA-AAAA", "AAAA-AAAA-AAAA", "BBBB-BBBB-BBBB"])
    monkeypatch.setattr(redeeming, "new_coupon", lambda: next(drawn))

    coupons = [redeem_reward(rich, bag).coupon for _n in range(2)]

    assert coupons == ["AAAA-AAAA-AAAA", "BBBB-BBBB-BBBB"]


def test_a_source_of_chance_that_stands_still_ends_in_a_refusal(rich, bag, monkeypatch):
    monkeypatch.setattr(redeeming, "new_coupon", lambda: "AAAA-AAAA-AAAA")
    redeem_reward(rich, bag)

    with pytest.raises(IntegrityError):
        redeem_reward(rich, bag)

    assert account_of(rich).points == 70_00


def test_coupons_hold_sixty_bits_of_chance():
    assert len(redeeming.ALPHABET) == len(set(redeeming.ALPHABET)) == 32
    assert not set("0O1I") & set(redeeming.ALPHABET)
    assert len({redeeming.new_coupon() for _n in range(1_000)}) == 1_000


def test_cancelling_gives_points_and_piece_back(rich, bag):
    update_reward(bag, stock=1)
    redemption = redeem_reward(rich, bag)

    cancelled = cancel_redemption(redemption, reason="does not fit")

    assert cancelled.cancelled_at is not None
    account = account_of(rich)
    assert (account.points, Lot.objects.get().remaining) == (100_00, 100_00)
    assert adds_up(account)
    entry = Entry.objects.get(kind="refund")
    assert entry.reverses == redemption.entry
    assert EntryNote.objects.get(entry=entry).text == "does not fit"
    redeem_reward(rich, bag)


def test_cancelling_happens_once(rich, bag):
    redemption = redeem_reward(rich, bag)
    cancel_redemption(redemption)

    with pytest.raises(ValidationError) as refusal:
        cancel_redemption(redemption)
    with pytest.raises(ValidationError) as use:
        use_coupon(redemption)

    bag.refresh_from_db()
    assert (refusal.value.code, use.value.code) == ("cancelled", "cancelled")
    assert (account_of(rich).points, bag.n_redeemed) == (100_00, 0)


def test_a_used_coupon_is_not_cancelled(rich, bag):
    redemption = redeem_reward(rich, bag)
    use_coupon(redemption)

    with pytest.raises(ValidationError) as refusal:
        cancel_redemption(redemption)

    assert refusal.value.code == "used"
    assert account_of(rich).points == 70_00


def test_a_coupon_that_ran_out_can_be_cancelled(rich, bag):
    update_reward(bag, valid_days=1)
    with clock.frozen(NOON):
        redemption = redeem_reward(rich, bag)

    with clock.frozen(NOON + timedelta(days=9)):
        cancel_redemption(redemption)

    assert account_of(rich).points == 100_00


def test_points_that_expired_meanwhile_come_back_as_new_ones(acme, ada, bag):
    update_tenant(acme, settings={"points_expire": "after_x_days", "points_days": 1})
    ada.refresh_from_db()
    with clock.frozen(NOON):
        add_points(ada, points=30_00)
        redemption = redeem_reward(ada, bag)

    with clock.frozen(NOON + timedelta(days=9)):
        cancel_redemption(redemption)
        account = account_of(ada)
        assert account.points == 30_00
        assert adds_up(account)


def test_what_costs_nothing_moves_no_points(ada, bag):
    update_reward(bag, cost=0)

    redemption = redeem_reward(ada, bag)
    cancel_redemption(redemption)

    account = account_of(ada)
    assert [entry.kind for entry in Entry.objects.filter(account=account)] == ["spend"]
    assert adds_up(account)


def test_the_redemption_of_a_deleted_customer_is_not_cancelled(rich, bag):
    redemption = redeem_reward(rich, bag)
    redemption.account.customer = None
    redemption.account.save(update_fields=["customer"])

    with pytest.raises(ValidationError) as refusal:
        cancel_redemption(redemption)
    use_coupon(redemption)

    assert refusal.value.code == "nameless"
    assert HistoryEntry.objects.get(deed="redemption.used").subject_id == redemption.pk


@pytest.fixture
def ordered(rich, bag):
    update_reward(bag, delivered=True)
    return redeem_reward(rich, bag)


def test_a_delivery_goes_its_way_and_a_step_back(ordered):
    for status in ("shipped", "delivered", "shipped", "ordered", "delivered", "delivered"):
        assert set_delivery(ordered, status).delivery == status

    assert Event.objects.filter(kind="redemption.delivery_changed").count() == 5


@pytest.mark.parametrize("status", ["cancelled", "lost", "", None, 5])
def test_a_delivery_cannot_be_anything_else(ordered, status):
    with pytest.raises(ValidationError) as refusal:
        set_delivery(ordered, status)

    assert why(refusal) == {"delivery": "invalid_choice"}


def test_a_delivery_skips_no_step_back(ordered):
    set_delivery(ordered, "delivered")

    with pytest.raises(ValidationError) as refusal:
        set_delivery(ordered, "ordered")

    assert why(refusal) == {"delivery": "wrong_step"}


def test_what_was_delivered_is_not_cancelled_and_what_was_cancelled_not_delivered(ordered):
    set_delivery(ordered, "delivered")
    with pytest.raises(ValidationError) as delivered:
        cancel_redemption(ordered)
    set_delivery(ordered, "shipped")
    assert cancel_redemption(ordered).delivery == "cancelled"
    with pytest.raises(ValidationError) as cancelled:
        set_delivery(ordered, "shipped")

    assert delivered.value.code == "delivered"
    assert why(cancelled) == {"delivery": "cancelled"}


def test_a_coupon_has_no_delivery(rich, bag):
    redemption = redeem_reward(rich, bag)

    with pytest.raises(ValidationError) as refusal:
        set_delivery(redemption, "shipped")

    assert why(refusal) == {"delivery": "no_delivery"}
