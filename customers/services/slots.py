"""Writing the one e-mail, phone or address of a wire that has room for one, or the few places of a
wire that has a few (`customers.slots`).

The other rows of the list stay: they are what other wires and the back office keep there.
"""

from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from customers.models import Address
from customers.profile import CHILD_LISTS
from customers.slots import BY_PLACE, MAIN

# What an address says; one without any of it is none.
TELLING = tuple(
    {"latitude": "latitude_micro", "longitude": "longitude_micro"}.get(name, name)
    for name in Address.FIELDS
    if name not in ("kind", "primary")
)
# What an address that is made in the main place is.
KIND_OF_MAIN = Address.Kind.BILLING


@dataclass(frozen=True)
class Places:
    """What a wire says of its few places for phones or addresses.

    `kinds` are those of the places, in their order; `items` maps the places that are spoken of to
    the columns that are named (the others keep theirs), or to None, which empties the place.
    """

    kinds: tuple
    items: dict


def with_slot(customer, list_name, item, *, of_sign_in):
    """The rows that a list shall have once `item` stands in its slot; None empties the slot.

    `item` is a clean row. A row that is in the list already takes the slot instead of standing
    there twice; a new one keeps the kind and the flags of the row whose place it takes. Of an
    address only what is named changes; one that says nothing any more is removed.

    `of_sign_in` is for wires that change the sign-in by the same field: there the slot is where
    the sign-in stands. On all others it is the primary row, and a sign-in that stands there gives
    the place up without leaving the list. Raises ValidationError where nothing else could take it.
    """
    rows = list(getattr(customer, list_name).all())  # the primary one first
    of_login = _row_of_sign_in(customer, list_name, rows)
    slot = (of_sign_in and of_login) or next(iter(rows), None)
    if list_name == "addresses" and item is not None and not _tells(slot, item):
        item = None
    if slot is not None and slot is of_login and not of_sign_in:
        if item is None:
            raise _signs_in(list_name)
        slot = None
    # The order of the list is that of the positions; the slot's row is primary wherever it stands.
    rows.sort(key=lambda row: row.position)
    if item is None:
        return [{"id": str(row.pk)} for row in rows if row is not slot]
    same = next((row for row in rows if _is_same(list_name, row, item)), None)
    if slot is None and same is None:
        return [*({"id": str(row.pk), "primary": False} for row in rows), {**item, "primary": True}]
    wanted = []
    for row in rows:
        if row is (same or slot):
            wanted.append({**_said(item), "id": str(row.pk), "primary": True})
        elif row is not slot:
            wanted.append({"id": str(row.pk), "primary": False})
    return wanted


# What a wire says of the slot's row where it speaks of the rows beside it alone.
KEPT = object()


def kept_slot(customer, list_name):
    """The rows as they are: what KEPT leaves."""
    rows = list(getattr(customer, list_name).all())  # the primary one first
    slot = next(iter(rows), None)
    rows.sort(key=lambda row: row.position)
    return [{"id": str(row.pk), "primary": row is slot} for row in rows]


def with_rows_beside(customer, list_name, wanted, beside, *, kind):
    """The rows that a list shall have once those beside its slot are exactly `beside` (clean rows
    that name the ones that are there by `own_id`); `wanted` is what `with_slot` answers.

    The slot's row stays, also where `beside` does not name it. Where it does, it is changed by
    both; a column that both change is the slot's. A new row is of `kind` unless it says another.
    """
    stored = {str(row.pk): row for row in getattr(customer, list_name).all()}
    slot = next((dict(row) for row in wanted if row.get("primary")), None)
    rest = []
    for row in beside:
        row = {**row, "primary": False}
        key = row.get("own_id")
        if slot is not None and key is not None and key == slot.get("id"):
            there = stored[key]
            said = {name: v for name, v in slot.items() if getattr(there, name, v) != v}
            slot = {**slot, **row, **said, "id": key, "primary": True}
            del slot["own_id"]
        else:
            rest.append(row if key in stored else {"kind": kind, **row})
    return [slot, *rest] if slot else rest


def with_places(customer, list_name, places):
    """The same for `places`, whose items are clean rows: the rows that the list shall have.

    A row keeps its kind and flags; a new one gets the kind of its place, and one in the main place
    is primary. A sign-in gives its place up without leaving the list. Raises ValidationError where
    nothing else could take it.
    """
    rows = list(getattr(customer, list_name).all())  # the primary one first
    of_login = _row_of_sign_in(customer, list_name, rows)
    placed = BY_PLACE[list_name](rows, places.kinds, kind_of=lambda row: row.kind)
    said, gone, new = {}, [], []
    for place, item in places.items.items():
        row = placed.get(place)
        if item is None or (list_name == "addresses" and not _tells(row, item)):
            if row is not None and row is of_login:
                raise _signs_in(list_name)
            gone.append(row)
        elif row is None:
            kind = KIND_OF_MAIN if place == MAIN else place
            new.append({**item, "kind": kind} | ({"primary": True} if place == MAIN else {}))
        elif list_name == "phones" and item.get("digits", row.digits) != row.digits:
            if row is of_login:
                new.append({**item, "kind": place, "primary": True})
            else:
                said[row.pk] = {"extension": "", **_said(item)}
        else:
            said[row.pk] = _said(item)
    rows.sort(key=lambda row: row.position)
    # Of two that want to be primary the new one is.
    demoted = {"primary": False} if any(row.get("primary") for row in new) else {}
    kept = [
        {**said.get(row.pk, {}), **demoted, "id": str(row.pk)} for row in rows if row not in gone
    ]
    return [*kept, *new]


def _signs_in(list_name):
    held = ValidationError(_("The customer signs in with it."), code="signs_in")
    return ValidationError({list_name: held})


def _row_of_sign_in(customer, list_name, rows):
    login = {"emails": customer.login_email, "phones": customer.login_phone_key}.get(list_name)
    column = {"emails": "address_key", "phones": "digits"}.get(list_name)
    return next((row for row in rows if login and getattr(row, column) == login), None)


def _tells(row, item):
    """Whether an address says anything once `item` has changed it; `row` is None for a new one."""
    return any(item.get(name, getattr(row, name, None)) not in ("", None) for name in TELLING)


def _is_same(list_name, row, item):
    if list_name == "addresses":
        return False
    columns = {field.attname: getattr(row, field.attname) for field in row._meta.fields}
    return CHILD_LISTS[list_name].key(columns) == CHILD_LISTS[list_name].key(item)


def _said(item):
    # The kind is for a row that is made; one that is there keeps its own.
    return {name: value for name, value in item.items() if name not in ("kind", "id")}
