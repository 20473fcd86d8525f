"""Reads of the loyalty programme, chainable."""

from django.db.models import Exists, F, OuterRef, Q, Subquery

from tenancy.scoping import OwnedQuerySet


class LevelQuerySet(OwnedQuerySet):
    def active(self):
        return self.filter(active=True)


class AccountQuerySet(OwnedQuerySet):
    def with_levels(self):
        """Level and assigned level fetched along."""
        return self.select_related("level", "manual_level")

    def standing_on(self, level, *, assigned=None):
        """Accounts on `level`; `assigned` says whether staff put them there (None: either)."""
        here = self.filter(level=level)
        if assigned is None:
            return here
        return here.filter(manual_level=level) if assigned else here.exclude(manual_level=level)

    def due(self, instant):
        """Accounts with a lot that expires or is unlocked at `instant` or before."""
        return self.filter(next_due_at__lte=instant)


class EntryQuerySet(OwnedQuerySet):
    def of_source(self, source_kind, source_id):
        """The entries that one cause made."""
        return self.filter(source_kind=source_kind, source_id=source_id)

    def as_told(self):
        """With account, note and lot, and annotated with `reversed_by`, the id of the entry that
        corrects it."""
        corrections = self.model.objects.filter(reverses=OuterRef("pk")).order_by()
        return self.select_related("account", "note", "lot").annotate(
            reversed_by=Subquery(corrections.values("pk")[:1])
        )


class LotQuerySet(OwnedQuerySet):
    def spendable(self, instant):
        """Lots with points left that can be spent at `instant`, whether or not a job ran."""
        return self.filter(
            Q(locked=False) | Q(locked_until__lte=instant),
            Q(expires_at__isnull=True) | Q(expires_at__gt=instant),
            remaining__gt=0,
        )

    def expiring(self, instant, until):
        """Lots of which something is left that expires after `instant`, by `until`. Locked ones are
        among them: a lock does not put the day off."""
        return self.filter(remaining__gt=0, expires_at__gt=instant, expires_at__lte=until)


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

    def on_offer(self, instant):
        """In force, and not sold out."""
        return self.in_force(instant).filter(Q(stock__isnull=True) | Q(n_redeemed__lt=F("stock")))

    def open_to(self, level):
        """For everybody, or for who stands on `level` (None: on no level)."""
        restrictions = self.model.levels.through.objects.filter(reward=OuterRef("pk"))
        return self.filter(~Exists(restrictions) | Exists(restrictions.filter(level=level)))


class RedemptionQuerySet(OwnedQuerySet):
    def open(self, instant):
        """Coupons that can still be used at `instant`."""
        return self.filter(
            Q(active_until__isnull=True) | Q(active_until__gt=instant),
            used_at__isnull=True,
            cancelled_at__isnull=True,
        )

    def with_status(self, status, instant):
        """Those that are "open", "used", "cancelled" or "expired" (ran out unused) at `instant`."""
        if status == "used":
            return self.filter(used_at__isnull=False)
        if status == "cancelled":
            return self.filter(cancelled_at__isnull=False)
        if status == "expired":
            return self.filter(
                active_until__lte=instant, used_at__isnull=True, cancelled_at__isnull=True
            )
        return self.open(instant)
