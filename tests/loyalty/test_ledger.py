"""The ledger: what goes in, what comes out, and that nothing is ever changed or counted twice."""

import uuid
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from django.db import Error, connection, transaction

from events.actors import Actor, acting
from loyalty.models import Entry, Lot, LotUse, LoyaltyAccount
from loyalty.programme import programme_of
from loyalty.services import (
    Repeated,
    account_of,
    add_points,
    adjust_points,
    cancel_entry,
    spend_points,
    transfer_points,
)
from tenancy import clock
from tenancy.models import Tenant
from tenancy.scoping import in_tenant
from tenancy.services import update_tenant
from tests.loyalty.story import adds_up

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
LOCK_10 = {"points_lock_days": 10}


def balances(customer):
    account = account_of(customer)
    return account.points, account.locked_points


def test_a_new_customer_has_an_empty_account_on_the_start_level(ada):
    account = account_of(ada)

    assert (account.points, account.level.name) == (0, "Member")


def test_points_go_in_and_out_and_the_sums_agree(ada):
    add_points(ada, points=100_00)
    spend_points(ada, points=30_00)

    assert balances(ada) == (70_00, 0)
    assert adds_up(account_of(ada))
    assert [(e.kind, e.points, e.points_after) for e in Entry.objects.order_by("seq")] == [
        ("earn", 100_00, 100_00),
        ("spend", -30_00, 70_00),
    ]


def test_more_than_there_is_cannot_be_spent(ada):
    add_points(ada, points=10_00)

    with pytest.raises(ValidationError) as refusal:
        spend_points(ada, points=10_01)

    assert refusal.value.error_dict["points"][0].code == "insufficient_points"
    assert balances(ada) == (10_00, 0)


@pytest.mark.parametrize("points", [0, -1, 2**63, 10**30, 0.005, True, "7", None])
def test_amounts_that_are_no_points_are_refused(ada, points):
    with pytest.raises(ValidationError) as refusal:
        add_points(ada, points=points)

    assert list(refusal.value.error_dict) == ["points"]


def test_the_same_source_counts_once(ada):
    first = add_points(ada, points=5_00, source=("till", "receipt-1"))

    with pytest.raises(Repeated) as repeated:
        add_points(ada, points=5_00, source=("till", "receipt-1"))

    assert repeated.value.entry == first
    assert balances(ada) == (5_00, 0)


def test_the_same_source_for_somebody_else_is_a_contradiction(ada, grace):
    add_points(ada, points=5_00, source=("till", "receipt-1"))

    with pytest.raises(ValidationError) as refusal:
        add_points(grace, points=5_00, source=("till", "receipt-1"))

    assert refusal.value.error_dict["source"][0].code == "unique"
    assert balances(grace) == (0, 0)


def test_the_constraint_decides_where_looking_came_too_early(ada, grace, monkeypatch):
    monkeypatch.setattr("loyalty.services.accounts.refuse_repeated", lambda *source: None)
    add_points(ada, points=5_00, source=("till", "receipt-1"))

    with pytest.raises(ValidationError) as refusal:
        add_points(grace, points=5_00, source=("till", "receipt-1"))

    assert refusal.value.error_dict["source"][0].code == "unique"
    assert balances(grace) == (0, 0)


@pytest.mark.parametrize(
    ("rule", "expires"),
    [
        ({"points_expire": "never"}, None),
        ({"points_expire": "after_x_days", "points_days": 30}, (2018, 11, 24)),
        ({"points_expire": "end_of_month"}, (2018, 10, 31)),
        ({"points_expire": "end_of_year"}, (2018, 12, 31)),
        # Held back until 4 November: from there on, N as of the day on which they were earned.
        ({"points_expire": "after_x_days", "points_days": 30, **LOCK_10}, (2018, 12, 4)),
        ({"points_expire": "end_of_month", **LOCK_10}, (2018, 11, 10)),
    ],
)
def test_c4_points_expire_at_the_last_second_of_a_day_in_the_shop(acme, ada, rule, expires):
    update_tenant(acme, settings=rule)
    ada.refresh_from_db()
    with clock.frozen(datetime(2018, 10, 25, 8, tzinfo=UTC)):
        entry = add_points(ada, points=1_00)

    instant = Lot.objects.get(entry=entry).expires_at
    if expires is None:
        assert instant is None
    else:
        local = instant.astimezone(ZoneInfo("Europe/Oslo"))
        assert (local.year, local.month, local.day) == expires
        assert local.time().isoformat() == "23:59:59"


@pytest.mark.parametrize(
    ("zone", "earned", "lock_ends"),
    [
        # The day of the change has 23, 25, 23½ and 24½ hours.
        ("Europe/Oslo", "2026-03-28T23:30", "2026-03-29T21:30"),
        ("Europe/Oslo", "2026-10-25T00:15", "2026-10-25T23:15"),
        ("Australia/Lord_Howe", "2026-10-03T23:45", "2026-10-04T12:45"),
        ("Australia/Lord_Howe", "2026-04-05T00:15", "2026-04-05T13:45"),
        ("Asia/Kathmandu", "2026-03-28T23:30", "2026-03-29T17:45"),
        ("Pacific/Apia", "2011-12-28T12:00", "2011-12-29T22:00"),
    ],
)
def test_a_lock_of_a_day_ends_at_the_same_time_of_the_next_day(zone, earned, lock_ends):
    shop = Tenant(timezone=zone, currency="EUR", settings={"points_lock_days": 1})
    local = datetime.fromisoformat(earned).replace(tzinfo=ZoneInfo(zone))

    ends = programme_of(shop).lock_end(local.astimezone(UTC))

    assert ends == datetime.fromisoformat(lock_ends).replace(tzinfo=UTC)


def test_a_clock_that_is_changed_while_points_are_held_back_moves_no_expiry():
    """23:30 and 24 hours are half past midnight of the day after the next in spring."""
    rules = {"points_lock_days": 1, "points_expire": "after_x_days", "points_days": 1}
    shop = Tenant(timezone="Europe/Oslo", currency="EUR", settings=rules)

    expires = programme_of(shop).expiry(datetime(2026, 3, 28, 22, 30, tzinfo=UTC))

    assert expires == datetime(2026, 3, 30, 21, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "day", "instant"),
    [
        ("Europe/Oslo", (2026, 3, 29), "2026-03-29T21:59:59"),
        ("Europe/Oslo", (2026, 10, 25), "2026-10-25T22:59:59"),
        ("Asia/Kathmandu", (2028, 2, 29), "2028-02-29T18:14:59"),
        # The clocks go back at midnight: the day has two last seconds.
        ("America/Santiago", (2026, 4, 4), "2026-04-05T03:59:59"),
        ("Asia/Beirut", (2026, 10, 24), "2026-10-24T21:59:59"),
        # A day that the calendar left out ends with the next one.
        ("Pacific/Apia", (2011, 12, 30), "2011-12-31T09:59:59"),
    ],
)
def test_a_day_ends_with_its_last_second_whatever_the_clocks_do(zone, day, instant):
    programme = programme_of(Tenant(timezone=zone, currency="EUR", settings={}))

    assert programme.last_second_of(date(*day)) == datetime.fromisoformat(instant + "+00:00")


def test_a_lot_is_expired_from_its_instant_on_whether_or_not_a_job_ran(acme, ada):
    update_tenant(acme, settings={"points_expire": "after_x_days", "points_days": 1})
    with clock.frozen(NOON):
        entry = add_points(ada, points=8_00)
    expires = Lot.objects.get(entry=entry).expires_at

    with clock.frozen(expires - timedelta(seconds=1)):
        spend_points(ada, points=3_00)
    with clock.frozen(expires), pytest.raises(ValidationError):
        spend_points(ada, points=1_00)
    with clock.frozen(expires):
        add_points(ada, points=2_00)

    lot = Lot.objects.get(entry=entry)
    assert (lot.remaining, lot.expired) == (0, 5_00)
    assert balances(ada) == (2_00, 0)
    assert Entry.objects.get(kind="expire").at == expires
    assert adds_up(account_of(ada))


def test_held_back_points_cannot_be_spent_before_their_lock_ends(acme, ada):
    update_tenant(acme, settings={"points_lock_days": 10})
    with clock.frozen(NOON):
        add_points(ada, points=6_00)
        assert balances(ada) == (0, 6_00)
        with pytest.raises(ValidationError):
            spend_points(ada, points=1_00)
    with clock.frozen(NOON + timedelta(days=10)):
        spend_points(ada, points=1_00)

    assert balances(ada) == (5_00, 0)
    assert adds_up(account_of(ada))


@pytest.mark.parametrize(
    ("order", "left"),
    [("soonest_expiry", {"old": 5_00, "new": 0}), ("oldest", {"old": 0, "new": 5_00})],
)
def test_c4_spending_takes_the_lots_in_the_order_of_the_programme(acme, ada, order, left):
    update_tenant(acme, settings={"spend_order": order})
    with clock.frozen(NOON):
        old = add_points(ada, points=5_00)
        update_tenant(acme, settings={"points_expire": "end_of_month"})
    with clock.frozen(NOON + timedelta(days=1)):
        new = add_points(ada, points=5_00)
        spend_points(ada, points=5_00)

    lots = {"old": Lot.objects.get(entry=old), "new": Lot.objects.get(entry=new)}
    assert {name: lot.remaining for name, lot in lots.items()} == left


def test_c4_cancelling_takes_what_is_left_and_what_was_spent_stays_spent(ada):
    entry = add_points(ada, points=100_00)
    spend_points(ada, points=30_00)

    cancel_entry(entry)

    lot = Lot.objects.get(entry=entry)
    assert (lot.remaining, lot.cancelled) == (0, 70_00)
    assert balances(ada) == (0, 0)
    with pytest.raises(ValidationError) as refusal:
        cancel_entry(entry)
    assert refusal.value.code == "cancelled"
    assert adds_up(account_of(ada))


def test_c4_spending_cannot_be_cancelled(ada):
    add_points(ada, points=10_00)
    spent = spend_points(ada, points=1_00)

    with pytest.raises(ValidationError) as refusal:
        cancel_entry(spent)

    assert refusal.value.code == "not_cancellable"


def test_c4_sent_points_keep_their_expiry_and_never_count_as_earned(acme, ada, grace):
    update_tenant(acme, settings={"points_expire": "end_of_month"})
    with clock.frozen(NOON):
        first = add_points(ada, points=4_00)
        update_tenant(acme, settings={"points_expire": "never"})
        add_points(ada, points=4_00)
        sent, received = transfer_points(ada, grace, points=5_00)

    lots = Lot.objects.filter(account=account_of(grace)).order_by("expires_at")
    assert {lot.expires_at for lot in lots} == {Lot.objects.get(entry=first).expires_at, None}
    assert all(lot.received for lot in lots)
    assert sent.points == -5_00
    assert sorted(entry.points for entry in received) == [1_00, 4_00]
    assert balances(ada) == (3_00, 0)
    assert balances(grace) == (5_00, 0)
    assert adds_up(account_of(ada))
    assert adds_up(account_of(grace))


def test_nobody_sends_points_to_themselves(ada):
    with pytest.raises(ValidationError) as refusal:
        transfer_points(ada, ada, points=1_00)

    assert list(refusal.value.error_dict) == ["receiver"]


def test_a_blocked_customer_neither_earns_nor_spends(ada):
    add_points(ada, points=5_00)
    type(ada).objects.filter(pk=ada.pk).update(status="blocked")

    with pytest.raises(ValidationError) as earning:
        add_points(ada, points=1_00)
    with pytest.raises(ValidationError) as spending:
        spend_points(ada, points=1_00)

    assert earning.value.error_dict["customer"][0].code == "not_earning"
    assert spending.value.error_dict["customer"][0].code == "not_spending"


def test_an_adjustment_needs_a_reason(ada):
    with pytest.raises(ValidationError) as refusal:
        adjust_points(ada, points=1_00, reason=" ")

    assert list(refusal.value.error_dict) == ["reason"]


def test_the_ceiling_counts_all_that_one_seller_adjusts_in_a_day(ada):
    seller = Actor("staff", uuid.uuid4(), "Sam")
    with acting(seller), clock.frozen(NOON):
        adjust_points(ada, points=6_00, reason="late delivery", ceiling=10_00)
        adjust_points(ada, points=-3_00, reason="typed wrong", ceiling=10_00)
        with pytest.raises(ValidationError) as refusal:
            adjust_points(ada, points=2_00, reason="again", ceiling=10_00)
    assert refusal.value.error_dict["points"][0].code == "ceiling"

    with acting(seller), clock.frozen(NOON + timedelta(days=1, seconds=1)):
        adjust_points(ada, points=2_00, reason="next day", ceiling=10_00)
    with acting(Actor("staff", uuid.uuid4(), "Olga")), clock.frozen(NOON):
        adjust_points(ada, points=9_00, reason="somebody else", ceiling=10_00)


@pytest.mark.parametrize(
    "statement", ["UPDATE loyalty_entry SET points = 1", "DELETE FROM loyalty_entry"]
)
def test_the_database_refuses_to_change_the_ledger(ada, statement):
    add_points(ada, points=5_00)

    with pytest.raises(Error, match="never changed"), transaction.atomic():
        connection.cursor().execute(statement)

    assert balances(ada) == (5_00, 0)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL has no OR REPLACE")
@pytest.mark.parametrize("fresh_id", [False, True])
def test_the_database_refuses_to_replace_an_entry(ada, fresh_id):
    entry = add_points(ada, points=5_00)
    columns = [field.column for field in Entry._meta.concrete_fields]
    changed = {"points": "1", "id": f"'{uuid.uuid4().hex}'" if fresh_id else "id"}
    values = ", ".join(changed.get(column, column) for column in columns)
    replace = f"INSERT OR REPLACE INTO loyalty_entry ({', '.join(columns)}) SELECT {values} "

    with pytest.raises(Error, match="never changed"), transaction.atomic():
        connection.cursor().execute(replace + "FROM loyalty_entry")

    assert Entry.objects.get().pk == entry.pk
    assert Entry.objects.get().points == 5_00


def test_a_failed_deed_leaves_nothing(ada):
    add_points(ada, points=5_00)
    before = (Entry.objects.count(), Lot.objects.count(), LotUse.objects.count())

    with transaction.atomic():
        spend_points(ada, points=5_00)
        transaction.set_rollback(True)

    assert (Entry.objects.count(), Lot.objects.count(), LotUse.objects.count()) == before
    assert balances(ada) == (5_00, 0)


def test_an_account_belongs_to_its_tenant(ada, rival):
    add_points(ada, points=5_00)
    with in_tenant(rival):
        assert not LoyaltyAccount.objects.exists()
        assert not Entry.objects.exists()
