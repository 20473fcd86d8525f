"""History rows, event rows and idempotency keys."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from events.kinds import READ
from tenancy.clock import now
from tenancy.models import TenantOwned
from tenancy.scoping import OwnedQuerySet, owned_manager

# What a history can be narrowed to.
SHOWN = (CHANGES, READS, EVERYTHING) = ("changes", "reads", "everything")


class HistoryQuerySet(OwnedQuerySet):
    def about(self, subject_type, subject_id):
        """The entries of one object, newest first."""
        return self.filter(subject_type=subject_type, subject_id=subject_id).order_by("-id")

    def about_any(self, subject_type, subject_ids):
        """The entries of several objects of one kind, newest first."""
        return self.filter(subject_type=subject_type, subject_id__in=subject_ids).order_by("-id")

    def shown(self, show):
        """The entries that one of SHOWN means: what was done, who looked, or both."""
        if show == READS:
            return self.filter(deed=READ)
        return self if show == EVERYTHING else self.exclude(deed=READ)


class HistoryEntry(TenantOwned):
    """One deed on one object: who, what, when, why, and each changed field's old and new value.

    `changes` maps a field to [old, new]. Erasure empties the values of personal fields and marks
    the row redacted; that the deed happened stays.
    """

    subject_type = models.CharField(_("object"), max_length=40)
    subject_id = models.UUIDField(_("object id"))
    at = models.DateTimeField(_("when"), default=now)
    actor_kind = models.CharField(_("who"), max_length=16)
    actor_id = models.UUIDField(null=True, blank=True)
    actor_label = models.CharField(_("who"), max_length=254, blank=True)
    deed = models.CharField(_("what"), max_length=64)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    request_id = models.CharField(_("request"), max_length=64, blank=True)
    version = models.PositiveIntegerField(_("version"), null=True)
    changes = models.JSONField(_("changes"), default=dict)
    redacted = models.BooleanField(_("emptied by erasure"), default=False)

    objects = owned_manager(HistoryQuerySet)

    class Meta:
        verbose_name = _("history entry")
        verbose_name_plural = _("history")
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["tenant", "subject_type", "subject_id", "-id"], name="history_subject"
            ),
            # Reads go after a while; where none are logged, this index is empty.
            models.Index(fields=["at"], condition=models.Q(deed=READ), name="history_reads"),
        ]

    def __str__(self):
        return f"{self.deed} {self.at:%Y-%m-%d %H:%M}"


class Event(TenantOwned):
    """What others may hear of: ids only, written in the transaction of the change.

    The change feed and webhooks read these rows; no personal data ever stands here. `position` is
    the event's place in the feed of its tenant, given after the commit (`events.feed`); until then
    it is empty and nobody hears of the event.
    """

    uid = models.UUIDField(default=uuid.uuid4, editable=False)
    kind = models.CharField(_("kind"), max_length=64)
    subject_type = models.CharField(_("object"), max_length=40)
    subject_id = models.UUIDField(_("object id"))
    version = models.PositiveIntegerField(_("version"), null=True)
    at = models.DateTimeField(_("when"), default=now)
    data = models.JSONField(_("ids"), default=dict, blank=True)
    position = models.BigIntegerField(_("place in the feed"), null=True, editable=False)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "position"], name="event_position_unique")
        ]
        indexes = [
            models.Index(fields=["tenant", "id"], name="event_feed"),
            models.Index(fields=["tenant", "subject_id"], name="event_subject"),
            # Almost always empty: whether there is something to number costs next to nothing.
            models.Index(
                fields=["tenant", "id"],
                condition=models.Q(position=None),
                name="event_without_position",
            ),
        ]

    def __str__(self):
        return f"{self.kind} {self.at:%Y-%m-%d %H:%M}"

    @property
    def customer_id(self):
        """The id of the one customer whom it concerns, as text, or None."""
        if self.subject_type == "customer":
            return str(self.subject_id)
        return self.data.get("customer")


class IdempotencyKey(TenantOwned):
    """A request that must not happen twice, and the answer it got.

    `owner` is the account behind the credential, so that a renewed token keeps its keys. The answer
    is stored in the transaction of the work; a row that is still running past its lease belongs to
    a process that died. Answers hold personal data: they expire, and erasure deletes them by
    `subject_id`.
    """

    owner = models.CharField(max_length=60)
    key = models.CharField(max_length=255)
    method = models.CharField(max_length=8)
    path = models.CharField(max_length=400)
    body_hash = models.CharField(max_length=64)
    lease_until = models.DateTimeField()
    lease = models.UUIDField(default=uuid.uuid4)
    done = models.BooleanField(default=False)
    status = models.PositiveSmallIntegerField(null=True)
    content_type = models.CharField(max_length=100, blank=True)
    body = models.TextField(blank=True)
    headers = models.JSONField(default=dict)
    subject_id = models.UUIDField(null=True)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "owner", "key"], name="idempotency_key_unique"
            )
        ]
        indexes = [models.Index(fields=["tenant", "subject_id"], name="idempotency_subject")]

    def __str__(self):
        return f"{self.method} {self.path}"
