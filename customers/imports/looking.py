"""A look at a file before it is imported: how it is written, what its columns seem to mean.

Only the beginning is read, so that a page can ask while a person waits; the whole file is read by
the dry run. What two people could read differently is not guessed here either: `asks` names the
options that somebody has to settle.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from customers.models import ImportFile

from . import formats
from .converting import is_open_date, proven_date_order
from .errors import FileError, MappingError
from .guessing import Unmapped, fold
from .mapping import Mapping, guess_mapping
from .mapping_text import NotWritable, written
from .readers import KINDS, Source, open_rows
from .rules import Rule
from .sources import RawRow
from .storing import open_file, open_start
from .targets import MATCH_KEYS, REASON
from .workbooks import Workbook
from .xlsx_rows import XlsxSource

GLANCE = 500  # rows
SHOWN = 3
ARCHIVE = b"PK"
GUESSED = "guess"
FORMAT = "format:"
OURS = "regulars"


class _Glance(XlsxSource):
    """The first rows of a workbook."""

    def _convert(self, found: Iterator) -> None:
        super()._convert(islice(found, GLANCE))


@dataclass
class Look:
    """What a look found.

    `fault` says why the file cannot be read as it is, `asks` which option would settle it. `format`
    is the known program whose file it is. `mapping` is what its columns mean by the words above
    them, `unmapped` the columns that were not understood. `rows` are the first ones. `is_whole`
    says that no row lies beyond the look.
    """

    kind: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    sheets: tuple[str, ...] = ()
    header: list[str] = field(default_factory=list)
    rows: list[RawRow] = field(default_factory=list)
    is_whole: bool = False
    format: Any = None
    mapping: Mapping | None = None
    unmapped: list[Unmapped] = field(default_factory=list)
    fault: FileError | None = None

    @property
    def asks(self) -> str | None:
        return getattr(self.fault, "asks", None)

    @property
    def shop(self) -> Any:
        """The known program whose file it is; our own columns are like anybody's."""
        return None if self.format is None or self.format.name == OURS else self.format

    @property
    def header_key(self) -> str:
        """The same for two files with the same columns, in whatever order and writing."""
        return header_key(self.header)

    def samples(self, column: str) -> list[str]:
        """What the first rows say in a column."""
        return [shown(row.values.get(column)) for row in self.rows[:SHOWN]]

    def date_orders(self, columns: Iterable[str]) -> tuple[set[str], bool]:
        """The orders of day and month that dates of these columns prove, and whether there are
        some that could be read both ways."""
        proven, is_open = set(), False
        for column in columns:
            own = {proven_date_order(row.values.get(column)) for row in self.rows} - {None}
            proven |= own
            is_open |= not own and any(is_open_date(row.values.get(column)) for row in self.rows)
        return proven, is_open


def header_key(header: Iterable[str]) -> str:
    """What a remembered mapping is found by: the columns, without their order and writing."""
    names = sorted({fold(name) or name for name in header} - {fold(REASON)})
    return hashlib.sha256(json.dumps(names).encode()).hexdigest()


def shown(value: Any) -> str:
    """A cell as one short line."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:59]}…"


def look_at(
    file: ImportFile,
    *,
    name: str = "",
    format: str | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    sheet: str | None = None,
) -> Look:
    """Look at a kept file; what is given wins over what is found out. Raises nothing: what is
    wrong with the file stands in `fault`."""
    look = Look()
    named = formats.by_name(format or "")
    kind = format if format in KINDS else named.kind if named else None
    try:
        source = _opened(look, file, name, kind, encoding, delimiter, sheet)
        look.kind, look.encoding = source.kind, source.encoding
        look.delimiter = source.delimiter
        look.rows = list(islice(source, GLANCE + 1))
        look.is_whole = len(look.rows) <= GLANCE
        look.rows = look.rows[:GLANCE]
        if not source.is_table:
            _learn(source, look.rows)
        look.header = [column for column in source.header if fold(column) != fold(REASON)]
        if not look.rows:
            raise FileError("the file has a header but no rows")
        look.format = named or formats.detect(look.header)
        look.mapping, look.unmapped = guess_mapping(look.header)
    except FileError as fault:
        look.fault = fault
    except MappingError as fault:
        look.fault = FileError(str(fault))
    return look


def _opened(look: Look, file: ImportFile, name: str, kind: Any, *given: str | None) -> Source:
    encoding, delimiter, sheet = given
    start = open_start(file, name)
    if not start.getvalue().startswith(ARCHIVE):
        return open_rows(start, kind=kind, encoding=encoding, delimiter=delimiter)
    whole = open_file(file, name)
    with Workbook(whole) as book:
        look.sheets = tuple(one.name for one in book.sheets)
    return open_rows(whole, kind=kind, sheet=sheet, workbook=_Glance)


def _learn(source: Source, rows: list[RawRow]) -> None:
    keys = dict.fromkeys(source.header)
    for row in rows:
        keys.update(dict.fromkeys(row.values))
    source.header = list(keys)


# --- What a person makes of it -----------------------------------------------------------------
def rules_by_column(mapping: Mapping) -> dict[str, Rule]:
    """The rule that reads each column; a constant reads none."""
    return {column: rule for rule in mapping.rules for column in rule.columns}


def is_plain(rule: Rule) -> bool:
    """Whether a rule is one column into one field, and no more."""
    return len(rule.columns) == len(rule.to) == 1 and rule.values is None


def chosen_mapping(
    base: Mapping,
    header: Iterable[str],
    chosen: dict[str, str],
    *,
    as_is: str,
    match: str | None = None,
    blank: str = "keep",
    dates: str | None = None,
) -> Mapping:
    """The mapping that somebody made of `base`: for each column the name of a target, `as_is` for
    what `base` does with it, or "" for a column that is not wanted.

    Columns that `base` joins are joined where all of them are left as they are. Raises MappingError
    naming the columns of a field that is filled twice, and where no column is wanted.
    """
    known = rules_by_column(base)
    rules, ignored, done = [rule for rule in base.rules if not rule.columns], set(), set()
    for column in header:
        wish, rule = chosen.get(column, ""), known.get(column)
        if wish == as_is and rule is not None:
            if id(rule) in done:
                continue
            if all(chosen.get(each) == as_is for each in rule.columns):
                done.add(id(rule))
                rules.append(rule)
                continue
            wish = rule.to[0] if rule.columns[0] == column else ""
        if not wish:
            ignored.add(column)
        elif rule is not None and is_plain(rule) and rule.to == (wish,):
            rules.append(rule)
        else:
            rules.append(Rule.plain(column, wish))
    if dates:
        rules = [_dated(rule, dates) for rule in rules]
    if not any(rule.columns for rule in rules):
        raise MappingError("columns", "names no column that is to be read")
    names = {name for rule in rules for name in rule.to}
    return Mapping(
        tuple(rules),
        match=match or (base.match if base.match in names else None),
        blank=blank,
        ignored=frozenset(ignored),
    )


def _dated(rule: Rule, order: str) -> Rule:
    if rule.targets[0].type not in ("date", "moment"):
        return rule
    return replace(rule, options=replace(rule.options, dates=order))


def date_columns(mapping: Mapping) -> list[str]:
    """The columns of dates of which nobody has said how they are written."""
    return [
        rule.columns[0]
        for rule in mapping.rules
        if len(rule.columns) == 1
        and rule.options.dates is None
        and rule.targets[0].type in ("date", "moment")
    ]


def match_keys(mapping: Mapping) -> list[str]:
    """The keys by which known customers can be found: those that some column fills."""
    lists = {"email": "emails", "phone": "phones"}
    filled = {target.path[0] for rule in mapping.rules for target in rule.targets}
    return [key for key in MATCH_KEYS if lists.get(key, key) in filled]


def as_text(mapping: Mapping) -> str | None:
    """The mapping as a mapping file, None for one that cannot be written down."""
    try:
        return json.dumps(written(mapping), ensure_ascii=False, indent=2)
    except NotWritable:
        return None
