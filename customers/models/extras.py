"""Labels, devices, the picture, and what is left of an erased customer."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models.contact import ChildOfCustomer
from customers.models.customer import Customer
from tenancy.clock import now
from tenancy.models import TenantOwned


class Label(ChildOfCustomer):
    """A key with a value that integrations hang on a customer."""

    FIELDS = ("key", "value")

    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="labels", db_index=False
    )
    key = models.CharField(_("key"), max_length=100)
    value = models.CharField(_("value"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("label")
        verbose_name_plural = _("labels")
        ordering = ["position", "id"]
        indexes = [
            models.Index(fields=["customer", "tenant"], name="label_of_customer"),
            models.Index(fields=["tenant", "key", "value"], name="label_key_value"),
        ]

    def __str__(self):
        return f"{self.key}:{self.value}"


class Device(TenantOwned):
    """A push token: a device that wants to be told."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="devices")
    token = models.CharField(_("push token"), max_length=500)
    created_at = models.DateTimeField(_("created"), default=now, editable=False)

    class Meta:
        verbose_name = _("device")
        verbose_name_plural = _("devices")
        ordering = ["created_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "customer", "token"], name="device_once")
        ]

    def __str__(self):
        return str(self.id)


class Avatar(TenantOwned):
    """The picture: always re-encoded by us from its pixels, under a name nobody can guess."""

    customer = models.OneToOneField(
        Customer, on_delete=models.CASCADE, primary_key=True, related_name="avatar"
    )
    file = models.FileField(upload_to="avatars/", max_length=200)
    original_name = models.CharField(max_length=255, blank=True)
    mime = models.CharField(max_length=40)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    created_at = models.DateTimeField(default=now, editable=False)

    def __str__(self):
        return str(self.pk)


class Tombstone(TenantOwned):
    """A customer who was deleted: the id, the time and who did it; nothing about the person."""

    id = models.UUIDField(primary_key=True, editable=False)  # the customer's
    deleted_at = models.DateTimeField(_("deleted"), default=now)
    actor_kind = models.CharField(_("who"), max_length=16)
    actor_id = models.UUIDField(null=True, blank=True)

    class Meta:
        verbose_name = _("deleted customer")
        verbose_name_plural = _("deleted customers")
        ordering = ["-deleted_at"]

    def __str__(self):
        return str(self.id)


class Erasure(TenantOwned):
    """An anonymisation or deletion: that it happened, and what of it is still to be finished.

    Written in the transaction of the deed. After the commit the erasure journal gets its line, the
    `files` go and `finished_at` is set; what fails meanwhile is tried again later. Holds
    nothing about the person but the id.

    Where somebody asked for the proof, `scan` tells what was found in the person's own rows right
    after the deed, and a job searches everything else for the old values. Until it has, they stand
    in `sealed`, which this installation alone can read; `search` is what it found.
    """

    class Search(models.TextChoices):
        NONE = "none", _("not ordered")
        WAITING = "waiting", _("waiting")
        DONE = "done", _("finished")
        GIVEN_UP = "given_up", _("given up")

    class Scope(models.TextChoices):
        ANONYMISE = "anonymise", _("Anonymised")
        DELETE = "delete", _("Deleted")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer_id = models.UUIDField(_("customer"))
    scope = models.CharField(_("what"), max_length=10, choices=Scope.choices)
    policy = models.PositiveSmallIntegerField(_("rules"))
    at = models.DateTimeField(_("when"), default=now)
    files = models.JSONField(_("files to remove"), default=list)
    journaled_at = models.DateTimeField(_("in the journal"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    scan = models.JSONField(_("search of the own rows"), null=True)
    search_state = models.CharField(
        _("search elsewhere"), max_length=8, choices=Search.choices, default=Search.NONE
    )
    search = models.JSONField(_("found elsewhere"), null=True)
    searched_at = models.DateTimeField(_("searched elsewhere"), null=True)
    sealed = models.BinaryField(null=True)

    class Meta:
        verbose_name = _("erasure")
        verbose_name_plural = _("erasures")
        ordering = ["-at"]
        indexes = [
            models.Index(
                fields=["tenant", "at"],
                condition=models.Q(finished_at=None),
                name="erasure_unfinished",
            ),
            models.Index(
                fields=["tenant", "at"],
                condition=models.Q(search_state="waiting"),
                name="erasure_to_search",
            ),
            models.Index(fields=["tenant", "customer_id"], name="erasure_customer"),
        ]

    def __str__(self):
        return f"{self.scope} {self.customer_id}"
