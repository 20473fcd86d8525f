"""The accounts of two customers who became one, and of one who became two again.

Entries are never touched: points go over by an entry on either account. Lots, transactions and
redemptions move with them and remember where they came in (`home_account`), so that parting gives
back what still stands of them. What was spent since stays spent.
"""

from datetime import datetime

from django.utils.translation import gettext as _

from loyalty.amounts import points_told
from loyalty.models import Entry, Level, Lot, LoyaltyAccount, Redemption
from loyalty.services.accounts import changes_of, joined_accounts, write_accounts
from loyalty.services.choosing import is_better
from loyalty.services.moving import move, move_after
from loyalty.services.transactions import join_transactions, part_transactions, recount

# Earned once in a lifetime: two records of one person must not keep both.
ONCE_IN_A_LIFETIME = ("registration", "newsletter")
APP = "loyalty"


def preview_join(survivor, other):
    """What joining would give: {"sections": {"loyalty": {...}}, "blockers": [...]}."""
    accounts = {
        account.customer_id: account
        for account in LoyaltyAccount.objects.with_levels().filter(customer__in=[survivor, other])
    }
    here, there = accounts.get(survivor.pk), accounts.get(other.pk)
    blockers = [
        {
            "code": "account_frozen",
            "field": "loyalty",
            "message": _("A loyalty account must be checked before it can be joined."),
        }
        for account in (here, there)
        if account is not None and account.frozen_at is not None
    ]
    told = {}
    if here is not None and there is not None:
        level = there.level if is_better(there.level, here.level) else here.level
        told = {
            "points": [points_told(row.points) for row in (here, there)],
            "points_after": points_told(here.points + there.points),
            "purchases_after": here.transactions_count + there.transactions_count,
            "level": level.name if level else None,
        }
    return {"blockers": blockers[:1], "sections": {"loyalty": told}}


def join_accounts(merge, survivor, other):
    """Make the account of `other` part of the survivor's, inside the merge's transaction; both
    customers are locked. What undoing needs goes to `merge.journal`."""
    here, there = _pair(survivor, other)
    here.deed = "customer.merged"
    there.customer = None  # the record is hidden already; nothing is told of it
    _hand_over(there, here, ("merge", merge.pk), Lot.objects.filter(account=there.account))
    cancelled = _cancel_doubled(here, there, merge)
    join_transactions(here, there.account)
    recount(there)
    there.look_at_level = False
    Redemption.objects.filter(account=there.account).update(account=here.account)
    journal = {"cancelled": cancelled, "here": _standing(here.account)}
    journal["there"] = _standing(there.account)
    _take_better_level(here, there)
    there.account.level = there.account.manual_level = None
    there.account.merged_into = here.account
    here.look_at_level = True
    move_after(here)
    write_accounts([there, here])
    journal["after"] = _standing(here.account)
    merge.journal[APP] = journal


def part_accounts(merge, survivor, other):
    """Undo `join_accounts`: what came with `other` and still stands goes back to its account."""
    journal = merge.journal.get(APP)
    if journal is None:
        return
    here, there = _pair(survivor, other)
    here.deed = "customer.unmerged"
    homes = joined_accounts(there.account)
    came = Lot.objects.filter(account=here.account, home_account__in=homes)
    _hand_over(here, there, ("unmerge", merge.pk), came, homes=set(homes))
    _restore_doubled(there, journal["cancelled"], merge)
    there.account.merged_into = None
    part_transactions(here, there)
    Redemption.objects.filter(account=here.account, home_account__in=homes).update(
        account=there.account
    )
    _stand_again(there.account, journal["there"])
    if _standing(here.account) == journal["after"]:
        before = journal["here"]
        level, manual = _level(before["level"]), _level(before["manual_level"])
        move(here, level, manual=manual)
        _stand_again(here.account, before)
    here.look_at_level = there.look_at_level = True
    for change in (here, there):
        move_after(change)
    write_accounts([here, there])


def _pair(survivor, other):
    changes = changes_of({survivor.pk: survivor, other.pk: other})
    return changes[survivor.pk], changes[other.pk]


def _hand_over(giver, taker, source, lots, *, homes=None):
    """Move lots from one open account to another, those without points too, by an entry on each.

    `homes` limits the lots in hand to those that came in on these accounts.
    """
    taker_lots = taker.lots  # read before the rows move: what was just expired is still in them
    moving = [lot for lot in giver.lots if homes is None or lot.home_account_id in homes]
    free = sum(lot.remaining for lot in moving if not lot.locked)
    held = sum(lot.remaining for lot in moving if lot.locked)
    if free or held:
        giver.enter(Entry.Kind.MERGE_OUT, points=-free, locked=-held, source=source)
        taker.enter(Entry.Kind.MERGE_IN, points=free, locked=held, source=source)
    lots.update(account=taker.account)
    keys = {lot.pk for lot in moving}
    giver.lots[:] = [lot for lot in giver.lots if lot.pk not in keys]
    for lot in moving:
        giver.changed_lots.pop(lot.pk, None)
        taker_lots.append(lot)
        taker.change_lot(lot, account=taker.account)
    for lot in giver.changed_lots.values():
        if homes is None or lot.home_account_id in homes:
            lot.account = taker.account  # one that ended while the accounts were brought up to date


def _cancel_doubled(here, there, merge):
    """Take back a bonus that both had; answers the lots, as text ids."""
    cancelled = []
    for kind in ONCE_IN_A_LIFETIME:
        own, others = (
            Entry.objects.filter(
                kind=Entry.Kind.EARN, source_kind=kind, account__in=joined_accounts(account)
            )
            for account in (here.account, there.account)
        )
        if not own.exists():
            continue
        for lot in Lot.objects.filter(entry__in=others, cancelled_at__isnull=True):
            lot = next((known for known in here.lots if known.pk == lot.pk), lot)
            left = lot.remaining
            here.enter(
                Entry.Kind.CANCEL,
                points=0 if lot.locked else -left,
                locked=-left if lot.locked else 0,
                source=("merge", f"{merge.pk}:{lot.pk}"),
            )
            here.change_lot(
                lot, remaining=0, cancelled=lot.cancelled + left, cancelled_at=here.instant
            )
            cancelled.append([str(lot.pk), left])
    return cancelled


def _restore_doubled(there, cancelled, merge):
    """Give back what `_cancel_doubled` took; what would have expired meanwhile expires at once."""
    for key, left in cancelled:
        lot = Lot.objects.get(pk=key)
        there.enter(
            Entry.Kind.REFUND,
            points=0 if lot.locked else left,
            locked=left if lot.locked else 0,
            source=("unmerge", f"{merge.pk}:{lot.pk}"),
        )
        there.change_lot(
            lot, remaining=lot.remaining + left, cancelled=lot.cancelled - left, cancelled_at=None
        )
        there.lots.append(lot)
    there.settle()


def _take_better_level(here, there):
    """The better of both levels holds; an assigned one stays assigned."""
    level, manual = there.account.level, there.account.manual_level
    if is_better(level, here.account.level):
        move(here, level, manual=manual if manual == level else here.account.manual_level)
    elif manual is not None and manual == here.account.level:
        move(here, manual, manual=manual)


def _standing(account):
    return {
        "level": account.level_id and str(account.level_id),
        "manual_level": account.manual_level_id and str(account.manual_level_id),
        "since": account.level_since and account.level_since.isoformat(),
        "recalculated": account.recalculated_at and account.recalculated_at.isoformat(),
    }


def _stand_again(account, standing):
    """Put an account on the level on which it stood; a level that was deleted since is none."""
    account.level = _level(standing["level"])
    account.manual_level = _level(standing["manual_level"])
    account.level_since = standing["since"] and datetime.fromisoformat(standing["since"])
    recalculated = standing["recalculated"]
    account.recalculated_at = recalculated and datetime.fromisoformat(recalculated)


def _level(key):
    return Level.objects.filter(pk=key).first() if key else None
