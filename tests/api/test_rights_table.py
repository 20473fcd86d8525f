"""The permission table and the endpoints know each other completely."""

import pytest
from django.urls import URLPattern, get_resolver

from api.views import ViewSet
from tenancy.permissions import (
    ADMIN,
    CUSTOMER,
    MODEL_OPERATIONS,
    OPERATIONS,
    ROLE_SCOPES,
    SCOPES,
    SELLER,
    SERVICE,
    allows,
)

# Asked inside an endpoint of another name, or outside of the API.
WITHOUT_ENDPOINT = {
    "session.change_password": "asked by a dialect; staff use the back office, customers their own",
    "points.send": "asked by a dialect",
    "customers.import": "imports run as a command",
    "customers.batch_delete": "asked for a batch that deletes",
    "customers.export_all": "asked where a list streams every customer",
}


def endpoints(patterns=None, prefix=""):
    """(path, method, operation) of every endpoint of the house API."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        path = prefix + str(pattern.pattern)
        if not isinstance(pattern, URLPattern):
            yield from endpoints(pattern.url_patterns, path)
            continue
        view_class = getattr(pattern.callback, "cls", None)
        if view_class is None or not issubclass(view_class, ViewSet):
            continue
        for method, action in pattern.callback.actions.items():
            view = view_class(**pattern.callback.initkwargs)
            view.action = action
            yield path, method, view.operation


def test_every_endpoint_has_its_line_in_the_table():
    missing = [row for row in endpoints() if row[2] not in OPERATIONS]

    assert missing == []


def test_every_line_of_the_table_has_its_endpoint_or_says_why_not():
    named = {operation for _path, _method, operation in endpoints()}

    assert set(OPERATIONS) - named == set(WITHOUT_ENDPOINT)


def test_endpoints_without_a_credential_are_the_public_ones():
    open_ones = {path for path, _method, name in endpoints() if OPERATIONS[name].anonymous}

    assert open_ones
    assert {path.startswith("api/v1/tenants/<str:tenant_code>/") for path in open_ones} == {True}


def test_the_back_office_asks_the_same_table():
    asked = {name for names in MODEL_OPERATIONS.values() for name in names if name}

    assert asked <= set(OPERATIONS)


def test_every_scope_opens_something_or_is_asked_by_name():
    opening = {rule.scope for rule in OPERATIONS.values() if rule.scope}

    assert set(SCOPES) - opening <= {"customers:merge", "password_hash"}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_who_may_is_decided_for_every_role(operation):
    rule = OPERATIONS[operation]

    may = {
        ADMIN: allows(operation, role=ADMIN, scopes=ROLE_SCOPES[ADMIN]),
        SELLER: allows(operation, role=SELLER, scopes=ROLE_SCOPES[SELLER]),
        SERVICE: allows(operation, role=SERVICE, scopes=frozenset()),
        CUSTOMER: allows(operation, role=CUSTOMER, scopes=frozenset()),
    }

    assert may[ADMIN]
    assert may[SELLER] == (
        rule.anonymous
        or (rule.seller and (rule.scope is None or rule.scope in ROLE_SCOPES[SELLER]))
    )
    assert may[SERVICE] == (rule.anonymous or rule.scope is None)
    assert may[CUSTOMER] == (rule.anonymous or rule.own)


def test_an_operation_that_nobody_named_crashes():
    with pytest.raises(KeyError):
        allows("customers.teleport", role=ADMIN, scopes=ROLE_SCOPES[ADMIN])
