"""Deeds of people who have not proved who they are.

Every one of them answers alike whether or not the named person is a customer: what can be told
apart is told to nobody. Tries and messages are therefore counted by what the caller typed, before
anything is looked up.
"""

from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from customers.models import ActivationCode, Customer
from customers.search import with_contact
from customers.services.codes import DAY, WrongCode
from customers.services.lifecycle import ACTIVATION_BY, activate_by_code, self_register_customer
from customers.services.messaging import find_newcomers, queue_for_stranger
from customers.services.passwords import counted_login
from events.messages.limits import MESSAGES_PER_TARGET_AND_DAY
from tenancy.scoping import current_tenant
from tenancy.services import SignInRefused, count_or_refuse
from tenancy.services.counting import give_back
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
    count_registration(address)
    try:
        self_register_customer(password=password, **profile)
    except ValidationError as error:
        if not _only_taken(error):
            raise
    return current_tenant().setting("activation_method")


def count_registration(address):
    """Count a registration by a stranger: twenty an hour for a network address. Raises
    TooManyTries."""
    count_or_refuse(
        "register-address",
        f"{current_tenant().pk}:{address}",
        limit=REGISTRATIONS_PER_ADDRESS_AND_HOUR,
        seconds=HOUR,
    )


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
    count_message_of("resend", contact, address)
    purpose = ACTIVATION_BY.get(current_tenant().setting("activation_method"))
    if purpose is not None:
        queue_for_stranger(purpose, contact)


def request_reset(login, *, address):
    """Send a link for a new password, where such a customer exists. Raises TooManyTries beyond
    five a day for the same text."""
    count_message_of("reset", login, address)
    queue_for_stranger(ActivationCode.Purpose.RESET_PASSWORD, login)


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
    found = find_newcomers(login)
    if len(found) != 1:
        raise WrongCode
    customer = found[0]
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
    people = Customer.objects.identifiable()
    found = with_contact(people, contact, country=tenant.country)
    return 0 if found is None else found.count()


def refuse_sign_in(login, password, *, address, realm):
    """Do the work of a sign-in that cannot succeed: the business that was named is not there.

    Raises SignInRefused, or TooManyTries when a real one would.
    """
    count_sign_in(str(login or "").strip().lower()[:254], address, realm=realm)
    if isinstance(password, str) and len(password) <= LONGEST_PASSWORD:
        make_password(password)
    raise SignInRefused


def count_message_of(rule, contact, address):
    """Count a message that a stranger asks for: twenty an hour for a network address, five a day
    for the same text. Raises TooManyTries."""
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
