"""The columns of our own record: one flat name for everything that a file may fill.

The names, used alike as CSV headers, in mapping files and in refusals:

- a field of the customer by its own name: `external_id`, `first_name`, `birth_date`, …
- e-mails `email`, `email_2` … `email_9`, each with `…_verified` and `…_opted_out`;
- phones `phone`, `phone_2` … `phone_9`, each with `…_kind`, `…_extension`, `…_verified` and
  `…_opted_out`; and by kind `mobile_phone`, `home_phone`, `work_phone`, `other_phone`;
- the address `street`, `street2`, `street3`, `city`, `state`, `postal_code`, `country`,
  `latitude`, `longitude`, with `address_kind` and the recipient in `address_first_name`,
  `address_last_name`, `address_company`, `address_email`, `address_phone`; further ones as
  `address_2_street` … and by kind as `billing_street`, `shipping_city`, `home_…`, `work_…`,
  `other_…`;
- a company's contact persons `contact_first_name`, `contact_last_name`, `contact_email`,
  `contact_mobile`, and `contact_2_first_name` …;
- `labels` as `key:value;key:value` (or as a JSON list, for values that hold a semicolon), one
  label as `label:<key>`, and `tags` (words without a value, which become labels with the value
  "yes");
- `groups` as `code;code` (or as a JSON list; there an item may be an object with `code` and
  `subscribed`);
- consents `consent_marketing`, `consent_legal`, `consent_data_processing`, each with `…_at`,
  and a purpose of the tenant's own as `consent:<purpose>`;
- whole lists, as JSON: `emails`, `phones`, `addresses`, `contact_persons`, `consents`. In a
  JSON file `labels` and `groups` may be lists too.
"""

import difflib
import re
from dataclasses import dataclass

# How a cell of each type is read is written in converting.py.
TEXT, DIGITS, INTEGER, DECIMAL, BOOLEAN, DATE, MOMENT = (
    "text", "digits", "integer", "decimal", "boolean", "date", "moment",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Target:
    """Where a value goes.

    `type` says how it is read. `path` is (field,) for a field of the customer,
    (list, slot, field) for a field of a child row, and (list,) for a whole list.
    """

    name: str
    type: str
    path: tuple


FIELDS = {
    "id": TEXT, "number": "number", "external_id": DIGITS, "username": TEXT, "card_number": DIGITS,
    "login_email": TEXT, "login_phone": DIGITS, "kind": "kind", "name": TEXT, "first_name": TEXT,
    "last_name": TEXT, "company_name": TEXT, "gender": "gender", "birth_date": DATE,
    "language": TEXT, "eu_citizen": BOOLEAN, "vat_number": TEXT, "status": "status",
    "card_state": "card_state", "hidden": BOOLEAN, "no_loyalty": BOOLEAN, "created_at": MOMENT,
    "discount_percent": INTEGER, "price_list": TEXT, "payment_terms_days": INTEGER,
    "ledger_number": DIGITS, "shipping_mode": TEXT, "e_invoice": BOOLEAN,
    "e_invoice_address": TEXT, "charge_account_number": DIGITS, "charge_account_retired": BOOLEAN,
    "credit_limit": DECIMAL, "credit_balance": DECIMAL, "floor_limit": DECIMAL,
    "invitation_token": TEXT, "home_store": TEXT, "seller": TEXT, "origin": TEXT,
    "internal_note": TEXT,
    "custom_data1": TEXT, "custom_data2": TEXT, "custom_data3": TEXT, "custom_data4": TEXT,
    "no_email": BOOLEAN, "level": TEXT,
}  # fmt: skip

# The column that an import adds to the rows it hands back.
REASON = "refused_because"

# Columns of our own exports that a file cannot set, and why. They are passed over in silence
# when an export comes back, and refused by name in a mapping.
READ_ONLY = {
    "updated_at": "the system keeps it",
    "version": "the system keeps it",
    "anonymised_at": "only an anonymisation sets it",
    "merged_into": "only a merge sets it",
    "merged_from": "only a merge sets it",
    "reachable": "it follows from consents and contact points",
    "loyalty": "it follows from points and purchases; a level comes as “level”",
    "charge_account": "it comes as “charge_account_number” and “charge_account_retired”",
    "password": "passwords are never imported",
    "password_hash": "passwords are never imported",
    "avatar": "pictures are not part of a table",
    "devices": "a device registers itself",
    "store_profiles": "each store keeps its own",
    REASON: "an earlier import wrote it",
}

MATCH_KEYS = (
    "id", "number", "external_id", "username", "card_number", "login_email", "login_phone",
    "email", "phone",
)  # fmt: skip

PURPOSES = ("legal", "marketing", "data_processing")
ADDRESS_KINDS = ("home", "work", "billing", "shipping", "other")
PHONE_KINDS = ("mobile", "home", "work", "other")
SLOTS = range(2, 10)

PLACE_FIELDS = {
    "street": TEXT, "street2": TEXT, "street3": TEXT, "city": TEXT, "state": TEXT,
    "postal_code": DIGITS, "country": TEXT, "latitude": DECIMAL, "longitude": DECIMAL,
}  # fmt: skip
RECIPIENT_FIELDS = {
    "first_name": TEXT, "last_name": TEXT, "company": TEXT, "email": TEXT, "phone": DIGITS,
}  # fmt: skip
CONTACT_FIELDS = {"first_name": TEXT, "last_name": TEXT, "email": TEXT, "mobile": DIGITS}

# What one item of a whole list may hold; `id` keeps a child row itself over a round trip.
LIST_FIELDS = {
    "emails": {"id": TEXT, "address": TEXT, "primary": BOOLEAN, "verified": BOOLEAN,
               "opted_out": BOOLEAN},
    "phones": {"id": TEXT, "given": TEXT, "kind": "phone_kind", "extension": TEXT,
               "primary": BOOLEAN, "verified": BOOLEAN, "opted_out": BOOLEAN},
    "addresses": {"id": TEXT, "kind": "address_kind", "primary": BOOLEAN, **PLACE_FIELDS,
                  **RECIPIENT_FIELDS},
    "contact_persons": {"id": TEXT, **CONTACT_FIELDS},
    "consents": {"purpose": TEXT, "granted": BOOLEAN, "at": MOMENT, "source": TEXT,
                 "store": TEXT, "wording_version": TEXT},
}  # fmt: skip
# Parts of an exported item that follow from others.
LIST_READ_ONLY = frozenset({"e164", "created_at", "updated_at", "by"})
# Without this field an item is nothing.
ESSENTIAL = {"emails": "address", "phones": "given", "consents": "purpose"}

_LABEL = re.compile(r"label:(.{1,255})$")
_CONSENT = re.compile(r"consent:(.{1,64})$")


def _all_targets() -> dict[str, Target]:
    found: dict[str, Target] = {}

    def add(name: str, type_: str, *path: object) -> None:
        found[name] = Target(name, type_, path)

    for name, type_ in FIELDS.items():
        add(name, type_, name)
    for slot in (1, *SLOTS):
        number = "" if slot == 1 else f"_{slot}"
        add(f"email{number}", TEXT, "emails", slot, "address")
        add(f"phone{number}", DIGITS, "phones", slot, "given")
        add(f"phone{number}_kind", "phone_kind", "phones", slot, "kind")
        add(f"phone{number}_extension", TEXT, "phones", slot, "extension")
        for flag in ("verified", "opted_out"):
            add(f"email{number}_{flag}", BOOLEAN, "emails", slot, flag)
            add(f"phone{number}_{flag}", BOOLEAN, "phones", slot, flag)
        add(f"address{number}_kind", "address_kind", "addresses", slot, "kind")
        for field, type_ in PLACE_FIELDS.items():
            name = field if slot == 1 else f"address{number}_{field}"
            add(name, type_, "addresses", slot, field)
        for field, type_ in RECIPIENT_FIELDS.items():
            add(f"address{number}_{field}", type_, "addresses", slot, field)
        for field, type_ in CONTACT_FIELDS.items():
            add(f"contact{number}_{field}", type_, "contact_persons", slot, field)
    # Slots by kind come after the numbered ones, so that `phone` is primary before `work_phone`.
    for order, kind in enumerate(PHONE_KINDS, 20):
        add(f"{kind}_phone", DIGITS, "phones", order, "given")
        add(f"{kind}_phone_extension", TEXT, "phones", order, "extension")
    for order, kind in enumerate(ADDRESS_KINDS, 20):
        for field, type_ in {**PLACE_FIELDS, **RECIPIENT_FIELDS}.items():
            # `work_phone` and `home_phone` are phones of the customer, by a line above.
            if f"{kind}_{field}" not in found:
                add(f"{kind}_{field}", type_, "addresses", order, field)
    for order, purpose in enumerate(PURPOSES):
        add(f"consent_{purpose}", BOOLEAN, "consents", order, "granted")
        add(f"consent_{purpose}_at", MOMENT, "consents", order, "at")
    for name in LIST_FIELDS:
        add(name, "list", name)
    add("labels", "labels", "labels")
    add("tags", "tags", "labels")
    add("groups", "groups", "groups")
    return found


TARGETS = _all_targets()

# What a slot knows of its item beside the cells: the kind, or the purpose.
SLOT_KINDS = {
    **{("phones", order): {"kind": kind} for order, kind in enumerate(PHONE_KINDS, 20)},
    **{("addresses", order): {"kind": kind} for order, kind in enumerate(ADDRESS_KINDS, 20)},
    **{("consents", order): {"purpose": purpose} for order, purpose in enumerate(PURPOSES)},
}


def find_target(name: str) -> Target | None:
    """The target of a canonical name, or None for a name that is not one."""
    target = TARGETS.get(name)
    if target is None:
        if match := _LABEL.match(name):
            return Target(name, TEXT, ("labels", match[1]))
        if match := _CONSENT.match(name):
            return Target(name, BOOLEAN, ("consents", match[1], "granted"))
    return target


def nearest(name: str) -> str | None:
    """The canonical name that looks most like `name`, or None where none comes near."""
    wanted = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    found = difflib.get_close_matches(wanted, TARGETS, n=1, cutoff=0.72)
    return found[0] if found else None
