"""The worked cases of levels, moves and the sums of the status, by the numbers they are known by:
C.1 the choice of a level, C.2 what counts for it, C.3 the table of moves, C.5 the identity of the
status. Those of C.4 stand in test_ledger, of C.6 in test_transactions."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings

from loyalty.models import Entry, Level, LoyaltyAccount
from loyalty.services import (
    account_of,
    add_points,
    assign_level,
    create_earning_rule,
    next_level,
    open_account,
    reached_level,
    spend_points,
    transfer_points,
)
from loyalty.services.expiring import expire_points, unlock_points
from loyalty.services.moving import counted_amount
from loyalty.services.recalculating import recalculate_levels
from loyalty.status import status_of
from tenancy import clock
from tests.loyalty.histories import ALONE, PROGRAMMES, histories, play, undone
from tests.loyalty.story import NOON, USUAL_LEVELS, make_levels, set_programme

USUAL = [
    Level(name=name, threshold=threshold * 100, reward_percent=percent * 100)
    for name, threshold, percent in USUAL_LEVELS
]
# The levels of the table: name, threshold, reward.
OF_THE_TABLE = (("L0", 0, 10), ("L1", 20, 200), ("L2", 30, 300))


# --- C.1: which level ---------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("amount", "level", "ahead"),
    [
        (0, "level0", "level1"),
        (19_99, "level0", "level1"),
        (20_00, "level1", "level2"),
        (199_99, "level1", "level2"),
        (200_00, "level2", "level3"),
        (998_99, "level2", "level3"),
        (999_00, "level3", None),
        (10**15, "level3", None),
    ],
)
def test_c1_an_amount_reaches_the_greatest_threshold_below_it(amount, level, ahead):
    reached = reached_level(USUAL, amount)

    following = next_level(USUAL, amount, reached)
    assert (reached.name, following and following.name) == (level, ahead)


def test_c1_inactive_levels_are_neither_reached_nor_next():
    asleep = Level(name="asleep", threshold=50_00, reward_percent=900, active=False)

    assert reached_level([*USUAL, asleep], 60_00).name == "level1"
    assert next_level([*USUAL, asleep], 20_00, USUAL[1]).name == "level2"


def test_c1_of_equal_thresholds_the_greater_reward_is_reached_and_next():
    twin = Level(name="twin", threshold=200_00, reward_percent=11_00)

    assert reached_level([*USUAL, twin], 200_00).name == "twin"
    assert next_level([*USUAL, twin], 20_00, USUAL[1]).name == "twin"


def test_c1_the_next_level_lies_above_the_present_one_too():
    """Somebody who was assigned to level2 with nothing bought looks ahead to level3."""
    assert next_level(USUAL, 0, USUAL[2]).name == "level3"


# --- C.2: what counts ---------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("programme", "counted"),
    [
        ({"exclude_delivery": False}, 20_00),  # 25 less 5 excluded
        ({"exclude_delivery": True}, 17_00),  # and without 3 for the delivery
    ],
)
def test_c2_purchases_count_without_what_is_excluded(acme, ada, sell, programme, counted):
    set_programme(acme, **programme)
    sell(ada, "S1", 25_00, delivery_amount=3_00, excluded_amount=5_00)

    assert status_of(ada).counted == counted


@pytest.mark.parametrize(
    ("base", "counted"),
    [
        ("none", 70_00),
        ("active_points", 70_00),
        ("earned_points", 100_00),
        # Its move to level1 began a new count.
        ("earned_points_since_last_level_change", 0),
    ],
)
def test_c2_points_count_by_the_base_of_the_programme(acme, ada, levels, base, counted):
    set_programme(acme, tier_by="points", downgrade_base=base)
    with clock.frozen(NOON + timedelta(days=1)):
        LoyaltyAccount.objects.filter(customer=ada).update(created_at=NOON)
        add_points(ada, points=100_00)
        spend_points(ada, points=30_00)
        with open_account(ada) as change:
            assert counted_amount(change) == counted
        assert status_of(ada).counted == counted


def test_c2_locked_points_move_no_level_and_unlocking_does(acme, ada, levels):
    set_programme(acme, tier_by="points", points_lock_days=10)
    with clock.frozen(NOON):
        add_points(ada, points=25_00)
        assert account_of(ada).level.name == "level0"
    with clock.frozen(NOON + timedelta(days=10)):
        assert unlock_points()["levels_up"] == 1

    assert account_of(ada).level.name == "level1"


def test_c2_points_that_a_return_took_while_locked_count_as_earned_once_the_lock_is_over(
    acme, ada, levels, sell, take_back
):
    set_programme(acme, tier_by="points", downgrade_base="earned_points", points_lock_days=10)
    LoyaltyAccount.objects.filter(customer=ada).update(created_at=NOON - timedelta(days=1))
    create_earning_rule(name="Purchases", kind="purchase", rate=1)
    with clock.frozen(NOON):
        sell(ada, "S1", 25_00)
        take_back(ada, "R1", 25_00, "S1")
        account = account_of(ada)
        assert (account.points, account.locked_points, account.next_due_at) == (0, 0, None)

    with clock.frozen(NOON + timedelta(days=10)):
        counted = status_of(ada).counted
        with open_account(ada) as change:
            assert counted_amount(change) == counted == 25_00


# --- C.3: the table of moves --------------------------------------------------------------------
@pytest.fixture
def table(levels):
    """The levels of the table, in place of the usual ones."""
    Level.objects.filter(pk__in=[level.pk for level in levels.values()]).update(active=False)
    return make_levels(*OF_THE_TABLE)


def mark(customer, level):
    """Mark a level as assigned though the customer stands on another one: no deed of today leads
    there, a record that was brought over from elsewhere may."""
    LoyaltyAccount.objects.filter(customer=customer).update(manual_level=level)


def stands(customer):
    """(level, assigned level) by name."""
    account = account_of(customer)
    return account.level.name, account.manual_level and account.manual_level.name


def test_c3_row_1_better_than_the_assigned_level_goes_up_and_ends_the_assignment(ada, table, sell):
    assign_level(ada, table["L1"])

    sell(ada, "S1", 40_00)

    assert stands(ada) == ("L2", None)


def test_c3_row_2_a_return_leads_down_to_the_assigned_level(ada, table, sell, take_back):
    sell(ada, "S1", 40_00)
    mark(ada, table["L1"])

    take_back(ada, "R1", 40_00, "S1")

    assert stands(ada) == ("L1", None)


def test_c3_row_3_who_stands_on_the_assigned_level_stays(ada, table, sell):
    assign_level(ada, table["L1"])

    sell(ada, "S1", 21_00)

    assert stands(ada) == ("L1", "L1")


def test_c3_row_4_an_assigned_level_below_what_was_reached_holds_nothing(
    ada, table, sell, take_back
):
    sell(ada, "S1", 40_00)
    mark(ada, table["L0"])

    take_back(ada, "R1", 19_00, "S1")

    assert stands(ada) == ("L1", None)


@pytest.mark.parametrize(
    ("mode", "at_once", "by_the_job"),
    [
        ("none", "level2", "level2"),
        ("automatic", "level0", "level0"),
        ("after_x_days", "level2", "level0"),
    ],
)
def test_c3_t72_spent_points_lead_down_as_the_programme_says(
    acme, ada, levels, mode, at_once, by_the_job
):
    set_programme(acme, tier_by="points", downgrade_mode=mode, downgrade_base="active_points")
    LoyaltyAccount.objects.filter(customer=ada).update(created_at=NOON)
    with clock.frozen(NOON):
        add_points(ada, points=201_00)
        assert account_of(ada).level.name == "level2"
        spend_points(ada, points=201_00)
        assert account_of(ada).level.name == at_once
    with clock.frozen(NOON + timedelta(days=365)):
        recalculate_levels()

    assert account_of(ada).level.name == by_the_job


@pytest.mark.parametrize(("assigned", "ends_on"), [("level1", "level1"), ("level0", "level0")])
def test_c3_by_points_the_better_of_reached_and_assigned_is_the_lowest(
    acme, ada, levels, assigned, ends_on
):
    set_programme(acme, tier_by="points", downgrade_mode="automatic")
    add_points(ada, points=201_00)
    mark(ada, levels[assigned])

    spend_points(ada, points=201_00)

    assert stands(ada) == (ends_on, None)


# --- C.4: sent points ---------------------------------------------------------------------------
def test_c4_a_hundred_sent_to_a_hundred_make_two_hundred_and_earn_nothing(ada, grace, levels):
    for customer in (ada, grace):
        add_points(customer, points=100_00)

    transfer_points(ada, grace, points=100_00)

    sender, receiver = status_of(ada), status_of(grace)
    assert (sender.points, sender.used_points, sender.earned_points) == (0, 100_00, 100_00)
    assert (receiver.points, receiver.received_points) == (200_00, 100_00)
    assert receiver.earned_points == 100_00


# --- C.5: the sums of the status ----------------------------------------------------------------
SUMS = ("points", "used_points", "expired_points", "locked_points", "earned_points")


def identity_holds(customers):
    """points + used + expired + locked = earned, nothing below zero, and the balance is the sum of
    the entries, before and after what is due was written down."""
    for customer in customers:
        status = status_of(customer)
        sums = {name: getattr(status, name) for name in SUMS}
        assert min(sums.values()) >= 0
        assert sum(sums.values()) == 2 * status.earned_points
        account = account_of(customer)
        entries = Entry.objects.filter(account=account).aggregate(
            points=Sum("points", default=0), locked=Sum("locked_points", default=0)
        )
        assert (account.points, account.locked_points) == (entries["points"], entries["locked"])
        assert min(account.points, account.locked_points) >= 0


@given(history=histories(ALONE), programme=PROGRAMMES)
@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_c5_the_sums_of_the_status_hold_in_any_history(
    acme, ada, grace, levels, history, programme
):
    with undone():
        set_programme(acme, **programme)
        customers = [ada, grace]
        end = play(history, customers, after=lambda: identity_holds(customers))
        with clock.frozen(end + timedelta(days=8)):
            told = [status_of(customer) for customer in customers]
            identity_holds(customers)
            expire_points()
            identity_holds(customers)
            for customer, status in zip(customers, told, strict=True):
                now = status_of(customer)
                assert [getattr(now, name) for name in SUMS] == [
                    getattr(status, name) for name in SUMS
                ]


def test_c5_the_days_until_the_level_is_looked_at_again_are_rounded_up(acme, ada, levels):
    set_programme(acme, tier_by="points", downgrade_mode="after_x_days", downgrade_days=365)
    opened = datetime(2026, 1, 1, 12, tzinfo=UTC)
    LoyaltyAccount.objects.filter(customer=ada).update(created_at=opened)

    for later, days in (
        (timedelta(0), 365),
        (timedelta(seconds=1), 365),
        (timedelta(days=1), 364),
        (timedelta(days=365), 0),
        (timedelta(days=400), 0),
    ):
        assert status_of(ada, now=opened + later).level_expires_in_days == days
