"""How far the events of a tenant are numbered, and how far they have been cleared away."""

from django.db import models

from tenancy.models import TenantOwned


class Feed(TenantOwned):
    """One row per tenant: whoever numbers its events holds this row while doing so.

    `last_position` is the highest number given out; `pruned_position` the highest whose event may
    be gone because it was too old.
    """

    last_position = models.BigIntegerField(default=0)
    pruned_position = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant"], name="feed_one_per_tenant")]

    def __str__(self):
        return f"feed to {self.last_position}"
