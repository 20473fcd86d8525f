"""What a changed customer looked like before an import, so that the import can be undone."""

from typing import Any

from customers.hooks import hooks
from customers.models import Customer
from customers.profile import CHILD_LISTS
from customers.snapshots import plain

from .merging import Changes, Known


def image_of(known: Known, changes: Changes) -> dict[str, Any]:
    """What these changes are about to replace of a customer, as JSON can hold it."""
    customer = known.customer
    columns = [name for name in changes.profile if name not in {*CHILD_LISTS, *hooks.fields}]
    image = {"id": str(customer.pk), "columns": _columns(customer, columns)}
    lists = [name for name in CHILD_LISTS if name in changes.profile]
    if lists:
        image["lists"] = {name: _rows(name, known.lists.get(name, ())) for name in lists}
    if "groups" in changes.profile:
        image["groups"] = [
            {"group": one["code"], "subscribed": one["subscribed"]}
            for one in known.extras.get("groups", ())
        ]
    if changes.status:
        image["status"] = customer.status
    if changes.account:
        account = getattr(customer, "charge_account", None)
        image["account"] = account and [account.number, account.retired]
    return image


def proposal_of(known: Known, changes: Changes) -> dict[str, Any]:
    """What the file would have of a customer, beside what is there."""
    wanted = {**changes.profile, "consents": changes.consents, "status": changes.status}
    wanted["charge_account"] = changes.account
    image = image_of(known, changes)
    return {
        "customer": image.pop("id"),
        "before": {**image.pop("columns"), **image.pop("lists", {}), **image},
        "after": {name: value for name, value in wanted.items() if value not in (None, [], {})},
    }


# What a profile's name stands for, and what follows from it.
_BEHIND = {
    "birth_date": ("birth_year", "birth_month", "birth_day"),
    "login_phone": ("login_phone", "login_phone_key"),
    "home_store": ("home_store_id",),
    "seller": ("seller_id",),
    **dict.fromkeys(("name", "first_name", "last_name", "company_name")),
}


def _columns(customer: Customer, names: list[str]) -> dict[str, Any]:
    found = set()
    for name in names:
        behind = _BEHIND.get(name, (name,))
        found |= {name, "name", "name_given"} if behind is None else set(behind)
    return {name: plain(getattr(customer, name)) for name in sorted(found)}


def _rows(name: str, rows: Any) -> list[dict[str, Any]]:
    model = CHILD_LISTS[name].model
    left_out = {"id", "tenant", "customer", "position", "created_at"}
    fields = [one for one in model._meta.concrete_fields if one.name not in left_out]
    return [
        {"id": str(row.pk), **{one.attname: plain(getattr(row, one.attname)) for one in fields}}
        for row in sorted(rows, key=lambda row: row.position)
    ]
