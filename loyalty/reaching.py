"""Which level accounts reach, reckoned by the database: for jobs and simulations over everybody.

The same answers as `loyalty.sums.counted_of` and `choosing.reached_level`, for any number of
accounts in one query.
"""

from collections import Counter
from dataclasses import dataclass

from django.db.models import (
    BigIntegerField,
    Case,
    Count,
    F,
    OuterRef,
    Q,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Greatest

from loyalty.models import Level, Lot, LoyaltyAccount
from loyalty.programme import AUTOMATIC, EARNED_BASES
from loyalty.services.choosing import reached_level
from loyalty.services.moving import target_level

NOWHERE = -1


@dataclass(frozen=True, slots=True)
class Group:
    """Accounts that stand alike: on `level`, assigned to `manual`, having reached `reached`; and
    where the table of moves leads them."""

    level: Level | None
    manual: Level | None
    reached: Level | None
    target: Level | None
    moves: bool
    n_accounts: int


def with_reached(accounts, programme, levels, now):
    """Accounts with `reached`: the place in `levels` of the level that what counts at `now` has
    come to, NOWHERE for none."""
    ranked = _ranked(levels)
    bounds = [
        When(counted__gte=_bound(programme, level.threshold), then=Value(levels.index(level)))
        for level in ranked
    ]
    return accounts.annotate(counted=_counted(programme, now)).annotate(
        reached=Case(*bounds, default=Value(NOWHERE), output_field=BigIntegerField())
    )


def _ranked(levels):
    """The active levels, of each threshold the one that is reached there, the highest first."""
    thresholds = {level.threshold for level in levels if level.active}
    return [reached_level(levels, threshold) for threshold in sorted(thresholds, reverse=True)]


def _bound(programme, threshold):
    """A threshold in the unit of `counted`: minor units of money rounded up, or as it is."""
    if not programme.by_transactions:
        return threshold
    minor, hundredths = programme.unit
    return -(-threshold * minor // hundredths)


def _counted(programme, now):
    if programme.by_transactions:
        amount = "amount_without_delivery" if programme.exclude_delivery else "transactions_amount"
        # A return may leave more excluded than bought: that is nothing, not less than nothing.
        return Greatest(F(amount) - F("excluded_amount"), Value(0), output_field=BigIntegerField())
    if programme.downgrade_base in EARNED_BASES:
        return _sum_of_lots(
            "value",
            Q(locked=False) | Q(locked_until__lte=now),
            earned_at__gt=Coalesce(OuterRef("recalculated_at"), OuterRef("created_at")),
            received=False,
            cancelled_at__isnull=True,
        )
    # Before `next_due_at` the row is exact.
    exact = _sum_of_lots(
        "remaining",
        Q(locked=False) | Q(locked_until__lte=now),
        Q(expires_at__isnull=True) | Q(expires_at__gt=now),
        remaining__gt=0,
    )
    return Case(
        When(next_due_at__lte=now, then=exact),
        default=F("points"),
        output_field=BigIntegerField(),
    )


def _sum_of_lots(column, *conditions, **named):
    sums = (
        Lot.objects.filter(*conditions, account=OuterRef("pk"), **named)
        .order_by()
        .values("account")
        .annotate(total=Sum(column))
        .values("total")
    )
    return Coalesce(Subquery(sums, output_field=BigIntegerField()), Value(0))


def may_go_down(programme):
    """Whether a change of points or purchases may lead down."""
    return programme.by_transactions or programme.downgrade_mode == AUTOMATIC


def groups_of(accounts, programme, levels, now, *, down=None):
    """The Groups of these accounts, in one query. `levels` are all levels of the tenant; `down`
    overrules whether the programme lets them go down."""
    down = may_go_down(programme) if down is None else down
    by_id = {level.pk: level for level in levels}
    rows = (
        with_reached(accounts, programme, levels, now)
        .order_by()
        .values("level_id", "manual_level_id", "reached")
        .annotate(n_accounts=Count("pk"))
    )
    groups = []
    for row in rows:
        level, manual = by_id.get(row["level_id"]), by_id.get(row["manual_level_id"])
        reached = levels[row["reached"]] if row["reached"] != NOWHERE else None
        target, moves = target_level(
            current=level, manual=manual, calculated=reached, may_go_down=down
        )
        groups.append(Group(level, manual, reached, target, moves, row["n_accounts"]))
    return groups


def in_group(accounts, programme, levels, now, group):
    """Those of the accounts that are in a Group."""
    return with_reached(accounts, programme, levels, now).filter(
        level=group.level,
        manual_level=group.manual,
        reached=levels.index(group.reached) if group.reached else NOWHERE,
    )


def standing():
    """The accounts whose level means something: of customers, not joined to another."""
    return LoyaltyAccount.objects.filter(customer__isnull=False, merged_into__isnull=True)


def distribution(groups, *, after=False):
    """{level or None: number of accounts}, as they stand or after the moves."""
    counts = Counter()
    for group in groups:
        counts[group.target if after and group.moves else group.level] += group.n_accounts
    return counts
