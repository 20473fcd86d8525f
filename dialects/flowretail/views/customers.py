"""The customer itself: list, searches, read, register, change, delete, export."""

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework.response import Response

from customers.services import delete_customer, export_customer
from customers.stores import find_store
from dialects.flowretail import queries
from dialects.flowretail.records import customers, exported, store_details
from dialects.flowretail.serializers import FlowRetailSearch
from dialects.flowretail.strangers import strangers
from dialects.flowretail.views.base import CustomerEndpoint
from dialects.flowretail.writing import change, register


class FlowRetailCustomerViewSet(CustomerEndpoint):
    """`/customers`."""

    operations = {
        "update": "customers.partial_update",
        "external_search": "customers.search",
        # What the right to export adds to what a reader sees anyway is asked for inside.
        "export": "customers.retrieve",
        "at_store": "store_profiles.retrieve",
    }

    def list(self, request, tenant_code):
        """The tenant's customers, or the one with an external id, page by page."""
        asked = self.asked()
        return self.listed(queries.listed(asked), asked)

    def search(self, request, tenant_code):
        """The customers that every criterion in the body leaves, page by page."""
        criteria = FlowRetailSearch().read(self.optional_body())
        return self.listed(queries.searched(criteria), self.asked())

    def listed(self, found, asked):
        """One page of a queryset, and how many there are in all."""
        number, size = queries.page_of(asked)
        rows = customers(queries.ordered(found, asked))
        first = (number - 1) * size
        total = found.count()
        page = self.shown(rows[first : first + size]) if first < total else []
        return self.page(page, total, asked)

    def external_search(self, request, tenant_code):
        """Customers of another register, where the tenant has one; none of them is ours."""
        if not self.tenant.setting("external_customer_search"):
            raise PermissionDenied("The tenant has no extension EXTERNAL_CUSTOMER_SEARCH.")
        asked = self.asked()
        number, size = queries.page_of(asked)
        queries.order_of(asked)
        question = {
            "query": queries.text_of(self.optional_body(), "query"),
            "pageNumber": number,
            "pageSize": size,
            **{name: asked[name] for name in ("sortBy", "sortDirection") if name in asked},
        }
        found, total = strangers(self.tenant, question, most=size)
        return self.page(found, total, asked)

    def create(self, request, tenant_code):
        """Register a customer, by the client's own key where it sends one."""
        customer = register(self.principal, self.body())
        return Response(self.one(customer.pk)[1], status=201)

    def retrieve(self, request, customer, tenant_code):
        """One customer with everything."""
        return Response(self.one(self.part_id("customer"))[1])

    def update(self, request, customer, tenant_code):
        """Change what is sent; what is not stays, null clears."""
        found = self.customer()
        by_former_key = found.pk != self.part_id("customer")
        change(self.principal, found, self.body(), by_former_key=by_former_key)
        return Response(self.one(found.pk)[1])

    def destroy(self, request, customer, tenant_code):
        """Remove the customer for good."""
        delete_customer(self.customer())
        return self.no_content()

    def at_store(self, request, store, customer, tenant_code):
        """The customer, and what this store keeps about it."""
        found = find_store(self.kwargs["store"])
        if found is None:
            raise Http404
        record, customer = self.one(self.part_id("customer"))
        return Response({**customer, "storeCustomerDetails": store_details(record, found)})

    def export(self, request, customer, tenant_code):
        """Everything in this wire's words; for who may export customers, also everything that is
        held about the customer anywhere. Leaves its trace either way."""
        found = self.customer()
        held = export_customer(found)
        record, customer = self.one(found.pk)
        answer = exported(record, customer)
        if self.principal.may("customers.export"):
            answer["everythingHeld"] = held
        return Response(answer)
