"""What a customer agreed to."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models.customer import Customer
from tenancy.clock import now
from tenancy.models import Store, TenantOwned


class Consent(TenantOwned):
    """One statement of consent or its withdrawal, with its evidence. Append-only: the row with the
    highest `version` of a purpose is the current state."""

    LEGAL, MARKETING, DATA_PROCESSING = "legal", "marketing", "data_processing"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="consents")
    purpose = models.CharField(_("purpose"), max_length=40)
    granted = models.BooleanField(_("granted"))
    at = models.DateTimeField(_("when"), default=now)
    store = models.ForeignKey(
        Store,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("store"),
    )
    actor_kind = models.CharField(_("who"), max_length=16)
    actor_id = models.UUIDField(null=True, blank=True)
    actor_label = models.CharField(_("who"), max_length=254, blank=True)
    source = models.CharField(_("source"), max_length=120, blank=True)
    wording_version = models.CharField(_("wording"), max_length=40, blank=True)
    # The customer's version that this statement made: a total order without looking at clocks.
    # Statements that a merge brought in stand before the customer's own, at 0 and below.
    version = models.IntegerField(editable=False)

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        ordering = ["-version", "purpose"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "customer", "purpose", "version"], name="consent_once_per_version"
            )
        ]

    def __str__(self):
        return f"{self.purpose}: {'yes' if self.granted else 'no'}"
