"""What a list is narrowed, ordered and cut by.

A parameter is a field of the resource, several narrow together; `%` in a text is any characters.
Names that begin with `_` say how to answer.
"""

import uuid
from contextlib import suppress
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext_lazy as _

import normalise
from customers.models import Address, Customer, Email, Phone
from customers.querysets import known_as
from customers.search import LONGEST_NUMBER, WILDCARD, by_pattern, narrow_by_pattern
from customers.slots import MAIN
from dialects.zeald import serializers as words
from dialects.zeald.resources import CUSTOMER, GROUP, LINK, ORDER
from groups.models import Group, Subscription
from loyalty.models import Transaction

LONGEST_VALUE = 1_000
MOST = 2_000
LARGEST = 2**31
FIELDS, START, LIMIT, SORT, OWN_KEY = "_fields", "_start", "_limit", "_sort", "_key"
CONTROLS = {FIELDS, START, LIMIT, SORT, OWN_KEY}
ROWS_OF = {"emails": Email, "phones": Phone, "addresses": Address}

# What a list can be ordered by: their word -> our column.
SORTS = {
    CUSTOMER: {
        "username": "username",
        "b_company": "company_name",
        "b_fname": "first_name",
        "b_lname": "last_name",
        "discount": "discount_percent",
    },
    LINK: {"code": "code"},
    GROUP: {"code": "code", "title": "title"},
    ORDER: {"order_number": "number", "order_date": "purchased_at", "total_cost": "amount"},
}
USUAL_ORDER = {
    CUSTOMER: ("created_at", "id"),
    LINK: ("code",),
    GROUP: ("code",),
    ORDER: ("purchased_at", "id"),
}


@dataclass(frozen=True)
class Asked:
    """What the query string says, each part checked."""

    search: dict
    only: frozenset | None
    start: int
    limit: int
    order: tuple


def asked(resource, parameters):
    """The Asked of a QueryDict. Raises ValidationError by parameter."""
    errors, values = {}, {}
    for name, given in parameters.lists():
        known = name in CONTROLS if name.startswith("_") else name in words.WORDS[resource.name]
        if not known or name == words.PASSWORD:
            errors[name[:100].replace("\0", "")] = _error(_("There is no such parameter."))
        elif len(given) > 1:
            errors[name] = _error(_("Given more than once."))
        elif name != OWN_KEY:
            values[name] = _collect(errors, name, _text, given[0])
    found = Asked(
        search={name: text for name, text in values.items() if name not in CONTROLS},
        only=_collect(errors, FIELDS, _only, resource, values.get(FIELDS)),
        start=_collect(errors, START, _number, values.get(START), 0, LARGEST, 0),
        limit=_collect(errors, LIMIT, _number, values.get(LIMIT), 1, MOST, MOST),
        order=_collect(errors, SORT, _order, resource, values.get(SORT)),
    )
    if errors:
        raise ValidationError(errors)
    return found


def matching(resource, search):
    """The rows of a resource of which every named field is what is asked for. Raises
    ValidationError by parameter."""
    rows, errors = _ALL[resource](), {}
    for name, text in search.items():
        narrowed = _collect(errors, name, _NARROW[resource], rows, name, text)
        rows = rows if narrowed is None else narrowed
    if errors:
        raise ValidationError(errors)
    return rows


_ALL = {
    CUSTOMER: lambda: Customer.objects.all(),
    LINK: lambda: Subscription.objects.all(),
    GROUP: lambda: Group.objects.all(),
    ORDER: lambda: Transaction.objects.all(),
}


# --- Parameters --------------------------------------------------------------------------------
def _error(message):
    return ValidationError(message, code="invalid")


def _collect(errors, name, clean, *args):
    try:
        return clean(*args)
    except ValidationError as error:
        errors.setdefault(name, error)
        return None


def _text(value):
    return normalise.clean_text(value, max_length=LONGEST_VALUE, multiline=True)


def _number(text, minimum, maximum, default):
    return default if text is None else normalise.clean_int(text, minimum=minimum, maximum=maximum)


def _only(resource, text):
    if text is None:
        return None
    names = {name.strip() for name in text.split(",") if name.strip()}
    if unknown := names - set(words.WORDS[resource.name]):
        raise _error(_("There is no field %(name)s.") % {"name": min(unknown)[:60]})
    return frozenset(names)


def _order(resource, text):
    if text is None:
        return tuple(F(column).asc() for column in USUAL_ORDER[resource])
    column = SORTS[resource].get(text.removeprefix("-"))
    if column is None:
        known = ", ".join(SORTS[resource])
        raise _error(_("One of: %(known)s; with - in front descending.") % {"known": known})
    term = F(column)
    first = term.desc(nulls_last=True) if text.startswith("-") else term.asc(nulls_last=True)
    return (first, F("pk").asc())


# --- Fields ------------------------------------------------------------------------------------
def _by_customer(rows, name, text):
    word = words.CUSTOMER[name]
    if name == words.KEY:
        if WILDCARD in text:
            return narrow_by_pattern(rows, "username", text)
        return rows.filter(of_key(text) | of_key(text.replace(" ", "+")))
    if name == words.INACTIVE:
        active = Q(status=Customer.Status.ACTIVE)
        return rows.filter(~active if normalise.clean_bool(text) else active)
    if isinstance(word, words.InPlace):
        return rows.filter(_of_child(word, text))
    if name == "no_email":
        return rows.filter(no_email=normalise.clean_bool(text))
    if name == "discount":
        return rows.filter(discount_percent=normalise.clean_int(text, minimum=0, maximum=LARGEST))
    return narrow_by_pattern(rows, word, text)


def _of_child(word, text):
    """Any e-mail, any phone; of addresses those that stand where the word says."""
    rows = ROWS_OF[word.list_name].objects.order_by()
    if word.list_name == "addresses":
        shipping = Q(kind=Address.Kind.SHIPPING)
        rows = rows.filter(~shipping if word.place == MAIN else shipping)
    if not text:
        return ~Exists(rows.exclude(**{word.column: ""}).filter(customer=OuterRef("pk")))
    if word.list_name == "emails":
        # No address has a blank; a plus that was not encoded arrives as one.
        text = text.replace(" ", "+")
        if WILDCARD not in text:
            return Q(pk__in=rows.filter(address_key=normalise.email_key(text)).values("customer"))
    # No EXISTS: SQLite would walk through the rows once for each customer.
    return Q(pk__in=rows.filter(by_pattern(word.column, text)).values("customer"))


def of_resource(resource, key):
    """The row that a path names, or None."""
    rows = _ALL[resource]()
    if resource == CUSTOMER:
        found = list(rows.filter(of_key(key))[:2])
        return next((one for one in found if one.username == key), next(iter(found), None))
    if resource == LINK:
        digits = key.isascii() and key.isdigit() and len(key) <= LONGEST_NUMBER
        return rows.filter(code=int(key)).first() if digits else None
    return rows.filter(**{"code" if resource == GROUP else "number": key}).first()


def of_key(text, path=""):
    """The condition that a customer is called so: by username, also one of a record that was
    merged into it, or by id. `path` leads from the rows at hand to the customer."""
    # Asked now: two ways of being found in one condition are a walk through everybody on SQLite.
    named = Customer.objects.filter(known_as(Customer, "username", text)).order_by()
    keys = list(named.values_list("pk", flat=True))
    with suppress(ValueError):
        keys.append(uuid.UUID(text))
    return Q(**{f"{path}pk__in": keys})


def _by_link(rows, name, text):
    if name == "code":
        return rows.filter(code=normalise.clean_int(text))
    if name == "subscribed":
        return rows.filter(subscribed=normalise.clean_bool(words.subscribed_in(text)))
    if name == "username":
        if WILDCARD in text:
            return rows.filter(by_pattern("customer__username", text))
        return rows.filter(of_key(text, "customer__"))
    return rows.filter(by_pattern("group__code" if name == "group_code" else name, text))


def _by_group(rows, name, text):
    if name == "parent_code":
        return rows.filter(by_pattern("parent__code", text) if text else Q(parent=None))
    return rows.filter(by_pattern(name, text))


def _by_order(rows, name, text):
    if name == "username":
        if WILDCARD in text:
            return rows.filter(by_pattern("account__customer__username", text))
        return rows.filter(of_key(text, "account__customer__"))
    columns = {
        "order_number": "number", "order_type": "kind", "original_order_number": "revises",
        "store_code": "store__code",
    }  # fmt: skip
    if name not in columns:
        raise _error(_("This field cannot be searched."))
    return rows.filter(by_pattern(columns[name], text))


_NARROW = {CUSTOMER: _by_customer, LINK: _by_link, GROUP: _by_group, ORDER: _by_order}
