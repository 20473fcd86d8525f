"""Fieldpine's API in the hands of a test."""

import json

from django.test import Client

HERE = "/OpenApi2/Customers"


class Fieldpine:
    """`api.post({"Name": "Pat"})`, `api.get("englishquery=pat")`; a path begins with a slash."""

    def __init__(self, token=None, *, raises=True):
        self.token = token
        self.client = Client(raise_request_exception=raises)

    def send(self, method, path=HERE, body=None, *, headers=None, content_type="application/json"):
        data = body if isinstance(body, (bytes, str)) else json.dumps(body)
        own = {"X-Api-Key": self.token} if self.token else {}
        return self.client.generic(
            method,
            path,
            b"" if body is None else data,
            content_type=content_type,
            headers=own | (headers or {}),
        )

    def post(self, body, path=HERE, **options):
        return self.send("POST", path, body, **options)

    def get(self, asked="", **options):
        path = asked if asked.startswith("/") else f"{HERE}?{asked}"
        return self.send("GET", path, **options)

    def rows(self, asked=""):
        """The rows of an answer that must be right, streamed or not."""
        answer = self.get(asked)
        assert answer.status_code == 200, answer.content
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        return json.loads(content)["data"]

    def made(self, **fields):
        """The row of somebody who is registered now."""
        answer = self.post(fields)
        assert answer.status_code == 200, answer.content
        return answer.json()["data"]


def is_packet(answer, status):
    """Whether the answer refuses with one error packet."""
    if answer.status_code != status or answer["Content-Type"] != "application/json":
        return False
    error = answer.json()["error"]
    return (
        set(answer.json()) == {"error"}
        and isinstance(error["Code"], int)
        and bool(error["Message"])
        and error["Severity"] == "Error"
    )
