"""Imports that are on record: ordered, run in the background, watched, cancelled, undone.

For faces (API, back office, command), this is all there is to call:

    file = storing.keep_file(upload.chunks())           # sealed; a week at most
    run = order_import(file, file_name="shop.csv", dry_run=True, options={"on_match": "fill"})
    run.refresh_from_db()                               # state, rows_done of rows_total, counts
    report_of(run)                                      # the Report: counts add up, errors named
    rejects.refused_rows(run)                           # the refused rows as a file, to be mended
    repeat_import(run)                                  # after a dry run: now for real
    cancel_import(run); undoing.order_undo(run)

`run.state` says what may be done: WAITING and RUNNING ones can be cancelled, a DONE one (that was
no dry run) undone. A FAILED one says in `run.failure` what is wrong with the file as a whole. The
command holds a run itself instead of ordering a job (`import_path`).
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from customers.models import ImportFile, ImportRun
from events.actors import current
from events.jobs import enqueue
from tenancy import clock
from tenancy.integrity import refusals
from tenancy.scoping import current_tenant

from .errors import MappingError
from .mapping import Mapping
from .planning import BLANKS, DAY_ORDERS, FORMATS, POLICIES, overwritable
from .targets import MATCH_KEYS

State = ImportRun.State
JOB, DRY_JOB = "customers.import", "customers.try_import"
CHOICES = {
    "format": FORMATS,
    "match": MATCH_KEYS,
    "on_match": POLICIES,
    "blank": BLANKS,
    "dates": DAY_ORDERS,
}
TEXTS, FLAGS = ("encoding", "delimiter", "sheet"), ("events", "create_groups")
OPEN_ONCE = {
    "import_open_once": ("file", _("This very file is being imported already, in the same way.")),
}


def order_import(
    file: ImportFile | Callable[[], ImportFile],
    *,
    file_name: str = "",
    dry_run: bool = False,
    options: dict | None = None,
) -> ImportRun:
    """Have a kept file imported in the background; returns the ImportRun. `file` may be a function
    that keeps it (`Intake.finish`), called when nothing is wrong with the options.

    `options` are those of `import_customers` by name: format, match, on_match, encoding, delimiter,
    sheet, dates, blank, overwrites, events, create_groups, and mapping (the object of a mapping
    file). Raises ValidationError by option, and naming `file` (code "unique") while the same file
    is on its way with the same ones.
    """
    clean = clean_options(options or {})
    if callable(file):
        with transaction.atomic():
            return order_import(file(), file_name=file_name, dry_run=dry_run, options=clean)
    run = new_run(file.digest, file_name, clean, dry_run)
    run.file = file
    with transaction.atomic(), refusals(OPEN_ONCE):
        name = DRY_JOB if dry_run else JOB
        run.job_id = enqueue(name, tenant=run.tenant, run_id=str(run.pk)).pk
        run.save(force_insert=True)
    return run


def repeat_import(run: ImportRun, *, dry_run: bool = False) -> ImportRun:
    """Import the file of a run once more, with the same options: a tried one for real, a cancelled
    one to its end. Raises ValidationError where the file is no longer kept."""
    if run.file_id is None:
        raise ValidationError(_("The file is no longer kept; send it again."), code="import_state")
    return order_import(run.file, file_name=run.file_name, dry_run=dry_run, options=run.options)


def clean_options(options: dict[str, Any]) -> dict[str, Any]:
    """The options that say something, each of a kind that can be meant. Raises ValidationError."""
    clean, errors = {}, {}
    for name, value in options.items():
        if value in (None, ""):
            continue
        try:
            clean[name] = _clean_option(name, value)
        except (ValidationError, MappingError) as fault:
            errors[name] = ValidationError(str(getattr(fault, "message", fault)), code="invalid")
    if errors:
        raise ValidationError(errors)
    return clean


def _clean_option(name: str, value: Any) -> Any:
    if name in CHOICES:
        if value not in CHOICES[name]:
            raise ValidationError(_("Must be one of: %s.") % ", ".join(CHOICES[name]))
    elif name in FLAGS:
        if not isinstance(value, bool):
            raise ValidationError(_("Must be true or false."))
    elif name in TEXTS:
        if not isinstance(value, str) or len(value) > 40:
            raise ValidationError(_("Must be a short text."))
    elif name == "overwrites":
        if not isinstance(value, list) or not {*map(str, value)} <= overwritable():
            raise ValidationError(_("Must be a list of: %s.") % ", ".join(sorted(overwritable())))
        return sorted(set(value))
    elif name == "mapping":
        Mapping.from_json(value if isinstance(value, str) else json.dumps(value))
    else:
        raise ValidationError(_("Unknown field."))
    return value


def new_run(digest: str, file_name: str, options: dict[str, Any], dry_run: bool) -> ImportRun:
    who = current().actor
    told = json.dumps([digest, options], sort_keys=True)
    return ImportRun(
        tenant=current_tenant(),
        file_name=Path(file_name).name[:255],
        fingerprint=hashlib.sha256(told.encode()).hexdigest(),
        options=options,
        dry_run=dry_run,
        actor_kind=who.kind,
        actor_id=who.id,
        actor_label=who.label[:254],
        language=get_language() or "",
        created_at=clock.now(),
    )


def cancel_import(run: ImportRun) -> ImportRun:
    """Cancel an import: one that waits ends now, one that runs after the chunk it is at.

    Raises ValidationError with code "import_state" for one that has ended.
    """
    rows = ImportRun.objects.filter(pk=run.pk)
    ended = {"state": State.CANCELLED, "finished_at": clock.now()}
    if not rows.filter(state=State.WAITING).update(**ended) and not rows.filter(
        state=State.RUNNING
    ).update(cancel_requested=True):
        raise ValidationError(_("The import has ended already."), code="import_state")
    run.refresh_from_db()
    return run
