"""Registering and changing for a caller, from a body: one function per deed, used by the single
endpoints and by each item of a batch alike."""

import re
from contextlib import contextmanager

from django.core.exceptions import ValidationError

from customers.models import Customer
from customers.services import CustomerGone, update_customer, without_former
from customers.services.enrolling import enrol_customer
from dialects.base import check_fields, loads
from dialects.flowretail.base import dumps
from dialects.flowretail.records import customers, shown
from dialects.flowretail.serializers import FlowRetailCustomer, FlowRetailRegistration
from tenancy.permissions import changes_field

# A row of the list of addresses: addresses.<place>.<column>.
ROW = re.compile(r"^addresses\.(?=\d)")


def register(principal, body):
    """Register a customer and return it. Raises ValidationError, FieldsRefused, OtherStore."""
    form = FlowRetailRegistration()
    values = form.read(body)
    check_fields(principal, {_field(path) for path in values})
    return enrol_customer(principal, **form.registration(values))


def change(principal, customer, body, *, by_former_key=False):
    """Change what the body names and return the customer. What is sent back as it was shown to a
    caller who may not set it is no change; neither are the identifiers of a record that was merged
    into this one, where the caller named that one (`by_former_key`).

    Raises ValidationError, FieldsRefused, CustomerGone.
    """
    form = FlowRetailCustomer()
    values = form.read(body)
    if by_former_key:
        values = without_former(customer, values)
    values = _without_echoes(principal, customer, form, body, values)
    consents = _as_shown(principal, customer)["consents"] if values.get("consents") else ()
    with _addresses_named():
        return update_customer(customer, **form.changes(values, consents))


@contextmanager
def _addresses_named():
    """A row of the list is not the one that the flat fields are."""
    try:
        yield
    except ValidationError as error:
        if not hasattr(error, "error_dict"):
            raise
        raise ValidationError(
            {ROW.sub("more_addresses.", name): told for name, told in error.error_dict.items()}
        ) from error


def _without_echoes(principal, customer, form, body, values):
    """The values that the caller may set. Raises FieldsRefused."""
    closed = {path for path in values if not changes_field(principal.kind, _field(path))}
    if not closed:
        return values
    as_shown = _as_shown(principal, customer)
    differs = {
        _field(field.source)
        for name, field in form.fields.items()
        if name in body and body[name] != as_shown.get(name)
    }
    check_fields(principal, differs & {_field(path) for path in closed})
    return {path: value for path, value in values.items() if path not in closed}


def _as_shown(principal, customer):
    """The customer as the caller reads it, as JSON has it; raises CustomerGone."""
    rows = customers(Customer.objects.filter(pk=customer.pk))
    for one in shown(rows, tenant=principal.tenant, role=principal.kind):
        return loads(dumps(one))
    raise CustomerGone


def _field(path):
    """The field of the table of rights that a source is part of."""
    name = path.partition(".")[0]
    return {"more_addresses": "addresses", "ehf_enabled": "e_invoice"}.get(name, name)
