"""Groups and subscriptions."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from groups.querysets import GroupQuerySet, SubscriptionQuerySet
from tenancy.clock import now
from tenancy.models import Store, TenantOwned
from tenancy.scoping import owned_manager


class Group(TenantOwned):
    """A set of customers with a purpose: a newsletter, a club, a price class.

    Anybody may join or leave a public one for themselves; a private one only staff may change.
    """

    class Subscribable(models.TextChoices):
        PUBLIC = "public", _("Public")
        PRIVATE = "private", _("Private")

    FIELDS = ("code", "title", "description", "subscribable", "subscribe_text", "parent")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    code = models.CharField(_("code"), max_length=64)
    title = models.CharField(_("title"), max_length=200)
    description = models.TextField(_("description"), max_length=4_000, blank=True)
    subscribable = models.CharField(
        _("who may join"),
        max_length=8,
        choices=Subscribable.choices,
        default=Subscribable.PRIVATE,
        help_text=_("Public: customers may join and leave by themselves."),
    )
    subscribe_text = models.CharField(
        _("invitation"), max_length=500, blank=True, help_text=_("Shown where customers may join.")
    )
    parent = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="children",
        verbose_name=_("parent group"),
    )
    created_at = models.DateTimeField(_("created"), default=now, editable=False)
    updated_at = models.DateTimeField(_("changed"), default=now, editable=False)

    objects = owned_manager(GroupQuerySet)

    class Meta:
        verbose_name = _("group")
        verbose_name_plural = _("groups")
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "code"], name="group_code_unique"),
            models.CheckConstraint(
                condition=~models.Q(parent=models.F("id")), name="group_not_its_own_parent"
            ),
            models.CheckConstraint(
                condition=models.Q(subscribable__in=["public", "private"]),
                name="group_subscribable",
            ),
        ]

    def __str__(self):
        return self.title or self.code


class Subscription(TenantOwned):
    """A customer in a group. `subscribed` False: still in it, but no mail of this group, please.

    The evidence says who set the flag, when, where and on which wording.
    """

    FIELDS = ("subscribed", "custom_data1", "custom_data2", "custom_data3", "custom_data4")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # An integer key for wires that want one, increasing per tenant.
    code = models.BigIntegerField(_("code"), editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="subscriptions")
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="subscriptions")
    subscribed = models.BooleanField(_("subscribed"), default=True)
    at = models.DateTimeField(_("since"), default=now)
    store = models.ForeignKey(
        Store, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    actor_kind = models.CharField(_("who"), max_length=16)
    actor_id = models.UUIDField(null=True, blank=True)
    actor_label = models.CharField(_("who"), max_length=254, blank=True)
    source = models.CharField(_("source"), max_length=120, blank=True)
    wording_version = models.CharField(_("wording"), max_length=40, blank=True)
    custom_data1 = models.TextField(max_length=4_000, blank=True)
    custom_data2 = models.TextField(max_length=4_000, blank=True)
    custom_data3 = models.TextField(max_length=4_000, blank=True)
    custom_data4 = models.TextField(max_length=4_000, blank=True)
    created_at = models.DateTimeField(_("created"), default=now, editable=False)

    objects = owned_manager(SubscriptionQuerySet)

    class Meta:
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")
        ordering = ["group__code"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "customer", "group"], name="subscription_once"
            ),
            models.UniqueConstraint(fields=["tenant", "code"], name="subscription_code_unique"),
        ]
        indexes = [models.Index(fields=["tenant", "group", "customer"], name="subscription_group")]

    def __str__(self):
        return str(self.id)
