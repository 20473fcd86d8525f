"""What the lots of accounts add up to at an instant, in one query for many accounts.

A lot is expired from its instant on and a lock is over from its end on, whether or not a job has
written that down.
"""

from collections import defaultdict
from datetime import timedelta
from zoneinfo import ZoneInfo

from django.db.models import Count, F, Q, Sum
from django.db.models.functions import Coalesce

from loyalty.models import Entry, Lot
from loyalty.programme import EARNED_BASES

POINTS = (
    *("points", "received_points", "earned_points", "used_points", "expired_points"),
    "locked_points",
)
# What staff and customers are told of points that will be gone.
EXPIRING_SOON = timedelta(days=30)
NOTHING = dict.fromkeys((*POINTS, "earned_since", "counting_since"), 0)


def sums_of(account_ids, now):
    """{account id: totals}, in hundredths; an account without a lot is left out (see NOTHING).

    `points` can be spent now, of which `received_points` came from other customers; `earned_points`
    ever, without received and cancelled ones; `used_points`, `expired_points`, `locked_points`;
    `earned_since` the last recalculation (else the opening of the account), and `counting_since`,
    that without points that are still locked.
    """
    expired = Q(expires_at__lte=now)
    alive = Q(expires_at__isnull=True) | Q(expires_at__gt=now)
    locked = Q(locked=True, locked_until__gt=now)
    free = Q(locked=False) | Q(locked_until__lte=now)
    own = Q(received=False, cancelled_at__isnull=True)
    since = Q(earned_at__gt=Coalesce("account__recalculated_at", "account__created_at"))
    rows = (
        Lot.objects.filter(account__in=account_ids)
        .order_by()
        .values("account_id")
        .annotate(
            points=Sum("remaining", filter=alive & free),
            received_points=Sum(
                "remaining", filter=alive & free & Q(entry__kind=Entry.Kind.TRANSFER_IN)
            ),
            earned_points=Sum("value", filter=own),
            used_points=Sum(F("value") - F("remaining") - F("expired") - F("cancelled")),
            expired_points=Sum("expired"),
            not_told_yet=Sum("remaining", filter=expired),
            locked_points=Sum("remaining", filter=alive & locked),
            earned_since=Sum("value", filter=own & since),
            counting_since=Sum("value", filter=own & since & free),
        )
    )
    found = {}
    for row in rows:
        totals = {name: row[name] or 0 for name in NOTHING}
        totals["expired_points"] += row["not_told_yet"] or 0
        found[row["account_id"]] = totals
    return found


def expiring_of(account_ids, timezone, now):
    """{account id: {local date: points}} of what can be spent now and expires some day."""
    zone = ZoneInfo(timezone)
    rows = (
        Lot.objects.spendable(now)
        .filter(account__in=account_ids, expires_at__isnull=False)
        .order_by()
        .values("account_id", "expires_at")
        .annotate(points=Sum("remaining"))
    )
    found = defaultdict(lambda: defaultdict(int))
    for row in rows:
        day = row["expires_at"].astimezone(zone).date()
        found[row["account_id"]][day] += row["points"]
    return found


def expiring_by(instant, until):
    """(points, accounts) of the active tenant that expire after `instant`, by `until`: one walk
    over the index of lots that expire."""
    per_account = (
        Lot.objects.expiring(instant, until)
        .order_by()
        .values("account")
        .annotate(left=Sum("remaining"))
    )
    total = per_account.aggregate(points=Sum("left"), n=Count("account"))
    return total["points"] or 0, total["n"]


def counted_of(account, totals, programme):
    """What the programme counts for the level of an account with these totals, in hundredths (of
    the currency's unit, or of a point)."""
    if programme.by_transactions:
        amount = (
            account.amount_without_delivery
            if programme.exclude_delivery
            else account.transactions_amount
        )
        # A return may leave more excluded than bought: that is nothing, not less than nothing.
        return programme.hundredths(max(0, amount - account.excluded_amount))
    if programme.downgrade_base in EARNED_BASES:
        return totals["counting_since"]
    return totals["points"]
