"""A customer as Conecto shows one, from our records."""

from customers.records import assemble
from dialects.conecto.serializers import (
    ADDRESS_TYPES,
    PHONE_TYPES,
    ConectoAddress,
    ConectoEmail,
    ConectoPhone,
)
from tenancy.permissions import sees_field


def _words(serializer):
    return {name: field.source or name for name, field in serializer._declared_fields.items()}


EMAIL, PHONE, ADDRESS = map(_words, (ConectoEmail, ConectoPhone, ConectoAddress))


def shown(rows, *, store, role):
    """The customer objects of rows of `.values(*COLUMNS)`, as `store` knows them, for a caller with
    `role`."""
    return [_customer(record, store, role) for record in assemble(list(rows))]


def _customer(record, store, role):
    company = record["company_name"] if sees_field(role, "company_name") else ""
    given = record["first_name"] or record["last_name"] or company
    return {
        "posRef": _pos_ref(record, store),
        # A name in one piece has no other place.
        "firstName": record["first_name"] if given else record["name"],
        "lastName": record["last_name"] or None,
        "companyName": company or None,
        "locationId": store.location_id,
        "createdAt": record["created_at"],
        "updatedAt": record["updated_at"],
        "customerEmails": [_told(row, EMAIL) for row in record["emails"]],
        "customerPhones": [
            {**_told(row, PHONE), "type": PHONE_TYPES[row["kind"]]}
            for row in record["phones"]
            # A number that is not known to be one cannot be said in this format.
            if row["e164"]
        ],
        "customerAddresses": [
            {**_told(row, ADDRESS), "type": ADDRESS_TYPES[row["kind"]]}
            for row in record["addresses"]
        ],
    }


def _pos_ref(record, store):
    own = [row["pos_ref"] for row in record["store_profiles"] if row["store"] == store.code]
    return next(filter(None, own), None) or f"CUST-{record['number']}"


def _told(row, words):
    return {name: None if row[ours] == "" else row[ours] for name, ours in words.items()}
