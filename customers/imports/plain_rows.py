"""A short way for rows in plain writing, which nearly all rows of nearly all files are.

Rows come by the chunk and are read column by column: what a cell means is worked out once for all
cells of the column that say the same.

The rules are the ones that every row goes by: the same converters and cleaners are called, on the
cells that are there. Only what a row in plain writing cannot need is left out: joined and cut
cells, several entries in a list, words for nothing, and every refusal. Where anything of the kind
comes up, the answer is None, and the row goes the long way (`Mapping.apply`, `Validator.validate`),
which also finds all reasons. A property test holds the two ways together.

Nothing here asks the database, so that rows can be read ahead in a thread.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from django.core.exceptions import ValidationError

from customers.columns import COLUMN_CLEANERS, Context
from customers.profile import CHILD_LISTS, Profile, says
from customers.services.registering import clean_created_at
from tenancy.models import Store

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
_REMEMBERED = 30_000  # different cells of each column
_REFUSED = object()


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
        self._others: list[str] = []
        parts: dict[str, list[_Cell]] = {}
        self.usable = (
            mapping.blank == "keep" and mapping.finish is None and not mapping.adds_children
        ) and all(self._take(rule, parts) for rule in mapping.rules)
        self._lists = [_List(name, cells, self.context) for name, cells in parts.items()]

    def _take(self, rule: Any, parts: dict[str, list["_Cell"]]) -> bool:
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
            parts.setdefault(name, []).append(cell)
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

    def candidates(self, raws: list[RawRow]) -> list[PlainCandidate | None]:
        """The candidate of each row, without a reason against it; None where the long way must
        say."""
        found: list[PlainCandidate | None] = [None] * len(raws)
        for store, places in self._by_store(raws):
            rows = raws if len(places) == len(raws) else [raws[place] for place in places]
            for place, one in zip(places, self._read(rows, store), strict=True):
                found[place] = one
        return found

    def _by_store(self, raws: list[RawRow]) -> Iterator[tuple[Store | None, Sequence[int]]]:
        """The places of the rows of each home store that is known, or of none."""
        if self._store is None:
            yield None, range(len(raws))
            return
        places: dict[str, list[int]] = {}
        for place, raw in enumerate(raws):
            value = raw.values[self._store]
            places.setdefault("" if value.isspace() else value, []).append(place)
        for value, those in places.items():
            store = self.validator.known("home_store", value) if value else None
            if store is not None or not value:
                yield store, those

    def _read(self, raws: list[RawRow], store: Store | None) -> Iterator[PlainCandidate | None]:
        """The candidates of rows of one home store, or of none."""
        context = self.context
        if store is not None and store.country and store.country != self.tenant.country:
            context = Context(self.tenant, store.country)
        values = [raw.values for raw in raws]
        columns = _Columns([*self._fields, *self._late], values, context)
        beside = _Columns(self._beside, values, context)
        lists = [(one, _Columns(one.cells, values, context)) for one in self._lists]
        lost = set().union(columns.lost, beside.lost, *(table.lost for _one, table in lists))
        for column in self._others:
            lost.update(n for n, row in enumerate(values) if row[column].strip())
        said = [(one, table.rows()) for one, table in lists]
        for n, (raw, fields, others) in enumerate(
            zip(raws, columns.records(), beside.records(), strict=True)
        ):
            rows = [(one, next(cells)) for one, cells in said]
            if n in lost:
                yield None
                continue
            if store is not None:
                fields["home_store"] = store
            try:
                created_at = clean_created_at(others.get("created_at"), self.tenant)
                children = {
                    one.name: [row]
                    for one, cells in rows
                    if (row := one.row(cells, fields)) is not None
                }
            except (ValidationError, _LongWay):
                yield None
                continue
            if "name" in fields:
                drop_built_name(fields)
            found = PlainCandidate(raw, self.validator, Profile(fields, children, {}), others)
            found.created_at = created_at
            yield found


class _Cell:
    """How the cells of one column are read."""

    __slots__ = ("clean", "column", "convert", "memo", "name", "options", "slot")

    def __init__(self, column, name, convert, options, clean, slot=None):
        self.column, self.name, self.slot = column, name, slot
        self.convert, self.options, self.clean = convert, options, clean
        self.memo: dict[str, Any] | None = {} if name in _ALIKE else None

    def read(self, column: list[str], context: Context) -> tuple[list, bool, bool]:
        """What each cell of a column means: a value, the columns of a row in a list, BLANK, or
        _REFUSED where the long way must say. Then whether any is BLANK, and any refused."""
        memo = self.memo
        if memo is None:
            memo = {}
        elif len(memo) > _REMEMBERED:
            memo.clear()
        different = set(column)
        for value in different.difference(memo):
            memo[value] = self._read(value, context)
        met = set(map(id, map(memo.__getitem__, different)))
        return [memo[value] for value in column], id(BLANK) in met, id(_REFUSED) in met

    def _read(self, value: str, context: Context) -> Any:
        if not value or value.isspace():
            return BLANK
        convert, meant = self.convert, value
        try:
            # A date that is written as we write it needs no converter.
            if convert is not None and not (convert is to_date and _ISO.match(value)):
                meant = convert(value, self.options)
            if meant is not BLANK and self.clean is not None:
                meant = self.clean(meant, context)
        except (ConversionError, ValidationError):
            return _REFUSED
        return meant


class _Columns:
    """What the cells of some columns mean, for each row of a chunk; in `lost` the rows, counted
    from 0, of which one was refused."""

    def __init__(self, cells: list[_Cell], values: list[dict[str, str]], context: Context):
        self._names = [cell.name for cell in cells]
        self._meant, self._has_blanks, self._n = [], False, len(values)
        self.lost: set[int] = set()
        for cell in cells:
            column = cell.column
            meant, has_blanks, has_refused = cell.read([row[column] for row in values], context)
            self._meant.append(meant)
            self._has_blanks |= has_blanks
            if has_refused:
                self.lost.update(n for n, one in enumerate(meant) if one is _REFUSED)

    def rows(self) -> Iterator[tuple]:
        """What the cells of each row mean, in the order of the cells."""
        return zip(*self._meant, strict=True)

    def records(self) -> Iterator[dict[str, Any]]:
        """The same by the names of the cells, without what is blank."""
        names = self._names
        if not names:
            return ({} for _n in range(self._n))
        if not self._has_blanks:
            return (dict(zip(names, row, strict=True)) for row in self.rows())
        return (
            {name: one for name, one in zip(names, row, strict=True) if one is not BLANK}
            for row in self.rows()
        )


class _LongWay(Exception):
    """What a row says is for the long way to judge."""


class _List:
    """How the row of a list is read: what its cells say, and what is known of it beside them by
    the slot that they are of (`frames`)."""

    def __init__(self, name: str, cells: list[_Cell], context: Context):
        self.name, self.cells = name, cells
        self._slots = [cell.slot for cell in cells]
        self._frames = {
            cell.slot: CHILD_LISTS[name].clean(
                {**SLOT_KINDS.get((name, cell.slot), {}), "primary": True}, context
            )
            for cell in cells
        }
        self._essential = ESSENTIAL.get(name)
        # Of a column that says the same as a frame, the long way tells which of them spoke.
        framed = {"primary"} - {cell.name for cell in cells}
        self._not_an_address = _NOT_AN_ADDRESS | framed

    def row(self, cells: tuple, columns: dict[str, Any]) -> dict[str, Any] | None:
        """The row that these cells say beside these columns of the customer, or None where they
        say none. Raises _LongWay."""
        row = slot = None
        for of, meant in zip(self._slots, cells, strict=True):
            if meant is BLANK:
                continue
            if row is None:
                slot, row = of, self._frames[of].copy()
            elif slot != of:
                raise _LongWay
            row.update(meant)
        if row is None:
            return None
        if self._essential is not None:
            if self._essential not in row:
                return None
            if "extension" in row:
                raise _LongWay
            return row
        if row.keys() <= self._not_an_address:
            return None
        if "kind" not in row:
            if slot != 1:
                raise _LongWay
            row["kind"] = "work" if "company_name" in columns else "home"
        if not says(row):
            raise _LongWay
        return row
