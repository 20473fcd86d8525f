"""Two records of one person: preview, merge, undo; and two people who look alike."""

import uuid

from django.core.exceptions import ValidationError
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.response import Response

import normalise
from api.etags import NO_VERSION, etag, expected_version
from api.filters import CleanFilter, FilterSet
from api.views import ViewSet
from customers.filters import FlagFilter
from customers.models import Merge, NotDuplicate
from customers.services import (
    CustomerGone,
    forget_not_duplicates,
    merge_customers,
    not_duplicates,
    preview_merge,
    undo_merge,
)
from customers.views.base import CustomerPartViewSet
from tenancy import clock

OTHER = [OpenApiParameter("other", OpenApiTypes.UUID, required=True, description="Its id.")]


class ActorSerializer(serializers.Serializer):
    """Who did it."""

    kind = serializers.CharField()
    id = serializers.UUIDField(allow_null=True)
    label = serializers.CharField()


class MergeSerializer(serializers.Serializer):
    """One record that became part of another."""

    id = serializers.UUIDField()
    survivor = serializers.UUIDField(help_text="The one id that is true from now on.")
    merged = serializers.UUIDField(help_text="The old id; it answers with the survivor.")
    merged_number = serializers.IntegerField(allow_null=True)
    at = serializers.DateTimeField()
    actor = ActorSerializer()
    reason = serializers.CharField()
    version = serializers.IntegerField(help_text="The survivor's version that it made.")
    undo_until = serializers.DateTimeField()
    undone_at = serializers.DateTimeField(allow_null=True)
    undoable = serializers.BooleanField(help_text="Neither undone, nor too late, nor erased.")


class PairSerializer(serializers.Serializer):
    """Somebody who is not the same person."""

    other = serializers.UUIDField()
    at = serializers.DateTimeField()
    actor = ActorSerializer()
    reason = serializers.CharField()


MERGE_BODY = inline_serializer(
    "MergeRequest",
    {
        "other": serializers.UUIDField(help_text="The record that becomes part of this one."),
        "choices": serializers.DictField(
            child=serializers.ChoiceField(["survivor", "other"]),
            required=False,
            help_text="Field -> whose value stays; the survivor's unless blank.",
        ),
        "dry_run": serializers.BooleanField(required=False, help_text="Only the preview (200)."),
        "reason": serializers.CharField(required=False, max_length=500),
        "version": serializers.IntegerField(required=False, help_text="Instead of If-Match."),
        "other_version": serializers.IntegerField(
            required=False, help_text="The version of the other record that you have seen."
        ),
    },
)


def _actor(row):
    return {"kind": row.actor_kind, "id": row.actor_id, "label": row.actor_label}


def _merge(row):
    is_open = bool(row.journal) and row.undone_at is None
    return {
        "id": row.pk,
        "survivor": row.survivor_id,
        "merged": row.merged_id,
        "merged_number": row.merged.number,
        "at": row.at,
        "actor": _actor(row),
        "reason": row.reason,
        "version": row.version,
        "undo_until": row.undo_until,
        "undone_at": row.undone_at,
        "undoable": is_open and clock.now() <= row.undo_until,
    }


def _uuid(value):
    try:
        return uuid.UUID(str(value))
    except ValueError as error:
        raise ValidationError(_("Must be a UUID."), code="invalid") from error


def _named(name, clean, value):
    try:
        return clean(value)
    except ValidationError as error:
        raise ValidationError({name: error.error_list}) from error


def _other(value):
    """The id of the other record. Raises ValidationError naming `other`."""
    if value in (None, ""):
        missing = ValidationError(_("This field is required."), code="required")
        raise ValidationError({"other": missing})
    return _named("other", _uuid, value)


def _nobody():
    message = ValidationError(_("There is no such customer."), code="does_not_exist")
    return ValidationError({"other": message})


def _reason(body):
    reason = body.get("reason") or ""
    if not isinstance(reason, str):
        raise ValidationError({"reason": ValidationError(_("Must be text."), code="invalid")})
    return reason


def _version(value):
    if isinstance(value, bool) or not isinstance(value, (int, type(None))):
        raise ValidationError(_("Enter a whole number."), code="invalid")
    return value if value is None or 0 < value < 2**31 else NO_VERSION


class MergingViewSet(CustomerPartViewSet):
    """A customer who may have a second record."""

    operation_prefix = "customers"
    filter_backends = []
    pagination_class = None
    list_actions = frozenset()
    parameters = {"merge_preview": ("other",)}

    @extend_schema(
        parameters=OTHER, responses=OpenApiTypes.OBJECT, summary="Preview a merge", filters=False
    )
    def merge_preview(self, request, customer_id):
        """What a merge of `other` into this customer would do: both values and the outcome of every
        field, the joined lists, consents, what moves, and what forbids it."""
        customer = self.customer()
        return self._preview(customer, _other(request.query_params.get("other")))

    @extend_schema(
        request=MERGE_BODY,
        responses={201: MergeSerializer, 200: OpenApiTypes.OBJECT},
        summary="Merge two customers",
    )
    def merge(self, request, customer_id):
        """Make `other` part of this customer. The old id and identifiers go on answering with the
        survivor. What forbids it is 409 with every blocker; `dry_run` answers the preview."""
        customer = self.customer()
        known = ("other", "choices", "dry_run", "reason", "version", "other_version")
        body = self.fields(*known, required=("other",))
        other = _other(body["other"])
        if _named("dry_run", normalise.clean_bool, body.get("dry_run") or False):
            return self._preview(customer, other, body.get("choices"))
        versions = {
            customer.pk: self.expected_version(customer, body),
            other: _named("other_version", _version, body.get("other_version")),
        }
        try:
            merge = merge_customers(
                customer,
                other,
                choices=body.get("choices"),
                expected_versions=versions,
                reason=_reason(body),
            )
        except CustomerGone as error:
            raise _nobody() from error
        location = reverse("api:merge-entry", args=[merge.pk])
        headers = {"Location": request.build_absolute_uri(location), "ETag": etag(merge.version)}
        return Response(_merge(merge), status=201, headers=headers)

    def _preview(self, customer, other, choices=None):
        try:
            return Response(preview_merge(customer, other, choices))
        except CustomerGone as error:
            raise _nobody() from error


class NotDuplicateViewSet(CustomerPartViewSet):
    """Who looks like this customer and is somebody else."""

    operation_prefix = "not_duplicates"
    filter_backends = []
    pagination_class = None
    list_actions = frozenset()
    parameters = {"destroy": ("other",)}

    @extend_schema(responses=PairSerializer(many=True), summary="List who is somebody else")
    def list(self, request, customer_id):
        """Everybody of whom it was said."""
        customer = self.customer()
        pairs = NotDuplicate.objects.about(customer.pk)
        results = [_pair(pair, customer) for pair in pairs]
        return Response({"results": results, "next": None, "previous": None})

    @extend_schema(
        request=inline_serializer(
            "NotDuplicateRequest",
            {
                "other": serializers.UUIDField(),
                "reason": serializers.CharField(required=False, max_length=500),
            },
        ),
        responses={201: PairSerializer, 200: PairSerializer},
        summary="Remember that two are not the same",
    )
    def create(self, request, customer_id):
        """Remember that `other` is another person (201); known already: 200."""
        customer = self.customer()
        body = self.fields("other", "reason", required=("other",))
        other = _other(body["other"])
        known = set(NotDuplicate.objects.about(customer.pk).values_list("pk", flat=True))
        try:
            pair = not_duplicates(customer, other, reason=_reason(body))
        except CustomerGone as error:
            raise _nobody() from error
        return Response(_pair(pair, customer), status=200 if pair.pk in known else 201)

    @extend_schema(parameters=OTHER, responses={204: None}, summary="Forget that two differ")
    def destroy(self, request, customer_id):
        """Take it back; 404 where it was never said."""
        customer = self.customer()
        if not forget_not_duplicates(customer, _other(request.query_params.get("other"))):
            raise Http404
        return self.no_content()


def _pair(pair, customer):
    return {
        "other": pair.other_than(customer.pk),
        "at": pair.at,
        "actor": _actor(pair),
        "reason": pair.reason,
    }


class MergeFilter(FilterSet):
    """Filters of the list of merges."""

    customer = CleanFilter(
        cleaner=_uuid, method="by_customer", label="The survivor, or the record that was merged."
    )
    undone = FlagFilter(method="by_undone", label="Whether it was undone.")

    def by_customer(self, merges, name, customer_id):
        return merges.about(customer_id)

    def by_undone(self, merges, name, wanted):
        return merges.filter(undone_at__isnull=not wanted)


class MergeViewSet(ViewSet):
    """Every merge of the tenant, the newest first."""

    operation_prefix = "merges"
    filterset_class = MergeFilter
    ordering = ("-at",)
    ordering_fields = ("at",)

    def get_queryset(self):
        return Merge.objects.select_related("merged", "survivor")

    def get_object(self):
        try:
            merge = self.get_queryset().filter(pk=uuid.UUID(self.kwargs["merge_id"])).first()
        except ValueError as error:
            raise Http404 from error
        if merge is None:
            raise Http404
        self.subject_id = merge.survivor_id
        return merge

    @extend_schema(responses=MergeSerializer(many=True), summary="List merges")
    def list(self, request):
        """Who became part of whom."""
        rows = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response([_merge(row) for row in rows])

    @extend_schema(responses=MergeSerializer, summary="Read a merge")
    def retrieve(self, request, merge_id):
        """One merge."""
        return Response(_merge(self.get_object()))

    @extend_schema(
        request=inline_serializer(
            "UndoRequest", {"reason": serializers.CharField(required=False, max_length=500)}
        ),
        responses=MergeSerializer,
        summary="Undo a merge",
    )
    def undo(self, request, merge_id):
        """Two records again, each under its old id. The merged one comes back as it was; what was
        added or changed since stays with the survivor. If-Match names the survivor's version."""
        merge = self.get_object()
        body = self.body()
        if unknown := sorted(set(body) - {"reason"}):
            wrong = ValidationError(_("Unknown field."), code="unknown")
            raise ValidationError({name[:100]: wrong for name in unknown})
        seen = expected_version(request, current=merge.survivor.version)
        undo_merge(merge, reason=_reason(body), expected_version=seen)
        return Response(_merge(self.get_object()))
