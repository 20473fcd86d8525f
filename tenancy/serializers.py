"""The shapes of the set-up, of sessions, and of what people without a credential send."""

from rest_framework import serializers

from customers.models import Customer
from tenancy import tenant_settings
from tenancy.models import AccessToken, StaffMember, Store, Tenant
from tenancy.permissions import SCOPES
from tenancy.services.signing_in import LONGEST_PASSWORD

LONGEST_LOGIN = 254
MAX_DAYS = 3_650


class StrictSerializer(serializers.Serializer):
    """Refuses names that it does not know and names that nobody can set: silence about either
    would hide typing errors and attacks."""

    def to_internal_value(self, data):
        if isinstance(data, dict):
            fields = self.fields
            errors = {
                name: serializers.ErrorDetail("Unknown field.", "unknown")
                if name not in fields
                else serializers.ErrorDetail("This cannot be set.", "read_only")
                for name in data
                if name not in fields or fields[name].read_only
            }
            if errors:
                raise serializers.ValidationError({name: [e] for name, e in errors.items()})
        return super().to_internal_value(data)


class StrictModelSerializer(StrictSerializer, serializers.ModelSerializer):
    """The same for a model's own fields."""


class StoresByCode(serializers.ListField):
    """Stores of the tenant by their codes, in any letter case."""

    child = serializers.CharField(max_length=64)
    default_error_messages = {"no_store": "No such store: {code}."}

    def to_internal_value(self, data):
        codes = super().to_internal_value(data)
        known = {store.code.lower(): store for store in Store.objects.all()}
        for code in codes:
            if code.lower() not in known:
                self.fail("no_store", code=code)
        return [known[code] for code in dict.fromkeys(code.lower() for code in codes)]

    def to_representation(self, stores):
        return sorted(store.code for store in stores.all())


class Degrees(serializers.DecimalField):
    """A place in degrees; null is nowhere."""

    def __init__(self, bound, **options):
        options |= {"required": False, "allow_null": True, "coerce_to_string": False}
        super().__init__(9, 6, min_value=-bound, max_value=bound, **options)

    def validate_empty_values(self, data):
        # The service reads None as "not named".
        is_empty, value = super().validate_empty_values(data)
        return is_empty, "" if data is None else value


# --- Set-up ----------------------------------------------------------------------------------
class StoreSerializer(StrictModelSerializer):
    """A shop of the tenant. The default one lists the customers who have no home store."""

    location_id = serializers.IntegerField(
        min_value=0, max_value=2_147_483_647, required=False, help_text="Left out: the next free."
    )
    default = serializers.BooleanField(required=False)
    name = serializers.CharField(max_length=200, required=False, help_text="Left out: the code.")
    latitude = Degrees(90, help_text="Where the store stands; goes with `longitude`.")
    longitude = Degrees(180)

    class Meta:
        model = Store
        fields = (
            *("id", "code", "name", "location_id", "country", "default", "latitude", "longitude"),
            "created_at",
        )
        read_only_fields = ("id", "created_at")


class StaffSerializer(StrictModelSerializer):
    """A person's membership in the tenant: the role, and the stores it is limited to."""

    email = serializers.EmailField(source="user.email", max_length=254)
    name = serializers.CharField(source="user.name", max_length=200, required=False)
    stores = StoresByCode(required=False, help_text="Codes; none: all stores.")
    active = serializers.BooleanField(read_only=True)

    class Meta:
        model = StaffMember
        fields = ("id", "email", "name", "role", "stores", "active", "created_at")
        read_only_fields = ("id", "created_at")


class StaffCreateSerializer(StaffSerializer):
    """A new member. A person who works for another tenant already keeps name and password."""

    password = serializers.CharField(
        write_only=True, required=False, max_length=LONGEST_PASSWORD, trim_whitespace=False
    )

    class Meta(StaffSerializer.Meta):
        fields = (*StaffSerializer.Meta.fields, "password")


class StaffChangeSerializer(StrictModelSerializer):
    """What may be changed about a member. Every token ends when role or activity change."""

    stores = StoresByCode(required=False)
    role = serializers.ChoiceField(StaffMember.Role.choices, required=False)
    active = serializers.BooleanField(required=False)

    class Meta:
        model = StaffMember
        fields = ("role", "stores", "active")


def _setting_field(setting):
    if setting.kind is bool:
        return serializers.BooleanField(required=False, help_text=str(setting.help))
    if setting.kind is int:
        return serializers.IntegerField(
            required=False,
            help_text=str(setting.help),
            min_value=setting.minimum,
            max_value=setting.maximum,
        )
    if setting.kind is list:
        words = f"{setting.help} Of: {', '.join(setting.choices)}."
        return serializers.ListField(child=serializers.CharField(), required=False, help_text=words)
    if setting.choices:
        return serializers.ChoiceField(setting.choices, required=False, help_text=str(setting.help))
    return serializers.CharField(required=False, allow_blank=True, help_text=str(setting.help))


class SettingsTableSerializer(StrictSerializer):
    """Every setting by its name; what the tenant has not set shows its default."""

    def get_fields(self):
        return {name: _setting_field(setting) for name, setting in tenant_settings.SETTINGS.items()}


class TenantSerializer(StrictModelSerializer):
    """The business itself, and its settings."""

    settings = SettingsTableSerializer(required=False)

    class Meta:
        model = Tenant
        fields = ("code", "name", "currency", "country", "timezone", "settings")
        read_only_fields = ("code",)

    def to_representation(self, tenant):
        shown = {name: getattr(tenant, name) for name in self.Meta.fields if name != "settings"}
        names = tenant_settings.SETTINGS
        return shown | {"settings": {name: tenant.setting(name) for name in names}}


class TokenSerializer(serializers.ModelSerializer):
    """An access token, without its text."""

    staff = serializers.EmailField(
        source="staff.user.email", read_only=True, default=None, allow_null=True
    )
    stores = StoresByCode(read_only=True)
    scopes = serializers.ListField(
        child=serializers.CharField(), help_text="Empty for a staff member: those of the role."
    )

    class Meta:
        model = AccessToken
        fields = (
            "id",
            "name",
            "holder",
            "staff",
            "scopes",
            "stores",
            "prefix",
            "created_at",
            "expires_at",
            "used_at",
            "revoked_at",
        )
        read_only_fields = fields


class IssuedTokenSerializer(TokenSerializer):
    """A new token with its text, which is shown this once."""

    token = serializers.CharField(read_only=True)

    class Meta(TokenSerializer.Meta):
        fields = (*TokenSerializer.Meta.fields, "token")
        read_only_fields = fields


class TokenCreateSerializer(StrictSerializer):
    """A token for a service, or with `staff` for that member. Never more than the caller has."""

    name = serializers.CharField(max_length=200, required=False)
    scopes = serializers.ListField(
        child=serializers.ChoiceField(SCOPES),
        required=False,
        max_length=len(SCOPES),
        help_text="Needed for a service; left out for a staff member: those of the role.",
    )
    staff = serializers.UUIDField(required=False, help_text="Id of a staff member.")
    stores = StoresByCode(required=False, help_text="Codes; binds the token to them.")
    days = serializers.IntegerField(
        min_value=1, max_value=MAX_DAYS, required=False, help_text="Left out: no end."
    )


# --- Sessions --------------------------------------------------------------------------------
class TokenPairSerializer(serializers.Serializer):
    """What a sign-in and a refresh answer."""

    access_token = serializers.CharField()
    refresh_token = serializers.CharField(help_text="Exchanges for a new pair, once.")
    expires_in = serializers.IntegerField(help_text="Seconds until the access token ends.")
    password_change_needed = serializers.BooleanField(
        required=False, help_text="Only when true: the password is one that was sent."
    )


class SessionTenantSerializer(serializers.Serializer):
    """The business that the credential belongs to."""

    code = serializers.CharField()
    name = serializers.CharField()
    currency = serializers.CharField()
    country = serializers.CharField()
    timezone = serializers.CharField()


class SessionStaffSerializer(serializers.Serializer):
    """The staff member behind the credential."""

    id = serializers.UUIDField()
    email = serializers.CharField()
    name = serializers.CharField()


class SessionTokenSerializer(serializers.Serializer):
    """The credential itself, without its text."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    prefix = serializers.CharField()
    expires_at = serializers.DateTimeField(allow_null=True)


class SessionSerializer(serializers.Serializer):
    """Who is calling, and what they may do."""

    role = serializers.CharField(help_text="admin, seller, service or customer.")
    scopes = serializers.ListField(child=serializers.CharField())
    tenant = SessionTenantSerializer()
    staff = SessionStaffSerializer(allow_null=True)
    customer = serializers.UUIDField(allow_null=True)
    stores = serializers.ListField(
        child=serializers.CharField(), help_text="Codes; none: not bound to stores."
    )
    token = SessionTokenSerializer()


class SignInSerializer(StrictSerializer):
    """A staff member's e-mail and password."""

    email = serializers.CharField(max_length=LONGEST_LOGIN)
    password = serializers.CharField(trim_whitespace=False)


class CustomerSignInSerializer(StrictSerializer):
    """What a customer signs in with (e-mail, phone, card or username), and the password."""

    login = serializers.CharField(max_length=LONGEST_LOGIN)
    password = serializers.CharField(trim_whitespace=False)


class RefreshSerializer(StrictSerializer):
    """The refresh token of a pair."""

    refresh_token = serializers.CharField(max_length=200)


# --- People without a credential -------------------------------------------------------------
class OwnEmailSerializer(StrictSerializer):
    """An e-mail of one's own."""

    address = serializers.CharField(max_length=254)
    primary = serializers.BooleanField(required=False)
    opted_out = serializers.BooleanField(required=False)


class OwnPhoneSerializer(StrictSerializer):
    """A phone of one's own."""

    given = serializers.CharField(max_length=60)
    kind = serializers.CharField(
        max_length=8, required=False, help_text="mobile, home, work or other."
    )
    extension = serializers.CharField(max_length=20, required=False)
    primary = serializers.BooleanField(required=False)
    opted_out = serializers.BooleanField(required=False)


class OwnConsentSerializer(StrictSerializer):
    """A statement of one's own; the evidence is stamped."""

    purpose = serializers.CharField(max_length=40)
    granted = serializers.BooleanField()
    wording_version = serializers.CharField(max_length=40, required=False)


class RegistrationSerializer(StrictSerializer):
    """Oneself, with the password to sign in with and an e-mail or phone to sign in by."""

    login_email = serializers.CharField(max_length=254, required=False)
    login_phone = serializers.CharField(max_length=60, required=False)
    password = serializers.CharField(max_length=LONGEST_PASSWORD, trim_whitespace=False)
    name = serializers.CharField(max_length=250, required=False)
    first_name = serializers.CharField(max_length=120, required=False)
    last_name = serializers.CharField(max_length=120, required=False)
    gender = serializers.ChoiceField(Customer.Gender.choices, required=False)
    birth_date = serializers.CharField(
        max_length=20, required=False, help_text="`1985-12-10`, or `--12-10` without the year."
    )
    language = serializers.CharField(max_length=20, required=False)
    emails = OwnEmailSerializer(many=True, required=False)
    phones = OwnPhoneSerializer(many=True, required=False)
    addresses = serializers.ListField(
        child=serializers.DictField(),
        required=False,
        help_text="As in the customer record: `street`, `postal_code`, `city`, `country`, …",
    )
    consents = OwnConsentSerializer(many=True, required=False)


class RegisteredSerializer(serializers.Serializer):
    """How the contact point is proven before the first sign-in."""

    activation = serializers.CharField(help_text="email, sms, or none.")


class OwnActivationSerializer(StrictSerializer):
    """The token of the mail link, or the code of an SMS; the code with or without the sign-in,
    e-mail or phone that it was sent for."""

    token = serializers.CharField(max_length=200, required=False)
    code = serializers.CharField(max_length=20, required=False)
    login = serializers.CharField(max_length=LONGEST_LOGIN, required=False)

    def validate(self, values):
        if ("token" in values) == ("code" in values):
            raise serializers.ValidationError({"token": ["Send either `token` or `code`."]})
        if "token" in values and "login" in values:
            raise serializers.ValidationError({"login": ["Goes with `code` only."]})
        return values


class ContactSerializer(StrictSerializer):
    """An e-mail address or a phone number."""

    contact = serializers.CharField(max_length=LONGEST_LOGIN)


class ResetRequestSerializer(StrictSerializer):
    """What the customer signs in with."""

    login = serializers.CharField(max_length=LONGEST_LOGIN)


class ResetSerializer(StrictSerializer):
    """The token of the mail link, and the new password."""

    token = serializers.CharField(max_length=200)
    password = serializers.CharField(max_length=LONGEST_PASSWORD, trim_whitespace=False)


class SentSerializer(serializers.Serializer):
    """The same words whether or not anything was sent."""

    detail = serializers.CharField()


class CountSerializer(serializers.Serializer):
    """How many customers have the e-mail or phone."""

    count = serializers.IntegerField()
