"""Targets of other servers' that fail, so that nobody waits for them again and again."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from tenancy.clock import now


class Circuit(models.Model):
    """A target that has failed lately; one that works has no row.

    It belongs to no tenant: the SMS gateway is the installation's, and what is a tenant's names
    its own object (`webhook:<id>`). While `open_until` lies ahead nobody is let through.
    """

    target = models.CharField(_("target"), max_length=200, primary_key=True)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    open_until = models.DateTimeField(_("not asked until"), null=True)
    failed_at = models.DateTimeField(_("last failure"), default=now)

    class Meta:
        verbose_name = _("circuit")
        verbose_name_plural = _("circuits")

    def __str__(self):
        return self.target
