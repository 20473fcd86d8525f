"""Who of the file is here already: asked in bulk for a chunk, kept up to date within it."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

import normalise
from customers.columns import login_phone_key
from customers.models import Customer, Email, Phone

from .converting import DEFAULT, ConversionError, to_number
from .validating import Candidate, content_id

LONGEST_KEY = 254
# Whoever comes with the key of a record that was merged is its survivor.
SURVIVOR = Coalesce("merged_into", "pk")


def key_of(tenant: Any, match: str, value: Any) -> Any:
    """A key as people write it, in the form in which customers are found by it.

    Raises ValidationError for what cannot be one.
    """
    text = value.strip() if isinstance(value, str) else str(value)
    if match == "id":
        try:
            return UUID(text)
        except ValueError:
            raise ValidationError(_("Must be a UUID."), code="invalid") from None
    if match == "number":
        try:
            return to_number(text, DEFAULT)
        except ConversionError:
            raise ValidationError(_("Must be a customer number."), code="invalid") from None
    if match == "email":
        return normalise.email_key(normalise.clean_email(text))
    if match == "phone":
        return normalise.clean_phone(text, country=tenant.country).digits
    return normalise.clean_identifier(text, max_length=LONGEST_KEY)


class Index:
    """The known customers by the match key of the candidates of one chunk.

    A row without a value for the key, or a file without any key, is found by its whole content
    (`content_id`). E-mail and phone are those that stand for the customer in the file (primary,
    else first); they are compared with all contact points and sign-ins of the known ones.
    """

    def __init__(self, tenant: Any, match: str | None):
        self.tenant = tenant
        self.match = match
        self._by_key: dict[Any, set[UUID]] = defaultdict(set)
        self._by_content: dict[UUID, set[UUID]] = defaultdict(set)

    def key(self, candidate: Candidate) -> Any:
        """What the candidate is found by; None where the row says nothing there."""
        try:
            return candidate.match_key
        except AttributeError:
            candidate.match_key = key = self._key(candidate)
            return key

    def _key(self, candidate: Candidate) -> Any:
        match = self.match
        if match in ("id", "number"):
            return candidate.beside.get(match)
        if match == "email":
            row = candidate.item("emails")
            return row and row["address_key"]
        if match == "phone":
            row = candidate.item("phones")
            return row and row["digits"]
        value = candidate.clean.columns.get(match) if candidate.clean and match else None
        return login_phone_key(value, self.tenant) if match == "login_phone" else value

    def content(self, candidate: Candidate) -> UUID:
        """The id that a candidate without a key has by its content."""
        return candidate.beside.get("id") or content_id(self.tenant, candidate.shaped.record)

    def load(self, candidates: Iterable[Candidate]) -> None:
        """Find the known customers of these candidates, in a query or two, and add them."""
        keys, contents = set(), set()
        for candidate in candidates:
            if candidate.clean is None:
                continue
            key = self.key(candidate)
            if key is None:
                contents.add(self.content(candidate))
            else:
                keys.add(key)
        for key, customer_id in self.pairs(keys):
            self._by_key[key].add(customer_id)
        if contents:
            rows = Customer.with_merged.filter(pk__among=contents)
            for content, found in rows.values_list("pk", SURVIVOR):
                self._by_content[content].add(found)

    def look_up(self, candidate: Candidate) -> list[UUID]:
        """The known customers that the candidate may be, in a fixed order."""
        key = self.key(candidate)
        if key is None:
            return sorted(self._by_content.get(self.content(candidate), ()))
        return sorted(self._by_key.get(key, ()))

    def remember(self, candidate: Candidate, customer_id: UUID) -> None:
        """A customer of this chunk was written: later rows of the file shall find it."""
        if self.key(candidate) is None:
            self._by_content[self.content(candidate)].add(customer_id)
        children = candidate.clean.children
        if self.match == "email":
            keys = [row["address_key"] for row in children.get("emails", ())]
            keys.append(candidate.clean.columns.get("login_email"))
        elif self.match == "phone":
            keys = [row["digits"] for row in children.get("phones", ())]
            login = candidate.clean.columns.get("login_phone")
            keys.append(login_phone_key(login, self.tenant))
        else:
            keys = [self.key(candidate)]
        for key in filter(None, keys):
            self._by_key[key].add(customer_id)

    def pairs(self, keys: set) -> Iterable[tuple[Any, UUID]]:
        """(key, customer id) of everybody who has one of these keys, as `key_of` writes them."""
        if not keys:
            return
        column = {"login_phone": "login_phone_key", "email": "login_email",
                  "phone": "login_phone_key"}.get(self.match, self.match)  # fmt: skip
        rows = Customer.with_merged.filter(**{f"{column}__among": keys})
        yield from rows.values_list(column, SURVIVOR)
        if self.match == "email":
            rows = Email.objects.filter(address_key__among=keys)
            yield from rows.values_list("address_key", "customer_id")
        elif self.match == "phone":
            rows = Phone.objects.filter(digits__among=keys)
            yield from rows.values_list("digits", "customer_id")
