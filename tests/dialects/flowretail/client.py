"""Flow Retail's API in the hands of a test: JSON, also with DELETE."""

import json

from django.test import Client


class FlowRetail:
    """`api.post("", {"firstname": "Ada"})` below the customers of a tenant."""

    def __init__(self, token=None, *, tenant="acme", base="/v2/tenants", raises=True):
        self.token = token
        self.root = f"{base}/{tenant}"
        self.client = Client(raise_request_exception=raises)

    def send(self, method, path="", body=None, *, headers=None, **options):
        """Send `body` as JSON, bytes as they are. A path that begins with a slash is below the
        tenant, any other below its customers."""
        path = f"{path}" if isinstance(path, str) else str(path)
        path = f"{self.root}{path}" if path.startswith("/") else f"{self.root}/customers/{path}"
        own = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        data = body if isinstance(body, bytes) else b"" if body is None else _dumps(body)
        options.setdefault("content_type", "application/json")
        return self.client.generic(method, path, data, headers=own | (headers or {}), **options)

    def get(self, path="", asked=None, **options):
        return self.send("GET", path, query_params=asked or {}, **options)

    def post(self, path="", body=None, **options):
        return self.send("POST", path, body, **options)

    def put(self, path="", body=None, **options):
        return self.send("PUT", path, body, **options)

    def delete(self, path="", body=None, **options):
        return self.send("DELETE", path, body, **options)

    def make(self, **fields):
        """Register somebody; the customer as answered."""
        answer = self.post("", {"firstname": "Ola", **fields})
        assert answer.status_code == 201, answer.content
        return answer.json()

    def found(self, **criteria):
        """The first names of whom a search finds."""
        answer = self.post("search", criteria)
        assert answer.status_code == 200, answer.content
        return sorted(customer["firstname"] for customer in answer.json()["items"])


def _dumps(body):
    return json.dumps(body).encode()


def fields_of(answer):
    """The names of the fields that a refusal speaks of."""
    return [error["field"] for error in answer.json()["errors"]]
