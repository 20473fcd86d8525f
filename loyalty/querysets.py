"""Reads of the loyalty programme, chainable."""

from django.db.models import F, Q

from tenancy.scoping import OwnedQuerySet


class LevelQuerySet(OwnedQuerySet):
    def active(self):
        return self.filter(active=True)


class AccountQuerySet(OwnedQuerySet):
    def with_levels(self):
        """Level and assigned level fetched along."""
        return self.select_related("level", "manual_level")

    def due(self, instant):
        """Accounts with a lot that expires or is unlocked at `instant` or before."""
        return self.filter(next_due_at__lte=instant)


class EntryQuerySet(OwnedQuerySet):
    def of_source(self, source_kind, source_id):
        """The entries that one cause made."""
        return self.filter(source_kind=source_kind, source_id=source_id)


class LotQuerySet(OwnedQuerySet):
    def due(self, instant):
        """Lots that must be unlocked or expired at `instant`."""
        return self.filter(
            Q(locked=True, locked_until__lte=instant) | Q(remaining__gt=0, expires_at__lte=instant)
        )

    def spendable(self, instant):
        """Lots with points left that can be spent at `instant`, whether or not a job ran."""
        return self.filter(
            Q(locked=False) | Q(locked_until__lte=instant),
            Q(expires_at__isnull=True) | Q(expires_at__gt=instant),
            remaining__gt=0,
        )

    def in_spending_order(self, order):
        """Soonest expiry first (never expiring last), or the oldest first."""
        if order == "oldest":
            return self.order_by("earned_at", "id")
        return self.order_by(F("expires_at").asc(nulls_last=True), "earned_at", "id")


class TransactionQuerySet(OwnedQuerySet):
    def sales(self):
        return self.filter(kind="sale")

    def returns(self):
        return self.filter(kind="return")


class EarningRuleQuerySet(OwnedQuerySet):
    def in_force(self, instant):
        """Active at `instant`: from `active_from` on, before `active_to`."""
        return self.filter(
            Q(active_from__isnull=True) | Q(active_from__lte=instant),
            Q(active_to__isnull=True) | Q(active_to__gt=instant),
            active=True,
        )


class RewardQuerySet(OwnedQuerySet):
    def in_force(self, instant):
        """Redeemable at `instant` by their dates."""
        return self.filter(
            Q(active_from__isnull=True) | Q(active_from__lte=instant),
            Q(active_to__isnull=True) | Q(active_to__gt=instant),
            active=True,
        )


class RedemptionQuerySet(OwnedQuerySet):
    def open(self, instant):
        """Coupons that can still be used at `instant`."""
        return self.filter(
            Q(active_until__isnull=True) | Q(active_until__gt=instant),
            used_at__isnull=True,
            cancelled_at__isnull=True,
        )
