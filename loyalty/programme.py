"""A tenant's loyalty programme: its settings, read once into one object.

The settings are lines in the tenants' table of settings; this module adds them when it is loaded.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _

import normalise
from tenancy.tenant_settings import Setting, add_settings

TRANSACTIONS, POINTS = "transactions", "points"
NEVER, AUTOMATIC, AFTER_X_DAYS = "none", "automatic", "after_x_days"
ACTIVE_POINTS, EARNED_POINTS = "active_points", "earned_points"
EARNED_SINCE_MOVE = "earned_points_since_last_level_change"
EARNED_BASES = (EARNED_POINTS, EARNED_SINCE_MOVE)
STATUSES = ("new", "active", "blocked")
HUNDRED = 100  # points, thresholds and percents are kept in hundredths
LONGEST_DAYS = 36_500

_TABLE = (
    Setting(
        "tier_by",
        str,
        TRANSACTIONS,
        _("What decides about levels: the amount bought, or points."),
        (TRANSACTIONS, POINTS),
    ),
    Setting("exclude_delivery", bool, False, _("Levels count purchases without delivery cost.")),
    Setting(
        "downgrade_mode",
        str,
        NEVER,
        _("Levels by points: whether and when a customer goes down again."),
        (NEVER, AUTOMATIC, AFTER_X_DAYS),
    ),
    Setting(
        "downgrade_base",
        str,
        "none",
        _("Levels by points: which points count."),
        ("none", ACTIVE_POINTS, EARNED_POINTS, EARNED_SINCE_MOVE),
    ),
    Setting(
        "downgrade_days",
        int,
        365,
        _("How many days a level is kept before it is looked at again."),
        minimum=1,
        maximum=LONGEST_DAYS,
    ),
    Setting(
        "reset_points_on_downgrade",
        bool,
        False,
        _("When a level by active points is looked at again, the points expire."),
    ),
    Setting(
        "points_expire",
        str,
        "never",
        _("When points expire."),
        ("never", "after_x_days", "end_of_month", "end_of_year"),
    ),
    Setting(
        "points_days",
        int,
        90,
        _("For how many days points are valid."),
        minimum=1,
        maximum=LONGEST_DAYS,
    ),
    Setting(
        "points_lock_days",
        int,
        0,
        _("For how many days new points are held back; 0: not at all."),
        maximum=LONGEST_DAYS,
    ),
    Setting(
        "spend_order",
        str,
        "soonest_expiry",
        _("Which points are spent first."),
        ("soonest_expiry", "oldest"),
    ),
    Setting("statuses_earning", list, ["active"], _("Who earns points."), STATUSES),
    Setting("statuses_spending", list, ["active"], _("Who spends points."), STATUSES),
    Setting(
        "newsletter_points",
        int,
        0,
        _("Points for consent to the newsletter, once in a lifetime."),
        maximum=1_000_000_000,
    ),
    Setting(
        "seller_points_ceiling",
        int,
        500,
        _("How many points a seller may add or take by hand, per customer and day."),
        maximum=1_000_000_000,
    ),
    Setting("level_messages", bool, True, _("Customers are written to about a new level.")),
    Setting(
        "require_start_level",
        bool,
        True,
        _("A registration for which no level qualifies is refused."),
    ),
)
add_settings(*_TABLE)
SETTING_NAMES = tuple(setting.name for setting in _TABLE)


@dataclass(frozen=True, slots=True)
class Programme:
    """The rules that hold for one tenant, by the names of its settings."""

    tenant: object
    currency: str
    timezone: str
    tier_by: str
    exclude_delivery: bool
    downgrade_mode: str
    downgrade_base: str
    downgrade_days: int
    reset_points_on_downgrade: bool
    points_expire: str
    points_days: int
    points_lock_days: int
    spend_order: str
    statuses_earning: list
    statuses_spending: list
    newsletter_points: int
    seller_points_ceiling: int
    level_messages: bool
    require_start_level: bool

    @property
    def by_points(self):
        return self.tier_by == POINTS

    @property
    def by_transactions(self):
        return self.tier_by == TRANSACTIONS

    @property
    def unit(self):
        """How many minor units make a hundredth of the currency's unit, as a fraction (n, d)."""
        places = normalise.minor_unit_places(self.currency)
        return (10 ** (places - 2), 1) if places >= 2 else (1, 10 ** (2 - places))

    def hundredths(self, amount):
        """An amount in minor units as hundredths of the currency's unit, rounded down.

        Thresholds are in hundredths; an amount reaches one exactly if its floor does.
        """
        minor, hundredths = self.unit
        return amount * hundredths // minor

    def lock_end(self, earned_at):
        """The instant until which points earned at `earned_at` are held back, or None: the same
        time of day in the tenant's time zone, so that no change of its clocks moves the day."""
        if not self.points_lock_days:
            return None
        local = earned_at.astimezone(ZoneInfo(self.timezone))
        return (local + timedelta(days=self.points_lock_days)).astimezone(UTC)

    def expiry(self, earned_at):
        """The instant at which points earned at `earned_at` expire, or None.

        That is 23:59:59 of a day in the tenant's time zone: N days after the day on which they
        can first be spent, where N may be what is left of the month or year in which they were
        earned.
        """
        if self.points_expire == "never":
            return None
        zone = ZoneInfo(self.timezone)
        begin = (self.lock_end(earned_at) or earned_at).astimezone(zone).date()
        earned_on = earned_at.astimezone(zone).date()
        if self.points_expire == "after_x_days":
            n_days = self.points_days
        elif self.points_expire == "end_of_month":
            n_days = (_first_of_next_month(earned_on) - earned_on).days - 1
        else:
            n_days = (earned_on.replace(month=12, day=31) - earned_on).days
        return self.last_second_of(begin + timedelta(days=n_days))

    def last_second_of(self, day):
        """The instant 23:59:59 of a day in the tenant's time zone; where the clocks go back at
        midnight, so that this second comes twice, the later one."""
        first = datetime.combine(day, time(23, 59, 59), ZoneInfo(self.timezone))
        return max(first.astimezone(UTC), first.replace(fold=1).astimezone(UTC))


def _first_of_next_month(day):
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def programme_of(tenant, **others):
    """The programme of a tenant; `others` replaces settings, for "what would be if"."""
    values = {name: tenant.setting(name) for name in SETTING_NAMES}
    return Programme(
        tenant=tenant, currency=tenant.currency, timezone=tenant.timezone, **(values | others)
    )
