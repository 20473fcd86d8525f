"""How groups join the deeds of customers: a profile field, records, export, erasure, deletion."""

from collections import defaultdict

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from customers.hooks import ExtraField, hooks
from groups.models import Subscription
from groups.services.subscribing import (
    CUSTOM_DATA,
    apply_wish,
    clean_wish,
    find_group,
    leave_group,
)

LIST_LIMIT = 100


def join_hooks():
    """Fill the hook table; called once when the app is ready."""
    hooks.add_field(ExtraField("groups", clean=clean_groups, apply=replace_groups))
    hooks.records.append(groups_of)
    hooks.exported.append(export_subscriptions)
    hooks.erased.append(erase_subscriptions)
    hooks.deleted.append(delete_subscriptions)


def clean_groups(value, tenant):
    """The customer's whole list of groups as a list of Wishes; None is the empty list.

    An item is a group's code or id, or an object {"group", "subscribed", "store", "source",
    "wording_version", "custom_data1"…4}. Raises ValidationError by place: "0" or "0.store".
    """
    if value is None:
        return []
    if not isinstance(value, (list, tuple)):
        raise ValidationError(_("Must be a list."), code="invalid")
    if len(value) > LIST_LIMIT:
        raise ValidationError(_("At most %(n)d entries.") % {"n": LIST_LIMIT}, code="max_length")
    wishes, errors, seen = [], {}, set()
    for index, item in enumerate(value):
        try:
            wish = clean_wish(item if isinstance(item, dict) else {"group": find_group(item)})
            if wish.group.pk in seen:
                raise ValidationError(_("Each group once."), code="duplicate")
        except ValidationError as error:
            errors |= _placed(str(index), error)
            continue
        seen.add(wish.group.pk)
        wishes.append(wish)
    if errors:
        raise ValidationError(errors)
    return wishes


def _placed(path, error):
    if hasattr(error, "error_dict"):
        return {f"{path}.{name}": errors for name, errors in error.error_dict.items()}
    return {path: error.error_list}


def replace_groups(change, wishes):
    """Make the customer's groups exactly the wished ones: a group that is not named is left, a
    member whose flag is not named keeps it. (A list that is not sent at all changes nothing.)"""
    wanted = {wish.group.pk for wish in wishes}
    members = Subscription.objects.filter(customer=change.customer).select_related("group")
    for member in members:
        if member.group_id not in wanted:
            leave_group(change, member)
    for wish in wishes:
        apply_wish(change, wish)


def groups_of(customer_ids):
    """Each customer's groups for the record, in one query for all of them."""
    grouped = defaultdict(list)
    rows = (
        Subscription.objects.filter(customer__in=customer_ids)
        .order_by("group__code")
        .values_list("customer_id", "group__code", "group__title", "subscribed")
    )
    for customer_id, code, title, subscribed in rows:
        grouped[customer_id].append({"code": code, "title": title, "subscribed": subscribed})
    return {customer_id: {"groups": grouped[customer_id]} for customer_id in customer_ids}


def export_subscriptions(customer):
    """The customer's groups with their evidence, for the export of one customer."""
    rows = Subscription.objects.filter(customer=customer).select_related("group", "store")
    return {
        "groups": [
            {
                "id": str(row.pk),
                "code": row.code,
                "group": row.group.code,
                "title": row.group.title,
                "subscribed": row.subscribed,
                "at": row.at.isoformat(),
                "store": row.store.code if row.store else None,
                "actor": row.actor_kind,
                "source": row.source,
                "wording_version": row.wording_version,
                "created_at": row.created_at.isoformat(),
                **{name: getattr(row, name) for name in CUSTOM_DATA},
            }
            for row in rows
        ]
    }


def erase_subscriptions(customers):
    """Empty what integrators and people wrote; the bare membership stays, as the groups' sizes
    do, and points only at the nameless shell."""
    Subscription.objects.filter(customer__in=customers).update(
        **dict.fromkeys((*CUSTOM_DATA, "source", "actor_label"), "")
    )


def delete_subscriptions(customers):
    """Remove the memberships of customers who are about to be deleted."""
    Subscription.objects.filter(customer__in=customers).delete()
