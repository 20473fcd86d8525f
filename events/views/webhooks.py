"""The endpoints of webhooks, of their secrets, and of the log of what was sent."""

import uuid

from django.core.exceptions import ValidationError
from django.http import Http404
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from api import problems
from api.views import ViewSet
from events.filters import DeliveryFilter
from events.models import WebhookDelivery, WebhookEndpoint
from events.serializers.webhooks import (
    DeliverySerializer,
    ReplayedSerializer,
    ReplaySerializer,
    RotationSerializer,
    SecretSerializer,
    WebhookCreatedSerializer,
    WebhookSerializer,
    WebhookWriteSerializer,
)
from events.webhooks.managing import (
    create_endpoint,
    delete_endpoint,
    rotate_secret,
    update_endpoint,
)
from events.webhooks.replaying import replay_delivery, replay_failed, send_test

# The webhook is in a state that forbids the deed; nothing is wrong with the request.
problems.CONFLICTS |= {"webhook_inactive", "too_many_webhooks"}


class OfWebhooks(ViewSet):
    """What the endpoints about webhooks share."""

    operation_prefix = "webhooks"

    def get_webhook(self):
        """The webhook of the path. Raises Http404."""
        endpoints = WebhookEndpoint.objects.with_waiting()
        endpoint = endpoints.filter(pk=self.key_of("webhook_id")).first()
        if endpoint is None:
            raise Http404
        return endpoint

    def key_of(self, name):
        """A part of the path as a UUID. Raises Http404."""
        try:
            return uuid.UUID(self.kwargs[name])
        except ValueError as error:
            raise Http404 from error

    def named(self, known, required=()):
        """The body, without names that nobody can set. Raises ValidationError by field."""
        body = self.body()
        unknown = ValidationError("Unknown field, or not to be set.", code="unknown")
        missing = ValidationError("This field is required.", code="required")
        errors = dict.fromkeys(sorted(set(body) - set(known)), unknown)
        errors |= {name: missing for name in required if name not in body}
        if errors:
            raise ValidationError(errors)
        return body


class WebhookViewSet(OfWebhooks):
    """Webhooks: addresses of other systems that are told of events."""

    serializer_class = WebhookSerializer
    ordering = ("created_at",)
    ordering_fields = ("created_at",)
    answers_with_secrets = True

    def get_queryset(self):
        if getattr(self, "swagger_fake_view", False):
            return WebhookEndpoint.objects.none()
        return WebhookEndpoint.objects.with_waiting()

    def list(self, request):
        """All webhooks of the tenant, and how each is doing."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(WebhookSerializer(page, many=True).data)

    def retrieve(self, request, webhook_id):
        """One webhook."""
        return Response(WebhookSerializer(self.get_webhook()).data)

    @extend_schema(request=WebhookWriteSerializer, responses={201: WebhookCreatedSerializer})
    def create(self, request):
        """Create a webhook. It is told of what happens from now on; its secret is in this answer
        and nowhere else."""
        fields = self.named(WebhookEndpoint.FIELDS, required=("url", "events"))
        endpoint, secret = create_endpoint(**fields)
        endpoint.secret, endpoint.n_waiting = secret, 0
        return self.created(
            WebhookCreatedSerializer(endpoint).data, reverse("api:webhook", args=[endpoint.pk])
        )

    @extend_schema(request=WebhookWriteSerializer(partial=True), responses=WebhookSerializer)
    def partial_update(self, request, webhook_id):
        """Change the named fields. Switched on again (`active`), it goes on where it stopped."""
        fields = self.named(WebhookEndpoint.FIELDS)
        update_endpoint(self.get_webhook(), **fields)
        return Response(WebhookSerializer(self.get_webhook()).data)

    @extend_schema(responses={204: None})
    def destroy(self, request, webhook_id):
        """Remove a webhook with its log; what still waits for it is not sent."""
        delete_endpoint(self.get_webhook())
        return self.no_content()

    @extend_schema(request=RotationSerializer, responses=SecretSerializer)
    def rotate_secret(self, request, webhook_id):
        """Give a webhook a new secret, which is in this answer and nowhere else. For some hours the
        old one signs as well."""
        endpoint = self.get_webhook()
        hours = self.named({"hours"}) if self.request.data else {}
        return Response({"secret": rotate_secret(endpoint, **hours)})


class DeliveryViewSet(OfWebhooks):
    """What became of telling a webhook, and telling it again."""

    serializer_class = DeliverySerializer
    filterset_class = DeliveryFilter
    list_actions = frozenset({"deliveries"})
    ordering = ("-created_at",)
    ordering_fields = ("created_at",)

    def get_queryset(self):
        if getattr(self, "swagger_fake_view", False):
            return WebhookDelivery.objects.none()
        rows = WebhookDelivery.objects.filter(endpoint=self.get_webhook())
        return rows.select_related("event")

    def deliveries(self, request, webhook_id):
        """The log of a webhook, newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(DeliverySerializer(page, many=True).data)

    @extend_schema(request=None, responses={202: DeliverySerializer})
    def replay_delivery(self, request, webhook_id, delivery_id):
        """Send a delivery again, under its old id, whatever became of it. 409 `webhook_inactive`
        while the webhook is switched off."""
        delivery = self.get_queryset().filter(pk=self.key_of("delivery_id")).first()
        if delivery is None:
            raise Http404
        replay_delivery(delivery)
        return Response(DeliverySerializer(self.get_queryset().get(pk=delivery.pk)).data, 202)

    @extend_schema(request=ReplaySerializer, responses={202: ReplayedSerializer})
    def replay(self, request, webhook_id):
        """Send everything again that was given up since a time. 409 `webhook_inactive` while the
        webhook is switched off."""
        endpoint = self.get_webhook()
        serializer = ReplaySerializer(data=self.named({"since"}, required=("since",)))
        serializer.is_valid(raise_exception=True)
        n_again = replay_failed(endpoint, since=serializer.validated_data["since"])
        return Response({"replayed": n_again}, 202)

    @extend_schema(request=None, responses={202: DeliverySerializer})
    def test(self, request, webhook_id):
        """Send a message of the kind `webhook.test`, once, also to a webhook that is switched off.
        The log tells how it went."""
        return Response(DeliverySerializer(send_test(self.get_webhook())).data, 202)
