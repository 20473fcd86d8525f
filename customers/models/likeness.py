"""Which records may be the same person, and the keys by which those are found."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.likeness import KEYS
from customers.models.customer import Customer
from tenancy.clock import now
from tenancy.models import TenantOwned
from tenancy.scoping import OwnedQuerySet, owned_manager


class LikenessKeys(TenantOwned):
    """The keys of one customer (customers.likeness.blocking), as of `version` and by `rules`.

    Numbers made of names, birth date, address and mailbox; nothing can be read from them, but they
    come from a person, and go with it.
    """

    customer = models.OneToOneField(
        Customer, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    version = models.PositiveIntegerField()
    rules = models.PositiveSmallIntegerField()
    names = models.BigIntegerField(null=True)
    birth_first = models.BigIntegerField(null=True)
    birth_last = models.BigIntegerField(null=True)
    place_first = models.BigIntegerField(null=True)
    place_last = models.BigIntegerField(null=True)
    door = models.BigIntegerField(null=True)
    birth = models.BigIntegerField(null=True)
    birth_place = models.BigIntegerField(null=True)
    mailbox = models.BigIntegerField(null=True)

    class Meta:
        verbose_name = _("keys of likeness")
        verbose_name_plural = _("keys of likeness")
        indexes = [
            models.Index(
                fields=["tenant", column],
                condition=models.Q(**{f"{column}__isnull": False}),
                name=f"likeness_{column}",
            )
            for column in KEYS
        ]

    def __str__(self):
        return str(self.pk)


class PossibleDuplicateQuerySet(OwnedQuerySet):
    def about(self, customer_id):
        """The pairs that this customer is one of."""
        return self.filter(models.Q(first=customer_id) | models.Q(second=customer_id))

    def to_decide(self):
        """What nobody has decided yet, the most alike first."""
        return self.filter(
            state=PossibleDuplicate.State.OPEN,
            first__merged_into=None,
            second__merged_into=None,
            first__anonymised_at=None,
            second__anonymised_at=None,
        ).order_by("-score", "id")


class PossibleDuplicate(TenantOwned):
    """Two records that are alike enough to be looked at; `first` has the lower id.

    `reasons` is a list of [field, level], the words of customers.likeness.scoring; it holds no
    value of either record.
    """

    class State(models.TextChoices):
        OPEN = "open", _("to be decided")
        NOT_SAME = "not_same", _("not the same")
        MERGED = "merged", _("merged")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    first = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+", db_index=False)
    second = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    score = models.SmallIntegerField(_("points"))
    reasons = models.JSONField(_("reasons"), default=list)
    state = models.CharField(
        _("state"), max_length=8, choices=State.choices, default=State.OPEN, editable=False
    )
    found_at = models.DateTimeField(_("found"), default=now, editable=False)

    objects = owned_manager(PossibleDuplicateQuerySet)

    class Meta:
        verbose_name = _("possible duplicate")
        verbose_name_plural = _("possible duplicates")
        ordering = ["-score", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "first", "second"], name="possible_duplicate_once"
            ),
            models.CheckConstraint(
                condition=models.Q(first__lt=models.F("second")),
                name="possible_duplicate_in_order",
            ),
        ]
        indexes = [
            models.Index(
                fields=["tenant", "state", "-score", "id"], name="possible_duplicate_queue"
            )
        ]

    def __str__(self):
        return str(self.id)
