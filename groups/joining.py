"""How groups join the deeds of customers: a profile field, and a part of the record.

Export, erasure and deletion read the registry of personal data (`groups.privacy`).
"""

from collections import defaultdict

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from customers.hooks import ExtraField, hooks
from groups.models import Subscription
from groups.services.subscribing import (
    apply_wish,
    clean_wish,
    find_group,
    leave_group,
    telling,
)

LIST_LIMIT = 100


def join_hooks():
    """Fill the hook table; called once when the app is ready."""
    hooks.add_field(ExtraField("groups", clean=clean_groups, apply=replace_groups))
    hooks.records.append(groups_of)


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
    with telling(change):
        members = Subscription.objects.filter(customer=change.customer).select_related("group")
        for member in members:
            if member.group_id not in wanted:
                leave_group(member)
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
