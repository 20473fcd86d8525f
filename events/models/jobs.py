"""A piece of work that happens later or elsewhere, from its order to its end."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from tenancy.clock import now
from tenancy.models import Tenant, TenantOwned
from tenancy.scoping import OwnedQuerySet, owned_manager


class JobState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    DEAD = "dead", _("Given up")
    CANCELLED = "cancelled", _("Cancelled")


WAITING, RUNNING = Q(state=JobState.WAITING), Q(state=JobState.RUNNING)
INSTALLATION = Q(tenant=None)


class JobQuerySet(OwnedQuerySet):
    def waiting(self):
        return self.filter(WAITING)

    def running(self):
        return self.filter(RUNNING)

    def unfinished(self):
        return self.filter(WAITING | RUNNING)

    def finished(self):
        """Those with which nothing more will happen by itself."""
        return self.filter(finished_at__isnull=False)

    def abandoned(self, instant):
        """Running ones that nobody has held since `instant`: killed or hanging workers."""
        return self.running().filter(lease_until__lte=instant)

    def of_installation(self):
        """Jobs that no tenant owns; visible only inside `all_tenants()`."""
        return self.filter(INSTALLATION)


class Job(TenantOwned):
    """One piece of background work: what people see of it, and what makes it happen once.

    The queue itself is a table of django-tasks-db: `ticket` is the key of the row there that stands
    for this job while it waits, written and removed together with it. Who runs the job holds
    it until `lease_until` under the number `fence`; a later holder has a higher number, and every
    write of a run names its own, so that a worker that was frozen meanwhile changes nothing.

    `tenant` is empty for work of the whole installation (clearing up, ticks): no tenant sees it.
    `args` and `data` hold ids and codes only (`events.jobs.plain`), never a value of a person.
    `key` makes a second order of the same work answer the first while that is waiting; `slot` is
    the date or the number of the tick of a schedule, once each whatever became of it.
    """

    State = JobState
    MAY_BE_RETRIED = (JobState.WAITING, JobState.DEAD, JobState.CANCELLED)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(
        Tenant,
        null=True,
        on_delete=models.CASCADE,
        related_name="+",
        editable=False,
        db_index=False,
        verbose_name=_("tenant"),
    )
    name = models.CharField(_("job"), max_length=64)
    args = models.JSONField(_("ids"), default=dict)
    key = models.CharField(max_length=200, blank=True)
    slot = models.CharField(max_length=32, blank=True)
    state = models.CharField(_("state"), max_length=9, choices=State.choices, default=State.WAITING)
    priority = models.SmallIntegerField(_("priority"), default=0)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    run_at = models.DateTimeField(_("next try"), default=now)
    ticket = models.UUIDField(null=True, editable=False)
    lease_until = models.DateTimeField(_("held until"), null=True)
    fence = models.PositiveIntegerField(default=0)
    progress_done = models.BigIntegerField(_("done"), default=0)
    progress_total = models.BigIntegerField(_("of"), null=True)
    progress_note = models.CharField(_("doing"), max_length=200, blank=True)
    data = models.JSONField(_("checkpoint"), default=dict)
    error_kind = models.CharField(_("last error"), max_length=80, blank=True)
    error = models.CharField(_("what about it"), max_length=300, blank=True)
    cancel_requested = models.BooleanField(_("to be cancelled"), default=False)
    actor_kind = models.CharField(_("who"), max_length=16, default="system")
    actor_id = models.UUIDField(null=True)
    actor_label = models.CharField(_("who"), max_length=254, blank=True)
    request_id = models.CharField(_("request"), max_length=64, blank=True)
    created_at = models.DateTimeField(_("ordered"), default=now)
    started_at = models.DateTimeField(_("last started"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)

    objects = owned_manager(JobQuerySet)

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        ordering = ["-created_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "name", "key"],
                condition=WAITING & Q(key__gt=""),
                name="job_key_waits_once",
            ),
            # A NULL differs from every other, so what no tenant owns needs constraints of its own.
            models.UniqueConstraint(
                fields=["name", "key"],
                condition=INSTALLATION & WAITING & Q(key__gt=""),
                name="job_key_waits_once_installation",
            ),
            models.UniqueConstraint(
                fields=["tenant", "name", "slot"], condition=Q(slot__gt=""), name="job_slot_once"
            ),
            models.UniqueConstraint(
                fields=["name", "slot"],
                condition=INSTALLATION & Q(slot__gt=""),
                name="job_slot_once_installation",
            ),
            models.CheckConstraint(
                condition=Q(state__in=JobState.values), name="job_state_is_known"
            ),
            # What waits has its place in the queue, what runs has a holder, and nothing else has.
            models.CheckConstraint(
                condition=(WAITING & Q(ticket__isnull=False)) | (~WAITING & Q(ticket__isnull=True)),
                name="job_waits_with_ticket",
            ),
            models.CheckConstraint(
                condition=(RUNNING & Q(lease_until__isnull=False))
                | (~RUNNING & Q(lease_until__isnull=True)),
                name="job_runs_with_lease",
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "-created_at"], name="job_list"),
            models.Index(fields=["lease_until"], condition=RUNNING, name="job_lease"),
            models.Index(
                fields=["name", "state"], condition=~Q(state=JobState.DONE), name="job_open"
            ),
            models.Index(
                fields=["finished_at"],
                condition=Q(finished_at__isnull=False),
                name="job_finished",
            ),
        ]

    def __str__(self):
        return self.name

    @property
    def may_be_retried(self):
        return self.state in self.MAY_BE_RETRIED

    @property
    def may_be_cancelled(self):
        return self.state in (JobState.WAITING, JobState.RUNNING) and not self.cancel_requested
