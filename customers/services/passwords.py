"""Customers' passwords and how customers sign in."""

import re
from contextlib import suppress

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext_lazy as _

import normalise
from customers.columns import login_phone_key
from customers.models import Customer
from customers.services.changes import open_change
from tenancy.models import AccessToken
from tenancy.scoping import current_tenant
from tenancy.services import (
    SignInRefused,
    count_or_refuse,
    forget_count,
    issue_pair,
    revoke_customer_tokens,
)
from tenancy.services.signing_in import check_or_burn, count_sign_in, forget_sign_in

PASSWORD_TRIES, PASSWORD_WINDOW = 10, 15 * 60
LONGEST_PASSWORD = 128
PHONE_LIKE = re.compile(r"[0-9 +()./\-]+")


class WrongPassword(Exception):
    """The current password that a customer has to prove is another one."""


def check_new_password(password):
    """Raise ValidationError naming `password` when it is too weak or too long."""
    if not isinstance(password, str):
        raise ValidationError({"password": ValidationError(_("Must be text."), code="invalid")})
    try:
        # NUL and lone surrogates would fail in the hasher or the database.
        normalise.clean_text(password, max_length=LONGEST_PASSWORD)
        validate_password(password)
    except ValidationError as error:
        raise ValidationError({"password": error.error_list}) from error


class EncodedPassword(str):
    """A password that is hashed already, so that nobody hashes it again."""

    __slots__ = ()


def encode_password(password):
    """The hash of a new password. It takes its time: call it before a lock is taken.

    Raises what `check_new_password` raises.
    """
    if isinstance(password, EncodedPassword):
        return password
    check_new_password(password)
    return EncodedPassword(make_password(password))


def is_password(password, stored):
    """Whether `password` is the one whose hash is `stored`: its text, or the hash itself as a wire
    that shows hashes gets it back."""
    if not stored or not isinstance(password, str):
        return False
    if constant_time_compare(password, stored):
        return True
    return len(password) <= LONGEST_PASSWORD and check_password(password, stored)


def set_customer_password(customer, password, *, reason=""):
    """Give a customer a new password (or one that is encoded already); every session of the
    customer ends."""
    encoded = encode_password(password)
    with open_change(customer, deed="customer.updated", reason=reason) as change:
        change.set_silently("password", encoded)
        change.set_silently("password_temporary", False)
        change.record("password", None, None)
        revoke_customer_tokens(change.customer.pk)
    return customer


def set_temporary_password(customer, password):
    """Give a customer a password that we made up; at each sign-in an own one is asked for. Every
    session that an earlier password opened ends."""
    encoded = make_password(password)
    with open_change(customer, deed="customer.updated") as change:
        had_one = bool(change.customer.password)
        change.set_silently("password", encoded)
        change.set_silently("password_temporary", True)
        change.record("password", None, None)
        if had_one:
            revoke_customer_tokens(change.customer.pk)
    return customer


def prove_customer_password(customer, password):
    """Check the present password of a customer who has one, before something is done by it.

    Ten tries in a quarter of an hour, counted first: call it outside a transaction. Raises
    WrongPassword or TooManyTries.
    """
    if not customer.password:
        return
    count_or_refuse("password-proof", customer.pk, limit=PASSWORD_TRIES, seconds=PASSWORD_WINDOW)
    if not check_or_burn(password, customer.password):
        raise WrongPassword
    forget_count("password-proof", customer.pk)


def counted_login(login):
    """What tries with this sign-in are counted by: one count for a phone number however it is
    written, or each way of writing it would bring ten tries of its own."""
    text = str(login or "").strip().lower()[:254]
    if PHONE_LIKE.fullmatch(text):
        with suppress(ValidationError):
            return login_phone_key(text, current_tenant())
    return text


def find_by_login(login, *, only=()):
    """The customer who signs in with this e-mail, phone, card or username, or None; with `only`
    these columns are read, the others when somebody asks for them.

    The card or username of a merged record is its survivor's. One query whoever it is and wherever
    it is found: how long it takes tells a stranger nothing.
    """
    text = str(login or "").strip()
    if not text or "\0" in text or len(text) > 254:
        return None
    wanted = {"login_email": normalise.email_key(text)} if "@" in text else {"card_number": text}
    if "@" not in text:
        with suppress(ValidationError):
            wanted["login_phone_key"] = login_phone_key(text, current_tenant())
    wanted["username"] = text
    either = Q()
    for column, value in wanted.items():
        either |= Q(**{column: value})
    customers = Customer.with_merged.identifiable().filter(either).order_by()
    customers = customers.select_related("merged_into")
    if only:
        survivors = [f"merged_into__{column}" for column in only]
        customers = customers.only(*only, *wanted, "merged_into", *survivors)
    found = list(customers[: len(wanted)])
    # A card may be numbered like somebody's phone: what stands first in `wanted` is meant.
    return next(
        (
            customer.merged_into or customer
            for column, value in wanted.items()
            for customer in found
            if getattr(customer, column) == value
        ),
        None,
    )


def sign_in_customer(login, password, *, address):
    """Sign a customer of the active tenant in; answers the token pair of `issue_pair`, with
    "password_change_needed" where the password is one that we made up.

    Counted before the password is hashed; an unknown sign-in costs the same hash. Raises
    SignInRefused (never saying why) or TooManyTries.
    """
    tenant = current_tenant()
    realm = f"customer:{tenant.pk}"
    account = counted_login(login)
    count_sign_in(account, address, realm=realm)
    # The fewer columns, the less a row that is there differs in time from one that is not.
    customer = find_by_login(login, only=("tenant", "status", "password"))
    matches = check_or_burn(password, customer.password if customer else None)
    if not (matches and customer.status == Customer.Status.ACTIVE):
        raise SignInRefused
    forget_sign_in(account, realm=realm)
    with transaction.atomic():
        # A blocking or an erasure that is under way holds the row; afterwards it is too late.
        still = Customer.objects.select_for_update(of=("self",)).active().filter(pk=customer.pk)
        customer = still.first()
        if customer is None:
            raise SignInRefused
        pair = issue_pair(tenant, holder=AccessToken.Holder.CUSTOMER, customer_id=customer.pk)
    return pair | {"password_change_needed": True} if customer.password_temporary else pair
