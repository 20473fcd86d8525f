"""What people ask about their data, and what became of it."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from tenancy.clock import now
from tenancy.models import TenantOwned
from tenancy.scoping import OwnedQuerySet, owned_manager


class DataRequestQuerySet(OwnedQuerySet):
    def to_answer(self):
        """Those that nobody has answered yet, the most urgent first."""
        states = [DataRequest.State.OPEN, DataRequest.State.HELD]
        return self.filter(state__in=states).order_by("due_on", "id")

    def about(self, customer_ids):
        """Those about any of these records."""
        return self.filter(customer_id__in=list(customer_ids))

    def due_by(self, day):
        """Those that have to be answered by that day, or had to be."""
        return self.to_answer().filter(due_on__lte=day)


class DataRequest(TenantOwned):
    """A person asks for the data, for its erasure, or objects to its use (GDPR articles 12 to 22).

    It has to be answered within a month of `received_on` (`due_on`; article 12 allows two months
    more where the person is told why: `HELD`). It is the proof that it was answered, and so
    outlives the person's data: `customer_id` is no foreign key, and nothing but `note` may say
    anything about the person. `scan` is what a search for the old values found after an erasure.
    """

    class Kind(models.TextChoices):
        ACCESS = "access", _("Copy of the data")
        ERASE = "erase", _("Erasure")
        OBJECT = "object", _("Objection or restriction")

    class State(models.TextChoices):
        OPEN = "open", _("To be answered")
        HELD = "held", _("On hold")
        DONE = "done", _("Done")
        REFUSED = "refused", _("Refused")

    class Channel(models.TextChoices):
        IN_PERSON = "in_person", _("In person")
        EMAIL = "email", _("By e-mail")
        PHONE = "phone", _("By phone")
        LETTER = "letter", _("By letter")
        WEB = "web", _("On the website")

    class Identity(models.TextChoices):
        DOCUMENT = "document", _("An identity document was shown")
        SIGNED_IN = "signed_in", _("Asked while signed in")
        CONTACT = "contact", _("Answered from a known e-mail or phone")
        KNOWN = "known", _("Known to the staff in person")
        OTHER = "other", _("In another way, see the note")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer_id = models.UUIDField(_("customer"))
    kind = models.CharField(_("asked for"), max_length=8, choices=Kind.choices)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.OPEN)
    received_on = models.DateField(_("received"))
    channel = models.CharField(_("how"), max_length=10, choices=Channel.choices)
    due_on = models.DateField(_("due"))
    note = models.TextField(_("note"), max_length=2000, blank=True)
    identity = models.CharField(_("identity"), max_length=10, choices=Identity.choices, blank=True)
    identified_at = models.DateTimeField(_("identity checked"), null=True)
    identified_by = models.CharField(_("identity checked by"), max_length=254, blank=True)
    exported_at = models.DateTimeField(_("data handed out"), null=True)
    # Why it is on hold or refused, or what was done.
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    scan = models.JSONField(_("search afterwards"), null=True)
    created_at = models.DateTimeField(_("written down"), default=now, editable=False)
    created_by = models.CharField(_("written down by"), max_length=254, blank=True)
    closed_at = models.DateTimeField(_("answered"), null=True)
    closed_by = models.CharField(_("answered by"), max_length=254, blank=True)

    objects = owned_manager(DataRequestQuerySet)

    class Meta:
        verbose_name = _("data request")
        verbose_name_plural = _("data requests")
        ordering = ["due_on", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "customer_id", "kind"],
                condition=models.Q(state__in=["open", "held"]),
                name="data_request_open_once",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["open", "held"], closed_at=None)
                | models.Q(state__in=["done", "refused"], closed_at__isnull=False),
                name="data_request_closed_when_answered",
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "state", "due_on", "id"], name="data_request_due"),
            models.Index(fields=["tenant", "customer_id"], name="data_request_customer"),
        ]

    def __str__(self):
        return f"{self.get_kind_display()} {self.received_on:%Y-%m-%d}"

    @property
    def is_open(self):
        return self.state in (self.State.OPEN, self.State.HELD)
