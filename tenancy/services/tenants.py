"""Tenants and stores."""

from functools import partial

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Max
from django.utils.translation import gettext_lazy as _

import normalise
from tenancy.hooks import hooks
from tenancy.integrity import refusals
from tenancy.models import RESERVED_CODES, Store, Tenant
from tenancy.scoping import in_tenant
from tenancy.tenant_settings import clean_settings

TENANT_FIELDS = ("name", "currency", "country", "timezone", "active")
STORE_FIELDS = ("code", "name", "location_id", "country", "default", "latitude", "longitude")
# Their columns hold whole numbers.
DEGREES = {"latitude": 90, "longitude": 180}


def create_tenant(code, *, settings=None, bare=False, **fields):
    """Create a tenant and, unless `bare`, its default store and what higher apps give a new one
    (a programme with one level); idempotent by code.

    Returns (tenant, created). Raises ValidationError naming the field: a code that is malformed
    or reserved, an unknown currency, country, time zone or setting.
    """
    existing = Tenant.objects.filter(code__iexact=code).first()
    if existing:
        return existing, False
    if code.lower() in RESERVED_CODES:
        raise ValidationError({"code": _("This word is reserved.")}, code="reserved")
    tenant = Tenant(code=code, settings=clean_settings(settings or {}))
    _fill(tenant, fields, TENANT_FIELDS)
    tenant.name = tenant.name or code
    with transaction.atomic():
        _save(tenant, {"tenant_code_unique": ("code", _("This code is taken."))})
        if not bare:
            with in_tenant(tenant):
                create_store(tenant, "main", name=tenant.name)
                for hook in hooks.created:
                    hook(tenant)
    return tenant, True


def update_tenant(tenant, *, settings=None, **fields):
    """Change a tenant's own fields and merge `settings` into its settings."""
    with transaction.atomic():
        tenant = Tenant.objects.select_for_update().get(pk=tenant.pk)
        _fill(tenant, fields, TENANT_FIELDS)
        if settings:
            tenant.settings = {**tenant.settings, **clean_settings(settings)}
        _save(tenant, {})
    return tenant


def create_store(tenant, code, *, location_id=None, **fields):
    """Create a store, idempotent by code; the first one of a tenant becomes the default.

    Without a `location_id` the next free number is taken; `latitude` and `longitude` go together.
    Returns (store, created).
    """
    with in_tenant(tenant), transaction.atomic():
        Tenant.objects.select_for_update().get(pk=tenant.pk)  # numbers and default: one at a time
        existing = Store.objects.filter(code__iexact=code).first()
        if existing:
            return existing, False
        if location_id is None:
            location_id = (Store.objects.aggregate(top=Max("location_id"))["top"] or 0) + 1
        store = Store(tenant=tenant, code=code, location_id=location_id)
        _fill(store, fields, STORE_FIELDS)
        store.name = store.name or code
        if store.default:
            Store.objects.update(default=False)
        elif not Store.objects.exists():
            store.default = True
        _save_store(store)
        return store, True


def update_store(store, **fields):
    """Change a store; making it the default takes that from the one before."""
    with transaction.atomic():
        Tenant.objects.select_for_update().get(pk=store.tenant_id)
        store = Store.objects.get(pk=store.pk)
        if store.default and fields.get("default") is False:
            raise ValidationError({"default": _("Make another store the default instead.")})
        _fill(store, fields, STORE_FIELDS)
        if store.default:
            Store.objects.exclude(pk=store.pk).update(default=False)
        _save_store(store)
    return store


def take_customer_numbers(tenant, n=1):
    """Reserve `n` consecutive customer numbers and return the first; they are never reused.

    Call it before the transaction of the registration where possible: the tenant's row stays
    locked until the surrounding transaction ends.
    """
    return _take(tenant, "last_customer_number", n)


def take_subscription_codes(tenant, n=1):
    """Reserve `n` consecutive subscription codes and return the first."""
    return _take(tenant, "last_subscription_code", n)


def _take(tenant, counter, n):
    with transaction.atomic():
        Tenant.objects.filter(pk=tenant.pk).update(**{counter: F(counter) + n})
        last = Tenant.objects.values_list(counter, flat=True).get(pk=tenant.pk)
    return last - n + 1


def _micro_degrees(value, *, bound):
    """Millionths of a degree; "" is nowhere."""
    if value == "":
        return None
    return int(normalise.clean_decimal(value, places=6, minimum=-bound, maximum=bound).scaleb(6))


CLEANERS = {
    "code": lambda value: normalise.clean_identifier(value, max_length=64) or "",
    "name": lambda value: normalise.clean_text(value, max_length=200),
    "currency": normalise.clean_currency,
    "country": normalise.clean_country,
    "timezone": normalise.clean_timezone,
    "location_id": lambda value: normalise.clean_int(value, minimum=0, maximum=2_147_483_647),
    "default": normalise.clean_bool,
    "active": normalise.clean_bool,
    **{name: partial(_micro_degrees, bound=bound) for name, bound in DEGREES.items()},
}


def _fill(instance, fields, allowed):
    errors = {}
    for name, value in fields.items():
        if name not in allowed:
            raise TypeError(f"{type(instance).__name__} has no field {name!r} to set")
        if value is None:
            continue
        try:
            column = f"{name}_micro" if name in DEGREES else name
            setattr(instance, column, CLEANERS[name](value))
        except ValidationError as error:
            errors[name] = error.error_list
    if errors:
        raise ValidationError(errors)


def _save_store(store):
    for name, other in (("latitude", "longitude"), ("longitude", "latitude")):
        if getattr(store, name) is None and getattr(store, other) is not None:
            half = _("Latitude and longitude go together.")
            raise ValidationError({name: ValidationError(half, code="required")})
    _save(
        store,
        {
            "store_code_unique": ("code", _("Another store has this code.")),
            "store_location_unique": ("location_id", _("Another store has this number.")),
        },
    )


def _save(instance, messages):
    instance.full_clean(validate_unique=False, validate_constraints=False)
    with refusals(messages):
        instance.save()
