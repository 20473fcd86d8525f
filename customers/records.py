"""The fast read path: customers as plain dicts, assembled with their children in bulk.

Lists, streams, exports and dialects read through it: a constant number of queries per batch and no
model instances. The names are those of the API.
"""

from collections import defaultdict
from decimal import Decimal

from customers.hooks import hooks
from customers.models import (
    Address,
    Avatar,
    ChargeAccount,
    Consent,
    ContactPerson,
    Customer,
    Device,
    Email,
    Label,
    Phone,
    StoreExtension,
    StoreProfile,
)
from customers.querysets import CHANNELS
from events import reading
from normalise import minor_unit_places
from tenancy.models import StaffMember, Store
from tenancy.scoping import current_tenant

BATCH = 1_000

COLUMNS = (
    "id",
    "number",
    "external_id",
    "username",
    "card_number",
    "login_email",
    "login_phone",
    "kind",
    "name",
    "first_name",
    "last_name",
    "company_name",
    "gender",
    "birth_year",
    "birth_month",
    "birth_day",
    "language",
    "eu_citizen",
    "vat_number",
    "status",
    "card_state",
    "hidden",
    "no_loyalty",
    "created_at",
    "updated_at",
    "version",
    "anonymised_at",
    "discount_percent",
    "price_list",
    "payment_terms_days",
    "ledger_number",
    "shipping_mode",
    "e_invoice",
    "e_invoice_address",
    "credit_limit",
    "credit_balance",
    "floor_limit",
    "home_store_id",
    "seller_id",
    "origin",
    "internal_note",
    "invitation_token",
    "custom_data1",
    "custom_data2",
    "custom_data3",
    "custom_data4",
    "no_email",
)


def records(customers, *, batch=BATCH):
    """Yield one dict per customer of the queryset, in its order.

    Reads keyset-free in batches of the queryset's own order through a database cursor; each batch
    costs one query per child table. Keys: see `customers.serializers.CustomerSerializer`, which the
    tests compare with these.
    """
    rows = []
    for row in customers.values(*COLUMNS).iterator(chunk_size=batch):
        rows.append(row)
        if len(rows) >= batch:
            yield from assemble(rows)
            rows = []
    yield from assemble(rows)


def record_of(customer_id, *, parts=None):
    """The record of one customer, of an old id that of the survivor, or None; `parts` as below."""
    rows = list(Customer.objects.filter(pk=customer_id).values(*COLUMNS))
    if not rows:
        rows = list(Customer.objects.known_as("pk", customer_id).values(*COLUMNS))
    return assemble(rows, parts=parts)[0] if rows else None


def assemble(rows, *, parts=None):
    """Turn rows of `.values(*COLUMNS)` into records, with the children of all of them; of the
    names of PARTS only `parts`, and nothing of the apps above, where a reader needs no more.

    A single row counts as a look at this customer (`events.reading`).
    """
    if not rows:
        return []
    if len(rows) == 1:
        reading.tell("customer", rows[0]["id"])
    tenant = current_tenant()
    scale = Decimal(1).scaleb(-minor_unit_places(tenant.currency))
    ids = [row["id"] for row in rows]
    stores = dict(Store.objects.values_list("pk", "code"))
    seller_ids = {row["seller_id"] for row in rows} - {None}
    sellers = (
        dict(StaffMember.objects.filter(pk__in=seller_ids).values_list("pk", "user__email"))
        if seller_ids
        else {}
    )
    children = [
        (name, read(ids, stores), nothing)
        for name, (read, nothing) in PARTS.items()
        if parts is None or name in parts
    ]
    extras = [hook(ids) for hook in hooks.records] if parts is None else []
    result = []
    for row in rows:
        customer_id = row["id"]
        record = {name: row[name] for name in COLUMNS if not name.startswith("birth_")}
        record["birth_date"] = _birth_date(row)
        record["home_store"] = stores.get(record.pop("home_store_id"))
        record["seller"] = sellers.get(record.pop("seller_id"))
        for name in Customer.MONEY:
            record[name] = None if row[name] is None else row[name] * scale
        for name, found, nothing in children:
            record[name] = found[customer_id] if customer_id in found else nothing()
        for extra in extras:
            record |= extra.get(customer_id, {})
        result.append(record)
    return result


def reach_of(ids):
    """Customer id -> the channels by which the customer may be written to, in one query."""
    flags = [f"reach_{channel}" for channel in CHANNELS]
    rows = Customer.objects.filter(pk__in=ids).with_reach().order_by().values_list("pk", *flags)
    return {
        pk: [channel for channel, reached in zip(CHANNELS, reaches, strict=True) if reached]
        for pk, *reaches in rows
    }


def _birth_date(row):
    if row["birth_month"] is None:
        return None
    year = f"{row['birth_year']:04d}" if row["birth_year"] else "-"
    return f"{year}-{row['birth_month']:02d}-{row['birth_day']:02d}"


def _grouped(model, ids, shape):
    grouped = defaultdict(list)
    for row in model.objects.filter(customer__in=ids).order_by(*model._meta.ordering).values():
        grouped[row["customer_id"]].append(shape(row))
    return grouped


def _plain(*names):
    def shape(row):
        return {"id": row["id"], **{name: row[name] for name in names}}

    return shape


_email = _plain("address", "primary", "verified", "opted_out", "created_at")
_phone = _plain(
    "given", "e164", "kind", "extension", "primary", "verified", "opted_out", "created_at"
)


_contact_person = _plain(*ContactPerson.FIELDS, "created_at")
_label = _plain(*Label.FIELDS)
_device = _plain("token", "created_at")


def _address(row):
    record = {
        name: row[name]
        for name in ("id", *Address.FIELDS, "created_at")
        if name not in ("latitude", "longitude")
    }
    for name in ("latitude", "longitude"):
        micro = row[f"{name}_micro"]
        record[name] = None if micro is None else Decimal(micro).scaleb(-6)
    return record


def _consents(ids, stores):
    latest = {}
    rows = Consent.objects.filter(customer__in=ids).order_by("version").values()
    for row in rows:
        latest[row["customer_id"], row["purpose"]] = {
            "purpose": row["purpose"],
            "granted": row["granted"],
            "at": row["at"],
            "store": stores.get(row["store_id"]),
            "source": row["source"],
            "wording_version": row["wording_version"],
        }
    grouped = defaultdict(list)
    for (customer_id, _purpose), consent in sorted(latest.items(), key=lambda item: item[0][1]):
        grouped[customer_id].append(consent)
    return grouped


def _charge_accounts(ids, stores):
    return {
        row["customer_id"]: {"number": row["number"], "retired": row["retired"]}
        for row in ChargeAccount.objects.filter(customer__in=ids).values()
    }


def _avatars(ids, stores):
    having = Avatar.objects.filter(customer__in=ids).values_list("customer_id", flat=True)
    return dict.fromkeys(having, True)


def _former_ids(ids, stores):
    merged = defaultdict(list)
    # Sorted here: for an order of its own SQLite would walk through everybody.
    former = Customer.with_merged.filter(merged_into__in=ids).order_by()
    rows = former.values_list("number", "pk", "merged_into")
    for _number, former_id, survivor_id in sorted(rows, key=lambda row: (row[0] or 0, row[1])):
        merged[survivor_id].append(former_id)
    return merged


def _store_profiles(ids, stores):
    grouped = defaultdict(list)
    extensions = defaultdict(list)
    for row in StoreExtension.objects.filter(customer__in=ids).order_by("code").values():
        extensions[row["customer_id"], row["store_id"]].append(row["code"])
    profiles = {
        (row["customer_id"], row["store_id"]): row
        for row in StoreProfile.objects.filter(customer__in=ids).values()
    }
    for key in sorted(set(profiles) | set(extensions), key=lambda k: stores.get(k[1]) or ""):
        customer_id, store_id = key
        row = profiles.get(key, {})
        grouped[customer_id].append(
            {
                "store": stores.get(store_id),
                "pos_ref": row.get("pos_ref"),
                "note": row.get("note", ""),
                "extensions": extensions.get(key, []),
            }
        )
    return grouped


def _rows_of(model, shape):
    return lambda ids, stores: _grouped(model, ids, shape)


# name -> (how it is read for many customers at once: (ids, codes of the stores) -> {customer id:
# value}, the value of a customer without any).
PARTS = {
    "emails": (_rows_of(Email, _email), list),
    "phones": (_rows_of(Phone, _phone), list),
    "addresses": (_rows_of(Address, _address), list),
    "contact_persons": (_rows_of(ContactPerson, _contact_person), list),
    "labels": (_rows_of(Label, _label), list),
    "devices": (_rows_of(Device, _device), list),
    "store_profiles": (_store_profiles, list),
    "consents": (_consents, list),
    "charge_account": (_charge_accounts, lambda: None),
    "avatar": (_avatars, bool),
    "reachable": (lambda ids, stores: reach_of(ids), list),
    "merged_from": (_former_ids, list),
}
