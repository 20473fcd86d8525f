"""The loyalty account: where a customer stands, in one narrow row."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from loyalty.models.levels import Level
from loyalty.querysets import AccountQuerySet
from tenancy.clock import now
from tenancy.models import TenantOwned
from tenancy.scoping import owned_manager


class LoyaltyAccount(TenantOwned):
    """What a customer has collected. The ledger's entries name it, never the customer.

    Every number here equals what the ledger and the transactions add up to, at every moment.
    Deleting the customer leaves the account without a name; merging joins it to another account.
    `next_due_at` is the first instant at which a lot expires or is unlocked: before it the
    row is exact, from it on the lots tell.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(
        Customer,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("customer"),
    )
    # Points, in hundredths: spendable, and held back until their lock ends.
    points = models.BigIntegerField(_("points"), default=0)
    locked_points = models.BigIntegerField(_("locked points"), default=0)
    n_entries = models.PositiveIntegerField(default=0)
    next_due_at = models.DateTimeField(null=True, blank=True)

    level = models.ForeignKey(
        Level,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("level"),
    )
    # The level that a person assigned: a floor as long as the customer stands on it.
    manual_level = models.ForeignKey(
        Level,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("assigned level"),
    )
    level_since = models.DateTimeField(_("level since"), null=True, blank=True)
    recalculated_at = models.DateTimeField(_("last recalculation"), null=True, blank=True)

    # Money in minor units; the rules are in loyalty/services/transactions.py.
    transactions_count = models.BigIntegerField(_("purchases"), default=0)
    transactions_amount = models.BigIntegerField(_("purchased for"), default=0)
    amount_without_delivery = models.BigIntegerField(default=0)
    excluded_amount = models.BigIntegerField(default=0)
    n_applied = models.PositiveIntegerField(default=0)
    first_purchase_at = models.DateTimeField(_("first purchase"), null=True, blank=True)
    last_purchase_at = models.DateTimeField(_("last purchase"), null=True, blank=True)

    merged_into = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    # Set when the nightly check finds a sum that is not the sum of its parts.
    frozen_at = models.DateTimeField(_("frozen"), null=True, blank=True)
    created_at = models.DateTimeField(_("opened"), default=now, editable=False)

    objects = owned_manager(AccountQuerySet)

    class Meta:
        verbose_name = _("loyalty account")
        verbose_name_plural = _("loyalty accounts")
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "customer"], name="account_customer_unique"),
            models.CheckConstraint(
                condition=models.Q(points__gte=0, locked_points__gte=0), name="account_not_negative"
            ),
            models.CheckConstraint(
                condition=models.Q(
                    transactions_count__gte=0,
                    transactions_amount__gte=0,
                    amount_without_delivery__gte=0,
                    excluded_amount__gte=0,
                ),
                name="account_counters_not_negative",
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "level", "id"], name="account_level"),
            models.Index(
                fields=["tenant", "manual_level"],
                name="account_manual_level",
                condition=models.Q(manual_level__isnull=False),
            ),
            models.Index(
                fields=["tenant", "next_due_at"],
                name="account_due",
                condition=models.Q(next_due_at__isnull=False),
            ),
            models.Index(fields=["tenant", "recalculated_at"], name="account_recalculated"),
        ]

    def __str__(self):
        return str(self.id)
