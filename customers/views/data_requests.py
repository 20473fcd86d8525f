"""Requests of people about their data, for systems that take them in."""

import uuid

import django_filters
from django.core.exceptions import ValidationError
from django.http import Http404
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field, inline_serializer
from rest_framework import serializers
from rest_framework.response import Response

from api import problems
from api.filters import CleanFilter, FilterSet
from api.views import ViewSet
from customers.models import DataRequest, Erasure
from customers.services import CustomerGone, get_customer
from customers.services.data_requests import (
    complete_data_request,
    confirm_identity,
    hand_out,
    hold_data_request,
    open_data_request,
    refuse_data_request,
    resume_data_request,
)
from customers.services.erasure_receipts import receipts_of

# The request is in a state that forbids the deed; nothing is wrong with the body.
problems.CONFLICTS |= {"request_state", "identity_unchecked"}
MAKES = ("kind", "channel", "received_on", "identity", "note")


class PlaceSerializer(serializers.Serializer):
    """Where something stands."""

    table = serializers.CharField()
    column = serializers.CharField()
    count = serializers.IntegerField()


class OwnRowsSerializer(serializers.Serializer):
    """What a search of the customer's own rows found."""

    clean = serializers.BooleanField()
    searched = serializers.IntegerField(help_text="So many columns.")
    left = PlaceSerializer(many=True)


class FoundElsewhereSerializer(OwnRowsSerializer):
    """What a search of everything found."""

    searched = serializers.IntegerField(help_text="So many columns and files.")
    elsewhere = PlaceSerializer(
        many=True, help_text="Rows of others, whose own these texts may be: a namesake, a city."
    )


class ReceiptSerializer(serializers.Serializer):
    """An erasure, and what searching for the old values found."""

    at = serializers.DateTimeField()
    own_rows = OwnRowsSerializer(source="scan", allow_null=True)
    search = serializers.ChoiceField(
        Erasure.Search.choices, source="search_state", help_text="How the search elsewhere stands."
    )
    searched_at = serializers.DateTimeField(allow_null=True)
    elsewhere = FoundElsewhereSerializer(source="search", allow_null=True)


class DataRequestSerializer(serializers.ModelSerializer):
    """What somebody asked about the data, and how far the answer is."""

    customer = serializers.UUIDField(source="customer_id")
    receipt = serializers.SerializerMethodField(
        help_text="Of an erasure that was done: what the searches for the old values found."
    )

    class Meta:
        model = DataRequest
        fields = (
            "id", "customer", "kind", "state", "received_on", "channel", "due_on", "note",
            "identity", "identified_at", "identified_by", "exported_at", "reason", "created_at",
            "created_by", "closed_at", "closed_by", "receipt",
        )  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(ReceiptSerializer(allow_null=True))
    def get_receipt(self, asked):
        if asked.kind != DataRequest.Kind.ERASE:
            return None
        receipts = self.context.get("receipts")
        if receipts is None:
            receipts = receipts_of([asked.customer_id])
        erasure = receipts.get(asked.customer_id)
        return ReceiptSerializer(erasure).data if erasure else None


def _uuid(value):
    try:
        return uuid.UUID(str(value))
    except ValueError as error:
        raise ValidationError(_("Must be a UUID."), code="invalid") from error


class DataRequestFilter(FilterSet):
    """Filters of the board."""

    state = django_filters.ChoiceFilter(choices=DataRequest.State.choices)
    kind = django_filters.ChoiceFilter(choices=DataRequest.Kind.choices)
    customer = CleanFilter(cleaner=_uuid, field_name="customer_id")
    due_by = django_filters.DateFilter(
        field_name="due_on", lookup_expr="lte", label="Due by this day or before."
    )

    class Meta:
        model = DataRequest
        fields = ()


def _text(**more):
    return serializers.CharField(required=False, **more)


class DataRequestViewSet(ViewSet):
    """Requests of people about their data (GDPR articles 12 to 22); the most urgent first."""

    operation_prefix = "data_requests"
    serializer_class = DataRequestSerializer
    filterset_class = DataRequestFilter
    ordering = ("due_on", "id")
    ordering_fields = ("due_on", "created_at")

    def get_queryset(self):
        return DataRequest.objects.all()

    def get_object(self):
        try:
            key = uuid.UUID(self.kwargs["request_id"])
        except ValueError as error:
            raise Http404 from error
        found = self.get_queryset().filter(pk=key).first()
        if found is None:
            raise Http404
        return found

    def list(self, request):
        """All requests; `state=open` and `due_by` tell what is urgent."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        erased = [asked.customer_id for asked in page if asked.kind == DataRequest.Kind.ERASE]
        told = {"receipts": receipts_of(erased) if erased else {}}
        return self.get_paginated_response(
            DataRequestSerializer(page, many=True, context=told).data
        )

    def retrieve(self, request, request_id):
        """One request."""
        return self._told(self.get_object())

    @extend_schema(
        request=inline_serializer(
            "DataRequestRequest",
            {
                "customer": serializers.UUIDField(),
                "kind": serializers.ChoiceField(DataRequest.Kind.choices),
                "channel": serializers.ChoiceField(DataRequest.Channel.choices),
                "received_on": serializers.DateField(required=False),
                "identity": serializers.ChoiceField(DataRequest.Identity.choices, required=False),
                "note": _text(max_length=2000),
            },
        ),
        responses={201: DataRequestSerializer},
        summary="Write a request down",
    )
    def create(self, request):
        """A customer asks for a copy of the data, for erasure, or objects. It is due a month after
        `received_on` (today when left out). 409 `unique` while the same is not answered."""
        body = self._body("customer", *MAKES, required=("customer", "kind", "channel"))
        try:
            customer = get_customer(_uuid(body["customer"]))
        except ValidationError as error:
            raise ValidationError({"customer": error}) from error
        except (CustomerGone, Http404) as gone:
            wrong = ValidationError(_("There is no such customer."), code="does_not_exist")
            raise ValidationError({"customer": wrong}) from gone
        made = open_data_request(customer, **{name: body[name] for name in MAKES if name in body})
        return self._told(made, status=201)

    @extend_schema(
        request=inline_serializer(
            "IdentifyRequest", {"identity": serializers.ChoiceField(DataRequest.Identity.choices)}
        ),
        responses=DataRequestSerializer,
        summary="Say who is asking",
    )
    def identify(self, request, request_id):
        """How the identity of the person was checked; your name and the time are kept with it."""
        body = self._body("identity", required=("identity",))
        return self._told(confirm_identity(self.get_object(), body["identity"]))

    @extend_schema(
        request=inline_serializer(
            "HoldRequest",
            {
                "reason": serializers.CharField(max_length=500),
                "until": serializers.DateField(required=False),
            },
        ),
        responses=DataRequestSerializer,
        summary="Put a request on hold",
    )
    def hold(self, request, request_id):
        """More time, at most three months after it was received; `reason` is told to the person."""
        body = self._body("reason", "until", required=("reason",))
        held = hold_data_request(self.get_object(), reason=body["reason"], until=body.get("until"))
        return self._told(held)

    @extend_schema(request=None, responses=DataRequestSerializer, summary="Take it off hold")
    def resume(self, request, request_id):
        """It is to be answered again."""
        return self._told(resume_data_request(self.get_object()))

    @extend_schema(
        request=inline_serializer(
            "RefuseRequest", {"reason": serializers.CharField(max_length=500)}
        ),
        responses=DataRequestSerializer,
        summary="Refuse a request",
    )
    def refuse(self, request, request_id):
        """`reason` is told to the person."""
        body = self._body("reason", required=("reason",))
        return self._told(refuse_data_request(self.get_object(), reason=body["reason"]))

    @extend_schema(
        request=None,
        responses=OpenApiTypes.OBJECT,
        summary="Hand out the copy of the data",
    )
    def hand_out(self, request, request_id):
        """Everything held about the customer, as `customers/{id}/export/` answers it; that it was
        handed out is kept. 409 `identity_unchecked` before the identity was checked."""
        return Response(hand_out(self.get_object()))

    @extend_schema(
        request=inline_serializer(
            "CompleteRequest",
            {
                "reason": _text(max_length=500),
                "deactivate": serializers.BooleanField(required=False),
            },
        ),
        responses=DataRequestSerializer,
        summary="Answer a request",
    )
    def complete(self, request, request_id):
        """Access: after the copy was handed out. An objection withdraws the consent to marketing;
        `deactivate` blocks the customer too. An erasure is done by `customers/{id}/anonymise/`,
        which closes it."""
        body = self._body("reason", "deactivate")
        if not isinstance(body.get("deactivate", False), bool):
            wrong = ValidationError(_("Must be true or false."), code="invalid")
            raise ValidationError({"deactivate": wrong})
        return self._told(complete_data_request(self.get_object(), **body))

    def _body(self, *known, required=()):
        body = self.body()
        errors = {
            name[:100]: ValidationError(_("Unknown field."), code="unknown")
            for name in body
            if name not in known
        }
        for name in required:
            if body.get(name) in (None, ""):
                errors[name] = ValidationError(_("This field is required."), code="required")
        for name, value in body.items():
            if name in known and name != "deactivate" and not isinstance(value, str | None):
                errors[name] = ValidationError(_("Must be text."), code="invalid")
        if errors:
            raise ValidationError(errors)
        return {name: value for name, value in body.items() if value is not None}

    @staticmethod
    def _told(asked, status=200):
        return Response(DataRequestSerializer(asked).data, status=status)
