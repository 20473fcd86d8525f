"""Deeds of people who have not proved who they are.

Every one of them answers alike whether or not the named person is a customer: what can be told
apart is told to nobody. Tries and messages are therefore counted by what the caller typed, before
anything is looked up.
"""

from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from customers.search import with_contact
from customers.services.codes import DAY, MESSAGES_PER_TARGET_AND_DAY, WrongCode
from customers.services.lifecycle import (
    activate_by_code,
    request_password_reset,
    self_register_customer,
    send_activation,
)
from customers.services.passwords import counted_login, find_by_login
from tenancy.scoping import current_tenant
from tenancy.services import SignInRefused, count_or_refuse
from tenancy.services.counting import TooManyTries, give_back
from tenancy.services.signing_in import LONGEST_PASSWORD, count_sign_in

HOUR = 3600
REGISTRATIONS_PER_ADDRESS_AND_HOUR = 20
MESSAGES_PER_ADDRESS_AND_HOUR = 20
NAMED_GUESSES_PER_ADDRESS_AND_HOUR = 30
NAMED_GUESSES_PER_TENANT_AND_DAY = 1_000
CHECKS_PER_ADDRESS_AND_MINUTE = 10
LOGINS = {"login_email", "login_phone"}


def register_stranger(*, address, password, **profile):
    """Register the person who asks; returns how the contact point will be proven (the tenant's
    `activation_method`).

    A sign-in that is somebody's already is answered like a new one, and nothing happens: whoever
    owns it can sign in or ask for a new password. Raises ValidationError by field for everything
    else that is wrong, code "closed" where the tenant does not allow it, TooManyTries.
    """
    tenant = current_tenant()
    count_or_refuse(
        "register-address",
        f"{tenant.pk}:{address}",
        limit=REGISTRATIONS_PER_ADDRESS_AND_HOUR,
        seconds=HOUR,
    )
    try:
        self_register_customer(password=password, **profile)
    except ValidationError as error:
        if not _only_taken(error):
            raise
    except TooManyTries:
        pass  # registered; too many messages went to this contact point today
    return tenant.setting("activation_method")


def _only_taken(error):
    by_field = getattr(error, "error_dict", {})
    return (
        bool(by_field)
        and set(by_field) <= LOGINS
        and all(inner.code == "unique" for errors in by_field.values() for inner in errors)
    )


def resend_activation(contact, *, address):
    """Send the activation link or code again to the new customer with this sign-in, e-mail or
    phone, where there is one. Raises TooManyTries beyond five a day for the same text."""
    _count_message("resend", contact, address)
    customer = _new_customer(contact)
    if customer is None:
        return
    try:
        send_activation(customer)
    except (ValidationError, TooManyTries):
        return  # nothing to send to, or enough was sent: the caller must not see the difference


def request_reset(login, *, address):
    """Send a link for a new password, where such a customer exists. Raises TooManyTries beyond
    five a day for the same text."""
    _count_message("reset", login, address)
    try:
        request_password_reset(login)
    except TooManyTries:
        return


def activate_by_named_code(login, code, *, address):
    """Activate the new customer with this sign-in, e-mail or phone by the six digits of an SMS.

    Five tries per code; and because a stranger can try one guess at each of many customers, thirty
    wrong ones an hour per address and a thousand a day in the tenant. Raises WrongCode or
    TooManyTries.
    """
    tenant = current_tenant()
    rules = (
        (
            "named-guess-address",
            f"{tenant.pk}:{address}",
            NAMED_GUESSES_PER_ADDRESS_AND_HOUR,
            HOUR,
        ),
        ("named-guess-tenant", tenant.pk, NAMED_GUESSES_PER_TENANT_AND_DAY, DAY),
    )
    for rule, subject, limit, seconds in rules:
        count_or_refuse(rule, subject, limit=limit, seconds=seconds)
    customer = _new_customer(login)
    if customer is None:
        raise WrongCode
    activate_by_code(code, address=address, customer=customer)
    for rule, subject, _limit, _seconds in rules:
        give_back(rule, subject)
    return customer


def count_customers_with(contact, *, address):
    """How many customers have this e-mail or phone, for a caller without a credential.

    Raises ValidationError (code "closed") unless the tenant allows it; TooManyTries beyond ten a
    minute per address.
    """
    tenant = current_tenant()
    if not tenant.setting("allow_anonymous_check"):
        raise ValidationError(_("This business does not answer that."), code="closed")
    count_or_refuse(
        "check-address",
        f"{tenant.pk}:{address}",
        limit=CHECKS_PER_ADDRESS_AND_MINUTE,
        seconds=60,
    )
    found = _with_contact(contact)
    return 0 if found is None else found.count()


def refuse_sign_in(login, password, *, address, realm):
    """Do the work of a sign-in that cannot succeed: the business that was named is not there.

    Raises SignInRefused, or TooManyTries when a real one would.
    """
    count_sign_in(str(login or "").strip().lower()[:254], address, realm=realm)
    if isinstance(password, str) and len(password) <= LONGEST_PASSWORD:
        make_password(password)
    raise SignInRefused


def _count_message(rule, contact, address):
    tenant = current_tenant()
    count_or_refuse(
        "message-address",
        f"{tenant.pk}:{address}",
        limit=MESSAGES_PER_ADDRESS_AND_HOUR,
        seconds=HOUR,
    )
    count_or_refuse(
        rule,
        f"{tenant.pk}:{counted_login(contact)}",
        limit=MESSAGES_PER_TARGET_AND_DAY,
        seconds=DAY,
    )


def _new_customer(contact):
    """The customer who waits for activation and signs in, or is reached, by this text.

    Contact points may repeat: where several new customers share one, none is meant.
    """
    customer = find_by_login(contact)
    if customer is None:
        waiting = _with_contact(contact)
        found = [] if waiting is None else list(waiting.filter(status=Customer.Status.NEW)[:2])
        customer = found[0] if len(found) == 1 else None
    if customer is None or customer.status != Customer.Status.NEW:
        return None
    return customer


def _with_contact(contact):
    country = current_tenant().country
    return with_contact(Customer.objects.identifiable(), contact, country=country)
