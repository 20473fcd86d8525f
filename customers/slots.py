"""The one e-mail, the one phone, the one address of a customer, for wires that have room for one.

It is the primary one whatever its kind. Where customers sign in with an e-mail or phone, that one
comes first. Reading is here; writing is `customers.services.slots`.
"""


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
