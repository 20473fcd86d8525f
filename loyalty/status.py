"""Where customers stand in the programme: every number of the status, and the sentence.

Everything is computed as of one instant, from the lots: points that have expired by then are
expired and a lock that has ended is over, whether or not a job has run. Constant number of queries,
for one customer as for a page of them.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from loyalty.explaining import explain
from loyalty.models import Level, LoyaltyAccount
from loyalty.programme import AFTER_X_DAYS, HUNDRED, Programme, programme_of
from loyalty.services.choosing import levels_of, next_level, reached_level
from loyalty.services.moving import target_level
from loyalty.sums import NOTHING, POINTS, counted_of, expiring_of, sums_of
from tenancy import clock

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Status:
    """Where one customer stands at the instant `at`.

    Points, thresholds, percents and what is missing for a level are in hundredths (of a point, of
    the currency's unit, of a percent), amounts in minor units. None: does not apply to the
    programme, or there is no such level.
    """

    customer_id: object
    first_name: str
    last_name: str
    programme: Programme
    at: datetime
    account_id: object  # None: the customer has no account (yet)

    points: int  # can be spent now
    received_points: int  # of these, sent by other customers
    earned_points: int  # ever; without received and cancelled ones
    used_points: int
    expired_points: int
    locked_points: int

    level: Level | None
    level_since: datetime | None
    assigned_level: Level | None  # by hand; the lowest to go down to
    next_level: Level | None
    counted: int  # what the programme counts for levels

    transactions_count: int
    transactions_amount: int
    amount_without_delivery: int
    excluded_amount: int

    amount_to_next: int | None
    amount_to_next_without_delivery: int | None
    points_to_next: int | None

    counted_since: datetime | None  # the last recalculation, else the opening of the account
    looked_at_again: datetime | None
    level_then: Level | None  # where that leads if nothing more is collected
    level_expires_in_days: int | None
    points_since_recalculation: int | None
    points_to_retain: int | None

    expiring_next_month: int
    expiring: tuple  # ((date in the tenant's zone, points), …), ascending

    @property
    def currency(self):
        return self.programme.currency

    @property
    def level_threshold(self):
        """0 on no level."""
        return self.level.threshold if self.level else 0

    @property
    def next_threshold(self):
        """0 where there is no next level."""
        return self.next_level.threshold if self.next_level else 0

    @property
    def is_assigned(self):
        """Whether the present level was assigned by hand."""
        return self.assigned_level is not None and self.assigned_level == self.level

    @property
    def average_amount(self):
        """The average purchase in minor units, not rounded; 0 without a purchase."""
        if not self.transactions_count:
            return Decimal(0)
        return Decimal(self.transactions_amount) / self.transactions_count

    @property
    def missing(self):
        """What must still be collected for the next level, in hundredths; None at the top."""
        return None if self.next_level is None else self.next_level.threshold - self.counted

    def sentences(self, language="en"):
        """One or two plain sentences in "en" or "nb": why this level, what the next one needs, when
        the level is looked at again."""
        return explain(self, language)


def status_of(customer, *, programme=None, levels=None, now=None):
    """The Status of one customer; `programme` and `levels` in place of the tenant's own, `now` in
    place of the present."""
    return statuses_of([customer], programme=programme, levels=levels, now=now)[customer.pk]


def statuses_of(customers, *, programme=None, levels=None, now=None):
    """{customer id: Status} of customers of the active tenant, in their order."""
    customers = list(customers)
    if not customers:
        return {}
    programme = programme or programme_of(customers[0].tenant)
    levels = levels_of(programme.tenant) if levels is None else levels
    now = now or clock.now()
    accounts = {
        account.customer_id: account
        for account in LoyaltyAccount.objects.with_levels().filter(
            customer__in=[customer.pk for customer in customers]
        )
    }
    sums = sums_of([account.pk for account in accounts.values()], now)
    expiring = expiring_of([account.pk for account in accounts.values()], programme.timezone, now)
    by_id = {level.pk: level for level in levels}
    return {
        customer.pk: _status(
            customer,
            accounts.get(customer.pk) or LoyaltyAccount(id=None, created_at=customer.created_at),
            programme,
            by_id,
            now,
            sums,
            expiring,
        )
        for customer in customers
    }


def _status(customer, account, programme, levels, now, sums, expiring):
    totals = sums.get(account.pk, NOTHING)
    days = expiring.get(account.pk, {})
    level = levels.get(account.level_id, account.level)
    assigned = levels.get(account.manual_level_id, account.manual_level)
    counted = counted_of(account, totals, programme)
    ahead = next_level(levels.values(), counted, level)
    bought = programme.hundredths(account.transactions_amount - account.excluded_amount)
    without = programme.hundredths(account.amount_without_delivery - account.excluded_amount)
    base = account.recalculated_at or account.created_at
    is_timed = programme.by_points and programme.downgrade_mode == AFTER_X_DAYS
    again = base + timedelta(days=programme.downgrade_days) if is_timed else None
    retain = is_timed and level is not None and ahead is not None
    by_amount = ahead is not None and programme.by_transactions
    then = None
    if is_timed:
        then, _moves = target_level(
            current=level, manual=assigned, calculated=reached_level(levels.values(), counted)
        )
    return Status(
        customer_id=customer.pk,
        first_name=customer.first_name,
        last_name=customer.last_name,
        programme=programme,
        at=now,
        account_id=account.pk,
        **{name: totals[name] for name in POINTS},
        level=level,
        level_since=account.level_since,
        assigned_level=assigned,
        next_level=ahead,
        counted=counted,
        transactions_count=account.transactions_count,
        transactions_amount=account.transactions_amount,
        amount_without_delivery=account.amount_without_delivery,
        excluded_amount=account.excluded_amount,
        amount_to_next=(
            ahead.threshold - bought if by_amount and not programme.exclude_delivery else None
        ),
        amount_to_next_without_delivery=(
            ahead.threshold - without if by_amount and programme.exclude_delivery else None
        ),
        points_to_next=(
            ahead.threshold - totals["points"] // HUNDRED * HUNDRED
            if ahead is not None and programme.by_points
            else None
        ),
        counted_since=base if programme.by_points else None,
        looked_at_again=again,
        level_then=then,
        level_expires_in_days=max(0, math.ceil((again - now) / DAY)) if is_timed else None,
        points_since_recalculation=totals["earned_since"] if is_timed else None,
        points_to_retain=max(0, level.threshold - totals["earned_since"]) if retain else None,
        expiring_next_month=sum(
            points for day, points in days.items() if _is_next(day, now, programme)
        ),
        expiring=tuple(sorted(days.items())),
    )


def _is_next(day, now, programme):
    """Whether a local date lies in the calendar month after the present one."""
    today = now.astimezone(ZoneInfo(programme.timezone)).date()
    months = 12 * (day.year - today.year) + day.month - today.month
    return months == 1
