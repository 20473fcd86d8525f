"""The house API in the hands of a test: a client with a token, and the fixtures that make one.

A folder of API tests names the fixtures in its conftest.
"""

import pytest
from django.test import Client

from tests.factories import make_token


class Api:
    """A client that sends JSON with a token: `api.get(path)`, `api.post(path, body)`."""

    def __init__(self, token=None, *, raises=True):
        self.token = token
        self.client = Client(raise_request_exception=raises)

    def headers(self, extra):
        own = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return own | (extra or {})

    def send(self, method, path, body=None, *, headers=None, **options):
        path = path if path.startswith("/") else f"/api/v1/{path}"
        if body is not None:
            options |= {"data": body, "content_type": "application/json"}
        elif method == "post" and "data" not in options:
            # Django's client would send an empty form.
            options |= {"data": b"", "content_type": "application/json"}
        return getattr(self.client, method)(path, headers=self.headers(headers), **options)

    def get(self, path, data=None, **options):
        return self.send("get", path, data=data or {}, **options)

    def post(self, path, body=None, **options):
        return self.send("post", path, body, **options)

    def patch(self, path, body=None, **options):
        return self.send("patch", path, body, **options)

    def put(self, path, body=None, **options):
        return self.send("put", path, body, **options)

    def delete(self, path, body=None, **options):
        return self.send("delete", path, body, **options)


@pytest.fixture
def as_role(tenant):
    """A function (role, **options of make_token) -> Api."""
    return lambda role="admin", **options: Api(make_token(tenant, role, **options))


@pytest.fixture
def admin(as_role):
    """The API in the hands of an administrator of Acme."""
    return as_role("admin")


@pytest.fixture
def seller(as_role):
    """The API in the hands of a seller."""
    return as_role("seller")


@pytest.fixture
def anonymous(db):
    """The API in nobody's hands."""
    return Api()
