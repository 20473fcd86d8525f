"""Changing a registered customer."""

from contextlib import contextmanager

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from customers.columns import Context
from customers.hooks import hooks
from customers.models import Address, Customer
from customers.profile import clean_child, clean_profile
from customers.services import children
from customers.services.changes import CustomerGone, open_change, survivor_of
from customers.services.consents import build_consents, state_consents
from customers.services.registering import (
    clean_created_at,
    collected,
    set_columns,
    stand_in_contacts,
)
from customers.services.slots import (
    KEPT,
    Places,
    kept_slot,
    with_places,
    with_rows_beside,
    with_slot,
)
from events import reading

# The list in which a sign-in stands.
SIGN_INS = {"emails": "login_email", "phones": "login_phone"}


class NoSuchEntry(Exception):
    """The child row does not exist at this customer."""


def update_customer(
    customer,
    *,
    reason="",
    expected_version=None,
    consents=None,
    slots=None,
    created_at=None,
    **changes,
):
    """Change the named parts of a customer; what is not named stays, None clears.

    A child list replaces the whole list: rows are recognised by `id`, else by what they say.
    `slots` maps a list to the one row that a wire knows of it (`customers.slots`), None to empty
    it, or to `Places`; the other rows stay, and so does what an address's row does not name. A
    list of addresses that comes together with its slot (KEPT: unchanged) is that of the others.
    `created_at` corrects the time of a registration made elsewhere.
    Raises one ValidationError by field (unknown names included), VersionConflict, CustomerGone.
    When nothing differs, nothing moves. A customer that somebody else brought up to date meanwhile
    is changed as it now is.
    """
    tenant, country, errors = customer.tenant, country_of(customer), {}
    clean = collected(errors, clean_profile, changes, tenant=tenant, country=country)
    statements = collected(errors, build_consents, tenant, consents)
    slots = collected(errors, _clean_slots, slots or {}, Context(tenant, country))
    created_at = collected(errors, clean_created_at, created_at, tenant)
    if errors:
        raise ValidationError(errors)
    with open_change(
        customer, deed="customer.updated", reason=reason, expected_version=expected_version
    ) as change:
        # The slot is found by the sign-in as it was.
        for name, item in slots.items():
            clean.children[name] = _rows_of_slot(change.customer, clean, name, item)
        if created_at is not None:
            change.set("created_at", created_at)
        bring_in(change, clean, statements, replace=children.replace_children)
    return customer


def _rows_of_slot(customer, clean, name, item):
    if isinstance(item, Places):
        return with_places(customer, name, item)
    if item is KEPT:
        wanted = kept_slot(customer, name)
    else:
        of_sign_in = SIGN_INS.get(name) in clean.columns
        wanted = with_slot(customer, name, item, of_sign_in=of_sign_in)
    if name in clean.children:
        kind = Address.Kind.SHIPPING
        return with_rows_beside(customer, name, wanted, clean.children[name], kind=kind)
    return wanted


def bring_in(change, clean, statements, *, replace):
    """Bring a clean profile and statements of consent into the open change of a customer.

    `replace(change, list_name, rows)` is what becomes of a list: it is brought about
    (`replace_children`), or planned for many customers at once.
    """
    set_columns(change, clean.columns)
    _keep_logins_listed(change, clean)
    for name, rows in clean.children.items():
        replace(change, name, rows)
    for name, value in clean.extras.items():
        hooks.fields[name].apply(change, value)
    state_consents(change, statements)


def _clean_slots(slots, context):
    """The clean items; raises ValidationError by `list.column` or `list.place.column`."""
    errors = {}

    def clean(list_name, path, item, **options):
        try:
            return None if item is None else clean_child(list_name, item, context, **options)
        except ValidationError as error:
            if hasattr(error, "error_dict"):
                errors.update({f"{path}.{field}": told for field, told in error.error_dict.items()})
            else:
                errors[path] = error.error_list
            return None

    found = {}
    for name, item in slots.items():
        if item is KEPT:
            found[name] = KEPT
        elif isinstance(item, Places):
            rows = {
                place: clean(name, f"{name}.{place}", row, new=False)
                for place, row in item.items.items()
            }
            found[name] = Places(item.kinds, rows)
        else:
            # Whether an address says anything is seen once it meets the one that is there.
            found[name] = clean(name, name, item, new=name != "addresses")
    if errors:
        raise ValidationError(errors)
    return found


def _keep_logins_listed(change, clean):
    """Where a sign-in or its contact list changes, the sign-in goes on standing in the list."""
    for name, login in SIGN_INS.items():
        if name not in clean.children and not clean.columns.get(login):
            continue
        kept = ("address", "address_key") if name == "emails" else ("digits",)
        rows = sorted(getattr(change.customer, name).all(), key=lambda row: row.position)
        stored = {str(row.pk): {column: getattr(row, column) for column in kept} for row in rows}
        listed = clean.children.get(name, [{"id": row_id} for row_id in stored])
        # A row that only names its id says nothing of its contact point; the stored row does.
        clean.children[name] = [
            row if kept[-1] in row else {**row, **stored.get(row.get("id"), {})} for row in listed
        ]
        stand_in_contacts(change.customer, clean.children, lists=(name,))


def add_entry(customer, list_name, values, *, reason="", expected_version=None):
    """Add one row to a child list ("emails", "phones", "addresses", "contact_persons", "labels")
    and return it. A contact point that is there already is changed instead of doubled."""
    row = clean_child(list_name, values, _context(customer))
    row.pop("id", None)
    with open_change(
        customer, deed="customer.updated", reason=reason, expected_version=expected_version
    ) as change:
        same = _find_same(change, list_name, row)
        if same is not None:
            return children.change_child(change, list_name, same, row)
        if getattr(change.customer, list_name).count() >= 100:
            raise ValidationError(_("At most 100 entries."), code="max_length")
        return children.add_child(change, list_name, row)


def _find_same(change, list_name, row):
    if list_name == "emails":
        rows = change.customer.emails.filter(address_key=row["address_key"])
    elif list_name == "phones":
        rows = change.customer.phones.filter(
            digits=row["digits"], extension=row.get("extension", "")
        )
    else:
        return None
    return rows.values_list("pk", flat=True).first()


def change_entry(customer, list_name, entry_id, values, *, reason="", expected_version=None):
    """Change the named columns of one row and return it. Raises NoSuchEntry."""
    row = clean_child(list_name, {**values, "id": entry_id}, _context(customer), new=False)
    with open_change(
        customer, deed="customer.updated", reason=reason, expected_version=expected_version
    ) as change:
        with _of_one_row():
            changed = children.change_child(change, list_name, entry_id, row)
        if changed is None:
            raise NoSuchEntry
        return changed


@contextmanager
def _of_one_row():
    """Name a refused field as the row does, not by its place in a list that nobody sent."""
    try:
        yield
    except ValidationError as error:
        if not hasattr(error, "error_dict"):
            raise
        raise ValidationError(
            {name.rpartition(".")[2]: errors for name, errors in error.error_dict.items()}
        ) from error


def remove_entry(customer, list_name, entry_id, *, reason="", expected_version=None):
    """Remove one row of a child list. Raises NoSuchEntry."""
    with open_change(
        customer, deed="customer.updated", reason=reason, expected_version=expected_version
    ) as change:
        if not children.remove_child(change, list_name, entry_id):
            raise NoSuchEntry


def get_customer(customer_id):
    """The customer with this id in the active tenant, or the one that the record with this id was
    merged into; raises CustomerGone."""
    customer = Customer.objects.filter(pk=customer_id).first()
    if customer is None:
        # Asked only now: hardly any id is an old one.
        customer = Customer.objects.filter(pk=survivor_of(customer_id)).first()
    if customer is None:
        raise CustomerGone
    reading.tell("customer", customer.pk)
    return customer


def country_of(customer):
    """The country by which a customer's phones and numbers are read."""
    store = customer.home_store
    return (store.country if store else "") or customer.tenant.country


def _context(customer):
    return Context(customer.tenant, country_of(customer))
