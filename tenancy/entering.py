"""Which tenant a person of the back office works in: one at a time, among the own ones.

A superuser is an operator: no membership is needed, but the tenant must be chosen.
"""

import uuid

from tenancy.models import Tenant
from tenancy.permissions import ADMIN


def memberships_of(user):
    """The user's active memberships in active tenants, the default one first."""
    return user.workplaces if user.is_authenticated and user.is_active else []


def tenant_to_enter(user, chosen=None):
    """The tenant that a session works in, or None.

    `chosen` is what the session remembers. It counts only while the user may (still) enter it;
    else the default membership does, else the first. An operator without a membership and without
    a choice works in none.
    """
    memberships = memberships_of(user)
    for membership in memberships:
        if str(membership.tenant_id) == str(chosen):
            return membership.tenant
    if user.is_authenticated and user.is_active and user.is_superuser:
        tenant = find_tenant(chosen)
        if tenant is not None:
            return tenant
    return memberships[0].tenant if memberships else None


def may_enter(user, tenant):
    """Whether the user may work in `tenant`: as a member, or as an operator."""
    if tenant is None or not tenant.active or not user.is_active:
        return False
    return user.is_superuser or user.membership_in(tenant) is not None


def find_tenant(tenant_id):
    """The active tenant with this id, given as anything a session or form may hold; or None."""
    try:
        return Tenant.objects.filter(pk=uuid.UUID(str(tenant_id)), active=True).first()
    except ValueError:
        return None


def role_in(user, tenant):
    """The role of a user in a tenant; an operator without a membership has the admin's."""
    member = user.membership_in(tenant)
    if member is not None:
        return member.role
    return ADMIN if user.is_superuser and user.is_active and tenant is not None else None
