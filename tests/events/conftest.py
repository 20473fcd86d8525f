"""The house API, other servers, and a say over where names lead."""

import socket

import pytest

from tests.api_client import admin, anonymous, as_role, seller  # noqa: F401
from tests.events.servers import Neighbour

real_getaddrinfo = socket.getaddrinfo


@pytest.fixture
def neighbour():
    """A function (behave, tls=False) -> a running server of this machine; all end with the test."""
    running = []

    def start(*args, **options):
        running.append(Neighbour(*args, **options).__enter__())
        return running[-1]

    yield start
    for one in running:
        one.__exit__()


@pytest.fixture
def trying_out(settings):
    """As an operator would set it up on a desk: this machine is allowed, and so is http."""
    settings.OUTBOUND_ALLOW = ["127.0.0.1"]
    settings.OUTBOUND_ALLOW_HTTP = True


class Names:
    """Where names lead: `names["hooks.example.com"] = [["127.0.0.1"]]`, one list of addresses for
    each time that somebody asks, the last one for good. `asked` holds what was asked for."""

    def __init__(self):
        self.book = {}
        self.asked = []

    def __setitem__(self, name, answers):
        self.book[name] = list(answers)

    def getaddrinfo(self, host, port, *args, **options):
        if host not in self.book:
            # Numbers need no asking; nothing of a test leaves this machine for a name.
            options["flags"] = socket.AI_NUMERICHOST
            return real_getaddrinfo(host, port, *args, **options)
        self.asked.append(host)
        answers = self.book[host]
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [row for each in addresses for row in real_getaddrinfo(each, port, *args, **options)]


@pytest.fixture
def names(monkeypatch):
    """The book of names; a name that is not in it does not exist."""
    names = Names()
    monkeypatch.setattr(socket, "getaddrinfo", names.getaddrinfo)
    return names
