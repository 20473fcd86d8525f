"""What Zeald's format says of a customer, and what it has no word for."""

from dialects.base import Dialect

NO_WORD = "the format has no word for it"
ENDPOINTS = (
    "GET /API/V3/Customer",
    "GET /API/V3/Customer/<username>",
    "GET /API/V3/Customer+UserCustomerGroups",
    "GET /API/V3/Customer+(UserCustomerGroups+UserGroups)",
    "GET /API/V3/Customer+Order",
    "POST /API/V3/Customer",
    "POST /API/V3/Customer+UserCustomerGroups",
    "PUT /API/V3/Customer/<username>",
    "DELETE /API/V3/Customer/<username>",
    "GET /API/V3/UserCustomerGroups",
    "GET /API/V3/UserCustomerGroups/<code>",
    "POST /API/V3/UserCustomerGroups",
    "PUT /API/V3/UserCustomerGroups/<code>",
    "DELETE /API/V3/UserCustomerGroups/<code>",
    "GET /API/V3/UserGroups",
    "GET /API/V3/UserGroups/<code>",
    "POST /API/V3/UserGroups",
    "PUT /API/V3/UserGroups/<code>",
    "DELETE /API/V3/UserGroups/<code>",
    "GET /API/V3/Order",
    "GET /API/V3/Order/<order_number>",
)

DIALECT = Dialect(
    name="zeald",
    label="Zeald",
    mount="/API/V3/<resource specification>[/<key>]",
    format="XML",
    errors="`rsp` XML",
    credentials="?_key=, Bearer",
    spoken={
        "id": "username (where there is none)",
        "username": "username",
        "status": "inactive",
        "kind": "b_company",
        "company_name": "b_company",
        "first_name": "b_fname",
        "last_name": "b_lname",
        "emails": "email",
        "phones": "phone_day, phone_night",
        "addresses": "b_address1 … b_country, company, fname, lname, address1 … country",
        "discount_percent": "discount",
        "no_email": "no_email",
        "shipping_mode": "mv_shipmode",
        "custom_data1": "custom_data1",
        "custom_data2": "custom_data2",
        "custom_data3": "custom_data3",
        "custom_data4": "custom_data4",
        "groups": "UserCustomerGroup",
        "loyalty": "Order (the purchases)",
    },
    unspoken={
        **dict.fromkeys(
            (
                *("number", "external_id", "card_number", "login_email", "login_phone", "name"),
                *("gender", "birth_date", "language", "eu_citizen", "vat_number", "card_state"),
                *("hidden", "no_loyalty", "price_list", "payment_terms_days", "ledger_number"),
                *("e_invoice", "e_invoice_address", "credit_limit", "credit_balance"),
                *("floor_limit", "home_store", "seller", "origin", "internal_note"),
                *("invitation_token", "contact_persons", "labels", "consents", "devices"),
                *("avatar", "store_profiles", "charge_account", "reachable", "created_at"),
                *("updated_at", "version", "anonymised_at", "merged_from"),
            ),
            NO_WORD,
        ),
    },
    registers=(
        *("username", "first_name", "last_name", "company_name", "emails", "phones", "addresses"),
        *("discount_percent", "no_email", "shipping_mode", "groups"),
        *("custom_data1", "custom_data2", "custom_data3", "custom_data4"),
    ),
    endpoints=ENDPOINTS,
)
