"""What happened, what must not happen twice, and what must still happen; one file per kind."""

from events.models.feed import Feed
from events.models.jobs import Job
from events.models.messages import Message, MessageText
from events.models.outbound import Circuit
from events.models.records import Event, HistoryEntry, HistoryQuerySet, IdempotencyKey
from events.models.webhooks import WebhookDelivery, WebhookEndpoint

__all__ = [
    "Circuit",
    "Event",
    "Feed",
    "HistoryEntry",
    "HistoryQuerySet",
    "IdempotencyKey",
    "Job",
    "Message",
    "MessageText",
    "WebhookDelivery",
    "WebhookEndpoint",
]
