"""One deed for many chosen customers: what is to be done, how far it is, what became of each."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from customers.hooks import hooks
from tenancy.clock import now
from tenancy.models import TenantOwned


class BulkDeed(TenantOwned):
    """Customers whom somebody chose, and what is to be done with all of them.

    A DRAFT is only looked at; it goes after a day unless somebody confirms it. What is done is told
    by `deed`, a name of the table `hooks.bulk_deeds`, and `choice`, what its `clean_choice` made of
    the rest (which group). `ids` holds 16 bytes for each customer, in the order of their numbers.
    `counts` are of done, unchanged and refused; `results` tell of each customer who was refused,
    and after an anonymisation of every one, what the search found: by id, never by name. `reason`
    stands in the histories; here it goes when the deed is through.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("Not confirmed")
        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        CANCELLED = "cancelled", _("Cancelled")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    deed = models.CharField(_("what"), max_length=20)
    choice = models.JSONField(_("which"), default=dict)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.DRAFT)
    ids = models.BinaryField()
    n_total = models.PositiveIntegerField(_("customers"))
    n_done = models.PositiveIntegerField(_("done"), default=0)
    counts = models.JSONField(_("counts"), default=dict)
    results = models.JSONField(_("results"), default=list)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    job_id = models.UUIDField(null=True)
    cancel_requested = models.BooleanField(_("to be cancelled"), default=False)
    actor_kind = models.CharField(_("who"), max_length=16)
    actor_id = models.UUIDField(null=True, blank=True)
    actor_label = models.CharField(_("who"), max_length=254, blank=True)
    created_at = models.DateTimeField(_("chosen"), default=now, editable=False)
    finished_at = models.DateTimeField(_("ended"), null=True)

    class Meta:
        verbose_name = _("deed for many")
        verbose_name_plural = _("deeds for many")
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(n_done__lte=models.F("n_total")), name="bulk_deed_no_more_than_chosen"
            ),
        ]
        indexes = [models.Index(fields=["tenant", "-created_at", "-id"], name="bulk_deed_list")]

    def __str__(self):
        return f"{self.words} ({self.n_total})"

    @property
    def kind(self):
        return hooks.bulk_deeds[self.deed]

    @property
    def words(self):
        """What is done, for people."""
        if self.kind.tell is None or not self.choice:
            return str(self.kind.label)
        return str(self.kind.tell(self.choice))

    @property
    def lacks_choice(self):
        """Whether something must be chosen yet before it can be looked at."""
        return self.kind.clean_choice is not None and not self.choice

    @property
    def customer_ids(self):
        """Whom it is about, in order."""
        packed = bytes(self.ids)
        return [uuid.UUID(bytes=packed[at : at + 16]) for at in range(0, len(packed), 16)]

    @property
    def is_moving(self):
        return self.state in (self.State.WAITING, self.State.RUNNING)
