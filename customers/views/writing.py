"""Registering and changing by the rights of a caller: one function per deed, used by the single
endpoints and by each item of a batch alike.

The rules themselves are the services'; here stands only who may set which name.
"""

from difflib import get_close_matches

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from api.problems import FieldsRefused
from customers.hooks import hooks
from customers.models import Customer
from customers.records import COLUMNS
from customers.services import register_customer, update_customer
from customers.services.placing import store_of_registration
from tenancy.permissions import CUSTOMER, changes_field

# Read in every record, never written by a caller.
SERVER_OWNED = {
    *("number", "status", "created_at", "updated_at", "version", "anonymised_at", "merged_into"),
    *("merged_from", "reachable"),
    *("avatar", "devices", "store_profiles", "charge_account", "tenant"),
} | set(COLUMNS)
ONLY_AT_REGISTRATION = ("id", "password", "status", "store")
PROVEN_ONLY_BY_CODE = ("verified",)
# When and where a customer agreed is not for the customer to claim.
STAFF_EVIDENCE = ("at", "store")
# Enough to see what is wrong; looking for the nearest name takes its time.
MOST_NAMED = 20
# What a registration says about itself rather than about the customer.
NO_FIELDS = {"store"}


def changeable():
    """The names that an update takes."""
    return {*Customer.PROFILE, *Customer.CHILD_LISTS, *hooks.fields, "consents"}


def check_names(body, known):
    """Refuse names that nobody may set, with the nearest known one. Raises ValidationError."""
    errors = {}
    for name in body:
        if name in known:
            continue
        if len(errors) == MOST_NAMED:
            break
        if name in SERVER_OWNED or name in ONLY_AT_REGISTRATION:
            errors[name] = ValidationError(_("This cannot be set here."), code="read_only")
        else:
            close = get_close_matches(name, sorted(known), n=1)
            hint = _(" Did you mean %s?") % close[0] if close else ""
            errors[name[:100]] = ValidationError(
                _("Unknown field.%(hint)s"), code="unknown", params={"hint": hint}
            )
    if errors:
        raise ValidationError(errors)


def check_rights(principal, body):
    """Refuse known names that this caller's role may not set. Raises FieldsRefused (403)."""
    refused = {
        name for name in body if name not in NO_FIELDS and not changes_field(principal.kind, name)
    }
    if principal.kind == CUSTOMER:
        for name in ("emails", "phones"):
            rows = body.get(name)
            refused |= {
                f"{name}.{index}.{key}"
                for index, row in enumerate(rows if isinstance(rows, list) else ())
                for key in PROVEN_ONLY_BY_CODE
                if isinstance(row, dict) and key in row
            }
        statements = body.get("consents")
        refused |= {
            f"consents.{index}.{key}"
            for index, statement in enumerate(statements if isinstance(statements, list) else ())
            for key in STAFF_EVIDENCE
            if isinstance(statement, dict) and key in statement
        }
    if refused:
        raise FieldsRefused(refused)


def _check_new_rows(body):
    errors = {
        f"{name}.{index}.id": ValidationError(_("This cannot be set here."), code="read_only")
        for name in Customer.CHILD_LISTS
        if isinstance(body.get(name), list)
        for index, row in enumerate(body[name])
        if isinstance(row, dict) and row.get("id") is not None
    }
    if errors:
        raise ValidationError(errors)


def register(principal, body, *, number=None, then=None):
    """Register a customer for `principal` from a body; returns the Customer.

    A token that is bound to stores registers there alone: at its only one, or at the one that
    `store` names. `number` is for callers that took it before, `then` as for register_customer.
    Raises ValidationError, FieldsRefused, OtherStore.
    """
    body = dict(body)
    check_names(body, changeable() | set(ONLY_AT_REGISTRATION))
    _check_new_rows(body)
    check_rights(principal, body)
    store = store_of_registration(
        principal, named=body.pop("store", None), home=body.get("home_store")
    )
    if "status" in body and body["status"] not in (Customer.Status.NEW, Customer.Status.ACTIVE):
        raise ValidationError(
            {"status": ValidationError(_("Register as new or active."), code="invalid_choice")}
        )
    consents = body.pop("consents", None) or ()
    return register_customer(store=store, consents=consents, number=number, then=then, **body)


def change(principal, customer, body, *, expected=None):
    """Change a customer for `principal` by a body; returns the Customer as it now is.

    Raises ValidationError, FieldsRefused, VersionConflict, CustomerGone.
    """
    body = dict(body)
    body.pop("version", None)
    check_names(body, changeable())
    check_rights(principal, body)
    return update_customer(customer, expected_version=expected, **body)
