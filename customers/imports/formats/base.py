"""What a known file format is: whose headers these are, and what each column means to us."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from customers.imports.guessing import fold
from customers.imports.mapping import Mapping


@dataclass(frozen=True)
class Format:
    """The customer file of one program, recognised by its header alone.

    Each format supplies: a `name` for the command line, a `label` for people, the `mapping`
    (columns in the program's own spelling; a file may lack any that is not in `required`), the
    header names without which it is another file (`required`) or with which it is
    (`forbidden`), the columns that are `not_taken` with the reason, and `notes` on the whole.

    The mapping's `match` is the key by which known customers are found unless somebody says
    otherwise, `on_match` what happens to them then; its `adds_children` marks a file whose rows
    add addresses to customers who are already here. `kind` is how such files are written, where
    that is part of the format. `continues` names the column that is blank in a row which goes on
    with the customer above.
    """

    name: str
    label: str
    mapping: Mapping
    required: frozenset[str]
    forbidden: frozenset[str] = frozenset()
    continues: str | None = None
    kind: str | None = None
    on_match: str | None = None
    not_taken: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def match(self) -> str | None:
        """The key by which known customers are found unless somebody says otherwise."""
        return self.mapping.match

    @property
    def adds_children(self) -> bool:
        """Whether a row adds to a customer who is already here, and makes none."""
        return self.mapping.adds_children

    @cached_property
    def _marks(self) -> tuple[frozenset[str], frozenset[str]]:
        return frozenset(map(fold, self.required)), frozenset(map(fold, self.forbidden))

    def recognise(self, header: Iterable[str]) -> bool:
        """Whether a file with this header is of this format."""
        names = set(map(fold, header))
        required, forbidden = self._marks
        return required <= names and not forbidden & names

    def bind(self, header: Iterable[str]) -> Mapping:
        """The mapping for one file, in the spelling of its header."""
        return self.mapping.bind(header, strict=False)

    def reasons(self, header: Iterable[str]) -> list[tuple[str, str]]:
        """The columns of this file that are not read, each with the reason, for the report."""
        header = list(header)
        read = self.bind(header).columns
        known = {fold(column): reason for column, reason in self.not_taken.items()}
        return [
            (column, known.get(fold(column), "unknown to this format"))
            for column in header
            if column not in read
        ]
