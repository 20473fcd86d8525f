"""A body that comes in chunks, without a length, is read like any other."""

import io
from wsgiref.util import setup_testing_defaults

import pytest
from django.test.client import ClientHandler

from config.chunked import with_lengths
from customers.models import Customer
from tenancy.scoping import in_tenant
from tests.factories import make_token

pytestmark = pytest.mark.django_db

ADA = b'{"first_name": "Ada"}'


class BrokenOff(io.BytesIO):
    """What a server hands on whose client has hung up: the first piece, then its own exception."""

    def read(self, size=-1, /):
        piece = super().read(size)
        if not piece:
            raise RuntimeError("no terminator")
        return piece


def in_chunks(body, path="/api/v1/customers/", **changes):
    """The environ of a POST of `body` in chunks, as the server hands one on."""
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "CONTENT_TYPE": "application/json",
        "HTTP_HOST": "localhost",
        "HTTP_TRANSFER_ENCODING": "chunked",
        "wsgi.input": body if hasattr(body, "read") else io.BytesIO(body),
        "wsgi.input_terminated": True,
        **changes,
    }
    setup_testing_defaults(environ)
    return environ


@pytest.fixture
def send(tenant):
    """A function that sends such a request with a token, in the transaction of the test."""
    token, handler = make_token(tenant), ClientHandler()
    measured = with_lengths(lambda environ, start_response: handler(environ))

    def post(body, **changes):
        return measured(in_chunks(body, HTTP_AUTHORIZATION=f"Bearer {token}", **changes), None)

    return post


def test_a_body_in_chunks_is_read(send, tenant):
    answer = send(ADA)

    assert answer.status_code == 201
    with in_tenant(tenant):
        assert Customer.objects.filter(first_name="Ada").exists()


@pytest.fixture
def served():
    """What a server serves; to be loaded inside a run, which has a folder for static files."""
    from config.wsgi import application

    return application


@pytest.mark.parametrize(
    "path", ["/api/v1/customers/", "/api/v1/imports/", "/v2/tenants/acme/customers", "/OpenApi2/x"]
)
def test_a_body_in_chunks_beyond_the_limit_is_refused_by_what_is_served(settings, served, path):
    settings.MAX_UPLOAD_BYTES = 1_000
    told = []

    answer = served(in_chunks(b" " * 1_001, path), lambda *head: told.append(head[0][:3]))

    assert told == ["413"]
    assert b"1,000 bytes" in b"".join(answer)


def test_no_more_of_it_is_read_than_is_needed_to_know(send, settings):
    settings.MAX_UPLOAD_BYTES = 1_000
    endless = io.BytesIO(b" " * 10_000_000)

    answer = send(endless)

    assert answer.status_code == 413
    assert endless.tell() < 100_000


def test_a_body_of_just_the_limit_is_read(send, settings):
    settings.MAX_UPLOAD_BYTES = 1_000

    answer = send(ADA + b" " * (1_000 - len(ADA)))

    assert answer.status_code == 201


def test_a_body_that_breaks_off_is_refused_whole(send, tenant):
    answer = send(BrokenOff(ADA))

    assert answer.status_code == 400
    assert b"The body broke off." in answer.content
    with in_tenant(tenant):
        assert not Customer.objects.exists()


def test_where_the_server_does_not_end_the_input_nothing_is_waited_for(send):
    class Waiting(io.BytesIO):
        def read(self, size=-1, /):
            raise AssertionError("this would wait for ever")

    answer = send(Waiting(), **{"wsgi.input_terminated": False})

    assert answer.status_code == 400
