"""Changing many customers at once, by the rules of a single update.

What an update says meets what is there by the same functions (`updating.bring_in`); only reading
and saving are others: a constant number of statements for all of them.
"""

from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import prefetch_related_objects

from customers.models import Customer
from customers.profile import clean_profile
from customers.services.changes import begin_change, opening_many, write_many
from customers.services.children import plan_children, write_plans
from customers.services.consents import build_consents
from customers.services.updating import bring_in, country_of
from tenancy.models import Store
from tenancy.scoping import current_tenant

DEED = "customer.updated"
# What a search looks at, and where a sign-in stands.
ALWAYS_READ = ("emails", "phones", "contact_persons")


@dataclass(slots=True)
class Update:
    """What `update_customer` takes: the names of the profile but those of higher apps, statements
    of consent, and the version that they were worked out for."""

    id: UUID
    expected_version: int
    profile: dict = field(default_factory=dict)
    statements: list = field(default_factory=list)


def update_customers(updates, *, reason=""):
    """Change customers of the active tenant; returns the version at which each now is, by id (the
    expected one where nothing differs).

    Left out, and not touched, is whom only a single update can change or refuse: who has moved on
    from the expected version, is gone, anonymised or merged with another record, and whose update a
    rule refuses. The rows are locked in the order of their ids until the transaction ends, so that
    an edit that comes meanwhile waits and then meets what was written here. Raises IntegrityError
    or DataError where the database refuses one of them; then nobody was changed.
    """
    by_id = {one.id: one for one in updates}
    with transaction.atomic():
        customers = [
            customer
            for customer in lock_customers(by_id)
            if customer.version == by_id[customer.pk].expected_version
            and customer.anonymised_at is None
        ]
        _read_lists(customers, updates)
        changes = [begin_change(customer, deed=DEED, reason=reason) for customer in customers]
        with opening_many(changes):
            planned = {}
            for change in changes:
                plans = _planned(change, by_id[change.customer.pk])
                if plans is not None:
                    planned[change.customer.pk] = (change, plans)
            write_plans(plan for _change, plans in planned.values() for plan in plans)
            said = [change for change, _plans in planned.values() if _says_anything(change)]
            lists = {key: _lists_of(change, plans) for key, (change, plans) in planned.items()}
            write_many(said, lists=lists)
    return {key: change.customer.version for key, (change, _plans) in planned.items()}


def lock_customers(ids):
    """The rows of these customers, locked until the transaction ends, in the order of their ids (as
    everybody who locks several does); without those who are merged with another record."""
    rows = Customer.objects.select_for_update(of=("self",)).filter(pk__among=list(ids))
    found = list(rows.order_by("pk"))
    former = Customer.with_merged.filter(merged_into__among=[one.pk for one in found])
    merged = set(former.values_list("merged_into", flat=True))
    return [customer for customer in found if customer.pk not in merged]


def _read_lists(customers, updates):
    tenant = current_tenant()
    stores = Store.objects.in_bulk({one.home_store_id for one in customers if one.home_store_id})
    for customer in customers:
        customer.tenant = tenant
        if customer.home_store_id is not None:
            customer.home_store = stores[customer.home_store_id]
    named = {name for one in updates for name in one.profile}
    lists = {*ALWAYS_READ, *(named & {*Customer.CHILD_LISTS})}
    if any(one.statements for one in updates):
        lists.add("consents")
    prefetch_related_objects(customers, *sorted(lists))


def _planned(change, update):
    """What is to be written of the lists of one customer; None where a rule refuses the update."""
    customer, plans = change.customer, []
    try:
        clean = clean_profile(update.profile, tenant=customer.tenant, country=country_of(customer))
        statements = build_consents(customer.tenant, update.statements)
        if clean.extras:
            return None
        bring_in(change, clean, statements, replace=partial(_plan, plans))
    except ValidationError:
        return None
    return plans


def _plan(plans, change, list_name, rows):
    plans.append(plan_children(change, list_name, rows))


def _says_anything(change):
    return bool(change.changes or change.columns)


def _lists_of(change, plans):
    """The lists that a search looks at, as they will be."""
    will_be = {plan.name: plan.rows for plan in plans}
    return {
        name: will_be[name] if name in will_be else list(getattr(change.customer, name).all())
        for name in ALWAYS_READ
    }
