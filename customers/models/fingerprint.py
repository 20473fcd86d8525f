"""What makes a registration that is sent again one and the same."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models.customer import Customer
from tenancy.clock import now
from tenancy.models import TenantOwned


class Fingerprint(TenantOwned):
    """A message that registered a customer, known by the digest of its content.

    The digest is made with a key that the database never sees, so that nobody can try messages out
    against the table. It has no time limit: clients send again over days. A record that is merged
    keeps its own, which lead to the survivor.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="fingerprints")
    digest = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(_("created"), default=now, editable=False)

    class Meta:
        verbose_name = _("fingerprint of a message")
        verbose_name_plural = _("fingerprints of messages")
        ordering = ["created_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "digest"], name="fingerprint_unique")
        ]

    def __str__(self):
        return str(self.id)
