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
def _one(name, clean):
    """What a field says that fills the column of its own name."""
    return lambda value, context: {name: clean(value, context)}


def _email_address(value, context):
    address = normalise.clean_email(value)
    return {"address": address, "address_key": normalise.email_key(address)}


def _phone_given(value, context):
    phone = clean_given_phone(value, context)
    said = {"given": phone.given, "e164": phone.e164, "digits": phone.digits}
    said["reversed_digits"] = phone.digits[::-1]
    if phone.extension:
        said["extension"] = phone.extension
    return said


def _micro_degrees(name, bound):
    def part(value, context):
        if value in (None, ""):
            return {f"{name}_micro": None}
        degrees = normalise.clean_decimal(value, places=6, minimum=-bound, maximum=bound)
        return {f"{name}_micro": int(degrees * 1_000_000)}

    return part


def _label_key(value, context):
    key = text(100)(value, context)
    if not key:
        raise ValidationError(_("Must not be empty."), code="blank")
    return {"key": key}


def _uuid_text(value):
    try:
        return str(uuid.UUID(str(value)))
    except ValueError as error:
        raise ValidationError(_("Must be a UUID."), code="invalid") from error


def _given_phone(value, context):
    return "" if value in (None, "") else clean_given_phone(value, context).given


def _country(value, context):
    return normalise.clean_country(value or "")


def _parts(columns, **others):
    """The parts of a row: what each of its fields says, as columns (see ChildList)."""
    return {name: _one(name, clean) for name, clean in columns.items()} | others


_FLAGS = dict.fromkeys(("primary", "verified", "opted_out"), flag)
_EMAIL = _parts(_FLAGS, address=_email_address)
_PHONE = _parts(
    {**_FLAGS, "extension": text(20), "kind": choice(Phone.Kind, empty=Phone.Kind.MOBILE)},
    given=_phone_given,
)
_ADDRESS = _parts(
    {
        **{name: text(250) for name in ("street", "street2", "street3")},
        **{name: text(120) for name in ("city", "state", "first_name", "last_name")},
        "postal_code": text(20),
        "company": text(200),
        "kind": choice(Address.Kind, empty=Address.Kind.HOME),
        "country": _country,
        "email": email_or_empty,
        "phone": _given_phone,
        "primary": flag,
    },
    latitude=_micro_degrees("latitude", 90),
    longitude=_micro_degrees("longitude", 180),
)
_CONTACT_PERSON = _parts(
    {
        "first_name": text(120),
        "last_name": text(120),
        "email": email_or_empty,
        "mobile": _given_phone,
    }
)
_LABEL = _parts({"value": text(500)}, key=_label_key)


def _named(name, clean, *args):
    try:
        return clean(*args)
    except ValidationError as error:
        raise ValidationError({name: error.error_list}) from error


@dataclass(frozen=True, slots=True)
class ChildList:
    """How one list of child rows is cleaned and recognised again.

    `parts` maps the fields of a row to functions of (value, Context) that return the columns that
    the field says; a column that another field is named after gives way to that field. `required`
    must stand in a new row; `key` says which rows are the same without naming an id.
    """

    model: type
    parts: dict
    required: tuple
    key: object

    def clean(self, item, context):
        """The columns that an item says; raises ValidationError by field."""
        row, errors = {}, {}
        for name, value in item.items():
            part = self.parts.get(name)
            if part is None:
                continue
            try:
                said = part(value, context)
            except ValidationError as error:
                errors[name] = error.error_list
                continue
            for column, meant in said.items():
                if column == name or column not in item:
                    row[column] = meant
        if errors:
            raise ValidationError(errors)
        return row


def _whole_row(model, fields):
    # What a caller leaves out is what a new row has there, so that the same list sent again is
    # recognised whether or not it names its empty parts.
    defaults = {name: model._meta.get_field(name).get_default() for name in fields}

    def key(row):
        return tuple((name, row.get(name) or defaults[name]) for name in fields)

    return key


CHILD_LISTS = {
    "emails": ChildList(Email, _EMAIL, ("address",), lambda row: row.get("address_key")),
    "phones": ChildList(
        Phone,
        _PHONE,
        ("given",),
        lambda row: (row.get("digits"), row.get("extension", "")),
    ),
    "addresses": ChildList(
        Address,
        _ADDRESS,
        (),
        _whole_row(
            Address, ("kind", "street", "street2", "street3", "city", "state", "postal_code")
        ),
    ),
    "contact_persons": ChildList(
        ContactPerson,
        _CONTACT_PERSON,
        (),
        _whole_row(ContactPerson, ("first_name", "last_name", "email", "mobile")),
    ),
    "labels": ChildList(Label, _LABEL, ("key",), _whole_row(Label, ("key", "value"))),
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
