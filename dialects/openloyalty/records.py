"""A customer as Open Loyalty shows one: the same words as the forms', from our records.

A plain function over `customers.records`, so that a page costs the same number of queries however
long it is.
"""

from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from customers.models import Avatar, Customer
from customers.records import COLUMNS, assemble
from customers.slots import email_of, phone_of, slot_of
from dialects.openloyalty.base import birthday, moment
from dialects.openloyalty.programme import ENTERED, coupons_of, levels_by_id, standing
from dialects.openloyalty.serializers import AGREEMENTS, OpenLoyaltyAddress
from tenancy.permissions import sees_field

STATUSES = [*Customer.Status.values, "deleted"]
CARD_STATES = list(Customer.CardState.values)
ADDRESS = {
    name: field.source or name for name, field in OpenLoyaltyAddress._declared_fields.items()
}
# Shown as empty to who may not see it; nothing else of a record is told on this wire.
LISTS = dict.fromkeys(("labels", "consents", "emails", "phones", "addresses", "groups"), ())


def shown(rows, *, tenant, role, locale=ENTERED, detail=False):
    """The customer objects of rows of `.values(*COLUMNS)`, for a caller with `role`; names of
    levels in `locale`.

    `detail` adds what only the answer about a single customer tells.
    """
    rows = list(rows)
    ids = [row["id"] for row in rows]
    written = partial(moment, zone=ZoneInfo(tenant.timezone))
    pictures, coupons = _pictures(ids), coupons_of(ids, written)
    levels = levels_by_id(tenant)
    found = []
    for row, record in zip(rows, assemble(rows), strict=True):
        seen = _seen_by(role, row, record)
        customer = _customer(seen, tenant, ZoneInfo(tenant.timezone))
        customer |= _times_written(standing(seen["loyalty"], levels, locale), written)
        customer["campaignPurchases"] = coupons.get(row["id"], [])
        customer |= pictures.get(row["id"], {})
        if detail:
            customer |= {"version": seen["version"], "segments": _segments(seen["groups"])}
        found.append(customer)
    return found


def customers(queryset):
    """The rows that `shown` takes."""
    return queryset.values(*COLUMNS)


def _seen_by(role, row, record):
    seen = {
        name: value if sees_field(role, name) else LISTS.get(name)
        for name, value in record.items()
    }  # fmt: skip
    seen["home_store_id"] = row["home_store_id"] if sees_field(role, "home_store") else None
    seen["seller_id"] = row["seller_id"] if sees_field(role, "seller") else None
    return seen


def _times_written(values, written):
    return {
        name: written(value) if isinstance(value, datetime) else value
        for name, value in values.items()
    }


def _customer(record, tenant, zone):
    granted = {consent["purpose"] for consent in record["consents"] if consent["granted"]}
    blocked = record["status"] == Customer.Status.BLOCKED
    return {
        "customerId": record["id"],
        "active": record["status"] == Customer.Status.ACTIVE,
        "posId": record["home_store_id"],
        "sellerId": record["seller_id"],
        "firstName": record["first_name"],
        "lastName": record["last_name"],
        "gender": record["gender"],
        "email": email_of(record),
        "phone": phone_of(record),
        "birthDate": birthday(record["birth_date"], zone),
        "address": _address(slot_of(record, "addresses")),
        "company": _company(record),
        "loyaltyCardNumber": record["card_number"],
        "createdAt": moment(record["created_at"], zone),
        **{name: purpose in granted for name, purpose in AGREEMENTS.items()},
        "status": {
            "availableTypes": STATUSES,
            "availableStates": CARD_STATES,
            "type": record["status"],
            "state": None if blocked else record["card_state"],
        },
        "updatedAt": moment(record["updated_at"], zone),
        "labels": [{"key": row["key"], "value": row["value"]} for row in record["labels"]],
        "currency": tenant.currency.lower(),
        "posIdentifier": record["home_store"],
    }


def _address(row):
    if row is None:
        return {}
    return {name: row[ours] or None for name, ours in ADDRESS.items()}


def _company(record):
    name, nip = record["company_name"], record["vat_number"]
    return {"name": name or None, "nip": nip or None} if name or nip else None


def _segments(groups):
    return [
        {"segmentId": group["code"], "name": group["title"]}
        for group in groups
        if group["subscribed"]
    ]


def _pictures(ids):
    rows = Avatar.objects.filter(customer__in=ids)
    return {
        pk: {"avatarPath": path, "avatarOriginalName": name or None, "avatarMime": mime}
        for pk, path, name, mime in rows.values_list("pk", "file", "original_name", "mime")
    }
