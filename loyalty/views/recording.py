"""A sale or a return by the rights of a caller: used by the single endpoint and by each item of a
batch alike."""

import uuid

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from loyalty.amounts import THOUSANDTHS, money_in, number_in
from loyalty.models import Transaction
from loyalty.services import record_transaction
from loyalty.services.matching import match_customer
from loyalty.services.wording import placed
from loyalty.views.base import store_for
from tenancy.scoping import current_tenant

MONEY = ("amount", "delivery_amount", "excluded_amount")
KNOWN = {*Transaction.FIELDS, "customer", "match"}


def read(principal, body):
    """What `body` says, for `record`: (customer, values by the names of `record_transaction`).

    A token that is bound to stores records at its own alone. Raises ValidationError by field,
    PermissionDenied.
    """
    unknown = ValidationError(_("Unknown field, or not to be set."), code="unknown")
    if names := set(body) - KNOWN:
        raise ValidationError({name[:100]: unknown for name in sorted(names)})
    errors, values, customer = {}, {}, None
    for name in body.keys() - {"customer", "match", "store"}:
        try:
            values[name] = _value(name, body[name])
        except ValidationError as error:
            errors |= placed(name, error)
    try:
        customer = _customer(body)
    except ValidationError as error:
        errors |= error.error_dict
    try:
        values["store"] = store_for(principal, body.get("store"))
    except ValidationError as error:
        errors |= error.error_dict
    errors |= {
        name: ValidationError(_("This field is required."), code="required")
        for name in ("number", "purchased_at", "amount")
        if body.get(name) in (None, "")
    }
    if errors:
        raise ValidationError(errors)
    return customer, values


def record(customer, values):
    """Record what was read; (transaction, created). Raises as `record_transaction` does."""
    return record_transaction(customer, **values)


def _value(name, value):
    if name in MONEY:
        # Which sign may stand where is for the service to say.
        return 0 if value in (None, "") else money_in(value, _currency(), minimum=None)
    if name == "kind":
        return Transaction.Kind.SALE if value in (None, "") else value
    if name == "lines" and isinstance(value, list):
        return _lines(value)
    return value


def _lines(lines):
    clean, errors = [], {}
    for index, line in enumerate(lines):
        if not isinstance(line, dict):
            clean.append(line)
            continue
        line = dict(line)
        for name, places in (("amount", None), ("quantity", THOUSANDTHS)):
            if line.get(name) in (None, ""):
                line.pop(name, None)
                continue
            try:
                line[name] = (
                    money_in(line[name], _currency(), minimum=None)
                    if places is None
                    else number_in(line[name], places, minimum=None)
                )
            except ValidationError as error:
                errors[f"{index}.{name}"] = error.error_list
        clean.append(line)
    if errors:
        raise ValidationError(errors)
    return clean


def _currency():
    return current_tenant().currency


def _customer(body):
    named, match = body.get("customer"), body.get("match")
    if (named in (None, "")) == (match in (None, "")):
        either = ValidationError(_("Name either customer or match."), code="required")
        raise ValidationError({"customer": either})
    if named in (None, ""):
        try:
            return match_customer(match)
        except ValidationError as error:
            raise ValidationError(placed("match", error)) from error
    try:
        found = Customer.objects.filter(pk=uuid.UUID(str(named))).first()
    except ValueError:
        found = None
    if found is None:
        missing = ValidationError(_("There is no such customer."), code="does_not_exist")
        raise ValidationError({"customer": missing})
    return found
