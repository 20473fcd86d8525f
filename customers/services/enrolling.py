"""Registering somebody who stands at the counter, or whose form lies in the office."""

from customers.models import Customer
from customers.services.lifecycle import invite_customer
from customers.services.placing import store_of_registration
from customers.services.registering import register_customer
from tenancy.permissions import SELLER


def enrol_customer(principal, *, home_store=None, seller=None, **profile):
    """Register a customer on behalf of `principal` (staff or a service) and return the Customer.

    Whoever is enrolled may use the account at once; only where the tenant activates by SMS, the
    customers of a seller are new until the code, which is sent, comes back. A seller's customers
    are the seller's own, at the store that the seller is bound to unless another one is named.
    Raises what `register_customer` and `store_of_registration` raise.
    """
    store = store_of_registration(principal, named=home_store, home=home_store)
    by_seller = principal.kind == SELLER
    proves_phone = by_seller and principal.tenant.setting("activation_method") == "sms"
    return register_customer(
        status=Customer.Status.NEW if proves_phone else Customer.Status.ACTIVE,
        store=store,
        home_store=home_store,
        seller=principal.staff if by_seller else seller,
        then=invite_customer,
        **profile,
    )
