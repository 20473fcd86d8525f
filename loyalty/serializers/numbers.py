"""Stored counts as the decimals that they stand for.

They are written out as numbers; a request may send a number or its text. What may be sent is the
services' to say: here nothing is judged.
"""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from loyalty.amounts import HUNDREDTHS, money_out, number_out
from tenancy.scoping import current_tenant


@extend_schema_field(OpenApiTypes.NUMBER)
class NumberField(serializers.Field):
    """Points, thresholds and percents (two decimals), quantities (three), rates (four)."""

    def __init__(self, places=HUNDREDTHS, **options):
        super().__init__(read_only=True, **options)
        self.places = places

    def to_representation(self, count):
        return number_out(count, self.places)


@extend_schema_field(OpenApiTypes.NUMBER)
class MoneyField(serializers.Field):
    """An amount in the tenant's currency, with its decimals."""

    def __init__(self, **options):
        super().__init__(read_only=True, **options)

    def to_representation(self, amount):
        return money_out(amount, current_tenant().currency)


@extend_schema_field({"oneOf": [{"type": "number"}, {"type": "string"}]})
class SentNumberField(serializers.Field):
    """A number as a request may send it: as a number, or exactly as text."""
