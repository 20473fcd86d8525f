"""The customer itself: list, read, register, change, delete."""

import uuid
from itertools import chain

from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.response import Response

from api.pagination import whole
from api.renderers import CSVRenderer, JSONRenderer, NDJSONRenderer, XLSXRenderer
from api.streaming import json_list, ndjson_lines
from customers import exports
from customers.documents import documents
from customers.filters import CustomerFilter
from customers.records import COLUMNS, assemble, records
from customers.serializers import (
    CustomerChangeSerializer,
    CustomerRegistrationSerializer,
    CustomerSerializer,
)
from customers.services import delete_customer, invite_customer, without_former
from customers.views import writing
from customers.views.base import CustomerPartViewSet
from normalise import json_bytes
from tenancy.permissions import hides_nothing
from tenancy.services import take_customer_numbers

# Columns that are never NULL: a cursor cannot stand at a NULL.
ORDERING = (
    *("created_at", "updated_at", "name", "first_name", "last_name", "company_name"),
    *("status", "id"),
)

STREAMS = {
    "json": ("application/json", None),
    "ndjson": ("application/x-ndjson", "customers.ndjson"),
    "csv": (exports.MEDIA_TYPES["csv"], "customers.csv"),
    "xlsx": (exports.MEDIA_TYPES["xlsx"], "customers.xlsx"),
}
LARGEST_LIMIT = 10_000_000


class CustomerViewSet(CustomerPartViewSet):
    """Customers of the tenant."""

    operation_prefix = "customers"
    filterset_class = CustomerFilter
    ordering = ("-created_at",)
    ordering_fields = ORDERING
    own_profile = frozenset({"partial_update"})
    number = None

    def get_renderers(self):
        if self.action == "list":
            return [JSONRenderer(), NDJSONRenderer(), CSVRenderer(), XLSXRenderer()]
        return super().get_renderers()

    @extend_schema(
        parameters=[
            OpenApiParameter("limit", int, description="0: everything in one answer."),
            OpenApiParameter("format", enum=list(STREAMS), description="Else by Accept."),
        ],
        responses=CustomerSerializer(many=True),
        summary="List customers",
    )
    def list(self, request):
        """Customers page by page, the newest first unless another order is asked for.

        `limit=0`, NDJSON, CSV and XLSX answer all that the filters leave, however many (for who may
        export).
        """
        customers = self.filter_queryset(self.get_queryset())
        form = request.accepted_renderer.format
        if form != "json" or request.query_params.get("limit") == "0":
            return self._everything(customers, form)
        rows = self.paginate_queryset(customers.values(*COLUMNS))
        return self.get_paginated_response([self.shown(record) for record in assemble(rows)])

    def _everything(self, customers, form):
        if not self.principal.may("customers.export_all"):
            raise PermissionDenied("You may not export customers.", "export_forbidden")
        parameters = self.request.query_params
        for name in ("cursor", "page", "page_size", "count"):
            if parameters.get(name):
                raise ValidationError({name: ["A list that comes whole has no pages."]})
        if parameters.get("limit"):
            limit = whole(parameters, "limit", 0, LARGEST_LIMIT)
            customers = customers[:limit] if limit else customers
        content_type, filename = STREAMS[form]
        if form in exports.FORMATS and form != "json":
            # Who may export sees every field; the columns are those that an import takes back.
            pieces = exports.pieces(customers, form)
        else:
            pieces = (ndjson_lines if form == "ndjson" else json_list)(self._told(customers))
        return self.stream(pieces, content_type=content_type, filename=filename)

    def _told(self, customers):
        """Every customer as JSON; made by the database where the caller sees every field."""
        if hides_nothing(self.principal.kind):
            return chain.from_iterable(documents(customers))
        return map(json_bytes, map(self.shown, records(customers)))

    @extend_schema(responses=CustomerSerializer, summary="Read a customer")
    def retrieve(self, request, customer_id):
        """One customer with everything that the caller may see; the ETag is its version."""
        response = self.record_response(self.customer_id())
        if request.headers.get("If-None-Match") == response["ETag"]:
            return Response(status=304, headers={"ETag": response["ETag"]})
        return response

    def prepare(self):
        """Take the customer number before the transaction that an Idempotency-Key begins: the
        tenant's row would stay locked until its end, and two registrations of the same customer
        could wait for each other."""
        self.number = take_customer_numbers(self.tenant)

    @extend_schema(
        request=CustomerRegistrationSerializer,
        responses={201: CustomerSerializer},
        summary="Register a customer",
    )
    def create(self, request):
        """Register a customer. Two registrations with the same identifier at once make one; the
        other is answered 409. Where the tenant activates by mail or SMS, a customer registered with
        the status `new` is sent the link or code."""
        customer = writing.register(
            self.principal, self.body(), number=self.number, then=invite_customer
        )
        location = reverse("api:customer", args=[customer.pk])
        headers = {"Location": request.build_absolute_uri(location)}
        return self.record_response(customer.pk, status=201, headers=headers)

    @extend_schema(
        request=CustomerChangeSerializer,
        responses=CustomerSerializer,
        summary="Change a customer",
    )
    def partial_update(self, request, customer_id):
        """Change what is named: omitted fields stay, null clears, a list replaces the list."""
        customer = self.customer()
        body = self.body()
        if customer.pk != uuid.UUID(customer_id):
            body = without_former(customer, body)
        writing.change(
            self.principal, customer, body, expected=self.expected_version(customer, body)
        )
        return self.record_response(customer.pk)

    @extend_schema(responses={204: None}, summary="Delete a customer")
    def destroy(self, request, customer_id):
        """Erase the customer: the row, everything below it and the files. A tombstone without
        personal data stays for the change feed; the id answers 404 from then on."""
        customer = self.customer()
        with self.at_expected_version(customer):
            delete_customer(customer)
        return self.no_content()
