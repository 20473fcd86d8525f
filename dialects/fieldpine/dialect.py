"""What Fieldpine's format says of a customer, and what it has no word for."""

from dialects.base import Described, Dialect
from dialects.fieldpine.serializers import FieldpineCustomer, FieldpineRow

NO_WORD = "the format has no word for it"
TEXT, WHOLE = {"type": "string"}, {"type": "integer", "minimum": 0}
ASKED = {
    "englishquery": (TEXT, "Words and phrases, such as `editdtu after 17-jan-2020`."),
    "filter": (TEXT, "`account`, or `account=1234`."),
    "option": (TEXT, "Hints that only move rows: `intent:sale;geo:59.91,10.75`."),
    "limit": ({**WHOLE, "default": 100}, "Rows; 0: everything in one answer."),
    "page": ({"type": "integer", "minimum": 1, "default": 1}, "The first page is 1."),
    "sort": (TEXT, "A field, then `asc` or `desc`; else the newest edit first."),
}


def _object(**properties):
    return {"type": "object", "properties": properties, "required": list(properties)}


PACKET = _object(
    Code={"type": "integer"},
    Message=TEXT,
    Severity={"type": "string", "enum": ["Error", "Warning", "Info"]},
)
SEVERAL = _object(QERR={"type": "array", "items": PACKET})
LISTED = Described(answer=_object(data={"type": "array", "items": FieldpineRow}), parameters=ASKED)
CREATED = Described(body=FieldpineCustomer, answer=_object(data=FieldpineRow))

DIALECT = Dialect(
    name="fieldpine",
    label="Fieldpine",
    mount="/OpenApi2[_x]/Customers, /Customers",
    format="JSON, names in any letter case",
    errors="the error packet",
    credentials="X-Api-Key",
    spoken={
        "id": "CustomerId",
        "number": "Cid, Physkey",
        "kind": "CompanyName without a person's name",
        "name": "Name",
        "first_name": "FirstName",
        "last_name": "LastName",
        "company_name": "CompanyName",
        "birth_date": "Birthday",
        "eu_citizen": "EUCitizen",
        "status": "DoNotUse (when blocked)",
        "hidden": "DoNotUse",
        "no_loyalty": "ExcludeLoyalty",
        "credit_limit": "CreditLimit",
        "floor_limit": "FloorLimit",
        "internal_note": "ContactComment",
        "login_email": "Email",
        "emails": "Email",
        "phones": "Mobile, Phone, Fax",
        "addresses": "Address1 … Address6, City, Postcode",
        "charge_account": "filter=account",
        "home_store": "the order of option=geo",
        "updated_at": "EditDtu",
        "created_at": "englishquery=created …",
    },
    unspoken={
        **dict.fromkeys(
            (
                *("external_id", "username", "card_number", "login_phone", "gender", "language"),
                *("vat_number", "card_state", "version", "discount_percent", "price_list"),
                *("payment_terms_days", "ledger_number", "shipping_mode", "e_invoice"),
                *("e_invoice_address", "credit_balance", "seller", "origin", "invitation_token"),
                *("custom_data1", "custom_data2", "custom_data3", "custom_data4", "no_email"),
                *("contact_persons", "labels", "devices", "store_profiles", "consents"),
                *("avatar", "reachable", "merged_from", "groups", "loyalty"),
            ),
            NO_WORD,
        ),
        "anonymised_at": "the anonymised are left out of the format's lists",
    },
    registers=(
        *("name", "first_name", "last_name", "company_name", "birth_date", "eu_citizen"),
        *("internal_note", "credit_limit", "floor_limit", "hidden", "no_loyalty"),
        *("emails", "phones", "addresses"),
    ),
    # A company with a person's name is not told from the person's employer.
    untold=("kind", "home_store"),
    endpoints=(
        "POST /OpenApi2/Customers",
        "GET /OpenApi2/Customers",
        "POST /Customers",
        "GET /Customers",
        "POST /OpenApi2/Sales",
        "GET /OpenApi2/AllocateKeys",
    ),
    security={"key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"}},
    refusal=_object(error={"oneOf": [PACKET, SEVERAL]}),
    described={
        "POST /OpenApi2/Customers": CREATED,
        "GET /OpenApi2/Customers": LISTED,
        "POST /Customers": CREATED,
        "GET /Customers": LISTED,
    },
)
