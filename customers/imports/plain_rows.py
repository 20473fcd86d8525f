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
from customers.profile import CHILD_LISTS, Profile
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
    """The short way through one mapping."""

    def __init__(self, mapping: Mapping, validator: Validator):
        self.validator = validator
        self.tenant = validator.tenant
        self.context = Context(self.tenant, self.tenant.country)
        # (column, name, converter, options, cleaner); (column, list, slot, field, converter, …)
        self._fields: list[tuple] = []
        self._parts: list[tuple] = []
        self._others: list[str] = []
        self.usable = (
            mapping.blank == "keep" and mapping.finish is None and not mapping.adds_children
        ) and all(self._take(rule) for rule in mapping.rules)

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
            self._parts.append((column, *target.path, convert, rule.options))
        elif len(target.path) == 1 and name != "seller" and name in COLUMN_CLEANERS:
            self._fields.append((column, name, convert, rule.options, COLUMN_CLEANERS[name]))
        elif target.path in (("status",), ("created_at",)):
            self._fields.append((column, name, convert, rule.options, None))
        else:
            self._others.append(column)
        return True

    def candidate(self, raw: RawRow) -> PlainCandidate | None:
        """The candidate of a row, without a reason against it; None where the long way must
        say."""
        values = raw.values
        for column in self._others:
            value = values[column]
            if value and not value.isspace():
                return None
        beside: dict[str, Any] = {}
        try:
            columns, context = self._columns(values, beside)
            if columns is None:
                return None
            children = self._children(values, columns, context)
            if children is None:
                return None
            created_at = None
            if beside:
                created_at = clean_created_at(beside.get("created_at"), self.tenant)
        except (ConversionError, ValidationError):
            return None
        if "name" in columns:
            drop_built_name(columns)
        found = PlainCandidate(raw, self.validator, Profile(columns, children, {}), beside)
        found.created_at = created_at
        return found

    def _columns(
        self, values: dict[str, str], beside: dict[str, Any]
    ) -> tuple[dict[str, Any] | None, Context]:
        """The clean fields of the row itself, and the country that the others are read by."""
        columns: dict[str, Any] = {}
        context, late = self.context, None
        for column, name, convert, options, clean in self._fields:
            value = values[column]
            if not value or value.isspace():
                continue
            # A date that is written as we write it needs no converter.
            if convert is not None and not (convert is to_date and _ISO.match(value)):
                value = convert(value, options)
                if value is BLANK:
                    continue
            if clean is None:
                beside[name] = value
            elif name == "home_store":
                store = self.validator.known(name, value)
                if store is None:
                    return None, context
                columns[name] = store
                context = Context(self.tenant, store.country or self.tenant.country)
            elif name in _BY_COUNTRY:
                late = [*(late or ()), (name, clean, value)]
            else:
                columns[name] = clean(value, context)
        for name, clean, value in late or ():
            columns[name] = clean(value, context)
        return columns, context

    def _children(
        self, values: dict[str, str], columns: dict[str, Any], context: Context
    ) -> dict[str, list] | None:
        items: dict[str, dict[str, Any]] = {}
        slots: dict[str, Any] = {}
        for column, name, slot, field, convert, options in self._parts:
            value = values[column]
            if not value or value.isspace():
                continue
            if convert is not None:
                value = convert(value, options)
                if value is BLANK:
                    continue
            if name not in items:
                slots[name] = slot
                items[name] = dict(SLOT_KINDS.get((name, slot), ()))
            elif slots[name] != slot:
                return None
            items[name][field] = value
        children = {}
        for name, item in items.items():
            if name == "addresses":
                if item.keys() <= _NOT_AN_ADDRESS:
                    continue
                if "kind" not in item:
                    if slots[name] != 1:
                        return None
                    item["kind"] = "work" if "company_name" in columns else "home"
            elif ESSENTIAL[name] not in item:
                continue
            item["primary"] = True
            row = CHILD_LISTS[name].clean(item, context)
            if not any(row[key] for key in row if key not in ("kind", "primary")):
                return None
            children[name] = [row]
        return children
