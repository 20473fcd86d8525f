"""Registering somebody who stands at the counter, or whose form lies in the office."""

from customers.models import Customer
from customers.services.lifecycle import activate_by_code, invite_customer
from customers.services.messaging import send_first_password
from customers.services.placing import store_of_registration
from customers.services.registering import register_customer
from tenancy.permissions import SELLER


def enrol_customer(principal, *, home_store=None, seller=None, with_password=False, **profile):
    """Register a customer on behalf of `principal` (staff or a service) and return the Customer.

    Whoever is enrolled may use the account at once; only where the tenant activates by SMS, the
    customers of a seller are new until the code, which is sent, comes back. A seller's customers
    are the seller's own, at the store that the seller is bound to unless another one is named.
    `with_password` sends who is active, and can be reached, a temporary password. Raises what
    `register_customer` and `store_of_registration` raise.
    """
    store = store_of_registration(principal, named=home_store, home=home_store)
    by_seller = principal.kind == SELLER
    proves_phone = by_seller and principal.tenant.setting("activation_method") == "sms"
    return register_customer(
        status=Customer.Status.NEW if proves_phone else Customer.Status.ACTIVE,
        store=store,
        home_store=home_store,
        seller=principal.staff if by_seller else seller,
        then=_welcome if with_password else invite_customer,
        **profile,
    )


def _welcome(customer):
    """What lets a customer in: the activation, or a password. Both are counted when they are sent:
    the registration stands."""
    send_first_password(customer)
    invite_customer(customer)


def activate_enrolled(code, *, address):
    """Activate the customer to whom the six digits of an SMS went, and return it. Who has no
    password yet, being registered at a till, is sent a temporary one.

    Raises what `activate_by_code` raises.
    """
    customer = activate_by_code(code, address=address)
    send_first_password(customer)
    return customer
