"""Where a customer stands, and the level that staff give."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response

from api.etags import etag
from loyalty.serializers.levels import LANGUAGES, LevelAssignmentSerializer, StatusSerializer
from loyalty.serializers.simulation import (
    DistributionSerializer,
    SettingsSerializer,
    SimulationSerializer,
)
from loyalty.services import assign_level, find_level, remove_manual_level
from loyalty.simulating import clean_wishes, simulate, simulate_all
from loyalty.status import status_of
from loyalty.views.base import LoyaltyViewSet, naming

LANGUAGE = OpenApiParameter(
    "language", enum=list(LANGUAGES), description="Of the sentence and of the levels' names."
)


class AccountViewSet(LoyaltyViewSet):
    """Where one customer stands in the programme."""

    operation_prefix = "loyalty"
    filter_backends = []
    pagination_class = None
    list_actions = frozenset()
    parameters = {"retrieve": ("language",)}

    @extend_schema(
        parameters=[LANGUAGE], responses=StatusSerializer, summary="Read where a customer stands"
    )
    def retrieve(self, request, customer_id):
        """Points, level, what the next level needs, and the sentence that says why: all exact at
        this moment, whether or not a job has written down what expired."""
        customer = self.customer()
        return Response(standing(customer, self.language_for(customer)))

    def language_for(self, customer):
        """The language of the answer: the one asked for, else the customer's own where a customer
        asks, else the business's."""
        asked = self.request.query_params.get("language")
        if asked:
            if asked not in LANGUAGES:
                message = _("Use one of: %(names)s.") % {"names": ", ".join(LANGUAGES)}
                raise ValidationError({"language": ValidationError(message, code="invalid_choice")})
            return asked
        own = customer.language if self.by_customer else ""
        return own if own in LANGUAGES else self.tenant.setting("locale")


class SimulationViewSet(LoyaltyViewSet):
    """What would be under other settings of the programme. Nothing is changed."""

    operation_prefix = "loyalty"
    filter_backends = []
    pagination_class = None
    list_actions = frozenset()

    @extend_schema(
        request=SettingsSerializer,
        responses=SimulationSerializer,
        summary="Try other settings on a customer",
    )
    def simulate(self, request, customer_id):
        """Where this customer would stand under the named settings of the programme; the others
        are as they are. An assigned level is a floor there, too."""
        simulation = simulate(self.customer(), **self.wishes())
        context = {"language": self.tenant.setting("locale")}
        return Response(SimulationSerializer(simulation, context=context).data)

    @extend_schema(
        request=SettingsSerializer,
        responses=DistributionSerializer(many=True),
        summary="Try other settings on everybody",
    )
    def simulate_all(self, request):
        """How many customers stand on each level, and would under the named settings."""
        rows = simulate_all(self.tenant, **self.wishes())
        return Response(DistributionSerializer(rows, many=True).data)

    def wishes(self):
        settings = self.fields("settings", required=("settings",))["settings"]
        if not isinstance(settings, dict):
            invalid = ValidationError(_("Must be an object."), code="invalid")
            raise ValidationError({"settings": invalid})
        try:
            clean_wishes(settings)
        except ValidationError as error:
            raise ValidationError(
                {f"settings.{name}": errors for name, errors in error.error_dict.items()}
            ) from error
        return settings


class LevelOfCustomerViewSet(LoyaltyViewSet):
    """The level that staff give a customer: the lowest to go down to while the customer stands on
    it."""

    operation_prefix = "level"
    filter_backends = []
    pagination_class = None
    list_actions = frozenset()

    @extend_schema(
        request=LevelAssignmentSerializer,
        responses=StatusSerializer,
        summary="Put a customer on a level",
    )
    def update(self, request, customer_id):
        """Put the customer on a level by hand, up or down; the level may be inactive. X-Reason says
        why."""
        customer = self.customer()
        named = self.fields("level", required=("level",))["level"]
        with naming("level"):
            level = find_level(named)
        with self.at_expected_version(customer):
            assign_level(customer, level)
        return self.answer(customer)

    @extend_schema(responses=StatusSerializer, summary="Take an assigned level back")
    def destroy(self, request, customer_id):
        """Take the assigned level back: the customer goes to the level that was collected. Refused
        (409) where none is assigned."""
        customer = self.customer()
        with self.at_expected_version(customer):
            remove_manual_level(customer)
        return self.answer(customer)

    def answer(self, customer):
        """Where the customer stands now, with the ETag of the customer."""
        customer.refresh_from_db()
        told = standing(customer, self.tenant.setting("locale"))
        return Response(told, headers={"ETag": etag(customer.version)})


def standing(customer, language):
    """The status of a customer as the API shows it."""
    return StatusSerializer(status_of(customer), context={"language": language}).data
