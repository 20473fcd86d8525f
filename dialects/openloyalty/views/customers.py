"""The customer itself: list, read, register."""

from itertools import islice
from textwrap import indent

from django.conf import settings
from rest_framework.response import Response

from customers.models import Customer
from customers.services import CustomerGone
from customers.services.enrolling import enrol_customer
from dialects.openloyalty import queries
from dialects.openloyalty.base import CONTENT_TYPE, dumps
from dialects.openloyalty.records import customers, shown
from dialects.openloyalty.serializers import OpenLoyaltyRegistration
from dialects.openloyalty.views.base import CustomerEndpoint
from tenancy.permissions import SELLER

BATCH = 1_000


class OpenLoyaltyCustomerViewSet(CustomerEndpoint):
    """`/customer`."""

    operations = {"register": "customers.create"}

    def list(self, request, tenant_code):
        """The customers that the filters leave, page by page; `total` counts all of them."""
        asked = self.parameters()
        found = queries.narrowed(Customer.objects.all(), asked)
        total = found.count()
        first, length = queries.page_of(asked)
        rows = customers(queries.ordered(found, asked))
        if length is None or length > settings.API_MAX_PAGE_SIZE:
            if self.principal.may("customers.export_all"):
                rows = rows[first:] if length is None else rows[first : first + length]
                return self.stream(self._pieces(rows, total), content_type=CONTENT_TYPE)
            length = settings.API_MAX_PAGE_SIZE
        page = self.shown(rows[first : first + length]) if first < total else []
        return Response({"customers": page, "total": total})

    def _pieces(self, rows, total):
        yield b'{\n  "customers": ['
        separator = b"\n"
        for batch in batched(rows.iterator(chunk_size=BATCH)):
            for customer in self.shown(batch):
                yield separator + indent(dumps(customer).decode(), "    ").encode()
                separator = b",\n"
        yield b'%s],\n  "total": %d\n}' % (b"" if separator == b"\n" else b"\n  ", total)

    def shown(self, rows, *, detail=False):
        """The customer objects of rows, as this caller may see them."""
        return shown(rows, tenant=self.tenant, role=self.principal.kind, detail=detail)

    def retrieve(self, request, customer, tenant_code):
        """One customer with everything."""
        found = self.shown(customers(Customer.objects.filter(pk=self.customer().pk)), detail=True)
        if not found:
            raise CustomerGone
        return Response(found[0])

    def register(self, request, tenant_code):
        """Register somebody else: at a till, in the office, from a shop."""
        form = self.read_form(OpenLoyaltyRegistration, by_seller=self.principal.kind == SELLER)
        customer = enrol_customer(self.principal, **form.registration())
        return Response(registered(customer))


def registered(customer):
    """What a registration answers."""
    return {"customerId": customer.pk, "email": customer.login_email}


def batched(rows):
    """The rows in lists of BATCH."""
    while batch := list(islice(rows, BATCH)):
        yield batch
