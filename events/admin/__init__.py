"""What happened and what is still to happen, in the back office."""

from events.admin.deliveries import WebhookDeliveryAdmin
from events.admin.jobs import JobAdmin
from events.admin.messages import MessageAdmin
from events.admin.records import EventAdmin, HistoryEntryAdmin
from events.admin.texts import MessageTextAdmin
from events.admin.webhooks import WebhookEndpointAdmin

__all__ = [
    "EventAdmin",
    "HistoryEntryAdmin",
    "JobAdmin",
    "MessageAdmin",
    "MessageTextAdmin",
    "WebhookDeliveryAdmin",
    "WebhookEndpointAdmin",
]
