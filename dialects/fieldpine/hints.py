"""`option`: what a caller tells of itself, such as `intent:sale;geo:59.91,10.75`. Hints move rows
up or down; they never leave one out, and what cannot be read is as if it were not there."""

import re
from math import asin, cos, radians, sin, sqrt

from django.db.models import Case, IntegerField, Q, Value, When

from customers.models import Customer
from tenancy.models import Store

SALE = "sale"
LONGEST = 200
# Further ones share the last place: nobody looks through a list by the fiftieth nearest store.
MOST_STORES = 50
_DEGREES = re.compile(r"[+-]?[0-9]{1,3}(?:\.[0-9]{1,12})?")


def order_of(option):
    """The terms that the hints put before a list's own order; [] for none."""
    hints = _read(option)
    terms = []
    if hints.get("intent", "").lower() == SALE:
        terms.append(_usable_first())
    place = _place(hints.get("geo", ""))
    nearest = _nearest(place) if place else []
    if nearest:
        terms.append(_by_store(nearest))
    return terms


def _read(option):
    if len(option) > LONGEST:
        return {}
    pairs = [part.partition(":") for part in option.split(";")]
    return {name.strip().lower(): value.strip() for name, _colon, value in pairs}


def _place(text):
    """(latitude, longitude) of `59.91,10.75` or `59.91,10.75,12`, the altitude left aside."""
    parts = [part.strip() for part in text.split(",")]
    if len(parts) not in (2, 3) or not all(_DEGREES.fullmatch(part) for part in parts[:2]):
        return None
    latitude, longitude = map(float, parts[:2])
    return (latitude, longitude) if abs(latitude) <= 90 and abs(longitude) <= 180 else None


def _usable_first():
    usable = Q(status=Customer.Status.ACTIVE, hidden=False)
    return Case(When(usable, then=Value(0)), default=Value(1), output_field=IntegerField())


def _nearest(place):
    """The stores of which it is known where they are, the nearest first."""
    stores = [store for store in Store.objects.all() if store.latitude_micro is not None]
    return sorted(stores, key=lambda store: (_distance(place, store), store.code))[:MOST_STORES]


def _by_store(stores):
    """Who has no home store is at the default one."""
    whens = [
        When(Q(home_store=store) | (Q(home_store=None) if store.default else Q()), then=Value(rank))
        for rank, store in enumerate(stores)
    ]
    return Case(*whens, default=Value(len(stores)), output_field=IntegerField())


def _distance(place, store):
    """On a globe of radius one."""
    here = [radians(degrees) for degrees in place]
    there = [radians(store.latitude_micro / 1e6), radians(store.longitude_micro / 1e6)]
    across = sin((there[0] - here[0]) / 2) ** 2
    along = cos(here[0]) * cos(there[0]) * sin((there[1] - here[1]) / 2) ** 2
    return 2 * asin(min(1.0, sqrt(across + along)))
