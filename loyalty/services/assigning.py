"""Levels given and taken back by hand."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from loyalty.services.accounts import open_account
from loyalty.services.choosing import reached_level
from loyalty.services.moving import counted_amount, move


def assign_level(customer, level, *, reason=""):
    """Put a customer on a level by hand; it is a floor as long as the customer stands on it.

    `level` is a Level of the tenant, active or not. Returns the account.
    """
    with open_account(customer) as change:
        change.reason = reason
        move(change, level, manual=level)
    return change.account


def remove_manual_level(customer, *, by_active_points=False, reason=""):
    """Take the assigned level back: the customer goes to the level that was collected.

    `by_active_points` counts the points that can be spent, whatever the programme counts (what
    clients of one wire format rely on). Raises ValidationError, code "not_manual", where no level
    is assigned. Returns the account.
    """
    with open_account(customer) as change:
        if change.account.manual_level is None:
            raise ValidationError(_("No level is assigned by hand."), code="not_manual")
        change.reason = reason
        amount = change.account.points if by_active_points else counted_amount(change)
        move(change, reached_level(change.levels, amount))
        change.look_at_level = False
    return change.account
