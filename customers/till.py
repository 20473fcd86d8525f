"""Finding a customer at the till: the few who match best, and why each of them matches."""

from dataclasses import dataclass

from django.db.models import Prefetch

import normalise
from customers.models import Customer, Email, Phone
from customers.search import MIN_PART, find_customer, search_customers

MOST = 8
# So many matches are put into order; who types more narrows them.
LOOKED_AT = 60
FEWEST_CHARACTERS = 2
LONGEST = 200
NAMES = ("name", "first_name", "last_name", "company_name")
IDENTIFIERS = ("card_number", "external_id", "username")


@dataclass(frozen=True, slots=True)
class Hit:
    """A customer who matches, and the reasons: (kind, text) each. A kind is a column of the
    customer, "emails", "phones", "former" (a record that was merged into this one; the text is its
    number) or "record" (something else that is kept of the customer; the text is empty)."""

    customer: Customer
    reasons: tuple


def find_at_till(typed, *, most=MOST):
    """The customers whom `typed` may mean: ([Hit], whether there are more).

    Less than two characters mean nobody. Whoever is named exactly (number, card, external id,
    username, also those of a merged record) comes first, then who can buy, then by the alphabet.
    Hidden customers are found when they are named exactly. Each Hit's customer has its store,
    e-mails and phones at hand; a constant number of queries.
    """
    text = str(typed or "").strip()[:LONGEST]
    if len(text) < FEWEST_CHARACTERS:
        return [], False
    exact = _named_exactly(text)
    # Unordered: an order would let the database sort, or walk, everybody.
    found = list(
        search_customers(Customer.objects.filter(hidden=False), text)
        .order_by()
        .values_list("pk", "status", "name")[: LOOKED_AT + 1]
    )
    ranked = sorted(found, key=lambda row: (row[1] == Customer.Status.BLOCKED, row[2].casefold()))
    ids = [pk for pk, _status, _name in ranked if exact is None or pk != exact.pk]
    if exact is not None:
        ids.insert(0, exact.pk)
    part = normalise.email_part(text)
    terms = [*normalise.search_terms(text), *([part] if part else [])]
    return _hits(ids[:most], terms), len(ids) > most


def _named_exactly(text):
    if text.isascii() and text.isdigit():
        return find_customer(text) or find_customer(f"CUST-{text}")
    return find_customer(text)


def _hits(ids, terms):
    rows = (
        Customer.objects.select_related("home_store")
        .prefetch_related(
            Prefetch("emails", Email.objects.order_by("-primary", "position", "id")),
            Prefetch("phones", Phone.objects.order_by("-primary", "position", "id")),
        )
        .in_bulk(ids)
    )
    reasons = {pk: reasons_of(rows[pk], terms) for pk in ids if pk in rows}
    unexplained = [pk for pk, found in reasons.items() if not found]
    if unexplained:
        # Sorted here: for an order of its own SQLite would walk through everybody.
        former = Customer.with_merged.filter(merged_into__in=unexplained).order_by()
        former = former.only("merged_into_id", "number", *IDENTIFIERS)
        for record in sorted(former, key=lambda record: record.number or 0):
            if _reasons_among(_identifiers(record), terms):
                reasons[record.merged_into_id] = (("former", record.code),)
    return [Hit(rows[pk], found or (("record", ""),)) for pk, found in reasons.items()]


def reasons_of(customer, terms):
    """Where each of these `Term`s stands in the record, without repetition; () for nowhere."""
    names = ((kind, getattr(customer, kind)) for kind in NAMES)
    phones, emails = customer.phones.all(), customer.emails.all()
    return _reasons_among(
        [
            *((kind, text, {"names": [text]}) for kind, text in names if text),
            *_identifiers(customer),
            *(("phones", row.e164 or row.given, {"phones": [row]}) for row in phones),
            *(("emails", row.address, {"emails": [row.address]}) for row in emails),
        ],
        terms,
    )


def _identifiers(customer):
    number = customer.number
    parts = [("number", customer.code, {"number": number})] if number is not None else []
    for name in IDENTIFIERS:
        text = getattr(customer, name)
        if text:
            parts.append((name, text, {"identifiers": [text]}))
    return parts


def _reasons_among(parts, terms):
    """The first part for each term; a part is (kind, text, what the folded text is built from)."""
    folded = [(kind, text, normalise.search_text(**source)) for kind, text, source in parts]
    found = {}
    for term in terms:
        for stands_in in (_stands_in, _stands_in_without_zeros):
            there = next((part[:2] for part in folded if stands_in(term, part[2])), None)
            if there is not None:
                found[there] = None
                break
    return tuple(found)


def _stands_in(term, words):
    """As the search itself looks into the folded text of the whole record."""
    if term.kind == "number":
        return f" cust-{term.value} " in words
    return f" {term.value}" in words if len(term.value) < MIN_PART else term.value in words


def _stands_in_without_zeros(term, words):
    """A number dialled with its trunk prefix, or a customer number with leading zeros."""
    significant = term.value.lstrip("0")
    if not term.value.isdecimal() or significant in ("", term.value):
        return False
    return f" {significant} " in words if len(significant) <= MIN_PART else significant in words
