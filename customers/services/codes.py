"""Codes and links: made when their message is sent, and taken back exactly once.

Only an HMAC is stored. A new code replaces the old one of its purpose. Every guess is counted
before it is compared (R4), per code where the caller names the customer, per address and per
tenant where the code comes alone.

The secret itself is derived from the message's seed and the pepper: it is stored nowhere, and a
message that has to go out a second time carries the same one.
"""

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.crypto import constant_time_compare

from customers.models import ActivationCode
from events.messages import Suppressed
from events.models import Message
from tenancy import clock, secrets
from tenancy.services.counting import count_or_refuse, give_back

Purpose = ActivationCode.Purpose
CODE_LIFE = timedelta(minutes=10)
LINK_LIFE = timedelta(hours=48)
LINK_PURPOSES = {Purpose.ACTIVATE_EMAIL, Purpose.RESET_PASSWORD}
TRIES_PER_CODE = 5
DAY = 24 * 3600
GUESSES_PER_ADDRESS_AND_HOUR = 10
GUESSES_PER_TENANT_AND_DAY = 1_000
# Among a million codes another live one of the tenant may have the same digits.
DRAWS = 20


class WrongCode(Exception):
    """Unknown, used, expired or guessed too often: never said which."""


def store_code(message, customer, *, target):
    """Make the code or link of a message live for `customer`, who must be locked, and return it.

    It replaces the one before. A further try of the same message finds its own again, with the
    wrong guesses that were made meanwhile, and a new life. Raises Suppressed (replaced) when that
    one was used or replaced: it must not come back.
    """
    purpose = message.purpose
    life = LINK_LIFE if purpose in LINK_PURPOSES else CODE_LIFE
    now = clock.now()
    codes = ActivationCode.objects
    codes.filter(purpose=purpose, expires_at__lte=now).delete()
    before = codes.filter(customer=customer, purpose=purpose).first()
    for secret, pepper in _draws(message):
        digest = _digest(customer.tenant_id, purpose, secret, pepper=pepper)
        if before is not None and before.digest == digest:
            codes.filter(pk=before.pk).update(expires_at=now + life)
            return secret
        if message.secret_made:
            continue
        try:
            with transaction.atomic():
                codes.filter(customer=customer, purpose=purpose).delete()
                codes.create(
                    tenant=customer.tenant,
                    customer=customer,
                    purpose=purpose,
                    digest=digest,
                    pepper=pepper,
                    target=target,
                    created_at=now,
                    expires_at=now + life,
                )
        except IntegrityError:
            continue
        Message.objects.filter(pk=message.pk).update(secret_made=True)
        return secret
    raise Suppressed("replaced")


def _draws(message):
    """(secret, number of its pepper), one after the other, the same for every try of a message."""
    pepper = secrets.pepper_of(message.seed)
    derive = secrets.derived_token if message.purpose in LINK_PURPOSES else secrets.derived_code
    for draw in range(DRAWS):
        yield derive(f"{message.seed}:{message.pk}:{draw}"), pepper


def _digest(tenant_id, purpose, secret, pepper=None):
    return secrets.digest(f"{tenant_id}:{secret}", pepper=pepper, purpose=f"code:{purpose}")


def take_code(customer, purpose, secret):
    """Use up the live code of a named customer and return its target.

    Five tries per code, each counted before it is compared. Raises WrongCode.
    """
    codes = ActivationCode.objects.filter(customer=customer, purpose=purpose)
    counted = codes.filter(tries__lt=TRIES_PER_CODE, expires_at__gt=clock.now()).update(
        tries=F("tries") + 1
    )
    code = codes.first() if counted else None
    if code is None or code.pepper not in secrets.peppers():
        raise WrongCode
    expected = _digest(code.tenant_id, purpose, str(secret), pepper=code.pepper)
    if not constant_time_compare(expected, code.digest):
        raise WrongCode
    if not codes.filter(pk=code.pk).delete()[0]:
        raise WrongCode  # somebody else was faster with the same code
    return code.target


def take_code_alone(tenant, purpose, secret, *, address=""):
    """Use up a code that comes without naming a customer; returns (customer, target).

    A wrong guess belongs to nobody: ten an hour per address and a thousand a day per tenant, then
    TooManyTries until the window ends. A right one costs none of them. Link tokens are too long to
    guess and are not counted: counting them would let a stranger lock everybody's links.
    """
    rules = (
        ("guess-address", f"{tenant.pk}:{address}", GUESSES_PER_ADDRESS_AND_HOUR, 3600),
        ("guess-tenant", tenant.pk, GUESSES_PER_TENANT_AND_DAY, DAY),
    )
    if purpose in LINK_PURPOSES:
        rules = ()
    for rule, subject, limit, seconds in rules:
        count_or_refuse(rule, subject, limit=limit, seconds=seconds)
    digests = [
        _digest(tenant.pk, purpose, str(secret), pepper=pepper) for pepper in secrets.peppers()
    ]
    code = (
        ActivationCode.objects.select_related("customer__tenant")
        .filter(
            purpose=purpose,
            digest__in=digests,
            expires_at__gt=clock.now(),
            tries__lt=TRIES_PER_CODE,
        )
        .first()
    )
    if code is None or not ActivationCode.objects.filter(pk=code.pk).delete()[0]:
        raise WrongCode
    for rule, subject, _limit, _seconds in rules:
        give_back(rule, subject)
    return code.customer, code.target
