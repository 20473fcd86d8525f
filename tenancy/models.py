"""Tenants, stores, users, staff members and access tokens.

Tables without a tenant, and why: `User` (one person may work for several tenants), `Tenant`
itself, `RateCounter` (it counts before anybody knows which tenant a caller belongs to), and the
queue of django-tasks-db (a worker serves all tenants; a row there is the id of a job, no more). A
`Job` of the installation has no tenant, and no tenant sees it.
"""

import uuid
from decimal import Decimal
from functools import cached_property

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

import tenancy.lookups  # noqa: F401 - makes `among` known to every column
from tenancy import permissions
from tenancy.clock import now
from tenancy.scoping import OwnedQuerySet, all_tenants, current_tenant, owned_manager
from tenancy.tenant_settings import SETTINGS

# Words that stand where a tenant's code stands in some URL; a test compares them with the routes.
RESERVED_CODES = frozenset(
    ("v1", "v2", "v3", "admin", "seller", "customer", "token", "password", "pos")
)
CODE_PATTERN = r"^[A-Za-z0-9_-]{1,64}\Z"
validate_code = RegexValidator(
    CODE_PATTERN, _("Use letters, digits, hyphen and underscore, 64 at most.")
)


class Tenant(models.Model):
    """A business with its own customers. Everything of ours belongs to exactly one."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    code = models.CharField(_("code"), max_length=64, validators=[validate_code])
    name = models.CharField(_("name"), max_length=200)
    currency = models.CharField(_("currency"), max_length=3, default="EUR")
    country = models.CharField(
        _("country"), max_length=2, blank=True, help_text=_("Two letters; phones are read by it.")
    )
    timezone = models.CharField(_("time zone"), max_length=64, default="UTC")
    settings = models.JSONField(_("settings"), default=dict, blank=True)
    active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created"), default=now, editable=False)
    last_customer_number = models.BigIntegerField(default=0, editable=False)
    last_subscription_code = models.BigIntegerField(default=0, editable=False)

    class Meta:
        verbose_name = _("tenant")
        verbose_name_plural = _("tenants")
        ordering = ["code"]
        constraints = [models.UniqueConstraint(Lower("code"), name="tenant_code_unique")]

    def __str__(self):
        return self.name or self.code

    def setting(self, name):
        """The value of a setting, or its default; KeyError for a name the table lacks."""
        return self.settings.get(name, SETTINGS[name].default)


class TenantOwned(models.Model):
    """What every table of a tenant shares: the tenant, and managers that insist on one.

    The tenant alone has no index: it selects nothing that the indexes led by it do not select
    better, and a planner without statistics would be tempted by it.
    """

    tenant = models.ForeignKey(
        Tenant,
        on_delete=models.CASCADE,
        related_name="+",
        editable=False,
        db_index=False,
        verbose_name=_("tenant"),
    )

    objects = owned_manager()

    class Meta:
        abstract = True


class Store(TenantOwned):
    """A shop of a tenant. One of them is the default: who has no home store is listed there."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    code = models.CharField(_("code"), max_length=64, validators=[validate_code])
    name = models.CharField(_("name"), max_length=200)
    location_id = models.PositiveIntegerField(_("location number"))
    country = models.CharField(
        _("country"), max_length=2, blank=True, help_text=_("Empty: the tenant's country.")
    )
    default = models.BooleanField(_("default store"), default=False)
    # Where it stands, in millionths of a degree: SQLite keeps decimals as floating point.
    latitude_micro = models.IntegerField(null=True, blank=True, editable=False)
    longitude_micro = models.IntegerField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), default=now, editable=False)

    class Meta:
        verbose_name = _("store")
        verbose_name_plural = _("stores")
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint("tenant", Lower("code"), name="store_code_unique"),
            models.UniqueConstraint(fields=["tenant", "location_id"], name="store_location_unique"),
            models.UniqueConstraint(
                fields=["tenant"], condition=models.Q(default=True), name="store_one_default"
            ),
            models.CheckConstraint(
                condition=models.Q(latitude_micro=None, longitude_micro=None)
                | models.Q(
                    latitude_micro__gte=-90_000_000,
                    latitude_micro__lte=90_000_000,
                    longitude_micro__gte=-180_000_000,
                    longitude_micro__lte=180_000_000,
                ),
                name="store_place",
            ),
        ]

    def __str__(self):
        return self.name

    @property
    def latitude(self):
        """Degrees north as a Decimal, or None."""
        return _degrees(self.latitude_micro)

    @property
    def longitude(self):
        """Degrees east as a Decimal, or None."""
        return _degrees(self.longitude_micro)


def _degrees(micro):
    return None if micro is None else Decimal(micro).scaleb(-6)


class UserManager(BaseUserManager):
    """Finds users by e-mail in any letter case; Django's commands create operators through it."""

    def get_by_natural_key(self, email):
        return self.get(email=email.strip().lower())

    def create_superuser(self, email, password=None, **fields):
        """Create an operator; what `manage.py createsuperuser` calls after its own checks."""
        user = self.model(email=email.strip().lower(), is_superuser=True, **fields)
        user.set_password(password)
        user.full_clean(validate_unique=False)
        user.save()
        return user


class User(AbstractBaseUser):
    """A person who signs in to the back office, by e-mail, unique in the installation.

    Holds no permission: `has_perm` answers from the permission table and the membership in the
    tenant that is active now. A superuser is an operator.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(_("e-mail"), unique=True, max_length=254)
    name = models.CharField(_("name"), max_length=200, blank=True)
    language = models.CharField(_("language"), max_length=10, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    is_superuser = models.BooleanField(_("operator"), default=False)
    created_at = models.DateTimeField(_("created"), default=now, editable=False)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        ordering = ["email"]

    def __str__(self):
        return self.name or self.email

    def get_full_name(self):
        return self.name

    def get_short_name(self):
        return self.name.split(" ")[0] if self.name else self.email

    @property
    def is_staff(self):
        """Whether the back office lets this person in at all."""
        return self.is_active and (self.is_superuser or bool(self.workplaces))

    @cached_property
    def workplaces(self):
        """The active memberships in active tenants, the default one first. Remembered for this
        object's life."""
        with all_tenants():
            rows = self.memberships.filter(active=True, tenant__active=True)
            return list(rows.select_related("tenant").order_by("-default", "tenant__code"))

    def membership_in(self, tenant):
        """The active membership in `tenant`, or None. Remembered for this object's life."""
        if tenant is None or not self.is_active:
            return None
        memory = self.__dict__.setdefault("_memberships", {})
        if tenant.pk not in memory:
            known = [one for one in self.__dict__.get("workplaces", ()) if one.tenant == tenant]
            memory[tenant.pk] = known[0] if known else self._ask_for_membership(tenant)
        return memory[tenant.pk]

    def _ask_for_membership(self, tenant):
        with all_tenants():
            return self.memberships.filter(tenant=tenant, active=True).first()

    def has_perm(self, perm, obj=None):
        """Django's question, answered by the permission table for the tenant active now."""
        operation = permissions.operation_for(perm)
        if operation is None or not self.is_active:
            return False
        tenant = current_tenant()
        owner = getattr(obj, "tenant_id", None)
        if owner is not None and (tenant is None or owner != tenant.pk):
            return False
        member = self.membership_in(tenant)
        role = member.role if member else permissions.ADMIN if self.is_superuser else None
        if role is None or tenant is None:
            return False
        return permissions.allows(operation, role=role, scopes=permissions.ROLE_SCOPES[role])

    def has_perms(self, perm_list, obj=None):
        return all(self.has_perm(perm, obj) for perm in perm_list)

    def has_module_perms(self, app_label):
        models_of_app = [m for m in permissions.MODEL_OPERATIONS if m.startswith(f"{app_label}.")]
        return any(
            self.has_perm(f"{app_label}.view_{name.partition('.')[2]}") for name in models_of_app
        )


class StaffMember(TenantOwned):
    """A user's membership in a tenant: the role, and the stores it is limited to (none: all)."""

    class Role(models.TextChoices):
        ADMIN = permissions.ADMIN, _("Administrator")
        SELLER = permissions.SELLER, _("Seller")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        User, on_delete=models.CASCADE, related_name="memberships", verbose_name=_("user")
    )
    role = models.CharField(_("role"), max_length=16, choices=Role.choices)
    stores = models.ManyToManyField(
        Store, through="StaffStore", blank=True, related_name="+", verbose_name=_("stores")
    )
    active = models.BooleanField(_("active"), default=True)
    default = models.BooleanField(
        _("default"), default=False, help_text=_("The tenant this person starts in.")
    )
    created_at = models.DateTimeField(_("created"), default=now, editable=False)

    class Meta:
        verbose_name = _("staff member")
        verbose_name_plural = _("staff members")
        ordering = ["user__email"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "user"], name="staff_user_once_per_tenant")
        ]

    def __str__(self):
        return str(self.user)


class StaffStore(TenantOwned):
    """A store that a staff member is limited to."""

    staff = models.ForeignKey(StaffMember, on_delete=models.CASCADE, related_name="+")
    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "staff", "store"], name="staff_store_once")
        ]

    def __str__(self):
        return f"{self.staff_id} {self.store_id}"


class AccessTokenQuerySet(OwnedQuerySet):
    def live(self):
        """Tokens that would be accepted now, as far as the row itself can say."""
        return self.filter(revoked_at=None).filter(
            models.Q(expires_at=None) | models.Q(expires_at__gt=now())
        )


class AccessToken(TenantOwned):
    """A credential of a staff member, a service or a customer, shown once.

    Only the prefix and an HMAC under a numbered pepper are stored, so that the table is not a key
    ring. A sign-in makes a pair (access, refresh) of one `family`; a refresh token used twice
    revokes its family. The customer is an id without a foreign key: customers stand above.
    """

    class Kind(models.TextChoices):
        ACCESS = "access", _("Access")
        REFRESH = "refresh", _("Refresh")

    class Holder(models.TextChoices):
        STAFF = "staff", _("Staff member")
        SERVICE = "service", _("Service")
        CUSTOMER = "customer", _("Customer")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices, default=Kind.ACCESS)
    holder = models.CharField(_("holder"), max_length=8, choices=Holder.choices)
    name = models.CharField(_("name"), max_length=200, blank=True)
    staff = models.ForeignKey(
        StaffMember,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="tokens",
        verbose_name=_("staff member"),
    )
    customer_id = models.UUIDField(_("customer"), null=True, blank=True, db_index=True)
    scopes = models.JSONField(_("scopes"), default=list)
    stores = models.ManyToManyField(
        Store, through="TokenStore", blank=True, related_name="+", verbose_name=_("stores")
    )
    prefix = models.CharField(_("prefix"), max_length=16, editable=False)
    pepper = models.PositiveSmallIntegerField(editable=False)
    digest = models.CharField(max_length=64, editable=False)
    family = models.UUIDField(default=uuid.uuid4, editable=False, db_index=True)
    created_at = models.DateTimeField(_("created"), default=now, editable=False)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)

    objects = owned_manager(AccessTokenQuerySet)

    class Meta:
        verbose_name = _("access token")
        verbose_name_plural = _("access tokens")
        ordering = ["-created_at"]
        constraints = [
            # Not led by the tenant: the caller names no tenant, the token tells it.
            models.UniqueConstraint(fields=["prefix"], name="token_prefix_unique"),
            models.CheckConstraint(
                condition=(
                    models.Q(holder="staff", staff__isnull=False, customer_id=None)
                    | models.Q(holder="customer", staff=None, customer_id__isnull=False)
                    | models.Q(holder="service", staff=None, customer_id=None)
                ),
                name="token_one_holder",
            ),
        ]

    def __str__(self):
        return f"{self.name or self.get_holder_display()} {self.prefix}…"


class TokenStore(TenantOwned):
    """A store that a token is bound to: it registers, sells and adjusts only there."""

    token = models.ForeignKey(AccessToken, on_delete=models.CASCADE, related_name="+")
    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "token", "store"], name="token_store_once")
        ]

    def __str__(self):
        return f"{self.token_id} {self.store_id}"


class RateCounter(models.Model):
    """How often something was tried in one window of time: sign-ins, codes, messages.

    In the database, because every process must see the same count. `key` names the rule and an
    HMAC of whom it counts (an address, an account), never the plain value.
    """

    key = models.CharField(max_length=120, primary_key=True)
    count = models.PositiveIntegerField(default=0)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self):
        return self.key
