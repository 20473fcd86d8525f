"""Moving customers between levels: the one table of moves, inside an open account."""

from django.db.models import Q, Sum

from customers.services import open_change
from customers.services.changes import events_left_out
from events.services import build_event
from loyalty.messages import queue_level_message
from loyalty.models import Lot
from loyalty.programme import AUTOMATIC, EARNED_BASES, EARNED_SINCE_MOVE
from loyalty.services.choosing import is_better, reached_level


def counted_amount(change):
    """What the programme counts for levels, in hundredths (of the currency's unit, or of a point).

    Points that are held back count for nothing; their end lets them count.
    """
    account, programme = change.account, change.programme
    if programme.by_transactions:
        amount = (
            account.amount_without_delivery
            if programme.exclude_delivery
            else account.transactions_amount
        )
        # A return may leave more excluded than bought: that is nothing, not less than nothing.
        return programme.hundredths(max(0, amount - account.excluded_amount))
    if programme.downgrade_base in EARNED_BASES:
        return _earned_since(change, account.recalculated_at or account.created_at)
    return account.points


def _earned_since(change, instant):
    """Points earned after `instant`, received and cancelled ones left out; stored lots and those
    of this change."""
    in_hand = {lot.pk: lot for lot in [*change.lots, *change.changed_lots.values()]}
    stored = (
        Lot.objects.filter(
            Q(locked=False) | Q(locked_until__lte=change.instant),
            account=change.account,
            earned_at__gt=instant,
            received=False,
            cancelled_at__isnull=True,
        )
        .exclude(pk__in=list(in_hand))
        .aggregate(total=Sum("value"))["total"]
    )
    return (stored or 0) + sum(
        lot.value
        for lot in in_hand.values()
        if lot.earned_at > instant
        and not lot.received
        and lot.cancelled_at is None
        and not (lot.locked and lot.locked_until > change.instant)
    )


def target_level(*, current, manual, calculated, may_go_down=True):
    """Where the table of moves leads: (level, moves).

    Better means the greater reward. A step up is always taken. Otherwise an assigned level holds
    while the customer stands on it, and is the lowest to go down to while it is better than what
    was collected.
    """
    if is_better(calculated, current):
        return calculated, True
    if not may_go_down:
        return current, False
    if manual is not None and manual == current:
        return current, False
    floor = manual if manual is not None and is_better(manual, calculated) else calculated
    return floor, floor != current


def move_after(change):
    """Move the account to the level that follows from the open change, if anything that counts
    for levels has changed."""
    if not change.look_at_level:
        return
    level, moves = level_after(change)
    if moves:
        move(change, level)


def level_after(change):
    """The level that follows from the open change: (level, whether it is another one)."""
    programme, account = change.programme, change.account
    return target_level(
        current=account.level,
        manual=account.manual_level,
        calculated=reached_level(change.levels, counted_amount(change)),
        may_go_down=programme.by_transactions or programme.downgrade_mode == AUTOMATIC,
    )


def move(change, level, *, manual=None):
    """Put the account on `level` (None: on none) with the assigned level `manual`, and tell."""
    account, before = change.account, change.account.level
    marked = account.manual_level
    account.manual_level = manual
    if level == before:
        if marked != manual:
            _tell(change, before, level, marked, manual)
        return
    account.level = level
    account.level_since = change.instant
    if change.programme.downgrade_base == EARNED_SINCE_MOVE:
        account.recalculated_at = change.instant
    _tell(change, before, level, marked, manual)


def _tell(change, before, level, marked, manual):
    """History and version of the customer, and the event."""
    if change.customer is None:
        return
    with open_change(
        change.customer, deed=change.deed, reason=change.reason, allow_anonymised=True
    ) as told:
        if before != level:
            told.record("level", before and before.name, level and level.name)
        if marked != manual:
            told.record("assigned_level", marked and marked.name, manual and manual.name)
    if before == level or events_left_out():
        return
    build_event(
        change.account.tenant,
        "level.changed",
        "customer",
        change.customer.pk,
        data={
            "level": level and str(level.pk),
            "before": before and str(before.pk),
            "up": is_better(level, before),
            "by_hand": manual is not None,
        },
    ).save(force_insert=True)
    if level is not None and change.deed == "customer.updated":  # not for a merge or its undoing
        queue_level_message(change.customer, level)
