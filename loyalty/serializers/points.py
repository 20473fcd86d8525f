"""Entries of the ledger, and what moves points."""

from drf_spectacular.utils import extend_schema_field, inline_serializer
from rest_framework import serializers

from loyalty.models import Entry
from loyalty.serializers.numbers import NumberField, SentNumberField

# What the programme itself writes into a note, such as the names of rules; the words of staff are
# for staff.
TOLD_TO_CUSTOMERS = {"transaction", "registration", "newsletter"}

EntrySource = inline_serializer(
    "EntrySource",
    {
        "kind": serializers.CharField(help_text="transaction, redemption, lot, hand, api, …"),
        "id": serializers.CharField(),
    },
)
EntryActor = inline_serializer(
    "EntryActor",
    {
        "kind": serializers.CharField(help_text="staff, service, customer or system."),
        "id": serializers.UUIDField(allow_null=True),
        "label": serializers.CharField(),
    },
)


class EntrySerializer(serializers.ModelSerializer):
    """One movement of points, with the balances after it.

    The context holds `stores` and `actors`: the codes and labels that the rows name by id.
    """

    points = NumberField(help_text="What it added to the points that can be spent.")
    locked_points = NumberField(help_text="What it added to the points that are held back.")
    points_after = NumberField()
    locked_after = NumberField()
    source = serializers.SerializerMethodField(help_text="What caused it.")
    reverses = serializers.UUIDField(source="reverses_id", allow_null=True)
    reversed_by = serializers.UUIDField(
        allow_null=True, help_text="The entry that corrects this one."
    )
    store = serializers.SerializerMethodField(help_text="Code.")
    note = serializers.SerializerMethodField(help_text="Why, in words.")
    actor = serializers.SerializerMethodField(help_text="Who moved them.")
    left = NumberField(
        source="lot.remaining", default=None, help_text="Of points that came in: not yet gone."
    )
    locked_until = serializers.DateTimeField(source="lot.locked_until", default=None)
    expires_at = serializers.DateTimeField(source="lot.expires_at", default=None)

    class Meta:
        model = Entry
        fields = (
            *("id", "seq", "kind", "points", "locked_points", "points_after", "locked_after"),
            *("at", "created_at", "source", "reverses", "reversed_by", "store", "note", "actor"),
            *("left", "locked_until", "expires_at"),
        )
        read_only_fields = fields

    @extend_schema_field(EntrySource)
    def get_source(self, entry):
        return {"kind": entry.source_kind, "id": entry.source_id}

    def get_store(self, entry) -> str | None:
        return self.context["stores"].get(entry.store_id)

    def get_note(self, entry) -> str:
        note = getattr(entry, "note", None)
        return note.text if note else ""

    @extend_schema_field(EntryActor)
    def get_actor(self, entry):
        label = self.context["actors"].get(entry.actor_id, "")
        return {"kind": entry.actor_kind, "id": entry.actor_id, "label": label}


class OwnEntrySerializer(EntrySerializer):
    """What customers see of their own points: not who in the shop moved them, nor why in the words
    of staff."""

    class Meta(EntrySerializer.Meta):
        fields = tuple(
            name for name in EntrySerializer.Meta.fields if name not in ("source", "actor")
        )
        read_only_fields = fields

    def get_note(self, entry) -> str:
        return super().get_note(entry) if entry.source_kind in TOLD_TO_CUSTOMERS else ""


class TenantEntrySerializer(EntrySerializer):
    """An entry in the list of all customers'."""

    customer = serializers.UUIDField(
        source="account.customer_id", allow_null=True, help_text="Null after a deletion."
    )
    account = serializers.UUIDField(source="account_id")

    class Meta(EntrySerializer.Meta):
        fields = ("customer", "account", *EntrySerializer.Meta.fields)
        read_only_fields = fields


# --- What is sent -----------------------------------------------------------------------------
class PointsSerializer(serializers.Serializer):
    """Points that are spent."""

    points = SentNumberField(help_text="More than zero, at most two decimals.")
    source = serializers.CharField(
        max_length=100, required=False, help_text="Your name for the cause: it counts once."
    )
    note = serializers.CharField(max_length=500, required=False)
    store = serializers.CharField(required=False, allow_null=True, help_text="Code or id.")


class AddedPointsSerializer(PointsSerializer):
    """Points that are earned."""

    at = serializers.DateTimeField(
        required=False, help_text="When they were earned; expiry counts from then."
    )


class AdjustmentSerializer(serializers.Serializer):
    """A correction by hand, up or down."""

    points = SentNumberField(help_text="Below zero to take points away.")
    reason = serializers.CharField(max_length=500, help_text="Or in the header X-Reason.")
    source = serializers.CharField(max_length=100, required=False)
    store = serializers.CharField(required=False, allow_null=True)


class SentPointsSerializer(serializers.Serializer):
    """Points that one customer sends to another."""

    receiver = serializers.UUIDField(help_text="The id of the customer who gets them.")
    points = SentNumberField()
    source = serializers.CharField(max_length=100, required=False)
    note = serializers.CharField(max_length=500, required=False)


class TransferSerializer(serializers.Serializer):
    """What a transfer did: one entry at the sender, one for each expiry at the receiver."""

    sent = EntrySerializer()
    received = EntrySerializer(many=True)
