"""Points from one customer to another, named by what people know of each other."""

import uuid

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from customers.services.passwords import find_by_login
from loyalty.services.points import transfer_points
from tenancy.services import count_or_refuse

WISHES_PER_CUSTOMER_AND_HOUR = 30


def find_party(text, field):
    """The customer meant by an id, an e-mail or a phone that signs in. Raises ValidationError
    naming `field` (code "does_not_exist")."""
    text = str(text or "").strip()
    try:
        found = Customer.objects.filter(pk=uuid.UUID(text)).first()
    except ValueError:
        found = find_by_login(text)
    if found is None:
        missing = ValidationError(_("There is no such customer."), code="does_not_exist")
        raise ValidationError({field: missing})
    return found


def send_own_points(customer, *, receiver, points, note=""):
    """By the customer: send points to whom `receiver` names; returns (entry out, entries in).

    Every wish tells whether there is such a customer: thirty an hour. Raises what `find_party` and
    `transfer_points` raise, TooManyTries. Call it outside a transaction.
    """
    count_or_refuse("send-points", customer.pk, limit=WISHES_PER_CUSTOMER_AND_HOUR, seconds=3600)
    return transfer_points(customer, find_party(receiver, "receiver"), points=points, note=note)
