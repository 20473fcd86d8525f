"""Deeds of strangers on a wire that promises them a telling answer.

What `strangers` answers alike is told here: whether a sign-in is taken, whether there is such a
customer. Thirty such answers an hour for a network address and a thousand a day in the tenant;
beyond them, and where the tenant's `uniform_answers` says so, the answer is the one for success.
"""

import uuid
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from customers.models import ActivationCode, Customer
from customers.services.lifecycle import self_register_customer, send_activation
from customers.services.messaging import (
    contact_of,
    find_newcomers,
    queue_for_stranger,
    send_code,
)
from customers.services.passwords import find_by_login
from customers.services.strangers import LOGINS, count_message_of, count_registration
from events.messages import SMS
from events.models import Message
from tenancy import clock
from tenancy.scoping import current_tenant
from tenancy.services.counting import TooManyTries, count_or_refuse

Purpose = ActivationCode.Purpose
HOUR, DAY = 3600, 24 * 3600
TOLD_PER_ADDRESS_AND_HOUR = 30
TOLD_PER_TENANT_AND_DAY = 1_000
# For how long one code, and one link for a new password, must do.
CODE_REST = timedelta(minutes=2)
LINK_REST = timedelta(hours=24)


def register_telling(*, address, password, **profile):
    """Register the person who asks; returns (customer id, sign-in e-mail).

    As `strangers.register_stranger`, but what is taken is told: ValidationError, code "unique". An
    answer that must not tell names the id of nobody.
    """
    count_registration(address)
    try:
        customer = self_register_customer(password=password, **profile)
    except ValidationError as error:
        taken = _taken_logins(error)
        if not taken or _may_tell(address):
            raise
        others = {name: errors for name, errors in error.error_dict.items() if name not in taken}
        if others:
            raise ValidationError(others) from None
        return uuid.uuid4(), (profile.get("login_email") or "").lower() or None
    return customer.pk, customer.login_email


def _taken_logins(error):
    """The sign-ins of which a refusal says that they are somebody's."""
    by_field = getattr(error, "error_dict", {})
    return {
        name
        for name in LOGINS & set(by_field)
        if any(inner.code == "unique" for inner in by_field[name])
    }


def send_code_telling(phone, *, address):
    """Send the SMS code again to the new customer with this phone.

    Raises ValidationError, code "not_sent", where there is no such one, or the last code is younger
    than two minutes; TooManyTries beyond five a day for the same text.
    """
    not_sent = ValidationError(_("No code was sent."), code="not_sent")
    if not str(phone or "").strip():
        raise not_sent
    count_message_of("resend", phone, address)
    if current_tenant().setting("uniform_answers"):
        queue_for_stranger(Purpose.ACTIVATE_SMS, phone)
        return
    found = find_newcomers(phone)
    if len(found) == 1 and not _asked_within(CODE_REST, found[0], Purpose.ACTIVATE_SMS):
        try:
            send_activation(found[0], method=SMS, counted=False)
        except ValidationError:
            pass  # it has no number that an SMS could reach
        else:
            return
    if _may_tell(address):
        raise not_sent


def request_reset_telling(login, *, address):
    """Send a link for a new password to the customer who signs in with `login`.

    Raises ValidationError: code "unknown" where there is no such one, or nowhere to write to;
    "asked" where a link was asked for within 24 hours. TooManyTries beyond five a day for the same
    text.
    """
    count_message_of("reset", login, address)
    if current_tenant().setting("uniform_answers"):
        queue_for_stranger(Purpose.RESET_PASSWORD, login)
        return
    customer = find_by_login(login)
    try:
        if customer is None or customer.status != Customer.Status.ACTIVE:
            raise ValidationError(_("There is no such customer."), code="unknown")
        target = contact_of(customer, "email")
    except ValidationError as refusal:
        _tell(address, ValidationError(refusal.messages[0], code="unknown"))
        return
    if _asked_within(LINK_REST, customer, Purpose.RESET_PASSWORD):
        _tell(address, ValidationError(_("A link was asked for already."), code="asked"))
        return
    send_code(customer, Purpose.RESET_PASSWORD, target=target, counted=False)


def _asked_within(time, customer, purpose):
    messages = Message.objects.filter(customer_id=customer.pk, purpose=purpose)
    alive = (Message.State.QUEUED, Message.State.SENT)
    return messages.filter(created_at__gt=clock.now() - time, state__in=alive).exists()


def _tell(address, refusal):
    if _may_tell(address):
        raise refusal


def _may_tell(address):
    tenant = current_tenant()
    if tenant.setting("uniform_answers"):
        return False
    try:
        count_or_refuse(
            "told-address", f"{tenant.pk}:{address}", limit=TOLD_PER_ADDRESS_AND_HOUR, seconds=HOUR
        )
        count_or_refuse("told-tenant", tenant.pk, limit=TOLD_PER_TENANT_AND_DAY, seconds=DAY)
    except TooManyTries:
        return False
    return True
