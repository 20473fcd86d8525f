"""What is known of the customers whom a chunk of a file is about: read in a query per table."""

from typing import Any
from uuid import UUID

from customers.hooks import hooks
from customers.models import ChargeAccount, Consent, Customer
from customers.profile import CHILD_LISTS
from tenancy.bulk import drafts_of
from tenancy.models import Store

from .merging import Known
from .validating import Candidate

# Long, or slow to read, and no file says them of a known customer.
NEVER_COMPARED = frozenset({"search_text", "password"})
TIMES = frozenset({"created_at", "updated_at"})
READ_LISTS = {**{name: child.model for name, child in CHILD_LISTS.items()}, "consents": Consent}


class Reader:
    """Reads known customers of one tenant; remembers its stores."""

    def __init__(self, tenant: Any):
        self.tenant = tenant
        self._stores: dict[UUID, Store | None] = {}

    def read(self, ids: set[UUID], candidates: list[Candidate] | None = None) -> dict[UUID, Known]:
        """Customers with all that `changes_of` looks at, in one query per table; with `candidates`
        only what it looks at for these."""
        if not ids:
            return {}
        known = {}
        every = candidates is None
        left_out = NEVER_COMPARED if every else NEVER_COMPARED | TIMES
        rows = Customer.objects.filter(pk__among=ids)
        for customer in drafts_of(rows, "birth_date", without=left_out):
            customer.tenant = self.tenant
            if customer.home_store_id is not None:
                customer.home_store = self._store(customer.home_store_id)
            known[customer.id] = Known(customer)
        wanted = candidates or ()
        lists = {name for candidate in wanted for name in candidate.clean.children}
        if any(candidate.statements for candidate in wanted):
            lists.add("consents")
        for name in READ_LISTS if every else lists:
            rows = READ_LISTS[name].objects.filter(customer__among=ids).order_by()
            unread = frozenset() if name == "consents" else left_out  # the latest one holds
            for row in drafts_of(rows, without=unread):
                known[row.customer_id].lists.setdefault(name, []).append(row)
        if every or any(candidate.account for candidate in wanted):
            for account in drafts_of(ChargeAccount.objects.filter(customer__among=ids)):
                known[account.customer_id].customer.charge_account = account
        former = Customer.with_merged.filter(merged_into__among=ids)
        for survivor_id, *values in former.values_list("merged_into", *Customer.FOLLOWED):
            held = zip(Customer.FOLLOWED, values, strict=True)
            known[survivor_id].former |= {(name, value) for name, value in held if value}
        if every or any(candidate.clean.extras for candidate in wanted):
            for hook in hooks.records:
                for customer_id, values in hook(list(known)).items():
                    known[customer_id].extras |= values
        return known

    def _store(self, store_id: UUID) -> Store | None:
        if store_id not in self._stores:
            self._stores[store_id] = Store.objects.filter(pk=store_id).first()
        return self._stores[store_id]
