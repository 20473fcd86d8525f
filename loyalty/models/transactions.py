"""Sales and returns, with their lines."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from loyalty.models.accounts import LoyaltyAccount
from loyalty.querysets import TransactionQuerySet
from tenancy.clock import now
from tenancy.models import Store, TenantOwned
from tenancy.scoping import owned_manager


class Transaction(TenantOwned):
    """A sale, or a return of (a part of) one. All amounts are positive, in minor units.

    `number` is the document's; the same number again is the same transaction. `revises` is the
    number of the sale that a return belongs to. `applied_seq` orders what the account's counters
    have counted; a return whose sale is not known yet has none and waits for it.
    """

    class Kind(models.TextChoices):
        SALE = "sale", _("Sale")
        RETURN = "return", _("Return")

    FIELDS = (
        "number",
        "kind",
        "revises",
        "purchased_at",
        "amount",
        "delivery_amount",
        "excluded_amount",
        "store",
        "lines",
    )

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(
        LoyaltyAccount, on_delete=models.PROTECT, related_name="transactions"
    )
    # Where it was recorded, so that the joining of accounts can be undone.
    home_account = models.ForeignKey(LoyaltyAccount, on_delete=models.PROTECT, related_name="+")
    number = models.CharField(_("number"), max_length=120)
    kind = models.CharField(_("kind"), max_length=6, choices=Kind.choices, default=Kind.SALE)
    revises = models.CharField(_("return of"), max_length=120, blank=True)
    purchased_at = models.DateTimeField(_("when"))
    amount = models.BigIntegerField(_("amount"))
    delivery_amount = models.BigIntegerField(_("of that delivery"), default=0)
    excluded_amount = models.BigIntegerField(_("of that not counted for levels"), default=0)
    store = models.ForeignKey(
        Store, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    applied_seq = models.PositiveIntegerField(null=True, blank=True)
    # What the message said, so that a resend can be told from a contradiction.
    content_hash = models.CharField(max_length=64)
    created_at = models.DateTimeField(_("recorded"), default=now, editable=False)

    objects = owned_manager(TransactionQuerySet)

    class Meta:
        verbose_name = _("purchase")
        verbose_name_plural = _("purchases")
        ordering = ["-purchased_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "number"], name="transaction_number_unique"),
            models.CheckConstraint(
                condition=models.Q(kind__in=["sale", "return"]), name="transaction_kind"
            ),
            models.CheckConstraint(
                condition=models.Q(
                    amount__gte=0,
                    delivery_amount__gte=0,
                    excluded_amount__gte=0,
                    delivery_amount__lte=models.F("amount"),
                    excluded_amount__lte=models.F("amount"),
                ),
                name="transaction_amounts",
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "account", "purchased_at"], name="transaction_account"),
            models.Index(
                fields=["tenant", "revises"],
                name="transaction_revises",
                condition=~models.Q(revises=""),
            ),
            models.Index(fields=["tenant", "purchased_at", "id"], name="transaction_when"),
        ]

    def __str__(self):
        return self.number


class TransactionLine(TenantOwned):
    """One article of a transaction. Quantities in thousandths, amounts in minor units."""

    FIELDS = ("sku", "name", "quantity", "amount", "category", "maker")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    transaction = models.ForeignKey(Transaction, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveIntegerField()
    sku = models.CharField(_("article number"), max_length=120, blank=True)
    name = models.CharField(_("article"), max_length=250, blank=True)
    quantity = models.BigIntegerField(_("quantity"), default=1000)
    amount = models.BigIntegerField(_("amount"), default=0)
    category = models.CharField(_("category"), max_length=120, blank=True)
    maker = models.CharField(_("maker"), max_length=120, blank=True)

    class Meta:
        verbose_name = _("line of a transaction")
        verbose_name_plural = _("lines of a transaction")
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "transaction", "position"], name="transaction_line_once"
            )
        ]

    def __str__(self):
        return self.name or self.sku or str(self.position)
