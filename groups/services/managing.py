"""Writing groups: made, moved within the tree, deleted.

Locks are taken in one order, customers before groups, so that deleting a group and joining it
cannot wait for each other.
"""

import contextlib

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

import normalise
from events.services import record
from groups.models import Group, Subscription
from groups.services.subscribing import (
    find_group,
    hold_group,
    no_such_group,
    remove_from_group,
)
from tenancy import clock
from tenancy.integrity import refusals
from tenancy.scoping import current_tenant

UNIQUE_MESSAGES = {"group_code_unique": ("code", _("Another group has this code."))}
# No real tree is deeper; a longer chain is a cycle that was made behind our back.
DEEPEST = 1_000


def create_group(**fields):
    """Create a group of the active tenant from the names of Group.FIELDS and return it.

    Without a title the code is the title. Raises ValidationError by field: a code that is missing
    or taken (code "unique"), an unknown parent.
    """
    _refuse_unknown(fields)
    clean = _clean_group(fields)
    if not clean.get("code"):
        required = ValidationError(_("This field is required."), code="required")
        raise ValidationError({"code": required})
    clean["title"] = clean.get("title") or clean["code"]
    with transaction.atomic():
        group = Group(tenant=current_tenant(), **clean)
        if group.parent_id and not hold_group(group.parent_id):
            raise ValidationError({"parent": no_such_group()})
        with refusals(UNIQUE_MESSAGES):
            group.save(force_insert=True)
        told = {name: [None, _told(getattr(group, name))] for name in clean}
        record(group.tenant, "group.created", "group", group.pk, changes=told)
    return group


def update_group(group, *, reason="", **changes):
    """Change the named fields of a group and return it; what is not named stays, None empties.

    An empty title becomes the code. Raises ValidationError by field: an unknown or taken value, or
    a parent that is the group itself or below it (code "cycle"). When nothing differs, nothing
    is written.
    """
    _refuse_unknown(changes)
    clean = _clean_group(changes)
    if "code" in clean and not clean["code"]:
        raise ValidationError({"code": ValidationError(_("Must not be empty."), code="blank")})
    with transaction.atomic():
        parents = _lock_tree() if clean.get("parent") is not None else {}
        locked = Group.objects.select_for_update(no_key=True).get(pk=group.pk)
        if clean.get("title") == "":
            clean["title"] = clean.get("code") or locked.code
        differs = {
            name: value
            for name, value in clean.items()
            if _key(getattr(locked, name)) != _key(value)
        }
        if not differs:
            return locked
        if differs.get("parent") is not None:
            _refuse_bad_parent(locked.pk, differs["parent"].pk, parents)
        told = {
            name: [_told(getattr(locked, name)), _told(value)] for name, value in differs.items()
        }
        for name, value in differs.items():
            setattr(locked, name, value)
        locked.updated_at = clock.now()
        with refusals(UNIQUE_MESSAGES):
            locked.save(update_fields=[*differs, "updated_at"])
        record(locked.tenant, "group.updated", "group", locked.pk, changes=told, reason=reason)
    return locked


def delete_group(group, *, reason=""):
    """Delete a group; its members leave it first, each with an entry in the own history.

    Raises ValidationError: code "has_children" while other groups stand below it, code "busy"
    when customers go on joining it meanwhile.
    """
    with transaction.atomic():
        for _attempt in range(5):
            _refuse_children(group)
            for customer_id in _member_ids(group):
                remove_from_group(customer_id, group, reason=reason)
            with contextlib.suppress(_SomebodyJoined), transaction.atomic():
                _delete_empty(group, reason)
                return
    raise ValidationError(_("Customers are joining this group; try again."), code="busy")


class _SomebodyJoined(Exception):
    """Rolls the lock on the group back: members are locked before the group, never after."""


def _delete_empty(group, reason):
    if Group.objects.select_for_update().filter(pk=group.pk).first() is None:
        return
    # From here on nobody can join it or be put below it; who came meanwhile is seen now.
    _refuse_children(group)
    if Subscription.objects.filter(group=group).exists():
        raise _SomebodyJoined
    told = {name: [getattr(group, name), None] for name in ("code", "title")}
    record(group.tenant, "group.deleted", "group", group.pk, changes=told, reason=reason)
    Group.objects.filter(pk=group.pk).delete()


def _member_ids(group):
    members = Subscription.objects.filter(group=group).order_by("customer_id")
    return list(members.values_list("customer_id", flat=True))


def _refuse_children(group):
    children = list(Group.objects.filter(parent=group).values_list("code", flat=True)[:5])
    if children:
        raise ValidationError(
            _("Other groups stand below this one: %(codes)s. Move or delete them first."),
            code="has_children",
            params={"codes": ", ".join(children)},
        )


def _lock_tree():
    """Lock every group of the tenant in the order of their ids; answers id -> id of the parent.

    Two moves that are harmless alone can close a circle together (A under B, B under A). Whoever
    moves therefore holds all of them and reads the tree after the one before has committed. The
    lock leaves the keys alone, so joining a group does not wait for it.
    """
    rows = Group.objects.select_for_update(no_key=True).order_by("pk")
    return dict(rows.values_list("pk", "parent_id"))


def _refuse_bad_parent(group_id, parent_id, parents):
    if parent_id not in parents:
        raise ValidationError({"parent": no_such_group()})
    step, n_steps = parent_id, 0
    while step is not None:
        if step == group_id or n_steps > DEEPEST:
            raise ValidationError(
                {
                    "parent": ValidationError(
                        _("A group cannot stand below itself or one of its own."), code="cycle"
                    )
                }
            )
        step, n_steps = parents.get(step), n_steps + 1


def _refuse_unknown(fields):
    unknown = set(fields) - set(Group.FIELDS)
    if unknown:
        raise TypeError(f"a group has no field {sorted(unknown)[0]!r}")


def _text(name, *, multiline=False):
    max_length = Group._meta.get_field(name).max_length

    def clean(value):
        return normalise.clean_text(
            "" if value is None else value, max_length=max_length, multiline=multiline
        )

    return clean


def _clean_code(value):
    return normalise.clean_identifier(value, max_length=Group._meta.get_field("code").max_length)


def _clean_subscribable(value):
    if value in (None, ""):
        return Group.Subscribable.PRIVATE
    if value not in Group.Subscribable.values:
        raise ValidationError(
            _("Must be one of: %(choices)s."),
            code="invalid_choice",
            params={"choices": ", ".join(Group.Subscribable.values)},
        )
    return Group.Subscribable(value)


def _clean_parent(value):
    return None if value in (None, "") else find_group(value)


_CLEANERS = {
    "code": _clean_code,
    "title": _text("title"),
    "description": _text("description", multiline=True),
    "subscribable": _clean_subscribable,
    "subscribe_text": _text("subscribe_text"),
    "parent": _clean_parent,
}


def clean_column(name, value):
    """The clean value of one field; raises ValidationError without a field."""
    return _CLEANERS[name](value)


def _clean_group(fields):
    clean, errors = {}, {}
    for name, value in fields.items():
        try:
            clean[name] = clean_column(name, value)
        except ValidationError as error:
            errors[name] = error.error_list
    if errors:
        raise ValidationError(errors)
    return clean


def _key(value):
    return value.pk if isinstance(value, Group) else value


def _told(value):
    return value.code if isinstance(value, Group) else value
