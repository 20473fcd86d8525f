"""An import from its order to its end, and the file that it reads."""

import uuid

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from tenancy.clock import now
from tenancy.models import TenantOwned
from tenancy.scoping import OwnedQuerySet, owned_manager


class ImportFile(TenantOwned):
    """A file that was handed in, for as long as it is needed: a week at most.

    Its bytes stand in `pieces`, each sealed (`tenancy.sealing`) for this file and its place.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("file"), max_length=255, blank=True)
    size = models.BigIntegerField(_("bytes"))
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(_("handed in"), default=now, editable=False)
    expires_at = models.DateTimeField(_("kept until"))

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="import_file_expires")]

    def __str__(self):
        return str(self.id)


class ImportPiece(TenantOwned):
    """A stretch of a file, sealed."""

    file = models.ForeignKey(ImportFile, on_delete=models.CASCADE, related_name="pieces")
    number = models.PositiveIntegerField()
    sealed = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "file", "number"], name="import_piece_once")
        ]

    def __str__(self):
        return f"{self.file_id} {self.number}"


class ImportState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Refused")
    CANCELLED = "cancelled", _("Cancelled")
    UNDOING = "undoing", _("Being undone")
    UNDONE = "undone", _("Undone")


HELD = Q(state__in=[ImportState.RUNNING, ImportState.UNDOING])


class ImportQuerySet(OwnedQuerySet):
    def open(self):
        """Those that have begun, or will, and have not ended."""
        return self.filter(state__in=[ImportState.WAITING, ImportState.RUNNING])

    def failed_since(self, instant):
        """Imports (no checks) that failed after `instant`, without those of which a file of the
        same name came through since."""
        later = self.model.objects.filter(
            file_name=OuterRef("file_name"),
            created_at__gt=OuterRef("created_at"),
            dry_run=False,
            state=ImportState.DONE,
        )
        failed = self.filter(state=ImportState.FAILED, dry_run=False, finished_at__gt=instant)
        return failed.filter(~Exists(later))

    def held_by(self, fence):
        """While nobody with a higher number has taken it over."""
        return self.filter(HELD, fence=fence)


class ImportRun(TenantOwned):
    """One import of one file: how it is to be done, how far it is, what became of its lines.

    Whoever works on it holds it until `lease_until` under the number `fence`; a later holder has a
    higher number, and every chunk is written together with a row that names its own, so that a
    worker that was frozen and taken over meanwhile changes nothing. `rows_done` is how many rows
    of the file the chunks on record have used up: from there the next holder goes on.
    `fingerprint` is the same for the same file with the same options.
    """

    State = ImportState

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(_("what"), max_length=24, default="customers")
    file = models.ForeignKey(
        ImportFile, null=True, on_delete=models.SET_NULL, related_name="runs", editable=False
    )
    file_name = models.CharField(_("file"), max_length=255, blank=True)
    fingerprint = models.CharField(max_length=64)
    options = models.JSONField(_("options"), default=dict)
    dry_run = models.BooleanField(_("only tried"), default=False)
    state = models.CharField(
        _("state"), max_length=10, choices=ImportState.choices, default=ImportState.WAITING
    )
    # Why the file as a whole could not be taken: {"line", "column", "message"}.
    failure = models.JSONField(_("refused because"), null=True)
    rows_total = models.BigIntegerField(_("rows"), null=True)
    rows_done = models.BigIntegerField(_("rows done"), default=0)
    # What the report says so far, but for its errors: those stand with their chunks.
    counts = models.JSONField(_("counts"), default=dict)
    facts = models.JSONField(_("how it was read"), default=dict)
    n_chunks = models.PositiveIntegerField(default=0)
    fence = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    cancel_requested = models.BooleanField(_("to be cancelled"), default=False)
    job_id = models.UUIDField(_("job"), null=True)
    # Lines that were left to staff and on which they have decided (`imports.reviewing`).
    decided = models.JSONField(default=list)
    # After an undo: {"deleted", "restored", "left": [ids that were changed since]}.
    undone = models.JSONField(_("what was undone"), null=True)
    actor_kind = models.CharField(_("who"), max_length=16)
    actor_id = models.UUIDField(null=True, blank=True)
    actor_label = models.CharField(_("who"), max_length=254, blank=True)
    # In which its sentences are: that of whoever ordered it in the back office.
    language = models.CharField(_("language"), max_length=16, blank=True, editable=False)
    created_at = models.DateTimeField(_("ordered"), default=now, editable=False)
    started_at = models.DateTimeField(_("begun"), null=True)
    finished_at = models.DateTimeField(_("ended"), null=True)

    objects = owned_manager(ImportQuerySet)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "fingerprint"],
                condition=Q(state__in=["waiting", "running"], dry_run=False),
                name="import_open_once",
            ),
        ]
        indexes = [models.Index(fields=["tenant", "-created_at", "-id"], name="import_list")]

    def __str__(self):
        return self.file_name or str(self.id)

    @property
    def reason(self):
        """What the history says of each customer that the run touched."""
        return f"import {self.file_name}".strip()[:200]


class ImportProfile(TenantOwned):
    """How files with certain columns are to be read, remembered under a name.

    `mapping` is the content of a mapping file, `options` are those of an import
    (`imports.ordering`) without the mapping. A file is recognised by its columns: `header_key`
    (`imports.looking`).
    (`imports.looking`).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=80)
    header_key = models.CharField(max_length=64, editable=False)
    mapping = models.JSONField(_("columns"), null=True, blank=True)
    options = models.JSONField(_("options"), default=dict, blank=True)
    created_at = models.DateTimeField(_("remembered"), default=now, editable=False)
    updated_at = models.DateTimeField(_("changed"), default=now, editable=False)

    class Meta:
        verbose_name = _("remembered mapping")
        verbose_name_plural = _("remembered mappings")
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "name"], name="import_profile_name"),
        ]
        indexes = [models.Index(fields=["tenant", "header_key"], name="import_profile_header")]

    def __str__(self):
        return self.name


class ImportChunk(TenantOwned):
    """One stretch of an import, written in the transaction that brought its customers in.

    `created` and `changed` hold the ids of the new customers and of those that were changed, 16
    bytes each, in the order of the file. `sealed` is, as JSON and for a week, what was refused,
    what the changed customers looked like before and what staff are to decide
    (`customers.imports.sealed`). Of a dry run, `outcomes` is what would become of each line, for as
    long, and `counts` how many there are of each kind (`customers.imports.outcomes`).
    """

    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="chunks")
    number = models.PositiveIntegerField()
    created = models.BinaryField(default=b"")
    changed = models.BinaryField(default=b"")
    counts = models.JSONField(default=dict)
    sealed = models.BinaryField(null=True)
    outcomes = models.BinaryField(null=True)
    undone = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "run", "number"], name="import_chunk_once")
        ]

    def __str__(self):
        return f"{self.run_id} {self.number}"
