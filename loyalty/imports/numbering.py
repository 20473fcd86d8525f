"""Numbers for documents of a file that has none.

The number is made from the customer, the moment, the amount and all else that the row says, and
from how many rows above it say exactly the same: two equal rows are two purchases, and the same
file again, or one that begins with it, names every row as before.
"""

import hashlib


class Occurrences:
    """How often each content has come up, in some dozen bytes for one that comes once."""

    def __init__(self):
        self._once, self._more = set(), {}

    def count(self, customer_id, document):
        """How many equal rows of this customer came before; counts this one."""
        digest = hashlib.sha256(f"{customer_id}:{document.content_hash}".encode()).digest()
        key = int.from_bytes(digest[:8])
        if key not in self._once:
            self._once.add(key)
            return 0
        self._more[key] = self._more.get(key, 0) + 1
        return self._more[key]


def number_of(customer_id, document, place):
    """The number of the `place`-th (from 0) of equal documents of a customer."""
    said = f"{customer_id}:{document.content_hash}"
    digest = hashlib.sha256(said.encode()).hexdigest()
    return f"{document.purchased_at:%Y%m%d}-{digest[:24]}-{place + 1}"


def choose_number(customer_ids, document, earlier, taken):
    """The number for a document of which `earlier` equal ones stand above it in the file.

    `customer_ids` are the customer's own id and those of the records that were merged into it;
    their documents are the customer's now, and whatever of them is `taken` (a container of numbers
    on record) is one of the equal ones already. Those on record come first.
    """
    places = range(earlier + 1)
    known = [
        number
        for customer_id in customer_ids
        for place in places
        if (number := number_of(customer_id, document, place)) in taken
    ]
    if len(known) > earlier:
        return known[earlier]
    own = (number_of(customer_ids[0], document, place) for place in places)
    return next(number for number in own if number not in taken)


def candidate_numbers(customer_ids, document, earlier):
    """All numbers that `choose_number` may ask about."""
    return [
        number_of(customer_id, document, place)
        for customer_id in customer_ids
        for place in range(earlier + 1)
    ]
