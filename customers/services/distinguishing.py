"""Remembering that two records that look alike are two people."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from customers.models import Customer, NotDuplicate, PossibleDuplicate
from customers.services.changes import CustomerGone
from customers.services.finding_duplicates import set_pair_state
from events.actors import current
from events.services import build_history, clean_reason

DEED, FORGOTTEN = "customer.not_duplicate", "customer.not_duplicate_forgotten"


def not_duplicates(one, other, *, reason=""):
    """Remember that these two (Customers or ids) are not the same person; returns the pair.

    Repeatable: the first to say so stays on record. It changes neither record; the history of both
    tells of it. Raises CustomerGone, and ValidationError naming `other` for one and the same
    customer.
    """
    first, second = _pair(one, other)
    who = current()
    with transaction.atomic():
        _hold(first, second)
        pair, is_new = NotDuplicate.objects.get_or_create(
            tenant=first.tenant,
            first=first,
            second=second,
            defaults={
                "actor_kind": who.actor.kind,
                "actor_id": who.actor.id,
                "actor_label": who.actor.label,
                "reason": clean_reason(reason or who.reason),
            },
        )
        set_pair_state(first.pk, second.pk, PossibleDuplicate.State.NOT_SAME)
        if is_new:
            _tell(first, second, DEED, reason)
    return pair


def forget_not_duplicates(one, other, *, reason=""):
    """Take it back: the two may be the same person after all; returns whether it was remembered."""
    first, second = _pair(one, other)
    with transaction.atomic():
        gone = NotDuplicate.objects.filter(first=first, second=second).delete()[0]
        if gone:
            set_pair_state(first.pk, second.pk, PossibleDuplicate.State.OPEN)
            _tell(first, second, FORGOTTEN, reason)
    return bool(gone)


def _pair(one, other):
    """The two customers, the lower id first."""
    ids = {getattr(customer, "pk", customer) for customer in (one, other)}
    if len(ids) < 2:
        same = ValidationError(_("This is the same customer."), code="same_customer")
        raise ValidationError({"other": same})
    found = list(Customer.objects.filter(pk__in=ids).select_related("tenant"))
    if len(found) < 2:
        raise CustomerGone
    return sorted(found, key=lambda customer: customer.pk)


def _hold(first, second):
    """Let no merge or deletion of the two come between; both in the order of their ids."""
    rows = Customer.objects.select_for_update(of=("self",)).filter(pk__in=[first.pk, second.pk])
    if len(rows.order_by("pk")) < 2:
        raise CustomerGone


def _tell(first, second, deed, reason):
    for one, other in ((first, second), (second, first)):
        build_history(
            one.tenant,
            "customer",
            one.pk,
            deed=deed,
            changes={"other": [None, str(other.pk)]},
            version=one.version,
            reason=reason,
        ).save(force_insert=True)
