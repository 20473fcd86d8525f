"""Finding records that may be the same person, set-based, and keeping what was found.

There is one way to look: at the customers that have changed since they were looked at last (their
`LikenessKeys` are of another version), a page at a time. Their keys are written, everybody with
one of those keys is compared with them, and the pairs that are alike enough are kept. The first
look at a million customers, the night's and that right after a save differ in who is looked at; one
that was cut off goes on where it was, because what has been looked at is not due any more.
"""

from collections import defaultdict
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, Exists, OuterRef

import normalise
from customers.likeness import KEYS, THRESHOLD, compare, keys_of, person_of
from customers.models import (
    Address,
    Customer,
    Email,
    LikenessKeys,
    NotDuplicate,
    Phone,
    PossibleDuplicate,
)
from customers.services.statistics import refresh_statistics
from tenancy.scoping import current_tenant

# Counts up when keys or weights change: everybody is due then.
RULES = 2
PAGE = 500
# After so many customers, and again after so many times more, the database counts what was kept:
# it would go on as if there were nothing.
MANY, GROWN = 1_000, 4
# A key that more than so many share (the telephone of the shop, info@) tells nothing.
LARGEST_BLOCK = 40
# So many values are asked for one by one.
FEW = 3
BEST = 20
# Who is being typed has no record yet.
NOBODY = UUID(int=0)
COLUMNS = (
    *("id", "tenant_id", "version", "kind", "vat_number"),
    *("name", "first_name", "last_name", "company_name"),
    *("birth_year", "birth_month", "birth_day", "login_email", "login_phone_key"),
)
LINES = ("customer_id", "street", "street2", "street3", "postal_code", "city")
State = PossibleDuplicate.State


@dataclass(slots=True)
class Found:
    """What a look has done: customers looked at, pairs that are `new`, and that are `gone`."""

    customers: int = 0
    new: int = 0
    gone: int = 0
    best: list = field(default_factory=list)


def due_customers(*, changed_since=None, everybody=False):
    """The customers that have changed since they were looked at (of those that changed since an
    instant, where one is named), or everybody."""
    customers = Customer.objects.identifiable()
    if changed_since is not None:
        customers = customers.filter(updated_at__gte=changed_since)
    if everybody:
        return customers
    current = LikenessKeys.objects.filter(
        customer=OuterRef("pk"), version=OuterRef("version"), rules=RULES
    )
    return customers.filter(~Exists(current))


def find_duplicates(
    *, changed_since=None, everybody=False, threshold=THRESHOLD, dry_run=False, on_page=None
):
    """Look for duplicates of the customers that are due (`due_customers`) in the active tenant.

    Pairs of at least `threshold` points are kept, open pairs that are no longer alike enough go;
    what somebody has decided stays. `dry_run` writes nothing (in a transaction that is rolled
    back). `on_page(done, last id)` is called after each page. Returns {"customers", "new", "gone",
    "open", "dry_run", "best"}; `best` are the twenty new pairs with the most points, as
    {"first", "second", "score", "reasons"}. Repeatable; may be cut off anywhere.
    """
    found = Found()
    with transaction.atomic() if dry_run else nullcontext():
        after, grown = None, MANY
        while True:
            due = due_customers(changed_since=changed_since, everybody=everybody)
            if after is not None:
                due = due.filter(pk__gt=after)
            rows = list(due.order_by("pk").values(*COLUMNS)[:PAGE])
            if not rows:
                break
            _look_at(rows, threshold, found)
            after = rows[-1]["id"]
            found.customers += len(rows)
            if found.customers >= grown * GROWN and not dry_run:
                grown = found.customers
                refresh_statistics(LikenessKeys, PossibleDuplicate, rough=True)
            if on_page is not None:
                on_page(found.customers, after)
        n_open = PossibleDuplicate.objects.filter(state=State.OPEN).count()
        if dry_run:
            transaction.set_rollback(True)
    return {
        "customers": found.customers,
        "new": found.new,
        "gone": found.gone,
        "open": n_open,
        "dry_run": dry_run,
        "best": [
            {"first": str(first), "second": str(second), "score": score, "reasons": reasons}
            for score, first, second, reasons in found.best
        ],
    }


def _look_at(rows, threshold, found):
    """Compare one page of customers with everybody who shares a key with them."""
    persons = _persons_of(rows)
    keys = {row["id"]: keys_of(persons[row["id"]]) for row in rows}
    _keep_keys(rows, keys)
    looked_at = set(persons)
    known = {
        (pair.first_id, pair.second_id): pair
        for column in ("first", "second")
        for pair in PossibleDuplicate.objects.filter(**{f"{column}__among": looked_at})
    }
    met = _meet(keys, persons) | set(known)
    strangers = {one for pair in met for one in pair} - looked_at
    persons |= _persons(strangers)
    alike = {}
    for pair in met:
        if pair[0] in persons and pair[1] in persons:
            likeness = compare(persons[pair[0]], persons[pair[1]])
            if likeness.is_enough(threshold):
                alike[pair] = likeness
    _keep_pairs(alike, known, found)


# --- Who meets whom ------------------------------------------------------------------------------
def _meet(keys, persons):
    """The pairs of ids that share a key, the lower id first: each of these customers with anybody.

    `keys` maps ids to keys, `persons` ids to Persons."""
    met = set()
    for column, meets_in in KEYS.items():
        ours = defaultdict(set)
        for customer_id, held in keys.items():
            if column in held:
                ours[held[column]].add(customer_id)
        for other in meets_in:
            met |= _pairs(ours, LikenessKeys.objects.all(), other)
    for name, rows, column in (
        ("emails", Email.objects.all(), "address_key"),
        ("phones", Phone.objects.all(), "digits"),
    ):
        ours = defaultdict(set)
        for customer_id in keys:
            for value in getattr(persons[customer_id], name):
                ours[value].add(customer_id)
        met |= _pairs(ours, rows, column)
    return met


def _pairs(ours, rows, column):
    """The pairs of `ours` ({value: ids}) with the rows that have the value in `column`."""
    if not ours:
        return set()
    met = set()
    for value, there in _sharing(rows.order_by(), column, list(ours)):
        for here in ours[value]:
            if here != there:
                met.add((here, there) if here < there else (there, here))
    return met


def _sharing(rows, column, values):
    """(value, customer id) of the rows with one of the values, of which not too many share it."""
    if len(values) <= FEW:
        # Read no further than one too many: of a value that thousands share, no count of them all.
        found = []
        for value in values:
            there = rows.filter(**{column: value}).values_list(column, "customer_id")
            block = list(there[: LARGEST_BLOCK + 1])
            found += block if len(block) <= LARGEST_BLOCK else []
        return found
    rows = rows.filter(**{f"{column}__among": values})
    counted = rows.values_list(column).annotate(n=Count("pk"))
    told = {value for value, n in counted if n <= LARGEST_BLOCK}
    if not told:
        return []
    return rows.filter(**{f"{column}__among": told}).values_list(column, "customer_id")


# --- Reading -------------------------------------------------------------------------------------
def _persons(ids):
    """{id: Person} of these customers; merged and anonymised ones are left out."""
    rows = Customer.objects.identifiable().filter(pk__among=ids).order_by().values(*COLUMNS)
    return _persons_of(list(rows)) if ids else {}


def _persons_of(rows):
    ids = [row["id"] for row in rows]
    emails, phones, addresses = defaultdict(list), defaultdict(list), defaultdict(list)
    children = (
        (emails, Email.objects.values_list("customer_id", "address")),
        (phones, Phone.objects.values_list("customer_id", "digits")),
    )
    for told, query in children:
        for customer_id, value in query.filter(customer__among=ids).order_by():
            told[customer_id].append(value)
    homes = Address.objects.filter(customer__among=ids).order_by("-primary", "position", "id")
    for home in homes.values(*LINES):
        addresses[home["customer_id"]].append(home)
    return {
        row["id"]: person_of(
            row,
            emails=emails[row["id"]],
            phones=phones[row["id"]],
            addresses=addresses[row["id"]],
        )
        for row in rows
    }


# --- Keeping -------------------------------------------------------------------------------------
def _still_there(ids):
    """Of these customers, {id: version} of those that are neither merged, erased nor gone; locked,
    so that nothing of an erased person is written after the erasure."""
    rows = Customer.objects.identifiable().select_for_update(of=("self",), no_key=True)
    return dict(rows.filter(pk__in=ids).order_by("pk").values_list("pk", "version"))


def _keep_keys(rows, keys):
    with transaction.atomic():
        there = _still_there([row["id"] for row in rows])
        kept = [
            LikenessKeys(
                tenant_id=row["tenant_id"],
                customer_id=row["id"],
                version=row["version"],
                rules=RULES,
                **keys[row["id"]],
            )
            for row in rows
            if row["id"] in there
        ]
        LikenessKeys.objects.bulk_create(
            kept,
            update_conflicts=True,
            unique_fields=["customer"],
            update_fields=["version", "rules", *KEYS],
        )


def _keep_pairs(alike, known, found):
    """Write the pairs that are alike, and remove open ones that are no longer."""
    gone = [pair.pk for ids, pair in known.items() if pair.state == State.OPEN and ids not in alike]
    changed = []
    for ids, pair in known.items():
        if ids in alike and _told(alike[ids]) != (pair.score, pair.reasons):
            pair.score, pair.reasons = _told(alike[ids])
            changed.append(pair)
    new = {ids: likeness for ids, likeness in alike.items() if ids not in known}
    if not (gone or changed or new):
        return
    with transaction.atomic():
        there = _still_there({one for pair in new for one in pair})
        new = {ids: new[ids] for ids in new if ids[0] in there and ids[1] in there}
        told_apart = set(
            NotDuplicate.objects.filter(
                first__in={ids[0] for ids in new}, second__in={ids[1] for ids in new}
            ).values_list("first", "second")
        )
        made = []
        for ids, likeness in new.items():
            score, reasons = _told(likeness)
            state = State.NOT_SAME if ids in told_apart else State.OPEN
            made.append(
                PossibleDuplicate(
                    tenant=current_tenant(),
                    first_id=ids[0],
                    second_id=ids[1],
                    score=score,
                    reasons=reasons,
                    state=state,
                )
            )
        PossibleDuplicate.objects.bulk_create(made, ignore_conflicts=True)
        PossibleDuplicate.objects.bulk_update(changed, ["score", "reasons"])
        found.gone += PossibleDuplicate.objects.filter(pk__in=gone, state=State.OPEN).delete()[0]
    opened = [pair for pair in made if pair.state == State.OPEN]
    found.new += len(opened)
    best = [(pair.score, pair.first_id, pair.second_id, pair.reasons) for pair in opened]
    found.best = sorted(found.best + best, key=lambda row: (-row[0], row[1]))[:BEST]


def _told(likeness):
    return likeness.points, [list(reason) for reason in likeness.reasons]


# --- What follows from decisions -------------------------------------------------------------
def set_pair_state(one_id, other_id, state):
    """Let the pair of these two ids, where there is one, be in this state."""
    first, second = sorted((one_id, other_id))
    PossibleDuplicate.objects.filter(first=first, second=second).update(state=state)


def settle_merged(survivor_id, other_id):
    """`other` became part of `survivor`: their pair is decided, and nothing is asked about `other`
    any more. Whom it was alike the survivor will be, when it is looked at."""
    set_pair_state(survivor_id, other_id, State.MERGED)
    pairs = PossibleDuplicate.objects.about(other_id)
    pairs.filter(state=State.OPEN).delete()
    LikenessKeys.objects.filter(customer=other_id).delete()


# --- Somebody who is only being typed ----------------------------------------------------------
def possible_duplicates(typed, *, country=None, leave_out=None, most=5, threshold=THRESHOLD):
    """The customers who may be the person that is being typed, the most alike first.

    `typed` holds raw texts as they stand in a form: first_name, last_name, name, company_name,
    birth_date, and lists of texts `emails` and `phones` and of dicts `addresses`; what is missing,
    empty or not yet valid counts as not said. `country` is whose way of writing phones counts,
    `leave_out` the id of the customer who is being edited. Returns [(Customer, Likeness)], at most
    `most`; a constant number of queries, each led by an index.
    """
    person = typed_person(typed, country=country or current_tenant().country)
    keys = {NOBODY: keys_of(person)}
    met = _meet(keys, {NOBODY: person})
    persons = _persons({one for pair in met for one in pair} - {NOBODY, leave_out})
    alike = [(compare(person, there), customer_id) for customer_id, there in persons.items()]
    alike = sorted(
        (pair for pair in alike if pair[0].is_enough(threshold)),
        key=lambda pair: (-pair[0].points, pair[1]),
    )[:most]
    rows = Customer.objects.in_bulk([customer_id for _likeness, customer_id in alike])
    return [(rows[key], likeness) for likeness, key in alike if key in rows]


def typed_person(typed, *, country):
    """A Person of raw texts."""
    row = dict.fromkeys(COLUMNS, "") | {"kind": "person", "birth_month": None}
    row |= {name: _text(typed.get(name)) for name in ("first_name", "last_name", "name")}
    row["company_name"] = _text(typed.get("company_name"))
    with suppress(ValidationError):
        born = normalise.clean_birth_date(typed.get("birth_date") or None)
        if born is not None:
            row |= {"birth_year": born.year, "birth_month": born.month, "birth_day": born.day}
    emails, phones = [], []
    for text in typed.get("emails") or ():
        with suppress(ValidationError):
            emails.append(normalise.clean_email(text))
    for text in typed.get("phones") or ():
        with suppress(ValidationError):
            phones.append(normalise.clean_phone(text, country=country).digits)
    addresses = [
        {name: _text(home.get(name)) for name in LINES[1:]} for home in typed.get("addresses") or ()
    ]
    return person_of(row, emails=emails, phones=phones, addresses=addresses)


def _text(value):
    return value.strip()[:250] if isinstance(value, str) else ""
