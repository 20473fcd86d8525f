"""Where a customer stands in the programme, asked once for each page: the card at the top and the
tab of the loyalty programme tell of the same."""

from functools import cached_property

from django.urls import reverse

from customers.admin.loyalty_deeds import LOYALTY_DEEDS
from loyalty.models import LoyaltyAccount, Transaction
from loyalty.programme import programme_of
from loyalty.status import status_of
from tenancy.scoping import current_tenant

N_TRANSACTIONS = 20


class Standing:
    """One customer's account, or `account` None, with what is reckoned from it."""

    def __init__(self, request, customer_id):
        self._user = request.user
        accounts = LoyaltyAccount.objects.with_levels().select_related("customer")
        self.account = accounts.filter(customer=customer_id).first()

    @cached_property
    def status(self):
        return status_of(self.account.customer, programme=programme_of(current_tenant()))

    @cached_property
    def transactions(self):
        """The latest sales and returns, the newest first."""
        rows = Transaction.objects.filter(account=self.account).select_related("store")
        return list(rows[:N_TRANSACTIONS])

    @cached_property
    def deeds(self):
        """What may be done now, as {title, icon, url}."""
        customer = self.account.customer
        if customer.anonymised_at:
            return []
        return [
            {
                "title": deed.title,
                "icon": deed.icon,
                "url": reverse(f"admin:customers_customer_{deed.name}", args=[customer.pk]),
            }
            for deed in LOYALTY_DEEDS
            if self._user.has_perm(deed.operation) and deed.fits(customer)
        ]


def standing_of(request, customer_id):
    """The Standing of a customer, the same for the whole of a request."""
    known = request.__dict__.setdefault("known_standings", {})
    if str(customer_id) not in known:
        known[str(customer_id)] = Standing(request, customer_id)
    return known[str(customer_id)]
