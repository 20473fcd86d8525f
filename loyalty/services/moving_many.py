"""Moving many customers between levels in a few statements; the same traces as moving one."""

from collections import defaultdict

from customers.models import Customer
from customers.services.changes import begin_change, events_left_out, write_many
from events.models import Event
from events.services import build_event
from loyalty.models import LoyaltyAccount
from loyalty.programme import EARNED_SINCE_MOVE
from loyalty.services.choosing import is_better
from loyalty.services.moving import level_after
from tenancy import clock


def locked_accounts(account_ids):
    """Lock these accounts, their customers first (each by id), and return them with `customer`
    (None where there is none), `level` and `manual_level` in hand. Must run in a transaction."""
    customer_ids = LoyaltyAccount.objects.filter(
        pk__in=account_ids, customer__isnull=False
    ).values_list("customer_id", flat=True)
    customers = {
        row.pk: row
        for row in Customer.objects.filter(pk__in=list(customer_ids))
        .select_for_update(of=("self",), no_key=True)
        .select_related("tenant")
        .order_by("pk")
    }
    accounts = list(
        LoyaltyAccount.objects.filter(pk__in=account_ids)
        .select_related("level", "manual_level", "tenant")
        .select_for_update(of=("self",), no_key=True)
        .order_by("pk")
    )
    for account in accounts:
        account.customer = customers.get(account.customer_id)
    return accounts


def move_many(programme, moves, *, reason=""):
    """Put locked accounts on their new levels and tell it; returns how many changed.

    `moves` holds (account, level, assigned level), the account as `locked_accounts` gives it.
    """
    instant = clock.now()
    told, events, rows = [], [], defaultdict(list)
    for account, level, manual in moves:
        before, marked = account.level, account.manual_level
        if level == before and manual == marked:
            continue
        rows[level, manual, level != before].append(account.pk)
        account.level, account.manual_level = level, manual
        if level != before:
            account.level_since = instant
            if programme.downgrade_base == EARNED_SINCE_MOVE:
                account.recalculated_at = instant
        if account.customer is None:
            continue
        change = begin_change(account.customer, deed="customer.updated", reason=reason)
        if level != before:
            change.record("level", before and before.name, level and level.name)
            events.append(_level_event(account, before, level))
        if manual != marked:
            change.record("assigned_level", marked and marked.name, manual and manual.name)
        told.append(change)
    for (level, manual, is_move), account_ids in rows.items():
        values = {"level": level, "manual_level": manual}
        if is_move:
            values["level_since"] = instant
            if programme.downgrade_base == EARNED_SINCE_MOVE:
                values["recalculated_at"] = instant
        LoyaltyAccount.objects.filter(pk__in=account_ids).update(**values)
    write_many(told)
    if not events_left_out():
        Event.objects.bulk_create(events)
    return sum(map(len, rows.values()))


def move_open_accounts(changes):
    """`move_after` for many open accounts of one tenant, in a few statements. None of their
    customers may be open for a change of its own."""
    looked_at = [change for change in changes if change.look_at_level]
    if not looked_at:
        return
    levels = {level.pk: level for level in looked_at[0].levels}
    moves = []
    for change in looked_at:
        account = change.account
        change.use_levels(levels)
        account.customer = change.customer
        level, moved = level_after(change)
        if moved:
            moves.append((account, level, None))
        change.look_at_level = False
    move_many(looked_at[0].programme, moves)


def _level_event(account, before, level):
    return build_event(
        account.tenant,
        "level.changed",
        "customer",
        account.customer_id,
        data={
            "level": level and str(level.pk),
            "before": before and str(before.pk),
            "up": is_better(level, before),
            "by_hand": False,
        },
    )
