"""A message's turn: find out whom it is for, put it together, hand it to the provider, note it.

Runs in workers only. The provider is asked outside of any transaction, and nothing of the text is
kept. A provider that fails five times in a row is left alone for a while.
"""

import random
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import transaction

from events.messages.delivering import DeliveryFailed, deliver
from events.messages.limits import DayIsFull, count_message
from events.messages.purposes import Recipient, Suppressed
from events.messages.texts import NoSuchText, choose_text, compose, find_purpose
from events.models import Message
from events.outbound import circuits
from tenancy import clock
from tenancy.scoping import all_tenants
from tenancy.services.counting import TooManyTries

State = Message.State
# Seconds before each further try; the last one repeats until the message is useless.
DELAYS = (10, 30, 120, 300, 900)
JITTER = 0.2
BLANK = {"to": "", "words": {}, "seed": ""}


class NotYet(Exception):
    """The message waits for another try, in `seconds`."""

    def __init__(self, seconds, reason):
        super().__init__(reason)
        self.seconds = seconds
        self.reason = reason


def send_message(message_id):
    """Send a queued message of the active tenant, or settle that it will never be sent.

    Does nothing for one that is settled or erased. Call it outside a transaction. Raises NotYet
    when it must be tried again.
    """
    message = Message.objects.queued().select_related("tenant").filter(pk=message_id).first()
    if message is None:
        return
    if message.expires_at <= clock.now():
        _settle(message, State.FAILED, message.reason or "expired")
        return
    circuit = _circuit_of(message)
    has_failed = _leave_alone_while_down(circuit)
    try:
        purpose = find_purpose(message.purpose, message.channel)
        recipient, language, composed = _put_together(message, purpose)
    except Suppressed as suppressed:
        _settle(message, State.SUPPRESSED, suppressed.reason)
        return
    except NoSuchText:
        _settle(message, State.FAILED, "set_up")
        return
    try:
        provider_id = deliver(message, recipient.to, composed)
    except DeliveryFailed as failure:
        _note_failure(message, failure)
        return
    if has_failed:
        circuits.forget(circuit)
    _settle(
        message,
        State.SENT,
        attempts=message.attempts + 1,
        provider_id=provider_id[:200],
        language=language,
        sent_at=clock.now(),
    )


def _circuit_of(message):
    return f"messages:{message.channel}"


def _leave_alone_while_down(circuit):
    """Whether the provider has failed lately. Raises NotYet while it is to be left alone."""
    try:
        return circuits.let_through(circuit) is not None
    except circuits.CircuitOpen as still:
        seconds = (still.until - clock.now()).total_seconds()
        raise NotYet(_jittered(seconds), "paused") from still


def _put_together(message, purpose):
    if message.sample:
        recipient, words = Recipient(message.to, language=message.language), message.words
    else:
        recipient = purpose.find_recipient(message)
        _count(message, purpose, recipient)
        words = purpose.make_words(message, recipient)
    language, subject, text = choose_text(purpose, message.channel, recipient.language)
    words = {"business": message.tenant.name, **words}
    return recipient, language, compose(purpose, message.channel, subject, text, words)


def _count(message, purpose, recipient):
    if message.counted:
        return
    try:
        count_message(
            message.tenant, channel=message.channel, to=recipient.to, limited=purpose.limited
        )
    except DayIsFull as refusal:
        raise Suppressed("daily_limit") from refusal
    except TooManyTries as refusal:
        raise Suppressed("number_limit") from refusal
    except ValidationError as refusal:
        raise Suppressed("country") from refusal
    # Tries of the same message are one message.
    Message.objects.filter(pk=message.pk).update(counted=True)
    message.counted = True


def _note_failure(message, failure):
    if failure.lasting:
        circuits.forget(_circuit_of(message))  # it answered
        _settle(message, State.FAILED, failure.reason, attempts=message.attempts + 1)
        return
    circuits.count_failure(_circuit_of(message))
    seconds = _jittered(DELAYS[min(message.attempts, len(DELAYS) - 1)])
    seconds = max(seconds, failure.retry_after or 0)
    if clock.now() + timedelta(seconds=seconds) >= message.expires_at:
        _settle(message, State.FAILED, failure.reason, attempts=message.attempts + 1)
        return
    Message.objects.queued().filter(pk=message.pk).update(
        attempts=message.attempts + 1, reason=failure.reason
    )
    raise NotYet(seconds, failure.reason)


def _jittered(seconds):
    return seconds * (1 + JITTER * random.random())


def _settle(message, state, reason="", **columns):
    """Write the end of a message; one that was erased or settled meanwhile stays so.

    A failed one keeps its address until it expires, so that it can be sent again till then.
    """
    blank = BLANK if state != State.FAILED or message.expires_at <= clock.now() else {}
    Message.objects.queued().filter(pk=message.pk).update(
        state=state, reason=reason, **blank, **columns
    )


def address_message(message, recipient):
    """Note whom a message turned out to be for. Call it in the transaction that holds the
    customer's row, so that an erasure either comes first or finds the note. Raises Suppressed
    (erased) when the message itself is gone."""
    noted = {
        "customer_id": recipient.customer_id,
        "to": recipient.to,
        "language": recipient.language,
    }
    if not Message.objects.queued().filter(pk=message.pk).update(**noted):
        raise Suppressed("erased")
    for name, value in noted.items():
        setattr(message, name, value)


# --- Clearing up ---------------------------------------------------------------------------------
def blank_expired():
    """Blank whatever an expired message still holds, in every tenant; one that never had its turn
    has failed. Returns how many."""
    with all_tenants(), transaction.atomic():
        expired = Message.objects.holding_details().filter(expires_at__lte=clock.now())
        late = expired.filter(state=State.QUEUED)
        late.filter(reason="").update(reason="expired")
        return late.update(state=State.FAILED, **BLANK) + expired.update(**BLANK)


def delete_old_messages(days):
    """Remove the notes of messages asked for more than `days` ago, in every tenant; how many."""
    with all_tenants():
        old = Message.objects.filter(created_at__lt=clock.now() - timedelta(days=days))
        return old.exclude(state=State.QUEUED).delete()[0]
