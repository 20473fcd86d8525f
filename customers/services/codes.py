"""Codes and links: made, sent, and taken back exactly once.

Only an HMAC is stored. A new code replaces the old one of its purpose. Every guess is counted
before it is compared (R4), per code where the caller names the customer, per address and per
tenant where the code comes alone.
"""

from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext_lazy as _

from customers.messages import message
from customers.models import ActivationCode, Customer
from events.messaging import mail_after_commit, sms_after_commit
from tenancy import clock, secrets
from tenancy.services.counting import count_or_refuse, give_back

Purpose = ActivationCode.Purpose
CODE_LIFE = timedelta(minutes=10)
LINK_LIFE = timedelta(hours=48)
# The page that a link opens, below the base URL: <page>/<tenant>/<token>.
PAGES = {Purpose.ACTIVATE_EMAIL: "activate", Purpose.RESET_PASSWORD: "new-password"}
LINK_PURPOSES = set(PAGES)
BY_SMS = {Purpose.ACTIVATE_SMS, Purpose.CHANGE_PHONE}
TRIES_PER_CODE = 5
DAY = 24 * 3600
MESSAGES_PER_TARGET_AND_DAY = 5
SMS_PER_TENANT_AND_DAY = 1_000
GUESSES_PER_ADDRESS_AND_HOUR = 10
GUESSES_PER_TENANT_AND_DAY = 1_000


class WrongCode(Exception):
    """Unknown, used, expired or guessed too often: never said which."""


def send_code(customer, purpose, *, target):
    """Make a code or link for `customer`, replacing the one before, and send it to `target`.

    Raises TooManyTries beyond five messages a day to one target, or the tenant's daily number of
    SMS; ValidationError for a customer who was anonymised or deleted meanwhile. Call it outside a
    transaction: the count must stay.
    """
    tenant = customer.tenant
    count_or_refuse(
        "message", f"{tenant.pk}:{target}", limit=MESSAGES_PER_TARGET_AND_DAY, seconds=DAY
    )
    if purpose in BY_SMS:
        count_or_refuse("sms-tenant", tenant.pk, limit=SMS_PER_TENANT_AND_DAY, seconds=DAY)
    life = LINK_LIFE if purpose in LINK_PURPOSES else CODE_LIFE
    with transaction.atomic():
        secret = _store(customer, purpose, target, life)
        subject, text = message(
            purpose.value,
            locale=tenant.setting("locale"),
            business=tenant.name,
            code=secret,
            link=f"{settings.BASE_URL}/{PAGES.get(purpose)}/{tenant.code}/{secret}",
            minutes=int(CODE_LIFE.total_seconds() // 60),
            hours=int(LINK_LIFE.total_seconds() // 3600),
        )
        if purpose in BY_SMS:
            sms_after_commit(target, text)
        else:
            mail_after_commit(target, subject, text)


def _store(customer, purpose, target, life):
    now = clock.now()
    codes = ActivationCode.objects
    # The lock makes an erasure that is under way come first: no target may be stored after it.
    people = Customer.objects.identifiable().select_for_update(of=("self",))
    if people.filter(pk=customer.pk).first() is None:
        raise ValidationError(_("This customer was anonymised."), code="anonymised")
    codes.filter(purpose=purpose, expires_at__lte=now).delete()
    codes.filter(customer=customer, purpose=purpose).delete()
    for _attempt in range(20):
        secret = secrets.random_token(32) if purpose in LINK_PURPOSES else secrets.random_code()
        try:
            with transaction.atomic():
                codes.create(
                    tenant=customer.tenant,
                    customer=customer,
                    purpose=purpose,
                    digest=_digest(customer.tenant_id, purpose, secret),
                    pepper=secrets.current_pepper(),
                    target=target,
                    created_at=now,
                    expires_at=now + life,
                )
            return secret
        except IntegrityError:
            continue  # another live code of this tenant has the same six digits
    raise ValidationError(_("No code can be made at the moment."), code="no_code")


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
