"""Writing memberships.

A membership is part of the customer: each deed on one runs inside the customer's open change, so
that version, history and event move once.
"""

import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.db import connection
from django.utils.translation import gettext_lazy as _

import normalise
from customers.services import open_change
from customers.stores import find_store
from events.actors import current
from groups.models import Group, Subscription
from tenancy import clock
from tenancy.bulk import draft_class, insert_rows
from tenancy.models import Store
from tenancy.permissions import CUSTOMER
from tenancy.scoping import current_tenant
from tenancy.services import take_subscription_codes

CUSTOM_DATA = ("custom_data1", "custom_data2", "custom_data3", "custom_data4")
EVIDENCE = ("store", "source", "wording_version")


@dataclass(slots=True)
class Wish:
    """Clean values for one membership. `subscribed` None: as it is, and yes for a new member."""

    group: Group
    subscribed: bool | None = None
    store: Store | None = None
    source: str = ""
    wording_version: str = ""
    custom_data: dict = field(default_factory=dict)
    code: int | None = None  # a number taken beforehand


def subscribe_customer(
    customer,
    group,
    *,
    subscribed=True,
    store=None,
    source="",
    wording_version="",
    reason="",
    expected_version=None,
    **custom_data,
):
    """Put a customer into a group with the given flag, or set the flag of a member.

    Returns the Subscription. The acting person and the time are stamped as evidence whenever the
    flag changes; the same flag again changes nothing. Raises ValidationError: an unknown group,
    store or value by field; code "private_group" when the customer acts and the group is private.
    """
    wish = clean_wish(
        {
            "group": group,
            "subscribed": subscribed,
            "store": store,
            "source": source,
            "wording_version": wording_version,
            **custom_data,
        }
    )
    customer_id = getattr(customer, "pk", customer)
    if not Subscription.objects.filter(customer=customer_id, group=wish.group).exists():
        # Before the customer is locked: the counter stands in the tenant's row.
        wish.code = take_subscription_codes(current_tenant())
    with (
        open_change(
            customer, deed="customer.updated", reason=reason, expected_version=expected_version
        ) as change,
        telling(change),
    ):
        return apply_wish(change, wish)


def unsubscribe_customer(customer, group, **evidence):
    """Set a customer's flag in a group to no: still a member, but no mail of this group."""
    return subscribe_customer(customer, group, subscribed=False, **evidence)


def add_to_group(customer, group, *, subscribed, source="", reason=""):
    """Put a customer into a group; False where the customer is in it already, whose flag stays as
    it is: to add many is no statement about those who said something themselves.

    Raises ValidationError as `subscribe_customer` does.
    """
    wish = clean_wish({"group": group, "subscribed": subscribed, "source": source})
    customer_id = getattr(customer, "pk", customer)
    members = Subscription.objects.filter(customer=customer_id, group=wish.group)
    if not members.exists():
        # Before the customer is locked, as above.
        wish.code = take_subscription_codes(current_tenant())
    with (
        open_change(customer, deed="customer.updated", reason=reason) as change,
        telling(change),
    ):
        if Subscription.objects.filter(customer=change.customer, group=wish.group).exists():
            return False
        _join(change, wish, wish.subscribed)
        return True


def join_groups(customer, wishes, *, reason=""):
    """Bring about memberships of a customer beside those that are there, as one change; returns
    the Subscriptions. `wishes` are what `clean_wish` answers.

    Raises ValidationError: code "private_group" when the customer acts and a group is private.
    """
    with (
        open_change(customer, deed="customer.updated", reason=reason) as change,
        telling(change),
    ):
        return [apply_wish(change, wish) for wish in wishes]


def remove_from_group(customer, group, *, reason="", expected_version=None):
    """Take a customer out of a group; False where the customer was not in it.

    Raises ValidationError: an unknown group; code "private_group" when the customer acts and the
    group is private.
    """
    group = _named("group", find_group, group)
    with (
        open_change(
            customer, deed="customer.updated", reason=reason, expected_version=expected_version
        ) as change,
        telling(change),
    ):
        member = Subscription.objects.filter(customer=change.customer, group=group).first()
        if member is None:
            return False
        leave_group(member)
        return True


@contextmanager
def telling(change):
    """Record what the block does to the memberships, under the one name `groups`: a name with the
    group's code in it would outlive an erasure, which empties values only."""
    before = _told(change.customer)
    yield
    after = _told(change.customer)
    if before != after:
        change.record("groups", before, after)


def _told(customer):
    rows = Subscription.objects.filter(customer=customer).select_related("group")
    return [_tell_member(row) for row in rows.order_by("group__code")]


def _tell_member(row):
    marks = [] if row.subscribed else ["not subscribed"]
    marks += [f"{name}: {getattr(row, name)}" for name in CUSTOM_DATA if getattr(row, name)]
    return f"{row.group.code} ({', '.join(marks)})" if marks else row.group.code


def apply_wish(change, wish):
    """Bring about one membership inside a customer's open change; returns the Subscription."""
    group = wish.group
    if wish.custom_data and _customer_acts():
        staff_only = ValidationError(_("Only staff may set this."), code="read_only")
        raise ValidationError(dict.fromkeys(wish.custom_data, staff_only))
    member = Subscription.objects.filter(customer=change.customer, group=group).first()
    wanted = wish.subscribed if wish.subscribed is not None else member is None or member.subscribed
    if member is None:
        return _join(change, wish, wanted)
    dirty = set()
    if member.subscribed != wanted:
        _refuse_private(group)
        member.subscribed = wanted
        dirty |= {"subscribed", *_stamp(member, wish)}
    for name, value in wish.custom_data.items():
        if getattr(member, name) != value:
            _refuse_private(group)
            setattr(member, name, value)
            dirty.add(name)
    if dirty:
        member.save(update_fields=sorted(dirty))
    return member


def leave_group(member):
    """Remove one membership, inside the customer's open change."""
    _refuse_private(member.group)
    member.delete()


def _join(change, wish, wanted):
    _refuse_private(wish.group)
    if not hold_group(wish.group.pk):
        raise ValidationError({"group": no_such_group()})
    code = wish.code or take_subscription_codes(change.customer.tenant)
    member = _new_member(Subscription, change, wish, wanted, code)
    member.save(force_insert=True)
    return member


def _new_member(make, change, wish, wanted, code):
    member = make(
        id=uuid.uuid4(),
        tenant=change.customer.tenant,
        code=code,
        customer_id=change.customer.pk,
        group=wish.group,
        subscribed=wanted,
        created_at=clock.now(),
        **wish.custom_data,
    )
    _stamp(member, wish)
    return member


def join_many(pairs):
    """Put many new customers into groups at once; `pairs` are (open change, Wishes).

    Raises ValidationError as a single membership does; then nobody has joined anything.
    """
    groups = {wish.group.pk: wish.group for _change, wishes in pairs for wish in wishes}
    for group in groups.values():
        _refuse_private(group)
        if not hold_group(group.pk):
            raise ValidationError({"group": no_such_group()})
    n_wishes = sum(len(wishes) for _change, wishes in pairs)
    code = take_subscription_codes(current_tenant(), n_wishes)
    make, members = draft_class(Subscription), []
    for change, wishes in pairs:
        own = []
        for wish in wishes:
            if wish.custom_data and _customer_acts():
                staff_only = ValidationError(_("Only staff may set this."), code="read_only")
                raise ValidationError(dict.fromkeys(wish.custom_data, staff_only))
            own.append(_new_member(make, change, wish, wish.subscribed is not False, code))
            code += 1
        own.sort(key=lambda member: member.group.code)
        change.record("groups", [], [_tell_member(member) for member in own])
        members += own
    insert_rows(Subscription, members)


def _stamp(member, wish):
    """Write down who set the flag, when, where and on which wording."""
    who = current().actor
    evidence = {
        "at": clock.now(),
        "store": wish.store,
        "source": wish.source,
        "wording_version": wish.wording_version,
        "actor_kind": who.kind,
        "actor_id": who.id,
        "actor_label": who.label,
    }
    for name, value in evidence.items():
        setattr(member, name, value)
    return evidence


def _customer_acts():
    return current().actor.kind == CUSTOMER


def _refuse_private(group):
    if _customer_acts() and group.subscribable != Group.Subscribable.PUBLIC:
        raise ValidationError(
            _("Only staff may change who is in this group."), code="private_group"
        )


def clean_wish(values):
    """A Wish from {"group", "subscribed", "store", "source", "wording_version", "custom_data1"…4}.

    Raises one ValidationError naming every bad field, unknown names included.
    """
    unknown = set(values) - {"group", "subscribed", *EVIDENCE, *CUSTOM_DATA}
    errors = {name: ValidationError(_("Unknown field."), code="unknown") for name in unknown}

    def collect(name, clean, *args, **options):
        try:
            return clean(*args, **options)
        except ValidationError as error:
            errors[name] = error.error_list
            return None

    wish = Wish(group=None)
    if values.get("group") in (None, ""):
        errors["group"] = ValidationError(_("This field is required."), code="required")
    else:
        wish.group = collect("group", find_group, values["group"])
    if values.get("subscribed") is not None:
        wish.subscribed = collect("subscribed", normalise.clean_bool, values["subscribed"])
    if values.get("store") not in (None, ""):
        wish.store = collect("store", _find_store, values["store"])
    for name in ("source", "wording_version"):
        text = collect(
            name,
            normalise.clean_text,
            values.get(name) or "",
            max_length=Subscription._meta.get_field(name).max_length,
        )
        setattr(wish, name, text)
    for name in CUSTOM_DATA:
        if name in values:
            wish.custom_data[name] = collect(
                name,
                normalise.clean_text,
                "" if values[name] is None else values[name],
                max_length=Subscription._meta.get_field(name).max_length,
                multiline=True,
            )
    if errors:
        raise ValidationError(errors)
    return wish


def _find_store(value):
    if isinstance(value, Store):
        found = value if value.tenant_id == current_tenant().pk else None
    else:
        found = find_store(value)
    if found is None:
        raise ValidationError(_("No such store."), code="does_not_exist")
    return found


def _named(name, clean, *args):
    try:
        return clean(*args)
    except ValidationError as error:
        raise ValidationError({name: error.error_list}) from error


def no_such_group():
    return ValidationError(_("No such group."), code="does_not_exist")


def find_group(reference):
    """The group of the active tenant that is meant: a Group, its id or its code.

    Raises ValidationError (code "does_not_exist") without a field: the caller names it.
    """
    if isinstance(reference, Group):
        found = reference if reference.tenant_id == current_tenant().pk else None
    else:
        found = Group.objects.named(reference)
    if found is None:
        raise no_such_group()
    return found


def hold_group(group_id):
    """Keep a group from being deleted until this transaction ends; False where it is gone.

    The foreign key is checked only at commit, which would be too late for a clear answer. SQLite
    has one writer at a time, so looking is enough.
    """
    if connection.vendor != "postgresql":
        return Group.objects.filter(pk=group_id).exists()
    table = connection.ops.quote_name(Group._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT 1 FROM {table} WHERE id = %s AND tenant_id = %s FOR KEY SHARE",  # noqa: S608
            [group_id, current_tenant().pk],
        )
        return cursor.fetchone() is not None
