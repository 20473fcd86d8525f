"""What Flow Retail's format says of a customer, and what it has no word for."""

from dialects.base import Dialect
from dialects.flowretail.described import DESCRIBED, REFUSAL

NO_WORD = "the format has no word for it"
DELETED = "the format knows who is there and who is not: 404"
BELOW = "/v2/tenants/<tenantUid>"
ALL = f"{BELOW}/customers"
ONE = f"{ALL}/<customerUid>"
ENDPOINTS = (
    f"GET {ALL}",
    f"POST {ALL}",
    f"POST {ALL}/search",
    f"POST {ALL}/search/external",
    f"GET {ONE}/export",
    f"GET {ONE}",
    f"PUT {ONE}",
    f"DELETE {ONE}",
    f"POST {ONE}/extensions/<customerExtensionCode>",
    f"DELETE {ONE}/extensions/<customerExtensionCode>",
    f"POST {ALL}/batch",
    f"GET {BELOW}/stores/<storeUid>/customers/<customerUid>",
    f"GET {ONE}/contacts",
    f"POST {ONE}/contacts",
    f"GET {ONE}/contacts/<customerContactUid>",
    f"PUT {ONE}/contacts/<customerContactUid>",
    f"DELETE {ONE}/contacts/<customerContactUid>",
    f"GET {ONE}/addresses",
    f"POST {ONE}/addresses",
    f"GET {ONE}/addresses/<customerAddressUid>",
    f"PUT {ONE}/addresses/<customerAddressUid>",
    f"DELETE {ONE}/addresses/<customerAddressUid>",
)

DIALECT = Dialect(
    name="flowretail",
    label="Flow Retail",
    mount="[/v2]/tenants/<tenant>/…",
    format="JSON",
    errors="code, message, errors by field",
    credentials="Bearer",
    spoken={
        "id": "customerUid",
        "kind": "customerType",
        "name": "displayName",
        "first_name": "firstname",
        "last_name": "lastname",
        "company_name": "companyName",
        "vat_number": "vatNumber",
        "external_id": "externalId",
        "card_number": "loyaltyId",
        "emails": "email",
        "phones": "mobile",
        "addresses": "address, city, postalCode, countryCode; addresses",
        "contact_persons": "contacts",
        "ledger_number": "ledgerNumber",
        "price_list": "pricelistUid",
        "origin": "origin",
        "internal_note": "internalNote",
        "payment_terms_days": "paymentTerms",
        "e_invoice": "ehf.enabled, ehfEnabled",
        "groups": "customerGroupUids",
        "home_store": "defaultStoreUid",
        "store_profiles": "extensions, storeCustomerDetails",
        "consents": "consents",
        "credit_limit": "credit.limit",
        "credit_balance": "credit.balance",
        "seller": "accountManager",
        "loyalty": "loyalty, in an export",
        "created_at": "createdAt",
        "updated_at": "lastModifiedAt",
    },
    unspoken={
        **dict.fromkeys(("status", "anonymised_at"), DELETED),
        **dict.fromkeys(
            (
                *("number", "username", "login_email", "login_phone", "gender", "birth_date"),
                *("language", "eu_citizen", "card_state", "hidden", "no_loyalty", "version"),
                *("discount_percent", "shipping_mode", "e_invoice_address", "floor_limit"),
                *("invitation_token", "custom_data1", "custom_data2", "custom_data3"),
                *("custom_data4", "no_email", "labels", "devices", "charge_account", "avatar"),
                *("reachable", "merged_from"),
            ),
            NO_WORD,
        ),
    },
    registers=(
        *("kind", "first_name", "last_name", "company_name", "vat_number", "external_id"),
        *("card_number", "emails", "phones", "addresses", "contact_persons", "ledger_number"),
        *("price_list", "origin", "internal_note", "payment_terms_days", "e_invoice", "groups"),
        *("home_store", "consents"),
    ),
    endpoints=ENDPOINTS,
    security={"token": {"type": "http", "scheme": "bearer"}},
    refusal=REFUSAL,
    described=DESCRIBED,
)
