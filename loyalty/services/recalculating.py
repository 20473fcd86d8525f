"""Looking at levels again: those whose time has come, or everybody's by the present rules.

By points and `after_x_days`, a customer's level is looked at again that many days after the last
time (else after the opening of the account); then it may go down. A run that was cut off goes on
when it is called again.
"""

from collections import Counter
from datetime import timedelta

from django.db.models import Q, Sum

from loyalty.models import Lot, LoyaltyAccount
from loyalty.programme import ACTIVE_POINTS, AFTER_X_DAYS, programme_of
from loyalty.reaching import groups_of, in_group, may_go_down, standing
from loyalty.services.choosing import levels_of
from loyalty.services.expiring import (
    Tally,
    counts_of,
    foretell_lots,
    foretell_moves,
    is_settleable,
    move_chunk,
    work_off,
)
from loyalty.services.moving_many import locked_accounts
from loyalty.services.settling import expire_all, settle_many, tell_points
from tenancy import clock
from tenancy.scoping import current_tenant


def recalculate_levels(*, everybody=False, dry_run=False, on_chunk=None):
    """Look again at the levels whose time has come; returns the report.

    Such an account goes up or down to what it has collected, though not below its assigned level;
    where the programme says so (`reset_points_on_downgrade`, levels by active points), everything
    that is left on it expires then. `everybody` looks at all others too, as the next purchase or
    the next points would: after thresholds, percents or settings were changed. `dry_run` and
    `on_chunk` as for `expire_points`; the report is the same, in which "accounts" are those that
    were looked at (of `everybody` only those that had to move).
    """
    now = clock.now()
    programme = programme_of(current_tenant())
    if dry_run:
        return _foretold(programme, now, everybody)
    tally = Tally()
    if _is_timed(programme):
        _look_again(programme, now, tally, on_chunk)
    if everybody:
        _move_everybody(programme, now, tally, on_chunk)
    return tally.report()


def _is_timed(programme):
    return programme.by_points and programme.downgrade_mode == AFTER_X_DAYS


def _resets(programme):
    return programme.reset_points_on_downgrade and programme.downgrade_base == ACTIVE_POINTS


def _open():
    return standing().filter(frozen_at__isnull=True)


def _due(programme, now):
    """The condition on accounts that their time has come."""
    limit = now - timedelta(days=programme.downgrade_days)
    return Q(recalculated_at__lte=limit) | Q(recalculated_at__isnull=True, created_at__lte=limit)


# --- Those whose time has come -----------------------------------------------------------------
def _look_again(programme, now, tally, on_chunk):
    due = _open().filter(_due(programme, now))
    work_off(due, lambda ids: _look_at_chunk(ids, programme, now), tally, on_chunk)


def _look_at_chunk(ids, programme, now):
    # Locked before it is asked again whose time has come: somebody may have been faster.
    locked, levels = locked_accounts(ids)
    due = set(_open().filter(_due(programme, now), pk__in=ids).values_list("pk", flat=True))
    accounts = [account for account in locked if account.pk in due]
    counts, deltas = _settled(accounts, now)
    counts["accounts"] = len(accounts)
    counts.update(move_chunk(accounts, programme, levels, now, down=True))
    LoyaltyAccount.objects.filter(pk__in=[a.pk for a in accounts]).update(recalculated_at=now)
    if _resets(programme):
        left = [account for account in accounts if account.points or account.locked_points]
        news = expire_all(left, now)
        counts.update(counts_of([], news))
        deltas.update({key: one.points for key, one in news.items()})
    tell_points(accounts, deltas)
    return counts


def _settled(accounts, now):
    """Bring locked accounts up to date; (Counter, Counter of the points by account)."""
    news = settle_many([account for account in accounts if is_settleable(account, now)], now)
    return counts_of([], news), Counter({key: one.points for key, one in news.items()})


# --- Everybody ---------------------------------------------------------------------------------
def _move_everybody(programme, now, tally, on_chunk):
    levels = levels_of(programme.tenant)
    for group in groups_of(_open(), programme, levels, now):
        if group.moves:
            accounts = in_group(_open(), programme, levels, now, group)
            work_off(accounts, lambda ids: _move_chunk(ids, programme, now), tally, on_chunk)


def _move_chunk(ids, programme, now):
    locked, levels = locked_accounts(ids)
    accounts = [account for account in locked if account.frozen_at is None]
    counts, deltas = _settled(accounts, now)
    counts["accounts"] = len(accounts)
    counts.update(move_chunk(accounts, programme, levels, now, down=may_go_down(programme)))
    tell_points(accounts, deltas)
    return counts


# --- Without writing ---------------------------------------------------------------------------
def _foretold(programme, now, everybody):
    tally = Tally()
    levels = levels_of(programme.tenant)
    others = _open()
    if _is_timed(programme):
        due = _open().filter(_due(programme, now))
        others = _open().exclude(pk__in=due.order_by().values("pk"))
        tally["accounts"] = due.count()
        tally.update(foretell_lots(due, now))
        tally.update(foretell_moves(groups_of(due, programme, levels, now, down=True)))
        if _resets(programme):
            tally.update(_foretell_reset(due, now))
    if everybody:
        groups = [group for group in groups_of(others, programme, levels, now) if group.moves]
        tally["accounts"] += sum(group.n_accounts for group in groups)
        tally.update(foretell_moves(groups))
        for group in groups:
            tally.update(foretell_lots(in_group(others, programme, levels, now, group), now))
    return tally.report(dry_run=True)


def _foretell_reset(accounts, now):
    left = Lot.objects.filter(account__in=accounts.order_by().values("pk"), remaining__gt=0)
    left = left.exclude(expires_at__lte=now)
    found = left.aggregate(expired_points=Sum("remaining", default=0))
    return Counter(expired_lots=left.count(), **found)
