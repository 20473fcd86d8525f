"""What earns points."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from loyalty.models.levels import Level
from loyalty.querysets import EarningRuleQuerySet
from tenancy.clock import now
from tenancy.models import TenantOwned
from tenancy.scoping import owned_manager


class EarningRule(TenantOwned):
    """A rule that gives points: for what is bought, for registering, for the newsletter.

    `rate` is points per whole unit of the currency, in ten-thousandths of a point; `points` a
    fixed number in hundredths. Active from `active_from` on and before `active_to`.
    """

    class Kind(models.TextChoices):
        PURCHASE = "purchase", _("Per currency unit of a purchase")
        REGISTRATION = "registration", _("For registering")
        NEWSLETTER = "newsletter", _("For consent to the newsletter, once in a lifetime")

    FIELDS = (
        "name",
        "kind",
        "rate",
        "points",
        "min_amount",
        "exclude_delivery",
        "multipliers",
        "active",
        "active_from",
        "active_to",
    )

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    rate = models.BigIntegerField(_("points per currency unit"), default=0)
    points = models.BigIntegerField(_("points"), default=0)
    min_amount = models.BigIntegerField(_("smallest purchase"), default=0)
    exclude_delivery = models.BooleanField(_("without delivery cost"), default=True)
    active = models.BooleanField(_("active"), default=True)
    active_from = models.DateTimeField(_("active from"), null=True, blank=True)
    active_to = models.DateTimeField(_("active to"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), default=now, editable=False)
    updated_at = models.DateTimeField(_("changed"), default=now, editable=False)

    objects = owned_manager(EarningRuleQuerySet)

    class Meta:
        verbose_name = _("earning rule")
        verbose_name_plural = _("earning rules")
        ordering = ["kind", "name", "id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=["purchase", "registration", "newsletter"]),
                name="earning_rule_kind",
            ),
            models.CheckConstraint(
                condition=models.Q(rate__gte=0, points__gte=0, min_amount__gte=0),
                name="earning_rule_not_negative",
            ),
        ]
        indexes = [models.Index(fields=["tenant", "kind"], name="earning_rule_kind_idx")]

    def __str__(self):
        return self.name


class LevelMultiplier(TenantOwned):
    """How many times as much a rule gives on a level, in ten-thousandths; without a row: once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    rule = models.ForeignKey(EarningRule, on_delete=models.CASCADE, related_name="multipliers")
    level = models.ForeignKey(Level, on_delete=models.CASCADE, related_name="+")
    factor = models.PositiveIntegerField(_("times"), default=10_000)

    class Meta:
        verbose_name = _("multiplier of a level")
        verbose_name_plural = _("multipliers of levels")
        constraints = [
            models.UniqueConstraint(fields=["tenant", "rule", "level"], name="multiplier_once")
        ]

    def __str__(self):
        return str(self.id)
