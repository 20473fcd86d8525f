"""WooCommerce: users with their billing and shipping fields, and the analytics report.

The first is what the usual export plug-ins write (the names of WordPress' own user fields), the
second the download of Analytics > Customers.
"""

from customers.imports.converting import Options
from customers.imports.mapping import Mapping, Rule

from .base import Format

_UTC = Options(utc=True)
_SECRET = "passwords and sessions are never imported; customers set a new one"
_INTERNAL = "it belongs to the shop's own set-up"
_FROM_SALES = "it follows from sales, which are imported on their own"


def _address(kind: str) -> tuple[Rule, ...]:
    return (
        Rule.plain(f"{kind}_first_name", f"{kind}_first_name"),
        Rule.plain(f"{kind}_last_name", f"{kind}_last_name"),
        Rule.plain(f"{kind}_address_1", f"{kind}_street"),
        Rule.plain(f"{kind}_address_2", f"{kind}_street2"),
        Rule.plain(f"{kind}_city", f"{kind}_city"),
        Rule.plain(f"{kind}_state", f"{kind}_state"),
        Rule.plain(f"{kind}_postcode", f"{kind}_postal_code"),
        Rule.plain(f"{kind}_country", f"{kind}_country"),
    )


CUSTOMERS = Format(
    name="woocommerce",
    label="WooCommerce customers",
    mapping=Mapping(
        (
            # Each plug-in writes one of the two.
            Rule(("ID", "user_id"), ("external_id",)),
            Rule.plain("user_login", "username"),
            Rule.plain("user_email", "email"),
            Rule.plain("first_name", "first_name"),
            Rule.plain("last_name", "last_name"),
            Rule.plain("user_registered", "created_at", options=_UTC),
            Rule.plain("billing_company", "company_name"),
            Rule.plain("billing_phone", "phone"),
            Rule.plain("billing_email", "email_2"),
            *_address("billing"),
            *_address("shipping"),
            Rule.plain("shipping_company", "shipping_company"),
            Rule.plain("shipping_phone", "shipping_phone"),
        ),
        match="email",
    ),
    required=frozenset({"user_login", "user_email", "billing_country", "billing_postcode"}),
    not_taken={
        **dict.fromkeys(("user_pass", "session_tokens", "user_activation_key"), _SECRET),
        **dict.fromkeys(
            ("customer_id", "roles", "role", "user_nicename", "user_url", "user_status",
             "display_name", "nickname", "description", "rich_editing", "syntax_highlighting",
             "admin_color", "use_ssl", "locale", "wp_user_level", "show_welcome_panel",
             "show_admin_bar_front", "last_update"),
            _INTERNAL,
        ),
        **dict.fromkeys(("orders", "total_spent", "aov", "paying_customer"), _FROM_SALES),
    },
    notes=("Passwords are not imported: customers set a new one.",),
)  # fmt: skip
REPORT = Format(
    name="woocommerce-report",
    label="WooCommerce customer report",
    mapping=Mapping(
        (
            Rule.plain("Name", "name"),
            Rule.plain("Username", "username"),
            Rule(("Sign Up", "Date registered"), ("created_at",)),
            Rule.plain("Email", "email"),
            Rule.plain("Country / Region", "country"),
            Rule.plain("City", "city"),
            Rule.plain("Region", "state"),
            Rule.plain("Postal Code", "postal_code"),
        ),
        match="email",
    ),
    required=frozenset({"Name", "Username", "Email", "AOV"}),
    not_taken=dict.fromkeys(("Last Active", "Orders", "Total Spend", "AOV"), _FROM_SALES),
    notes=("The report holds no telephone number and no street.",),
)
