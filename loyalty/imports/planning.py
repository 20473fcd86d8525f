"""Before anything is written: the form of the whole file, and what its columns mean to us."""

from dataclasses import dataclass, replace

from customers.imports import converting
from customers.imports.errors import FileError, MappingError
from customers.imports.guessing import Unmapped, fold
from customers.imports.mapping import Mapping
from customers.imports.planning import learn_keys
from customers.imports.readers import Checked, Source, open_rows
from customers.imports.targets import REASON
from loyalty.imports.columns import (
    LINE,
    MATCHES,
    PurchaseMappingFile,
    PurchaseRule,
    guess_rules,
    nearest,
)
from loyalty.models import Transaction


@dataclass(frozen=True)
class Plan:
    """A checked file and how it will be read.

    `matches` are the keys by which customers are found, the first that a row fills being taken.
    `by_lines`: adjacent rows of one number are the articles of one document. Without `numbered`
    every row is a document of its own whose number is made. `kind` is what every row is, or None.
    """

    source: Source
    mapping: Mapping
    checked: Checked
    matches: tuple
    numbered: bool
    by_lines: bool
    kind: str | None
    unmapped: tuple

    def label(self, target):
        """How a refusal names what fills `target`: the file's own column."""
        for rule in self.mapping.rules:
            if target in rule.to:
                return rule.label
        return target


def plan_import(
    file,
    *,
    mapping=None,
    columns=None,
    match=None,
    number=None,
    kind=None,
    dates=None,
    decimal=None,
    format=None,
    encoding=None,
    delimiter=None,
    sheet=None,
):
    """Read the whole file once for its form and settle what every column means; a Plan.

    `mapping` is the text of a mapping file, `columns` {their column: ours}, `number` their column
    of document numbers; `match` one of MATCHES, `kind` "sale" or "return" where every row is that.
    `dates` and `decimal` are as in a mapping file. What is not given is found out. Raises FileError
    or MappingError: then nothing may be written.
    """
    if kind is not None and kind not in Transaction.Kind.values:
        raise MappingError("kind", f"“{kind}” is neither sale nor return")
    if match is not None and match not in MATCHES:
        raise MappingError("match", f"“{match}” is not one of {', '.join(MATCHES)}")
    source = open_rows(file, kind=format, encoding=encoding, delimiter=delimiter, sheet=sheet)
    checked = source.check()
    if not checked.rows:
        raise FileError("the file has a header but no rows" if source.header else "no rows")
    if not source.is_table:
        learn_keys(source)
    columns = dict(columns or {})
    if number is not None:
        columns[number] = "number"
    options = _options(dates, decimal)
    bound, unmapped = _mapping_of(source, mapping, columns, options, match)
    names = bound.names
    if not names & {"amount", "line_amount", "lines"}:
        raise _missing("the amounts", "amount", source.header)
    if "purchased_at" not in names:
        raise _missing("the dates", "purchased_at", source.header)
    numbered = "number" in names
    return Plan(
        source=source,
        mapping=bound.with_date_orders(source),
        checked=checked,
        matches=_matches(names, match or bound.match, source.header),
        numbered=numbered,
        by_lines=numbered and any(name.startswith(LINE) for name in names),
        kind=kind,
        unmapped=tuple(unmapped),
    )


def _options(dates, decimal):
    for name, value, known in (
        ("dates", dates, converting.DATE_ORDERS),
        ("decimal", decimal, converting.DECIMAL_MARKS),
    ):
        if value is not None and value not in known:
            raise MappingError(name, f"“{value}” is not one of {', '.join(known)}")
    return replace(converting.DEFAULT, dates=dates, decimal=decimal or ".")


def _mapping_of(source, text, columns, options, match):
    given = [PurchaseRule.plain(theirs, ours, options=options) for theirs, ours in columns.items()]
    if text is not None:
        parts = PurchaseMappingFile(text).parts()
        rules = [*given, *parts["rules"]]
        mapping = Mapping(**{**parts, "rules": tuple(rules)})
        bound = mapping.bind(source.header, strict=source.is_table)
        return bound, _left_over(bound, source.header)
    written = Mapping(tuple(given)).bind(source.header, strict=source.is_table)
    guessed, unmapped = guess_rules(source.header, written.rules, match)
    rules = (*written.rules, *(replace(rule, options=options) for rule in guessed))
    ignored = frozenset(one.column for one in unmapped) | {REASON}
    return Mapping(rules, ignored=ignored), unmapped


def _left_over(bound, header):
    known = bound.columns | bound.ignored
    return [
        Unmapped(column, nearest(column))
        for column in header
        if column not in known and fold(column) != fold(REASON)
    ]


def _matches(names, wanted, header):
    usable = tuple(match for match, target in MATCHES.items() if target in names)
    if not usable:
        raise _missing("whose the purchases are", "external_id", header)
    if wanted is None:
        return usable
    if wanted not in usable:
        raise MappingError(
            "match", f"no column of the file fills “{wanted}”; it has {', '.join(usable)}"
        )
    return (wanted,)


def _missing(what, target, header):
    shown = ", ".join(f"“{name}”" for name in header[:20])
    return FileError(
        f"no column says {what} ({target}); the columns are {shown}. "
        f"Name it: --map “their column={target}”"
    )
