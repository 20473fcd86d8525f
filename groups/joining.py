"""How groups join the deeds of customers: a profile field, a part of the record, and merging.

Export, erasure and deletion read the registry of personal data (`groups.privacy`).
"""

from contextlib import suppress

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from customers.hooks import ExtraField, hooks
from customers.services import open_change
from customers.services.merging_rows import (
    alter_row,
    bring_back_rows,
    keep_rows,
    move_rows,
    put_back_altered,
)
from groups.models import Group, Subscription
from groups.records import groups_in_sql, groups_of
from groups.services.managing import create_group
from groups.services.subscribing import (
    CUSTOM_DATA,
    Wish,
    apply_wish,
    clean_wish,
    find_group,
    join_many,
    leave_group,
    telling,
)

LIST_LIMIT = 100
# The flag and the evidence that stands behind it.
FLAG = (
    *("subscribed", "at", "store_id", "source", "wording_version"),
    *("actor_kind", "actor_id", "actor_label"),
)


def join_hooks():
    """Fill the hook table; called once when the app is ready."""
    hooks.add_field(
        ExtraField("groups", clean=clean_groups, apply=replace_groups, apply_many=join_groups)
    )
    hooks.records.append(groups_of)
    hooks.records_in_sql[groups_of] = groups_in_sql
    hooks.make_groups.append(make_missing_groups)
    hooks.merge_preview.append(preview_groups)
    hooks.merged.append(merge_groups)
    hooks.unmerged.append(part_groups)


def make_missing_groups(codes):
    """Create the groups that are missing; a code that is none is left to its row's refusal."""
    there = set(Group.objects.filter(code__in=codes).values_list("code", flat=True))
    for code in sorted(codes - there):
        with suppress(ValidationError):
            create_group(code=code)


def clean_groups(value, tenant):
    """The customer's whole list of groups as a list of Wishes; None is the empty list.

    An item is a group's code or id, an object {"group", "subscribed", "store", "source",
    "wording_version", "custom_data1"…4}, or a Wish. Raises ValidationError by place: "0"
    or "0.store".
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
            wish = _wish(item)
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


def _wish(item):
    if isinstance(item, Wish):
        return item
    return clean_wish(item if isinstance(item, dict) else {"group": find_group(item)})


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


def join_groups(pairs):
    """Put new customers into the groups that each of them wishes for."""
    pairs = [(change, wishes) for change, wishes in pairs if wishes]
    if pairs:
        join_many(pairs)


# --- Two customers become one ------------------------------------------------------------------
def _of_both(survivor, other):
    """The memberships of both by group, the other's in the order of the groups' codes."""
    rows = Subscription.objects.select_related("group").order_by("group__code")
    mine = {row.group_id: row for row in rows.filter(customer=survivor.pk)}
    return mine, list(rows.filter(customer=other.pk))


def _refuses(row):
    return row is not None and not row.subscribed


def preview_groups(survivor, other):
    """Each group of either, with both flags and the flag that comes out: a no stays a no."""
    mine, theirs = _of_both(survivor, other)
    told = []
    for row in (*mine.values(), *(row for row in theirs if row.group_id not in mine)):
        here = mine.get(row.group_id)
        there = next((other for other in theirs if other.group_id == row.group_id), None)
        told.append(
            {
                "code": row.group.code,
                "title": row.group.title,
                "survivor": here and here.subscribed,
                "other": there and there.subscribed,
                "outcome": not (_refuses(here) or _refuses(there)),
            }
        )
    return {"blockers": [], "sections": {"groups": sorted(told, key=lambda group: group["code"])}}


def merge_groups(merge, survivor, other):
    """The survivor joins the other's groups. In a group that both are in, a no with its evidence
    wins over a yes, and custom data fills what is blank."""
    journal = merge.journal.setdefault("groups", {})
    with open_change(survivor, deed="customer.merged") as change, telling(change):
        mine, theirs = _of_both(survivor, other)
        keep_rows(journal, theirs)
        known = [row for row in theirs if row.group_id in mine]
        Subscription.objects.filter(pk__in=[row.pk for row in known]).delete()
        for row in known:
            here = mine[row.group_id]
            learnt = {n: getattr(row, n) for n in CUSTOM_DATA if not getattr(here, n)}
            if here.subscribed and not row.subscribed:
                learnt |= {name: getattr(row, name) for name in FLAG}
            alter_row(journal, here, learnt)
        move_rows([row for row in theirs if row.group_id not in mine], survivor)


def part_groups(merge, survivor, other):
    """Each has its own memberships again."""
    journal = merge.journal.get("groups", {})
    with open_change(survivor, deed="customer.unmerged") as change, telling(change):
        put_back_altered(journal)
        bring_back_rows(journal)
