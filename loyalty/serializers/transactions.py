"""Sales and returns."""

from rest_framework import serializers

from loyalty.amounts import THOUSANDTHS
from loyalty.models import EarningRule, LevelMultiplier, Transaction, TransactionLine
from loyalty.serializers.numbers import MoneyField, NumberField, SentNumberField


class LineSerializer(serializers.ModelSerializer):
    """One article of a transaction."""

    quantity = NumberField(THOUSANDTHS)
    amount = MoneyField()

    class Meta:
        model = TransactionLine
        fields = TransactionLine.FIELDS
        read_only_fields = fields


class TransactionSerializer(serializers.ModelSerializer):
    """A sale, or a return of (a part of) one. All amounts are positive."""

    customer = serializers.UUIDField(
        source="account.customer_id", allow_null=True, help_text="Null after a deletion."
    )
    amount = MoneyField()
    delivery_amount = MoneyField(help_text="Of the amount.")
    excluded_amount = MoneyField(help_text="Of the amount: does not count for levels.")
    store = serializers.SlugRelatedField("code", read_only=True, help_text="Code.")
    counted = serializers.SerializerMethodField(
        help_text="False: a return whose sale is not known, or is somebody else's."
    )

    class Meta:
        model = Transaction
        fields = (
            *("id", "number", "kind", "revises", "customer", "purchased_at", "amount"),
            *("delivery_amount", "excluded_amount", "store", "counted", "created_at"),
        )
        read_only_fields = fields

    def get_counted(self, transaction) -> bool:
        return transaction.applied_seq is not None


class WholeTransactionSerializer(TransactionSerializer):
    """A transaction with its lines, and the points that it moved."""

    lines = LineSerializer(many=True)
    points = NumberField(source="moved_points", help_text="Earned, or taken back (below zero).")

    class Meta(TransactionSerializer.Meta):
        fields = (*TransactionSerializer.Meta.fields, "lines", "points")
        read_only_fields = fields


# --- What is sent -----------------------------------------------------------------------------
class SentLineSerializer(serializers.Serializer):
    """An article as it is sent."""

    sku = serializers.CharField(max_length=120, required=False)
    name = serializers.CharField(max_length=250, required=False)
    quantity = SentNumberField(required=False, help_text="1 unless named; three decimals.")
    amount = SentNumberField(required=False)
    category = serializers.CharField(max_length=120, required=False)
    maker = serializers.CharField(max_length=120, required=False)


class MatchSerializer(serializers.Serializer):
    """Whose it is, by what a till knows; all that is named must mean the same customer."""

    card_number = serializers.CharField(required=False)
    external_id = serializers.CharField(required=False)
    email = serializers.CharField(required=False)
    phone = serializers.CharField(required=False)


class TransactionWriteSerializer(serializers.Serializer):
    """A sale or a return as it is sent, for `customer` or for whom `match` finds."""

    customer = serializers.UUIDField(required=False)
    match = MatchSerializer(required=False)
    number = serializers.CharField(max_length=120, help_text="The document's; it counts once.")
    kind = serializers.ChoiceField(Transaction.Kind.choices, required=False)
    revises = serializers.CharField(
        max_length=120, required=False, help_text="The number of the sale that is returned."
    )
    purchased_at = serializers.DateTimeField()
    amount = SentNumberField(help_text="With everything; of a return with either sign.")
    delivery_amount = SentNumberField(required=False)
    excluded_amount = SentNumberField(required=False)
    store = serializers.CharField(required=False, allow_null=True, help_text="Code or id.")
    lines = SentLineSerializer(many=True, required=False)


# --- What earns points ------------------------------------------------------------------------
class MultiplierSerializer(serializers.ModelSerializer):
    """How many times as much a rule gives on a level."""

    level = serializers.UUIDField(source="level_id")
    factor = NumberField(4)

    class Meta:
        model = LevelMultiplier
        fields = ("level", "factor")


class EarningRuleSerializer(serializers.ModelSerializer):
    """A rule that gives points."""

    rate = NumberField(4, help_text="Points per unit of the currency.")
    points = NumberField(help_text="A fixed number, for registering and the newsletter.")
    min_amount = MoneyField(help_text="The smallest purchase that earns.")
    multipliers = MultiplierSerializer(many=True)

    class Meta:
        model = EarningRule
        fields = ("id", *EarningRule.FIELDS, "created_at", "updated_at")
        read_only_fields = fields


class SentMultiplierSerializer(serializers.Serializer):
    """A multiplier as it is set."""

    level = serializers.UUIDField()
    factor = SentNumberField()


class EarningRuleWriteSerializer(serializers.Serializer):
    """What may be set. Left out: stays; `multipliers` replaces all of them."""

    name = serializers.CharField(max_length=120)
    kind = serializers.ChoiceField(EarningRule.Kind.choices)
    rate = SentNumberField(required=False)
    points = SentNumberField(required=False)
    min_amount = SentNumberField(required=False)
    exclude_delivery = serializers.BooleanField(required=False)
    multipliers = SentMultiplierSerializer(many=True, required=False)
    active = serializers.BooleanField(required=False)
    active_from = serializers.DateTimeField(required=False, allow_null=True)
    active_to = serializers.DateTimeField(required=False, allow_null=True)
