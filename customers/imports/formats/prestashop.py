"""The two customer files of PrestaShop and thirty bees (Advanced Parameters > CSV Import), and the
export of the list of customers.

The headers of the first two are those of the sample files, which ask for their delimiters in the
header itself: the comma file separates groups with semicolons, the semicolon file with commas.
"""

from typing import Any

from customers.imports.converting import SALUTATIONS
from customers.imports.errors import RowError
from customers.imports.mapping import Mapping, Rule

from .base import Format

_ACTIVE = {"1": "active", "0": "blocked"}
# The shop knows a form of address only; “else 0” says nothing about the gender.
_TITLES = {"1": "male", "2": "female", "0": ""}
_SECRET = "passwords are never imported; customers set a new one"


def _needs_a_customer(
    values: dict[str, Any], record: dict[str, Any], errors: list[RowError]
) -> None:
    for address in record.get("addresses", ()):
        address["kind"] = "other"
    if record.get("emails"):
        return
    column = next((name for name in values if "mail" in name.casefold()), "Customer e-mail*")
    other = next(
        (kind for kind in ("Manufacturer", "Supplier") if str(values.get(kind) or "").strip()), None
    )
    message = "is blank: the row does not say whose address it is"
    if other:
        message = f"is blank: this is the address of a {other.lower()}, not of a customer"
    errors.append(RowError(column, "", message))


CUSTOMERS = Format(
    name="prestashop",
    label="PrestaShop customers",
    mapping=Mapping(
        (
            Rule.plain("Customer ID", "external_id"),
            Rule.plain("Active (0/1)", "status", values=_ACTIVE),
            Rule.plain(
                "Titles ID (Mr = 1, Ms = 2, else 0)", "gender", values=_TITLES, otherwise="blank"
            ),
            Rule.plain("Email *", "email"),
            Rule.plain("Birthday (yyyy-mm-dd)", "birth_date"),
            Rule.plain("Last Name *", "last_name"),
            Rule.plain("First Name *", "first_name"),
            Rule.plain("Newsletter (0/1)", "consent_marketing"),
            Rule.plain("Opt-in (0/1)", "consent:partner_offers"),
            Rule.plain("Registration date (yyyy-mm-dd)", "created_at"),
            Rule.plain("Groups (x;y;z...)", "groups"),
        ),
        match="email",
    ),
    required=frozenset({"Email *", "Last Name *", "First Name *", "Groups (x;y;z...)"}),
    not_taken={
        "Password *": _SECRET,
        "Default group ID": "it is a number of the shop; the groups are taken by name",
    },
    notes=(
        "Passwords are in the file but are not imported: customers set a new one. "
        "Delete the file after the import.",
        "Newsletter becomes marketing consent, Opt-in consent to partner offers.",
    ),
)
LIST = Format(
    name="prestashop-list",
    label="PrestaShop list of customers",
    mapping=Mapping(
        (
            Rule.plain("ID", "external_id"),
            Rule.plain("Social title", "gender", values=SALUTATIONS, otherwise="blank"),
            Rule.plain("First name", "first_name"),
            Rule.plain("Last name", "last_name"),
            Rule.plain("Company", "company_name"),
            Rule.plain("Email address", "email"),
            Rule.plain("Enabled", "status", values=_ACTIVE),
            Rule.plain("Newsletter", "consent_marketing"),
            Rule.plain("Partner offers", "consent:partner_offers"),
            Rule.plain("Registration", "created_at"),
        ),
        match="email",
    ),
    required=frozenset({"Social title", "Email address", "Partner offers", "Registration"}),
    not_taken={
        "Sales": "it follows from sales, which are imported on their own",
        "Group": "the list names one of several groups; take the customers' file",
        "Last visit": "visits to a shop are not kept",
    },
    notes=("The list holds no telephone number and no address.",),
)
ADDRESSES = Format(
    name="prestashop-addresses",
    label="PrestaShop addresses",
    mapping=Mapping(
        (
            Rule.plain("Customer e-mail*", "email"),
            Rule.plain("Company", "address_company"),
            Rule.plain("Lastname*", "address_last_name"),
            Rule.plain("Firstname*", "address_first_name"),
            Rule.plain("Address 1*", "street"),
            Rule.plain("Address 2", "street2"),
            Rule.plain("Zipcode*", "postal_code"),
            Rule.plain("City*", "city"),
            Rule.plain("Country*", "country"),
            Rule.plain("State", "state"),
            Rule.plain("Phone", "home_phone"),
            Rule.plain("Mobile Phone", "mobile_phone"),
            Rule.plain("VAT number", "vat_number"),
        ),
        match="email",
        adds_children=True,
        finish=_needs_a_customer,
    ),
    required=frozenset({"Alias*", "Customer e-mail*", "Address 1*", "City*", "Country*"}),
    not_taken={
        "Adress ID": "addresses have no key of the shop's here",
        "Address ID": "addresses have no key of the shop's here",
        "id": "addresses have no key of the shop's here",
        "Alias*": "an address of ours has a kind, not a name",
        "Active (0/1)": "an address of ours is not switched off",
        "Customer ID": "the customer is found by the e-mail",
        "Manufacturer": "an address of a manufacturer is not a customer's",
        "Supplier": "an address of a supplier is not a customer's",
        "Other": "an address of ours has no free text",
        "DNI": "national identity numbers are not kept",
    },
    notes=("Import the customers first: each row adds an address to the customer of its e-mail.",),
)
