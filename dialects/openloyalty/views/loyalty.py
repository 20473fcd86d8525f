"""Levels, and where a customer stands."""

import uuid

from django.core.exceptions import ValidationError
from django.db.models import Count
from django.http import Http404
from rest_framework.response import Response

from customers.models import Customer
from customers.records import COLUMNS, assemble
from customers.slots import email_of
from dialects.openloyalty import queries
from dialects.openloyalty.fields import INVALID
from dialects.openloyalty.loyalty_serializers import OpenLoyaltyLevel
from dialects.openloyalty.programme import level_details, status_object
from dialects.openloyalty.views.base import CustomerEndpoint
from loyalty.finding import narrow_by_account, on_level
from loyalty.models import Level, LoyaltyAccount
from loyalty.services import (
    assign_level,
    create_level,
    find_level,
    remove_manual_level,
    set_level_active,
    update_level,
)
from loyalty.status import status_of


class OpenLoyaltyStandingViewSet(CustomerEndpoint):
    """A customer's level and status."""

    operations = {
        "status": "loyalty.retrieve",
        "assign_level": "level.update",
        "remove_level": "level.destroy",
    }

    def status(self, request, customer, tenant_code):
        """Where the customer stands in the programme."""
        return Response(status_object(status_of(self.customer()), self.locale))

    def assign_level(self, request, customer, tenant_code):
        """`levelId`: the level on which the customer is put by hand, active or not."""
        found = self.customer()
        level_id = self.parameters().get("levelId")
        if level_id in (None, ""):
            return Response({"levelId": "field is required"}, status=400)
        try:
            level = find_level(level_id)
        except ValidationError:
            return Response({"levelId": INVALID}, status=400)
        assign_level(found, level)
        return Response([])

    def remove_level(self, request, customer, tenant_code):
        """Back to the level that the customer's points reach; this wire counts points here whatever
        the programme counts."""
        try:
            remove_manual_level(self.customer(), by_active_points=True)
        except ValidationError as refusal:
            if refusal.code != "not_manual":
                raise
            error = "Customer is not assigned to level manually"
            return Response({"error": error}, status=400)
        return self.no_content()


class OpenLoyaltyLevelViewSet(CustomerEndpoint):
    """`level`: the steps of the programme."""

    operation_prefix = "levels"
    operations = {
        "create": "levels.create",
        "update": "levels.partial_update",
        "activate": "levels.partial_update",
        "members": "customers.list",
        "own_list": "levels.list",
    }

    def list(self, request, tenant_code):
        """All levels with the number of their customers."""
        return Response(self._told(Level.objects.all()))

    def own_list(self, request, tenant_code):
        """The levels that can be reached, as customers see them."""
        told = self._told(Level.objects.active())["levels"]
        shown = ("levelId", "name", "description", "conditionValue", "hasPhoto")
        return Response({"levels": [{name: level[name] for name in shown} for level in told]})

    def retrieve(self, request, level, tenant_code):
        told = self._told(Level.objects.filter(pk=self._level().pk))["levels"]
        return Response(told[0])

    def create(self, request, tenant_code):
        """`level[…]`."""
        form = self.read_form(OpenLoyaltyLevel)
        return Response({"id": create_level(**form.level()).pk})

    def update(self, request, level, tenant_code):
        """`level[…]`; what is not sent stays."""
        found = self._level()
        form = self.read_form(OpenLoyaltyLevel)
        update_level(found, **form.level())
        return Response({"id": found.pk})

    def activate(self, request, level, tenant_code):
        """`active`: whether the level can be reached; who stands on it stays."""
        found = self._level()
        active = self.parameters().get("active")
        if active is None:
            return Response({"active": "this field is required"}, status=400)
        set_level_active(found, active not in (False, 0, "", "0", "false"))
        return Response(status=204)

    def members(self, request, level, tenant_code):
        """The customers on a level, page by page."""
        found = narrow_by_account(Customer.objects.all(), on_level(self._level()))
        asked = self.parameters()
        total = found.count()
        first, length = queries.page_of(asked)
        length = min(length or queries.MOST, queries.MOST)
        rows = list(queries.ordered(found, asked).values(*COLUMNS)[first : first + length])
        customers = [
            {
                "customerId": record["id"],
                "firstName": record["first_name"],
                "lastName": record["last_name"],
                "email": email_of(record),
            }
            for record in assemble(rows)
        ]
        return Response({"customers": customers, "total": total})

    def _level(self):
        try:
            level_id = uuid.UUID(self.kwargs["level"])
        except ValueError as error:
            raise Http404 from error
        level = Level.objects.filter(pk=level_id).first()
        if level is None:
            raise Http404
        return level

    def _told(self, levels):
        counted = dict(
            LoyaltyAccount.objects.filter(level__in=levels, customer__isnull=False)
            .order_by()
            .values_list("level")
            .annotate(n=Count("pk"))
        )
        told = [
            level_details(level, self.locale, counted.get(level.pk, 0), self.tenant.currency)
            for level in levels
        ]
        return {"levels": told, "total": len(told)}
