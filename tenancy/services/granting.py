"""Handing on rights: nobody gives what they do not have.

Whoever may make tokens or staff members could otherwise make one that may do more, and go on with
that. What is handed on is therefore compared with the rights of the caller, not of the role.
"""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from tenancy.models import AccessToken
from tenancy.permissions import ADMIN, ROLE_SCOPES
from tenancy.services.staff import create_staff, update_staff
from tenancy.services.tokens import create_token


def grant_token(principal, *, scopes=None, staff=None, stores=(), name="", lifetime=None):
    """Issue a token on behalf of `principal`: for a service, or with `staff` for that member.

    Returns (row, plain text). Raises ValidationError: `scopes` beyond the caller's own (code
    "exceeds"), `stores` outside those that the caller is bound to, `staff` where the caller is no
    administrator, and what `create_token` refuses.
    """
    if staff is not None and principal.kind != ADMIN:
        raise ValidationError(
            {"staff": ValidationError(_("Only administrators issue these."), code="forbidden")}
        )
    wanted = scopes
    if staff is not None and not scopes:
        # Whether none are named or an empty list: a staff member's token then has the role's.
        wanted = ROLE_SCOPES[staff.role]
    _refuse_more_scopes(principal, set(wanted or ()), "scopes")
    _refuse_more_stores(principal, stores)
    holder = AccessToken.Holder.SERVICE if staff is None else AccessToken.Holder.STAFF
    return create_token(
        principal.tenant,
        holder=holder,
        scopes=scopes,
        staff=staff,
        stores=stores,
        name=name,
        lifetime=lifetime,
    )


def grant_staff(principal, email, *, role, stores=(), **fields):
    """Make a new staff member on behalf of `principal`; raises ValidationError: `role` where it
    has more rights than the caller, `email` where the person is one already."""
    _refuse_more_scopes(principal, ROLE_SCOPES.get(role, frozenset()), "role")
    _refuse_more_stores(principal, stores)
    member, _created = create_staff(
        principal.tenant, email, role=role, stores=stores, only_new=True, **fields
    )
    return member


def regrant_staff(principal, member, *, role=None, active=None, stores=None):
    """Change a staff member on behalf of `principal`, who must have all rights of the role before
    and after. Nobody takes the own role or activity away: that could leave a tenant without an
    administrator, and nobody would notice before the next call."""
    if principal.staff is not None and principal.staff.pk == member.pk:
        _refuse_own_end(member, role=role, active=active)
    for each in {member.role, role or member.role}:
        _refuse_more_scopes(principal, ROLE_SCOPES[each], "role")
    if stores is not None:
        _refuse_more_stores(principal, stores)
    return update_staff(member, role=role, active=active, stores=stores)


def _refuse_own_end(member, *, role, active):
    message = _("You cannot take your own rights away; another administrator can.")
    own = ValidationError(message, code="own_rights")
    errors = {}
    if role is not None and role != member.role:
        errors["role"] = own
    if active is False:
        errors["active"] = own
    if errors:
        raise ValidationError(errors)


def _refuse_more_scopes(principal, wanted, field):
    more = sorted(wanted - principal.scopes)
    if more:
        raise ValidationError(
            {
                field: ValidationError(
                    _("You do not have these rights yourself: %(scopes)s."),
                    code="exceeds",
                    params={"scopes": ", ".join(more)},
                )
            }
        )


def _refuse_more_stores(principal, stores):
    bound = principal.store_ids
    if bound and not (stores and {store.pk for store in stores} <= bound):
        raise ValidationError(
            {
                "stores": ValidationError(
                    _("You are bound to stores: name some of them."), code="exceeds"
                )
            }
        )
