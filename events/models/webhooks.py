"""Who is told of events over HTTP, and what became of telling them."""

import uuid
from urllib.parse import urlsplit

from django.db import models
from django.db.models import Exists, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from events.models.feed import Feed
from events.models.records import Event
from tenancy.clock import now
from tenancy.models import TenantOwned
from tenancy.scoping import OwnedQuerySet, owned_manager


class DeliveryState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    DELIVERED = "delivered", _("Delivered")
    FAILED = "failed", _("Given up")


WAITING = Q(state=DeliveryState.WAITING)


class EndpointQuerySet(OwnedQuerySet):
    def active(self):
        return self.filter(active=True, tenant__active=True)

    def with_work(self, instant):
        """Active ones that have events to look at, or deliveries whose time has come."""
        reached = Feed.objects.filter(tenant=OuterRef("tenant")).values("last_position")[:1]
        due = WebhookDelivery.objects.due(instant).filter(endpoint=OuterRef("pk"))
        return self.active().filter(Q(position__lt=Subquery(reached)) | Exists(due))

    def with_waiting(self):
        """Annotated with `n_waiting`: deliveries that are still to be made."""
        waiting = WebhookDelivery.objects.filter(WAITING, endpoint=OuterRef("pk"))
        counted = waiting.order_by().values("endpoint").annotate(n=models.Count("pk")).values("n")
        return self.annotate(n_waiting=Coalesce(Subquery(counted), 0))


class WebhookEndpoint(TenantOwned):
    """An address of another system that is told of events.

    `events` are patterns of kinds. `position` is the place in the change feed up to which
    deliveries have been made out of it. The secret is stored nowhere: it is derived from a salt and
    the numbered pepper, so that a copy of the database cannot sign; the `previous_…` ones sign as
    well until `previous_until`. Whoever sends holds the row as `sender` until `sender_until`.
    """

    class Disabled(models.TextChoices):
        FAILING = "failing", _("nothing got through any more")
        GONE = "gone", _("the receiver asked for no more (410)")

    FIELDS = ("url", "description", "events", "active")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    url = models.CharField(_("address"), max_length=2000)
    description = models.CharField(_("description"), max_length=200, blank=True)
    events = models.JSONField(_("events"), default=list)
    active = models.BooleanField(_("active"), default=True)
    position = models.BigIntegerField(default=0, editable=False)
    salt = models.CharField(max_length=64, editable=False)
    pepper = models.PositiveIntegerField(editable=False)
    previous_salt = models.CharField(max_length=64, blank=True, editable=False)
    previous_pepper = models.PositiveIntegerField(null=True, editable=False)
    previous_until = models.DateTimeField(_("old secret works until"), null=True, editable=False)
    created_at = models.DateTimeField(_("created"), default=now, editable=False)
    updated_at = models.DateTimeField(_("changed"), default=now, editable=False)
    sender = models.UUIDField(null=True, editable=False)
    sender_until = models.DateTimeField(null=True, editable=False)
    last_success_at = models.DateTimeField(_("last success"), null=True, editable=False)
    failing_since = models.DateTimeField(_("failing since"), null=True, editable=False)
    disabled_at = models.DateTimeField(_("switched off"), null=True, editable=False)
    disabled_reason = models.CharField(
        _("why"), max_length=7, blank=True, choices=Disabled.choices, editable=False
    )

    objects = owned_manager(EndpointQuerySet)

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering = ["created_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(disabled_reason__in=["", "failing", "gone"]),
                name="webhook_disabled_reason_is_known",
            ),
            models.CheckConstraint(
                condition=Q(active=False) | Q(disabled_at=None), name="webhook_active_or_disabled"
            ),
        ]
        indexes = [models.Index(fields=["tenant", "created_at"], name="webhook_list")]

    def __str__(self):
        return self.description or self.host

    @property
    def host(self):
        """The server alone: the rest of an address may be a password."""
        return urlsplit(self.url).hostname

    @property
    def health(self):
        """One word: disabled (by itself), paused (by staff), failing, working or new."""
        if not self.active:
            return "disabled" if self.disabled_at else "paused"
        if self.failing_since:
            return "failing"
        return "working" if self.last_success_at else "new"


class DeliveryQuerySet(OwnedQuerySet):
    def waiting(self):
        return self.filter(WAITING)

    def due(self, instant):
        """Those whose time has come, in the order of the feed. A test is not among them."""
        return self.filter(WAITING, next_at__lte=instant, position__gt=0).order_by("position")


class WebhookDelivery(TenantOwned):
    """One event on its way to one endpoint, and how the last try went.

    What is sent is made anew from the event at each try; of the answer only the status is kept. A
    test has no event. `position` is the event's place in the feed, 0 for a test.
    """

    State = DeliveryState

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # The indexes below lead to an endpoint's deliveries; one more would cost at every write.
    endpoint = models.ForeignKey(
        WebhookEndpoint,
        on_delete=models.CASCADE,
        related_name="deliveries",
        db_index=False,
        verbose_name=_("webhook"),
    )
    event = models.ForeignKey(
        Event, on_delete=models.CASCADE, null=True, related_name="+", verbose_name=_("event")
    )
    kind = models.CharField(_("event"), max_length=64)
    position = models.BigIntegerField(default=0)
    state = models.CharField(_("state"), max_length=9, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveIntegerField(_("tries"), default=0)
    next_at = models.DateTimeField(_("next try"), default=now)
    tried_at = models.DateTimeField(_("last try"), null=True)
    last_status = models.PositiveIntegerField(_("status"), null=True)
    last_error = models.CharField(_("error"), max_length=20, blank=True)
    last_milliseconds = models.PositiveIntegerField(_("took (ms)"), null=True)
    created_at = models.DateTimeField(_("created"), default=now)

    objects = owned_manager(DeliveryQuerySet)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "endpoint", "event"],
                condition=Q(event__isnull=False),
                name="delivery_once_per_event",
            ),
            models.CheckConstraint(
                condition=Q(state__in=DeliveryState.values), name="delivery_state_is_known"
            ),
        ]
        indexes = [
            models.Index(fields=["endpoint", "position"], condition=WAITING, name="delivery_due"),
            models.Index(fields=["tenant", "endpoint", "-created_at"], name="delivery_log"),
            models.Index(fields=["tenant", "-created_at"], name="delivery_log_of_all"),
        ]

    def __str__(self):
        return self.kind

    @property
    def message_id(self):
        """The same for every try: what a receiver recognises a repetition by."""
        return self.event.uid if self.event_id else self.pk
