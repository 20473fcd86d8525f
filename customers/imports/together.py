"""The customers of a chunk that can be registered or changed together, in a few statements.

The new ones are those whom nothing in the chunk or the database could make anything but new: nobody
has their identifiers, and no row above may be the same person. The changed ones are known, and no
other row of the chunk is about them or what they ask for. All others go the way of a single
registration or update, after them.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from customers.columns import login_phone_key
from customers.hooks import hooks
from customers.models import Customer
from customers.profile import Profile
from customers.services.registering import says_anything
from customers.services.registering_many import (
    Registration,
    may_be_registered_together,
    register_customers,
)
from tenancy.bulk import new_ids

from .matching import Index
from .merging import Changes, Known
from .validating import Candidate

# What nobody else may have, by the column that says so.
UNIQUE = ("external_id", "username", "card_number", "login_email", "login_phone_key")
FEWEST = 2  # for one alone it is not worth it


def choose(candidates: Iterable[Candidate], index: Index, match: str | None) -> list[Candidate]:
    """Those of these candidates, in their order, that can be registered together."""
    chosen, seen = [], set()
    for candidate in candidates:
        own = set(_identities(candidate, index, match))
        if seen.isdisjoint(own) and _is_new(candidate, index, match):
            chosen.append((candidate, own))
        seen |= own
    taken = _taken([own for _candidate, own in chosen], index.tenant, match)
    return [candidate for candidate, own in chosen if taken.isdisjoint(own)]


def register(candidates: list[Candidate], index: Index, numbers: list[int]) -> list[UUID]:
    """Register them all, or raise what `register_customers` raises; returns their ids."""
    new, ids = new_ids(), []

    def registrations():
        for candidate, number in zip(candidates, numbers, strict=True):
            ids.append(_id_of(candidate, index) or next(new))
            clean = candidate.clean
            yield Registration(
                clean=Profile(
                    clean.columns,
                    {name: list(rows) for name, rows in clean.children.items()},
                    clean.extras,
                ),
                number=number,
                id=ids[-1],
                status=candidate.beside.get("status") or Customer.Status.ACTIVE,
                created_at=candidate.created_at,
                statements=candidate.consents,
            )

    register_customers(registrations())
    return ids


def of_known(
    candidates: Iterable[Candidate], index: Index, known: dict[UUID, Known]
) -> Iterator[tuple[Candidate, Known | None]]:
    """Each candidate, with the customer whom nothing but this one row of the chunk is about, or
    with None."""
    candidates = list(candidates)
    found = [index.look_up(candidate) for candidate in candidates]
    times = Counter(one for ids in found for one in ids)
    shared = Counter()
    if index.match in ("email", "phone"):
        # What a row adds to one customer may be what the next one is found by.
        identities = [set(_identities(one, index, index.match)) for one in candidates]
        shared.update(identity for own in identities for identity in own)
    for n, (candidate, ids) in enumerate(zip(candidates, found, strict=True)):
        alone = len(ids) == 1 and times[ids[0]] == 1
        if alone and shared and any(shared[identity] > 1 for identity in identities[n]):
            alone = False
        yield candidate, known.get(ids[0]) if alone else None


def choose_changes(
    candidates: Iterable[Candidate], wanted: list[tuple], index: Index, match: str | None
) -> list[tuple]:
    """Those of the wanted changes (candidate, Known, Changes), in their order, that can be written
    together: no row above, of these candidates, is about the same identities, and nobody else
    has them."""
    if not wanted:
        return []
    by_candidate = {id(one[0]): one for one in wanted}
    chosen, seen = [], set()
    for candidate in candidates:
        own = set(_identities(candidate, index, match))
        one = by_candidate.get(id(candidate))
        if one is None:
            seen |= own
            continue
        _candidate, known, changes = one
        own |= {(name, held) for name in UNIQUE if (held := getattr(known.customer, name))}
        if seen.isdisjoint(own) and _may_change_together(known, changes):
            chosen.append((one, set(_claimed(candidate, changes, index.tenant))))
        seen |= own
    taken = _taken([claimed for _one, claimed in chosen], index.tenant, None)
    return [one for one, claimed in chosen if taken.isdisjoint(claimed)]


def _may_change_together(known: Known, changes: Changes) -> bool:
    return not (
        known.former or changes.status or changes.account or hooks.fields.keys() & changes.profile
    )


def _claimed(candidate: Candidate, changes: Changes, tenant: Any) -> Iterator[tuple[str, Any]]:
    """The identifiers that a change asks for."""
    for name, value in _unique_values(candidate.clean.columns, tenant):
        if name.removesuffix("_key") in changes.profile:
            yield name, value


def _is_new(candidate: Candidate, index: Index, match: str | None) -> bool:
    return (
        not index.look_up(candidate)
        and not (match == "number" and index.key(candidate) is not None)
        and not any(value not in (None, "") for value in candidate.account.values())
        and may_be_registered_together(candidate.clean)
        and says_anything(candidate.clean)
    )


def _id_of(candidate: Candidate, index: Index) -> UUID | None:
    """The id that the file gives a new customer, by a column or by its whole content."""
    own = candidate.beside.get("id")
    return own or (index.content(candidate) if index.key(candidate) is None else None)


def _identities(candidate: Candidate, index: Index, match: str | None) -> Iterator[tuple[str, Any]]:
    """All by which one row of a file may be the same customer as another, or stand in its way."""
    yield from _unique_values(candidate.clean.columns, index.tenant)
    if (own := _id_of(candidate, index)) is not None:
        yield "id", own
    if match == "email":
        for row in candidate.clean.children.get("emails", ()):
            yield "login_email", row["address_key"]
    elif match == "phone":
        for row in candidate.clean.children.get("phones", ()):
            yield "login_phone_key", row["digits"]
    if number := candidate.account.get("number"):
        yield "charge_account", number


def _unique_values(columns: dict[str, Any], tenant: Any) -> Iterator[tuple[str, Any]]:
    for name in UNIQUE:
        value = columns.get(name)
        if name == "login_phone_key":
            value = login_phone_key(columns.get("login_phone"), tenant)
        if value:
            yield name, value


def _taken(identities: list[set], tenant: Any, match: str | None) -> set[tuple[str, Any]]:
    """Those of the identities that somebody in the database has."""
    wanted: dict[str, list] = {}
    for own in identities:
        for name, value in own:
            wanted.setdefault(name, []).append(value)
    found = set()
    for name, values in wanted.items():
        if name == match or name == "charge_account":
            continue  # the index has looked for these already; who has an account goes alone
        rows = Customer.with_merged.filter(**{f"{name}__among": values})
        found |= {(name, value) for value in rows.values_list(name, flat=True)}
    return found
