"""A customer as Conecto shows one, from our records."""

from customers.models import StoreProfile
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
    records = list(assemble(list(rows)))
    references = _references(records, store)
    return [
        _customer(record, reference, store, role)
        for record, reference in zip(records, references, strict=True)
    ]


def _customer(record, reference, store, role):
    company = record["company_name"] if sees_field(role, "company_name") else ""
    given = record["first_name"] or record["last_name"] or company
    return {
        "posRef": reference,
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


def _references(records, store):
    """Each record's `posRef`: the store's own reference, else the customer number; where that is
    the store's own reference of somebody else, the id. No two customers of a store share one."""
    own = [_own_reference(record, store) for record in records]
    numbers = [f"CUST-{record['number']}" for record in records]
    taken = set(
        StoreProfile.objects.filter(
            store=store,
            pos_ref__in=[number for number, ours in zip(numbers, own, strict=True) if not ours],
        ).values_list("pos_ref", flat=True)
    )
    return [
        ours or (str(record["id"]) if number in taken else number)
        for record, number, ours in zip(records, numbers, own, strict=True)
    ]


def _own_reference(record, store):
    profiles = (row for row in record["store_profiles"] if row["store"] == store.code)
    return next(profiles, {}).get("pos_ref")


def _told(row, words):
    return {name: None if row[ours] == "" else row[ours] for name, ours in words.items()}
