"""Activation, deactivation, change of a sign-in, self-registration, forgotten passwords."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

import normalise
from customers.columns import COLUMN_CLEANERS, Context
from customers.models import ActivationCode, Customer
from customers.services.changes import open_change
from customers.services.codes import WrongCode, take_code, take_code_alone
from customers.services.messaging import contact_of, send_code
from customers.services.passwords import check_new_password, find_by_login, set_customer_password
from customers.services.registering import register_customer
from customers.services.updating import update_customer
from tenancy.scoping import current_tenant
from tenancy.services import revoke_customer_tokens

Purpose = ActivationCode.Purpose
Status = Customer.Status
ACTIVATION_BY = {"email": Purpose.ACTIVATE_EMAIL, "sms": Purpose.ACTIVATE_SMS}


def activate_customer(customer, *, reason=""):
    """Let a customer sign in, earn and be written to; repeatable, nothing else changes."""
    with open_change(customer, deed="customer.activated", reason=reason) as change:
        change.set("status", Status.ACTIVE)
        ActivationCode.objects.filter(
            customer=change.customer, purpose__in=ACTIVATION_BY.values()
        ).delete()
    return customer


def deactivate_customer(customer, *, reason=""):
    """Stop a customer from signing in and earning; reversible, nothing is lost. Sessions end."""
    with open_change(customer, deed="customer.deactivated", reason=reason) as change:
        change.set("status", Status.BLOCKED)
        revoke_customer_tokens(change.customer.pk)
        ActivationCode.objects.filter(customer=change.customer).delete()
    return customer


def send_activation(customer, *, method=None, counted=True):
    """Send the activation link (method "email") or code ("sms"); the tenant's method by default.

    Returns the method. Raises ValidationError when the customer is not new, the tenant activates
    by neither, or the contact point is missing; TooManyTries beyond five a day. Without `counted`
    it is counted when its turn comes, and then beyond five a day it is not sent.
    """
    method = method or customer.tenant.setting("activation_method")
    if method not in ACTIVATION_BY:
        raise ValidationError({"method": ValidationError(_("Use email or sms."), code="invalid")})
    if customer.anonymised_at or customer.status != Status.NEW:
        raise ValidationError(_("Only a new customer can be activated by a code."), code="not_new")
    target = contact_of(customer, method)
    send_code(customer, ACTIVATION_BY[method], target=target, counted=counted)
    return method


def invite_customer(customer):
    """With a single registration: send a new customer the activation that the tenant asks for.

    Returns whether one is on its way. Nothing is sent to customers who are active already, or
    without a contact point: the registration stands, and a code can be sent later. Batches and
    imports do not invite: moving in must not write to thousands.
    """
    method = customer.tenant.setting("activation_method")
    if customer.status != Status.NEW or method not in ACTIVATION_BY:
        return False
    try:
        send_activation(customer, method=method, counted=False)
    except ValidationError:
        return False
    return True


def activate_by_link(token):
    """Activate the customer whose mail link ends with `token`; the mail is proven.

    Raises WrongCode.
    """
    return _activate_by(Purpose.ACTIVATE_EMAIL, token, address="")


def activate_by_code(code, *, address, customer=None):
    """Activate by the six digits of an SMS, with or without naming the customer.

    `address` is the caller's network address: wrong guesses are counted by it. Raises WrongCode,
    or TooManyTries.
    """
    if customer is None:
        return _activate_by(Purpose.ACTIVATE_SMS, code, address=address)
    target = take_code(customer, Purpose.ACTIVATE_SMS, code)
    return _prove_and_activate(customer, target)


def _activate_by(purpose, secret, *, address):
    customer, target = take_code_alone(current_tenant(), purpose, secret, address=address)
    return _prove_and_activate(customer, target)


def _prove_and_activate(customer, target):
    if customer.anonymised_at or customer.status != Status.NEW:
        raise WrongCode
    with open_change(customer, deed="customer.activated") as change:
        change.set("status", Status.ACTIVE)
        _mark_verified(change, target)
    return customer


def _mark_verified(change, target):
    if "@" in target:
        rows = change.customer.emails.filter(address_key=normalise.email_key(target))
    else:
        rows = change.customer.phones.filter(e164=target)
    if rows.filter(verified=False).update(verified=True):
        change.record("verified", None, "email" if "@" in target else "phone")


def self_register_customer(*, password, **profile):
    """Register the person who asks, with a password; new until the contact point is proven where
    the tenant activates by mail or SMS.

    Raises ValidationError by field; code "closed" where the tenant does not allow it.
    """
    tenant = current_tenant()
    if not tenant.setting("self_registration"):
        raise ValidationError(_("Registration is closed."), code="closed")
    method = tenant.setting("activation_method")
    if not password:
        required = ValidationError(_("This field is required."), code="required")
        raise ValidationError({"password": required})
    needed = {"email": "login_email", "sms": "login_phone"}.get(method)
    if needed and not profile.get(needed):
        required = ValidationError(_("This field is required."), code="required")
        raise ValidationError({needed: required})
    if not (profile.get("login_email") or profile.get("login_phone")):
        raise ValidationError(
            {"login_email": ValidationError(_("An e-mail or phone to sign in with."), "required")}
        )
    if method == "sms":
        _refuse_unreachable_phone(profile["login_phone"], tenant)
    status = Status.ACTIVE if method == "none" else Status.NEW
    # Counted later: the registration stands also when no more may be sent today.
    return register_customer(password=password, status=status, then=invite_customer, **profile)


def _refuse_unreachable_phone(given, tenant):
    """Before anything is stored: the code could never arrive."""
    try:
        phone = normalise.clean_phone(given, country=tenant.country)
    except ValidationError as error:
        raise ValidationError({"login_phone": error.error_list}) from error
    if not phone.e164:
        invalid = ValidationError(_("A code cannot be sent to this number."), code="invalid")
        raise ValidationError({"login_phone": invalid})


def request_login_change(customer, *, login_email=None, login_phone=None):
    """By the customer: send a code to the new sign-in; it counts once the code comes back.

    Raises ValidationError by field (also when taken), TooManyTries.
    """
    column, value = _one_login(customer, login_email, login_phone)
    holders = Customer.objects.exclude(pk=customer.pk)
    if column == "login_email":
        taken = holders.filter(login_email=value).exists()
        target, purpose = value, Purpose.CHANGE_EMAIL
    else:
        phone = normalise.clean_phone(value, country=customer.tenant.country)
        if not phone.e164:
            invalid = _("A code cannot be sent to this number.")
            raise ValidationError({column: ValidationError(invalid, code="invalid")})
        taken = holders.filter(login_phone_key=phone.digits).exists()
        target, purpose = phone.e164, Purpose.CHANGE_PHONE
    if taken:
        raise ValidationError({column: ValidationError(_("This is taken."), code="unique")})
    send_code(customer, purpose, target=target)
    return purpose


def _one_login(customer, login_email, login_phone):
    given = {
        name: value
        for name, value in (("login_email", login_email), ("login_phone", login_phone))
        if value
    }
    if len(given) != 1:
        raise ValidationError(_("Name either login_email or login_phone."), code="required")
    column, value = given.popitem()
    try:
        clean = COLUMN_CLEANERS[column](value, Context(customer.tenant, customer.tenant.country))
    except ValidationError as error:
        raise ValidationError({column: error.error_list}) from error
    return column, clean


def confirm_login_change(customer, code):
    """By the customer: the code that was sent to the new sign-in makes it the sign-in.

    Raises WrongCode after which the old sign-in goes on, ValidationError when it was taken
    meanwhile.
    """
    for purpose, column in (
        (Purpose.CHANGE_EMAIL, "login_email"),
        (Purpose.CHANGE_PHONE, "login_phone"),
    ):
        if not ActivationCode.objects.filter(customer=customer, purpose=purpose).exists():
            continue
        try:
            target = take_code(customer, purpose, code)
        except WrongCode:
            continue
        with transaction.atomic(), open_change(customer, deed="customer.updated") as change:
            update_customer(change.customer, **{column: target})
            _mark_verified(change, target)
        return customer
    raise WrongCode


def request_password_reset(login):
    """Send a link to choose a new password, where such a customer exists and has an e-mail.

    Answers nothing: known and unknown sign-ins look alike. Raises TooManyTries per sign-in.
    """
    customer = find_by_login(login)
    if customer is None or customer.status != Status.ACTIVE:
        return
    try:
        target = contact_of(customer, "email")
    except ValidationError:
        return
    send_code(customer, Purpose.RESET_PASSWORD, target=target)


def reset_password(token, password):
    """Set a new password by the link's token; every session ends. Raises WrongCode."""
    check_new_password(password)
    customer, _sent_to = take_code_alone(current_tenant(), Purpose.RESET_PASSWORD, token)
    set_customer_password(customer, password)
    return customer
