"""A form that is sent twice does its deed once.

Each page of a form carries a token that was made for it alone. A double click sends the token
again, with the same values: both make the same source, and the ledger takes each source once. Who
goes back and sends other values means another deed.
"""

import json
import uuid

FIELD = "form_token"


def token_of(post):
    """The token that was sent, or a new one: for a form that is shown for the first time, and for
    one whose token is none."""
    try:
        return uuid.UUID(post.get(FIELD, ""))
    except ValueError:
        return uuid.uuid4()


def source_of(deed, customer, values):
    """The source of what a form does, as the ledger takes it; `values` are those of the form, its
    token among them. It says nothing about them."""
    said = {name: str(value) for name, value in values.items() if name != FIELD}
    content = json.dumps([deed, str(customer.pk), said], sort_keys=True)
    return ("hand", uuid.uuid5(values[FIELD], content))
