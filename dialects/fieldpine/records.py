"""A customer as Fieldpine shows one: the same words, from our records."""

from customers.records import assemble
from customers.slots import email_of, phones_by_place, slot_of
from dialects.fieldpine.serializers import ADDRESS, LINES, LONGEST_NAME, PHONES, FieldpineCustomer
from tenancy.permissions import sees_field

BIRTHDAY = FieldpineCustomer._declared_fields["Birthday"]
# What is shown instead to who may not see it; the rest of a record is not told on this wire.
LISTS = dict.fromkeys(("emails", "phones", "addresses"), ())


def shown(rows, *, role):
    """The customer objects of rows of `.values(*COLUMNS)`, for a caller with `role`."""
    return [customer(record, role) for record in assemble(list(rows))]


def customer(record, role):
    """One record as the customer object."""
    seen = {
        name: value if sees_field(role, name) else LISTS.get(name)
        for name, value in record.items()
    }  # fmt: skip
    email = email_of(seen) or ""
    phones = phones_by_place(seen["phones"], tuple(PHONES.values()), _place)
    numbers = {name: phones.get(kind, {}).get("given", "") for name, kind in PHONES.items()}
    address = slot_of(seen, "addresses") or {}
    return {
        "CustomerId": record["id"],
        "Cid": record["number"],
        "Physkey": f"CUST-{record['number']}",
        "Name": (seen["name"] or email or next(filter(None, numbers.values()), ""))[:LONGEST_NAME],
        "FirstName": seen["first_name"],
        "LastName": seen["last_name"],
        "CompanyName": seen["company_name"],
        **dict.fromkeys(LINES, ""),
        **{name: address.get(ours, "") for name, ours in ADDRESS.items()},
        **numbers,
        "Email": email,
        "EUCitizen": seen["eu_citizen"],
        "ContactComment": seen["internal_note"],
        "Birthday": BIRTHDAY.to_representation(seen["birth_date"]),
        "CreditLimit": seen["credit_limit"],
        "FloorLimit": seen["floor_limit"],
        "DoNotUse": int(bool(seen["hidden"] or record["status"] == "blocked")),
        "ExcludeLoyalty": int(bool(seen["no_loyalty"])),
        "EditDtu": record["updated_at"],
    }


def _place(row):
    # Two kinds of ours have one place there.
    return "home" if row["kind"] == "work" else row["kind"]
