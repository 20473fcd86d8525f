"""Messages to people, and the texts a tenant has written for them."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from tenancy.clock import now
from tenancy.models import TenantOwned
from tenancy.scoping import OwnedQuerySet, owned_manager


class MessageState(models.TextChoices):
    QUEUED = "queued", _("Queued")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Failed")
    SUPPRESSED = "suppressed", _("Not sent")


class MessageChannel(models.TextChoices):
    EMAIL = "email", _("E-mail")
    SMS = "sms", _("SMS")


class MessageQuerySet(OwnedQuerySet):
    def queued(self):
        """Those whose turn is still to come."""
        return self.filter(state=MessageState.QUEUED)

    def holding_details(self):
        """Those that still hold an address, words, or the seed of a secret."""
        return self.exclude(seed="")


class Message(TenantOwned):
    """One mail or SMS to a person, from the wish to its end.

    Its text is never stored: it is put together when it is sent, from the tenant's wording, `words`
    and, where it carries a secret, a code that is derived from `seed` and the pepper. `to`, `words`
    and `seed` are blanked when the message is sent or suppressed, or has expired. Before its turn
    `to` may be what a stranger typed, and `customer_id` empty: whose it is is looked up by the job,
    so that asking takes the same time for everybody.
    """

    State = MessageState
    Channel = MessageChannel

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer_id = models.UUIDField(_("customer"), null=True)
    purpose = models.CharField(_("purpose"), max_length=40)
    channel = models.CharField(_("way"), max_length=8, choices=Channel.choices)
    language = models.CharField(_("language"), max_length=35, blank=True)
    to = models.CharField(_("to"), max_length=254, blank=True)
    words = models.JSONField(_("words"), default=dict)
    seed = models.CharField(max_length=64, blank=True)
    secret_made = models.BooleanField(default=False)
    counted = models.BooleanField(default=False)
    sample = models.BooleanField(_("a test"), default=False)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.QUEUED)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    reason = models.CharField(_("reason"), max_length=40, blank=True)
    provider_id = models.CharField(_("number at the provider"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("asked for"), default=now)
    expires_at = models.DateTimeField(_("useless after"))
    sent_at = models.DateTimeField(_("sent"), null=True)

    objects = owned_manager(MessageQuerySet)

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=MessageState.values), name="message_state_is_known"
            ),
            models.CheckConstraint(
                condition=Q(channel__in=MessageChannel.values), name="message_channel_is_known"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=(MessageState.SENT, MessageState.SUPPRESSED))
                | Q(to="", seed=""),
                name="message_done_is_blank",
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "-created_at", "-id"], name="message_list"),
            models.Index(fields=["tenant", "customer_id", "-created_at"], name="message_customer"),
            models.Index(
                fields=["expires_at"], condition=~Q(seed=""), name="message_holding_details"
            ),
        ]

    def __str__(self):
        return f"{self.purpose} {self.created_at:%Y-%m-%d %H:%M}"


class MessageText(TenantOwned):
    """A tenant's own wording of one kind of message, in one language and for one way.

    Where a tenant has none, ours is sent.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    purpose = models.CharField(_("purpose"), max_length=40)
    channel = models.CharField(_("way"), max_length=8, choices=MessageChannel.choices)
    language = models.CharField(_("language"), max_length=35)
    subject = models.CharField(_("subject"), max_length=200, blank=True)
    text = models.TextField(_("text"), max_length=5_000)
    updated_at = models.DateTimeField(_("changed"), default=now)

    class Meta:
        verbose_name = _("message text")
        verbose_name_plural = _("message texts")
        ordering = ["purpose", "channel", "language"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "purpose", "channel", "language"], name="message_text_unique"
            ),
            models.CheckConstraint(
                condition=Q(channel__in=MessageChannel.values),
                name="message_text_channel_is_known",
            ),
        ]

    def __str__(self):
        return f"{self.purpose} {self.channel} {self.language}"
