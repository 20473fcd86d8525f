"""Other settings, and what would be under them."""

from rest_framework import serializers

from loyalty.serializers.levels import StatusSerializer


class SettingsSerializer(serializers.Serializer):
    """Settings of the programme to try."""

    settings = serializers.DictField(help_text="By name, such as tier_by or downgrade_base.")


class LevelNameSerializer(serializers.Serializer):
    """A level by id and name."""

    id = serializers.UUIDField()
    name = serializers.CharField()


class SimulationSerializer(serializers.Serializer):
    """A customer's level now and under other settings."""

    level = LevelNameSerializer(allow_null=True, help_text="Where the customer stands now.")
    reached = LevelNameSerializer(allow_null=True, help_text="What would have been collected.")
    target = LevelNameSerializer(allow_null=True, help_text="Where the customer would stand.")
    status = StatusSerializer(help_text="Everything else, under the settings that were tried.")


class DistributionSerializer(serializers.Serializer):
    """One level, and how many stand on it."""

    level = LevelNameSerializer(allow_null=True)
    before = serializers.IntegerField()
    after = serializers.IntegerField()
