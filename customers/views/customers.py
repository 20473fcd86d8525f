"""The customer itself: list, read, register, change, delete."""

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from customers.filters import CustomerFilter
from customers.records import COLUMNS, assemble
from customers.serializers import (
    CustomerChangeSerializer,
    CustomerRegistrationSerializer,
    CustomerSerializer,
)
from customers.views import writing
from customers.views.base import CustomerPartViewSet

# Columns that are never NULL: a cursor cannot stand at a NULL.
ORDERING = (
    *("created_at", "updated_at", "name", "first_name", "last_name", "company_name"),
    *("status", "id"),
)


class CustomerViewSet(CustomerPartViewSet):
    """Customers of the tenant."""

    operation_prefix = "customers"
    filterset_class = CustomerFilter
    ordering = ("-created_at",)
    ordering_fields = ORDERING
    own_profile = frozenset({"partial_update"})

    @extend_schema(responses=CustomerSerializer(many=True), summary="List customers")
    def list(self, request):
        """Customers page by page, the newest first unless another order is asked for."""
        customers = self.filter_queryset(self.get_queryset())
        rows = self.paginate_queryset(customers.values(*COLUMNS))
        return self.get_paginated_response([self.shown(record) for record in assemble(rows)])

    @extend_schema(responses=CustomerSerializer, summary="Read a customer")
    def retrieve(self, request, customer_id):
        """One customer with everything that the caller may see; the ETag is its version."""
        response = self.record_response(self.customer_id())
        if request.headers.get("If-None-Match") == response["ETag"]:
            return Response(status=304, headers={"ETag": response["ETag"]})
        return response

    @extend_schema(
        request=CustomerRegistrationSerializer,
        responses={201: CustomerSerializer},
        summary="Register a customer",
    )
    def create(self, request):
        """Register a customer. Two registrations with the same identifier at once make one; the
        other is answered 409."""
        customer = writing.register(self.principal, self.body())
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
        writing.change(
            self.principal, customer, body, expected=self.expected_version(customer, body)
        )
        return self.record_response(customer.pk)
