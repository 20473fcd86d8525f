"""What a receiver gets: ids and a version in JSON, signed as the Standard Webhooks say."""

import json

from standardwebhooks import Webhook

from events.webhooks.secrets import secrets_of
from tenancy import clock

TEST = "webhook.test"


def body_of(delivery):
    """The text of the message. Nothing but ids, counts and flags stands in an event."""
    event = delivery.event
    if event is None:
        about = {"type": "webhook", "id": str(delivery.endpoint_id)}
        return _told(delivery.kind, delivery.created_at, about)
    about = {
        "type": event.subject_type,
        "id": str(event.subject_id),
        "customer": event.customer_id,
        "version": event.version,
    }
    return _told(event.kind, event.at, about | event.data)


def _told(kind, at, data):
    return json.dumps({"type": kind, "timestamp": at.isoformat(), "data": data})


def headers_of(delivery, endpoint, body):
    """The headers of one try: the id is the same in every one, time and signatures are of now."""
    message_id, instant = str(delivery.message_id), clock.now()
    signatures = [
        Webhook(secret).sign(message_id, instant, body) for secret in secrets_of(endpoint)
    ]
    return {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(instant.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
