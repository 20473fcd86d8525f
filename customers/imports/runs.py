"""Imports on record, done: held by one worker at a time, chunk by chunk, to the end.

Whoever works on a run holds it (`hold_run`) and writes each chunk in one transaction with the row
of the run that counts it. Killed anywhere, the next holder goes on behind the last chunk. How faces
order and watch imports is told in `ordering`.
"""

import hashlib
import json
import time
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from customers.hooks import hooks
from customers.models import ImportChunk, ImportRun
from events.actors import Actor, acting
from events.jobs import JobCancelled, LeaseLost, PermanentFailure, RetryLater
from tenancy import clock

from . import sealed
from .engine import Done, Journal, import_customers
from .errors import FileError, MappingError
from .ordering import clean_options, new_run
from .outcomes import OutcomeLog
from .rejects import Rejects
from .report import CREATED, OUTCOMES, UPDATED, Report
from .storing import open_file
from .watching import Watched

State = ImportRun.State
COUNTED = ("lines", *OUTCOMES, "to_review")
FACTS = (
    *("blank_lines", "format", "kind", "encoding", "delimiter", "match", "on_match"),
    *("unmapped", "notes"),
)
# A dry run is one transaction, from which no sign of life gets out.
DRY_LEASE = 3_600
BEAT = 5  # seconds between two signs of life while the file is looked through


class AlreadyRunning(Exception):
    """Somebody else works on this import; `seconds` until it could be taken over."""

    def __init__(self, seconds: float):
        super().__init__("this file is being imported already, in the same way")
        self.seconds = max(0.0, seconds)


class ImportCancelled(Exception):
    """Somebody asked to cancel the import; the chunks that are in stay in."""


# --- Holding -----------------------------------------------------------------------------------
def lease_end(*, dry_run: bool = False):
    """Until when a holder has a run without another sign of life."""
    return clock.now() + timedelta(seconds=DRY_LEASE if dry_run else settings.IMPORT_LEASE_SECONDS)


def hold_run(run: ImportRun, *, state: str = State.RUNNING, job_id=None) -> ImportRun:
    """Make a run ours, under a number higher than any before; the row as it now is.

    One that is held already is taken over when its lease has ended, or by the job whose own it is
    (of a job there is one holder at a time). Raises AlreadyRunning while somebody else has it.
    """
    instant = clock.now()
    free = Q(state=State.WAITING) | Q(lease_until=None) | Q(lease_until__lte=instant)
    if job_id is not None:
        free |= Q(job_id=job_id)
    rows = ImportRun.objects.filter(free, pk=run.pk, state__in=[State.WAITING, state])
    until = lease_end(dry_run=run.dry_run)
    held = rows.update(state=state, fence=F("fence") + 1, lease_until=until, job_id=job_id)
    run.refresh_from_db()
    if held:
        return run
    if run.lease_until is None:
        raise ValidationError(_("The import has ended already."), code="import_state")
    raise AlreadyRunning((run.lease_until - instant).total_seconds())


class RunJournal(Journal):
    """Writes an import down in its ImportRun and its chunks."""

    keeps_images = True

    def __init__(self, run: ImportRun, job: Any = None):
        self.id = run.pk
        self.run = run
        self.job = job
        self.rows = run.rows_done
        self.counts = {name: run.counts.get(name, 0) for name in COUNTED}
        self._beaten = time.monotonic()

    def begin(self, report: Report, rows: int) -> None:
        facts = {name: getattr(report, name) for name in FACTS}
        columns = {"facts": facts, "rows_total": rows}
        if self.run.started_at is None:
            self.run.started_at = clock.now()
            super().begin(report, rows)
        self._write(started_at=self.run.started_at, **columns)

    def keep(self, report: Report, chunk: list[Done]) -> None:
        number = self.run.n_chunks
        # First the row that only its holder may write: a late worker gets no further.
        self._write(n_chunks=number + 1, rows_done=report.rows, counts=_counts(report))
        ImportChunk(
            tenant=self.run.tenant,
            run=self.run,
            number=number,
            created=_ids(chunk, CREATED),
            changed=_ids(chunk, UPDATED),
            sealed=sealed.seal_chunk(self.run, number, chunk),
        ).save(force_insert=True)

    def complete(self, report: Report) -> None:
        super().complete(report)
        self._write(
            state=State.DONE,
            lease_until=None,
            finished_at=clock.now(),
            facts={name: getattr(report, name) for name in FACTS},
        )

    def look_up(self) -> None:
        """Between two chunks: is somebody else at it, should it end?"""
        # What the last transaction has written is the state to go on from.
        # (Never the fence: that is what we took it under.)
        self.run.refresh_from_db(fields=["n_chunks", "cancel_requested"])
        if self.run.cancel_requested:
            raise ImportCancelled
        self.tell_job()

    def tell_job(self) -> None:
        if self.job is not None:
            self.job.progress(self.run.rows_done, self.run.rows_total)

    def beat(self) -> None:
        """Show that somebody is still at it, while the file is only looked through."""
        if time.monotonic() - self._beaten < BEAT:
            return
        self._beaten = time.monotonic()
        self._write()
        self.tell_job()

    def _write(self, **columns: Any) -> None:
        columns = {"lease_until": lease_end(dry_run=self.run.dry_run), **columns}
        if not ImportRun.objects.held_by(self.run.fence).filter(pk=self.id).update(**columns):
            raise LeaseLost
        for name, value in columns.items():
            if name != "n_chunks":
                setattr(self.run, name, value)


def _ids(chunk: list[Done], outcome: str) -> bytes:
    return b"".join(done.customer_id.bytes for done in chunk if done.outcome == outcome)


def _counts(report: Report) -> dict[str, int]:
    return {name: getattr(report, name) for name in COUNTED}


# --- Doing -------------------------------------------------------------------------------------
def work_on(run: ImportRun, file: BinaryIO, *, job: Any = None, progress: Any = None) -> Report:
    """Do what is left of a run that we hold; returns its whole Report.

    Raises FileError or MappingError where the file as a whole cannot be taken (the run then says
    so), ImportCancelled, LeaseLost when somebody else has taken the run over.
    """
    journal = RunJournal(run, job)
    dry = _DryJournal(journal) if run.dry_run else None
    watched = Watched(file, journal.beat, name=run.file_name)
    journal.understood = watched.unwatch
    try:
        with _as_ordered(run):
            report = import_customers(
                watched,
                dry_run=run.dry_run,
                progress=progress,
                journal=dry or journal,
                on_done=dry and dry.log.add,
                **_arguments(run.options),
            )
    except (FileError, MappingError) as fault:
        place = {name: getattr(fault, name, None) for name in ("line", "column")}
        failure = {**place, "message": fault.message}
        journal._write(
            state=State.FAILED, failure=failure, lease_until=None, finished_at=clock.now()
        )
        raise
    except ImportCancelled:
        journal._write(state=State.CANCELLED, lease_until=None, finished_at=clock.now())
        raise
    except KeyboardInterrupt:
        # Whoever starts it again need not wait.
        journal._write(lease_until=clock.now())
        raise
    if dry:
        dry.complete_dry(report)
    return report_of(run)


class _DryJournal(Journal):
    """Of an import that is only tried, what it would have done: written down when it is over,
    because nothing of it is left by then."""

    keeps_diffs = True

    def __init__(self, journal: RunJournal):
        super().__init__()
        self.journal = journal
        self.log = OutcomeLog(journal.run)

    def understood(self) -> None:
        self.journal.understood()

    def look_up(self) -> None:
        # Inside the one transaction of a dry run nothing can be told to anybody.
        self.journal.run.refresh_from_db(fields=["cancel_requested"])
        if self.journal.run.cancel_requested:
            raise ImportCancelled

    def complete_dry(self, report: Report) -> None:
        self.log.flush()
        with transaction.atomic():
            self.journal._write(
                n_chunks=self.log.n_chunks, rows_done=report.rows, counts=_counts(report),
                rows_total=report.rows, facts={name: getattr(report, name) for name in FACTS},
                state=State.DONE, lease_until=None, finished_at=clock.now(),
            )  # fmt: skip
            for chunk in self.log.chunks():
                chunk.save(force_insert=True)


@contextmanager
def _as_ordered(run: ImportRun):
    """Who ordered the import has done it, in the own language, also where a worker does it."""
    language = run.language or settings.LANGUAGE_CODE
    with (
        override(language),
        acting(Actor(run.actor_kind, run.actor_id, run.actor_label), reason=run.reason),
    ):
        yield


def _make_groups(codes: set[str]) -> None:
    for make in hooks.make_groups:
        make(codes)


def perform_job(job: Any, run_id: str) -> None:
    """What the background job does: the run's work, as often as it takes."""
    run = ImportRun.objects.select_related("file").filter(pk=run_id).first()
    if run is None or run.state not in (State.WAITING, State.RUNNING):
        return
    if run.file is None:
        ImportRun.objects.filter(pk=run.pk).update(state=State.FAILED, failure=_GONE)
        raise PermanentFailure("The file is no longer kept.")
    try:
        hold_run(run, job_id=job.job_id)
    except AlreadyRunning as busy:
        raise RetryLater(busy.seconds + 1, "Somebody else works on it.") from None
    file = open_file(run.file)
    try:
        work_on(run, file, job=job)
    except (FileError, MappingError, ImportCancelled):
        return  # the run says so, and to whoever looks at it that is what happened
    except JobCancelled:
        ended = {"state": State.CANCELLED, "lease_until": None, "finished_at": clock.now()}
        ImportRun.objects.held_by(run.fence).filter(pk=run.pk).update(**ended)
        raise
    finally:
        file.close()


_GONE = {"line": None, "column": None, "message": "the file is no longer kept"}


def import_path(path: str | Path, *, options: dict[str, Any], progress: Any = None) -> ImportRun:
    """Import a file of this machine here and now, or what an earlier start of the same left over;
    returns the run, finished. What `work_on` raises, and AlreadyRunning."""
    try:
        with Path(path).open("rb") as file:
            run = _found_or_new(hashlib.file_digest(file, "sha256").hexdigest(), path, options)
            hold_run(run)
            work_on(run, file, progress=progress)
    except OSError as fault:
        raise FileError(f"the file cannot be opened: {fault.strerror}") from None
    return run


def try_path(
    path: str | Path, *, options: dict[str, Any], errors: str | None = None, progress: Any = None
) -> Report:
    """What importing a file of this machine would do; nothing of it is put on record. `errors` is
    where the rows go that would be refused. Raises FileError, MappingError, ValidationError."""
    with Rejects(errors) if errors else nullcontext() as rejects:
        return import_customers(
            path,
            dry_run=True,
            on_refused=rejects,
            progress=progress,
            **_arguments(clean_options(options)),
        )


def _arguments(options: dict[str, Any]) -> dict[str, Any]:
    """The options as `import_customers` takes them."""
    arguments = {name: options[name] for name in options if name not in ("create_groups",)}
    mapping = options.get("mapping")
    if mapping is not None and not isinstance(mapping, str):
        arguments["mapping"] = json.dumps(mapping)
    create_groups = options.get("create_groups")
    arguments["make_groups"] = None if create_groups is False else _make_groups
    arguments["only_shops_make_groups"] = create_groups is None
    return arguments


def _found_or_new(digest: str, path: str | Path, options: dict[str, Any]) -> ImportRun:
    new = new_run(digest, str(path), clean_options(options), dry_run=False)
    open_runs = ImportRun.objects.open().filter(dry_run=False, fingerprint=new.fingerprint)
    known = open_runs.first()
    if known is None:
        try:
            with transaction.atomic():
                new.save(force_insert=True)
            return new
        except IntegrityError:
            known = open_runs.get()  # started a moment ago by somebody else
    return known


# --- Telling -----------------------------------------------------------------------------------
def report_of(run: ImportRun) -> Report:
    """What the run has done so far, over all attempts, with the errors as long as they are kept."""
    counts = {name: run.counts.get(name, 0) for name in COUNTED}
    report = Report(**counts, **run.facts, rows=run.rows_done, dry_run=run.dry_run)
    for chunk in sealed.chunks_of(run):
        report.add_errors(chunk["errors"])
    return report
