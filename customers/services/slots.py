"""Writing the one e-mail, phone or address of a wire that has room for one (`customers.slots`).

The other rows of the list stay: they are what other wires and the back office keep there.
"""

from customers.profile import CHILD_LISTS


def with_slot(customer, list_name, item):
    """The rows that a list shall have once `item` stands in its slot; None empties the slot.

    `item` is a clean row. A row that is in the list already takes the slot instead of standing
    there twice; a new one keeps the kind and the flags of the row whose place it takes.
    """
    rows = list(getattr(customer, list_name).all())  # the primary one first
    slot = _slot_row(customer, list_name, rows)
    # The order of the list is that of the positions; the slot's row is primary wherever it stands.
    rows.sort(key=lambda row: row.position)
    if item is None:
        return [{"id": str(row.pk)} for row in rows if row is not slot]
    same = next((row for row in rows if _is_same(list_name, row, item)), None)
    if slot is None and same is None:
        return [*({"id": str(row.pk), "primary": False} for row in rows), {**item, "primary": True}]
    wanted = []
    for row in rows:
        if row is (same or slot):
            wanted.append({**_said(item), "id": str(row.pk), "primary": True})
        elif row is not slot:
            wanted.append({"id": str(row.pk), "primary": False})
    return wanted


def _slot_row(customer, list_name, rows):
    login = {"emails": customer.login_email, "phones": customer.login_phone_key}.get(list_name)
    column = {"emails": "address_key", "phones": "digits"}.get(list_name)
    if login:
        for row in rows:
            if getattr(row, column) == login:
                return row
    return next(iter(rows), None)


def _is_same(list_name, row, item):
    if list_name == "addresses":
        return False
    columns = {field.attname: getattr(row, field.attname) for field in row._meta.fields}
    return CHILD_LISTS[list_name].key(columns) == CHILD_LISTS[list_name].key(item)


def _said(item):
    # The kind is for a row that is made; one that is there keeps its own.
    return {name: value for name, value in item.items() if name not in ("kind", "id")}
