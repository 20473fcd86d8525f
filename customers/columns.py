"""The rules for the customer's own columns: one cleaner each, (value, context) -> value.

What a value must look like is said in `normalise`; here stands which rule a column has.
"""

import contextlib
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

import normalise
from customers.models import Customer
from customers.models.customer import MONEY_MAX, SMALL_MAX
from tenancy.models import StaffMember, Store


@dataclass(frozen=True, slots=True)
class Context:
    """What cleaning may depend on: the tenant, and the country that phones are read by."""

    tenant: object
    country: str


def text(max_length, *, multiline=False):
    def clean(value, context):
        if value is None:
            return ""
        return normalise.clean_text(value, max_length=max_length, multiline=multiline)

    return clean


def _identifier(max_length):
    def clean(value, context):
        if value is None:
            return None
        return normalise.clean_identifier(value, max_length=max_length)

    return clean


def choice(choices, *, empty=None):
    known = tuple(choices.values)

    def clean(value, context):
        if value in (None, "") and empty is not None:
            return empty
        if value not in known:
            raise ValidationError(
                _("Must be one of: %(choices)s.") % {"choices": ", ".join(choices.values)},
                code="invalid_choice",
            )
        return value

    return clean


def flag(value, context):
    return False if value is None else normalise.clean_bool(value)


def _flag_or_unknown(value, context):
    return None if value in (None, "") else normalise.clean_bool(value)


def _whole(minimum, maximum, *, empty=None):
    def clean(value, context):
        if value in (None, ""):
            return empty
        return normalise.clean_int(value, minimum=minimum, maximum=maximum)

    return clean


def _money(value, context):
    if value in (None, ""):
        return None
    cents = normalise.to_minor_units(value, context.tenant.currency)
    if abs(cents) > MONEY_MAX:
        raise ValidationError(_("This amount is too large."), code="max_value")
    return cents


def _ledger_number(value, context):
    text = normalise.clean_text("" if value is None else value, max_length=32)
    if text and not (text.isascii() and text.isdigit()):
        raise ValidationError(_("Only digits are allowed."), code="invalid")
    return text


def _birth_date(value, context):
    return None if value in (None, "") else normalise.clean_birth_date(value)


def _language(value, context):
    return "" if value in (None, "") else normalise.clean_language(value)


def _vat_number(value, context):
    return "" if value in (None, "") else normalise.clean_vat_number(value, country=context.country)


def email_or_empty(value, context):
    return "" if value in (None, "") else normalise.clean_email(value)


def _login_email(value, context):
    return None if value in (None, "") else normalise.email_key(normalise.clean_email(value))


def _login_phone(value, context):
    return None if value in (None, "") else clean_given_phone(value, context).given


def clean_given_phone(value, context):
    return normalise.clean_phone(value, country=context.country)


def login_phone_key(given, tenant):
    """What makes two sign-in phones the same: the digits of the international number where the
    tenant's country allows one, else those of the number as given. None for none."""
    return normalise.clean_phone(given, country=tenant.country).digits if given else None


def _owned(model, message, *lookups):
    """A cleaner for a reference: the object itself, its id, or one of its keys."""

    def clean(value, context):
        if value in (None, ""):
            return None
        if isinstance(value, model):
            found = value if value.tenant_id == context.tenant.pk else None
        else:
            found = find_owned(model, str(value), lookups)
        if found is None:
            raise ValidationError(message, code="does_not_exist")
        return found

    return clean


def find_owned(model, text, lookups):
    """The row of the active tenant with this id or key, or None; odd text finds nothing."""
    try:
        text = normalise.clean_identifier(text, max_length=254)
    except ValidationError:
        return None
    with contextlib.suppress(ValidationError, ValueError):
        found = model.objects.filter(pk=text).first()
        if found is not None:
            return found
    for lookup in lookups:
        found = model.objects.filter(**{lookup: text}).first()
        if found is not None:
            return found
    return None


COLUMN_CLEANERS = {
    "external_id": _identifier(200),
    "username": _identifier(254),
    "card_number": _identifier(100),
    "login_email": _login_email,
    "login_phone": _login_phone,
    "kind": choice(Customer.Kind),
    "name": text(250),
    "first_name": text(120),
    "last_name": text(120),
    "company_name": text(200),
    "gender": choice(Customer.Gender, empty=Customer.Gender.NOT_DISCLOSED),
    "birth_date": _birth_date,
    "language": _language,
    "eu_citizen": _flag_or_unknown,
    "vat_number": _vat_number,
    "card_state": choice(Customer.CardState, empty=Customer.CardState.NO_CARD),
    "hidden": flag,
    "no_loyalty": flag,
    "discount_percent": _whole(0, 100, empty=0),
    "price_list": text(64),
    "payment_terms_days": _whole(0, SMALL_MAX),
    "ledger_number": _ledger_number,
    "shipping_mode": text(64),
    "e_invoice": flag,
    "e_invoice_address": text(200),
    "credit_limit": _money,
    "credit_balance": _money,
    "floor_limit": _money,
    "home_store": _owned(Store, _("No such store."), "code__iexact"),
    "seller": _owned(StaffMember, _("No such staff member."), "user__email__iexact"),
    "origin": text(120),
    "internal_note": text(10_000, multiline=True),
    "invitation_token": text(200),
    "custom_data1": text(4_000, multiline=True),
    "custom_data2": text(4_000, multiline=True),
    "custom_data3": text(4_000, multiline=True),
    "custom_data4": text(4_000, multiline=True),
    "no_email": flag,
}
