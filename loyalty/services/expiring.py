"""The daily bringing up to date: points expire, locks end, levels follow.

Accounts are settled by the hundred, each hundred in a transaction of its own. A run that was cut
off goes on when it is called again: what is settled is not due any more.
"""

from collections import Counter

from django.db import IntegrityError, transaction
from django.db.models import Count, F, Q, Sum

from loyalty.amounts import number_out, plain
from loyalty.models import Lot, LoyaltyAccount
from loyalty.programme import programme_of
from loyalty.reaching import NOWHERE, groups_of, may_go_down, with_reached
from loyalty.services.choosing import is_better, levels_of
from loyalty.services.moving import target_level
from loyalty.services.moving_many import locked_accounts, move_many
from loyalty.services.settling import settle_many, tell_points
from tenancy import clock
from tenancy.scoping import current_tenant

CHUNK = 1_000
LOT_COUNTS = ("unlocked_lots", "unlocked_points", "expired_lots", "expired_points")


def expire_points(*, dry_run=False, on_chunk=None):
    """Settle every account of the active tenant on which something is due: expired lots, and locks
    that have ended. Returns the report.

    `dry_run` writes nothing and tells what would happen. `on_chunk(done, total)` is called after
    each transaction. The report is {"accounts", "unlocked_lots", "unlocked_points",
    "expired_lots", "expired_points" (of lots that were unlocked or locked), "levels_up",
    "levels_down", "failed" (ids of accounts whose numbers contradict each other), "dry_run"},
    points as text.
    """
    return _settle(lambda now: _open().due(now), dry_run, on_chunk)


def unlock_points(*, dry_run=False, on_chunk=None):
    """Settle the accounts on which a lock has ended; the same report. What has expired on them
    expires, so that their entries stand in the order of what happened."""

    def accounts(now):
        ended = Lot.objects.filter(locked=True, locked_until__lte=now, remaining__gt=0)
        return _open().filter(pk__in=ended.order_by().values("account"))

    return _settle(accounts, dry_run, on_chunk)


def _open():
    return LoyaltyAccount.objects.filter(frozen_at__isnull=True)


def _settle(accounts_at, dry_run, on_chunk):
    now = clock.now()
    programme = programme_of(current_tenant())
    accounts = accounts_at(now)
    if dry_run:
        return _foretold(accounts, programme, now)
    tally = Tally()
    work_off(accounts, lambda ids: settle_chunk(ids, programme, now), tally, on_chunk)
    return tally.report()


class Tally(Counter):
    """The numbers of a report; what a transaction counted is added when it was committed."""

    def __init__(self):
        super().__init__()
        self.failed = set()

    def report(self, *, dry_run=False):
        """The numbers by name, points as text; those that are not there are 0."""
        told = {name: self[name] for name in ("accounts", *LOT_COUNTS, "levels_up", "levels_down")}
        for name in ("unlocked_points", "expired_points"):
            told[name] = plain(number_out(self[name]))
        return told | {"failed": sorted(map(str, self.failed)), "dry_run": dry_run}


def work_off(accounts, work, tally, on_chunk=None):
    """Do `work(ids)` for these accounts, CHUNK in a transaction, in the order of their ids.

    `work` answers a Counter, or raises IntegrityError where an account's numbers contradict each
    other; that account is then found by halving and told in `tally.failed`.
    """
    accounts = accounts.order_by("pk")
    total, page = accounts.count(), accounts
    while ids := list(page.values_list("pk", flat=True)[:CHUNK]):
        _attempt(ids, work, tally)
        page = accounts.filter(pk__gt=ids[-1])
        if on_chunk:
            on_chunk(tally["accounts"], max(total, tally["accounts"]))


def _attempt(ids, work, tally):
    try:
        with transaction.atomic():
            counts = work(ids)
    except IntegrityError:
        if len(ids) == 1:
            tally.failed.update(ids)
            return
        middle = len(ids) // 2
        _attempt(ids[:middle], work, tally)
        _attempt(ids[middle:], work, tally)
    else:
        tally.update(counts)


# --- One chunk ---------------------------------------------------------------------------------
def settle_chunk(ids, programme, now):
    """Settle these accounts inside a transaction, and move the levels that follow; a Counter."""
    accounts, levels = locked_accounts(ids)
    accounts = [account for account in accounts if is_settleable(account, now)]
    news = settle_many(accounts, now)
    counts = counts_of(accounts, news)
    if programme.by_points:
        looked = [
            account
            for account in accounts
            if account.customer_id and account.pk in news and news[account.pk].moved_points
        ]
        counts.update(move_chunk(looked, programme, levels, now, down=may_go_down(programme)))
    tell_points(accounts, {key: one.points for key, one in news.items()})
    return counts


def is_settleable(account, now):
    """Whether a locked account is (still) due, and not frozen."""
    due = account.next_due_at
    return account.frozen_at is None and due is not None and due <= now


def counts_of(accounts, news):
    """What became of these accounts, by the names of the report."""
    counts = Counter(accounts=len(accounts))
    for one in news.values():
        counts.update({name: getattr(one, name) for name in LOT_COUNTS})
    return counts


def move_chunk(accounts, programme, levels, now, *, down):
    """Move locked, settled accounts by what they have reached; a Counter of ups and downs."""
    counts, moves = Counter(), []
    if not accounts:
        return counts
    found = with_reached(
        LoyaltyAccount.objects.filter(pk__in=[account.pk for account in accounts]),
        programme,
        levels,
        now,
    )
    reached = dict(found.values_list("pk", "reached"))
    for account in accounts:
        place = reached[account.pk]
        level, is_move = target_level(
            current=account.level,
            manual=account.manual_level,
            calculated=None if place == NOWHERE else levels[place],
            may_go_down=down,
        )
        if is_move:
            counts[direction(account.level, level)] += 1
            moves.append((account, level, None))
    move_many(programme, moves)
    return counts


def direction(before, level):
    """The name under which a report counts a move."""
    return "levels_up" if is_better(level, before) else "levels_down"


# --- Without writing ---------------------------------------------------------------------------
def _foretold(accounts, programme, now):
    tally = Tally()
    tally["accounts"] = accounts.count()
    tally.update(foretell_lots(accounts, now))
    if programme.by_points:
        moving = Lot.objects.filter(_unlocking(now) | Q(locked=False, expires_at__lte=now))
        whose = moving.filter(remaining__gt=0).order_by().values("account")
        looked = accounts.filter(customer__isnull=False, pk__in=whose)
        levels = levels_of(programme.tenant)
        tally.update(foretell_moves(groups_of(looked, programme, levels, now)))
    return tally.report(dry_run=True)


def foretell_lots(accounts, now):
    """What settling these accounts would unlock and let expire, as `counts_of` counts it."""
    lots = Lot.objects.filter(account__in=accounts.order_by().values("pk"), remaining__gt=0)
    found = lots.aggregate(
        unlocked_lots=Count("pk", filter=_unlocking(now)),
        unlocked_points=Sum("remaining", filter=_unlocking(now), default=0),
        expired_lots=Count("pk", filter=Q(expires_at__lte=now)),
        expired_points=Sum("remaining", filter=Q(expires_at__lte=now), default=0),
    )
    return Counter(found)


def foretell_moves(groups):
    """How many accounts of these groups would go up and down."""
    counts = Counter()
    for group in groups:
        if group.moves:
            counts[direction(group.level, group.target)] += group.n_accounts
    return counts


def _unlocking(now):
    in_time = Q(expires_at__isnull=True) | Q(expires_at__gte=F("locked_until"))
    return Q(in_time, locked=True, locked_until__lte=now)
