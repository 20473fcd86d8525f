"""Registering many customers at once, by the rules of a single registration.

What a registration says becomes rows by the same functions (`registering.fill`); only the saving is
another: each table in one go.
"""

from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from uuid import UUID

from django.db import transaction

from customers.hooks import hooks
from customers.models import Consent, Customer
from customers.profile import CHILD_LISTS, Profile
from customers.services.changes import Beginning, events_left_out, opening_many
from customers.services.registering import fill, tell_new
from events.services import write_events, write_history
from tenancy import clock
from tenancy.bulk import draft_class, insert_rows, new_ids
from tenancy.bulk_copy import copying_behind
from tenancy.scoping import current_tenant

DEED = "customer.registered"
PIECE = 1_000  # so many customers are stored while the next ones are made


@dataclass(slots=True)
class Registration:
    """What `register_customer` takes, cleaned already: a Profile and unsaved Consent rows."""

    clean: Profile
    number: int
    id: UUID
    status: str = Customer.Status.ACTIVE
    created_at: object = None
    statements: list = field(default_factory=list)


def may_be_registered_together(clean):
    """Whether every part of a clean profile can be written for many at once."""
    return all(hooks.fields[name].apply_many is not None for name in clean.extras)


def register_customers(registrations, *, reason=""):
    """Register customers of the active tenant, all of them or none.

    `registrations` may yield them one by one, to be made while those before are stored. Raises
    IntegrityError where an identifier is taken, ValidationError where a higher app refuses one of
    them: which one, only a single registration tells.
    """
    instant, tenant = clock.now(), current_tenant()
    with transaction.atomic():
        joining = [hook(tenant) for hook in hooks.registered_many]
        with copying_behind():
            rest = iter(registrations)
            while piece := list(islice(rest, PIECE)):
                if any(one.clean.extras for one in piece):
                    # What a higher app does for its fields asks the database: better only once.
                    piece += rest
                _register(piece, joining, instant, tenant, reason)


def _register(registrations, joining, instant, tenant, reason):
    changes = _bring_in(registrations, instant, tenant, reason)
    with opening_many(changes):
        _apply_extras(registrations, changes)
        for join in joining:
            join(changes)
        _save_columns(changes)
        consents = [consent for change in changes for consent in change.consents]
        for consent in consents:
            consent.version = 1
        insert_rows(Consent, consents)
        _leave_traces(tenant, changes, reason)


def _bring_in(registrations, instant, tenant, reason):
    """Insert the customers themselves with their lists; returns their changes."""
    make = draft_class(Customer, "birth_date", "code")
    make_child = partial(_child, instant, tenant, new_ids())
    changes, rows = [], {name: [] for name in CHILD_LISTS}
    for one in registrations:
        customer = make(
            id=one.id,
            tenant=tenant,
            tenant_id=tenant.pk,
            number=one.number,
            status=one.status,
            created_at=one.created_at or instant,
            updated_at=instant,
        )
        change = Beginning(customer, DEED, reason)
        children = fill(change, one.clean, one.statements, make=make_child)
        tell_new(change, children)
        changes.append(change.begun())
        for name, found in children.items():
            rows[name] += found
    insert_rows(Customer, [change.customer for change in changes])
    for name, found in rows.items():
        insert_rows(CHILD_LISTS[name].model, found)
    return changes


def _child(instant, tenant, ids, model, columns):
    columns["id"], columns["created_at"] = next(ids), instant
    columns["tenant_id"], columns["customer_id"] = tenant.pk, columns["customer"].id
    return draft_class(model).of(columns)


def _apply_extras(registrations, changes):
    by_name = {}
    for one, change in zip(registrations, changes, strict=True):
        for name, value in one.clean.extras.items():
            by_name.setdefault(name, []).append((change, value))
    for name, pairs in by_name.items():
        hooks.fields[name].apply_many(pairs)


def _save_columns(changes):
    """What a joining app has set of a customer after all."""
    for change in changes:
        if change.columns:
            columns = {name: getattr(change.customer, name) for name in change.columns}
            Customer.objects.filter(pk=change.customer.pk).update(**columns)


def _leave_traces(tenant, changes, reason):
    told = ((change.customer.pk, DEED, 1, change.changes) for change in changes)
    write_history(tenant, "customer", told, reason=reason)
    if not events_left_out():
        write_events(tenant, DEED, "customer", ((change.customer.pk, 1) for change in changes))
