"""The shapes of the change feed in the house API."""

from rest_framework import serializers

from events.feed import cursor_of


class ChangeSerializer(serializers.Serializer):
    """One event: ids, never a value of a person."""

    cursor = serializers.CharField(help_text="Leads behind this event.")
    event_id = serializers.UUIDField(
        help_text="Unique; a webhook about the same event has it as `webhook-id`."
    )
    event = serializers.CharField(help_text="The kind, such as `customer.updated`.")
    type = serializers.CharField(help_text="What it is about: customer, group, import, …")
    id = serializers.UUIDField(help_text="Of what it is about.")
    customer = serializers.UUIDField(
        allow_null=True, help_text="Whom it concerns, where it concerns one customer."
    )
    version = serializers.IntegerField(
        allow_null=True, help_text="Of the customer after the event; a higher one came later."
    )
    at = serializers.DateTimeField(
        help_text="When; after an anonymisation the beginning of the month."
    )
    data = serializers.DictField(help_text="Further ids, counts and flags, by kind.")


class ChangesSerializer(serializers.Serializer):
    """A stretch of the feed, oldest first."""

    results = ChangeSerializer(many=True)
    cursor = serializers.CharField(help_text="Go on with this one, now or later.")
    next = serializers.URLField(
        allow_null=True, help_text="The next stretch; null: you have read everything for now."
    )


def change(event):
    """One Event as the feed tells it."""
    return {
        "cursor": cursor_of(event),
        "event_id": event.uid,
        "event": event.kind,
        "type": event.subject_type,
        "id": event.subject_id,
        "customer": event.customer_id,
        "version": event.version,
        "at": event.at,
        "data": event.data,
    }
