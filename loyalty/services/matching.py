"""Whose a sale is, by what a till or a shop knows of the customer."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

import normalise
from customers.models import Customer
from tenancy.scoping import current_tenant

KEYS = ("external_id", "card_number", "email", "phone")
LONGEST = 254


def match_customer(known):
    """The Customer that `known` means, a dict with one or more of KEYS.

    The first key, in the order of KEYS, that finds anybody decides. Where it finds several (an
    e-mail or a phone may be shared), the keys after it narrow them down. Raises ValidationError by
    key: "unknown" for a name that is no key, "does_not_exist", "ambiguous", or what the value is
    refused for; naming nothing, code "required", where no key has a value.
    """
    if not isinstance(known, dict):
        raise ValidationError(_("Must be an object."), code="invalid")
    unknown = ValidationError(_("Unknown field."), code="unknown")
    if names := set(known) - set(KEYS):
        raise ValidationError({str(name)[:50]: unknown for name in sorted(names)})
    wanted = _clean(known)
    if not wanted:
        raise ValidationError(
            _("Name one of: %(names)s.") % {"names": ", ".join(KEYS)}, code="required"
        )
    found, by = [], None
    for name, value in wanted.items():
        hits = list(_FINDERS[name](Customer.objects.all(), value).order_by("pk")[:50])
        narrowed = [customer for customer in found if customer in hits] if found else hits
        if narrowed:
            found, by = narrowed, by or name
        if len(found) == 1:
            return found[0]
    if found:
        several = ValidationError(_("Several customers have this."), code="ambiguous")
        raise ValidationError({by: several})
    nobody = ValidationError(_("No customer has this."), code="does_not_exist")
    raise ValidationError(dict.fromkeys(wanted, nobody))


def _clean(known):
    clean, errors = {}, {}
    for name in KEYS:
        try:
            value = _CLEANERS[name](known[name]) if known.get(name) not in (None, "") else None
        except ValidationError as error:
            errors[name] = error.error_list
        else:
            if value:
                clean[name] = value
    if errors:
        raise ValidationError(errors)
    return clean


def _identifier(value):
    return normalise.clean_identifier(value, max_length=LONGEST)


def _email(value):
    return normalise.email_key(normalise.clean_email(value))


def _phone(value):
    return normalise.clean_phone(value, country=current_tenant().country).digits


_CLEANERS = {
    "external_id": _identifier,
    "card_number": _identifier,
    "email": _email,
    "phone": _phone,
}
_FINDERS = {
    "external_id": lambda customers, value: customers.filter(external_id=value),
    "card_number": lambda customers, value: customers.filter(card_number=value),
    "email": lambda customers, value: customers.with_email(value),
    "phone": lambda customers, value: customers.with_phone(value),
}
