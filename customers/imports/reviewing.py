"""What an import left for staff to decide: rows that would change a known customer."""

import io
from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from customers.models import ImportRun

from .ordering import order_import
from .planning import OVERWRITE
from .rejects import row_writer
from .sealed import chunks_of
from .sources import TABLES
from .storing import keep_file

MOST_SHOWN = 10_000


def proposals_of(run: ImportRun) -> Iterator[dict[str, Any]]:
    """Each row that waits for a decision, as {"line", "customer", "before", "after"}, in the order
    of the file; at most MOST_SHOWN, and none when the week is over."""
    decided = set(run.decided)
    found = (
        {"line": rows[0][0], **proposal}
        for chunk in chunks_of(run)
        for rows, proposal in chunk["review"]
        if rows[0][0] not in decided
    )
    return islice(found, MOST_SHOWN)


def accept_proposals(run: ImportRun, lines: list[int] | None = None) -> ImportRun:
    """Have the rows on these lines of the file (None: all) imported after all, overwriting; returns
    the new run. A row says of the customer, as it now is, what it said before.

    Raises ValidationError naming `lines` where a line waits for no decision.
    """
    kind, delimiter = run.facts.get("kind", "csv"), run.facts.get("delimiter") or ","
    wanted, decided = None if lines is None else set(lines), set(run.decided)
    out, write, taken = io.StringIO(), None, set()
    for chunk in chunks_of(run):
        for rows, _proposal in chunk["review"]:
            line = rows[0][0]
            if line in decided or (wanted is not None and line not in wanted):
                continue
            taken.add(line)
            if write is None:
                write = row_writer(out, kind, delimiter, list(rows[0][1]))
            for _line, values in rows:
                write(values)
    if not taken or (wanted is not None and wanted - taken):
        missing = min((wanted or set()) - taken, default=None)
        message = _("Line %(line)s waits for no decision.") % {"line": missing}
        if missing is None:
            message = _("Nothing waits for a decision.")
        raise ValidationError({"lines": ValidationError(message, code="does_not_exist")})
    options = {**run.options, "on_match": OVERWRITE, "encoding": "utf-8"}
    options.pop("sheet", None)
    if kind not in TABLES:
        options |= {"format": "jsonl"}
    else:
        options |= {"delimiter": delimiter or ","}
        if options.get("format") == kind:
            options["format"] = "csv"
    name = f"review of {run.file_name}"[:255]
    with transaction.atomic():
        _decide(run, taken)
        return order_import(keep_file([out.getvalue().encode()]), file_name=name, options=options)


def decline_proposals(run: ImportRun, lines: list[int]) -> None:
    """Leave the customers of these lines as they are; nobody is asked about them again.

    Raises ValidationError naming `lines` where a line waits for no decision.
    """
    waiting = {proposal["line"] for proposal in proposals_of(run)}
    if missing := set(lines) - waiting:
        message = _("Line %(line)s waits for no decision.") % {"line": min(missing)}
        raise ValidationError({"lines": ValidationError(message, code="does_not_exist")})
    with transaction.atomic():
        _decide(run, set(lines))


def _decide(run: ImportRun, lines: set[int]) -> None:
    locked = ImportRun.objects.select_for_update().get(pk=run.pk)
    locked.decided = sorted({*locked.decided, *lines})
    locked.save(update_fields=["decided"])
    run.decided = locked.decided
