"""A purpose of the tests' own, and ways out that fail as they are told."""

from datetime import timedelta

import pytest

from events.messages import PURPOSES, register_purpose
from events.messages import sending as sending_module
from events.messages.failures import DeliveryFailed


@pytest.fixture
def greeting():
    """A kind of message without a secret: a greeting by both ways, worth sending for a day."""
    purpose = register_purpose(
        "greeting",
        title="Greeting",
        channels=("email", "sms"),
        words={"business": "Example Ltd", "level": "Gold"},
        required=("level",),
        life=timedelta(days=1),
        texts={
            "en": {"email": ("Hello", "{business}: you are {level}."), "sms": "You are {level}."},
            "nb": {"email": ("Hei", "{business}: du er {level}."), "sms": "Du er {level}."},
        },
    )
    yield purpose
    del PURPOSES["greeting"]


class Provider:
    """Stands in for every way out: remembers what it was handed, and fails as often as it is told.

    `fail(reason, times=None, **details)`: with a DeliveryFailed, for good unless `times` is given.
    """

    def __init__(self):
        self.sent = []
        self.calls = 0
        self._failures = []

    def fail(self, reason, *, times=None, **details):
        self._failures = [lambda: DeliveryFailed(reason, **details)] * (times or 10_000)

    def recover(self):
        self._failures = []

    def deliver(self, message, to, composed):
        self.calls += 1
        if self._failures:
            raise self._failures.pop()()
        self.sent.append((to, composed))
        return f"provider-{len(self.sent)}"


@pytest.fixture
def provider(monkeypatch):
    stand_in = Provider()
    monkeypatch.setattr(sending_module, "deliver", stand_in.deliver)
    return stand_in
