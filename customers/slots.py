"""The one e-mail, the one phone, the one address of a customer, for wires that have room for one,
and where phones and addresses stand on wires that have a few places for them.

The one is the primary one whatever its kind. Where customers sign in with an e-mail or phone, that
one comes first. Reading is here; writing is `customers.services.slots`.
"""

MAIN = "main"  # the place of a wire's one address of no kind


def slot_of(record, list_name):
    """The row of a record's list that stands in the slot, or None."""
    # A record's lists begin with the primary row.
    return next(iter(record[list_name]), None)


def email_of(record):
    """The e-mail that the slot shows, or None."""
    row = slot_of(record, "emails")
    return record["login_email"] or (row and row["address"])


def phone_of(record):
    """The phone that the slot shows, as it was given, or None."""
    row = slot_of(record, "phones")
    return record["login_phone"] or (row and row["given"])


def _kind(row):
    return row["kind"]


def phones_by_place(rows, places, kind_of=_kind):
    """{place: phone} for a wire with a place for each of these kinds, in their order.

    Each takes its kind's place; one that has none takes the first that is free, the primary one
    first. `rows` begin with the primary one, as a record's do.
    """
    placed, left = {}, []
    for row in rows:
        if kind_of(row) in places and kind_of(row) not in placed:
            placed[kind_of(row)] = row
        else:
            left.append(row)
    for place in places:
        if place not in placed and left:
            placed[place] = left.pop(0)
    return placed


def addresses_by_place(rows, places, kind_of=_kind):
    """{place: address} for a wire with a MAIN place and some for kinds of their own.

    MAIN shows the first of all other kinds, which is the primary one where that is of another kind.
    """
    placed = {}
    for row in rows:
        placed.setdefault(kind_of(row) if kind_of(row) in places else MAIN, row)
    return placed


BY_PLACE = {"phones": phones_by_place, "addresses": addresses_by_place}
