"""The ledger: entries that nobody can change, notes that erasure can empty, lots that are used up.

The database refuses to change or delete an entry (triggers, see loyalty/guards.py). A correction
is an entry that reverses another.
"""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from loyalty.models.accounts import LoyaltyAccount
from loyalty.querysets import EntryQuerySet, LotQuerySet
from tenancy.clock import now
from tenancy.models import TenantOwned
from tenancy.scoping import owned_manager


class Entry(TenantOwned):
    """One movement of points on one account, in hundredths; append-only.

    `points` moves what can be spent, `locked_points` what is held back. The balances after it
    stand beside it: `seq` counts the account's entries without gap, so each follows from the one
    before. `source_kind` and `source_id` name what caused it; with the kind they are unique in the
    tenant, so that a repeated message counts once.
    """

    class Kind(models.TextChoices):
        EARN = "earn", _("Earned")
        ADJUST = "adjust", _("Adjusted")
        SPEND = "spend", _("Spent")
        RETURN = "return", _("Taken back for a return")
        UNLOCK = "unlock", _("Unlocked")
        EXPIRE = "expire", _("Expired")
        CANCEL = "cancel", _("Cancelled")
        REFUND = "refund", _("Given back")
        TRANSFER_OUT = "transfer_out", _("Sent")
        TRANSFER_IN = "transfer_in", _("Received")
        MERGE_OUT = "merge_out", _("Moved by a merge")
        MERGE_IN = "merge_in", _("Joined by a merge")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(
        LoyaltyAccount, on_delete=models.PROTECT, related_name="entries", verbose_name=_("account")
    )
    seq = models.PositiveIntegerField(_("no."))
    kind = models.CharField(_("what"), max_length=12, choices=Kind.choices)
    points = models.BigIntegerField(_("points"), default=0)
    locked_points = models.BigIntegerField(_("locked"), default=0)
    points_after = models.BigIntegerField(_("balance"))
    locked_after = models.BigIntegerField(_("locked balance"))
    # When it took effect (a lot expires at its instant) and when it was written.
    at = models.DateTimeField(_("when"))
    created_at = models.DateTimeField(_("written"), default=now, editable=False)
    source_kind = models.CharField(_("cause"), max_length=24)
    source_id = models.CharField(_("cause id"), max_length=120)
    reverses = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    store_id = models.UUIDField(null=True, blank=True)
    actor_kind = models.CharField(_("who"), max_length=16)
    actor_id = models.UUIDField(null=True, blank=True)

    objects = owned_manager(EntryQuerySet)

    class Meta:
        verbose_name = _("points entry")
        verbose_name_plural = _("points entries")
        ordering = ["-created_at", "-seq"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "account", "seq"], name="entry_seq_unique"),
            models.UniqueConstraint(
                fields=["tenant", "source_kind", "source_id", "kind"], name="entry_source_unique"
            ),
            models.UniqueConstraint(fields=["tenant", "reverses"], name="entry_reversed_once"),
            models.CheckConstraint(
                condition=models.Q(points_after__gte=0, locked_after__gte=0),
                name="entry_not_negative",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    kind__in=[
                        *("earn", "adjust", "spend", "return", "unlock", "expire", "cancel"),
                        *("refund", "transfer_out", "transfer_in", "merge_out", "merge_in"),
                    ]
                ),
                name="entry_kind",
            ),
        ]
        indexes = [models.Index(fields=["tenant", "created_at", "id"], name="entry_when")]

    def __str__(self):
        return f"{self.kind} {self.at:%Y-%m-%d %H:%M}"


class EntryNote(TenantOwned):
    """Why, in a person's words; apart from the entry, so that erasure can remove it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, related_name="note")
    text = models.CharField(_("reason"), max_length=500)
    actor_label = models.CharField(_("who"), max_length=254, blank=True)

    class Meta:
        verbose_name = _("note of an entry")
        verbose_name_plural = _("notes of entries")

    def __str__(self):
        return str(self.id)


class Lot(TenantOwned):
    """Points that came in together and expire together, and what is left of them.

    value = remaining + used + expired + cancelled, where `used` is what spending and sending took.
    A lot moves with its account when that is joined to another; `home_account` is where it came
    in, so that the joining can be undone.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(LoyaltyAccount, on_delete=models.PROTECT, related_name="lots")
    home_account = models.ForeignKey(LoyaltyAccount, on_delete=models.PROTECT, related_name="+")
    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, related_name="lot")
    value = models.BigIntegerField(_("points"))
    remaining = models.BigIntegerField(_("left"))
    expired = models.BigIntegerField(_("expired"), default=0)
    cancelled = models.BigIntegerField(_("cancelled"), default=0)
    # A cancelled lot no longer counts as earned, however much of it was spent before.
    cancelled_at = models.DateTimeField(null=True, blank=True)
    earned_at = models.DateTimeField(_("since"))
    locked = models.BooleanField(_("locked"), default=False)
    locked_until = models.DateTimeField(_("locked until"), null=True, blank=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    # Came from another customer: counts in the balance, never as earned.
    received = models.BooleanField(_("received"), default=False)

    objects = owned_manager(LotQuerySet)

    class Meta:
        verbose_name = _("lot of points")
        verbose_name_plural = _("lots of points")
        ordering = ["earned_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    remaining__gte=0,
                    expired__gte=0,
                    cancelled__gte=0,
                    value__gte=models.F("remaining") + models.F("expired") + models.F("cancelled"),
                ),
                name="lot_adds_up",
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "account", "earned_at", "id"], name="lot_account"),
            models.Index(
                fields=["tenant", "expires_at"],
                name="lot_expiring",
                condition=models.Q(remaining__gt=0, expires_at__isnull=False),
            ),
            models.Index(
                fields=["tenant", "locked_until"],
                name="lot_unlocking",
                condition=models.Q(locked=True),
            ),
        ]

    def __str__(self):
        return str(self.id)


class LotUse(TenantOwned):
    """How much an entry took from a lot, so that giving back knows where to."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="uses")
    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="uses")
    points = models.BigIntegerField(_("points"))

    class Meta:
        verbose_name = _("use of a lot")
        verbose_name_plural = _("uses of lots")
        constraints = [
            models.UniqueConstraint(fields=["tenant", "entry", "lot"], name="lot_use_once"),
            models.CheckConstraint(condition=models.Q(points__gt=0), name="lot_use_positive"),
        ]

    def __str__(self):
        return str(self.id)
