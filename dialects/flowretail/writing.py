"""Registering and changing for a caller, from a body: one function per deed, used by the single
endpoints and by each item of a batch alike."""

from customers.models import Customer
from customers.services import update_customer, without_former
from customers.services.enrolling import enrol_customer
from dialects.base import check_fields
from dialects.flowretail.records import customers, shown
from dialects.flowretail.serializers import FlowRetailCustomer, FlowRetailRegistration
from tenancy.permissions import changes_field


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
    columns, slots = form.profile(values)
    return update_customer(customer, slots=slots, **columns)


def _without_echoes(principal, customer, form, body, values):
    """The values that the caller may set. Raises FieldsRefused."""
    closed = {path for path in values if not changes_field(principal.kind, _field(path))}
    if not closed:
        return values
    rows = customers(Customer.objects.filter(pk=customer.pk))
    [as_shown] = shown(rows, tenant=principal.tenant, role=principal.kind) or [{}]
    differs = {
        _field(field.source)
        for name, field in form.fields.items()
        if name in body and body[name] != as_shown.get(name)
    }
    check_fields(principal, differs & {_field(path) for path in closed})
    return {path: value for path, value in values.items() if path not in closed}


def _field(path):
    """The field of the table of rights that a source is part of."""
    name = path.partition(".")[0]
    return {"more_addresses": "addresses", "ehf_enabled": "e_invoice"}.get(name, name)
