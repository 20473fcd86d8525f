"""Levels: the steps of the programme, and who stands on them."""

from django.db.models import Exists, OuterRef
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema

from customers.models import Customer
from customers.records import COLUMNS, assemble
from loyalty.filters import LevelFilter, LevelMemberFilter
from loyalty.models import Level, LoyaltyAccount
from loyalty.serializers.levels import LevelSerializer, LevelWriteSerializer
from loyalty.services import create_level, delete_level, update_level
from loyalty.views.base import LoyaltyViewSet
from tenancy.permissions import sees_field


class LevelViewSet(LoyaltyViewSet):
    """Levels. Customers see the active ones: those that they may reach."""

    operation_prefix = "levels"
    serializer_class = LevelSerializer
    filterset_class = LevelFilter
    ordering = ("position", "threshold")
    ordering_fields = ("position", "threshold", "name", "created_at", "updated_at")
    parameters = {"destroy": ("move_to",)}

    def get_queryset(self):
        levels = Level.objects.all()
        return levels.active() if self.by_customer else levels

    @extend_schema(responses=LevelSerializer(many=True), summary="List levels")
    def list(self, request):
        """All levels of the programme, in the order in which people see them."""
        return self.page(self.get_queryset())

    @extend_schema(responses=LevelSerializer, summary="Read a level")
    def retrieve(self, request, level_id):
        """One level."""
        return self.shown(self.row("level_id"))

    @extend_schema(
        request=LevelWriteSerializer, responses={201: LevelSerializer}, summary="Create a level"
    )
    def create(self, request):
        """Create a level. It moves nobody: customers come to it when they are next looked at."""
        level = create_level(**self.fields(*Level.FIELDS))
        return self.created(LevelSerializer(level).data, reverse("api:level", args=[level.pk]))

    @extend_schema(
        request=LevelWriteSerializer(partial=True),
        responses=LevelSerializer,
        summary="Change a level",
    )
    def partial_update(self, request, level_id):
        """Change the named fields. Nobody moves at once; with `active` false nobody new reaches it
        and who stands on it stays."""
        return self.shown(update_level(self.row("level_id"), **self.fields(*Level.FIELDS)))

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "move_to", str, description="Id or name of the level its customers move to."
            )
        ],
        responses={204: None},
        summary="Delete a level",
    )
    def destroy(self, request, level_id):
        """Delete a level. Where customers stand on it, `move_to` says where they go (else 409);
        each of them gets an entry in the own history."""
        move_to = request.query_params.get("move_to") or None
        delete_level(self.row("level_id"), move_to=move_to)
        return self.no_content()


class LevelMemberViewSet(LoyaltyViewSet):
    """The customers on a level."""

    operation_prefix = "levels"
    list_actions = frozenset({"customers"})
    filterset_class = LevelMemberFilter
    ordering = ("number",)
    ordering_fields = ("number", "name", "created_at", "updated_at")
    level = None

    def get_queryset(self):
        return Customer.objects.all()

    @extend_schema(responses={200: OpenApiTypes.OBJECT}, summary="List the customers on a level")
    def customers(self, request, level_id):
        """The customers who stand on a level, as customer records."""
        self.level = self.row("level_id", of=Level.objects.all())
        customers = self.filter_queryset(self.members(self.get_queryset()))
        page = self.paginate_queryset(customers.values(*COLUMNS))
        role = self.principal.kind
        return self.get_paginated_response(
            [
                {name: value for name, value in record.items() if sees_field(role, name)}
                for record in assemble(page)
            ]
        )

    def members(self, customers, *, assigned=None):
        """Those of a queryset of customers who stand on the level of the path."""
        accounts = LoyaltyAccount.objects.standing_on(self.level, assigned=assigned)
        return customers.filter(Exists(accounts.filter(customer=OuterRef("pk"))))
