"""Store profiles, store extensions and charge accounts."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

import normalise
from customers.models import ChargeAccount, StoreExtension, StoreProfile
from customers.services.changes import open_change
from tenancy.integrity import refusals

PROFILE_MESSAGES = {
    "store_profile_pos_ref_unique": ("pos_ref", _("Another customer has it at this store."))
}
ACCOUNT_MESSAGES = {
    "charge_account_number_unique": ("number", _("Another customer has this account."))
}


def set_store_profile(customer, store, **values):
    """Create or change what `store` keeps about a customer (`pos_ref`, `note`); returns the row.

    Raises ValidationError by field.
    """
    clean = _clean(
        values,
        {
            "pos_ref": lambda value: normalise.clean_identifier(_given(value), max_length=120),
            "note": lambda value: normalise.clean_text(
                _given(value), max_length=4_000, multiline=True
            ),
        },
    )
    with open_change(customer, deed="customer.updated") as change:
        profile = change.customer.store_profiles.filter(store=store).first()
        is_new = profile is None
        if is_new:
            profile = StoreProfile(
                tenant=change.customer.tenant, customer=change.customer, store=store
            )
        differs = {name for name, value in clean.items() if getattr(profile, name) != value}
        if not (is_new or differs):
            return profile
        before = None if is_new else {name: getattr(profile, name) for name in differs}
        for name in differs:
            setattr(profile, name, clean[name])
        with refusals(PROFILE_MESSAGES):
            profile.save()
        change.record(
            f"store profile {store.code}", before, {name: clean[name] for name in differs}
        )
        return profile


def remove_store_profile(customer, store):
    """Remove a store's profile of a customer; returns whether there was one."""
    with open_change(customer, deed="customer.updated") as change:
        removed = change.customer.store_profiles.filter(store=store).delete()[0]
        if removed:
            change.record(f"store profile {store.code}", True, None)
        return bool(removed)


def add_extension(customer, store, code):
    """Switch an extension on for a customer at a store; repeatable. Returns the row."""
    code = _clean(
        {"code": code},
        {"code": lambda value: normalise.clean_identifier(_given(value), max_length=40)},
    )["code"]
    if not code:
        raise ValidationError({"code": ValidationError(_("This field is required."), "required")})
    with open_change(customer, deed="customer.updated") as change:
        extension, created = StoreExtension.objects.get_or_create(
            tenant=change.customer.tenant, customer=change.customer, store=store, code=code
        )
        if created:
            change.record(f"extension {code} at {store.code}", False, True)
        return extension


def remove_extension(customer, store, code):
    """Switch an extension off; returns whether it was on."""
    with open_change(customer, deed="customer.updated") as change:
        removed = change.customer.extensions.filter(store=store, code=code).delete()[0]
        if removed:
            change.record(f"extension {code} at {store.code}", True, False)
        return bool(removed)


def set_charge_account(customer, **values):
    """Open or change the charge account (`number`, `retired`); returns the row.

    A new account needs a number. Raises ValidationError by field.
    """
    clean = _clean(
        values,
        {
            "number": lambda value: normalise.clean_identifier(_given(value), max_length=40),
            "retired": normalise.clean_bool,
        },
    )
    with open_change(customer, deed="customer.updated") as change:
        account = ChargeAccount.objects.filter(customer=change.customer).first()
        is_new = account is None
        if is_new:
            account = ChargeAccount(tenant=change.customer.tenant, customer=change.customer)
        if not clean.get("number", account.number):
            required = ValidationError(_("This field is required."), code="required")
            raise ValidationError({"number": required})
        before = None if is_new else [account.number, account.retired]
        for name, value in clean.items():
            setattr(account, name, value)
        after = [account.number, account.retired]
        if before != after:
            with refusals(ACCOUNT_MESSAGES):
                account.save(force_insert=is_new)
            change.record("charge_account", before, after)
        return account


def remove_charge_account(customer):
    """Close the charge account altogether; returns whether there was one."""
    with open_change(customer, deed="customer.updated") as change:
        account = ChargeAccount.objects.filter(customer=change.customer).first()
        if account is None:
            return False
        change.record("charge_account", [account.number, account.retired], None)
        account.delete()
        return True


def _given(value):
    """None clears; whatever else is empty but no text is a mistake."""
    return "" if value is None else value


def _clean(values, cleaners):
    clean, errors = {}, {}
    for name, value in values.items():
        try:
            if name not in cleaners:
                raise ValidationError(_("Unknown field."), code="unknown")
            clean[name] = cleaners[name](value)
        except ValidationError as error:
            errors[name] = error.error_list
    if errors:
        raise ValidationError(errors)
    return clean
