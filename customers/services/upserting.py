"""Registering a customer, or changing the one that is there: for wires that do not ask which."""

from django.core.exceptions import ValidationError
from django.db import transaction

from customers.models import Customer


def create_or_update(*, find, create, update):
    """What `update(customer)` answers for the customer that `find()` finds, or what `create()`
    answers where it finds none (None); and whether it was created.

    When somebody else registers the same customer at the same time, theirs is changed: the
    constraints decide, not the look before. Raises what the three raise.
    """
    found = find()
    if found is not None:
        return update(found), False
    try:
        with transaction.atomic():
            return create(), True
    except ValidationError as error:
        found = find() if _is_taken(error) else None
        if found is None:
            raise
    return update(found), False


def _is_taken(error):
    return hasattr(error, "error_dict") and any(
        single.code == "unique" for errors in error.error_dict.values() for single in errors
    )


def without_former(customer, values):
    """Values for a customer who was found by the key of a record that was merged into it, without
    the identifiers of such records: who sends an old record again has no wish to exchange them."""
    former = Customer.with_merged.filter(merged_into=customer.pk).values(*Customer.FOLLOWED)
    held = {(name, value) for row in former for name, value in row.items() if value}
    return {
        name: value
        for name, value in values.items()
        if name not in Customer.FOLLOWED or (name, value) not in held
    }
