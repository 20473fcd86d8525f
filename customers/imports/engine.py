"""Customers from a file: rows, validation, matching, writing, in chunks of flat memory.

The first pass proves the form of the whole file; a fault there and nothing is written. The second
one works chunk by chunk, each in a transaction of its own: an import that is cut off leaves whole
chunks behind, and when it is started again it finds them unchanged and does the rest. Every row
goes through the services of a single registration or update, in a savepoint: one that is refused
takes no other one with it.
"""

import gc
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError, OperationalError, connection, transaction
from django.utils.translation import gettext_lazy as _

from customers.services.changes import without_customer_events
from customers.services.statistics import has_grown_by, refresh_statistics
from events.actors import acting, current
from events.services import build_event
from tenancy.bulk import commit_without_waiting
from tenancy.scoping import current_tenant

from .ahead import read_ahead
from .errors import FileError, TooManyRows
from .mapping import Mapping, ShapedRow, shape_rows
from .numbers import Numbers
from .plain_rows import PlainCandidate, PlainRows
from .planning import Plan, plan_import
from .readers import RawRow
from .report import REFUSED, Report, describe
from .validating import Candidate, Validator
from .writing import Settled, Writer

CHUNK = 5_000
COLLECTED = 2  # chunks: then a look for garbage
# From so many new customers on the database looks at its tables anew.
MANY = 1_000
GROWN = 4  # times: after so much more, again
UNKNOWN_GROUPS = _(
    "A row that names an unknown group is refused: create the group first, or let the import "
    "create groups (--create-groups)."
)
ATTEMPTS = 5


@dataclass(slots=True)
class Done:
    """What became of one customer of the file: the outcome, the id where there is one, and why it
    was refused, in the words of the file (`faults`) and as the services said it (`refusal`)."""

    candidate: Candidate
    outcome: str
    customer_id: uuid.UUID | None = None
    faults: list[dict[str, Any]] = field(default_factory=list)
    refusal: ValidationError | None = None
    # What a changed customer looked like, where a later undo may ask for it (`images.image_of`).
    before: dict[str, Any] | None = None
    # What the file would change about a customer, where staff are to decide (`review`).
    review: dict[str, Any] | None = None
    # What the file says and the record does not, where a dry run keeps it.
    diff: dict[str, Any] | None = None

    @property
    def shaped(self) -> ShapedRow:
        """The customer as the file tells it."""
        return self.candidate.shaped


class Journal:
    """What an import keeps of itself beside its customers. This one keeps the two events.

    `rows` and `counts` are what earlier attempts at the same import have done. `begin`, `keep` and
    `complete` are called inside the transaction of what they are told of.
    """

    keeps_images = False
    keeps_diffs = False

    def __init__(self):
        self.id = uuid.uuid4()
        self.rows = 0
        self.counts: dict[str, int] = {}

    def begin(self, report: Report, rows: int) -> None:
        """The file is understood and has so many rows."""
        self.tell("import.started", {"rows": rows})

    def keep(self, report: Report, chunk: list[Done]) -> None:
        """A chunk is written; `report` counts it already."""

    def complete(self, report: Report) -> None:
        """Every row is done."""
        self.tell("import.completed", report.counts)

    def understood(self) -> None:
        """The file is looked through; what is read from now on is written."""

    def look_up(self) -> None:
        """Between two chunks: raise what ends the import."""

    def tell(self, kind: str, data: dict[str, int]) -> None:
        tenant = current_tenant()
        build_event(tenant, kind, "import", self.id, data=data).save(force_insert=True)


class _Undone(Exception):
    """Takes back what a dry run wrote."""


def import_customers(
    file: str | Path | BinaryIO,
    *,
    format: str | None = None,
    mapping: Mapping | str | bytes | None = None,
    match: str | None = None,
    on_match: str | None = None,
    sheet: str | None = None,
    dates: str | None = None,
    dry_run: bool = False,
    encoding: str | None = None,
    delimiter: str | None = None,
    blank: str | None = None,
    overwrites: Iterable[str] = (),
    events: bool = False,
    make_groups: Callable[[set[str]], None] | None = None,
    only_shops_make_groups: bool = False,
    on_refused: Callable[[Plan, ShapedRow, list[dict[str, Any]]], None] | None = None,
    on_done: Callable[[Done], None] | None = None,
    most_rows: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    journal: "Journal | None" = None,
) -> Report:
    """Bring the customers of a file into the active tenant; returns a Report whose counts add up.

    `format`, `mapping`, `match`, `on_match`, `encoding`, `delimiter`, `sheet`, `dates`, `blank` and
    `overwrites` are described at `plan_import`; what is not given is found out, and `on_match` is
    then "skip", or "fill" for files that add addresses to known customers. `dry_run` does
    everything and takes it back. `events` writes an event per customer too; `import.started` and
    `import.completed` are always written. `make_groups` gets the codes of the groups that a chunk
    names, before it is looked at; without it a row that names an unknown group is refused. With
    `only_shops_make_groups` that is so for every file but those of a recognised shop, whose groups
    are what the shop says they are. `on_refused` gets each refused row with its reasons, `on_done`
    what became of each customer of the file, in its order, `progress` the rows done and all rows.
    With more than `most_rows` nothing is written (TooManyRows). `journal` writes down each chunk
    together with its customers and knows those that an earlier attempt wrote; the import goes on
    behind them.

    Raises FileError or MappingError when the file or its mapping is wrong as a whole; then
    nothing was written.
    """
    with ExitStack() as stack:
        if isinstance(file, (str, Path)):
            # One opening for all passes: a file that is replaced meanwhile is not mixed up.
            name = Path(file).name
            file = stack.enter_context(_opened(file))
        else:
            name = Path(str(getattr(file, "name", ""))).name
        plan = plan_import(
            file, format=format, mapping=mapping, match=match, on_match=on_match, sheet=sheet,
            encoding=encoding, delimiter=delimiter, dates=dates, blank=blank, overwrites=overwrites,
        )  # fmt: skip
        if journal is not None:
            journal.understood()
        if most_rows is not None and plan.checked.rows > most_rows:
            raise TooManyRows(f"at most {most_rows} customers at once")
        if only_shops_make_groups and plan.format in (None, "regulars"):
            make_groups = None
        run = _Run(plan, dry_run, make_groups, on_refused, progress, journal or Journal())
        run.on_done = on_done
        who = current()
        reason = who.reason or f"import {name}".strip()[:200]
        stack.enter_context(acting(who.actor, request_id=str(run.id), reason=reason))
        if not events:
            stack.enter_context(without_customer_events())
        if not dry_run:
            run.work()
            return run.report
        try:
            with transaction.atomic():
                run.work()
                raise _Undone
        except _Undone:
            return run.report


@contextmanager
def _opened(path: str | Path) -> Iterator[BinaryIO]:
    with ExitStack() as stack:
        try:
            file = stack.enter_context(Path(path).open("rb"))
        except OSError as fault:
            raise FileError(f"the file cannot be opened: {fault.strerror}") from None
        yield file


class _Run:
    """One import on its way through its chunks."""

    def __init__(self, plan, dry_run, make_groups, on_refused, progress, journal):
        self.journal = journal
        self.id = journal.id
        self.plan = plan
        self.tenant = current_tenant()
        self.make_groups = make_groups
        self.on_refused = on_refused
        self.progress = progress
        self.on_done: Callable[[Done], None] | None = None
        self.validator = Validator(self.tenant, plan.mapping)
        self.numbers = Numbers(self.tenant, dry_run=dry_run)
        self.writer = Writer(
            plan, self.tenant, self.numbers,
            keeps_images=journal.keeps_images and not dry_run,
            keeps_diffs=journal.keeps_diffs and dry_run,
        )  # fmt: skip
        self.report = Report(
            dry_run=dry_run,
            blank_lines=plan.checked.blank_lines,
            format=plan.format,
            kind=plan.source.kind,
            encoding=plan.source.encoding,
            delimiter=plan.source.delimiter,
            match=plan.match,
            on_match=plan.on_match,
            unmapped=[one._asdict() for one in plan.unmapped],
            notes=list(plan.notes),
        )

    def work(self) -> None:
        self.report.add_counts(self.journal.counts, self.journal.rows)
        if not self.report.dry_run:
            with transaction.atomic():
                self.journal.begin(self.report, self.plan.checked.rows)
        chunks = self.read(islice(self.plan.source, self.journal.rows, None))
        try:
            counted_at = MANY
            with seldom_collecting() as collect:
                for number, chunk in enumerate(read_ahead(chunks), 1):
                    self.journal.look_up()
                    self.do(chunk)
                    if not number % COLLECTED:
                        collect()
                    if self.report.created >= counted_at * GROWN and not self.report.dry_run:
                        counted_at = self.report.created
                        refresh_statistics(rough=True)
                    if self.progress:
                        self.progress(self.report.rows, self.plan.checked.rows)
        except FileError as fault:
            # It was whole in the first pass: somebody writes into it. What is in stays in.
            message = f"the file changed while it was imported; the rest is left out ({fault})"
            self.report.add_errors([describe(fault.line, fault.column, None, message)])
        if self.report.refused and "groups" in self.plan.mapping.names and not self.make_groups:
            self.report.notes.append(str(UNKNOWN_GROUPS))
        if not self.report.dry_run:
            with transaction.atomic():
                self.journal.complete(self.report)
            if self.report.created >= MANY and has_grown_by(self.report.created):
                refresh_statistics()

    def read(self, rows: Iterator[RawRow]) -> Iterator[list[PlainCandidate | ShapedRow]]:
        """The customers of these rows by the chunk, those in plain writing as candidates already;
        asks the database nothing."""
        plan = self.plan
        plain = PlainRows(plan.mapping, self.validator)
        if not plan.source.is_table or plan.continues is not None or not plain.usable:
            kind = plan.source.kind
            yield from _chunks(shape_rows(rows, plan.mapping, continues=plan.continues, kind=kind))
            return
        for chunk in _chunks(rows):
            yield [
                found or plan.mapping.apply(raw)
                for raw, found in zip(chunk, plain.candidates(chunk), strict=True)
            ]

    def do(self, chunk: list[PlainCandidate | ShapedRow]) -> None:
        """Validate and write one chunk, whole or not at all, and count what became of it."""
        if self.make_groups and (codes := _groups_of(chunk)):
            self.make_groups(codes)
        candidates = [
            one if isinstance(one, Candidate) else self.validator.validate(one) for one in chunk
        ]
        sound = [one for one in candidates if one.clean is not None and not one.errors]
        # Before the transaction: taking numbers inside it would keep every till waiting.
        self.numbers.reserve(self.writer.count_unknown(sound))
        for attempt in range(ATTEMPTS):
            counted = replace(self.report)
            try:
                with transaction.atomic():
                    outcomes = self.write(candidates)
                    for done in outcomes:
                        counted.count(done.outcome, done.candidate.rows)
                        counted.to_review += done.review is not None
                    if not self.report.dry_run:
                        self.journal.keep(counted, outcomes)
                break
            except OperationalError:
                # A lock that somebody held too long, or a deadlock: the whole chunk was undone.
                if attempt == ATTEMPTS - 1 or connection.needs_rollback:
                    raise
                time.sleep(0.2 * 2**attempt)
        self.report = counted
        for done in outcomes:
            if done.faults:
                self.report.add_errors(done.faults)
                if self.on_refused:
                    self.on_refused(self.plan, done.shaped, done.faults)
            if self.on_done:
                self.on_done(done)

    def write(self, candidates: list[Candidate]) -> list[Done]:
        if not self.report.dry_run:
            wait_for_other_imports(self.tenant)
            # A chunk that a power failure takes is taken with its line in the journal, and done
            # again; the end of the import waits for all of them.
            commit_without_waiting()
        sound = [one for one in candidates if one.clean is not None and not one.errors]
        self.writer.begin(sound)
        settled = self.writer.settle_together(sound)
        return [
            self.write_one(candidate)
            if (found := settled.get(id(candidate))) is None
            else _done(candidate, found)
            for candidate in candidates
        ]

    def write_one(self, candidate: Candidate) -> Done:
        if candidate.errors:
            return Done(candidate, REFUSED, faults=candidate.errors)
        try:
            return _done(candidate, self.writer.write(candidate))
        except ValidationError as refusal:
            faults = self.writer.faults(refusal, candidate)
            return Done(candidate, REFUSED, faults=faults, refusal=refusal)
        except (IntegrityError, DataError):
            message = _("The database refuses this row.")
            fault = describe(candidate.shaped.line, None, None, message)
            return Done(candidate, REFUSED, faults=[fault])


def _chunks(rows: Iterator[Any]) -> Iterator[list[Any]]:
    return iter(lambda: list(islice(rows, CHUNK)), [])


def _done(candidate: Candidate, settled: Settled) -> Done:
    return Done(
        candidate, settled.outcome, settled.customer_id,
        before=settled.before, review=settled.review, diff=settled.diff,
    )  # fmt: skip


@contextmanager
def seldom_collecting() -> Iterator[Callable[[], object]]:
    """Let Python look for garbage when it is told to (call what is yielded), and only among what
    came since the last look: it would do so every few rows, and find nothing, for half of the
    time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield lambda: gc.collect(1)
    finally:
        if was_on:
            gc.enable()


def wait_for_other_imports(tenant: Any) -> None:
    """Let the chunks of two imports of one tenant follow each other: each then sees the customers
    of the other, also where only an e-mail says that they are the same. SQLite has one writer."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            key = f"customers.import {tenant.pk}"
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])


def _groups_of(chunk: Iterable[PlainCandidate | ShapedRow]) -> set[str]:
    return {
        wish["group"] if isinstance(wish, dict) else wish
        for shaped in chunk
        # A row in plain writing names none.
        if isinstance(shaped, ShapedRow)
        for wish in shaped.record.get("groups") or ()
    }
