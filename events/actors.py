"""Who is acting: named once per request or command, read by every service that leaves a trace."""

import uuid
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """The doer of a deed: kind (staff, service, customer, system), id and a label for people.

    A customer's label is never the name: history outlives the name's erasure.
    """

    kind: str = "system"
    id: uuid.UUID | None = None
    label: str = ""


@dataclass(frozen=True, slots=True)
class _Acting:
    actor: Actor
    request_id: str
    reason: str


_nobody = _Acting(Actor(), "", "")
_acting = ContextVar("acting", default=None)


def current():
    """The active actor, request id and reason."""
    return _acting.get() or _nobody


@contextmanager
def acting(actor, *, request_id="", reason=""):
    """Every deed inside the block is done by `actor`, for `reason`."""
    token = _acting.set(_Acting(actor, request_id, reason))
    try:
        yield
    finally:
        _acting.reset(token)


def actor_of_user(user):
    """The actor for a signed-in user of the back office."""
    return Actor("staff", user.pk, user.name or user.email)


def actor_of_principal(principal):
    """The actor for the holder of an access token."""
    if principal.staff is not None:
        return actor_of_user(principal.staff.user)
    if principal.customer_id is not None:
        return Actor("customer", principal.customer_id)
    return Actor("service", principal.token.pk, principal.label)
