"""Moving many customers between levels in a few statements; the same traces as moving one."""

from collections import defaultdict

from customers.models import Customer
from customers.services.changes import begin_change, events_left_out, write_many
from events.models import Event
from events.services import build_event
from loyalty.models import LoyaltyAccount
from loyalty.programme import EARNED_SINCE_MOVE
from loyalty.services.choosing import is_better, levels_of
from loyalty.services.moving import level_after
from tenancy import clock
from tenancy.scoping import current_tenant


def locked_accounts(account_ids):
    """Lock these accounts, their customers first (each by id); returns (accounts, levels), all
    levels of the tenant, of which the accounts hold theirs. Must run in a transaction."""
    customer_ids = LoyaltyAccount.objects.filter(
        pk__in=account_ids, customer__isnull=False
    ).values_list("customer_id", flat=True)
    customers = Customer.objects.filter(pk__in=list(customer_ids))
    # Only to hold them.
    list(
        customers.select_for_update(of=("self",), no_key=True)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    accounts = list(
        LoyaltyAccount.objects.filter(pk__in=account_ids)
        .select_for_update(of=("self",), no_key=True)
        .order_by("pk")
    )
    tenant = current_tenant()
    levels = levels_of(tenant)
    by_id = {level.pk: level for level in levels}
    for account in accounts:
        account.tenant = tenant
        account.level = by_id.get(account.level_id)
        account.manual_level = by_id.get(account.manual_level_id)
    return accounts, levels


def move_many(programme, moves, *, reason=""):
    """Put locked accounts on their new levels and tell it; returns how many changed.

    `moves` holds (account, level, assigned level), the account as `locked_accounts` gives it, or
    with its locked customer in hand.
    """
    moves = [
        (account, level, manual)
        for account, level, manual in moves
        if (level, manual) != (account.level, account.manual_level)
    ]
    instant = clock.now()
    told, events, rows = [], [], defaultdict(list)
    customers = _customers_of([account for account, _level, _manual in moves])
    for account, level, manual in moves:
        before, marked = account.level, account.manual_level
        rows[level, manual, level != before].append(account.pk)
        account.level, account.manual_level = level, manual
        if level != before:
            account.level_since = instant
            if programme.downgrade_base == EARNED_SINCE_MOVE:
                account.recalculated_at = instant
        customer = customers.get(account.customer_id)
        if customer is None:
            continue
        change = begin_change(customer, deed="customer.updated", reason=reason)
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


def _customers_of(accounts):
    """The customers by id: those in hand, and the others in one query."""
    in_hand, others = {}, []
    for account in accounts:
        if LoyaltyAccount.customer.is_cached(account):
            in_hand[account.customer_id] = account.customer
        elif account.customer_id:
            others.append(account.customer_id)
    if not others:
        return in_hand
    return in_hand | Customer.objects.select_related("tenant").in_bulk(others)


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
