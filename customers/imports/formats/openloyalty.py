"""The customer file of Open Loyalty: XML, one element <customer> after the other.

Its own checks come first, in its own order, and only the first that fails is told, in its words:
people compare the refusals with those they know.
"""

import re
from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError

import normalise
from customers.imports.mapping import Mapping, RowError, Rule

from .base import Format

ADDRESS = {
    "street": "street", "address1": "street2", "address2": "street3", "postal": "postal_code",
    "city": "city", "province": "state", "country": "country",
}  # fmt: skip
CONSENTS = {
    "agreement1": "legal", "agreement2": "marketing", "agreement3": "data_processing",
}  # fmt: skip
GENDERS = ("male", "female", "not_disclosed")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


# --- The checks --------------------------------------------------------------------------------
def _needed(name: str, value: str | None) -> str | None:
    return f"{name} is required node" if value is None else None


def _flag(name: str, value: str | None) -> str | None:
    if value in (None, "", "0", "true", "false"):
        return None
    return f"{name} should one of (true, false)"


def _needed_flag(name: str, value: str | None) -> str | None:
    return _needed(name, value) or _flag(name, value)


def _day(name: str, value: str | None) -> str | None:
    try:
        if _DAY.fullmatch(value or ""):
            date.fromisoformat(value)
            return None
    except ValueError:
        pass
    return f"{name} has invalid date format (Y-m-d required)"


def _gender(name: str, value: str | None) -> str | None:
    if value is not None and value not in GENDERS:
        return f"{name} should one of ({', '.join(GENDERS)})"
    return _needed(name, value)


def _uuid(name: str, value: str | None) -> str | None:
    if not value:
        return None
    try:
        return None if str(UUID(value)) == value.lower() else f"{name} should be UUID"
    except ValueError:
        return f"{name} should be UUID"


CHECKS: tuple[tuple[str, Callable[[str, str | None], str | None]], ...] = (
    ("email", _needed),
    ("firstName", _needed),
    ("lastName", _needed),
    ("active", _needed_flag),
    ("sendActivationMail", _flag),
    ("birthDate", _day),
    ("agreement1", _needed_flag),
    ("agreement2", _flag),
    ("agreement3", _flag),
    ("gender", _gender),
    ("levelId", _uuid),
    ("posId", _uuid),
    ("sellerId", _uuid),
)


def _checked(values: dict[str, Any], record: dict[str, Any], errors: list[RowError]) -> None:
    """Tell the first check that fails, or complete the record."""
    for name, check in CHECKS:
        message = check(name, values.get(name))
        if message:
            errors[:] = [RowError(name, values.get(name), message)]
            return
    errors[:] = [error for error in errors if error.column not in (*CONSENTS, "labels")]
    record["status"] = "active" if values["active"] == "true" else "new"
    record["consents"] = [
        {"purpose": purpose, "granted": values.get(name) == "true", "source": "Open Loyalty"}
        for name, purpose in CONSENTS.items()
        if values.get(name)
    ]
    if values.get("company/name") and values.get("company/nip"):
        record["kind"] = "company"
    else:
        record.pop("company_name", None), record.pop("vat_number", None)
    labels = [row for row in values.get("labels") or () if row.get("key")]
    record.pop("labels", None)
    if labels:
        record["labels"] = [{"key": row["key"], "value": row.get("value", "")} for row in labels]
    for address in record.get("addresses", ()):
        _drop_unknown_country(address)


def _drop_unknown_country(address: dict[str, Any]) -> None:
    """This format keeps any text as a country; we keep countries."""
    try:
        normalise.clean_country(address.get("country", ""))
    except ValidationError:
        del address["country"]


CUSTOMERS = Format(
    name="openloyalty-xml",
    label="Open Loyalty customers (XML)",
    kind="xml",
    mapping=Mapping(
        (
            Rule.plain("email", "login_email"),
            Rule.plain("firstName", "first_name"),
            Rule.plain("lastName", "last_name"),
            Rule.plain("gender", "gender"),
            Rule.plain("birthDate", "birth_date"),
            Rule.plain("phone", "login_phone"),
            Rule.plain("loyaltyCardNumber", "card_number"),
            Rule.plain("levelId", "level"),
            Rule.plain("posId", "home_store"),
            Rule.plain("sellerId", "seller"),
            Rule.plain("company/name", "company_name"),
            Rule.plain("company/nip", "vat_number"),
            *(Rule.plain(f"address/{theirs}", ours) for theirs, ours in ADDRESS.items()),
            # These are said again by `_checked`, which knows what this format lets pass.
            Rule.plain("active", "status", values={"true": "active"}, otherwise="drop"),
            *(Rule.plain(name, f"consent_{purpose}") for name, purpose in CONSENTS.items()),
            Rule.plain("labels", "labels"),
        ),
        match="login_email",
        finish=_checked,
        ignored=frozenset({"sendActivationMail"}),
        loose=frozenset({"level", "home_store", "seller"}),
    ),
    required=frozenset({"email", "firstName", "birthDate", "agreement1", "address/street"}),
    on_match="refuse",
    not_taken={"sendActivationMail": "an import sends no activation mails"},
    notes=(
        "Who is here already is refused: this format describes new customers.",
        "A level, store or seller that does not exist is left out.",
    ),
)
