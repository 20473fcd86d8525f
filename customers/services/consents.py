"""Consents: appended with their evidence, never changed."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

import normalise
from customers.columns import COLUMN_CLEANERS, Context
from customers.models import Consent
from customers.profile import LIST_LIMIT, UNKNOWN
from customers.services.changes import open_change
from events.actors import current
from tenancy import clock

FIELDS = {"purpose", "granted", "at", "store", "source", "wording_version"}


def build_consents(tenant, statements, store=None):
    """Unsaved Consent rows from a list of {"purpose", "granted", "source", "wording_version",
    "store", "at"}; the actor is stamped. Raises ValidationError naming `consents.<n>.<field>`."""
    if statements is None:
        return []
    if not isinstance(statements, (list, tuple)):
        raise ValidationError({"consents": ValidationError(_("Must be a list."), code="invalid")})
    if len(statements) > LIST_LIMIT:
        too_many = _("At most %(n)d entries.") % {"n": LIST_LIMIT}
        raise ValidationError({"consents": ValidationError(too_many, code="max_length")})
    rows, errors = [], {}
    for index, statement in enumerate(statements):
        try:
            rows.append(_build(tenant, statement, store))
        except ValidationError as error:
            path = f"consents.{index}"
            if hasattr(error, "error_dict"):
                errors |= {f"{path}.{name}": e for name, e in error.error_dict.items()}
            else:
                errors[path] = error.error_list
    purposes = [row.purpose for row in rows]
    if len(set(purposes)) < len(purposes):
        errors["consents"] = ValidationError(_("Each purpose once."), code="duplicate")
    if errors:
        raise ValidationError(errors)
    return rows


def _build(tenant, statement, store):
    if not isinstance(statement, dict):
        raise ValidationError(_("Must be an object."), code="invalid")
    unknown = set(statement) - FIELDS
    if unknown:
        raise ValidationError({name: ValidationError(UNKNOWN, "unknown") for name in unknown})
    errors = {}

    def collect(name, clean, *args, **options):
        try:
            return clean(*args, **options)
        except ValidationError as error:
            errors[name] = error.error_list
            return None

    context = Context(tenant, tenant.country)
    who = current().actor
    purpose = collect(
        "purpose", normalise.clean_identifier, statement.get("purpose") or "", max_length=40
    )
    if not purpose and "purpose" not in errors:
        errors["purpose"] = ValidationError(_("This field is required."), code="required")
    if statement.get("granted") is None:
        errors["granted"] = ValidationError(_("This field is required."), code="required")
        granted = None
    else:
        granted = collect("granted", normalise.clean_bool, statement["granted"])
    at = clock.now()
    if statement.get("at") is not None:
        at = collect("at", normalise.parse_instant, statement["at"], tz=tenant.timezone) or at
        if at > clock.now():
            errors["at"] = ValidationError(_("Lies in the future."), code="future")
    source = collect("source", normalise.clean_text, _given(statement, "source"), max_length=120)
    wording = collect(
        "wording_version",
        normalise.clean_text,
        _given(statement, "wording_version"),
        max_length=40,
    )
    if statement.get("store") is not None:
        store = collect("store", COLUMN_CLEANERS["home_store"], statement["store"], context)
    if errors:
        raise ValidationError(errors)
    return Consent(
        tenant=tenant,
        purpose=purpose,
        granted=granted,
        at=at,
        store=store,
        actor_kind=who.kind,
        actor_id=who.id,
        actor_label=who.label,
        source=source,
        wording_version=wording,
    )


def _given(statement, name):
    """None clears; whatever else is empty but no text is a mistake."""
    value = statement.get(name)
    return "" if value is None else value


def current_consents(customer):
    """Purpose -> the Consent row that holds now."""
    latest = {}
    for consent in customer.consents.all():
        if consent.purpose not in latest or consent.version > latest[consent.purpose].version:
            latest[consent.purpose] = consent
    return latest


def repeats(holds, row):
    """Whether a statement says only what holds already: the same answer, to no other wording."""
    return holds.granted == row.granted and row.wording_version in ("", holds.wording_version)


def state_consents(change, rows):
    """Append the statements that change something inside an open change. A repetition of what
    already holds is no new statement, and one that was made before what holds undoes nothing: a
    system that sends its old records again must not bring a withdrawn consent back. The same
    answer to a new wording is evidence of its own."""
    if not rows:
        return
    holds = current_consents(change.customer)
    for row in rows:
        before = holds.get(row.purpose)
        if before is not None and (repeats(before, row) or row.at < before.at):
            continue
        row.customer = change.customer
        change.consents.append(row)
        change.record(f"consent {row.purpose}", before.granted if before else None, row.granted)


def record_consent(customer, *, purpose, granted, reason="", **evidence):
    """State that a customer grants or withdraws one consent. Raises ValidationError by field."""
    statement = {"purpose": purpose, "granted": granted, **evidence}
    rows = build_consents(customer.tenant, [statement])
    with open_change(customer, deed="customer.updated", reason=reason) as change:
        state_consents(change, rows)
    return customer
