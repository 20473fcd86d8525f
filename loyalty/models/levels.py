"""The levels of a programme."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from loyalty.querysets import LevelQuerySet
from tenancy.clock import now
from tenancy.models import TenantOwned
from tenancy.scoping import owned_manager


class Level(TenantOwned):
    """A step of the programme: who has collected `threshold` stands on it and gets its reward.

    The threshold counts what the programme counts (an amount or points), in hundredths of its
    unit. Special rewards are told to customers; they never decide about a level.
    """

    FIELDS = (
        "name",
        "description",
        "translations",
        "threshold",
        "reward_percent",
        "reward_name",
        "reward_code",
        "special_rewards",
        "min_order",
        "active",
        "position",
    )

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=120)
    description = models.TextField(_("description"), max_length=4_000, blank=True)
    # {"nb": {"name": …, "description": …}}
    translations = models.JSONField(_("translations"), default=dict, blank=True)
    threshold = models.BigIntegerField(_("threshold"), default=0)
    reward_percent = models.PositiveIntegerField(_("reward %"), default=0)
    reward_name = models.CharField(_("reward"), max_length=120, blank=True)
    reward_code = models.CharField(_("reward code"), max_length=64, blank=True)
    # [{"name", "code", "percent" (hundredths), "active", "start_at", "end_at"}]
    special_rewards = models.JSONField(_("special rewards"), default=list, blank=True)
    min_order = models.BigIntegerField(_("smallest purchase"), null=True, blank=True)
    active = models.BooleanField(_("active"), default=True)
    position = models.PositiveIntegerField(_("position"), default=0)
    created_at = models.DateTimeField(_("created"), default=now, editable=False)
    updated_at = models.DateTimeField(_("changed"), default=now, editable=False)

    objects = owned_manager(LevelQuerySet)

    class Meta:
        verbose_name = _("level")
        verbose_name_plural = _("levels")
        ordering = ["position", "threshold", "id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(threshold__gte=0), name="level_threshold"),
        ]
        indexes = [models.Index(fields=["tenant", "threshold"], name="level_threshold_idx")]

    def __str__(self):
        return self.name

    def told(self, language):
        """Name and description in `language`, else as entered, as a pair."""
        own = self.translations.get(language) or {}
        return own.get("name") or self.name, own.get("description") or self.description
