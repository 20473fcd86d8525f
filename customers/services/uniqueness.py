"""Identifiers that are taken: the constraints decide, here is what they say."""

from contextlib import contextmanager

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from tenancy.integrity import refusals

UNIQUE_MESSAGES = {
    "customers_customer_pkey": ("id", _("This id is taken.")),
    "customer_external_id_unique": ("external_id", _("Another customer has this external id.")),
    "customer_username_unique": ("username", _("Another customer has this username.")),
    "customer_card_number_unique": ("card_number", _("Another customer has this card.")),
    "customer_login_email_unique": (
        "login_email",
        _("Another customer signs in with it."),
    ),
    "customer_login_phone_unique": ("login_phone", _("Another customer signs in with it.")),
}


@contextmanager
def taken_named(customer):
    """Run the saving of a customer's row; word the refusal of a constraint, which names one
    identifier that is taken, for every one that is."""
    try:
        with refusals(UNIQUE_MESSAGES):
            yield
    except ValidationError as refusal:
        raise ValidationError({**_taken(customer), **refusal.error_dict}) from refusal


def _taken(customer):
    found = {}
    for name, message in UNIQUE_MESSAGES.values():
        column = "login_phone_key" if name == "login_phone" else name
        value = getattr(customer, column)
        if name == "id" or not value:
            continue
        # What a merged record holds is the survivor's to take.
        others = Customer.with_merged.exclude(pk=customer.pk).exclude(merged_into=customer.pk)
        if others.filter(**{column: value}).exists():
            found[name] = [ValidationError(message, code="unique")]
    return found
