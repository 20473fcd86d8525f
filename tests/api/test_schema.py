"""The schema and its viewers: true, complete, and without a request to another host."""

import re

import pytest
import yaml
from drf_spectacular.generators import SchemaGenerator

from tests.api.routes import endpoints
from tests.factories import UserFactory

pages = pytest.mark.parametrize("page", ["schema", "docs", "redoc"])


@pytest.fixture(scope="module")
def schema():
    return SchemaGenerator().get_schema(request=None, public=True)


def operations(schema):
    return [
        (path, method, operation)
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_route_is_described_once(schema):
    described = {
        (method, re.sub(r"\{(\w+)\}", r"<\1>", path)) for path, method, _op in operations(schema)
    }
    routes = {
        # The schema calls a primary key by its name.
        (method, "/" + re.sub(r"<\w+:(\w+)>", r"<\1>", route).replace("<pk>", "<id>"))
        for method, route, _view, _action in endpoints()
    }

    assert routes == described


def test_operation_ids_are_unique(schema):
    ids = [operation["operationId"] for _path, _method, operation in operations(schema)]

    assert len(set(ids)) == len(ids)


def test_every_operation_says_who_may_call_it(schema):
    silent = [
        operation["operationId"]
        for _path, _method, operation in operations(schema)
        if not re.search(
            r"(For administrators.*\.|Needs no credential\.)$", operation["description"]
        )
    ]

    assert silent == []


def test_every_operation_names_its_refusals(schema):
    for _path, method, operation in operations(schema):
        statuses = set(operation["responses"])

        assert {"400", "429", "503"} <= statuses
        assert method == "get" or "409" in statuses


def test_every_closed_operation_asks_for_the_token(schema):
    for _path, _method, operation in operations(schema):
        public = "Needs no credential." in operation["description"]

        assert ({"token": []} in operation.get("security", [])) is not public


def test_every_post_that_writes_takes_an_idempotency_key(schema):
    without = {
        operation["operationId"]
        for _path, method, operation in operations(schema)
        if method == "post"
        and "Needs no credential." not in operation["description"]
        and "Idempotency-Key" not in {p["name"] for p in operation.get("parameters", ())}
    }

    reading = {"customers_search", "customers_check", "redemptions_find", "message_texts_preview"}
    assert without == reading


@pages
@pytest.mark.django_db
def test_the_pages_are_open_where_the_operator_says_so(client, settings, page):
    settings.OPEN_SCHEMA = True

    assert client.get(f"/api/v1/{page}/").status_code == 200


@pages
@pytest.mark.django_db
def test_the_pages_need_a_sign_in_elsewhere(client, settings, page):
    settings.OPEN_SCHEMA = False

    stranger = client.get(f"/api/v1/{page}/")
    client.force_login(UserFactory())
    staff = client.get(f"/api/v1/{page}/")

    assert stranger.status_code == 302
    assert stranger["Location"].startswith("/admin/login/")
    assert staff.status_code == 200


@pytest.mark.parametrize("page", ["docs/", "docs/?script=", "redoc/"])
@pytest.mark.django_db
def test_the_viewers_name_no_other_host(client, settings, page):
    settings.OPEN_SCHEMA = True

    answer = client.get(f"/api/v1/{page}")

    assert answer.status_code == 200
    hosts = set(re.findall(r"https?://([\w.-]+)", answer.content.decode()))
    assert hosts <= {"testserver"}
    assert "default-src 'none'" in answer["Content-Security-Policy"]


@pytest.mark.django_db
def test_the_schema_is_served_as_yaml_and_json(client, settings):
    settings.OPEN_SCHEMA = True

    as_yaml = yaml.safe_load(client.get("/api/v1/schema/").content)
    as_json = client.get("/api/v1/schema/", {"format": "json"}).json()

    assert as_yaml["paths"].keys() == as_json["paths"].keys()
