"""A customer as one line of a table, under the column names that the importer reads back."""

from customers.models import Customer
from tenancy.permissions import sees_field

COLUMNS = (
    *("id", "number", *Customer.PROFILE, "status", "created_at", "updated_at", "version"),
    *("anonymised_at", "emails", "phones", "addresses", "contact_persons", "consents"),
    *("labels", "groups", "charge_account_number"),
)


def columns(role):
    """The columns that `role` may see."""
    hidden = {"charge_account_number": "charge_account"}
    return [name for name in COLUMNS if sees_field(role, hidden.get(name, name))]


def row_of(record):
    """A record with its labels, groups and charge account as text; the other lists stay lists and
    become JSON in their cells."""
    account = record.get("charge_account") or {}
    return record | {
        "labels": ";".join(f"{label['key']}:{label['value']}" for label in record["labels"]),
        "groups": ";".join(group["code"] for group in record.get("groups", ())),
        "charge_account_number": account.get("number"),
    }
