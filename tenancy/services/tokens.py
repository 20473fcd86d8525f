"""Access tokens: issued once, looked up by prefix, compared in constant time, revocable."""

import uuid
from dataclasses import dataclass, field
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Value
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext_lazy as _

from tenancy import clock, permissions, secrets
from tenancy.models import AccessToken, StaffStore, Tenant, TokenStore
from tenancy.scoping import all_tenants

PREFIX_LENGTH = 12
# A token's last use is written at most this often: a read must not become a write every time.
USE_RESOLUTION = timedelta(minutes=1)


@dataclass(frozen=True)
class Principal:
    """Who is calling: what the permission table, the services and the history need to know."""

    kind: str  # permissions.ADMIN, SELLER, SERVICE or CUSTOMER
    tenant: Tenant
    scopes: frozenset
    token: AccessToken | None = None
    staff: object = None
    customer_id: uuid.UUID | None = None
    store_ids: frozenset = field(default_factory=frozenset)
    label: str = ""

    is_authenticated = True
    is_active = True

    @property
    def pk(self):
        """What throttles and idempotency keys count by: the account, not the token's text."""
        if self.customer_id:
            return f"customer:{self.customer_id}"
        if self.staff:
            return f"staff:{self.staff.pk}"
        return f"service:{self.token.pk}"

    def may(self, operation):
        """Whether the permission table lets this caller do `operation`."""
        return permissions.allows(operation, role=self.kind, scopes=self.scopes)


def create_token(
    tenant, *, holder, scopes=None, staff=None, customer_id=None, stores=(), name="", lifetime=None
):
    """Issue an access token and return (row, plain text); the text cannot be shown again.

    A staff member's token has the scopes of the role, or the given ones among them; a service's
    has exactly the given ones. Raises ValidationError naming `scopes`, `staff` or `stores`.
    """
    scopes = None if scopes is None else set(scopes)
    unknown = (scopes or set()) - set(permissions.SCOPES)
    if unknown:
        raise ValidationError({"scopes": _("Unknown scope: %s.") % ", ".join(sorted(unknown))})
    if holder == AccessToken.Holder.STAFF:
        if staff is None or staff.tenant_id != tenant.pk:
            raise ValidationError({"staff": _("A staff member of this tenant is needed.")})
        allowed = permissions.ROLE_SCOPES[staff.role] | {"password_hash"}
        if scopes is not None and not scopes <= allowed:
            raise ValidationError({"scopes": _("The role does not have all of these scopes.")})
    elif holder == AccessToken.Holder.SERVICE and not scopes:
        raise ValidationError({"scopes": _("Name at least one scope.")})
    if any(store.tenant_id != tenant.pk for store in stores):
        raise ValidationError({"stores": _("No such store.")})
    row, plain = _new_token(
        tenant,
        holder=holder,
        kind=AccessToken.Kind.ACCESS,
        scopes=sorted(scopes or ()),
        staff=staff,
        customer_id=customer_id,
        name=name,
        expires_at=None if lifetime is None else clock.now() + lifetime,
    )
    with all_tenants():
        TokenStore.objects.bulk_create(
            [TokenStore(tenant=tenant, token=row, store=store) for store in stores]
        )
    return row, plain


def issue_pair(tenant, *, holder, staff=None, customer_id=None, family=None):
    """Issue the short-lived pair that a sign-in or a refresh answers with.

    Returns {"access_token", "refresh_token", "expires_in" (seconds)}.
    """
    lifetime = timedelta(minutes=settings.ACCESS_TOKEN_MINUTES)
    common = {
        "holder": holder,
        "staff": staff,
        "customer_id": customer_id,
        "family": family or uuid.uuid4(),
    }
    _row, access = _new_token(
        tenant, kind=AccessToken.Kind.ACCESS, expires_at=clock.now() + lifetime, **common
    )
    _row, refresh = _new_token(
        tenant,
        kind=AccessToken.Kind.REFRESH,
        expires_at=clock.now() + timedelta(days=settings.REFRESH_TOKEN_DAYS),
        **common,
    )
    return {
        "access_token": access,
        "refresh_token": refresh,
        "expires_in": int(lifetime.total_seconds()),
    }


def find_token(plain, *, kind=AccessToken.Kind.ACCESS):
    """The live token row with this text, or None; costs one query and no password hash."""
    if not _looks_like_a_token(plain):
        return None
    prefix = plain[:PREFIX_LENGTH]
    with all_tenants():
        row = (
            AccessToken.objects.live()
            .select_related("tenant", "staff__user", "staff__tenant")
            .filter(prefix=prefix, kind=kind)
            .first()
        )
    return row if row is not None and _is_text_of(row, plain) else None


def find_used_refresh_token(plain):
    """The row of a refresh token that was used or revoked before, by its whole text, or None."""
    if not _looks_like_a_token(plain):
        return None
    with all_tenants():
        row = AccessToken.objects.filter(
            prefix=plain[:PREFIX_LENGTH], kind=AccessToken.Kind.REFRESH, revoked_at__isnull=False
        ).first()
    return row if row is not None and _is_text_of(row, plain) else None


def _looks_like_a_token(plain):
    # Whatever else a caller sends must not reach the database, which refuses some characters.
    return isinstance(plain, str) and plain.isascii() and plain.isprintable()


def _is_text_of(row, plain):
    if row.pepper not in secrets.peppers():
        return False
    expected = secrets.digest(plain, pepper=row.pepper, purpose="token")
    return constant_time_compare(expected, row.digest)


def principal_of(plain):
    """The caller behind an access token's text, or None when it is not accepted.

    A token ends with its tenant, its staff member or its user; a customer's token is revoked by
    the deed that blocks or erases the customer.
    """
    row = find_token(plain)
    if row is None or not row.tenant.active:
        return None
    store_ids = _bound_stores(row)
    if store_ids is None:
        return None
    _note_use(row)
    if row.holder == AccessToken.Holder.STAFF:
        staff = row.staff
        if not (staff.active and staff.user.is_active):
            return None
        scopes = permissions.ROLE_SCOPES[staff.role]
        if row.scopes:
            scopes = frozenset(row.scopes) & (scopes | {"password_hash"})
        return Principal(
            kind=staff.role,
            tenant=row.tenant,
            scopes=frozenset(scopes),
            token=row,
            staff=staff,
            store_ids=store_ids,
            label=str(staff.user),
        )
    if row.holder == AccessToken.Holder.CUSTOMER:
        return Principal(
            kind=permissions.CUSTOMER,
            tenant=row.tenant,
            scopes=frozenset(),
            token=row,
            customer_id=row.customer_id,
            label="customer",
        )
    return Principal(
        kind=permissions.SERVICE,
        tenant=row.tenant,
        scopes=frozenset(row.scopes),
        token=row,
        store_ids=store_ids,
        label=row.name or "service",
    )


def _bound_stores(row):
    """The stores a caller is limited to, empty for none: those of the token, within those of the
    staff member. None where the two leave no store at all."""
    with all_tenants():
        pairs = list(
            TokenStore.objects.filter(token=row)
            .values_list("store_id", Value("token"))
            .union(
                StaffStore.objects.filter(staff=row.staff_id).values_list(
                    "store_id", Value("staff")
                )
            )
        )
    of_token = frozenset(store_id for store_id, owner in pairs if owner == "token")
    of_staff = frozenset(store_id for store_id, owner in pairs if owner == "staff")
    if of_token and of_staff:
        return of_token & of_staff or None
    return of_token or of_staff


def revoke_token(token):
    """Revoke one token and what was issued with it; repeatable."""
    with all_tenants():
        revoke_tokens(AccessToken.objects.filter(family=token.family))


def revoke_family(family):
    """Revoke every token of one sign-in."""
    with all_tenants():
        revoke_tokens(AccessToken.objects.filter(family=family))


def revoke_sessions(principal):
    """End every sign-in of this caller's account, on all devices; long-lived tokens, which somebody
    issued on purpose, go on."""
    with all_tenants():
        tokens = AccessToken.objects.filter(tenant=principal.tenant)
        if principal.customer_id is not None:
            tokens = tokens.filter(customer_id=principal.customer_id)
        elif principal.staff is not None:
            tokens = tokens.filter(staff=principal.staff)
        else:
            return 0
        signed_in = tokens.filter(kind=AccessToken.Kind.REFRESH, revoked_at=None)
        families = list(signed_in.values_list("family", flat=True))
        return revoke_tokens(tokens.filter(family__in=families))


def revoke_customer_tokens(customer_id):
    """End every session of a customer: deactivation, erasure, a new password."""
    with all_tenants():
        revoke_tokens(AccessToken.objects.filter(customer_id=customer_id))


def revoke_tokens(queryset):
    """Revoke every live token of the queryset; returns how many.

    A refresh that is under way ends the old pair and makes a new one, which this UPDATE, having
    waited for it, would not see. As long as one looks alive there is more to do: a refresh that
    has not committed still shows its old pair.
    """
    n_revoked, live = 0, queryset.filter(revoked_at=None)
    while live.exists():
        n_revoked += live.update(revoked_at=clock.now())
    return n_revoked


def _new_token(tenant, *, kind, **fields):
    plain = secrets.random_token(32)
    with all_tenants():
        row = AccessToken.objects.create(
            tenant=tenant,
            kind=kind,
            prefix=plain[:PREFIX_LENGTH],
            pepper=secrets.current_pepper(),
            digest=secrets.digest(plain, purpose="token"),
            **fields,
        )
    return row, plain


def _note_use(row):
    instant = clock.now()
    if row.used_at is None or instant - row.used_at > USE_RESOLUTION:
        with all_tenants():
            AccessToken.objects.filter(pk=row.pk).update(used_at=instant)
