"""Flow Retail's words for our fields: one field a line, `source` our word.

What is a matter of the wire is checked here: patterns, two letters, words of an enumeration. Every
other value goes to the services as it was sent, and theirs is the judgement.
"""

import re

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from customers.models import Customer
from customers.profile import OwnId
from customers.services.slots import KEPT
from dialects.base import translated

SOURCE = "Flow Retail"
KINDS = {"PERSON": Customer.Kind.PERSON, "COMPANY": Customer.Kind.COMPANY}
UID = re.compile(r"[A-Za-z0-9_-]+")
UUID_TEXT = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
EXTENSIONS = ("TWO_INVOICE",)
DELIVERY = "DELIVERY_ADDRESS"
# The rows that flat fields show and change: list -> the kind of one that is made.
SLOTS = {
    "emails": {},
    "phones": {"kind": "mobile"},
    "addresses": {"kind": "billing"},
}


# --- Kinds of values -----------------------------------------------------------------------------
class AsSent:
    """A value of the wire. `clean` refuses what is none of its kind; null and what the services
    judge pass."""

    def __init__(self, **options):
        super().__init__(required=False, allow_null=True, **options)

    def clean(self, value):
        return value


class Text(AsSent, serializers.CharField):
    pass


class Contact(Text):
    """An e-mail or a phone: an empty text clears it like null."""

    def clean(self, value):
        return None if value == "" else value


class Whole(AsSent, serializers.IntegerField):
    pass


class Flag(AsSent, serializers.BooleanField):
    def clean(self, value):
        if value is None or isinstance(value, bool):
            return value
        raise ValidationError(_("Must be true or false."), code="invalid")


class Uid(Text):
    """A reference by uid or code. `empty` is what an empty text stands for; None: a mistake."""

    def __init__(self, *, empty=None, **options):
        super().__init__(**options)
        self.empty = empty

    def clean(self, value):
        if value == "" and self.empty is not None:
            return self.empty
        if value is None or (isinstance(value, str) and UID.fullmatch(value)):
            return value
        raise ValidationError(_("Letters, digits, hyphens and underscores."), code="invalid")


class OwnUid(Uid):
    """The key that a client chooses."""

    def clean(self, value):
        if value is None or (isinstance(value, str) and UUID_TEXT.fullmatch(value)):
            return value
        raise ValidationError(_("Must be a UUID."), code="invalid")


class RowUid(OwnUid):
    """The key of a row: the one that is there, or the client's own for a new one."""

    def clean(self, value):
        value = super().clean(value)
        return None if value is None else OwnId(value)


class Uids(AsSent, serializers.ListField):
    def clean(self, value):
        if value is None:
            return []
        if isinstance(value, list) and all(isinstance(one, str) for one in value):
            return value
        raise ValidationError(_("Must be a list of uids."), code="invalid")


class Country(Text):
    def clean(self, value):
        if value in (None, "") or (isinstance(value, str) and len(value.strip()) == 2):
            return value
        raise ValidationError(_("A country has two letters."), code="invalid")


class Kind(AsSent, serializers.ChoiceField):
    def __init__(self, **options):
        super().__init__(choices=list(KINDS), **options)

    def clean(self, value):
        if isinstance(value, str) and value in KINDS:
            return KINDS[value]
        words = ", ".join(KINDS)
        raise ValidationError(_("Must be one of: %s.") % words, code="invalid_choice")


class AddressType(AsSent, serializers.ChoiceField):
    def __init__(self, **options):
        super().__init__(choices=[DELIVERY], **options)

    def clean(self, value):
        if value in (None, DELIVERY):
            return "shipping" if value else None
        raise ValidationError(_("Must be one of: %s.") % DELIVERY, code="invalid_choice")


class FlowRetailEInvoice(AsSent, serializers.Serializer):
    """`ehf`: whether invoices go out as electronic ones."""

    enabled = Flag()

    def clean(self, value):
        if value is None:
            return False
        if not isinstance(value, dict):
            raise ValidationError(_("Must be an object."), code="invalid")
        if "enabled" not in value:
            return None  # says nothing
        return bool(self.fields["enabled"].clean(value["enabled"]))


# --- Bodies --------------------------------------------------------------------------------------
class Body(serializers.Serializer):
    """What a client sends: keys that are none of ours are passed over."""

    def read(self, body):
        """The clean values by our words; raises ValidationError by our words."""
        values, errors = {}, {}
        for name, field in self.fields.items():
            if name not in body:
                continue
            try:
                values[field.source] = field.clean(body[name])
            except ValidationError as error:
                errors |= _prefixed(field.source, error)
        if errors:
            raise ValidationError(errors)
        return values


def _prefixed(path, error):
    """A refusal's errors by path, those of parts below the path."""
    if not hasattr(error, "error_dict"):
        return {path: error.error_list}
    return {f"{path}.{name}": errors for name, errors in error.error_dict.items()}


class Rows(AsSent, serializers.ListField):
    """Rows that come with a registration; `words` is the Body of one of them."""

    def __init__(self, words, **options):
        super().__init__(child=words(), **options)

    def clean(self, value):
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
            raise ValidationError(_("Must be a list of objects."), code="invalid")
        rows, errors = [], {}
        for index, row in enumerate(value):
            try:
                rows.append(self.child.read(row))
            except ValidationError as error:
                errors |= _prefixed(str(index), error)
        if errors:
            raise ValidationError(errors)
        return rows


class FlowRetailAddress(Body):
    """An address of `addresses`."""

    customerAddressUid = RowUid(source="id")
    type = AddressType(source="kind")
    address = Text(source="street")
    city = Text()
    companyName = Text(source="company")
    firstname = Text(source="first_name")
    lastname = Text(source="last_name")
    countryCode = Country(source="country")
    email = Text()
    phone = Text()
    postalCode = Text(source="postal_code")


class FlowRetailContact(Body):
    """A contact person of `contacts`."""

    customerContactUid = RowUid(source="id")
    firstname = Text(source="first_name")
    lastname = Text(source="last_name")
    email = Text()
    mobile = Text()


class FlowRetailConsent(Body):
    """A statement of `consents`."""

    name = Text(source="purpose")
    status = Flag(source="granted")
    source = Text()
    createdAt = Text(source="at")


class FlowRetailCustomer(Body):
    """A customer as clients write one."""

    address = Text(source="addresses.street")
    city = Text(source="addresses.city")
    postalCode = Text(source="addresses.postal_code")
    countryCode = Country(source="addresses.country")
    companyName = Text(source="company_name")
    customerType = Kind(source="kind")
    email = Contact(source="emails.address")
    mobile = Contact(source="phones.given")
    externalId = Text(source="external_id")
    firstname = Text(source="first_name")
    lastname = Text(source="last_name")
    ledgerNumber = Text(source="ledger_number")
    vatNumber = Text(source="vat_number")
    pricelistUid = Uid(source="price_list", empty="")
    origin = Text()
    internalNote = Text(source="internal_note")
    loyaltyId = Text(source="card_number")
    paymentTerms = Whole(source="payment_terms_days")
    ehfEnabled = Flag(source="ehf_enabled")
    ehf = FlowRetailEInvoice(source="e_invoice")
    customerGroupUids = Uids(source="groups")
    defaultStoreUid = Uid(source="home_store")
    addresses = Rows(FlowRetailAddress, source="more_addresses")
    contacts = Rows(FlowRetailContact, source="contact_persons")
    consents = Rows(FlowRetailConsent)

    def read(self, body):
        values = super().read(body)
        deprecated = values.pop("ehf_enabled", None)
        if values.get("e_invoice") is None:
            values.pop("e_invoice", None)
            if "ehfEnabled" in body:
                values["e_invoice"] = bool(deprecated)
        return values

    def profile(self, values):
        """(columns and lists as the services take them, the rows in the slots) of clean values."""
        columns, slots = {}, {}
        for path, value in values.items():
            name, _dot, column = path.partition(".")
            if column:
                slots.setdefault(name, {})[column] = value
            else:
                columns[name] = value
        for name, item in slots.items():
            gone = name != "addresses" and None in item.values()
            slots[name] = None if gone else {**SLOTS[name], **item}
        return columns, slots

    def changes(self, values, shown_consents):
        """What `update_customer` takes. The lists that are named become what is sent, addresses
        beside the customer's own one; consents are stated. `shown_consents` are those shown now: a
        statement with their time that says something else is made now, any other one when it says,
        so that a customer sent back late does not undo what was stated meanwhile."""
        columns, slots = self.profile(values)
        if "more_addresses" in columns:
            columns["addresses"] = [_of_known_kind(row) for row in columns.pop("more_addresses")]
            slots.setdefault("addresses", KEPT)
        times = {shown["name"]: shown["createdAt"] for shown in shown_consents}
        if "consents" in columns:
            columns["consents"] = [
                {"source": SOURCE, **_stated_now(row, times)} for row in columns["consents"]
            ]
        return {**columns, "slots": slots}


def _of_known_kind(row):
    """An address without a type that is null: it says nothing of what kind the address is."""
    return {name: value for name, value in row.items() if name != "kind" or value is not None}


def _stated_now(row, times):
    name = row.get("purpose")
    if isinstance(name, str) and row.get("at") is not None and row["at"] == times.get(name):
        return {name: value for name, value in row.items() if name != "at"}
    return row


class FlowRetailRegistration(FlowRetailCustomer):
    """A customer as clients make one: null says nothing yet."""

    customerUid = OwnUid(source="id")

    def read(self, body):
        return super().read({name: value for name, value in body.items() if value is not None})

    def registration(self, values):
        """What `enrol_customer` takes."""
        columns, slots = self.profile(values)
        if "kind" not in columns:
            is_company = columns.get("company_name") or columns.get("vat_number")
            columns["kind"] = KINDS["COMPANY" if is_company else "PERSON"]
        for name, item in slots.items():
            told = set(item or ()) - set(SLOTS[name])
            columns[name] = [item] if any((item or {}).get(part) for part in told) else []
        more = [{**row, "kind": "shipping"} for row in columns.pop("more_addresses", ())]
        columns["addresses"] = [*columns.get("addresses", ()), *more]
        columns["consents"] = [{"source": SOURCE, **row} for row in columns.pop("consents", ())]
        return columns


class FlowRetailSearch(Body):
    """The body of a search."""

    query = Text()
    exactMatch = Flag(source="exact")
    mobile = Text()
    email = Text()
    vatNumber = Text(source="vat_number")
    storeUid = Uid(source="at_store")
    createdAt = Text(source="created_at")
    scope = Text()


class FlowRetailStore(Body):
    """The store that an extension is for."""

    storeUid = Uid(source="at_store")


# --- Our words in theirs -------------------------------------------------------------------------
# What is refused by the vendor's own word.
OWN_WORDS = (
    *("pageNumber", "pageSize", "sortBy", "sortDirection", "customerExternalId", "scope"),
    *("create", "update", "delete", "upsert", "customerExtensionCode"),
)


def _words(*bodies):
    return {
        field.source or name: name
        for body in bodies
        for name, field in body._declared_fields.items()
    }


NAMES = {
    **dict(zip(OWN_WORDS, OWN_WORDS, strict=True)),
    **_words(FlowRetailSearch, FlowRetailRegistration),
    "emails": "email",
    "phones": "mobile",
    "addresses": "addresses",
    "store": "defaultStoreUid",
}
ROWS = {
    "addresses": _words(FlowRetailAddress),
    "more_addresses": _words(FlowRetailAddress),
    "contact_persons": _words(FlowRetailContact),
    "consents": _words(FlowRetailConsent),
}


def word_for(path, rows=None):
    """The vendor's name of what a refusal is about by our name, such as `emails.0.address`; None
    is the whole. `rows` is the list of which a single row was sent."""
    name, _dot, rest = (path or "").partition(".")
    place, _dot, column = rest.partition(".")
    if rows is not None and name in ROWS[rows]:
        return ROWS[rows][name]
    if name in ROWS and place.isdigit() and column and (name, place) != ("addresses", "0"):
        return f"{NAMES[name]}.{ROWS[name].get(column, column)}"
    return translated([{"field": path}], NAMES)[0][0]
