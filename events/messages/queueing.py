"""Asking for a message: a row and a job, in the transaction of the change that it tells of."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from events.jobs import enqueue
from events.messages.limits import count_message
from events.messages.purposes import PURPOSES, words_as_queued
from events.messages.texts import find_purpose, sample_words
from events.models import Message
from tenancy import clock, secrets
from tenancy.scoping import current_tenant

JOB = "messages.send"
# Somebody waits for a code; an import does not mind waiting a second.
PRIORITY = 50


def queue_message(
    tenant, purpose, *, channel, to="", language="", customer_id=None, counted=False, **words
):
    """Queue one message of a registered purpose and return its Message.

    Written in the caller's transaction: a rolled-back change sends nothing. A worker sends it, at
    least once: were it killed between the provider's answer and our note of it, the message would
    go out again, with the same code. `to` is an e-mail address or an E.164 number; where the
    purpose finds its recipient itself it may be what somebody typed, or empty. `words` are those
    that may be stored; what must not is made when it is sent. `counted` says that the caller has
    counted it (`count_message`) and told the asker; else it is counted when its turn comes.

    Raises NoSuchText for an unknown purpose or way, TypeError for words that the purpose does not
    have, or needs and did not get.
    """
    kind = find_purpose(purpose, channel)
    if unknown := set(words) - set(kind.words):
        raise TypeError(f"{purpose} has no words {sorted(unknown)}")
    if kind.make_words is words_as_queued and (
        lacking := set(kind.words) - set(words) - {"business"}
    ):
        raise TypeError(f"{purpose} needs the words {sorted(lacking)}")
    return _queue(
        tenant=tenant,
        purpose=purpose,
        channel=channel,
        to=to,
        language=language,
        customer_id=customer_id,
        counted=counted,
        words=words,
        expires_at=clock.now() + kind.life,
    )


def queue_sample(purpose, *, channel, language, to):
    """Queue a test of a text of the active tenant, with sample words, and return its Message.

    Counted like every other one; call it outside a transaction. Raises TooManyTries, NoSuchText,
    ValidationError (code "country").
    """
    kind = find_purpose(purpose, channel)
    tenant = current_tenant()
    count_message(tenant, channel=channel, to=to, limited=True)
    return _queue(
        tenant=tenant,
        purpose=purpose,
        channel=channel,
        to=to,
        language=language,
        counted=True,
        sample=True,
        words=sample_words(kind, tenant),
        expires_at=clock.now() + kind.life,
    )


def _queue(*, tenant, **columns):
    with transaction.atomic():
        message = Message(tenant=tenant, seed=secrets.new_seed(), created_at=clock.now(), **columns)
        message.save(force_insert=True)
        enqueue(JOB, tenant=tenant, priority=PRIORITY, message_id=str(message.pk))
    return message


def may_send_again(message):
    """Whether `send_again` would take this message, as far as its row tells."""
    purpose = PURPOSES.get(message.purpose)
    return (
        message.state == Message.State.FAILED
        and purpose is not None
        and bool(message.to or (message.customer_id and purpose.readdresses))
    )


def send_again(message):
    """Queue a failed message once more, with a new life; counted when its turn comes.

    Raises ValidationError: code "not_failed", or "forgotten" when its address was blanked and
    cannot be found again.
    """
    if message.state != Message.State.FAILED:
        raise ValidationError(_("Only a failed message can be sent again."), code="not_failed")
    if not may_send_again(message):
        raise ValidationError(
            _("Where it was to go is not kept any more. Ask for a new one."), code="forgotten"
        )
    purpose = PURPOSES[message.purpose]
    with transaction.atomic():
        taken = Message.objects.filter(pk=message.pk, state=Message.State.FAILED).update(
            state=Message.State.QUEUED,
            reason="",
            attempts=0,
            counted=False,
            secret_made=False,
            seed=secrets.new_seed(),
            expires_at=clock.now() + purpose.life,
            # Where it can be found anew it may have been corrected since.
            **({"to": ""} if message.customer_id and purpose.readdresses else {}),
        )
        if not taken:
            raise ValidationError(_("Only a failed message can be sent again."), code="not_failed")
        enqueue(JOB, tenant=message.tenant, priority=PRIORITY, message_id=str(message.pk))
    message.refresh_from_db()
    return message
