"""A short way for rows in plain writing, which nearly all rows of nearly all files are.

The rules are the ones that every row goes by: the same converters and cleaners are called, on the
cells that are there. Only what a row in plain writing cannot need is left out: joined and cut
cells, several entries in a list, words for nothing, and every refusal. Where anything of the kind
comes up, the answer is None, and the row goes the long way (`Mapping.apply`, `Validator.validate`),
which also finds all reasons. A property test holds the two ways together.

Nothing here asks the database, so that rows can be read ahead in a thread.
"""

import re
from typing import Any

from django.core.exceptions import ValidationError

from customers.columns import COLUMN_CLEANERS, Context
from customers.profile import CHILD_LISTS, Profile, says
from customers.services.registering import clean_created_at

from .converting import BLANK, CONVERTERS, ConversionError, to_date
from .mapping import Mapping, ShapedRow
from .readers import RawRow
from .targets import ESSENTIAL, SLOT_KINDS
from .validating import Candidate, Validator, drop_built_name

# An address of which only these are known is none.
_NOT_AN_ADDRESS = frozenset({"kind", "first_name", "last_name"})
_LISTS = ("emails", "phones", "addresses")
# Read by the country of the home store, which has to be known before.
_BY_COUNTRY = ("login_phone", "vat_number")
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
# Of which a file has few different ones, or many times the same; none depends on a country.
_ALIKE = frozenset({
    "birth_date", "card_state", "city", "country", "e_invoice", "eu_citizen", "first_name",
    "gender", "hidden", "kind", "language", "last_name", "no_email", "no_loyalty", "opted_out",
    "origin", "payment_terms_days", "postal_code", "price_list", "shipping_mode", "state",
    "verified",
})  # fmt: skip
_REMEMBERED = 30_000  # cells of each column


class PlainCandidate(Candidate):
    """A candidate whose row was read the short way; the long way is gone when somebody asks for
    what only it knows."""

    def __init__(self, raw: RawRow, validator: Validator, clean: Profile, beside: dict):
        self._raw, self._validator, self._long = raw, validator, None
        self.clean, self.beside = clean, beside
        self.created_at, self.consents, self.errors, self.account = None, [], [], {}

    @property
    def line(self) -> int:
        return self._raw.line

    @property
    def rows(self) -> int:
        return 1

    def _went_long(self) -> Candidate:
        if self._long is None:
            self._long = self._validator.validate(self._validator.mapping.apply(self._raw))
        return self._long

    @property
    def shaped(self) -> ShapedRow:
        return self._went_long().shaped

    @property
    def profile(self) -> dict[str, Any]:
        return self._went_long().profile


class PlainRows:
    """The short way through one mapping.

    What the cells of a column like those in ALIKE mean is remembered for the length of the file:
    they say the same a thousand times. What is read by the country of a home store is not.
    """

    def __init__(self, mapping: Mapping, validator: Validator):
        self.validator = validator
        self.tenant = validator.tenant
        self.context = Context(self.tenant, self.tenant.country)
        self._fields: list[_Cell] = []
        self._late: list[_Cell] = []  # what is read by the country of the home store
        self._beside: list[_Cell] = []
        self._store: str | None = None
        self._parts: dict[str, list[_Cell]] = {}
        self._others: list[str] = []
        self.usable = (
            mapping.blank == "keep" and mapping.finish is None and not mapping.adds_children
        ) and all(self._take(rule) for rule in mapping.rules)
        self._lists = [
            (name, cells, *self._frames(name, cells)) for name, cells in self._parts.items()
        ]

    def _take(self, rule: Any) -> bool:
        """Whether a rule is one cell for one target; keeps how it is read."""
        if len(rule.columns) != 1 or len(rule.targets) != 1 or rule.values is not None:
            return False
        if rule.lstrip or rule.targets[0].type == "list":
            return False
        column, target = rule.columns[0], rule.targets[0]
        convert = None if target.type == "text" else CONVERTERS[target.type]
        name = target.path[0]
        if len(target.path) == 3 and name in _LISTS:
            slot, field = target.path[1:]
            clean = CHILD_LISTS[name].parts[field]
            cell = _Cell(column, field, convert, rule.options, clean, slot)
            self._parts.setdefault(name, []).append(cell)
        elif target.path == ("home_store",):
            if self._store is not None:
                return False
            self._store = column
        elif len(target.path) == 1 and name != "seller" and name in COLUMN_CLEANERS:
            cell = _Cell(column, name, convert, rule.options, COLUMN_CLEANERS[name])
            (self._late if name in _BY_COUNTRY else self._fields).append(cell)
        elif target.path in (("status",), ("created_at",)):
            self._beside.append(_Cell(column, name, convert, rule.options, None))
        else:
            self._others.append(column)
        return True

    def _frames(self, name: str, cells: list["_Cell"]) -> tuple[dict, str | None]:
        """What the rows of a list have beside their cells, by slot; and the column without which
        there is none."""
        child = CHILD_LISTS[name]
        frames = {
            cell.slot: child.clean(
                {**SLOT_KINDS.get((name, cell.slot), {}), "primary": True}, self.context
            )
            for cell in cells
        }
        return frames, ESSENTIAL.get(name)

    def candidate(self, raw: RawRow) -> PlainCandidate | None:
        """The candidate of a row, without a reason against it; None where the long way must
        say."""
        values = raw.values
        for column in self._others:
            value = values[column]
            if value and not value.isspace():
                return None
        columns: dict[str, Any] = {}
        beside: dict[str, Any] = {}
        children: dict[str, list] = {}
        context, created_at = self.context, None
        try:
            if self._store is not None:
                value = values[self._store]
                if value and not value.isspace():
                    store = self.validator.known("home_store", value)
                    if store is None:
                        return None
                    columns["home_store"] = store
                    if store.country and store.country != self.tenant.country:
                        context = Context(self.tenant, store.country)
            _read(self._fields, values, context, columns)
            if self._late:
                _read(self._late, values, context, columns)
            if self._beside:
                _read(self._beside, values, context, beside)
                created_at = clean_created_at(beside.get("created_at"), self.tenant)
            for name, cells, frames, essential in self._lists:
                row = _row(cells, values, context)
                if row is None:
                    continue
                slot = row.pop("")
                if slot is None:
                    return None
                if name == "addresses":
                    if row.keys() <= _NOT_AN_ADDRESS:
                        continue
                    if "kind" not in row and "kind" not in frames[slot]:
                        if slot != 1:
                            return None
                        row["kind"] = "work" if "company_name" in columns else "home"
                elif essential not in row:
                    continue
                if not says(row) or "extension" in row:
                    return None
                children[name] = [{**frames[slot], **row}]
        except (ConversionError, ValidationError):
            return None
        if "name" in columns:
            drop_built_name(columns)
        found = PlainCandidate(raw, self.validator, Profile(columns, children, {}), beside)
        found.created_at = created_at
        return found


class _Cell:
    """How the cells of one column are read."""

    __slots__ = ("clean", "column", "convert", "memo", "name", "options", "slot")

    def __init__(self, column, name, convert, options, clean, slot=None):
        self.column, self.name, self.slot = column, name, slot
        self.convert, self.options, self.clean = convert, options, clean
        self.memo: dict[str, Any] | None = {} if name in _ALIKE else None

    def read(self, value: str, context: Context) -> Any:
        """What a cell means: a value, the columns of a row in a list, or BLANK. Raises
        ConversionError and ValidationError."""
        # A date that is written as we write it needs no converter.
        convert, meant = self.convert, value
        if convert is not None and not (convert is to_date and _ISO.match(value)):
            meant = convert(value, self.options)
        if meant is not BLANK and self.clean is not None:
            meant = self.clean(meant, context)
        memo = self.memo
        if memo is not None and len(memo) < _REMEMBERED:
            memo[value] = meant
        return meant


def _read(
    cells: list[_Cell], values: dict[str, str], context: Context, into: dict[str, Any]
) -> None:
    for cell in cells:
        value = values[cell.column]
        if not value:
            continue
        memo = cell.memo
        if memo is None or (meant := memo.get(value)) is None:
            if value.isspace():
                continue
            meant = cell.read(value, context)
        if meant is not BLANK:
            into[cell.name] = meant


def _row(cells: list[_Cell], values: dict[str, str], context: Context) -> dict[str, Any] | None:
    """The columns of a row in a list, its slot beside them as ""; None where the cells are blank.
    Where they are of several slots, the slot is None."""
    row = None
    for cell in cells:
        value = values[cell.column]
        if not value:
            continue
        memo = cell.memo
        if memo is None or (meant := memo.get(value)) is None:
            if value.isspace():
                continue
            meant = cell.read(value, context)
        if meant is BLANK:
            continue
        if row is None:
            row = {"": cell.slot}
        elif row[""] != cell.slot:
            row[""] = None
        row.update(meant)
    return row
