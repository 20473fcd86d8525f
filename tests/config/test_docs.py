"""`/docs/`: every API that is spoken here, each with what there is to read about it."""

import re
from dataclasses import replace

import jsonschema
import pytest
from drf_spectacular.validation import validate_schema

from config import docs
from config.dialects_openapi import openapi
from config.dialects_page import dialects, serves
from tests.factories import CustomerFactory, UserFactory, make_token

JSON_DIALECTS = [dialect for dialect in dialects() if dialect.speaks_json]
each = pytest.mark.parametrize("dialect", JSON_DIALECTS, ids=lambda dialect: dialect.name)


@each
def test_the_document_of_a_dialect_is_valid_and_tells_exactly_what_is_served(dialect):
    document = openapi(dialect)

    validate_schema(document)
    told = {
        f"{method.upper()} {path.replace('{', '<').replace('}', '>')}"
        for path, methods in document["paths"].items()
        for method in methods
    }
    assert told == {endpoint for endpoint in dialect.endpoints if serves(endpoint)}
    operations = [one for methods in document["paths"].values() for one in methods.values()]
    assert len({one["operationId"] for one in operations}) == len(operations)
    assert all(one["summary"] for one in operations)
    assert document["components"]["securitySchemes"]


@each
def test_what_is_described_is_an_endpoint(dialect):
    assert set(dialect.described) <= set(dialect.endpoints)


@pytest.mark.parametrize(
    ("path", "asked", "wrong"),
    [
        ("/OpenApi2/Customers", "/OpenApi2/Customers", "limit=x"),
        ("/pos/v2/{locationId}/customers", "/pos/v2/1/customers", "page=x"),
        ("/v2/tenants/{tenantUid}/customers", "/v2/tenants/acme/customers", "pageSize=x"),
    ],
)
def test_a_document_tells_the_truth_about_answers(client, acme, ada, path, asked, wrong):
    CustomerFactory(tenant=acme)
    token = make_token(acme)
    headers = {"X-Api-Key": token, "Authorization": f"Bearer {token}"}
    document = next(d for d in map(openapi, JSON_DIALECTS) if path in d["paths"])
    responses = document["paths"][path]["get"]["responses"]

    for query, status in (("", "200"), (wrong, "400")):
        answer = client.get(f"{asked}?{query}", headers=headers)

        assert str(answer.status_code) == status
        schema = responses[status]["content"]["application/json"]["schema"]
        whole = _strict({**schema, "components": document["components"]})
        jsonschema.validate(answer.json(), whole)


def _strict(schema):
    """The schema with null where it may be, and without room for what it does not name."""
    if isinstance(schema, list):
        return [_strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {name: _strict(value) for name, value in schema.items()}
    if strict.get("nullable") and isinstance(strict.get("type"), str):
        strict["type"] = [strict["type"], "null"]
    if isinstance(strict.get("properties"), dict) and strict.get("type") == "object":
        strict |= {"additionalProperties": False, "required": list(strict["properties"])}
    return strict


@pytest.mark.django_db
def test_the_page_lists_every_api_and_each_link_leads_somewhere(client, settings):
    settings.OPEN_SCHEMA = True

    answer = client.get("/docs/")

    text = answer.content.decode()
    assert all(dialect.label in text for dialect in dialects())
    links = re.findall(r'href="(/[^"]+)"', text)
    assert len(links) >= 3 + 3 * len(JSON_DIALECTS)
    for link in links:
        page = client.get(link)
        assert page.status_code == 200, link
        assert "default-src 'none'" in page["Content-Security-Policy"]
        if not link.endswith((".json", "/schema/")):
            hosts = set(re.findall(r"https?://([\w.-]+)", page.content.decode()))
            assert hosts <= {"testserver"}, link


@pytest.mark.django_db
def test_the_pages_need_a_sign_in_where_the_operator_wants_one(client, settings):
    settings.OPEN_SCHEMA = False
    paths = ["/docs/", "/docs", "/docs/fieldpine/", "/docs/fieldpine/openapi.json"]

    strangers = [client.get(path).status_code for path in paths]
    client.force_login(UserFactory())
    staff = [client.get(path).status_code for path in paths]

    assert (strangers, staff) == ([302] * 4, [200] * 4)


def test_a_dialect_that_speaks_no_json_has_a_page(rf):
    dialect = replace(JSON_DIALECTS[0], name="other", format="XML")

    page = docs.page_of(dialect)(rf.get("/docs/other/")).content.decode()

    assert all(endpoint in page.replace("&lt;", "<").replace("&gt;", ">") for endpoint in
               dialect.endpoints)  # fmt: skip
    assert all(name in page for name in (*dialect.spoken, *dialect.unspoken))
