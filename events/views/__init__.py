"""The endpoints over what happened and what is still to happen."""

from events.views.feed import ChangesViewSet
from events.views.jobs import JobViewSet
from events.views.messages import MessageTextViewSet, MessageViewSet
from events.views.webhooks import DeliveryViewSet, WebhookViewSet

__all__ = [
    "ChangesViewSet",
    "DeliveryViewSet",
    "JobViewSet",
    "MessageTextViewSet",
    "MessageViewSet",
    "WebhookViewSet",
]
