"""The one clock. Services ask it, tests set it, nobody else calls the system's."""

from contextlib import contextmanager
from contextvars import ContextVar

from django.utils import timezone

_frozen = ContextVar("frozen_instant", default=None)


def now():
    """The present instant, aware, in UTC."""
    return _frozen.get() or timezone.now()


@contextmanager
def frozen(instant):
    """Let `now()` answer `instant` (an aware datetime) inside the block."""
    token = _frozen.set(instant)
    try:
        yield
    finally:
        _frozen.reset(token)
