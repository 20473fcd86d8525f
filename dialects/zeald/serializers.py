"""Zeald's words for our fields, one a line; everything on this wire is text.

A word of a customer is a column, one column of the row that stands in a place of the wire
(`customers.slots`), or one of the three that are told apart: the key, `password` and `inactive`.
"""

from dataclasses import dataclass

from customers.models import Customer
from customers.services.slots import Places
from customers.slots import BY_PLACE, MAIN, slot_of

PHONES = ("work", "home")
ADDRESSES = (MAIN, "shipping")
PLACES = {"phones": PHONES, "addresses": ADDRESSES}
CUSTOM_DATA = ("custom_data1", "custom_data2", "custom_data3", "custom_data4")
NO_MAIL = "unsubscribed"


@dataclass(frozen=True)
class InPlace:
    """A column of the row in one place of a list; a list without places has the one."""

    list_name: str
    place: str
    column: str


def _address(place, prefix, **also):
    columns = {
        "address1": "street",
        "address2": "street2",
        "address3": "street3",
        "city": "city",
        "state": "state",
        "zip": "postal_code",
        "country": "country",
    }
    return {
        f"{prefix}{theirs}": InPlace("addresses", place, ours)
        for theirs, ours in {**also, **columns}.items()
    }


KEY, PASSWORD, INACTIVE = "username", "password", "inactive"
CUSTOMER = {
    KEY: "username",
    PASSWORD: "password",
    "email": InPlace("emails", MAIN, "address"),
    "phone_day": InPlace("phones", "work", "given"),
    "phone_night": InPlace("phones", "home", "given"),
    "b_company": "company_name",
    "b_fname": "first_name",
    "b_lname": "last_name",
    **_address(MAIN, "b_"),
    **_address("shipping", "", company="company", fname="first_name", lname="last_name"),
    INACTIVE: "status",
    "discount": "discount_percent",
    "no_email": "no_email",
    "mv_shipmode": "shipping_mode",
    **{name: name for name in CUSTOM_DATA},
}
LINK = {
    "code": "code",
    "username": "customer",
    "group_code": "group",
    "subscribed": "subscribed",
    **{name: name for name in CUSTOM_DATA},
}
GROUP = {
    "code": "code",
    "title": "title",
    "description": "description",
    "subscribable": "subscribable",
    "subscribe_text": "subscribe_text",
    "parent_code": "parent",
}
ORDER = {
    "order_number": "number",
    "username": "customer",
    "order_type": "kind",
    "original_order_number": "revises",
    "order_date": "purchased_at",
    "total_cost": "amount",
    "shipping": "delivery_amount",
    "store_code": "store",
}
WORDS = {
    "Customer": CUSTOMER,
    "UserCustomerGroups": LINK,
    "UserGroups": GROUP,
    "Order": ORDER,
}


def ours(word):
    """The name by which the table of rights knows a word of a customer."""
    return word.list_name if isinstance(word, InPlace) else word


def names_of(words):
    """{our path of a field: their word}, for what a refusal of ours is about."""
    names = {}
    for theirs, word in words.items():
        if isinstance(word, InPlace):
            names[f"{word.list_name}.{word.place}.{word.column}"] = theirs
            # Whatever is wrong with the row as a whole is told at the first word of its place.
            names.setdefault(f"{word.list_name}.{word.place}", theirs)
            names.setdefault(word.list_name, theirs)
        else:
            names[word] = theirs
    return names


# --- Out ---------------------------------------------------------------------------------------
def key_of(username, customer_id):
    """What names a customer on this wire: the username, where there is none the id."""
    return username or str(customer_id)


def placed(record):
    """{list: {place: row}} of a record."""
    rows = {name: BY_PLACE[name](record[name], places) for name, places in PLACES.items()}
    return {"emails": {MAIN: slot_of(record, "emails")}, **rows}


def told(record):
    """What the wire says of a customer's record, without the password."""
    rows = placed(record)
    fields = {}
    for theirs, word in CUSTOMER.items():
        if isinstance(word, InPlace):
            row = rows[word.list_name].get(word.place)
            fields[theirs] = row[word.column] if row else ""
        elif theirs not in (KEY, PASSWORD, INACTIVE):
            fields[theirs] = record[word]
        else:
            fields[theirs] = None
    fields[KEY] = key_of(record["username"], record["id"])
    fields[INACTIVE] = record["status"] != Customer.Status.ACTIVE
    del fields[PASSWORD]
    return fields


# --- In ----------------------------------------------------------------------------------------
def columns_in(fields):
    """The columns of the customer's own row among sent fields, by our names."""
    columns = {
        CUSTOMER[theirs]: value
        for theirs, value in fields.items()
        if theirs not in (KEY, PASSWORD, INACTIVE) and not isinstance(CUSTOMER[theirs], InPlace)
    }
    if not columns.get("no_email", "-").strip():
        columns["no_email"] = None
    if "company_name" in columns:
        company = columns["company_name"].strip()
        columns["kind"] = Customer.Kind.COMPANY if company else Customer.Kind.PERSON
    return columns


def slots_in(fields):
    """What sent fields say of e-mail, phones and addresses, as `update_customer(slots=…)` takes
    it. An e-mail or phone that is sent empty is taken away."""
    items = {}
    for theirs, value in fields.items():
        word = CUSTOMER[theirs]
        if isinstance(word, InPlace):
            row = items.setdefault(word.list_name, {}).setdefault(word.place, {})
            row[word.column] = value
    slots = {}
    for name, by_place in items.items():
        if name == "addresses":
            slots[name] = Places(ADDRESSES[1:], by_place)
            continue
        by_place = {
            place: row if all(value.strip() for value in row.values()) else None
            for place, row in by_place.items()
        }
        slots[name] = by_place[MAIN] if name == "emails" else Places(PHONES, by_place)
    return slots


def lists_in(fields):
    """The same for a registration: ({list: rows}, {list: the place of each row})."""
    lists, places = {}, {}
    for name, item in slots_in(fields).items():
        by_place = item.items if isinstance(item, Places) else {MAIN: item}
        rows = [
            (place, by_place[place])
            for place in PLACES.get(name, (MAIN,))
            if by_place.get(place) and any(value.strip() for value in by_place[place].values())
        ]
        if rows:
            lists[name] = [
                {**row, "kind": "billing" if place == MAIN else place} if name != "emails" else row
                for place, row in rows
            ]
            places[name] = [place for place, _row in rows]
    return lists, places


def membership_in(fields):
    """What a link says, as `groups.services.clean_wish` takes it."""
    wish = {LINK[name]: value for name, value in fields.items() if name in CUSTOM_DATA}
    if "subscribed" in fields:
        wish["subscribed"] = subscribed_in(fields["subscribed"])
    return wish


def subscribed_in(text):
    """The flag as `normalise.clean_bool` takes it: the vendor writes "unsubscribed" too."""
    said = text.strip().lower()
    return False if said in ("", NO_MAIL) else said


def group_in(fields):
    """What a group says, as `create_group` and `update_group` take it."""
    return {GROUP[name]: value for name, value in fields.items()}
