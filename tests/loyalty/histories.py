"""Random histories of two customers, and the whole world to compare before and after."""

from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from hypothesis import strategies as st

from customers.models import Customer
from events.models import Event, HistoryEntry
from loyalty.models import Entry, Lot, LoyaltyAccount
from loyalty.services import (
    add_points,
    adjust_points,
    assign_level,
    cancel_entry,
    spend_points,
    transfer_points,
)
from tenancy import clock

BEGIN = datetime(2026, 1, 5, 9, tzinfo=UTC)
PROGRAMMES = st.fixed_dictionaries(
    {
        "tier_by": st.sampled_from(["transactions", "points"]),
        "downgrade_mode": st.sampled_from(["none", "automatic", "after_x_days"]),
        "downgrade_base": st.sampled_from(
            ["none", "active_points", "earned_points", "earned_points_since_last_level_change"]
        ),
        "downgrade_days": st.sampled_from([3, 30]),
        "reset_points_on_downgrade": st.booleans(),
        "points_expire": st.sampled_from(["never", "after_x_days", "end_of_month"]),
        "points_days": st.sampled_from([1, 5, 20]),
        "points_lock_days": st.sampled_from([0, 2, 7]),
        "spend_order": st.sampled_from(["soonest_expiry", "oldest"]),
    }
)
POINTS = st.integers(1, 300_00)
ALONE = st.one_of(
    st.tuples(st.just("earn"), POINTS),
    st.tuples(st.just("spend"), POINTS),
    st.tuples(st.just("adjust"), POINTS),
)
WITH_OTHERS = st.one_of(
    ALONE,
    st.tuples(st.just("send"), POINTS),
    st.tuples(st.just("cancel"), st.integers(0, 9)),
    st.tuples(st.just("assign"), st.integers(0, 3)),
)


def histories(deeds=WITH_OTHERS, max_size=12):
    """Lists of (days since the step before, which of two customers, deed)."""
    step = st.tuples(st.integers(0, 9), st.integers(0, 1), deeds)
    return st.lists(step, min_size=1, max_size=max_size)


def play(history, customers, levels=(), after=None):
    """Let a history happen; what is refused does not. `after()` is called at the instant of each
    step, when it is done. Returns the instant of its end."""
    now = BEGIN
    for days, who, (deed, value) in history:
        now += timedelta(days=days, hours=1)
        customer, other = customers[who], customers[1 - who]
        with clock.frozen(now), suppress(ValidationError):
            if deed == "earn":
                add_points(customer, points=value)
            elif deed == "spend":
                spend_points(customer, points=value)
            elif deed == "adjust":
                adjust_points(customer, points=-value if value % 2 else value, reason="so")
            elif deed == "send":
                transfer_points(customer, other, points=value)
            elif deed == "cancel":
                earned = list(Entry.objects.filter(account__customer=customer, kind="earn"))
                if earned:
                    cancel_entry(earned[value % len(earned)])
            elif levels:
                assign_level(customer, list(levels.values())[value])
        if after is not None:
            with clock.frozen(now):
                after()
    return now


def world():
    """Everything that the ledger, the accounts, the events and the customers' histories say, but
    for ids that are made anew."""
    accounts = LoyaltyAccount.objects.order_by("pk").values(
        *("pk", "points", "locked_points", "n_entries", "next_due_at", "level", "manual_level"),
        *("level_since", "recalculated_at", "merged_into"),
    )
    entries = Entry.objects.order_by("account", "seq").values(
        *("account", "seq", "kind", "points", "locked_points", "points_after", "locked_after"),
        *("at", "created_at", "source_kind", "source_id", "reverses", "actor_kind", "actor_id"),
    )
    lots = Lot.objects.order_by("pk").values(
        *("pk", "account", "home_account", "value", "remaining", "expired", "cancelled"),
        *("cancelled_at", "earned_at", "locked", "locked_until", "expires_at", "received"),
    )
    events = Event.objects.values_list("kind", "subject_id", "version", "at", "data")
    told = HistoryEntry.objects.values_list("deed", "subject_id", "version", "at", "changes")
    return {
        "accounts": list(accounts),
        "entries": list(entries),
        "lots": list(lots),
        "events": sorted(events, key=str),
        "told": sorted(told, key=str),
        "versions": list(Customer.objects.order_by("pk").values_list("version", "updated_at")),
    }


@contextmanager
def undone():
    """Whatever is done inside is undone."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
