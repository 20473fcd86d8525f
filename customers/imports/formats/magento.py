"""The three customer files of Magento 2 (System > Import): customers, addresses, and both in one;
and the export of the list of customers.

https://docs.magento.com: "Customers Main File", "Customer Addresses", "Customers and Addresses
(single file)". Times are UTC. In the single file a customer with several addresses takes several
rows, of which only the first one names the customer.
"""

from typing import Any

from customers.imports.converting import Options
from customers.imports.errors import RowError
from customers.imports.mapping import Mapping, Rule

from .base import Format

_GENDERS = {
    "male": "male", "female": "female", "not specified": "not_disclosed",
    "1": "male", "2": "female", "3": "not_disclosed", "0": "",
}  # fmt: skip
_UTC = Options(utc=True)

_PERSON = (
    Rule.plain("email", "email"),
    Rule(("firstname", "middlename"), ("first_name",)),
    Rule.plain("lastname", "last_name"),
    Rule.plain("gender", "gender", values=_GENDERS),
    Rule.plain("dob", "birth_date"),
    Rule.plain("created_at", "created_at", options=_UTC),
    Rule.plain("taxvat", "vat_number"),
)
_SHOP_INTERNAL = "it belongs to the shop's own set-up"
_SECRET = "passwords and their tokens are never imported; customers set a new one"
_FORM_OF_ADDRESS = "we keep no form of address"
_NOT_TAKEN = {
    **dict.fromkeys(
        ("_website", "_store", "website_id", "store_id", "created_in", "confirmation",
         "disable_auto_group_change", "updated_at", "reward_update_notification",
         "reward_warning_notification"),
        _SHOP_INTERNAL,
    ),
    **dict.fromkeys(("password", "password_hash", "rp_token", "rp_token_created_at"), _SECRET),
    **dict.fromkeys(("prefix", "suffix"), _FORM_OF_ADDRESS),
    "group_id": "it is a number of the shop; translate it to `groups` in a mapping file",
}  # fmt: skip
_NOTES = (
    "Websites, store views and customer groups are the shop's own numbers and are not taken.",
    "Passwords are not imported: customers set a new one.",
)


def _address_rules(prefix: str) -> tuple[Rule, ...]:
    return (
        Rule((f"{prefix}street",), ("street", "street2", "street3"), split="\n"),
        Rule.plain(f"{prefix}city", "city"),
        Rule.plain(f"{prefix}region", "state"),
        Rule.plain(f"{prefix}postcode", "postal_code"),
        Rule.plain(f"{prefix}country_id", "country"),
        Rule.plain(f"{prefix}company", "address_company"),
        Rule((f"{prefix}firstname", f"{prefix}middlename"), ("address_first_name",)),
        Rule.plain(f"{prefix}lastname", "address_last_name"),
        Rule.plain(f"{prefix}telephone", "phone"),
        Rule.plain(f"{prefix}fax", "other_phone"),
    )


def _kind_of_address(
    values: dict[str, Any], record: dict[str, Any], errors: list[RowError]
) -> None:
    """Default billing makes a billing address, the primary one; default shipping a shipping one."""
    for address in record.get("addresses", ()):
        address.pop("primary", None)
        if str(values.get("_address_default_billing_") or "").strip() == "1":
            address.update(kind="billing", primary=True)
        elif str(values.get("_address_default_shipping_") or "").strip() == "1":
            address["kind"] = "shipping"
        else:
            address["kind"] = "other"


def _of_address(prefix: str) -> dict[str, str]:
    internal = ("_entity_id", "region_id", "vat_is_valid", "vat_request_date", "vat_request_id",
                "vat_request_success")  # fmt: skip
    return {
        **{f"{prefix}{name}": _SHOP_INTERNAL for name in internal},
        "_entity_id": _SHOP_INTERNAL,
        **{f"{prefix}{name}": _FORM_OF_ADDRESS for name in ("prefix", "suffix")},
        f"{prefix}vat_id": "an address of ours carries no VAT number",
        "_address_default_billing_": "it decides the kind of the address",
        "_address_default_shipping_": "it decides the kind of the address",
    }


CUSTOMERS = Format(
    name="magento",
    label="Magento 2 customers",
    mapping=Mapping(_PERSON, match="email"),
    required=frozenset({"email", "_website", "_store", "firstname", "lastname"}),
    forbidden=frozenset({"_address_city", "_address_street"}),
    not_taken=_NOT_TAKEN,
    notes=_NOTES,
)
COMPOSITE = Format(
    name="magento-composite",
    label="Magento 2 customers and addresses",
    mapping=Mapping(
        (*_PERSON, *_address_rules("_address_")), match="email", finish=_kind_of_address
    ),
    required=frozenset({"email", "_website", "firstname", "_address_city", "_address_street"}),
    continues="email",
    not_taken={**_NOT_TAKEN, **_of_address("_address_")},
    notes=(*_NOTES, "A row without an e-mail adds its address to the customer above it."),
)
GRID = Format(
    name="magento-grid",
    label="Magento 2 list of customers",
    mapping=Mapping(
        (
            Rule.plain("ID", "external_id"),
            Rule.plain("Name", "name"),
            Rule.plain("Email", "email"),
            Rule.plain("Group", "groups"),
            Rule.plain("Phone", "phone"),
            Rule.plain("ZIP", "postal_code"),
            Rule.plain("Country", "country"),
            Rule.plain("State/Province", "state"),
            Rule.plain("Customer Since", "created_at"),
            Rule.plain("Date of Birth", "birth_date"),
            Rule.plain("Tax VAT Number", "vat_number"),
            Rule.plain("Gender", "gender", values=_GENDERS),
        ),
        match="email",
    ),
    required=frozenset({"Customer Since", "Web Site", "Account Created in", "ZIP"}),
    not_taken={
        **dict.fromkeys(
            ("Web Site", "Confirmed email", "Account Created in", "Account Lock"), _SHOP_INTERNAL
        ),
        **dict.fromkeys(
            ("Billing Address", "Shipping Address", "City", "Fax", "VAT Number", "Company",
             "Street Address", "Billing Firstname", "Billing Lastname"),
            "the list has addresses in one line; take the file of customer addresses",
        ),
    },
    notes=("Import the file of customer addresses as well: the list has them in one line only.",),
)  # fmt: skip
ADDRESSES = Format(
    name="magento-addresses",
    label="Magento 2 customer addresses",
    mapping=Mapping(
        (Rule.plain("_email", "email"), *_address_rules("")),
        match="email",
        adds_children=True,
        finish=_kind_of_address,
    ),
    required=frozenset({"_email", "_website", "city", "street", "country_id"}),
    not_taken={**_NOT_TAKEN, **_of_address("")},
    notes=("Import the customers first: each row adds an address to the customer of its e-mail.",),
)
