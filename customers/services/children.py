"""Lists of child rows: brought from what is there to what is wanted, with the least writing."""

import uuid
from dataclasses import dataclass
from operator import attrgetter

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from customers.profile import CHILD_LISTS, SAYS_NOTHING, says
from tenancy.bulk import insert_rows, update_rows
from tenancy.integrity import refusals

# What the history keeps of a row: enough to read, no more.
TOLD = {
    "emails": ("address",),
    "phones": ("given", "kind"),
    "addresses": ("kind", "street", "postal_code", "city", "country"),
    "contact_persons": ("first_name", "last_name", "email"),
    "labels": ("key", "value"),
}
WITH_PRIMARY = ("emails", "phones", "addresses")
_WORDS = {
    name: attrgetter(*columns)
    if len(columns) > 1
    else lambda row, get=attrgetter(*columns): (get(row),)
    for name, columns in TOLD.items()
}
_MARKS = {
    name: [mark for mark in ("primary", "verified", "opted_out") if mark in child.model.FIELDS]
    for name, child in CHILD_LISTS.items()
}


def save_new(list_name, rows):
    """Save new rows of a list. Raises ValidationError for an id of the caller's that is taken."""
    model = CHILD_LISTS[list_name].model
    taken = {f"{model._meta.db_table}_pkey": (list_name, _("The id of an entry is taken."))}
    with refusals(taken):
        model.objects.bulk_create(rows)


def tell(list_name, rows):
    """The rows of a list as the history writes them."""
    words_of, marks = _WORDS[list_name], _MARKS[list_name]
    told = []
    for row in rows:
        text = " ".join(filter(None, words_of(row)))
        found = [mark for mark in marks if getattr(row, mark)]
        told.append(f"{text} ({', '.join(found)})" if found else text)
    return told


def build_children(customer, list_name, rows, *, make=None):
    """Unsaved rows for a new customer, the first one primary where none claims it.
    `make(model, columns)` makes a row where another than an instance of the model is wanted."""
    model = CHILD_LISTS[list_name].model
    wants_primary = list_name in WITH_PRIMARY and not any(row.get("primary") for row in rows)
    built = []
    for position, row in enumerate(rows):
        row = {**row, "tenant": customer.tenant, "customer": customer, "position": position}
        row.pop("id", None)
        _take_own_id(row)
        if wants_primary and not position:
            row["primary"] = True
        built.append(make(model, row) if make else model(**row))
    return built


@dataclass(slots=True)
class ListPlan:
    """What brings one list of one customer to what is wanted; nothing of it is written yet.

    `gone` are rows to remove, `moved` rows to remove and insert again, `dirty` rows to change with
    the names of their columns, `new` rows to insert, `rows` the whole list as it will be.
    """

    name: str
    gone: list
    moved: list
    dirty: list
    new: list
    rows: list


def replace_children(change, list_name, rows):
    """Make the list exactly `rows`: known rows (by `id` or `own_id`, else by what they say) are
    kept and changed, new ones added, the others removed. Raises ValidationError for an unknown
    `id`, and for a new row under an `own_id` that says nothing or that is taken."""
    plan = plan_children(change, list_name, rows)
    model = CHILD_LISTS[list_name].model
    if removed := [row.pk for row in (*plan.gone, *plan.moved)]:
        model.objects.filter(pk__in=removed).delete()
    # The new primary may be saved only after the old one has let go of the flag.
    for match, differs in sorted(plan.dirty, key=lambda item: getattr(item[0], "primary", False)):
        match.save(update_fields=differs)
    save_new(list_name, [*plan.new, *plan.moved])
    change.customer._prefetched_objects_cache = {}


def write_plans(plans):
    """Do the same for the lists of many customers, in a few statements for each table."""
    by_name = {}
    for plan in plans:
        by_name.setdefault(plan.name, []).append(plan)
    for name, found in by_name.items():
        model = CHILD_LISTS[name].model
        removed = [row.pk for plan in found for row in (*plan.gone, *plan.moved)]
        if removed:
            model.objects.filter(pk__in=removed).delete()
        dirty = [item for plan in found for item in plan.dirty]
        # The new primary may be saved only after the old one has let go of the flag.
        for primary in (False, True):
            items = [item for item in dirty if getattr(item[0], "primary", False) is primary]
            columns = {column for _row, differs in items for column in differs}
            update_rows(model, [row for row, _differs in items], columns)
        insert_rows(model, [row for plan in found for row in (*plan.new, *plan.moved)])


def plan_children(change, list_name, rows):
    """The ListPlan of `replace_children`; what it will change is recorded, and stands in the rows
    (not yet in the database). Raises as that does."""
    child = CHILD_LISTS[list_name]
    existing = list(getattr(change.customer, list_name).all())
    by_id = {str(row.pk): row for row in existing}
    unmatched = dict(by_id)
    wanted, errors = [], {}
    for index, row in enumerate(rows):
        row = dict(row)
        row_id = row.pop("id", None)
        if row_id is not None:
            match = unmatched.pop(row_id, None)
            if match is None:
                errors[f"{list_name}.{index}.id"] = ValidationError(
                    _("No such entry."), code="does_not_exist"
                )
                continue
        elif row.get("own_id") is not None:
            match = unmatched.pop(row["own_id"], None)
            if match is not None:
                del row["own_id"]
            elif not says(row):
                errors[f"{list_name}.{index}"] = ValidationError(SAYS_NOTHING, code="required")
        else:
            match = _same_row(child, unmatched, row)
        wanted.append((match, row))
    if errors:
        raise ValidationError(errors)
    return _planned(change, list_name, existing, list(unmatched.values()), wanted)


def _take_own_id(row):
    own_id = row.pop("own_id", None)
    if own_id is not None:
        row["id"] = uuid.UUID(own_id)


def _same_row(child, unmatched, row):
    key = child.key(row)
    for row_id, candidate in unmatched.items():
        if child.key(_columns(candidate)) == key:
            return unmatched.pop(row_id)
    return None


def _columns(instance):
    return {field.attname: getattr(instance, field.attname) for field in instance._meta.fields}


def _planned(change, list_name, existing, gone, wanted):
    child = CHILD_LISTS[list_name]
    before = tell(list_name, existing)
    has_primary = list_name in WITH_PRIMARY
    chosen = None
    if has_primary:
        flags = [row.get("primary", bool(match and match.primary)) for match, row in wanted]
        named = [index for index, (_match, row) in enumerate(wanted) if row.get("primary")]
        chosen = named[0] if named else flags.index(True) if True in flags else 0
    _refuse_doubles(list_name, wanted)
    held = {getattr(row, "address_key", None): row.pk for row in existing}
    dirty, new, rows = [], [], []
    for position, (match, row) in enumerate(wanted):
        row = {**row, "position": position}
        if has_primary:
            row["primary"] = position == chosen
        if match is None:
            _take_own_id(row)
            new.append(child.model(tenant=change.customer.tenant, customer=change.customer, **row))
            rows.append(new[-1])
            continue
        rows.append(match)
        _reset_proof(match, row)
        differs = [name for name, value in row.items() if getattr(match, name) != value]
        if differs:
            for name in differs:
                setattr(match, name, row[name])
            dirty.append((match, differs))
    told = bool(gone or new) or any(set(differs) - {"position"} for _match, differs in dirty)
    dirty, moved = _without_exchanges(held, dirty)
    # In the order in which they will be read.
    rows.sort(key=lambda row: not getattr(row, "primary", False))
    if told:
        change.record(list_name, before, tell(list_name, rows))
    return ListPlan(list_name, gone, moved, dirty, new, rows)


def _refuse_doubles(list_name, wanted):
    """Name the row that would be the same e-mail as one before it: a constraint forbids two."""
    if list_name != "emails":
        return
    seen, errors = set(), {}
    for index, (match, row) in enumerate(wanted):
        key = row.get("address_key", match and match.address_key)
        if key in seen:
            errors[f"{list_name}.{index}.address"] = ValidationError(
                _("This address is in the list already."), code="duplicate"
            )
        seen.add(key)
    if errors:
        raise ValidationError(errors)


def _without_exchanges(held, dirty):
    """Split changed rows into those that can be saved one by one, and those that take an e-mail
    which another row still holds: they are removed first, and inserted again at the end."""
    moved = [
        match
        for match, differs in dirty
        if "address_key" in differs and held.get(match.address_key, match.pk) != match.pk
    ]
    return [item for item in dirty if item[0] not in moved], moved


def _reset_proof(match, row):
    """A contact point that becomes another one is no longer verified, unless it says so."""
    for name in ("address_key", "digits"):
        if name in row and getattr(match, name, None) != row[name] and "verified" not in row:
            row["verified"] = False


def add_child(change, list_name, row):
    """Add one row at the end; returns it. A row flagged primary takes the flag from the others."""
    rows = _as_wanted(change, list_name)
    if row.get("primary"):
        rows = [{**other, "primary": False} for other in rows]
    known = {other["id"] for other in rows}
    replace_children(change, list_name, [*rows, row])
    for candidate in getattr(change.customer, list_name).all():
        if str(candidate.pk) not in known:
            return candidate
    return _same_row(
        CHILD_LISTS[list_name],
        {str(c.pk): c for c in getattr(change.customer, list_name).all()},
        row,
    )


def change_child(change, list_name, row_id, row):
    """Change one row's given columns; returns it, or None where there is no such row."""
    rows = _as_wanted(change, list_name)
    if str(row_id) not in {other["id"] for other in rows}:
        return None
    takes_primary = bool(row.get("primary"))
    merged = []
    for other in rows:
        if other["id"] == str(row_id):
            merged.append({**other, **row, "id": other["id"]})
        elif takes_primary:
            merged.append({**other, "primary": False})
        else:
            merged.append(other)
    replace_children(change, list_name, merged)
    return getattr(change.customer, list_name).filter(pk=row_id).first()


def remove_child(change, list_name, row_id):
    """Remove one row; the first of the rest becomes primary where it was. False: no such row."""
    rows = _as_wanted(change, list_name)
    rest = [row for row in rows if row["id"] != str(row_id)]
    if len(rest) == len(rows):
        return False
    replace_children(change, list_name, rest)
    return True


def _as_wanted(change, list_name):
    rows = sorted(getattr(change.customer, list_name).all(), key=lambda row: row.position)
    wanted = []
    for row in rows:
        columns = {"id": str(row.pk)}
        if list_name in WITH_PRIMARY:
            columns["primary"] = row.primary
        wanted.append(columns)
    return wanted
