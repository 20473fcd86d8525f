"""The shapes of the house API, for the schema and the documentation.

They hold no rules: what may be said stands in `customers.profile`, who may say it in the
permission table. Records are plain dicts (`customers.records`), written out as they are; a test
compares their keys with these fields.
"""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from customers.models import Address, Customer, Phone
from customers.querysets import CHANNELS


class EmailSerializer(serializers.Serializer):
    """An e-mail address of a customer."""

    id = serializers.UUIDField(read_only=True)
    address = serializers.CharField(max_length=254)
    primary = serializers.BooleanField(required=False)
    verified = serializers.BooleanField(required=False, help_text="Customers cannot set it.")
    opted_out = serializers.BooleanField(required=False, help_text="No marketing to it.")
    created_at = serializers.DateTimeField(read_only=True)


class PhoneSerializer(serializers.Serializer):
    """A phone number: as given, and internationally where the numbering plan allows it."""

    id = serializers.UUIDField(read_only=True)
    given = serializers.CharField(max_length=40)
    e164 = serializers.CharField(read_only=True, help_text="Empty where there is no such form.")
    kind = serializers.ChoiceField(choices=Phone.Kind.choices, required=False)
    extension = serializers.CharField(max_length=20, required=False, allow_blank=True)
    primary = serializers.BooleanField(required=False)
    verified = serializers.BooleanField(required=False, help_text="Customers cannot set it.")
    opted_out = serializers.BooleanField(required=False, help_text="No marketing to it.")
    created_at = serializers.DateTimeField(read_only=True)


class AddressSerializer(serializers.ModelSerializer):
    """A postal address, with the recipient where it is not the customer."""

    latitude = serializers.FloatField(required=False, allow_null=True)
    longitude = serializers.FloatField(required=False, allow_null=True)

    class Meta:
        model = Address
        fields = ["id", *Address.FIELDS, "created_at"]
        read_only_fields = ["id", "created_at"]


class ContactPersonSerializer(serializers.Serializer):
    """Somebody to talk to at a company."""

    id = serializers.UUIDField(read_only=True)
    first_name = serializers.CharField(max_length=120, required=False, allow_blank=True)
    last_name = serializers.CharField(max_length=120, required=False, allow_blank=True)
    email = serializers.CharField(max_length=254, required=False, allow_blank=True)
    mobile = serializers.CharField(max_length=40, required=False, allow_blank=True)
    created_at = serializers.DateTimeField(read_only=True)


class LabelSerializer(serializers.Serializer):
    """A key with a value."""

    id = serializers.UUIDField(read_only=True)
    key = serializers.CharField(max_length=100)
    value = serializers.CharField(max_length=500, required=False, allow_blank=True)


class DeviceSerializer(serializers.Serializer):
    """A push token."""

    id = serializers.UUIDField(read_only=True)
    token = serializers.CharField(max_length=500)
    created_at = serializers.DateTimeField(read_only=True)


class ConsentSerializer(serializers.Serializer):
    """What a customer agreed to, or withdrew."""

    purpose = serializers.CharField(
        max_length=40, help_text="legal, marketing, data_processing, or a name of your own."
    )
    granted = serializers.BooleanField()
    at = serializers.DateTimeField(required=False)
    store = serializers.CharField(required=False, allow_null=True, help_text="Code.")
    source = serializers.CharField(max_length=120, required=False, allow_blank=True)
    wording_version = serializers.CharField(max_length=40, required=False, allow_blank=True)


class StoreProfileSerializer(serializers.Serializer):
    """What one store keeps about a customer."""

    store = serializers.CharField(read_only=True, help_text="Code.")
    pos_ref = serializers.CharField(max_length=120, required=False, allow_null=True)
    note = serializers.CharField(max_length=4000, required=False, allow_blank=True)
    extensions = serializers.ListField(
        child=serializers.CharField(max_length=40),
        required=False,
        help_text="Services that are switched on for the customer at this store.",
    )


class ChargeAccountSerializer(serializers.Serializer):
    """The account that a customer may buy on."""

    number = serializers.CharField(max_length=40, required=False)
    retired = serializers.BooleanField(required=False)


class MembershipSerializer(serializers.Serializer):
    """A group that the customer is in."""

    code = serializers.CharField()
    title = serializers.CharField()
    subscribed = serializers.BooleanField()


class LoyaltySerializer(serializers.Serializer):
    """Where the customer stands in the loyalty programme."""

    level = serializers.CharField(allow_null=True)
    level_id = serializers.UUIDField(allow_null=True)
    level_percent = serializers.DecimalField(
        max_digits=12, decimal_places=2, allow_null=True, help_text="The level's reward in percent."
    )
    level_since = serializers.DateTimeField(allow_null=True)
    assigned = serializers.BooleanField(help_text="Whether staff put the customer on the level.")
    assigned_level_id = serializers.UUIDField(allow_null=True)
    recalculated_at = serializers.DateTimeField(
        allow_null=True, help_text="When the daily recalculation last looked at the level."
    )
    points = serializers.DecimalField(
        max_digits=19, decimal_places=2, help_text="What can be spent now."
    )
    locked_points = serializers.DecimalField(max_digits=19, decimal_places=2)
    transactions_count = serializers.IntegerField()
    transactions_amount = serializers.DecimalField(max_digits=19, decimal_places=2)
    amount_without_delivery = serializers.DecimalField(max_digits=19, decimal_places=2)
    excluded_amount = serializers.DecimalField(
        max_digits=19, decimal_places=2, help_text="Of the amount, what levels do not count."
    )
    first_purchase_at = serializers.DateTimeField(allow_null=True)
    last_purchase_at = serializers.DateTimeField(allow_null=True)


LEVEL_HELP = (
    "Id of a level, or a name that only one level has: assigns it by hand. Naming the present "
    "level, or null, changes nothing."
)


@extend_schema_field({"type": "number", "nullable": True})
class MoneyField(serializers.DecimalField):
    """An amount in the tenant's currency."""

    def __init__(self, **options):
        super().__init__(max_digits=19, decimal_places=2, allow_null=True, **options)


class CustomerSerializer(serializers.ModelSerializer):
    """A customer. Which fields are there depends on the caller's role."""

    birth_date = serializers.CharField(
        allow_null=True, required=False, help_text="YYYY-MM-DD, or --MM-DD without the year."
    )
    home_store = serializers.CharField(allow_null=True, required=False, help_text="Code.")
    seller = serializers.CharField(
        allow_null=True, required=False, help_text="The staff member's e-mail."
    )
    credit_limit = MoneyField(required=False)
    credit_balance = MoneyField(required=False)
    floor_limit = MoneyField(required=False)
    emails = EmailSerializer(many=True, required=False)
    phones = PhoneSerializer(many=True, required=False)
    addresses = AddressSerializer(many=True, required=False)
    contact_persons = ContactPersonSerializer(many=True, required=False)
    labels = LabelSerializer(many=True, required=False)
    consents = ConsentSerializer(
        many=True, required=False, help_text="What holds now, one per purpose."
    )
    devices = DeviceSerializer(many=True, read_only=True)
    store_profiles = StoreProfileSerializer(many=True, read_only=True)
    charge_account = ChargeAccountSerializer(read_only=True, allow_null=True)
    avatar = serializers.BooleanField(read_only=True, help_text="Whether there is a picture.")
    groups = MembershipSerializer(many=True, read_only=True)
    loyalty = LoyaltySerializer(read_only=True, allow_null=True)
    reachable = serializers.ListField(
        child=serializers.ChoiceField(choices=CHANNELS),
        read_only=True,
        help_text="The channels by which the customer may be written to for marketing.",
    )
    status = serializers.ChoiceField(choices=Customer.Status.choices, read_only=True)
    merged_from = serializers.ListField(
        child=serializers.UUIDField(),
        read_only=True,
        help_text="Ids of the records that were merged into this one; they answer with it.",
    )

    class Meta:
        model = Customer
        fields = [
            *("id", "number", *Customer.PROFILE, "status", "created_at", "updated_at"),
            *("version", "anonymised_at", *Customer.CHILD_LISTS, "consents", "devices"),
            *("store_profiles", "charge_account", "avatar", "groups", "loyalty", "reachable"),
            "merged_from",
        ]
        read_only_fields = [
            *("id", "number", "created_at", "updated_at", "version", "anonymised_at"),
        ]


class CustomerChangeSerializer(CustomerSerializer):
    """What an update may name; a list replaces the whole list, null clears."""

    version = serializers.IntegerField(
        required=False, help_text="Instead of If-Match: the version that is changed."
    )
    groups = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="Codes of the groups, all of them."
    )
    level = serializers.CharField(required=False, allow_null=True, help_text=LEVEL_HELP)

    class Meta(CustomerSerializer.Meta):
        fields = [
            *Customer.PROFILE,
            *Customer.CHILD_LISTS,
            "consents",
            "groups",
            "level",
            "version",
        ]
        read_only_fields = []


class CustomerRegistrationSerializer(CustomerSerializer):
    """What a registration may say: at least a name, a contact point or an identifier."""

    id = serializers.UUIDField(required=False, help_text="Made here unless named.")
    status = serializers.ChoiceField(
        choices=[Customer.Status.NEW.value, Customer.Status.ACTIVE.value], required=False
    )
    password = serializers.CharField(max_length=128, required=False, write_only=True)
    store = serializers.CharField(
        required=False, help_text="Where it happens: code or id; the home store unless named."
    )
    groups = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="Codes of the groups."
    )
    level = serializers.CharField(required=False, allow_null=True, help_text=LEVEL_HELP)

    class Meta(CustomerSerializer.Meta):
        fields = [
            *("id", *Customer.PROFILE, "status", *Customer.CHILD_LISTS, "consents", "groups"),
            *("level", "password", "store"),
        ]
        read_only_fields = []
