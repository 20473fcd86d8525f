"""Before anything is written: the form of the whole file, and what its columns mean to us."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from customers.hooks import hooks
from customers.models import Customer

from . import formats
from .errors import EmptyFile, FileError, MappingError
from .guessing import Unmapped, fold
from .mapping import Mapping, guess_mapping
from .readers import COLUMN_LIMIT, KINDS, Checked, Source, open_rows
from .targets import MATCH_KEYS, READ_ONLY, REASON, nearest

POLICIES = SKIP, FILL, OVERWRITE, REFUSE, REVIEW = (
    "skip", "fill", "overwrite", "refuse", "review",
)  # fmt: skip
BLANKS = KEEP, CLEAR = ("keep", "clear")
DAY_ORDERS = ("DMY", "MDY")
FORMATS = (*KINDS, *(one.name for one in formats.ALL))


@dataclass(frozen=True)
class Plan:
    """A checked file and how it will be read and written.

    `match` is the key by which known customers are found (None: by nothing but the whole content
    of a row), `on_match` what happens to one that was found, `overwrites` the fields and lists
    that the file may replace (none named: all; the others are only filled), `adds_children` that
    rows only add to customers who are here already.
    """

    source: Source
    mapping: Mapping
    checked: Checked
    match: str | None
    on_match: str
    format: str | None
    continues: str | None
    adds_children: bool
    unmapped: tuple[Unmapped, ...]
    notes: tuple[str, ...]
    overwrites: frozenset[str] = frozenset()

    def only_fills(self, name: str) -> bool:
        """Whether the file may only fill this field or list of a known customer."""
        return self.on_match == FILL or bool(self.overwrites and name not in self.overwrites)


def plan_import(
    file: str | Path | BinaryIO,
    *,
    format: str | None = None,
    mapping: Mapping | str | bytes | None = None,
    match: str | None = None,
    on_match: str | None = None,
    sheet: str | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    dates: str | None = None,
    blank: str | None = None,
    overwrites: Iterable[str] = (),
) -> Plan:
    """Read the whole file once for its form and settle what every column means.

    `format` is a way of writing (one of KINDS) or a known program's file; `mapping` the text
    of a mapping file; `dates` the order of day and month in columns that neither the mapping nor
    one of their own cells settles (one of DAY_ORDERS); `blank` whether a blank cell keeps or clears
    what is there, where the mapping does not say it. What is not given is found out. Raises
    FileError or MappingError: then nothing of the file can be trusted and nothing may be written.
    """
    if format is not None and format not in FORMATS:
        raise FileError(f"unknown format “{format}”; one of {', '.join(FORMATS)}")
    if on_match is not None and on_match not in POLICIES:
        raise MappingError("on_match", f"“{on_match}” is not one of {', '.join(POLICIES)}")
    if dates is not None and dates not in DAY_ORDERS:
        raise MappingError("dates", f"“{dates}” is not one of {', '.join(DAY_ORDERS)}")
    if blank is not None and blank not in BLANKS:
        raise MappingError("blank", f"“{blank}” is not one of {', '.join(BLANKS)}")
    overwrites = frozenset(overwrites)
    if unknown := overwrites - overwritable():
        raise MappingError("overwrites", f"“{min(unknown)}” is not a field of a customer")
    named = formats.by_name(format or "")
    kind = format if format in KINDS else named.kind if named else None
    source = open_rows(file, kind=kind, encoding=encoding, delimiter=delimiter, sheet=sheet)
    checked = source.check()
    if not checked.rows:
        raise EmptyFile("the file has a header but no rows" if source.header else "no rows")
    if not source.is_table:
        learn_keys(source)
    known, bound, unmapped = _mapping_of(source, named, mapping)
    if not bound.names_customers():
        raise FileError(
            "no column says who the customers are (a name, an e-mail, a phone); "
            f"the columns are {_with_nearest(source.header)}. Give them our names, or name them "
            "in a mapping file; purchases of known customers come in with import_transactions"
        )
    bound = replace(bound, ignored=bound.ignored | {REASON}, blank=blank or bound.blank)
    bound = bound.with_date_orders(source, otherwise=dates)
    adds_children = bound.adds_children
    return Plan(
        source=source,
        mapping=bound,
        checked=checked,
        match=_match(bound, match),
        on_match=on_match or (known and known.on_match) or (FILL if adds_children else SKIP),
        format=known.name if known else None,
        continues=_continues(known, source.header),
        adds_children=adds_children,
        unmapped=tuple(one for one in unmapped if one.column != REASON),
        notes=known.notes if known else (),
        overwrites=overwrites,
    )


def overwritable() -> frozenset[str]:
    """The names of what a file may replace of a known customer."""
    beside = ("status", "charge_account", "consents")
    return frozenset((*Customer.PROFILE, *Customer.CHILD_LISTS, *hooks.fields, *beside))


def learn_keys(source: Source) -> None:
    """Let the header of a JSON file hold every key of every record: one may leave out what it
    has nothing to say about, and the first records are then no header for the last."""
    keys = dict.fromkeys(source.header)
    for row in source:
        keys.update(dict.fromkeys(row.values))
        if len(keys) > COLUMN_LIMIT:
            raise FileError(f"more than {COLUMN_LIMIT} different keys", line=row.line)
    source.header = list(keys)


def _mapping_of(source: Source, known: Any, mapping: Any) -> tuple[Any, Mapping, list[Unmapped]]:
    header = source.header
    if mapping is not None:
        if not isinstance(mapping, Mapping):
            mapping = Mapping.from_json(mapping)
        bound = mapping.bind(header, strict=source.is_table)
        return None, bound, bound.unmapped(header)
    if known is not None:
        _check_required(known, header)
    known = known or formats.detect(header)
    if known is not None:
        unmapped = [
            Unmapped(column, nearest(column), reason)
            for column, reason in known.reasons(header)
            # What the system keeps itself comes back with every export of ours.
            if column not in READ_ONLY
        ]
        return known, known.bind(header), unmapped
    bound, unmapped = guess_mapping(header)
    return None, bound, unmapped


def _check_required(known: Any, header: list[str]) -> None:
    names = set(map(fold, header))
    missing = sorted(column for column in known.required if fold(column) not in names)
    if missing:
        raise FileError(f"this is no file of “{known.label}”: it lacks {_listed(missing)}", line=1)


def _continues(known: Any, header: list[str]) -> str | None:
    """The column that is blank in a continued row, in the file's own spelling."""
    if known is None or known.continues is None:
        return None
    return next((name for name in header if fold(name) == fold(known.continues)), None)


def _match(mapping: Mapping, chosen: str | None) -> str | None:
    usable = [key for key in MATCH_KEYS if _fills(mapping, key)]
    if chosen is None:
        return mapping.match if mapping.match in usable else next(iter(usable), None)
    if chosen not in MATCH_KEYS:
        raise MappingError("match", f"“{chosen}” is not one of {', '.join(MATCH_KEYS)}")
    if chosen not in usable:
        hint = f"; it has {', '.join(usable)}" if usable else ""
        raise MappingError("match", f"no column of the file fills “{chosen}”{hint}")
    return chosen


def _fills(mapping: Mapping, key: str) -> bool:
    lists = {"email": "emails", "phone": "phones"}
    wanted = lists.get(key, key)
    return any(target.path[0] == wanted for rule in mapping.rules for target in rule.targets)


def _with_nearest(names: list[str]) -> str:
    """The columns, each with the name of ours that it may have meant."""
    near = {name: nearest(name) for name in names[:20]}
    shown = ", ".join(
        f"“{name}” ({found}?)" if found and found != name else f"“{name}”"
        for name, found in near.items()
    )
    return f"{shown} …" if len(names) > 20 else shown


def _listed(names: list[str]) -> str:
    shown = ", ".join(f"“{name}”" for name in names[:20])
    return f"{shown} …" if len(names) > 20 else shown
