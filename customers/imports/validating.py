"""From a shaped row to clean values, with every reason against it named by the file's columns.

The rules are those of a single registration; nothing here writes. What is told of a refusal is
told in the words of the file: its column, its cell.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError

import normalise
from customers.columns import COLUMN_CLEANERS, Context
from customers.hooks import hooks
from customers.models import Consent
from customers.profile import Profile, clean_profile
from customers.services.consents import build_consents
from customers.services.registering import clean_created_at, clean_id

from .mapping import Mapping, ShapedRow
from .report import describe
from .rules import Rule
from .targets import SLOT_KINDS

# What a record holds beside the profile, each with a service or an argument of its own.
BESIDE = ("id", "number", "status", "created_at", "consents")
ACCOUNT = {"charge_account_number": "number", "charge_account_retired": "retired"}
REFERENCES = ("home_store", "seller")


@dataclass
class Candidate:
    """One customer of the file on the way in.

    `profile` is what the services take, `clean` the same by their rules (None where they refuse),
    `beside` what is no part of the profile, `consents` and `created_at` the clean form of what
    stands there raw.
    """

    shaped: ShapedRow
    profile: dict[str, Any]
    beside: dict[str, Any]
    account: dict[str, Any]
    clean: Profile | None = None
    created_at: Any = None
    consents: list[Consent] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)

    @property
    def line(self) -> int:
        """Where it starts in the file."""
        return self.shaped.line

    @property
    def rows(self) -> int:
        """How many rows of the file it takes."""
        return self.shaped.rows

    @property
    def statements(self) -> list[dict[str, Any]]:
        """The statements of consent as the file makes them."""
        return self.beside.get("consents") or []

    def item(self, list_name: str) -> dict[str, Any] | None:
        """The e-mail or phone that stands for the customer: the primary one, else the first."""
        rows = (self.clean.children if self.clean else {}).get(list_name) or [None]
        return next((row for row in rows if row and row.get("primary")), rows[0])


class Validator:
    """The rules of the services over the rows of one file."""

    def __init__(self, tenant: Any, mapping: Mapping):
        self.tenant = tenant
        self.mapping = mapping
        self._references: dict[tuple[str, str], Any] = {}

    def validate(self, shaped: ShapedRow) -> Candidate:
        """The candidate of a row, its `errors` empty when nothing speaks against it yet."""
        beside, account, profile = {}, {}, {}
        for name, value in shaped.record.items():
            if name in BESIDE:
                beside[name] = value
            elif name in ACCOUNT:
                account[ACCOUNT[name]] = value
            else:
                profile[name] = value
        for name in REFERENCES:
            if isinstance(profile.get(name), str):
                profile[name] = self._find(name, profile[name])
        for name in self.mapping.loose & profile.keys():
            if not self._leads_somewhere(name, profile[name]):
                del profile[name]
        candidate = Candidate(shaped, profile, beside, account)
        candidate.errors = [
            describe(error.line or shaped.line, error.column, error.value, error.message)
            for error in shaped.errors
        ]
        for refusal in self._clean(candidate):
            candidate.errors += faults(refusal, shaped, self.mapping)
        return candidate

    def _find(self, name: str, text: str) -> Any:
        """A store or staff member by the text of a cell, asked for once per file."""
        key = (name, text)
        if key not in self._references:
            try:
                self._references[key] = COLUMN_CLEANERS[name](text, Context(self.tenant, ""))
            except ValidationError:
                # Stays a text, which is refused with all the other reasons against its row.
                return text
        return self._references[key]

    def known(self, name: str, text: str) -> Any:
        """The same where it was found before, else None; asks nobody."""
        return self._references.get((name, text))

    def _leads_somewhere(self, name: str, value: Any) -> bool:
        if name in REFERENCES:
            return not isinstance(value, str)
        try:
            hooks.fields[name].clean(value, tenant=self.tenant)
        except ValidationError:
            return False
        return True

    def _clean(self, candidate: Candidate) -> Iterator[ValidationError]:
        try:
            candidate.clean = clean_profile(candidate.profile, tenant=self.tenant)
        except ValidationError as refusal:
            yield refusal
        else:
            if drop_built_name(candidate.clean.columns):
                del candidate.profile["name"]
        try:
            candidate.consents = build_consents(self.tenant, candidate.statements)
        except ValidationError as refusal:
            yield refusal
        errors: dict[str, Any] = {}
        if candidate.beside.get("id") is not None:
            candidate.beside["id"] = clean_id(candidate.beside["id"], errors)
        if errors:
            yield ValidationError(errors)
        try:
            candidate.created_at = clean_created_at(candidate.beside.get("created_at"), self.tenant)
        except ValidationError as refusal:
            yield refusal


def drop_built_name(columns: dict[str, Any]) -> bool:
    """Drop a name that says only what first name, last name and company say: it is not one of its
    own, and kept as given it would stay behind when those change. Whether there was one."""
    name = columns.get("name")
    if not name:
        return False
    parts = {part: columns.get(part) for part in ("first_name", "last_name", "company_name")}
    if name != normalise.build_name(name="", **parts):
        return False
    del columns["name"]
    return True


def content_id(tenant: Any, record: dict[str, Any]) -> uuid.UUID:
    """The id of a customer whom the file gives no key: it follows from all that the row says.

    The same row sent again is then the same customer, also after an import that was cut off.
    """
    parts = sorted((key, repr(value)) for key, value in record.items())
    return uuid.uuid5(uuid.NAMESPACE_OID, f"{tenant.pk} {parts}")


def faults(refusal: ValidationError, shaped: ShapedRow, mapping: Mapping) -> list[dict[str, Any]]:
    """A refusal of the services, by the columns and cells of the file."""
    if not hasattr(refusal, "error_dict"):
        return [describe(shaped.line, None, None, message) for message in refusal.messages]
    found = []
    for path, messages in refusal.message_dict.items():
        line, column, value = _place(path, shaped, mapping)
        found += [describe(line, column, value, message) for message in messages]
    return found


def _place(path: str, shaped: ShapedRow, mapping: Mapping) -> tuple[int, str | None, Any]:
    """Line, column and cell that a path such as `emails.0.address` came from."""
    if path == NON_FIELD_ERRORS:
        return shaped.line, None, None
    name, *rest = path.split(".")
    value = shaped.record.get(name)
    item = None
    if rest and rest[0].isdigit() and isinstance(value, list) and int(rest[0]) < len(value):
        item = value = value[int(rest.pop(0))]
    leaf = rest[-1] if rest else None
    if leaf and isinstance(value, dict):
        value = value.get(leaf)
    rules = list(_rules(mapping, name, leaf, item))
    for same in (str.__eq__, str.__contains__):
        for raw in shaped.raw:
            for rule in rules:
                cell = _cell(rule, raw.values)
                if value not in (None, "") and same(str(cell).strip(), str(value).strip()):
                    return raw.line, rule.label, value
    if rules and shaped.raw:
        return shaped.line, rules[0].label, _cell(rules[0], shaped.raw[0].values)
    return shaped.line, path, value


def _rules(mapping: Mapping, name: str, leaf: str | None, item: Any) -> Iterator[Rule]:
    """The rules that can have filled a field, the likeliest first."""
    wanted = {name, *(target for target in ACCOUNT if name == "charge_account")}
    fitting = []
    for rule in mapping.rules:
        for target in rule.targets:
            if target.path[0] not in wanted:
                continue
            if len(target.path) == 3 and leaf and target.path[2] != leaf:
                continue
            of_item = name != "consents" or _purpose(target.path) == (item or {}).get("purpose")
            fitting.append((not of_item, len(fitting), rule))
    return (rule for _, _, rule in sorted(fitting))


def _purpose(path: tuple) -> Any:
    if len(path) < 2:
        return None
    return SLOT_KINDS.get(path[:2], {}).get("purpose", path[1])


def _cell(rule: Rule, values: dict[str, Any]) -> Any:
    if not rule.columns:
        return rule.constant
    if len(rule.columns) == 1:
        return values.get(rule.columns[0])
    return rule.join.join(filter(None, (str(values.get(c) or "").strip() for c in rule.columns)))
