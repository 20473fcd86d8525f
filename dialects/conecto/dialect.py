"""What Conecto's format says of a customer, and what it has no word for."""

from dialects.base import Described, Dialect
from dialects.conecto.serializers import ConectoPage

NO_WORD = "the format has no word for it"
TEXT, WHOLE = {"type": "string"}, {"type": "integer", "minimum": 1}
ASKED = {
    "page": ({**WHOLE, "default": 1}, "The first page is 1."),
    "pageSize": ({**WHOLE, "default": 50}, "Rows per page, at most 100."),
    "search": (TEXT, "Words of name, e-mail or phone."),
    "updatedAfter": ({**TEXT, "format": "date-time"}, "Only what changed later."),
}
REFUSAL = {
    "type": "object",
    "properties": {
        "error": {
            "type": "object",
            "properties": {"code": TEXT, "message": TEXT},
            "required": ["code", "message"],
        }
    },
    "required": ["error"],
}

DIALECT = Dialect(
    name="conecto",
    label="Conecto",
    mount="/pos/v2/{locationId}/customers, also below /api",
    format="JSON, read only",
    errors='{"error": {"code", "message"}}',
    credentials="Bearer",
    spoken={
        "number": "posRef (CUST-…, where the store keeps none of its own)",
        "store_profiles": "posRef, and who is listed",
        "home_store": "locationId",
        "name": "firstName, where no part of it is known",
        "first_name": "firstName",
        "last_name": "lastName",
        "company_name": "companyName",
        "emails": "customerEmails",
        "phones": "customerPhones",
        "addresses": "customerAddresses",
        "created_at": "createdAt",
        "updated_at": "updatedAt",
    },
    unspoken={
        **dict.fromkeys(
            (
                *("id", "external_id", "username", "card_number", "login_email", "login_phone"),
                *("kind", "gender", "birth_date", "language", "eu_citizen", "vat_number"),
                *("status", "card_state", "hidden", "no_loyalty", "version"),
                *("discount_percent", "price_list", "payment_terms_days", "ledger_number"),
                *("shipping_mode", "e_invoice", "e_invoice_address", "credit_limit"),
                *("credit_balance", "floor_limit", "seller", "origin", "internal_note"),
                *("invitation_token", "custom_data1", "custom_data2", "custom_data3"),
                *("custom_data4", "no_email", "contact_persons", "labels", "devices"),
                *("consents", "charge_account", "avatar", "reachable", "merged_from", "groups"),
                "loyalty",
            ),
            NO_WORD,
        ),
        "anonymised_at": "the anonymised are left out of the format's lists",
    },
    untold=("name",),
    endpoints=("GET /pos/v2/<locationId>/customers",),
    security={"token": {"type": "http", "scheme": "bearer"}},
    refusal=REFUSAL,
    described={
        "GET /pos/v2/<locationId>/customers": Described(answer=ConectoPage, parameters=ASKED)
    },
)
