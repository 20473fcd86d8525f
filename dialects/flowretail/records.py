"""A customer as Flow Retail shows one: the same words as the forms', from our records.

A plain function over `customers.records`, so that a page costs the same number of queries however
long it is.
"""

import uuid

from customers.records import COLUMNS, assemble
from customers.slots import slot_of
from dialects.flowretail.serializers import DELIVERY, KINDS
from normalise import minor_unit_places
from tenancy.models import StaffMember
from tenancy.permissions import sees_field

TYPES = {kind: word for word, kind in KINDS.items()}
LISTS = dict.fromkeys(
    ("emails", "phones", "addresses", "contact_persons", "consents", "groups", "store_profiles"), ()
)


def customers(queryset):
    """The rows that `shown` takes."""
    return queryset.values(*COLUMNS)


def shown(rows, *, tenant, role):
    """The customers of rows of `.values(*COLUMNS)`, as a caller with `role` may see them."""
    return [customer for _record, customer in with_records(rows, tenant=tenant, role=role)]


def with_records(rows, *, tenant, role):
    """The same, each after its record, in which what `role` may not see is empty."""
    rows = list(rows)
    managers = _managers(rows)
    pairs = []
    for row, record in zip(rows, assemble(rows), strict=True):
        seen = {
            name: value if sees_field(role, name) else LISTS.get(name)
            for name, value in record.items()
        }
        manager = managers.get(row["seller_id"]) if sees_field(role, "seller") else None
        pairs.append((seen, _customer(seen, tenant, manager)))
    return pairs


def _customer(record, tenant, manager):
    email, phone = slot_of(record, "emails"), slot_of(record, "phones")
    main = slot_of(record, "addresses") or {}
    enabled = record["e_invoice"]
    return {
        "customerUid": record["id"],
        "customerType": TYPES.get(record["kind"]),
        "displayName": record["name"] or None,
        "firstname": record["first_name"] or None,
        "lastname": record["last_name"] or None,
        "companyName": record["company_name"] or None,
        "email": email and email["address"],
        "mobile": phone and phone["given"],
        "address": main.get("street") or None,
        "city": main.get("city") or None,
        "postalCode": main.get("postal_code") or None,
        "countryCode": main.get("country") or None,
        "externalId": record["external_id"],
        "ledgerNumber": record["ledger_number"] or None,
        "vatNumber": record["vat_number"] or None,
        "pricelistUid": record["price_list"] or None,
        "origin": record["origin"] or None,
        "internalNote": record["internal_note"] or None,
        "loyaltyId": record["card_number"],
        "paymentTerms": record["payment_terms_days"],
        "ehf": {"enabled": enabled},
        "ehfEnabled": enabled,
        "customerGroupUids": [group["code"] for group in record["groups"]],
        "defaultStoreUid": record["home_store"],
        "addresses": [
            _address(row)
            for row in record["addresses"]
            if row is not main or row["kind"] == "shipping"
        ],
        "contacts": [_contact(row) for row in record["contact_persons"]],
        "extensions": [
            {"extensionCode": code, "organizationUid": profile["store"]}
            for profile in record["store_profiles"]
            for code in profile["extensions"]
        ],
        "consents": [_consent(row, tenant) for row in record["consents"]],
        "credit": {
            "limit": _minor(record["credit_limit"], tenant),
            "balance": _minor(record["credit_balance"], tenant),
        },
        "accountManager": manager,
        "createdAt": record["created_at"],
        "lastModifiedAt": record["updated_at"],
    }


def _address(row):
    name = " ".join(filter(None, (row["first_name"], row["last_name"]))) or row["company"]
    return {
        "customerAddressUid": row["id"],
        "type": DELIVERY if row["kind"] == "shipping" else None,
        "displayName": name or None,
        "firstname": row["first_name"] or None,
        "lastname": row["last_name"] or None,
        "companyName": row["company"] or None,
        "address": row["street"] or None,
        "city": row["city"] or None,
        "postalCode": row["postal_code"] or None,
        "countryCode": row["country"] or None,
        "email": row["email"] or None,
        "phone": row["phone"] or None,
        "createdAt": row["created_at"],
    }


def _contact(row):
    return {
        "customerContactUid": row["id"],
        "displayName": " ".join(filter(None, (row["first_name"], row["last_name"]))) or None,
        "firstname": row["first_name"] or None,
        "lastname": row["last_name"] or None,
        "email": row["email"] or None,
        "mobile": row["mobile"] or None,
        "extensions": [],
        "createdAt": row["created_at"],
        # Nobody notes it: a contact's changes are the customer's.
        "lastModifiedAt": None,
    }


def _consent(row, tenant):
    return {
        # A consent is known by its purpose; this is the same key in the form of one.
        "consentUid": uuid.uuid5(tenant.pk, row["purpose"]),
        "name": row["purpose"],
        "status": row["granted"],
        "source": row["source"] or None,
        "createdAt": row["at"],
    }


def _minor(amount, tenant):
    return None if amount is None else int(amount.scaleb(minor_unit_places(tenant.currency)))


def _managers(rows):
    ids = {row["seller_id"] for row in rows} - {None}
    if not ids:
        return {}
    found = StaffMember.objects.filter(pk__in=ids).values_list("pk", "user__name", "user__email")
    return {
        pk: {"tenantUserUid": pk, "displayName": name or email, "userCode": email}
        for pk, name, email in found
    }


def store_details(record, store):
    """What one store keeps about the customer of a record."""
    kept = next((row for row in record["store_profiles"] if row["store"] == store.code), {})
    return {
        "storeUid": store.code,
        "customerReference": kept.get("pos_ref"),
        "note": kept.get("note") or None,
        "extensions": [{"extensionCode": code} for code in kept.get("extensions", ())],
        "isDefaultStore": record["home_store"] == store.code,
    }


def exported(record, customer):
    """The customer for an export: without the deprecated alias, and with all that a record tells
    beside it."""
    told = {name: value for name, value in customer.items() if name != "ehfEnabled"}
    told["emails"] = [
        {"email": row["address"], "isPrimary": row["primary"], "isVerified": row["verified"]}
        for row in record["emails"]
    ]
    told["phones"] = [
        {"phone": row["given"], "type": row["kind"].upper(), "isPrimary": row["primary"]}
        for row in record["phones"]
    ]
    told["customerGroups"] = [
        {"customerGroupUid": row["code"], "name": row["title"], "subscribed": row["subscribed"]}
        for row in record["groups"]
    ]
    told["loyalty"] = record["loyalty"]
    return told
