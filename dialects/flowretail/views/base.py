"""What the endpoints about customers share."""

import uuid

from django.core.exceptions import ValidationError
from django.http import Http404
from django.utils.translation import gettext_lazy as _
from rest_framework.response import Response

from customers.models import Customer
from customers.services import CustomerGone, get_customer
from customers.services.placing import OtherStore
from customers.stores import find_store
from dialects.base import raw_body
from dialects.flowretail.base import FlowRetailEndpoint
from dialects.flowretail.queries import page_of
from dialects.flowretail.records import customers, with_records
from dialects.flowretail.serializers import UUID_TEXT, FlowRetailStore


class CustomerEndpoint(FlowRetailEndpoint):
    """Customers."""

    operation_prefix = "customers"

    def body(self):
        """The body as a dict; raises ValidationError (400) for any other, and for none: what was
        lost on its way must not be answered like what was done."""
        if not raw_body(self.request):
            raise ValidationError("The body is empty.", code="required")
        return super().body()

    def optional_body(self):
        """The same, {} where there is none."""
        return super().body()

    def part_id(self, name):
        """A uid in the path; raises Http404 for what cannot be one."""
        text = self.kwargs[name]
        if not UUID_TEXT.fullmatch(text):
            raise Http404
        return uuid.UUID(text)

    def customer(self):
        """The customer of the path; raises CustomerGone."""
        return get_customer(self.part_id("customer"))

    def shown(self, rows):
        """The customers of rows, as this caller may see them."""
        return [customer for _record, customer in self.with_records(rows)]

    def with_records(self, rows):
        """The same, each after its record."""
        return with_records(rows, tenant=self.tenant, role=self.principal.kind)

    def one(self, customer_id):
        """(record, customer) of one customer, of an old id the survivor's; raises CustomerGone."""
        found = self.with_records(customers(Customer.objects.known_as("pk", customer_id)))
        if not found:
            raise CustomerGone
        return found[0]

    def asked(self):
        """The query parameters; of one that comes twice the last counts."""
        return self.request.query_params.dict()

    def page(self, found, total, asked):
        """The answer that is one page of a list."""
        number, size = page_of(asked)
        paging = {"pageNumber": number, "pageSize": size, "totalCount": total}
        return Response({"items": found, "paging": paging})

    def store_in_body(self):
        """The store that the body names, for which the token speaks; raises ValidationError,
        OtherStore."""
        reference = FlowRetailStore().read(self.optional_body()).get("at_store")
        if reference is None:
            required = ValidationError(_("This field is required."), code="required")
            raise ValidationError({"at_store": required})
        store = find_store(reference)
        if store is None:
            unknown = ValidationError(_("No such store."), code="does_not_exist")
            raise ValidationError({"at_store": unknown})
        if self.principal.store_ids and store.pk not in self.principal.store_ids:
            raise OtherStore
        return store
