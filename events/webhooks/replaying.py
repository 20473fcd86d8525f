"""Making deliveries again, and trying an endpoint out."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from events.jobs import enqueue
from events.models import WebhookDelivery, WebhookEndpoint
from events.webhooks.messages import TEST
from tenancy import clock

State = WebhookDelivery.State


def replay_delivery(delivery):
    """Send a delivery again, from the first try on, whatever became of it; returns it. The message
    keeps its id.

    Raises ValidationError: code "webhook_inactive" when its endpoint is switched off, "test" for a
    test.
    """
    with transaction.atomic():
        endpoint = _active(delivery.endpoint_id)
        if not delivery.position:
            raise ValidationError(_("A test is not sent again; send a new one."), code="test")
        WebhookDelivery.objects.filter(pk=delivery.pk).update(**_afresh())
        order_sending(endpoint)
    return WebhookDelivery.objects.get(pk=delivery.pk)


def replay_failed(endpoint, *, since):
    """Send everything again that was given up for this endpoint and was to be told at or after
    `since`; returns how many.

    Raises ValidationError (code "webhook_inactive") when the endpoint is switched off.
    """
    with transaction.atomic():
        endpoint = _active(endpoint.pk)
        failed = WebhookDelivery.objects.filter(
            endpoint=endpoint, state=State.FAILED, created_at__gte=since, position__gt=0
        )
        n_again = failed.update(**_afresh())
        order_sending(endpoint)
    return n_again


def send_test(endpoint):
    """Order one message of the kind `webhook.test`, also for an endpoint that is switched off;
    returns the WebhookDelivery, whose log tells how it went. It is tried once."""
    with transaction.atomic():
        instant = clock.now()
        delivery = WebhookDelivery.objects.create(
            tenant=endpoint.tenant,
            endpoint=endpoint,
            kind=TEST,
            next_at=instant,
            created_at=instant,
        )
        enqueue("webhooks.test", tenant=endpoint.tenant, delivery_id=str(delivery.pk), priority=10)
    return delivery


def order_sending(endpoint):
    """Have the worker look at an endpoint; one that fails comes after those that work."""
    enqueue(
        "webhooks.send",
        tenant=endpoint.tenant,
        key=str(endpoint.pk),
        priority=-10 if endpoint.failing_since else 0,
        endpoint_id=str(endpoint.pk),
    )


def _afresh():
    return {"state": State.WAITING, "attempts": 0, "next_at": clock.now()}


def _active(endpoint_id):
    endpoint = WebhookEndpoint.objects.filter(pk=endpoint_id).first()
    if endpoint is None or not endpoint.active:
        raise ValidationError(_("This webhook is switched off."), code="webhook_inactive")
    return endpoint
