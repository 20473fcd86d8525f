"""Stores, staff, settings and tokens: what administrators set up."""

import uuid
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from api.views import ViewSet
from tenancy.filters import StaffFilter, StoreFilter, TokenFilter
from tenancy.models import AccessToken, StaffMember, Store
from tenancy.serializers import (
    IssuedTokenSerializer,
    StaffChangeSerializer,
    StaffCreateSerializer,
    StaffSerializer,
    StoreSerializer,
    TenantSerializer,
    TokenCreateSerializer,
    TokenSerializer,
)
from tenancy.services import create_store, revoke_token, update_store, update_tenant
from tenancy.services.granting import grant_staff, grant_token, regrant_staff


class SetupViewSet(ViewSet):
    """What the four have in common: rows of the tenant, found by id."""

    def get_object(self):
        """The row that the path names; a foreign one is not there. Raises Http404."""
        try:
            key = uuid.UUID(self.kwargs["pk"])
        except ValueError as error:
            raise Http404 from error
        row = self.get_queryset().filter(pk=key).first()
        if row is None:
            raise Http404
        return row

    def checked(self, serializer_class, **options):
        """The body's values, when their form is right. Raises ValidationError by field."""
        serializer = serializer_class(data=self.body(), **options)
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data

    def page(self):
        """One page of the list."""
        rows = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(rows, many=True).data)


class StoreViewSet(SetupViewSet):
    """The tenant's stores."""

    operation_prefix = "stores"
    serializer_class = StoreSerializer
    filterset_class = StoreFilter
    ordering = ("code",)
    ordering_fields = ("code", "name", "location_id", "created_at")

    def get_queryset(self):
        return Store.objects.all()

    def list(self, request):
        """All stores."""
        return self.page()

    def retrieve(self, request, pk):
        """One store."""
        return Response(StoreSerializer(self.get_object()).data)

    @extend_schema(responses={201: StoreSerializer})
    def create(self, request):
        """Create a store. The first one of a tenant becomes the default."""
        values = dict(self.checked(StoreSerializer))
        store, created = create_store(self.tenant, values.pop("code"), **values)
        if not created:
            taken = ValidationError(_("Another store has this code."), code="unique")
            raise ValidationError({"code": taken})
        return self.created(StoreSerializer(store).data, reverse("api:store", args=[store.pk]))

    def partial_update(self, request, pk):
        """Change the named fields. Making a store the default takes that from the one before."""
        store = self.get_object()
        values = self.checked(StoreSerializer, partial=True)
        return Response(StoreSerializer(update_store(store, **values)).data)


class StaffViewSet(SetupViewSet):
    """The people who work for the tenant."""

    operation_prefix = "staff"
    serializer_class = StaffSerializer
    filterset_class = StaffFilter
    ordering = ("created_at",)
    ordering_fields = ("created_at",)

    def get_queryset(self):
        return StaffMember.objects.select_related("user").prefetch_related("stores")

    def list(self, request):
        """All staff members, those who left included."""
        return self.page()

    def retrieve(self, request, pk):
        """One staff member."""
        return Response(StaffSerializer(self.get_object()).data)

    @extend_schema(request=StaffCreateSerializer, responses={201: StaffSerializer})
    def create(self, request):
        """Make a person a staff member. Nobody can give a role more rights than their own."""
        values = self.checked(StaffCreateSerializer)
        user = values.pop("user")
        member = grant_staff(self.principal, user["email"], name=user.get("name", ""), **values)
        return self.created(
            StaffSerializer(member).data, reverse("api:staff-member", args=[member.pk])
        )

    @extend_schema(request=StaffChangeSerializer, responses=StaffSerializer)
    def partial_update(self, request, pk):
        """Change role, stores or activity; every token of the member ends with role or activity."""
        member = self.get_object()
        values = self.checked(StaffChangeSerializer, partial=True)
        regrant_staff(self.principal, member, **values)
        return Response(StaffSerializer(self.get_object()).data)


class SettingsViewSet(SetupViewSet):
    """The business itself: name, country, currency, time zone, and the table of settings."""

    operation_prefix = "settings"
    serializer_class = TenantSerializer

    def retrieve(self, request):
        """The tenant with every setting; one that was never set shows its default."""
        return Response(TenantSerializer(self.tenant).data)

    def partial_update(self, request):
        """Change the named fields and settings; what is not named stays."""
        values = self.checked(TenantSerializer, partial=True)
        return Response(TenantSerializer(update_tenant(self.tenant, **values)).data)


class TokenViewSet(SetupViewSet):
    """Access tokens of staff and services."""

    operation_prefix = "tokens"
    serializer_class = TokenSerializer
    filterset_class = TokenFilter
    ordering = ("-created_at",)
    ordering_fields = ("created_at",)
    answers_with_secrets = True

    def get_queryset(self):
        if getattr(self, "swagger_fake_view", False):
            return AccessToken.objects.none()
        # Sessions of customers are theirs, and there may be as many as customers.
        rows = AccessToken.objects.filter(kind=AccessToken.Kind.ACCESS, customer_id=None)
        return rows.select_related("staff__user").prefetch_related("stores")

    def list(self, request):
        """Tokens of staff and services, newest first, without their text."""
        return self.page()

    @extend_schema(request=TokenCreateSerializer, responses={201: IssuedTokenSerializer})
    def create(self, request):
        """Issue a token; its text is in this answer and nowhere else. Nobody can give a token more
        scopes, or more stores, than their own."""
        values = self.checked(TokenCreateSerializer)
        days = values.pop("days", None)
        if "staff" in values:
            values["staff"] = self.member(values["staff"])
        row, plain = grant_token(
            self.principal, lifetime=None if days is None else timedelta(days=days), **values
        )
        row.token = plain
        return self.created(IssuedTokenSerializer(row).data)

    @extend_schema(responses={204: None})
    def destroy(self, request, pk):
        """Revoke a token: the next call with it is answered 401."""
        revoke_token(self.get_object())
        return self.no_content()

    def member(self, key):
        """The active staff member with this id; raises ValidationError naming `staff`."""
        member = StaffMember.objects.filter(pk=key, active=True).first()
        if member is None:
            missing = ValidationError(_("No such staff member."), code="does_not_exist")
            raise ValidationError({"staff": missing})
        return member
