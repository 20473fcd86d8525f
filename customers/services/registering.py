"""Registering a customer."""

import uuid

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

import normalise
from customers.columns import login_phone_key
from customers.hooks import hooks
from customers.models import Customer
from customers.profile import CHILD_LISTS, clean_profile
from customers.services.changes import (
    build_search_text,
    leave_trace,
    opening,
    write_consents,
)
from customers.services.children import build_children, save_new, tell
from customers.services.consents import build_consents
from customers.services.passwords import encode_password
from customers.services.uniqueness import taken_named
from tenancy import clock
from tenancy.scoping import current_tenant
from tenancy.services import take_customer_numbers

LONGEST_BECAUSE = 200


def register_customer(
    *,
    id=None,
    number=None,
    status=Customer.Status.ACTIVE,
    created_at=None,
    password=None,
    store=None,
    consents=(),
    reason="",
    in_spite_of=(),
    because="",
    then=None,
    **profile,
):
    """Register a customer of the active tenant and return it.

    `profile` takes the names of Customer.PROFILE, the child lists (lists of dicts) and the fields
    of higher apps. `store` is where the registration happens: the home store unless another is
    named. `consents` is a list of {"purpose", "granted", …}. `number` is only for callers that
    took it from `take_customer_numbers` before. `in_spite_of` are the customers who were hinted at
    as perhaps the same person, and `because` is why it is somebody else; the history says both, by
    number and never by name, because it outlives the erasure of those others. `then` is called
    with the customer at the end of the transaction of the registration: what it queues is queued
    with it or not at all.

    Raises one ValidationError that names every bad field; a taken identifier has code "unique".
    Two registrations with the same identifier at once make one customer: the constraint decides.
    """
    tenant = current_tenant()
    errors = {}
    customer_id = clean_id(id, errors)
    if store is not None and profile.get("home_store") in (None, ""):
        profile["home_store"] = store
    try:
        clean = clean_profile(profile, tenant=tenant)
    except ValidationError as error:
        errors |= error.error_dict
    statements = collected(errors, build_consents, tenant, consents, store)
    encoded = collected(errors, _encode, password)
    created_at = collected(errors, clean_created_at, created_at, tenant)
    because = collected(errors, _clean_because, because)
    if status not in Customer.Status.values:
        errors["status"] = ValidationError(_("No such status."), code="invalid_choice")
    if not errors and not says_anything(clean):
        errors["name"] = ValidationError(
            _("A name, a company, a contact point or an identifier is needed."), code="required"
        )
    if errors:
        raise ValidationError(errors)
    if number is None:
        number = take_customer_numbers(tenant)
    instant = clock.now()
    customer = Customer(
        id=customer_id,
        tenant=tenant,
        number=number,
        status=status,
        password=encoded or "",
        created_at=created_at or instant,
        updated_at=instant,
    )
    with transaction.atomic():
        with opening(customer) as change:
            change.reason = reason
            children = fill(change, clean, statements)
            with taken_named(customer):
                customer.save(force_insert=True)
            for name, rows in children.items():
                save_new(name, rows)
            tell_new(change, children)
            if in_spite_of:
                change.record("created_in_spite_of", None, [one.code for one in in_spite_of])
                if because:
                    change.record("created_because", None, because)
            for name, value in clean.extras.items():
                hooks.fields[name].apply(change, value)
            for hook in hooks.registered:
                hook(change)
            if change.columns:
                customer.save(update_fields=sorted(change.columns))
            write_consents(change)
            leave_trace(change)
        if then is not None:
            then(customer)
    return customer


def fill(change, clean, statements, *, make=None):
    """Bring everything that a registration says into the change of a new customer, but save
    nothing; returns the rows of the child lists by name. `make(model, columns)` makes
    one of these rows where another than an instance of the model is wanted."""
    customer = change.customer
    set_columns(change, clean.columns)
    stand_in_contacts(customer, clean.children)
    for consent in statements:
        consent.customer_id = customer.pk
    change.consents = statements
    children = {
        name: build_children(customer, name, clean.children[name], make=make)
        for name in CHILD_LISTS
        if clean.children.get(name)
    }
    customer.search_text = build_search_text(customer, children)
    return children


def tell_new(change, children):
    """Record what a new customer began with: what differs from nothing."""
    change.tell_from_nothing()
    for name, rows in children.items():
        change.changes[name] = [None, tell(name, rows)]
    for consent in change.consents:
        change.record(f"consent {consent.purpose}", None, consent.granted)


def set_columns(change, columns):
    """Put clean profile values into the row, with what follows from them: the three birth columns,
    the key of a sign-in phone, the built name."""
    customer = change.customer
    for name, value in columns.items():
        if name == "birth_date":
            _set_birth_date(change, value)
        elif name == "name":
            continue
        else:
            change.set(name, value)
    if "login_phone" in columns:
        key = login_phone_key(customer.login_phone, customer.tenant)
        change.set_silently("login_phone_key", key)
    if "name" in columns:
        change.set_silently("name_given", bool(columns["name"]))
    if customer.name_given and "name" not in columns:
        return
    change.set(
        "name",
        normalise.build_name(
            name=columns.get("name", ""),
            first_name=customer.first_name,
            last_name=customer.last_name,
            company_name=customer.company_name,
        ),
    )


def _set_birth_date(change, value):
    old = change.customer.birth_date
    parts = (value.year, value.month, value.day) if value else (None, None, None)
    for column, part in zip(("birth_year", "birth_month", "birth_day"), parts, strict=True):
        change.set_silently(column, part)
    if change.customer.birth_date != old:
        change.record("birth_date", old, change.customer.birth_date)


def stand_in_contacts(customer, children, lists=("emails", "phones")):
    """Let a sign-in e-mail or phone stand in the contact list too.

    `children` holds clean rows by list name; only the named `lists` are looked at.
    """
    if customer.login_email and "emails" in lists:
        rows = children.setdefault("emails", [])
        if customer.login_email not in [row.get("address_key") for row in rows]:
            rows.insert(0, {"address": customer.login_email, "address_key": customer.login_email})
    if customer.login_phone and "phones" in lists:
        phone = normalise.clean_phone(customer.login_phone, country=customer.tenant.country)
        rows = children.setdefault("phones", [])
        if phone.digits not in [row.get("digits") for row in rows]:
            rows.insert(
                0,
                {
                    "given": phone.given,
                    "e164": phone.e164,
                    "digits": phone.digits,
                    "reversed_digits": phone.digits[::-1],
                },
            )


def says_anything(clean):
    """Whether a clean profile says enough to be somebody."""
    told = ("name", "first_name", "last_name", "company_name", *Customer.IDENTIFIERS)
    return any(clean.columns.get(name) for name in told) or any(
        clean.children.get(name) for name in ("emails", "phones", "addresses")
    )


def clean_id(value, errors):
    """The UUID that a caller chose, or a new one; a bad one is put into `errors`."""
    if value is None:
        return uuid.uuid4()
    try:
        return value if isinstance(value, uuid.UUID) else uuid.UUID(str(value))
    except ValueError:
        errors["id"] = ValidationError(_("Must be a UUID."), code="invalid")
        return None


def clean_created_at(value, tenant):
    """The instant of a registration elsewhere, or None. Raises ValidationError."""
    if value is None:
        return None
    try:
        instant = normalise.parse_instant(value, tz=tenant.timezone)
    except ValidationError as error:
        raise ValidationError({"created_at": error.error_list}) from error
    if instant > clock.now():
        raise ValidationError({"created_at": ValidationError(_("Lies in the future."), "future")})
    return instant


def _clean_because(text):
    try:
        return normalise.clean_text(text or "", max_length=LONGEST_BECAUSE)
    except ValidationError as error:
        raise ValidationError({"because": error.error_list}) from error


def _encode(password):
    return "" if password in (None, "") else encode_password(password)


def collected(errors, clean, *args, **options):
    """The clean value; a refusal is put into `errors`, and None answered."""
    try:
        return clean(*args, **options)
    except ValidationError as error:
        errors |= error.error_dict
        return None
