"""What a message to a customer needs: asked for in a request, found and made when its turn comes.

Who asks without a credential gets the same work for a known and an unknown sign-in: what was typed
is queued, and the worker looks whose it is.
"""

from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

import normalise
from customers.models import ActivationCode, Customer
from customers.search import with_contact
from customers.services.changes import CustomerGone
from customers.services.codes import CODE_LIFE, LINK_LIFE, store_code
from customers.services.passwords import counted_login, find_by_login, set_temporary_password
from events.messages import (
    EMAIL,
    SMS,
    Recipient,
    Suppressed,
    address_message,
    count_message,
    queue_message,
)
from events.models import Message
from tenancy import secrets
from tenancy.scoping import current_tenant

Purpose = ActivationCode.Purpose
Status = Customer.Status
CHANNEL_OF = {
    Purpose.ACTIVATE_EMAIL: EMAIL,
    Purpose.ACTIVATE_SMS: SMS,
    Purpose.CHANGE_EMAIL: EMAIL,
    Purpose.CHANGE_PHONE: SMS,
    Purpose.RESET_PASSWORD: EMAIL,
}
TEMPORARY_PASSWORD = "temporary_password"
FIRST_PASSWORD = "first_password"
# Whose recipient is looked for by what was typed.
ASKED_BY_STRANGERS = (Purpose.ACTIVATE_EMAIL, Purpose.ACTIVATE_SMS, Purpose.RESET_PASSWORD)
# The page that a link opens, below the base URL: <page>/<tenant>/<token>.
PAGES = {Purpose.ACTIVATE_EMAIL: "activate", Purpose.RESET_PASSWORD: "new-password"}


# --- Asking --------------------------------------------------------------------------------------
def send_code(customer, purpose, *, target, counted=True):
    """Queue a code or link for `customer` to `target`; it replaces the one before when it is sent.

    Raises TooManyTries beyond five messages a day to one target, or the tenant's daily number of
    SMS; ValidationError for a country that SMS do not go to, and for a customer who was anonymised
    or deleted meanwhile. Call it outside a transaction: the count must stay. Without `counted` it
    is counted when its turn comes, and can be queued in the transaction of a registration.
    """
    return _queue(customer, purpose.value, CHANNEL_OF[purpose], target, counted)


def send_temporary_password(customer, *, method=None):
    """Queue a password that we make up, by "email" or "sms": by the tenant's way to activate unless
    named, else by what there is. The customer has it from when it is sent on, and is asked for an
    own one when signing in. Returns the method.

    Raises ValidationError for a customer who is not active or has no such contact point, and what
    `send_code` raises. Call it outside a transaction.
    """
    if method not in (None, EMAIL, SMS):
        raise ValidationError({"method": ValidationError(_("Use email or sms."), code="invalid")})
    if customer.anonymised_at or customer.status != Status.ACTIVE:
        raise ValidationError(_("Only an active customer can sign in."), code="not_active")
    method, target = _way_to(customer, method)
    _queue(customer, TEMPORARY_PASSWORD, method, target, counted=True)
    return method


def send_first_password(customer):
    """Queue a password that we make up for a customer who was registered without one; when its turn
    comes it is sent unless there is one by then. Nothing is queued for whom nothing reaches.

    Counted when its turn comes: it can be queued in the transaction of a registration.
    """
    if customer.status != Status.ACTIVE or customer.password:
        return
    try:
        method, target = _way_to(customer, None)
    except ValidationError:
        return
    _queue(customer, FIRST_PASSWORD, method, target, counted=False)


def _way_to(customer, method):
    if method:
        return method, contact_of(customer, method)
    usual = SMS if customer.tenant.setting("activation_method") == "sms" else EMAIL
    try:
        return usual, contact_of(customer, usual)
    except ValidationError:
        other = EMAIL if usual == SMS else SMS
        return other, contact_of(customer, other)


def _queue(customer, purpose, channel, target, counted):
    if counted:
        count_message(customer.tenant, channel=channel, to=target, limited=True)
    with transaction.atomic():
        # The lock makes an erasure that is under way come first: no target is stored after it.
        if _locked(customer.pk) is None:
            raise ValidationError(_("This customer was anonymised."), code="anonymised")
        return queue_message(
            customer.tenant,
            purpose,
            channel=channel,
            to=target,
            language=customer.language,
            customer_id=customer.pk,
            counted=counted,
        )


def queue_for_stranger(purpose, typed):
    """Queue a code or link for whoever `typed` turns out to mean. Always the same work."""
    tenant = current_tenant()
    to = str(typed or "").replace("\0", "").strip()[:254]
    return queue_message(tenant, purpose.value, channel=CHANNEL_OF[purpose], to=to)


def contact_of(customer, channel):
    """The e-mail address or E.164 number that a customer is written to: the sign-in, else the
    primary one. Raises ValidationError (no_target)."""
    if channel == EMAIL:
        email = customer.emails.order_by("-primary", "position").first()
        address = customer.login_email or (email.address if email else "")
        if not address:
            raise ValidationError(_("There is no e-mail to send to."), code="no_target")
        return address
    phones = [phone for phone in customer.phones.all() if phone.e164]
    if customer.login_phone:
        phones.sort(key=lambda phone: phone.digits != customer.login_phone_key)
    if not phones:
        raise ValidationError(_("There is no phone number to send to."), code="no_target")
    return phones[0].e164


def find_newcomers(contact):
    """The customers who wait for activation and sign in, or are reached, by this text."""
    customer = find_by_login(contact)
    if customer is not None:
        return [customer] if customer.status == Status.NEW else []
    people = Customer.objects.identifiable()
    waiting = with_contact(people, contact, country=current_tenant().country)
    return [] if waiting is None else list(waiting.filter(status=Status.NEW)[:2])


# --- When its turn has come: whom it is for ------------------------------------------------------
def find_newcomer(message):
    """The Recipient of an activation. Contact points may repeat between customers: where several
    new ones share what a stranger typed, none is meant."""
    if message.customer_id:
        return _recipient(message, _customer_of(message))
    found = find_newcomers(message.to)
    if len(found) != 1:
        raise Suppressed("nobody")
    return _recipient(message, found[0], typed=True)


def find_forgetful_customer(message):
    """The Recipient of a link for a new password."""
    if message.customer_id:
        return _recipient(message, _customer_of(message))
    customer = find_by_login(message.to)
    if customer is None or customer.status != Status.ACTIVE:
        raise Suppressed("nobody")
    return _recipient(message, customer, typed=True)


def find_known_customer(message):
    """The Recipient of what only a named customer gets: the proof of a new sign-in, a password."""
    return _recipient(message, _customer_of(message))


def _customer_of(message):
    customer = Customer.objects.identifiable().filter(pk=message.customer_id).first()
    if customer is None:
        raise Suppressed("erased")
    return customer


def _recipient(message, customer, *, typed=False):
    _insist_on_status(message, customer)
    to = "" if typed else message.to
    if not to:
        try:
            to = contact_of(customer, message.channel)
        except ValidationError as error:
            raise Suppressed("no_target") from error
    _refuse_replaced(message, customer)
    return Recipient(to, customer.pk, customer.language)


def _insist_on_status(message, customer):
    activates = message.purpose in (Purpose.ACTIVATE_EMAIL, Purpose.ACTIVATE_SMS)
    if customer.status != (Status.NEW if activates else Status.ACTIVE):
        raise Suppressed("not_new" if activates else "not_active")


def _refuse_replaced(message, customer):
    """Whoever asked twice wants the newer one, whichever worker is faster."""
    newer = Message.objects.filter(
        customer_id=customer.pk,
        purpose=message.purpose,
        created_at__gt=message.created_at,
        state__in=(Message.State.QUEUED, Message.State.SENT),
    )
    if newer.exists():
        raise Suppressed("replaced")


# --- What it says --------------------------------------------------------------------------------
def make_link(message, recipient):
    """The words of a mail with a link; the link works from now on."""
    token = _make_secret(message, recipient)
    page = f"{settings.BASE_URL}/{PAGES[message.purpose]}/{message.tenant.code}"
    hours = int(LINK_LIFE / timedelta(hours=1))
    return {"link": f"{page}/{token}", "hours": hours}


def make_code(message, recipient):
    """The words of a message with a code; the code works from now on."""
    code = _make_secret(message, recipient)
    minutes = int(CODE_LIFE / timedelta(minutes=1))
    return {"code": code, "minutes": minutes}


def make_first_password(message, recipient):
    """The same for a customer who has none yet. Raises Suppressed (has_password) where there is one
    by now."""
    return make_password(message, recipient, first=True)


def make_password(message, recipient, *, first=False):
    """The words of a message with a password that we make up; it works from now on.

    A further try of the same message changes nothing but says the same again, unless the customer
    has chosen an own one meanwhile.
    """
    password = secrets.derived_password(f"{message.seed}:{message.pk}")
    customer = Customer.objects.identifiable().filter(pk=recipient.customer_id).first()
    if customer is None:
        raise Suppressed("erased")
    if message.secret_made:
        if not customer.password_temporary:
            raise Suppressed("has_password")
        return {"password": password}
    with transaction.atomic():
        if first and getattr(_locked(customer.pk), "password", ""):
            raise Suppressed("has_password")
        try:
            set_temporary_password(customer, password)
        except (CustomerGone, ValidationError) as error:
            raise Suppressed("erased") from error
        Message.objects.filter(pk=message.pk).update(secret_made=True)
        address_message(message, recipient)
    return {"password": password}


def _make_secret(message, recipient):
    with transaction.atomic():
        customer = _locked(recipient.customer_id)
        if customer is None:
            raise Suppressed("erased")
        _insist_on_status(message, customer)
        secret = store_code(message, customer, target=recipient.to)
        address_message(message, recipient)
    return secret


def _locked(customer_id):
    people = Customer.objects.identifiable().select_for_update(of=("self",))
    return people.filter(pk=customer_id).first()


# --- Erasing -------------------------------------------------------------------------------------
def forget_typed(customers):
    """Remove messages on their way to whoever typed a sign-in or contact point of these customers,
    who are being erased; what names them by id the registry of personal data removes."""
    waiting = Message.objects.queued().filter(customer_id=None, purpose__in=ASKED_BY_STRANGERS)
    for customer in customers:
        told = _written_as(customer)
        keys = [pk for pk, to in waiting.values_list("pk", "to") if _as_stored(to) in told]
        Message.objects.filter(pk__in=keys).delete()


def _written_as(customer):
    told = {customer.login_email, customer.login_phone_key, customer.card_number, customer.username}
    told |= set(customer.emails.values_list("address_key", flat=True))
    told |= set(customer.phones.values_list("digits", flat=True))
    return {str(value).lower() for value in told if value}


def _as_stored(typed):
    if "@" in typed:
        return normalise.email_key(typed)
    return counted_login(typed)
