"""Writing down that somebody had contact data shown that is masked for them."""

from django.db import transaction

from customers.services.changes import CustomerGone, lock_customer
from events.services import record


def record_reveal(customer, *, reason=""):
    """Leave `customer.revealed` in the customer's history, by the actor of now.

    It says that contact data was shown, and none of it. Raises CustomerGone.
    """
    with transaction.atomic():
        locked = lock_customer(customer.pk)
        if locked is None:
            raise CustomerGone
        record(locked.tenant, "customer.revealed", "customer", locked.pk, reason=reason)
