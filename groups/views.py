"""The endpoints of groups, of their members, and of a customer's own memberships."""

import uuid

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from api import problems
from api.etags import etag, expected_version
from api.views import ViewSet
from customers.models import Customer
from customers.records import COLUMNS, assemble
from customers.services import CustomerGone, get_customer
from groups.filters import GroupFilter, MemberFilter
from groups.models import Group, Subscription
from groups.querysets import in_group
from groups.serializers import (
    GroupSerializer,
    GroupWriteSerializer,
    OwnSubscriptionSerializer,
    SubscriptionSerializer,
    SubscriptionWriteSerializer,
)
from groups.services import (
    create_group,
    delete_group,
    remove_from_group,
    subscribe_customer,
    update_group,
)
from tenancy.models import Store
from tenancy.permissions import CUSTOMER, sees_field

# The group is in a state that forbids the deed; nothing is wrong with the request.
problems.CONFLICTS |= {"has_children", "busy"}

OWN_FIELDS = {"subscribed", "wording_version", "version"}


class GroupViewSet(ViewSet):
    """Groups. Customers see the public ones: those that they may join."""

    operation_prefix = "groups"
    serializer_class = GroupSerializer
    filterset_class = GroupFilter
    ordering = ("code",)
    ordering_fields = ("code", "title", "created_at", "updated_at")

    def get_queryset(self):
        groups = Group.objects.select_related("parent")
        by_customer = self.principal is not None and self.principal.kind == CUSTOMER
        return groups.public() if by_customer else groups

    def get_object(self):
        group = self.get_queryset().named(self.kwargs["group"])
        if group is None:
            raise Http404
        return group

    def list(self, request):
        """All groups of the tenant."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(GroupSerializer(page, many=True).data)

    def retrieve(self, request, group):
        """One group, by its code or id."""
        return Response(GroupSerializer(self.get_object()).data)

    @extend_schema(request=GroupWriteSerializer, responses={201: GroupSerializer})
    def create(self, request):
        """Create a group."""
        group = create_group(**self.fields())
        return self.created(GroupSerializer(group).data, reverse("api:group", args=[group.pk]))

    @extend_schema(request=GroupWriteSerializer(partial=True), responses=GroupSerializer)
    def partial_update(self, request, group):
        """Change the named fields of a group. Moving it below one of its own is refused."""
        group = update_group(self.get_object(), **self.fields())
        return Response(GroupSerializer(group).data)

    @extend_schema(responses={204: None})
    def destroy(self, request, group):
        """Delete a group. Its members leave it, each with an entry in the own history. Refused
        (409) while other groups stand below it."""
        delete_group(self.get_object())
        return self.no_content()

    def fields(self):
        """The body, without names that nobody can set."""
        body = self.body()
        unknown = ValidationError("Unknown field, or not to be set.", code="unknown")
        if bad := set(body) - set(Group.FIELDS):
            raise ValidationError(dict.fromkeys(sorted(bad), unknown))
        return body


class MemberViewSet(ViewSet):
    """The customers in a group."""

    operation_prefix = "groups"
    list_actions = frozenset({"members"})
    filterset_class = MemberFilter
    ordering = ("number",)
    ordering_fields = ("number", "name", "created_at", "updated_at")
    group = None

    def get_queryset(self):
        return Customer.objects.all()

    @extend_schema(responses={200: OpenApiTypes.OBJECT})
    def members(self, request, group):
        """The members of a group as customer records, whether or not they want its mail."""
        self.group = Group.objects.named(group)
        if self.group is None:
            raise Http404
        customers = self.filter_queryset(in_group(self.get_queryset(), self.group))
        page = self.paginate_queryset(customers.values(*COLUMNS))
        role = self.principal.kind
        return self.get_paginated_response(
            [
                {name: value for name, value in record.items() if sees_field(role, name)}
                for record in assemble(page)
            ]
        )


class SubscriptionViewSet(ViewSet):
    """One customer's groups. Customers join and leave public groups by themselves; who is in a
    private one, staff decides."""

    operation_prefix = "subscriptions"
    ordering = ("code",)
    ordering_fields = ("code", "at", "created_at")
    serializer_class = SubscriptionSerializer

    def get_customer(self):
        """The customer of the path; somebody else's record is not there for a customer."""
        try:
            customer_id = uuid.UUID(self.kwargs["customer_id"])
        except ValueError as error:
            raise Http404 from error
        try:
            customer = get_customer(customer_id)
        except CustomerGone as error:
            raise Http404 from error
        if self.principal.kind == CUSTOMER and self.principal.customer_id != customer.pk:
            raise Http404
        self.subject_id = customer.pk
        return customer

    def get_group(self):
        """The group of the path; a private one is not there for a customer who is not in it."""
        group = Group.objects.named(self.kwargs["group"])
        if group is None:
            raise Http404
        return group

    def get_queryset(self):
        return Subscription.objects.select_related("group", "store")

    def get_serializer_class(self):
        principal = getattr(self.request, "user", None)
        own = principal is not None and principal.kind == CUSTOMER
        return OwnSubscriptionSerializer if own else SubscriptionSerializer

    def list(self, request, customer_id):
        """The customer's groups, with flag and evidence."""
        rows = self.get_queryset().filter(customer=self.get_customer())
        page = self.paginate_queryset(self.filter_queryset(rows))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        request=SubscriptionWriteSerializer,
        responses={200: SubscriptionSerializer, 201: SubscriptionSerializer},
    )
    def update(self, request, customer_id, group):
        """Put the customer into the group with this flag (201), or set the flag (200). The same
        flag again changes nothing."""
        customer, group = self.get_customer(), self.get_group()
        values = self.wish(self.body())
        version = self.version_of(customer, values)
        values.pop("version", None)
        known = Subscription.objects.filter(customer=customer, group=group).exists()
        member = self.as_asked(
            subscribe_customer, customer, group, expected_version=version, **values
        )
        status = 200 if known else 201
        headers = {"ETag": etag(customer.version)}
        return Response(self.get_serializer(member).data, status=status, headers=headers)

    @extend_schema(responses={204: None})
    def destroy(self, request, customer_id, group):
        """Take the customer out of the group."""
        customer, group = self.get_customer(), self.get_group()
        version = self.version_of(customer)
        if not self.as_asked(remove_from_group, customer, group, expected_version=version):
            raise Http404
        response = self.no_content()
        response["ETag"] = etag(customer.version)
        return response

    def wish(self, body):
        """What the body asks for, as far as the caller may ask for it."""
        if "subscribed" not in body or body["subscribed"] is None:
            required = ValidationError("This field is required.", code="required")
            raise ValidationError({"subscribed": required})
        if "group" in body or "reason" in body or "expected_version" in body:
            named = {"group", "reason", "expected_version"} & set(body)
            unknown = ValidationError("Unknown field.", code="unknown")
            raise ValidationError(dict.fromkeys(sorted(named), unknown))
        if self.principal.kind == CUSTOMER:
            if refused := set(body) - OWN_FIELDS:
                raise problems.FieldsRefused(refused)
            return {**body, "source": "self-service"}
        return {**body, "store": self.store_of(body.get("store"))}

    def store_of(self, named):
        """The store of the evidence: the named one, else the only one of the token."""
        bound = self.principal.store_ids
        if not bound:
            return named
        if named is None:
            return Store.objects.get(pk=next(iter(bound))) if len(bound) == 1 else None
        inside = Store.objects.filter(pk__in=bound)
        if not any(str(named).lower() in (str(s.pk), s.code.lower()) for s in inside):
            missing = ValidationError("No such store.", code="does_not_exist")
            raise ValidationError({"store": missing})
        return named

    def version_of(self, customer, body=None):
        """The version that the change is based on, where one is named or required."""
        return expected_version(
            self.request,
            body,
            required=self.tenant.setting("require_if_match"),
            current=customer.version,
        )

    def as_asked(self, deed, *args, **values):
        """Do it; what only staff may do is refused as a matter of rights (403)."""
        try:
            return deed(*args, **values)
        except ValidationError as error:
            if getattr(error, "code", None) == "private_group":
                raise PermissionDenied(error.messages[0]) from error
            raise
