"""The shapes of webhooks and their log in the house API. Rules live in the services."""

from rest_framework import serializers

from events.models import WebhookDelivery, WebhookEndpoint
from events.webhooks.managing import LONGEST_OVERLAP, OVERLAP_HOURS


class WebhookSerializer(serializers.ModelSerializer):
    """An address that is told of events, and how that goes."""

    events = serializers.ListField(child=serializers.CharField(), help_text="Kinds or patterns.")
    health = serializers.CharField(
        help_text="new, working, failing, paused (by staff) or disabled (by itself)."
    )
    waiting = serializers.IntegerField(
        source="n_waiting", help_text="Deliveries that are still to be made."
    )
    disabled_reason = serializers.CharField(
        help_text="failing: nothing got through for three days; gone: the receiver answered 410."
    )
    previous_secret_until = serializers.DateTimeField(
        source="previous_until", help_text="Until then the secret before this one signs as well."
    )

    class Meta:
        model = WebhookEndpoint
        fields = (
            "id",
            "url",
            "description",
            "events",
            "active",
            "health",
            "waiting",
            "last_success_at",
            "failing_since",
            "disabled_at",
            "disabled_reason",
            "previous_secret_until",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields


class WebhookCreatedSerializer(WebhookSerializer):
    """A new webhook with its secret, which is shown this once."""

    secret = serializers.CharField(read_only=True, help_text="`whsec_…`; signs every message.")

    class Meta(WebhookSerializer.Meta):
        fields = (*WebhookSerializer.Meta.fields, "secret")
        read_only_fields = fields


class WebhookWriteSerializer(serializers.Serializer):
    """What may be set. Left out: stays."""

    url = serializers.CharField(max_length=2000, help_text="https:// and a public host.")
    events = serializers.ListField(
        child=serializers.CharField(), help_text="Such as `customer.*`, `level.changed`, or `*`."
    )
    description = serializers.CharField(max_length=200, required=False, allow_blank=True)
    active = serializers.BooleanField(required=False)


class RotationSerializer(serializers.Serializer):
    """How the change of a secret is to go."""

    hours = serializers.IntegerField(
        min_value=0,
        max_value=LONGEST_OVERLAP,
        required=False,
        help_text=f"How long the old secret signs as well; {OVERLAP_HOURS} unless named, 0: ends.",
    )


class SecretSerializer(serializers.Serializer):
    """A new secret, shown this once."""

    secret = serializers.CharField()


class ReplaySerializer(serializers.Serializer):
    """What to send again."""

    since = serializers.DateTimeField(help_text="Deliveries given up that were made since then.")


class ReplayedSerializer(serializers.Serializer):
    """How many are on their way again."""

    replayed = serializers.IntegerField()


class DeliverySerializer(serializers.ModelSerializer):
    """One event on its way to one address. Nothing of an answer is kept but its status."""

    event = serializers.CharField(source="kind", help_text="The kind.")
    event_id = serializers.UUIDField(
        source="message_id", help_text="Sent as `webhook-id`, the same in every try."
    )
    next_at = serializers.DateTimeField(help_text="The next try, while it is waiting.")
    status = serializers.IntegerField(
        source="last_status", allow_null=True, help_text="Of the last answer; null: none came."
    )
    error = serializers.CharField(
        source="last_error", help_text="What was wrong with the last try: status, timeout, tls, …"
    )
    milliseconds = serializers.IntegerField(source="last_milliseconds", allow_null=True)

    class Meta:
        model = WebhookDelivery
        fields = (
            "id",
            "event",
            "event_id",
            "state",
            "attempts",
            "next_at",
            "tried_at",
            "status",
            "error",
            "milliseconds",
            "created_at",
        )
        read_only_fields = fields
