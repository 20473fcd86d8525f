"""Making deliveries: one sender per endpoint, in the order of the feed, again until it worked."""

import random
import time
import uuid
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from events.models import WebhookDelivery, WebhookEndpoint
from events.outbound import CircuitOpen, OutboundError, request
from events.webhooks.disabling import disable_endpoint
from events.webhooks.managing import circuit_of
from events.webhooks.messages import body_of, headers_of
from tenancy import clock

State = WebhookDelivery.State
Disabled = WebhookEndpoint.Disabled

# Seconds until the next try, after the first, the second, … failure; about three days in all.
DELAYS = (5, 30, 120, 600, 3_600, 10_800, 21_600, 43_200, 86_400, 86_400)
JITTER = 0.2
SLICE_SECONDS = 20
HOLD = timedelta(seconds=60)
GONE = 410


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one try went: the status, or the kind of the trouble; and how long it took."""

    status: int | None = None
    error: str = ""
    seconds: float = 0.0

    @property
    def is_success(self):
        return self.status is not None and 200 <= self.status < 300

    @property
    def was_slow(self):
        return self.error in ("timeout", "dns", "connect")


def send_due(endpoint_id, *, seconds=SLICE_SECONDS):
    """Make the deliveries of an endpoint whose time has come, one after the other, for `seconds`.

    True when it stopped for the time alone and the receiver is well. A receiver that lets us wait
    ends the turn, so that others have theirs; while another sender is at it nothing is done.
    """
    sender = uuid.uuid4()
    until = time.monotonic() + seconds
    if not _hold(endpoint_id, sender):
        return False
    try:
        while time.monotonic() < until:
            endpoint = _held(endpoint_id, sender)
            delivery = endpoint and next_due(endpoint)
            if delivery is None:
                return False
            try:
                outcome = attempt(delivery, endpoint)
            except CircuitOpen:
                return False
            if not settle(delivery, endpoint, outcome) or outcome.was_slow:
                return False
            _hold(endpoint_id, sender)
        return True
    finally:
        mine = WebhookEndpoint.objects.filter(pk=endpoint_id, sender=sender)
        mine.update(sender=None, sender_until=None)


def _hold(endpoint_id, sender):
    """Be the endpoint's only sender for a while; False while somebody else is."""
    instant = clock.now()
    free = Q(sender=sender) | Q(sender=None) | Q(sender_until__lte=instant)
    row = WebhookEndpoint.objects.filter(free, pk=endpoint_id, active=True)
    return bool(row.update(sender=sender, sender_until=instant + HOLD))


def _held(endpoint_id, sender):
    endpoints = WebhookEndpoint.objects.active().select_related("tenant")
    return endpoints.filter(pk=endpoint_id, sender=sender).first()


def next_due(endpoint):
    """The delivery that is next, or None. One that waits for its next try lets later ones pass."""
    due = WebhookDelivery.objects.due(clock.now()).filter(endpoint=endpoint)
    return due.select_related("event").first()


def attempt(delivery, endpoint, *, circuit=True):
    """Send a delivery once and answer its Outcome. Raises CircuitOpen when nobody was asked.

    The content of the answer is never read: its status says all that we want to know.
    """
    begun = time.monotonic()
    try:
        body = body_of(delivery)
        answer = request(
            "POST",
            endpoint.url,
            content=body.encode(),
            headers=headers_of(delivery, endpoint, body),
            read=False,
            circuit=circuit_of(endpoint) if circuit else None,
            fails=lambda answer: not answer.is_success,
        )
    except CircuitOpen:
        raise
    except OutboundError as trouble:
        return Outcome(error=trouble.kind, seconds=time.monotonic() - begun)
    except KeyError:
        # The pepper of the secret is no longer configured.
        return Outcome(error="secret")
    return Outcome(answer.status, "" if answer.is_success else "status", answer.seconds)


def settle(delivery, endpoint, outcome):
    """Write down how a try went, and when the next one is due; False when the endpoint is no longer
    to be sent to."""
    instant = clock.now()
    attempts = delivery.attempts + 1
    given_up = not outcome.is_success and (attempts > len(DELAYS) or outcome.status == GONE)
    columns = _columns(delivery, outcome)
    if given_up:
        columns["state"] = State.FAILED
    elif not outcome.is_success:
        columns["next_at"] = instant + timedelta(seconds=delay_after(attempts))
    with transaction.atomic():
        # Somebody may have asked for a repetition meanwhile, which is not to be lost.
        seen = {"state": State.WAITING, "attempts": delivery.attempts, "next_at": delivery.next_at}
        WebhookDelivery.objects.filter(pk=delivery.pk, **seen).update(**columns)
        if outcome.is_success:
            _note(endpoint, last_success_at=instant, failing_since=None)
            return True
        _note(endpoint, failing_since=Coalesce(F("failing_since"), instant))
        if outcome.status == GONE:
            disable_endpoint(endpoint, Disabled.GONE)
            return False
        if given_up and _nothing_got_through(endpoint, delivery):
            disable_endpoint(endpoint, Disabled.FAILING)
            return False
    return True


def send_test_now(delivery):
    """Send a test, once, whatever state its endpoint is in; its health is not touched by it."""
    outcome = attempt(delivery, delivery.endpoint, circuit=False)
    columns = _columns(delivery, outcome)
    if not outcome.is_success:
        columns["state"] = State.FAILED
    WebhookDelivery.objects.filter(pk=delivery.pk).update(**columns)


def _columns(delivery, outcome):
    return {
        "attempts": delivery.attempts + 1,
        "tried_at": clock.now(),
        "last_status": outcome.status,
        "last_error": outcome.error[:20],
        "last_milliseconds": int(outcome.seconds * 1000),
        "state": State.DELIVERED if outcome.is_success else State.WAITING,
    }


def delay_after(attempts):
    """Seconds until the next try after so many, longer by up to a fifth, so that what failed
    together does not come back together."""
    return DELAYS[attempts - 1] * (1 + JITTER * random.random())


def _note(endpoint, **columns):
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(**columns)


def _nothing_got_through(endpoint, delivery):
    """Whether no delivery at all has succeeded for as long as this one was tried."""
    successes = WebhookEndpoint.objects.filter(pk=endpoint.pk).values_list("last_success_at")
    last = successes.first()
    return last is not None and (last[0] is None or last[0] < delivery.created_at)
