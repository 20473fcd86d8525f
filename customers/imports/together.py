"""The new customers of a chunk that can be registered together, in a few statements.

They are those whom nothing in the chunk or the database could make anything but new: nobody has
their identifiers, and no row above may be the same person. All others go the way of a single
registration or update, after them.
"""

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID, uuid4

from customers.columns import login_phone_key
from customers.models import Customer
from customers.profile import Profile
from customers.services.registering import says_anything
from customers.services.registering_many import (
    Registration,
    may_be_registered_together,
    register_customers,
)

from .matching import Index
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
    registrations = [
        Registration(
            clean=Profile(
                candidate.clean.columns,
                {name: list(rows) for name, rows in candidate.clean.children.items()},
                candidate.clean.extras,
            ),
            number=number,
            id=_id_of(candidate, index) or uuid4(),
            status=candidate.beside.get("status") or Customer.Status.ACTIVE,
            created_at=candidate.created_at,
            statements=candidate.consents,
        )
        for candidate, number in zip(candidates, numbers, strict=True)
    ]
    register_customers(registrations)
    return [one.id for one in registrations]


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
    columns = candidate.clean.columns
    for name in UNIQUE:
        value = columns.get(name)
        if name == "login_phone_key":
            value = login_phone_key(columns.get("login_phone"), index.tenant)
        if value:
            yield name, value
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
        rows = Customer.with_merged.filter(**{f"{name}__in": values})
        found |= {(name, value) for value in rows.values_list(name, flat=True)}
    return found
