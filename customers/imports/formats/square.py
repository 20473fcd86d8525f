"""The export of Square's customer directory."""

from customers.imports.converting import Options
from customers.imports.mapping import Mapping, Rule

from .base import Format

_SUBSCRIBED = {"subscribed": True, "unsubscribed": False}
_FROM_SALES = "it follows from sales, which are imported on their own"


CUSTOMERS = Format(
    name="square",
    label="Square customer directory",
    mapping=Mapping(
        (
            Rule.plain("Square Customer ID", "external_id"),
            Rule.plain("First Name", "first_name"),
            Rule.plain("Last Name", "last_name"),
            Rule.plain("Company Name", "company_name"),
            Rule.plain("Email Address", "email"),
            Rule.plain("Phone Number", "phone", lstrip="'"),
            Rule.plain("Street Address 1", "street"),
            Rule.plain("Street Address 2", "street2"),
            Rule.plain("City", "city"),
            Rule.plain("State", "state"),
            Rule.plain("Postal Code", "postal_code"),
            Rule.plain("Country", "country"),
            Rule.plain("Birthday", "birth_date", options=Options(dates="MDY")),
            Rule.plain("Memo", "internal_note"),
            Rule.plain("Reference ID", "label:reference_id"),
            Rule.plain("Nickname", "label:nickname"),
            Rule.plain("First Visit", "created_at", options=Options(dates="MDY")),
            Rule.plain(
                "Email Subscription Status", "consent_marketing",
                values=_SUBSCRIBED, otherwise="blank",
            ),
        ),
        match="external_id",
    ),
    required=frozenset({"Square Customer ID", "First Name", "Last Name", "Email Address"}),
    not_taken={
        **dict.fromkeys(("Last Visit", "Transaction Count", "Lifetime Spend"), _FROM_SALES),
        "Customer Group": "Square keeps its groups by itself; name them in a mapping file",
        "Creation Source": "it names a part of Square",
        "Instant Profile": "it names a part of Square",
        "Blocked from online booking": "we take no bookings",
    },
    notes=("A birthday without its year keeps month and day.",),
)  # fmt: skip
