"""Conecto's API in the hands of a test."""

from django.test import Client


class Conecto:
    """`api.get(2, search="ada")`: the customers of location 2; a path begins with a slash."""

    def __init__(self, token=None, *, tenant=None, raises=True):
        self.token, self.tenant = token, tenant
        self.client = Client(raise_request_exception=raises)

    def send(self, method, path, fields=None):
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if method == "GET":
            return self.client.get(path, fields, headers=headers)
        return self.client.generic(method, path, b"{}", "application/json", headers=headers)

    def get(self, location, **asked):
        here = isinstance(location, str) and location.startswith("/")
        return self.send("GET", location if here else at(location), asked)

    def page(self, location, **asked):
        """The body of an answer that must be right."""
        answer = self.get(location, **asked)
        assert answer.status_code == 200, answer.content
        return answer.json()

    def refs(self, location, **asked):
        return [row["posRef"] for row in self.page(location, **asked)["results"]]


def at(location):
    return f"/pos/v2/{location}/customers"


def is_refusal(answer, status):
    if answer.status_code != status or answer["Content-Type"] != "application/json":
        return False
    return set(answer.json()) == {"error"} and set(answer.json()["error"]) == {"code", "message"}
