"""Codes and links that prove a contact point."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models.customer import Customer
from tenancy.clock import now
from tenancy.models import TenantOwned


class ActivationCode(TenantOwned):
    """A code (SMS) or link token (mail) on its way to a customer, stored as an HMAC.

    Bound to one purpose and target; unique among the live ones of tenant and purpose, because a
    wire may send the code alone. Used, replaced and expired rows are deleted.
    """

    class Purpose(models.TextChoices):
        ACTIVATE_EMAIL = "activate_email", _("Activation by mail")
        ACTIVATE_SMS = "activate_sms", _("Activation by SMS")
        CHANGE_EMAIL = "change_email", _("Change of the sign-in e-mail")
        CHANGE_PHONE = "change_phone", _("Change of the sign-in phone")
        RESET_PASSWORD = "reset_password", _("New password")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="codes")
    purpose = models.CharField(max_length=16, choices=Purpose.choices)
    digest = models.CharField(max_length=64)
    pepper = models.PositiveSmallIntegerField()
    target = models.CharField(max_length=254, help_text=_("Where it was sent."))
    tries = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(default=now)
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "purpose", "digest"], name="activation_code_unique"
            ),
            models.UniqueConstraint(
                fields=["tenant", "customer", "purpose"], name="activation_code_one_live"
            ),
        ]

    def __str__(self):
        return f"{self.purpose} {self.customer_id}"
