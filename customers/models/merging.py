"""Two records of one person that became one, and two that look alike and are not."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models.customer import Customer
from tenancy.clock import now
from tenancy.models import TenantOwned
from tenancy.scoping import OwnedQuerySet, owned_manager


class MergeQuerySet(OwnedQuerySet):
    def about(self, customer_id):
        """The merges that this record survived or became part of another in."""
        return self.filter(models.Q(survivor=customer_id) | models.Q(merged=customer_id))


class Merge(TenantOwned):
    """One record that became part of another, and what it takes to part them again.

    `journal` holds the merged record as it was, and what the survivor held before; it is emptied
    when the merge is undone, when `undo_until` has passed and when the person is erased. The id is
    the unique source of whatever higher apps book for the merge.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    survivor = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="merges", verbose_name=_("survivor")
    )
    merged = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="+", verbose_name=_("merged record")
    )
    at = models.DateTimeField(_("when"), default=now)
    actor_kind = models.CharField(_("who"), max_length=16)
    actor_id = models.UUIDField(null=True, blank=True)
    actor_label = models.CharField(_("who"), max_length=254, blank=True)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    # The survivor's version that the merge made: merges of one survivor are undone from the last.
    version = models.PositiveIntegerField(editable=False)
    undo_until = models.DateTimeField(_("can be undone until"))
    undone_at = models.DateTimeField(_("undone"), null=True, blank=True)
    journal = models.JSONField(_("what it takes to undo it"), default=dict)

    objects = owned_manager(MergeQuerySet)

    class Meta:
        verbose_name = _("merge")
        verbose_name_plural = _("merges")
        ordering = ["-at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "merged"],
                condition=models.Q(undone_at=None),
                name="merge_once_per_record",
            ),
            models.CheckConstraint(
                condition=~models.Q(survivor=models.F("merged")), name="merge_of_two"
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "at", "id"], name="merge_at"),
            models.Index(fields=["tenant", "undo_until"], name="merge_undo_until"),
        ]

    def __str__(self):
        return str(self.id)


class PairQuerySet(OwnedQuerySet):
    def about(self, customer_id):
        """The pairs that this customer is one of."""
        return self.filter(models.Q(first=customer_id) | models.Q(second=customer_id))


class NotDuplicate(TenantOwned):
    """Two records that somebody looked at and found to be two people; `first` has the lower id."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    first = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+", db_index=False)
    second = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(_("when"), default=now)
    actor_kind = models.CharField(_("who"), max_length=16)
    actor_id = models.UUIDField(null=True, blank=True)
    actor_label = models.CharField(_("who"), max_length=254, blank=True)
    reason = models.CharField(_("reason"), max_length=500, blank=True)

    objects = owned_manager(PairQuerySet)

    class Meta:
        verbose_name = _("not a duplicate")
        verbose_name_plural = _("not duplicates")
        ordering = ["-at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "first", "second"], name="not_duplicate_once"
            ),
            models.CheckConstraint(
                condition=models.Q(first__lt=models.F("second")), name="not_duplicate_in_order"
            ),
        ]

    def __str__(self):
        return str(self.id)

    def other_than(self, customer_id):
        """The id of the one of the two that is not `customer_id`."""
        return self.second_id if self.first_id == customer_id else self.first_id
