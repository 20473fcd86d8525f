"""Which column of a file fills which field of the record, and how its cells are read.

A mapping comes from one of three places: a known format (formats/), the header itself
(`guess_mapping`), or a file that the operator wrote (`Mapping.from_json`, mapping_file.py).
"""

import difflib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from . import assembling, converting
from .converting import BLANK, CONVERTERS, ConversionError
from .errors import MappingError, RowError
from .guessing import Unmapped, fold, guess_columns
from .mapping_file import MappingFile
from .readers import RawRow, Source
from .rules import Rule, unknown_target
from .targets import MATCH_KEYS, Target, nearest

__all__ = [
    "Mapping", "MappingError", "RowError", "Rule", "ShapedRow", "Unmapped", "guess_mapping",
    "shape_rows",
]  # fmt: skip


@dataclass(slots=True)
class ShapedRow:
    """One customer as the file tells it.

    `record` is what the services take, `errors` why parts of it (or all) could not be read,
    `line` where it starts, `raw` the rows of the file that it is made of.
    """

    line: int
    record: dict[str, Any]
    errors: list[RowError] = field(default_factory=list)
    # Not shown: a shop's file may hold passwords in columns that nobody reads.
    raw: list[RawRow] = field(default_factory=list, repr=False)

    @property
    def rows(self) -> int:
        """How many rows of the file it is made of."""
        return len(self.raw)


Finish = Callable[[dict[str, Any], dict[str, Any], list[RowError]], None]


@dataclass(frozen=True)
class Mapping:
    """The rules of one file, in order.

    `ignored` are columns that are known and not read; `finish`, of known formats only, gets the
    cells, the record and the errors of each row and completes what single columns cannot say.
    `adds_children` marks a file that adds to customers and does not describe them: its rows
    claim no primary address. `loose` are references that are left out where they lead nowhere.
    """

    rules: tuple[Rule, ...]
    match: str | None = None
    blank: str = "keep"
    ignored: frozenset[str] = frozenset()
    adds_children: bool = False
    finish: Finish | None = None
    loose: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        taken: dict[tuple, str] = {}
        for rule in self.rules:
            for target in rule.targets:
                before = taken.setdefault(target.path, rule.label)
                if before != rule.label and target.path != ("labels",):
                    raise MappingError(
                        rule.label, f"“{target.name}” is already filled by “{before}”"
                    )

    @classmethod
    def from_json(cls, text: str | bytes) -> "Mapping":
        """Read a mapping file; raises MappingError naming the key that is wrong."""
        parts = MappingFile(text).parts()
        try:
            return cls(**parts)
        except MappingError as fault:
            raise MappingError(f"columns.{fault.key}", fault.message) from None

    @property
    def columns(self) -> frozenset[str]:
        """The columns of the file that the rules read."""
        return frozenset(column for rule in self.rules for column in rule.columns)

    @property
    def names(self) -> frozenset[str]:
        """The targets that the rules fill."""
        return frozenset(name for rule in self.rules for name in rule.to)

    def names_customers(self) -> bool:
        """Whether a row can say who the customer is: by a name or a contact point."""
        paths = {target.path for rule in self.rules for target in rule.targets}
        fields = {path[0] for path in paths}
        return bool(
            fields & {"name", "first_name", "last_name", "company_name", "emails", "phones"}
            or fields & {"login_email", "login_phone", "username", "contact_persons"}
        )

    def bind(self, header: Iterable[str], *, strict: bool = True) -> "Mapping":
        """The same mapping with the file's own spelling of its columns.

        Columns are found exactly, else without regard to case and signs. A column that the file
        does not have is a MappingError naming the nearest one; with `strict=False` its rule (or
        its part in a join) is left out.
        """
        header = list(header)
        exact = set(header)
        folded = {fold(name): name for name in reversed(header)}

        def find(column: str) -> str | None:
            return column if column in exact else folded.get(fold(column))

        rules = []
        for rule in self.rules:
            found = tuple(find(column) for column in rule.columns)
            if strict and None in found:
                column = rule.columns[found.index(None)]
                raise MappingError(f"columns.{column}", _missing(column, header))
            kept = tuple(column for column in found if column)
            if kept or not rule.columns:
                rules.append(replace(rule, columns=kept))
        return replace(
            self,
            rules=tuple(rules),
            ignored=frozenset(filter(None, map(find, self.ignored))),
        )

    def unmapped(self, header: Iterable[str]) -> list[Unmapped]:
        """The columns that no rule reads and nobody chose to ignore, with the nearest name."""
        known = self.columns | self.ignored
        return [Unmapped(name, nearest(name)) for name in header if name not in known]

    def with_date_orders(self, source: Iterable[RawRow], otherwise: str | None = None) -> "Mapping":
        """Settle day/month by the whole file: one proof in a column decides for all its cells.

        A column whose cells prove nothing has the order `otherwise`. Without it, or where they
        contradict each other, it stays as it is, and its ambiguous cells are refused row by row.
        Reads the source once.
        """
        open_columns = {
            rule.columns[0]: set()
            for rule in self.rules
            if len(rule.columns) == 1
            and rule.options.dates is None
            and rule.targets[0].type in ("date", "moment")
        }
        if not open_columns:
            return self
        for row in source:
            for column, orders in open_columns.items():
                order = converting.proven_date_order(row.values.get(column))
                if order:
                    orders.add(order)
        proven = {
            column: orders.pop() if orders else otherwise
            for column, orders in open_columns.items()
            if len(orders) < 2
        }

        def settled(rule: Rule) -> Rule:
            order = proven.get(rule.columns[0]) if rule.columns else None
            return replace(rule, options=replace(rule.options, dates=order)) if order else rule

        return replace(self, rules=tuple(map(settled, self.rules)))

    def apply(self, row: RawRow) -> ShapedRow:
        """Shape one row: every cell laid in its place, every cell that does not fit named."""
        record: dict[str, Any] = {}
        slots: dict[tuple, dict[str, Any]] = {}
        cleared: list[Target] = []
        errors: list[RowError] = []
        for rule in self.rules:
            value = None
            try:
                value = rule.raw(row.values)
                if _is_blank(value):
                    if rule.columns and self.blank == "clear":
                        cleared.extend(rule.targets)
                    continue
                for target, piece in zip(rule.targets, rule.pieces(value), strict=False):
                    if target.type == "list":
                        converted = assembling.to_list(target.path[0], piece, rule.options)
                    elif piece == "":
                        continue
                    else:
                        converted = CONVERTERS[target.type](piece, rule.options)
                    if converted is not BLANK:
                        assembling.put(record, slots, target.path, converted)
            except ConversionError as fault:
                shown = row.values.get(rule.columns[0]) if len(rule.columns) == 1 else value
                errors.append(RowError(rule.label, shown, str(fault)))
        assembling.join_slots(record, slots, primary=not self.adds_children)
        if cleared:
            _clear(record, cleared)
        if self.finish:
            self.finish(row.values, record, errors)
        return ShapedRow(row.line, record, errors, [row])


def _is_blank(value: Any) -> bool:
    if isinstance(value, str):
        return not value or value.isspace()
    return value is None or value == [] or value == {}


def _clear(record: dict[str, Any], cleared: list[Target]) -> None:
    for target in cleared:
        name = target.path[0]
        if name in record or name == "consents":
            # The other cells of a list fill it; given consents can only be withdrawn.
            continue
        whole = target.type in ("list", "labels", "tags", "groups") or len(target.path) > 1
        record[name] = [] if whole else None


def _missing(column: str, header: list[str]) -> str:
    folded = {fold(name): name for name in reversed(header)}
    near = difflib.get_close_matches(fold(column), folded, n=1)
    hint = f"; the nearest is “{folded[near[0]]}”" if near else ""
    return f"the file has no such column{hint}"


def guess_mapping(header: Iterable[str]) -> tuple[Mapping, list[Unmapped]]:
    """Read a header by the words that shops and people commonly use.

    Returns the mapping of the columns that were understood, and the others with the nearest
    name of ours (None where nothing comes near) and, where there is one, the reason.
    """
    guesses, unmapped = guess_columns(list(header))
    rules = tuple(Rule(**guess) for guess in guesses)
    mapping = Mapping(rules, ignored=frozenset(column.column for column in unmapped))
    return replace(mapping, match=next(iter(_matches(mapping.names)), None)), unmapped


def _matches(names: frozenset[str]) -> Iterator[str]:
    return (key for key in MATCH_KEYS if key in names)


def shape_rows(
    source: Source | Iterable[RawRow],
    mapping: Mapping,
    *,
    continues: str | None = None,
    kind: str | None = None,
) -> Iterator[ShapedRow]:
    """All customers of a source, in flat memory.

    `continues` names the column that is blank in a row which goes on with the customer of the
    row before: its children are added there. `kind` is how the file is written, where `source` does
    not say it. A key of a JSON object that the mapping does not
    know (the first records did not have it) is an error of its row.
    """
    known = mapping.columns | mapping.ignored
    is_json = (kind or getattr(source, "kind", "csv")) in ("json", "jsonl")
    before: ShapedRow | None = None
    for row in source:
        shaped = mapping.apply(row)
        if is_json and (unknown := row.values.keys() - known):
            shaped.errors += [
                RowError(name, row.values[name], unknown_target(name)) for name in sorted(unknown)
            ]
        if continues is None:
            yield shaped
        elif not _is_blank(row.values.get(continues)):
            if before:
                yield before
            before = shaped
        elif before is None:
            shaped.errors.append(
                RowError(continues, "", "is blank, but there is no customer above to go on with")
            )
            yield shaped
        else:
            _add(before, shaped)
    if before:
        yield before


def _add(customer: ShapedRow, more: ShapedRow) -> None:
    """Add the children of a continuation row; a row without any adds nothing."""
    for name, items in more.record.items():
        if isinstance(items, list):
            have = customer.record.setdefault(name, [])
            for item in items:
                if isinstance(item, dict) and any(one.get("primary") for one in have):
                    item = {key: value for key, value in item.items() if key != "primary"}
                if item not in [_without_primary(one) for one in have]:
                    have.append(item)
        else:
            customer.record.setdefault(name, items)
    customer.errors += [replace(error, line=error.line or more.line) for error in more.errors]
    customer.raw += more.raw


def _without_primary(item: Any) -> Any:
    if isinstance(item, dict):
        return {key: value for key, value in item.items() if key != "primary"}
    return item
