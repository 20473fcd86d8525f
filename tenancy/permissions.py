"""The one table of rights (operation × role × scope, and field × role).

The API's permission class, the back office's `has_perm`, the OpenAPI descriptions and the tests
read it; nobody repeats it. A role is a set of scopes; a service has the scopes of its token.
"""

from dataclasses import dataclass

SCOPES = (
    "customers:read",
    "customers:write",
    "customers:delete",
    "customers:anonymise",
    "customers:merge",
    "customers:export",
    "customers:import",
    "groups:read",
    "groups:write",
    "loyalty:read",
    "loyalty:write",
    "points:adjust",
    "transactions:write",
    "settings:write",
    "tokens:write",
    "password_hash",
)

ADMIN, SELLER, SERVICE, CUSTOMER, ANONYMOUS = "admin", "seller", "service", "customer", "anonymous"

ROLE_SCOPES = {
    # `password_hash` is never part of a role: somebody has to ask for it by name.
    ADMIN: frozenset(SCOPES) - {"password_hash"},
    SELLER: frozenset(
        {
            "customers:read",
            "customers:write",
            "customers:export",
            "groups:read",
            "loyalty:read",
            "loyalty:write",
            "points:adjust",
            "transactions:write",
        }
    ),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may do one operation. `scope` is needed by staff and services; the flags narrow it."""

    scope: str | None = None
    seller: bool = True  # False: needs the admin role even where a seller holds the scope
    own: bool = False  # a customer may do it to the own record
    anonymous: bool = False  # needs no credential; the tenant comes from the path

    @property
    def reads(self):
        """Whether nothing changes by it."""
        return self.scope is not None and self.scope.endswith(":read")


_READ = Rule("customers:read")
_READ_OWN = Rule("customers:read", own=True)
_WRITE = Rule("customers:write")
_WRITE_OWN = Rule("customers:write", own=True)
_MERGE = Rule("customers:merge", seller=False)
_IMPORT = Rule("customers:import", seller=False)
_REQUEST = Rule("customers:anonymise", seller=False)

OPERATIONS = {
    # customers
    "customers.list": _READ,
    "customers.retrieve": _READ_OWN,
    "customers.search": _READ,
    "customers.check": _READ,
    "customers.registrations": _READ,
    "customers.create": _WRITE,
    "customers.partial_update": _WRITE_OWN,
    "customers.destroy": Rule("customers:delete", seller=False),
    "customers.activate": _WRITE,
    "customers.deactivate": _WRITE,
    "customers.send_code": _WRITE,
    "customers.send_password": _WRITE,
    "customers.change_login": _WRITE_OWN,
    "customers.confirm_login": Rule(None, own=True),
    "customers.set_password": _WRITE_OWN,
    "customers.anonymise": Rule("customers:anonymise", seller=False),
    "customers.anonymise_preview": Rule("customers:anonymise", seller=False),
    "customers.export": Rule("customers:export", own=True),
    "customers.export_all": Rule("customers:export", seller=False),
    "customers.batch": _WRITE,
    "customers.batch_delete": Rule("customers:delete", seller=False),
    "customers.history": _READ,
    "customers.merge": _MERGE,
    "customers.merge_preview": _MERGE,
    "duplicates.list": _MERGE,
    "duplicates.retrieve": _MERGE,
    "duplicates.dismiss": _MERGE,
    "merges.list": _MERGE,
    "merges.retrieve": _MERGE,
    "merges.undo": _MERGE,
    "not_duplicates.list": _MERGE,
    "not_duplicates.create": _MERGE,
    "not_duplicates.destroy": _MERGE,
    # Requests of people about their data.
    "data_requests.list": _REQUEST,
    "data_requests.retrieve": _REQUEST,
    "data_requests.create": _REQUEST,
    "data_requests.identify": _REQUEST,
    "data_requests.hold": _REQUEST,
    "data_requests.resume": _REQUEST,
    "data_requests.refuse": _REQUEST,
    "data_requests.hand_out": _REQUEST,
    "data_requests.complete": _REQUEST,
    "customers.import": _IMPORT,
    "imports.list": _IMPORT,
    "imports.retrieve": _IMPORT,
    "imports.create": _IMPORT,
    "imports.report": _IMPORT,
    "imports.refused": _IMPORT,
    "imports.review": _IMPORT,
    "imports.accept": _IMPORT,
    "imports.repeat": _IMPORT,
    "imports.cancel": _IMPORT,
    "imports.undo": _IMPORT,
    "emails.list": _READ_OWN,
    "emails.retrieve": _READ_OWN,
    "emails.create": _WRITE_OWN,
    "emails.partial_update": _WRITE_OWN,
    "emails.destroy": _WRITE_OWN,
    "phones.list": _READ_OWN,
    "phones.retrieve": _READ_OWN,
    "phones.create": _WRITE_OWN,
    "phones.partial_update": _WRITE_OWN,
    "phones.destroy": _WRITE_OWN,
    "addresses.list": _READ_OWN,
    "addresses.retrieve": _READ_OWN,
    "addresses.create": _WRITE_OWN,
    "addresses.partial_update": _WRITE_OWN,
    "addresses.destroy": _WRITE_OWN,
    "contact_persons.list": _READ,
    "contact_persons.retrieve": _READ,
    "contact_persons.create": _WRITE,
    "contact_persons.partial_update": _WRITE,
    "contact_persons.destroy": _WRITE,
    "consents.list": _READ_OWN,
    "consents.create": _WRITE_OWN,
    "labels.list": _READ,
    "labels.create": _WRITE,
    "labels.destroy": _WRITE,
    "devices.list": _READ_OWN,
    "devices.create": _WRITE_OWN,
    "devices.destroy": _WRITE_OWN,
    "avatar.retrieve": _READ_OWN,
    "avatar.create": _WRITE_OWN,
    "avatar.destroy": _WRITE_OWN,
    "store_profiles.list": _READ,
    "store_profiles.retrieve": _READ,
    "store_profiles.update": _WRITE,
    "store_profiles.destroy": _WRITE,
    "charge_account.retrieve": _READ,
    "charge_account.update": Rule("customers:write", seller=False),
    "charge_account.destroy": Rule("customers:write", seller=False),
    # groups
    # Customers see the public ones, which they may join.
    "groups.list": Rule("groups:read", own=True),
    "groups.retrieve": Rule("groups:read", own=True),
    "groups.create": Rule("groups:write", seller=False),
    "groups.partial_update": Rule("groups:write", seller=False),
    "groups.destroy": Rule("groups:write", seller=False),
    # Answers whole customer records.
    "groups.members": Rule("customers:read"),
    "subscriptions.list": Rule("customers:read", own=True),
    "subscriptions.update": Rule("customers:write", own=True),
    "subscriptions.destroy": Rule("customers:write", own=True),
    # What happened, for those who keep a copy of the customers elsewhere.
    "changes.list": Rule("customers:read", seller=False),
    # loyalty
    "loyalty.retrieve": Rule("loyalty:read", own=True),
    "loyalty.simulate": Rule("loyalty:read"),
    "loyalty.simulate_all": Rule("loyalty:read", seller=False),
    "level.update": Rule("loyalty:write"),
    "level.destroy": Rule("loyalty:write"),
    "levels.list": Rule("loyalty:read", own=True),
    "levels.retrieve": Rule("loyalty:read", own=True),
    "levels.create": Rule("settings:write", seller=False),
    "levels.partial_update": Rule("settings:write", seller=False),
    "levels.destroy": Rule("settings:write", seller=False),
    # Answers whole customer records.
    "levels.customers": Rule("customers:read"),
    "points.list": Rule("loyalty:read", own=True),
    "points.list_all": Rule("loyalty:read", seller=False),
    # A seller who could add points would need no ceiling for adjusting them.
    "points.add": Rule("loyalty:write", seller=False),
    "points.spend": Rule("loyalty:write"),
    "points.adjust": Rule("points:adjust"),
    "points.transfer": Rule("loyalty:write"),
    # The own ones, to another customer.
    "points.send": Rule(None, own=True),
    "points.cancel": Rule("points:adjust", seller=False),
    "transactions.list": Rule("loyalty:read", own=True),
    "transactions.retrieve": Rule("loyalty:read", own=True),
    "transactions.create": Rule("transactions:write"),
    "transactions.batch": Rule("transactions:write"),
    "earning_rules.list": Rule("loyalty:read", seller=False),
    "earning_rules.retrieve": Rule("loyalty:read", seller=False),
    "earning_rules.create": Rule("settings:write", seller=False),
    "earning_rules.partial_update": Rule("settings:write", seller=False),
    "earning_rules.destroy": Rule("settings:write", seller=False),
    "rewards.list": Rule("loyalty:read", own=True),
    "rewards.retrieve": Rule("loyalty:read", own=True),
    "rewards.create": Rule("settings:write", seller=False),
    "rewards.partial_update": Rule("settings:write", seller=False),
    "rewards.destroy": Rule("settings:write", seller=False),
    "redemptions.list": Rule("loyalty:read", own=True),
    "redemptions.retrieve": Rule("loyalty:read", own=True),
    "redemptions.create": Rule("loyalty:write", own=True),
    # A coupon's code is worth what it buys: only who may use one looks for it.
    "redemptions.find": Rule("loyalty:write"),
    "redemptions.use": Rule("loyalty:write"),
    "redemptions.unuse": Rule("loyalty:write"),
    "redemptions.cancel": Rule("loyalty:write"),
    "redemptions.delivery": Rule("loyalty:write"),
    # set-up
    "stores.list": Rule("customers:read"),
    "stores.retrieve": Rule("customers:read"),
    "stores.create": Rule("settings:write", seller=False),
    "stores.partial_update": Rule("settings:write", seller=False),
    "staff.list": Rule("settings:write", seller=False),
    "staff.retrieve": Rule("settings:write", seller=False),
    "staff.create": Rule("settings:write", seller=False),
    "staff.partial_update": Rule("settings:write", seller=False),
    "settings.retrieve": Rule("settings:write", seller=False),
    "settings.partial_update": Rule("settings:write", seller=False),
    **dict.fromkeys(
        (
            "webhooks.list",
            "webhooks.retrieve",
            "webhooks.create",
            "webhooks.partial_update",
            "webhooks.destroy",
            "webhooks.rotate_secret",
            "webhooks.test",
            "webhooks.deliveries",
            "webhooks.replay_delivery",
            "webhooks.replay",
        ),
        Rule("settings:write", seller=False),
    ),
    "tokens.list": Rule("tokens:write", seller=False),
    "tokens.create": Rule("tokens:write", seller=False),
    "tokens.destroy": Rule("tokens:write", seller=False),
    # background work
    "messages.list": Rule("settings:write", seller=False),
    "messages.retrieve": Rule("settings:write", seller=False),
    "messages.send_again": Rule("settings:write", seller=False),
    "message_texts.list": Rule("settings:write", seller=False),
    "message_texts.retrieve": Rule("settings:write", seller=False),
    "message_texts.update": Rule("settings:write", seller=False),
    "message_texts.destroy": Rule("settings:write", seller=False),
    "message_texts.preview": Rule("settings:write", seller=False),
    "jobs.list": Rule("settings:write", seller=False),
    "jobs.retrieve": Rule("settings:write", seller=False),
    "jobs.retry": Rule("settings:write", seller=False),
    "jobs.cancel": Rule("settings:write", seller=False),
    "session.retrieve": Rule(None, own=True),
    "session.revoke": Rule(None, own=True),
    "session.change_password": Rule(None, own=True),
    # without a credential: the tenant comes from the path
    "public.sign_in": Rule(anonymous=True),
    "public.customer_sign_in": Rule(anonymous=True),
    "public.refresh": Rule(anonymous=True),
    "public.register": Rule(anonymous=True),
    "public.activate": Rule(anonymous=True),
    "public.send_code": Rule(anonymous=True),
    "public.reset_password": Rule(anonymous=True),
    "public.check": Rule(anonymous=True),
}


# --- Fields of a customer --------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class FieldRule:
    """Which roles see a field and which may change it. Admins may always; services by scope."""

    sees: frozenset = frozenset()
    changes: frozenset = frozenset()


_EVERYBODY = FieldRule(frozenset({SELLER, CUSTOMER}), frozenset({SELLER, CUSTOMER}))
_SHOWN = FieldRule(frozenset({SELLER, CUSTOMER}), frozenset())
_STAFF = FieldRule(frozenset({SELLER}), frozenset({SELLER}))
_STAFF_SEES = FieldRule(frozenset({SELLER}), frozenset())
_SHOWN_STAFF_CHANGES = FieldRule(frozenset({SELLER, CUSTOMER}), frozenset({SELLER}))

# A field that no line names is for admins (and services with the scope) only.
CUSTOMER_FIELDS = {
    **dict.fromkeys(
        (
            "name",
            "first_name",
            "last_name",
            "gender",
            "birth_date",
            "language",
            "emails",
            "phones",
            "addresses",
            "consents",
            "password",
        ),
        _EVERYBODY,
    ),
    **dict.fromkeys(
        (
            "id",
            "number",
            "status",
            "created_at",
            "updated_at",
            "version",
            "anonymised_at",
            "merged_from",
            "login_email",
            "login_phone",
            "username",
            "avatar",
            "devices",
            "groups",
            "loyalty",
        ),
        _SHOWN,
    ),
    **dict.fromkeys(
        ("kind", "company_name", "card_number", "home_store", "level"), _SHOWN_STAFF_CHANGES
    ),
    **dict.fromkeys(
        (
            "vat_number",
            "eu_citizen",
            "card_state",
            "labels",
            "contact_persons",
            "seller",
            "origin",
            "internal_note",
            "invitation_token",
            "no_email",
            "no_loyalty",
            "store_profiles",
        ),
        _STAFF,
    ),
    **dict.fromkeys(
        (
            "external_id",
            "hidden",
            "discount_percent",
            "price_list",
            "payment_terms_days",
            "shipping_mode",
            "credit_limit",
            "credit_balance",
            "floor_limit",
            "reachable",
            "charge_account",
            "custom_data1",
            "custom_data2",
            "custom_data3",
            "custom_data4",
        ),
        _STAFF_SEES,
    ),
}

_ADMIN_ONLY = FieldRule()


# A seller where the tenant masks contact data: reads and changes it of one customer at a time,
# after a deed that is written down. A reader of the back office, and no role that anybody has.
MASKED = "masked seller"
CONTACT_FIELDS = frozenset(
    ("emails", "phones", "addresses", "contact_persons", "login_email", "login_phone", "username")
)


def sees_field(role, field):
    """Whether `role` may read the customer field `field`."""
    if role == MASKED:
        return field not in CONTACT_FIELDS and sees_field(SELLER, field)
    return hides_nothing(role) or role in CUSTOMER_FIELDS.get(field, _ADMIN_ONLY).sees


def hides_nothing(role):
    """Whether `role` may read every customer field, those too that nobody has thought of yet."""
    return role in (ADMIN, SERVICE)


def changes_field(role, field):
    """Whether `role` may set the customer field `field` (registering counts as changing)."""
    if role == MASKED:
        return field not in CONTACT_FIELDS and changes_field(SELLER, field)
    if role in (ADMIN, SERVICE):
        return True
    return role in CUSTOMER_FIELDS.get(field, _ADMIN_ONLY).changes


# The history tells of parts of a customer that are no fields by a first word.
_TOLD = {
    "consent": "consents",
    "store": "store_profiles",
    "extension": "store_profiles",
    "group": "groups",
    "verified": "emails",
    "erased": "anonymised_at",
    "assigned_level": "level",
    "redemption": "loyalty",
    "merged_into": "merged_from",
    "created_in_spite_of": "number",
    "created_because": "number",
    # Which way somebody came who looked at the customer.
    "way": "id",
    "what": "id",
}


def sees_told(role, name):
    """Whether `role` may read what a customer's history tells under `name`, old and new."""
    return sees_field(role, _TOLD.get(name.partition(" ")[0], name.partition(" ")[0]))


# --- Back office: Django's permission names answered from the same table ----------------------
# model -> (view, add, change, delete); None: nobody, not even an admin.
_SETUP = ("settings.retrieve", "stores.create", "stores.partial_update", None)
MODEL_OPERATIONS = {
    "customers.importrun": ("imports.list", "imports.create", None, None),
    "customers.bulkdeed": ("customers.deactivate", None, None, None),
    "customers.datarequest": ("data_requests.list", "data_requests.create", None, None),
    "customers.importprofile": ("imports.list", None, None, "imports.create"),
    "customers.customer": (
        "customers.list",
        "customers.create",
        "customers.partial_update",
        "customers.destroy",
    ),
    "customers.email": ("emails.list", "emails.create", "emails.partial_update", "emails.destroy"),
    "customers.phone": ("phones.list", "phones.create", "phones.partial_update", "phones.destroy"),
    "customers.address": (
        "addresses.list",
        "addresses.create",
        "addresses.partial_update",
        "addresses.destroy",
    ),
    "customers.contactperson": (
        "contact_persons.list",
        "contact_persons.create",
        "contact_persons.partial_update",
        "contact_persons.destroy",
    ),
    "customers.label": ("labels.list", "labels.create", "labels.create", "labels.destroy"),
    "customers.consent": ("consents.list", None, None, None),
    "customers.device": ("devices.list", None, None, None),
    "customers.storeprofile": (
        "store_profiles.list",
        "store_profiles.update",
        "store_profiles.update",
        "store_profiles.destroy",
    ),
    "customers.chargeaccount": (
        "charge_account.retrieve",
        "charge_account.update",
        "charge_account.update",
        "charge_account.destroy",
    ),
    "customers.possibleduplicate": ("duplicates.list", None, None, None),
    "customers.merge": ("merges.list", None, None, None),
    "customers.tombstone": ("customers.anonymise", None, None, None),
    "groups.group": ("groups.list", "groups.create", "groups.partial_update", "groups.destroy"),
    "groups.subscription": (
        "subscriptions.list",
        "subscriptions.update",
        "subscriptions.update",
        "subscriptions.destroy",
    ),
    "loyalty.level": (
        "levels.list",
        "levels.create",
        "levels.partial_update",
        "levels.destroy",
    ),
    "loyalty.entry": ("points.list", None, None, None),
    "loyalty.transaction": ("transactions.list", None, None, None),
    "loyalty.transactionline": ("transactions.list", None, None, None),
    "loyalty.earningrule": (
        "earning_rules.list",
        "earning_rules.create",
        "earning_rules.partial_update",
        "earning_rules.destroy",
    ),
    "loyalty.reward": (
        "rewards.list",
        "rewards.create",
        "rewards.partial_update",
        "rewards.destroy",
    ),
    "loyalty.redemption": ("redemptions.list", None, None, None),
    "events.historyentry": ("customers.history", None, None, None),
    "events.webhookendpoint": (
        "webhooks.list",
        "webhooks.create",
        "webhooks.partial_update",
        "webhooks.destroy",
    ),
    "events.webhookdelivery": ("webhooks.deliveries", None, None, None),
    "events.event": ("settings.retrieve", None, None, None),
    "events.message": ("messages.list", None, None, None),
    "events.messagetext": ("message_texts.list", None, "message_texts.update", None),
    "events.job": ("jobs.list", None, None, None),
    "tenancy.tenant": ("settings.retrieve", None, "settings.partial_update", None),
    "tenancy.store": ("stores.list", "stores.create", "stores.partial_update", None),
    "tenancy.staffmember": ("staff.list", "staff.create", "staff.partial_update", None),
    "tenancy.accesstoken": ("tokens.list", "tokens.create", None, "tokens.destroy"),
}
_VERBS = ("view", "add", "change", "delete")


def operation_for(django_permission):
    """The operation behind `app.verb_model`, or None where the table grants it to nobody."""
    app, _, codename = django_permission.partition(".")
    verb, _, model = codename.partition("_")
    operations = MODEL_OPERATIONS.get(f"{app}.{model}")
    if operations is None or verb not in _VERBS:
        return django_permission if django_permission in OPERATIONS else None
    return operations[_VERBS.index(verb)]


def allows(operation, *, role, scopes):
    """Whether a holder with `role` and `scopes` may do `operation`; ownership is checked apart.

    Raises KeyError for an operation that the table does not name: forgetting must crash.
    """
    rule = OPERATIONS[operation]
    if rule.anonymous:
        return True
    if role == CUSTOMER:
        return rule.own
    if role == SELLER and not rule.seller:
        return False
    return rule.scope is None or rule.scope in scopes
