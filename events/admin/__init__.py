"""What happened and what is still to happen, in the back office."""

from events.admin.deliveries import WebhookDeliveryAdmin
from events.admin.jobs import JobAdmin
from events.admin.records import EventAdmin, HistoryEntryAdmin
from events.admin.webhooks import WebhookEndpointAdmin

__all__ = [
    "EventAdmin",
    "HistoryEntryAdmin",
    "JobAdmin",
    "WebhookDeliveryAdmin",
    "WebhookEndpointAdmin",
]
