"""Tenant isolation: a query on a tenant's table without a named tenant raises.

django-scopes keeps the active tenant per context and supplies the refusing queryset. We add what
it leaves open: `exists()` is refused too, and a scope can only be opened with a real tenant
(django-scopes reads `tenant=None` as "all of them").
"""

from contextlib import contextmanager

from django.db import models
from django_scopes import scope, scopes_disabled
from django_scopes.manager import DisabledQuerySet
from django_scopes.state import get_scope

__all__ = [
    "OwnedQuerySet",
    "all_tenants",
    "current_tenant",
    "in_no_tenant",
    "in_tenant",
    "owned_manager",
]

all_tenants = scopes_disabled


@contextmanager
def in_tenant(tenant):
    """Work for one tenant: every query on a tenant's table inside sees only its rows.

    Raises TypeError for anything but a saved Tenant, so that a forgotten value cannot widen it.
    """
    if tenant is None or tenant.pk is None or not hasattr(tenant, "code"):
        raise TypeError("in_tenant() needs a saved tenant")
    with scope(tenant=tenant):
        yield tenant


@contextmanager
def in_no_tenant():
    """Work for nobody in particular: whatever scope was open, a tenant must be named anew."""
    with scope(tenant=None):
        yield


def current_tenant():
    """The tenant of the active scope, or None outside of any (and inside `all_tenants()`)."""
    active = get_scope()
    return active.get("tenant") if active.get("_enabled", True) else None


class OwnedQuerySet(models.QuerySet):
    """The base of every queryset over a table that carries a tenant."""


class UnscopedQuerySet(DisabledQuerySet):
    """What a manager hands out while no tenant is named: raises on the first real use."""

    exists = DisabledQuerySet.error
    exclude = DisabledQuerySet.error
    in_bulk = DisabledQuerySet.error
    contains = DisabledQuerySet.error
    explain = DisabledQuerySet.error
    bulk_update = DisabledQuerySet.error

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return self.error


def owned_manager(queryset_class=OwnedQuerySet, **always):
    """A manager for a model with a `tenant`: scoped when a tenant is named, refusing otherwise.

    `always` are conditions that hold for every row it hands out.
    """

    class OwnedManager(models.Manager.from_queryset(queryset_class)):
        def get_queryset(self):
            active = get_scope()
            if not active.get("_enabled", True):
                rows = super().get_queryset()
            elif active.get("tenant") is None:
                return UnscopedQuerySet(self.model, using=self._db, missing_scopes={"tenant"})
            else:
                rows = super().get_queryset().filter(tenant=active["tenant"])
            return rows.filter(**always) if always else rows

    return OwnedManager()
