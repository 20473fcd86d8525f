"""The dialects' routes: where they stand, and whose words a refusal gets."""

import pytest
from django.conf import settings
from django.test import Client
from django.urls import URLResolver, get_resolver

from config.dialects_page import dialects, page, serves
from tenancy.models import RESERVED_CODES

TENANT = "<str:tenant_code>"


def templates(patterns=None, prefix=""):
    """Every route of the installation, as its path segments."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from templates(pattern.url_patterns, path)
        else:
            yield path.split("/")


def words_beside_a_tenant():
    """The plain words that stand where another route has a tenant's code."""
    routes = list(templates())
    before = {
        tuple(route[: route.index(TENANT)]) for route in routes if TENANT in route
    }  # fmt: skip
    return {
        route[len(start)]
        for start in before
        for route in routes
        if len(route) > len(start) and tuple(route[: len(start)]) == start
        if route[len(start)].isalnum()
    }


def test_words_that_stand_in_a_tenants_place_are_reserved():
    words = words_beside_a_tenant()

    assert {"v1", "admin", "seller", "customer", "token"} <= words
    assert words <= RESERVED_CODES


def test_the_page_in_the_docs_is_what_the_code_says():
    text = (settings.BASE_DIR / "docs" / "dialects.md").read_text("utf-8")

    assert page() == text, "run: manage.py dialects --write"


def test_every_dialect_has_a_page_of_its_own():
    for dialect in dialects():
        assert (settings.BASE_DIR / "docs" / "dialects" / f"{dialect.name}.md").exists()


def test_an_endpoint_that_nobody_serves_is_told_as_such():
    assert serves("GET /api/<storeCode>/customer")
    assert not serves("DELETE /api/<storeCode>/customer")
    assert not serves("GET /api/<storeCode>/nothing")
    assert not serves("GET /elsewhere")


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/api/v1/nothing/", "application/problem+json"),
        ("/api/v3/nothing/", "application/problem+json"),
        ("/api/", "application/problem+json"),
        ("/api/shop/nothing/", "application/json"),
        ("/api/shop", "application/json"),
        ("/API/V3/Nope", "text/xml; charset=utf-8"),
        ("/API/V3", "text/xml; charset=utf-8"),
        ("/pos/v2", "application/json"),
        ("/pos/v2/1/nothing", "application/json"),
        ("/tenants", "application/json"),
        ("/v2/tenants", "application/json"),
        ("/v2/tenants/shop/nothing", "application/json"),
        ("/OpenApi2", "application/json"),
        ("/openapi2_3,4/nothing", "application/json"),
        ("/nothing/", "text/html; charset=utf-8"),
    ],
)
def test_what_is_not_there_is_said_in_the_words_of_its_place(db, path, content_type):
    for method in ("get", "post", "options"):
        answer = getattr(Client(), method)(path)

        assert (answer.status_code, answer["Content-Type"]) == (404, content_type)


def test_a_wrong_host_is_refused_in_the_words_of_the_place(db):
    answer = Client().get("/api/shop/customer", headers={"Host": "evil.example"})

    assert answer.status_code == 400
    assert set(answer.json()) == {"error"}


def test_a_body_that_is_too_long_is_refused_in_the_words_of_the_place(db, settings):
    settings.MAX_UPLOAD_BYTES = 10

    told = [
        Client().post(path, b"x" * 11, content_type="application/json")["Content-Type"]
        for path in ("/api/v1/customers/", "/api/shop/customer", "/nothing/")
    ]

    assert told == ["application/problem+json", "application/json", "application/problem+json"]


PLACES = {
    "/api/v1/customers/": b'"status":500',
    "/api/shop/customer": b'"error": {',
    "/OpenApi2/Customers": b'"error":{"Code":',
    "/pos/v2/1/customers": b'"error":{"code":',
    "/v2/tenants/shop/customers": b'"errors":[]',
    "/API/V3/Customer": b'<rsp stat="fail"',
}


@pytest.mark.parametrize(
    "broken",
    [
        "config.middleware.AdminTenantMiddleware.__call__",
        "api.authentication.TokenAuthentication._principal",
    ],
)
def test_a_bug_is_told_in_the_words_of_the_place(db, monkeypatch, broken):
    """Outside of any view, and inside of one."""

    def fail(*args, **options):
        raise RuntimeError("ada@example.org")

    monkeypatch.setattr(broken, fail)
    client = Client(raise_request_exception=False)
    headers = {"Authorization": "Bearer x", "X-Api-Key": "x"}

    answers = {path: client.get(path, headers=headers) for path in PLACES}

    assert {answer.status_code for answer in answers.values()} == {500}
    for path, words in PLACES.items():
        assert words in answers[path].content, path
        assert b"example" not in answers[path].content
