"""From what a caller sends to what a row stores: every rule for a customer's own values.

One table of cleaners serves registration, update, batch and import; each rule itself lives in
`normalise`. Nothing here reads customers or writes anything.
"""

import uuid
from dataclasses import dataclass, field
from functools import partial

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

import normalise
from customers.columns import (
    COLUMN_CLEANERS,
    Context,
    choice,
    clean_given_phone,
    email_or_empty,
    flag,
    text,
)
from customers.hooks import hooks
from customers.models import Address, ContactPerson, Email, Label, Phone

UNKNOWN = _("Unknown field.")
SAYS_NOTHING = _("An entry that says nothing.")
LIST_LIMIT = 100
# Beside these (and what is blank) nothing is empty: a flag that is off was perhaps switched off.
UNSAID = {"gender": "not_disclosed", "card_state": "no-card", "discount_percent": 0}


class OwnId(str):
    """The id of a row that is there or, where none is, the one that a new row gets: for wires on
    which a client names rows by keys of its own."""

    __slots__ = ()


@dataclass(slots=True)
class Profile:
    """Clean values: `columns` for the row, `children` per list, `extras` for higher apps."""

    columns: dict = field(default_factory=dict)
    children: dict = field(default_factory=dict)
    extras: dict = field(default_factory=dict)


# --- Children --------------------------------------------------------------------------------
def _clean_email_row(item, context):
    row = _cleaned(item, _EMAIL, context)
    if "address" in item:
        row["address"] = _named("address", normalise.clean_email, item["address"])
        row["address_key"] = normalise.email_key(row["address"])
    return row


def _clean_phone_row(item, context):
    row = _cleaned(item, _PHONE, context)
    if "given" in item:
        phone = _named("given", clean_given_phone, item["given"], context)
        row["given"], row["e164"], row["digits"] = phone.given, phone.e164, phone.digits
        row["reversed_digits"] = phone.digits[::-1]
        if phone.extension and "extension" not in item:
            row["extension"] = phone.extension
    return row


def _clean_address_row(item, context):
    row = _cleaned(item, _ADDRESS, context)
    for name, bound in (("latitude", 90), ("longitude", 180)):
        if name in item:
            row[f"{name}_micro"] = _named(name, _micro_degrees, item[name], bound)
    return row


def _clean_contact_person_row(item, context):
    return _cleaned(item, _CONTACT_PERSON, context)


def _clean_label_row(item, context):
    row = _cleaned(item, _LABEL, context)
    if "key" in item and not row["key"]:
        raise ValidationError({"key": ValidationError(_("Must not be empty."), code="blank")})
    return row


def _cleaned(item, cleaners, context):
    """What these cleaners say of the fields of an item that they know."""
    row, errors = {}, {}
    for name, value in item.items():
        clean = cleaners.get(name)
        if clean is None:
            continue
        try:
            row[name] = clean(value, context)
        except ValidationError as error:
            errors[name] = error.error_list
    if errors:
        raise ValidationError(errors)
    return row


def _uuid_text(value):
    try:
        return str(uuid.UUID(str(value)))
    except ValueError as error:
        raise ValidationError(_("Must be a UUID."), code="invalid") from error


def _given_phone(value, context):
    return "" if value in (None, "") else clean_given_phone(value, context).given


def _micro_degrees(value, bound):
    if value in (None, ""):
        return None
    return int(normalise.clean_decimal(value, places=6, minimum=-bound, maximum=bound) * 1_000_000)


def _country(value, context):
    return normalise.clean_country(value or "")


_FLAGS = dict.fromkeys(("primary", "verified", "opted_out"), flag)
_EMAIL = _FLAGS
_PHONE = {
    **_FLAGS,
    "extension": text(20),
    "kind": choice(Phone.Kind, empty=Phone.Kind.MOBILE),
}
_ADDRESS = {
    **{name: text(250) for name in ("street", "street2", "street3")},
    **{name: text(120) for name in ("city", "state", "first_name", "last_name")},
    "postal_code": text(20),
    "company": text(200),
    "kind": choice(Address.Kind, empty=Address.Kind.HOME),
    "country": _country,
    "email": email_or_empty,
    "phone": _given_phone,
    "primary": flag,
}
_CONTACT_PERSON = {
    "first_name": text(120),
    "last_name": text(120),
    "email": email_or_empty,
    "mobile": _given_phone,
}
_LABEL = {"key": text(100), "value": text(500)}


def _named(name, clean, *args):
    try:
        return clean(*args)
    except ValidationError as error:
        raise ValidationError({name: error.error_list}) from error


@dataclass(frozen=True, slots=True)
class ChildList:
    """How one list of child rows is cleaned and recognised again.

    `required` must stand in a new row; `key` says which rows are the same without naming an id.
    """

    model: type
    clean: object
    required: tuple
    key: object


def _whole_row(model, fields):
    # What a caller leaves out is what a new row has there, so that the same list sent again is
    # recognised whether or not it names its empty parts.
    defaults = {name: model._meta.get_field(name).get_default() for name in fields}

    def key(row):
        return tuple((name, row.get(name) or defaults[name]) for name in fields)

    return key


CHILD_LISTS = {
    "emails": ChildList(Email, _clean_email_row, ("address",), lambda row: row.get("address_key")),
    "phones": ChildList(
        Phone,
        _clean_phone_row,
        ("given",),
        lambda row: (row.get("digits"), row.get("extension", "")),
    ),
    "addresses": ChildList(
        Address,
        _clean_address_row,
        (),
        _whole_row(
            Address, ("kind", "street", "street2", "street3", "city", "state", "postal_code")
        ),
    ),
    "contact_persons": ChildList(
        ContactPerson,
        _clean_contact_person_row,
        (),
        _whole_row(ContactPerson, ("first_name", "last_name", "email", "mobile")),
    ),
    "labels": ChildList(Label, _clean_label_row, ("key",), _whole_row(Label, ("key", "value"))),
}


def clean_child(list_name, item, context, *, new=True):
    """One clean child row as a dict of columns, and `id` where the caller named one that is there.
    Named by an `OwnId`, that becomes `own_id`.

    Raises ValidationError by field of the row.
    """
    child = CHILD_LISTS[list_name]
    if not isinstance(item, dict):
        raise ValidationError(_("Must be an object."), code="invalid")
    allowed = {*child.model.FIELDS, "id"}
    unknown = set(item) - allowed
    if unknown:
        raise ValidationError({name: ValidationError(UNKNOWN, "unknown") for name in unknown})
    row = child.clean(item, context)
    row_id = item.get("id")
    if isinstance(row_id, OwnId):
        row["own_id"], row_id = _named("id", _uuid_text, row_id), None
    if new and row_id is None:
        missing = [name for name in child.required if not item.get(name)]
        if missing:
            required = ValidationError(_("This field is required."), code="required")
            raise ValidationError(dict.fromkeys(missing, required))
        if not says(row) and "own_id" not in row:
            raise ValidationError(SAYS_NOTHING, code="required")
    if row_id is not None:
        row["id"] = str(row_id).lower()
    return row


def says(row):
    """Whether a clean row says anything; its kind, flag and id are about nothing by themselves."""
    mute = ("kind", "primary", "own_id")
    return any(value for name, value in row.items() if name not in mute)


def _clean_list(name, items, context):
    if items is None:
        return []
    if not isinstance(items, (list, tuple)):
        raise ValidationError({name: ValidationError(_("Must be a list."), code="invalid")})
    if len(items) > LIST_LIMIT:
        too_many = _("At most %(n)d entries.") % {"n": LIST_LIMIT}
        raise ValidationError({name: ValidationError(too_many, code="max_length")})
    rows, errors, seen = [], {}, set()
    for index, item in enumerate(items):
        try:
            row = clean_child(name, item, context)
        except ValidationError as error:
            errors |= _prefixed(f"{name}.{index}", error)
            continue
        key = (row.get("id") or row.get("own_id"), CHILD_LISTS[name].key(row))
        if name in ("emails", "phones") and key in seen:
            continue  # the same contact point twice is one contact point
        seen.add(key)
        rows.append(row)
    if sum(bool(row.get("primary")) for row in rows) > 1:
        errors[name] = ValidationError(_("Only one entry can be primary."), code="two_primaries")
    if errors:
        raise ValidationError(errors)
    return rows


def _prefixed(path, error):
    if hasattr(error, "error_dict"):
        return {f"{path}.{name}": errors for name, errors in error.error_dict.items()}
    return {path: error.error_list}


# --- The whole -------------------------------------------------------------------------------
def clean_profile(values, *, tenant, country=None):
    """Clean every given value; omitted names stay omitted.

    `values` maps names of Customer.PROFILE, of the child lists and of higher apps' fields to what
    the caller sent. Returns a Profile; raises one ValidationError that names every bad field
    (children as `emails.0.address`), unknown names included.
    """
    errors, profile = {}, Profile()
    values = dict(values)
    store = None
    if values.get("home_store") is not None:
        store = _collect(
            errors, "home_store", COLUMN_CLEANERS["home_store"], values["home_store"],
            Context(tenant, ""),
        )  # fmt: skip
    context = Context(tenant, country or (store.country if store else "") or tenant.country)
    for name, value in values.items():
        if name in COLUMN_CLEANERS:
            if name not in errors:
                profile.columns[name] = _collect(
                    errors, name, COLUMN_CLEANERS[name], value, context
                )
        elif name in CHILD_LISTS:
            try:
                profile.children[name] = _clean_list(name, value, context)
            except ValidationError as error:
                errors |= error.error_dict
        elif name in hooks.fields:
            clean = partial(hooks.fields[name].clean, tenant=tenant)
            profile.extras[name] = _collect(errors, name, clean, value)
        else:
            errors[name] = ValidationError(UNKNOWN, code="unknown")
    if errors:
        raise ValidationError(errors)
    return profile


def _collect(errors, name, clean, *args):
    try:
        return clean(*args)
    except ValidationError as error:
        if hasattr(error, "error_dict"):
            errors |= _prefixed(name, error)
        else:
            errors[name] = error.error_list
    return None
