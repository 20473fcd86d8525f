"""Levels, and where a customer stands."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from loyalty.amounts import money_out, number_out
from loyalty.models import Level
from loyalty.serializers.numbers import MoneyField, NumberField, SentNumberField
from tenancy.scoping import current_tenant

LANGUAGES = ("en", "nb")


class WordsSerializer(serializers.Serializer):
    """Name and description in one language."""

    name = serializers.CharField(max_length=120, required=False)
    description = serializers.CharField(max_length=4_000, required=False)


class SpecialRewardSerializer(serializers.Serializer):
    """Something that a level is told to give; it decides about nothing."""

    name = serializers.CharField(max_length=120)
    code = serializers.CharField(max_length=64, required=False)
    percent = NumberField()
    active = serializers.BooleanField(required=False)
    start_at = serializers.DateTimeField(required=False, allow_null=True)
    end_at = serializers.DateTimeField(required=False, allow_null=True)


class LevelSerializer(serializers.ModelSerializer):
    """A step of the programme."""

    threshold = NumberField(help_text="Of the currency's unit, or of points.")
    reward_percent = NumberField()
    min_order = MoneyField(allow_null=True)
    translations = serializers.DictField(child=WordsSerializer(), help_text="By language.")
    special_rewards = SpecialRewardSerializer(many=True)

    class Meta:
        model = Level
        fields = ("id", *Level.FIELDS, "created_at", "updated_at")
        read_only_fields = fields


class SentSpecialRewardSerializer(SpecialRewardSerializer):
    """A special reward as it is set."""

    percent = SentNumberField(required=False)


class LevelWriteSerializer(serializers.Serializer):
    """What may be set. Left out: stays; a list replaces the list."""

    name = serializers.CharField(max_length=120)
    description = serializers.CharField(max_length=4_000, required=False, allow_null=True)
    translations = serializers.DictField(child=WordsSerializer(), required=False, allow_null=True)
    threshold = SentNumberField(required=False)
    reward_percent = SentNumberField(required=False)
    reward_name = serializers.CharField(max_length=120, required=False, allow_null=True)
    reward_code = serializers.CharField(max_length=64, required=False, allow_null=True)
    special_rewards = SentSpecialRewardSerializer(many=True, required=False, allow_null=True)
    min_order = SentNumberField(required=False, allow_null=True)
    active = serializers.BooleanField(required=False)
    position = serializers.IntegerField(required=False, min_value=0)


class LevelAssignmentSerializer(serializers.Serializer):
    """The level on which staff put a customer."""

    level = serializers.CharField(help_text="Id, or the name where no other level has it.")


# --- Where a customer stands ------------------------------------------------------------------
class LevelInBriefSerializer(serializers.Serializer):
    """A level as the status names it, in the language of the answer."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    threshold = NumberField()
    reward_percent = NumberField()


class ExpiringSerializer(serializers.Serializer):
    """Points that can be spent now and expire on a day."""

    date = serializers.DateField()
    points = NumberField()


class StatusSerializer(serializers.Serializer):
    """Where a customer stands in the programme, exact at the instant `at`."""

    customer = serializers.UUIDField(source="customer_id")
    account = serializers.UUIDField(source="account_id", allow_null=True)
    at = serializers.DateTimeField()
    sentence = serializers.SerializerMethodField(
        help_text="Why this level, what the next one needs, when it is looked at again."
    )
    points = NumberField(help_text="Can be spent now.")
    locked_points = NumberField(help_text="Held back until their lock ends.")
    received_points = NumberField(help_text="Of `points`, what other customers sent.")
    earned_points = NumberField(help_text="Ever, without received and cancelled ones.")
    used_points = NumberField()
    expired_points = NumberField()
    expiring_next_month = NumberField()
    expiring = serializers.SerializerMethodField()
    level = serializers.SerializerMethodField()
    level_since = serializers.DateTimeField(allow_null=True)
    assigned_level = serializers.SerializerMethodField(help_text="By hand; the lowest to go to.")
    next_level = serializers.SerializerMethodField()
    counts = serializers.CharField(
        source="programme.tier_by", help_text="What decides on levels: transactions or points."
    )
    counted = NumberField(help_text="What the programme has counted so far.")
    missing = NumberField(allow_null=True, help_text="For the next level; null at the top.")
    counted_since = serializers.DateTimeField(allow_null=True)
    looked_at_again = serializers.DateTimeField(allow_null=True)
    level_then = serializers.SerializerMethodField(help_text="If nothing more is collected.")
    level_expires_in_days = serializers.IntegerField(allow_null=True)
    points_since_recalculation = NumberField(allow_null=True)
    points_to_retain = NumberField(allow_null=True)
    currency = serializers.CharField()
    transactions_count = serializers.IntegerField()
    transactions_amount = MoneyField()
    amount_without_delivery = MoneyField()
    excluded_amount = MoneyField()
    average_amount = serializers.SerializerMethodField(help_text="Rounded down to a minor unit.")

    @property
    def language(self):
        return self.context.get("language", "en")

    def get_sentence(self, status) -> str:
        return status.sentences(self.language)

    @extend_schema_field(ExpiringSerializer(many=True))
    def get_expiring(self, status):
        return [{"date": day, "points": number_out(points)} for day, points in status.expiring]

    @extend_schema_field(LevelInBriefSerializer(allow_null=True))
    def get_level(self, status):
        return self._brief(status.level)

    @extend_schema_field(LevelInBriefSerializer(allow_null=True))
    def get_assigned_level(self, status):
        return self._brief(status.assigned_level)

    @extend_schema_field(LevelInBriefSerializer(allow_null=True))
    def get_next_level(self, status):
        return self._brief(status.next_level)

    @extend_schema_field(LevelInBriefSerializer(allow_null=True))
    def get_level_then(self, status):
        return self._brief(status.level_then)

    @extend_schema_field({"type": "number"})
    def get_average_amount(self, status):
        return money_out(int(status.average_amount), current_tenant().currency)

    def _brief(self, level):
        if level is None:
            return None
        return {
            "id": level.pk,
            "name": level.told(self.language)[0],
            "threshold": number_out(level.threshold),
            "reward_percent": number_out(level.reward_percent),
        }
