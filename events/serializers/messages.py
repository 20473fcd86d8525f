"""The shapes of messages and of their texts in the house API."""

from rest_framework import serializers

from events.messages.purposes import CHANNELS, PURPOSES
from events.models import Message


class MessageSerializer(serializers.ModelSerializer):
    """What became of one mail or SMS. What it said, and where it went, is not kept."""

    customer = serializers.UUIDField(
        source="customer_id",
        allow_null=True,
        help_text="Null for staff, for tests, and while it is not known whose it is.",
    )
    language = serializers.CharField(help_text="In which it was sent.")
    reason = serializers.CharField(
        help_text="Why it was not sent, or not yet; docs/messages.md. Empty: nothing went wrong."
    )
    expires_at = serializers.DateTimeField(help_text="It is not sent any more after this.")
    provider_id = serializers.CharField(help_text="The provider's number of it.")
    test = serializers.BooleanField(
        source="sample", help_text="Staff sent it to try a text out, with sample words."
    )

    class Meta:
        model = Message
        fields = (
            *("id", "customer", "purpose", "channel", "language", "state", "reason", "attempts"),
            *("created_at", "expires_at", "sent_at", "provider_id", "test"),
        )


class WordSerializer(serializers.Serializer):
    """A word that a text may name in braces."""

    name = serializers.CharField()
    sample = serializers.CharField()
    required = serializers.BooleanField(help_text="The text must name it.")


class WordingSerializer(serializers.Serializer):
    """The text of one purpose, by one way, in one language."""

    purpose = serializers.ChoiceField(choices=())
    title = serializers.CharField(help_text="The purpose in words.")
    channel = serializers.ChoiceField(CHANNELS)
    language = serializers.CharField()
    own = serializers.BooleanField(help_text="The business wrote it; else it is ours.")
    subject = serializers.CharField(help_text="Of a mail.")
    text = serializers.CharField()
    product_subject = serializers.CharField(help_text="Ours; empty where we have none.")
    product_text = serializers.CharField()
    words = WordSerializer(many=True)
    updated_at = serializers.DateTimeField(allow_null=True)

    def get_fields(self):
        # The purposes are known once every app is ready, and that is later than this class.
        fields = super().get_fields()
        fields["purpose"] = serializers.ChoiceField(sorted(PURPOSES))
        return fields


class WordingWriteSerializer(serializers.Serializer):
    """A text of the business's own."""

    subject = serializers.CharField(max_length=200, required=False, help_text="Of a mail.")
    text = serializers.CharField(max_length=5_000, help_text="An SMS has 1000 characters at most.")


class ComposedSerializer(serializers.Serializer):
    """A message put together with sample words."""

    subject = serializers.CharField()
    text = serializers.CharField()
    length = serializers.IntegerField(help_text="In characters as an SMS counts them.")
    parts = serializers.IntegerField(help_text="As how many SMS it is charged; 1 for a mail.")
    alphabet = serializers.ChoiceField(
        ("gsm", "unicode"),
        help_text="gsm: 160 characters in an SMS, 153 in a part; unicode: 70, 67.",
    )


def wording(told):
    """One Wording as the API tells it."""
    purpose = told.purpose
    names = ("channel", "language", "own", "subject", "text", "product_subject", "product_text")
    return {
        "purpose": purpose.name,
        "title": str(purpose.title),
        **{name: getattr(told, name) for name in names},
        "words": [
            {"name": name, "sample": sample, "required": name in purpose.required}
            for name, sample in purpose.words.items()
        ],
        "updated_at": told.updated_at,
    }
