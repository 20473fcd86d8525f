"""A way of looking at the list of customers that somebody wants to find again."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from tenancy.clock import now
from tenancy.models import StaffMember, TenantOwned
from tenancy.scoping import OwnedQuerySet, owned_manager


class SavedViewQuerySet(OwnedQuerySet):
    def for_member(self, member):
        """Those that a staff member may open: their own, and what others share."""
        return self.filter(models.Q(member=member) | models.Q(shared=True))


class SavedView(TenantOwned):
    """Filters and order of the list of customers under a name.

    `query` is the query string without what was searched for: a search names people, and a view
    outlives them.
    """

    MOST_PER_MEMBER = 50

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    member = models.ForeignKey(
        StaffMember, on_delete=models.CASCADE, related_name="+", verbose_name=_("staff member")
    )
    name = models.CharField(_("name"), max_length=60)
    query = models.CharField(max_length=1_000)
    shared = models.BooleanField(_("shared"), default=False)
    created_at = models.DateTimeField(_("saved"), default=now, editable=False)

    objects = owned_manager(SavedViewQuerySet)

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "member", "name"], name="saved_view_name_once"
            ),
        ]

    def __str__(self):
        return self.name
