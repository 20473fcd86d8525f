"""Records that may be the same person: the queue, and "these are two people"."""

import uuid

import django_filters
from django.core.exceptions import ValidationError
from django.http import Http404
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.response import Response

from api.filters import CleanFilter, FilterSet
from api.views import ViewSet
from customers.likeness import strength
from customers.likeness.wording import reason_in_words
from customers.models import PossibleDuplicate
from customers.services import CustomerGone, not_duplicates


class ReasonSerializer(serializers.Serializer):
    """One thing that speaks for or against one person."""

    field = serializers.CharField()
    level = serializers.CharField(help_text="same, close, swapped, part, differs, …")
    words = serializers.CharField()


class WhoSerializer(serializers.Serializer):
    """One of the two."""

    id = serializers.UUIDField()
    number = serializers.IntegerField(allow_null=True)
    name = serializers.CharField()
    version = serializers.IntegerField()


class DuplicateSerializer(serializers.Serializer):
    """Two records that may be the same person."""

    id = serializers.UUIDField()
    customers = WhoSerializer(many=True)
    score = serializers.IntegerField(help_text="Points; 10 are the least.")
    strength = serializers.ChoiceField(["possible", "likely", "very_likely"])
    reasons = ReasonSerializer(many=True)
    state = serializers.ChoiceField(PossibleDuplicate.State.choices)
    found_at = serializers.DateTimeField()


def _pair(pair):
    return {
        "id": pair.pk,
        "customers": [
            {name: getattr(one, name) for name in ("id", "number", "name", "version")}
            for one in (pair.first, pair.second)
        ],
        "score": pair.score,
        "strength": strength(pair.score),
        "reasons": [
            {"field": name, "level": level, "words": reason_in_words(name, level)}
            for name, level in pair.reasons
        ],
        "state": pair.state,
        "found_at": pair.found_at,
    }


def _uuid(value):
    try:
        return uuid.UUID(str(value))
    except ValueError as error:
        raise ValidationError(_("Must be a UUID."), code="invalid") from error


class DuplicateFilter(FilterSet):
    """Filters of the queue."""

    state = django_filters.ChoiceFilter(
        choices=PossibleDuplicate.State.choices, label="open (the default), not_same or merged."
    )
    customer = CleanFilter(cleaner=_uuid, method="by_customer", label="One of the two.")
    min_score = django_filters.NumberFilter(
        field_name="score", lookup_expr="gte", label="At least so many points.", min_value=0,
        max_value=1000,
    )  # fmt: skip

    def by_customer(self, pairs, name, customer_id):
        return pairs.about(customer_id)


class DuplicateViewSet(ViewSet):
    """Records that may be the same person; the most alike first."""

    operation_prefix = "duplicates"
    filterset_class = DuplicateFilter
    ordering = ("-score",)
    ordering_fields = ("score", "found_at")

    def get_queryset(self):
        return PossibleDuplicate.objects.select_related("first", "second")

    @extend_schema(responses=DuplicateSerializer(many=True), summary="List possible duplicates")
    def list(self, request):
        """The pairs that somebody has to decide about, with what speaks for and against it."""
        pairs = self.get_queryset()
        if not request.query_params.get("state"):
            pairs = pairs.to_decide()
        rows = self.paginate_queryset(self.filter_queryset(pairs))
        return self.get_paginated_response([_pair(row) for row in rows])

    @extend_schema(responses=DuplicateSerializer, summary="Read a possible duplicate")
    def retrieve(self, request, pair_id):
        """One pair. Merge the two with `customers/{id}/merge/`."""
        return Response(_pair(self.get_object()))

    @extend_schema(
        request=inline_serializer(
            "DismissRequest", {"reason": serializers.CharField(required=False, max_length=500)}
        ),
        responses=DuplicateSerializer,
        summary="Say that two are not the same",
    )
    def dismiss(self, request, pair_id):
        """Remember for good that these are two people. `not-duplicates` of either takes it back."""
        pair = self.get_object()
        body = self.body()
        if unknown := sorted(set(body) - {"reason"}):
            wrong = ValidationError(_("Unknown field."), code="unknown")
            raise ValidationError({name[:100]: wrong for name in unknown})
        reason = body.get("reason") or ""
        if not isinstance(reason, str):
            raise ValidationError({"reason": ValidationError(_("Must be text."), code="invalid")})
        try:
            not_duplicates(pair.first_id, pair.second_id, reason=reason)
        except CustomerGone as error:
            raise Http404 from error
        return Response(_pair(self.get_object()))

    def get_object(self):
        try:
            pair_id = uuid.UUID(self.kwargs["pair_id"])
        except ValueError as error:
            raise Http404 from error
        pair = self.get_queryset().filter(pk=pair_id).first()
        if pair is None:
            raise Http404
        return pair
