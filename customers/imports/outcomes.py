"""What a dry run would do with every row of its file: kept sealed, read by the page.

Each row is an `Outcome`. A thousand of them are one chunk, whose `counts` tell, without unsealing
it, how many of each kind it holds: the hundredth page of a million rows unseals one chunk or two.
"""

import json
import tempfile
import weakref
import zlib
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from customers.models import ImportChunk, ImportRun
from tenancy.sealing import Unreadable, seal, unseal

from . import sealed
from .report import CREATED, REFUSED

CHUNK = 1_000
LONGEST_LABEL = 80


class Outcome(NamedTuple):
    """What would become of one line of the file.

    `customer` is the id of a known customer, `label` who it is as the file says it, `diff` what
    the file says and the record does not ({"customer", "before", "after"}, `images.proposal_of`),
    `faults` why the line is refused.
    """

    line: int
    outcome: str
    customer: str | None
    label: str
    diff: dict[str, Any] | None
    faults: list[dict[str, Any]] | None


class OutcomeLog:
    """Collects the `engine.Done` of a dry run in flat memory: full chunks wait, sealed, in a file
    without a name, because nothing can be written down before the run is over."""

    def __init__(self, run: ImportRun):
        self.run = run
        self._waiting: list[Any] = []
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with this object
        weakref.finalize(self, self._file.close)
        self._chunks: list[tuple[dict[str, int], int, int]] = []

    @property
    def n_chunks(self) -> int:
        return len(self._chunks)

    def add(self, done: Any) -> None:
        """Take what became of the next line."""
        self._waiting.append(done)
        if len(self._waiting) >= CHUNK:
            self.flush()

    def flush(self) -> None:
        """Seal what waits."""
        if not self._waiting:
            return
        number, rows = len(self._chunks), [_outcome(done) for done in self._waiting]
        told = [done for done in self._waiting if done.outcome == REFUSED or done.review]
        reasons = sealed.seal_chunk(self.run, number, told) or b""
        text = json.dumps(rows, ensure_ascii=False, default=str)
        outcomes = seal(zlib.compress(text.encode(), 1), _about(self.run.pk, number))
        self._file.write(reasons + outcomes)
        counts = Counter(done.outcome for done in self._waiting)
        self._chunks.append((dict(counts), len(reasons), len(outcomes)))
        self._waiting = []

    def chunks(self) -> Iterator[ImportChunk]:
        """The chunks to save, in the order of the file."""
        self._file.seek(0)
        for number, (counts, n_reasons, n_outcomes) in enumerate(self._chunks):
            yield ImportChunk(
                tenant=self.run.tenant,
                run=self.run,
                number=number,
                counts=counts,
                sealed=self._file.read(n_reasons) or None,
                outcomes=self._file.read(n_outcomes),
            )


def _outcome(done: Any) -> Outcome:
    candidate = done.candidate
    return Outcome(
        candidate.line,
        done.outcome,
        # The ids of new ones are taken back with them.
        str(done.customer_id) if done.customer_id and done.outcome != CREATED else None,
        label_of(candidate),
        done.diff or done.review,
        done.faults or None,
    )


def label_of(candidate: Any) -> str:
    """Who a line of the file is about: the name, else the first e-mail, else nothing."""
    said = candidate.clean.columns if candidate.clean else candidate.profile
    both = (said.get("first_name"), said.get("last_name"))
    name = said.get("company_name") or said.get("name") or " ".join(filter(None, map(_text, both)))
    if not name and candidate.clean:
        name = (candidate.item("emails") or {}).get("address")
    return _text(name)[:LONGEST_LABEL]


def _text(value: Any) -> str:
    return str(value).strip() if value not in (None, "") else ""


def _about(run_id: Any, number: int) -> str:
    return f"import {run_id} {number} outcomes"


# --- Reading -----------------------------------------------------------------------------------
def outcomes_of(run: ImportRun, outcome: str | None, start: int, stop: int) -> list[Outcome]:
    """The lines from `start` to before `stop` of those with this outcome (None: of all), in the
    order of the file; nothing where they are no longer kept."""
    found: list[Outcome] = []
    at = 0
    rows = ImportChunk.objects.filter(run=run.pk, outcomes__isnull=False).order_by("number")
    for number, counts in rows.values_list("number", "counts"):
        held = counts.get(outcome, 0) if outcome else sum(counts.values())
        if at + held > start and at < stop and held:
            wanted = [
                row for row in _unsealed(run, number) if outcome is None or row.outcome == outcome
            ]
            found += wanted[max(0, start - at) : stop - at]
        at += held
        if at >= stop:
            break
    return found


def are_kept(run: ImportRun) -> bool:
    """Whether the lines of a dry run can still be looked at."""
    return ImportChunk.objects.filter(run=run.pk, outcomes__isnull=False).exists()


def _unsealed(run: ImportRun, number: int) -> list[Outcome]:
    chunk = ImportChunk.objects.only("outcomes").get(run=run.pk, number=number)
    try:
        told = zlib.decompress(unseal(bytes(chunk.outcomes), _about(run.pk, number)))
    except Unreadable:
        return []
    return [Outcome(*row) for row in json.loads(told)]
