"""The shapes of groups and memberships in the house API. Rules live in the services."""

from rest_framework import serializers

from groups.models import Group, Subscription
from groups.services.subscribing import CUSTOM_DATA


class GroupSerializer(serializers.ModelSerializer):
    """A set of customers with a purpose: a newsletter, a club, a price class."""

    parent = serializers.SlugRelatedField(
        "code", read_only=True, help_text="The code of the group above; null at the top."
    )

    class Meta:
        model = Group
        fields = ("id", *Group.FIELDS, "created_at", "updated_at")


class GroupWriteSerializer(serializers.Serializer):
    """What may be set. Left out: stays; null: emptied."""

    code = serializers.CharField(max_length=64, help_text="Unique within the tenant.")
    title = serializers.CharField(
        max_length=200, required=False, help_text="Empty: the code is the title."
    )
    description = serializers.CharField(max_length=4_000, required=False, allow_null=True)
    subscribable = serializers.ChoiceField(Group.Subscribable.choices, required=False)
    subscribe_text = serializers.CharField(max_length=500, required=False, allow_null=True)
    parent = serializers.CharField(
        required=False, allow_null=True, help_text="Code or id of the group above."
    )


class SubscriptionSerializer(serializers.ModelSerializer):
    """A customer in a group, with the evidence for the flag."""

    group = serializers.CharField(source="group.code")
    title = serializers.CharField(source="group.title")
    subscribable = serializers.ChoiceField(Group.Subscribable.choices, source="group.subscribable")
    subscribe_text = serializers.CharField(source="group.subscribe_text")
    store = serializers.SlugRelatedField("code", read_only=True)
    actor = serializers.CharField(
        source="actor_kind", help_text="Who set the flag: staff, service, customer or system."
    )

    class Meta:
        model = Subscription
        fields = (
            "group",
            "title",
            "subscribable",
            "subscribe_text",
            "code",
            "subscribed",
            "at",
            "store",
            "actor",
            "actor_label",
            "source",
            "wording_version",
            *CUSTOM_DATA,
            "created_at",
        )
        read_only_fields = fields


class OwnSubscriptionSerializer(SubscriptionSerializer):
    """What customers see of their own memberships: not who in the shop did it, nor what
    integrators keep there."""

    class Meta(SubscriptionSerializer.Meta):
        fields = tuple(
            name
            for name in SubscriptionSerializer.Meta.fields
            if name not in (*CUSTOM_DATA, "actor_label")
        )
        read_only_fields = fields


class SubscriptionWriteSerializer(serializers.Serializer):
    """The flag, and the evidence for it. Customers send `subscribed` and `wording_version`."""

    subscribed = serializers.BooleanField(help_text="False: a member, but no mail of this group.")
    store = serializers.CharField(
        required=False, allow_null=True, help_text="Code or id of the store where it was said."
    )
    source = serializers.CharField(
        max_length=120, required=False, allow_null=True, help_text="Such as the name of a form."
    )
    wording_version = serializers.CharField(max_length=40, required=False, allow_null=True)
    custom_data1 = serializers.CharField(max_length=4_000, required=False, allow_null=True)
    custom_data2 = serializers.CharField(max_length=4_000, required=False, allow_null=True)
    custom_data3 = serializers.CharField(max_length=4_000, required=False, allow_null=True)
    custom_data4 = serializers.CharField(max_length=4_000, required=False, allow_null=True)
    version = serializers.IntegerField(
        required=False, help_text="The customer's version, instead of If-Match."
    )
