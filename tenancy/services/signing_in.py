"""Signing in as staff: counted before the password is hashed, alike for known and unknown."""

import re

from django.contrib.auth.hashers import check_password, make_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from tenancy import clock
from tenancy.models import CODE_PATTERN, AccessToken, Tenant, User
from tenancy.scoping import all_tenants
from tenancy.services.counting import count_or_refuse, forget_count
from tenancy.services.staff import set_user_password
from tenancy.services.tokens import (
    find_token,
    find_used_refresh_token,
    issue_pair,
    revoke_family,
)

# Per account whoever asks, and per address whichever account: a quarter of an hour each.
WINDOW = 15 * 60
TRIES_PER_ACCOUNT = 10
TRIES_PER_ADDRESS = 100
LONGEST_PASSWORD = 128


class SignInRefused(Exception):
    """Wrong account or password, or an account that may not sign in: never said which."""


class AccountInactive(SignInRefused):
    """The password is right, but the membership was ended: told only to who knows the password,
    and only where a wire promises it."""


def count_sign_in(account, address, *, realm):
    """Count one try for the account and for the address; raises TooManyTries.

    `realm` keeps staff ("staff") and the customers of each tenant apart.
    """
    count_or_refuse(
        "sign-in-address", f"{realm}:{address}", limit=TRIES_PER_ADDRESS, seconds=WINDOW
    )
    count_or_refuse(
        "sign-in-account", f"{realm}:{account}", limit=TRIES_PER_ACCOUNT, seconds=WINDOW
    )


def forget_sign_in(account, *, realm):
    """After a success the account's earlier failures no longer count."""
    forget_count("sign-in-account", f"{realm}:{account}")


def check_or_burn(password, encoded):
    """Whether the password matches; spends the same work when there is nothing to compare."""
    if not isinstance(password, str) or len(password) > LONGEST_PASSWORD:
        return False
    if not encoded or encoded.startswith("!"):
        make_password(password)
        return False
    return check_password(password, encoded)


def authenticate_user(email, password, *, address):
    """The user with this e-mail and password, or None; raises TooManyTries.

    The try is counted first (one atomic UPDATE), the hash is computed second, and an unknown
    e-mail costs the same hash as a known one.
    """
    account = str(email or "").strip().lower()[:254]
    count_sign_in(account, address, realm="staff")
    user = User.objects.filter(email=account).first()
    matches = check_or_burn(password, user.password if user else None)
    if not (matches and user.is_active):
        return None
    forget_sign_in(account, realm="staff")
    return user


def sign_in_staff(tenant, email, password, *, address, role=None):
    """Sign a staff member in to `tenant`; answers the token pair of `issue_pair`.

    With `role` only a member of that role. Raises SignInRefused (AccountInactive for a member who
    was switched off), or TooManyTries.
    """
    user = authenticate_user(email, password, address=address)
    if user is None or not (tenant and tenant.active):
        raise SignInRefused
    return _signed_in(user, user.membership_in(tenant), tenant=tenant, role=role)


def sign_in_staff_anywhere(email, password, *, address, role=None):
    """Sign a staff member in to the tenant of the only, or the default, membership.

    Otherwise as `sign_in_staff`.
    """
    user = authenticate_user(email, password, address=address)
    if user is None:
        raise SignInRefused
    with all_tenants():
        memberships = user.memberships.filter(active=True, tenant__active=True)
        found = list(memberships.select_related("tenant").order_by("-default", "created_at")[:2])
    member = found[0] if len(found) == 1 or (found and found[0].default) else None
    return _signed_in(user, member, role=role)


def _signed_in(user, member, *, tenant=None, role):
    if member is None or role not in (None, member.role):
        with all_tenants():
            ended = user.memberships.filter(active=False)
            ended = ended.filter(tenant=tenant) if tenant else ended
            was_one = (ended.filter(role=role) if role else ended).exists()
        raise AccountInactive if member is None and was_one else SignInRefused
    User.objects.filter(pk=user.pk).update(last_login=clock.now())
    return issue_pair(member.tenant, holder=AccessToken.Holder.STAFF, staff=member)


def refresh_tokens(plain, *, tenant=None):
    """Exchange a refresh token for a new pair; the old pair ends.

    A refresh token that was used before ends the whole family, because somebody else has a copy.
    Raises SignInRefused, also when the caller names a `tenant` that is not the token's.
    """
    row = find_token(plain, kind=AccessToken.Kind.REFRESH)
    if row is None:
        _punish_reuse(plain)
        raise SignInRefused
    if tenant is not None and row.tenant_id != tenant.pk:
        raise SignInRefused
    if not row.tenant.active or (row.staff and not (row.staff.active and row.staff.user.is_active)):
        raise SignInRefused
    with transaction.atomic(), all_tenants():
        taken = AccessToken.objects.filter(pk=row.pk, revoked_at=None).update(
            revoked_at=clock.now()
        )
        if not taken:
            raise SignInRefused
        AccessToken.objects.filter(
            family=row.family, kind=AccessToken.Kind.ACCESS, revoked_at=None
        ).update(revoked_at=clock.now())
        return issue_pair(
            row.tenant,
            holder=row.holder,
            staff=row.staff,
            customer_id=row.customer_id,
            family=row.family,
        )


def change_password(user, *, current, new, address):
    """Set a new password after the current one; ends every token of the person.

    Raises ValidationError naming `current_password` or `password`, or TooManyTries.
    """
    if authenticate_user(user.email, current, address=address) is None:
        raise ValidationError({"current_password": _("This is not your password.")})
    set_user_password(user, new)


def tenant_by_code(code):
    """The active tenant with this code in any letter case, or None."""
    if not isinstance(code, str) or not re.match(CODE_PATTERN, code):
        return None
    return Tenant.objects.filter(code__iexact=code, active=True).first()


def only_tenant():
    """The one active tenant of an installation that has no other, or None."""
    found = list(Tenant.objects.filter(active=True)[:2])
    return found[0] if len(found) == 1 else None


def _punish_reuse(plain):
    row = find_used_refresh_token(plain)
    if row is not None:
        revoke_family(row.family)
