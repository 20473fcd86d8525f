"""Our own exports, coming back: every column under its own name, nothing to translate."""

from collections.abc import Iterable
from dataclasses import dataclass

from customers.imports.mapping import Mapping, Rule
from customers.imports.targets import MATCH_KEYS, READ_ONLY, find_target

from .base import Format

# `id` is a frequent name in other people's files. It is ours only beside names nobody else uses.
_OURS_ALONE = frozenset({
    "external_id", "card_number", "card_state", "no_loyalty", "login_email", "custom_data1",
    "anonymised_at", "emails", "phones", "addresses",
})  # fmt: skip


@dataclass(frozen=True)
class _OwnFormat(Format):
    def recognise(self, header: Iterable[str]) -> bool:
        names = set(header)
        if not all(find_target(name) or name in READ_ONLY for name in names):
            return False
        return bool("id" not in names or names & _OURS_ALONE)

    def bind(self, header: Iterable[str]) -> Mapping:
        names = [name for name in header if find_target(name)]
        return Mapping(
            tuple(Rule.plain(name, name) for name in names),
            match=next((key for key in MATCH_KEYS if key in names), None),
            ignored=frozenset(READ_ONLY),
        )


CUSTOMERS = _OwnFormat(
    name="regulars",
    label="Regulars export",
    mapping=Mapping((), match="id"),
    required=frozenset(),
    not_taken=READ_ONLY,
    notes=("What the system keeps itself (version, times of change) is passed over.",),
)
