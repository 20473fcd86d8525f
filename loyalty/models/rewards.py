"""Rewards that points buy, and their redemptions."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from loyalty.models.accounts import LoyaltyAccount
from loyalty.models.ledger import Entry
from loyalty.models.levels import Level
from loyalty.querysets import RedemptionQuerySet, RewardQuerySet
from tenancy.clock import now
from tenancy.models import Store, TenantOwned
from tenancy.scoping import owned_manager


class Reward(TenantOwned):
    """Something in the catalogue, priced in points (hundredths).

    `stock` limits how many can be redeemed in all, `per_customer` by one; NULL: no limit. A coupon
    works for `valid_days`, or until it is used. Restricted to `levels` where any are named.
    """

    FIELDS = (
        "name",
        "description",
        "translations",
        "cost",
        "stock",
        "per_customer",
        "valid_days",
        "delivered",
        "levels",
        "active",
        "active_from",
        "active_to",
        "position",
    )

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=120)
    description = models.TextField(_("description"), max_length=4_000, blank=True)
    translations = models.JSONField(_("translations"), default=dict, blank=True)
    cost = models.BigIntegerField(_("price in points"))
    stock = models.PositiveIntegerField(_("stock"), null=True, blank=True)
    n_redeemed = models.PositiveIntegerField(_("redeemed"), default=0, editable=False)
    per_customer = models.PositiveIntegerField(_("per customer"), null=True, blank=True)
    valid_days = models.PositiveIntegerField(_("coupon works for days"), null=True, blank=True)
    delivered = models.BooleanField(
        _("is delivered"), default=False, help_text=_("Its redemptions have a delivery status.")
    )
    levels = models.ManyToManyField(Level, through="RewardLevel", related_name="+")
    active = models.BooleanField(_("active"), default=True)
    active_from = models.DateTimeField(_("active from"), null=True, blank=True)
    active_to = models.DateTimeField(_("active to"), null=True, blank=True)
    position = models.PositiveIntegerField(_("position"), default=0)
    created_at = models.DateTimeField(_("created"), default=now, editable=False)
    updated_at = models.DateTimeField(_("changed"), default=now, editable=False)

    objects = owned_manager(RewardQuerySet)

    class Meta:
        verbose_name = _("reward")
        verbose_name_plural = _("rewards")
        ordering = ["position", "cost", "id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(cost__gte=0), name="reward_cost"),
            models.CheckConstraint(
                condition=models.Q(stock__isnull=True)
                | models.Q(n_redeemed__lte=models.F("stock")),
                name="reward_stock",
            ),
        ]
        indexes = [models.Index(fields=["tenant", "position", "cost"], name="reward_order")]

    def __str__(self):
        return self.name

    def told(self, language):
        """Name and description in `language`, else as entered, as a pair."""
        own = self.translations.get(language) or {}
        return own.get("name") or self.name, own.get("description") or self.description


class RewardLevel(TenantOwned):
    """A level to which a reward is restricted."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reward = models.ForeignKey(Reward, on_delete=models.CASCADE, related_name="+")
    level = models.ForeignKey(Level, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "reward", "level"], name="reward_level_once")
        ]

    def __str__(self):
        return str(self.id)


class Redemption(TenantOwned):
    """A reward bought with points: the coupon, whether it was used, where the delivery stands."""

    class Delivery(models.TextChoices):
        ORDERED = "ordered", _("Ordered")
        SHIPPED = "shipped", _("Shipped")
        DELIVERED = "delivered", _("Delivered")
        CANCELLED = "cancelled", _("Cancelled")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(
        LoyaltyAccount, on_delete=models.PROTECT, related_name="redemptions"
    )
    home_account = models.ForeignKey(LoyaltyAccount, on_delete=models.PROTECT, related_name="+")
    reward = models.ForeignKey(Reward, on_delete=models.PROTECT, related_name="redemptions")
    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(_("reward"), max_length=120)
    cost = models.BigIntegerField(_("price in points"))
    coupon = models.CharField(_("coupon"), max_length=40)
    redeemed_at = models.DateTimeField(_("redeemed"), default=now)
    active_until = models.DateTimeField(_("works until"), null=True, blank=True)
    used_at = models.DateTimeField(_("used"), null=True, blank=True)
    used_store = models.ForeignKey(
        Store,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("used at"),
    )
    delivery = models.CharField(
        _("delivery"), max_length=9, choices=Delivery.choices, blank=True, default=""
    )
    cancelled_at = models.DateTimeField(_("cancelled"), null=True, blank=True)

    objects = owned_manager(RedemptionQuerySet)

    class Meta:
        verbose_name = _("redemption")
        verbose_name_plural = _("redemptions")
        ordering = ["-redeemed_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "coupon"], name="redemption_coupon_unique"),
            models.CheckConstraint(
                condition=models.Q(
                    delivery__in=["", "ordered", "shipped", "delivered", "cancelled"]
                ),
                name="redemption_delivery",
            ),
            models.CheckConstraint(
                condition=models.Q(used_at__isnull=True) | models.Q(cancelled_at__isnull=True),
                name="redemption_used_or_cancelled",
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "account", "redeemed_at"], name="redemption_account"),
            models.Index(fields=["tenant", "redeemed_at", "id"], name="redemption_when"),
        ]

    def __str__(self):
        return self.coupon

    def status_at(self, instant):
        """ "used", "cancelled", "expired" (ran out unused) or "open"."""
        if self.used_at is not None:
            return "used"
        if self.cancelled_at is not None:
            return "cancelled"
        return "expired" if self.active_until and self.active_until <= instant else "open"
