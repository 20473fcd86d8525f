"""What single stores and the accounts department keep about a customer."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models.customer import Customer
from tenancy.clock import now
from tenancy.models import Store, TenantOwned


class StoreProfile(TenantOwned):
    """What one store keeps about a customer; whoever has one is listed at that store."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="store_profiles")
    store = models.ForeignKey(
        Store, on_delete=models.PROTECT, related_name="+", verbose_name=_("store")
    )
    pos_ref = models.CharField(_("till's reference"), max_length=120, null=True, blank=True)
    note = models.TextField(_("note"), max_length=4_000, blank=True)
    created_at = models.DateTimeField(_("created"), default=now, editable=False)

    class Meta:
        verbose_name = _("store profile")
        verbose_name_plural = _("store profiles")
        ordering = ["store__code"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "customer", "store"], name="store_profile_once"
            ),
            models.UniqueConstraint(
                fields=["tenant", "store", "pos_ref"], name="store_profile_pos_ref_unique"
            ),
        ]

    def __str__(self):
        return str(self.id)


class StoreExtension(TenantOwned):
    """A service that a store has switched on for a customer, by its code."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="extensions")
    store = models.ForeignKey(
        Store, on_delete=models.PROTECT, related_name="+", verbose_name=_("store")
    )
    code = models.CharField(_("code"), max_length=40)
    created_at = models.DateTimeField(_("created"), default=now, editable=False)

    class Meta:
        verbose_name = _("extension")
        verbose_name_plural = _("extensions")
        ordering = ["store__code", "code"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "customer", "store", "code"], name="store_extension_once"
            )
        ]

    def __str__(self):
        return str(self.id)


class ChargeAccount(TenantOwned):
    """The account that a customer may buy on; a retired one takes nothing new."""

    customer = models.OneToOneField(
        Customer, on_delete=models.CASCADE, primary_key=True, related_name="charge_account"
    )
    number = models.CharField(_("number"), max_length=40)
    retired = models.BooleanField(_("retired"), default=False)
    created_at = models.DateTimeField(_("created"), default=now, editable=False)

    class Meta:
        verbose_name = _("charge account")
        verbose_name_plural = _("charge accounts")
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "number"], name="charge_account_number_unique"
            )
        ]

    def __str__(self):
        return str(self.pk)
