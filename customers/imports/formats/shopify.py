"""The customer export of Shopify, with the headers of today and those of before 2023."""

from customers.imports.mapping import Mapping, Rule

from .base import Format

_FROM_SALES = "it follows from sales, which are imported on their own"
_COMMON = (
    # The apostrophe keeps spreadsheets from rounding the long number.
    Rule.plain("Customer ID", "external_id", lstrip="'"),
    Rule.plain("First Name", "first_name"),
    Rule.plain("Last Name", "last_name"),
    Rule.plain("Email", "email"),
    Rule.plain("Accepts SMS Marketing", "consent:sms_marketing"),
    Rule.plain("Tags", "tags"),
    Rule.plain("Note", "internal_note"),
)
_NOT_TAKEN = {
    "Total Spent": _FROM_SALES,
    "Total Orders": _FROM_SALES,
    "Tax Exempt": "we keep no tax status",
    "Tax Exemptions": "we keep no tax status",
    "Default Address Country": "the country's code is taken",
    "Country": "the country's code is taken",
    "Default Address Province": "the province's code is taken",
    "Province": "the province's code is taken",
    "Accepts WhatsApp Marketing": "we know no such channel",
}
_NOTES = (
    "Tags become labels with the value “yes”.",
    "E-mail marketing becomes marketing consent, SMS marketing a consent of its own name.",
    "Amounts and numbers of orders are not taken: they follow from imported sales.",
)


def _address(prefix: str) -> tuple[Rule, ...]:
    return (
        Rule.plain(f"{prefix}Company", "company_name"),
        Rule.plain(f"{prefix}Address1", "street", lstrip="'"),
        Rule.plain(f"{prefix}Address2", "street2", lstrip="'"),
        Rule.plain(f"{prefix}City", "city"),
        Rule.plain(f"{prefix}Province Code", "state"),
        Rule.plain(f"{prefix}Country Code", "country"),
        Rule.plain(f"{prefix}Zip", "postal_code", lstrip="'"),
    )


CUSTOMERS = Format(
    name="shopify",
    label="Shopify customers",
    mapping=Mapping(
        (
            *_COMMON,
            Rule.plain("Accepts Email Marketing", "consent_marketing"),
            Rule.plain("Phone", "phone", lstrip="'"),
            *_address("Default Address "),
            Rule.plain("Default Address Phone", "phone_2", lstrip="'"),
        ),
        match="email",
    ),
    required=frozenset({"First Name", "Email", "Default Address Address1", "Default Address City"}),
    not_taken=_NOT_TAKEN,
    notes=_NOTES,
)
BEFORE_2023 = Format(
    name="shopify-2022",
    label="Shopify customers (headers of before 2023)",
    mapping=Mapping(
        (
            *_COMMON,
            # The same columns were written for a while with today's name of this one.
            Rule(("Accepts Marketing", "Accepts Email Marketing"), ("consent_marketing",)),
            Rule.plain("Phone", "phone", lstrip="'"),
            *_address(""),
        ),
        match="email",
    ),
    required=frozenset({"First Name", "Email", "Address1", "Province Code", "Zip", "Total Spent"}),
    not_taken=_NOT_TAKEN,
    notes=_NOTES,
)
