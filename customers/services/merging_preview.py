"""A plan of merging, told as plain data: what screens and the API show."""

from customers.models import Customer
from customers.profile import CHILD_LISTS
from customers.records import COLUMNS, assemble
from customers.services.children import tell
from customers.services.merging_plan import (
    CHOOSABLE,
    FIELDS,
    OTHER,
    PROFILES,
    SURVIVOR,
    is_unsaid,
    outcome_of,
)
from events import reading

SHOWN = ("id", "number", "name", "status", "version", "created_at", "updated_at")


def preview_of(plan):
    """The dict that `preview_merge` answers."""
    pair = (plan.survivor, plan.other)
    for one in pair:
        reading.tell("customer", one.pk)
    records = {
        record["id"]: record
        for record in assemble(
            list(Customer.objects.filter(pk__in=[one.pk for one in pair]).values(*COLUMNS))
        )
    }
    preview = {
        SURVIVOR: _who(plan.survivor),
        OTHER: _who(plan.other),
        "fields": [],
        "lists": {},
        PROFILES: [],
        "consents": [],
        "charge_account": None,
        "avatar": None,
        "devices": {},
        "sections": plan.sections,
        "blockers": plan.blockers,
        "warnings": [str(warning) for warning in plan.warnings],
        "counts": {},
        "undo_days": plan.survivor.tenant.setting("merge_undo_days"),
    }
    if plan.sides:
        here, there = (records[one.pk] for one in pair)
        _tell_parts(plan, preview, here, there)
    return preview


def _who(customer):
    return {name: getattr(customer, name) for name in SHOWN} | {"code": customer.code}


def _tell_parts(plan, preview, here, there):
    preview["fields"] = [_field(plan, name, here, there) for name in FIELDS]
    preview["lists"] = {name: _list(plan, name) for name in CHILD_LISTS}
    preview[PROFILES] = _profiles(plan)
    preview["consents"] = [
        {
            "purpose": purpose,
            SURVIVOR: mine and mine.granted,
            OTHER: theirs and theirs.granted,
            "outcome": (theirs if side == OTHER else mine).granted,
            "taken_from": side,
        }
        for purpose, (mine, theirs, side) in plan.consents.items()
    ]
    for name in ("charge_account", "avatar"):
        _mine, _theirs, side = plan.rows[name]
        preview[name] = {
            SURVIVOR: here[name],
            OTHER: there[name],
            "outcome": there[name] if side == OTHER else here[name],
            "taken_from": side,
        }
    devices = plan.lists["devices"]
    preview["devices"] = {
        SURVIVOR: len(devices.kept),
        OTHER: len(devices.moves) + len(devices.same),
        "outcome": len(devices.kept) + len(devices.moves),
    }
    preview["counts"] = {name: len(joined.moves) for name, joined in plan.lists.items()} | {
        "consents": plan.other.consents.count(),
        **{name: int(side == OTHER and theirs is not None)
           for name, (_mine, theirs, side) in plan.rows.items()},
    }  # fmt: skip


def _field(plan, name, here, there):
    if name == "password":
        # Only whether there is one.
        values = bool(plan.survivor.password), bool(plan.other.password)
        is_same = not any(values)
    else:
        values = here[name], there[name]
        is_same = values[0] == values[1]
    side = plan.sides[name]
    outcome = values[1] if side == OTHER else values[0]
    if name == "name":
        outcome = plan.columns.get("name", plan.survivor.name)
    return {
        "field": name,
        SURVIVOR: values[0],
        OTHER: values[1],
        "outcome": outcome,
        "taken_from": side,
        "differs": not is_same,
        "choosable": name in CHOOSABLE,
        # What the survivor does not take leads to it all the same.
        "still_found": name in Customer.FOLLOWED and not is_same and _both_say(plan, name),
    }


def _both_say(plan, name):
    return not (is_unsaid(plan.survivor, name) or is_unsaid(plan.other, name))


def _list(plan, name):
    joined = plan.lists[name]
    theirs = [*(row for row, _same, _learnt in joined.same), *joined.moves]
    return {
        SURVIVOR: _told(name, joined.kept),
        OTHER: _told(name, theirs),
        "same": [{"id": row.pk, "same_as": same.pk} for row, same, _learnt in joined.same],
        "outcome": _told(name, outcome_of(joined)),
    }


def _told(name, rows):
    return [{"id": row.pk, "text": text} for row, text in zip(rows, tell(name, rows), strict=True)]


def _profiles(plan):
    joined = plan.lists[PROFILES]
    told = []
    theirs = {same.pk: (row, learnt) for row, same, learnt in joined.same}
    for row in joined.kept:
        other, learnt = theirs.get(row.pk, (None, {}))
        told.append(
            {
                "store": row.store.code,
                SURVIVOR: _profile(row),
                OTHER: other and _profile(other),
                "outcome": _profile(row) | learnt,
            }
        )
    for row in joined.moves:
        told.append(
            {
                "store": row.store.code,
                SURVIVOR: None,
                OTHER: _profile(row),
                "outcome": _profile(row),
            }
        )
    return sorted(told, key=lambda profile: profile["store"])


def _profile(row):
    return {"pos_ref": row.pos_ref, "note": row.note}
