"""Rewards of the catalogue, and their redemptions."""

from rest_framework import serializers

from loyalty.models import Redemption, Reward
from loyalty.serializers.levels import WordsSerializer
from loyalty.serializers.numbers import NumberField, SentNumberField
from tenancy import clock


class RewardSerializer(serializers.ModelSerializer):
    """Something that points buy."""

    cost = NumberField(help_text="In points.")
    left = serializers.SerializerMethodField(help_text="How many are left; null: no limit.")
    levels = serializers.PrimaryKeyRelatedField(
        many=True, read_only=True, help_text="Only for who stands on these; none: for everybody."
    )
    translations = serializers.DictField(child=WordsSerializer(), help_text="By language.")

    class Meta:
        model = Reward
        fields = ("id", *Reward.FIELDS, "n_redeemed", "left", "created_at", "updated_at")
        read_only_fields = fields

    def get_left(self, reward) -> int | None:
        return None if reward.stock is None else reward.stock - reward.n_redeemed


class OwnRewardSerializer(RewardSerializer):
    """A reward as customers see it, in their language (`language` in the context)."""

    name = serializers.SerializerMethodField()
    description = serializers.SerializerMethodField()

    class Meta(RewardSerializer.Meta):
        fields = (
            *("id", "name", "description", "cost", "left", "per_customer", "valid_days"),
            *("delivered", "active_to", "position"),
        )
        read_only_fields = fields

    def get_name(self, reward) -> str:
        return reward.told(self.context.get("language"))[0]

    def get_description(self, reward) -> str:
        return reward.told(self.context.get("language"))[1]


class RewardWriteSerializer(serializers.Serializer):
    """What may be set. Left out: stays; null: emptied."""

    name = serializers.CharField(max_length=120)
    cost = SentNumberField(help_text="In points.")
    description = serializers.CharField(max_length=4_000, required=False, allow_null=True)
    translations = serializers.DictField(child=WordsSerializer(), required=False, allow_null=True)
    stock = serializers.IntegerField(
        required=False, allow_null=True, help_text="How many in all, redeemed ones included."
    )
    per_customer = serializers.IntegerField(required=False, allow_null=True, min_value=1)
    valid_days = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, help_text="The coupon works so long."
    )
    delivered = serializers.BooleanField(required=False)
    levels = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="Ids, or names that are unique."
    )
    active = serializers.BooleanField(required=False)
    active_from = serializers.DateTimeField(required=False, allow_null=True)
    active_to = serializers.DateTimeField(required=False, allow_null=True)
    position = serializers.IntegerField(required=False, min_value=0)


# --- Redemptions ------------------------------------------------------------------------------
class RedemptionSerializer(serializers.ModelSerializer):
    """A reward that was bought with points: its coupon, and what became of it."""

    customer = serializers.UUIDField(
        source="account.customer_id", allow_null=True, help_text="Null after a deletion."
    )
    reward = serializers.UUIDField(source="reward_id")
    name = serializers.CharField(help_text="The reward's, at the time.")
    cost = NumberField(help_text="In points, at the time.")
    status = serializers.SerializerMethodField(help_text="open, used, cancelled or expired.")
    used_store = serializers.SlugRelatedField("code", read_only=True, help_text="Code.")

    class Meta:
        model = Redemption
        fields = (
            *("id", "customer", "reward", "name", "cost", "coupon", "status", "redeemed_at"),
            *("active_until", "used_at", "used_store", "delivery", "cancelled_at"),
        )
        read_only_fields = fields

    def get_status(self, redemption) -> str:
        return redemption.status_at(clock.now())


class RedeemingSerializer(serializers.Serializer):
    """What is redeemed."""

    reward = serializers.UUIDField()
    source = serializers.CharField(
        max_length=100, required=False, help_text="Your name for the cause: it counts once."
    )
    store = serializers.CharField(required=False, allow_null=True, help_text="Code or id.")


class CouponSerializer(serializers.Serializer):
    """A coupon code, however it is typed."""

    coupon = serializers.CharField()


class CouponUseSerializer(CouponSerializer):
    """A coupon that is used."""

    store = serializers.CharField(
        required=False, allow_null=True, help_text="Where it is used: code or id."
    )


class UseSerializer(serializers.Serializer):
    """Where a coupon is used."""

    store = serializers.CharField(required=False, allow_null=True, help_text="Code or id.")


class DeliverySerializer(serializers.Serializer):
    """Where a delivery stands."""

    delivery = serializers.ChoiceField(("ordered", "shipped", "delivered"))
