"""Who may call what: every route of the resolver against the permission table."""

import re

import pytest

from api.permissions import TablePermission
from tenancy.permissions import OPERATIONS, SCOPES
from tests.api.routes import called, endpoints, filled, is_public, operation_of
from tests.api_client import Api
from tests.factories import make_token

pytestmark = pytest.mark.django_db

CLOSED = [endpoint for endpoint in endpoints() if not is_public(endpoint[2])]
# What a caller with the right gets from an empty request on a missing thing.
LET_IN = {200, 201, 202, 204, 400, 404, 409, 415, 428}


def send(api, endpoint, **values):
    method, route, _view_class, _action = endpoint
    body = None if method == "get" else {}
    return api.send(method, filled(route, **values), body)


def test_there_are_routes_to_test():
    assert len(CLOSED) > 50


@pytest.mark.parametrize("endpoint", endpoints(), ids=called)
def test_every_operation_has_its_row(endpoint):
    _method, _route, view_class, action = endpoint

    assert operation_of(view_class, action) in OPERATIONS


@pytest.mark.parametrize("endpoint", CLOSED, ids=called)
def test_nobody_gets_in_without_a_token(anonymous, endpoint):
    answer = send(anonymous, endpoint)

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("role", ["admin", "seller", "customer"])
def test_each_role_may_what_the_table_says(as_role, ada, role):
    api = as_role(role, customer=ada)
    wrong = []

    for endpoint in CLOSED:
        rule = OPERATIONS[operation_of(endpoint[2], endpoint[3])]
        allowed = {
            "admin": rule.scope != "password_hash",
            "seller": rule.seller and _seller_has(rule.scope),
            "customer": rule.own,
        }[role]
        status = send(api, endpoint).status_code
        if status not in (LET_IN if allowed else {403}):
            wrong.append((called(endpoint), allowed, status))

    assert wrong == []


def _seller_has(scope):
    from tenancy.permissions import ROLE_SCOPES

    return scope is None or scope in ROLE_SCOPES["seller"]


def test_a_service_may_what_its_scopes_say(as_role):
    wrong = []

    for endpoint in CLOSED:
        scope = OPERATIONS[operation_of(endpoint[2], endpoint[3])].scope
        if scope is None:
            continue
        without = as_role("service", scopes=sorted(set(SCOPES) - {scope}))
        with_it = as_role("service", scopes=[scope])
        if send(without, endpoint).status_code != 403:
            wrong.append((called(endpoint), "without"))
        if send(with_it, endpoint).status_code not in LET_IN:
            wrong.append((called(endpoint), "with"))

    assert wrong == []


def test_an_operation_without_a_row_crashes():
    class Forgotten:
        action = "list"
        operation = "forgotten.list"

    with pytest.raises(KeyError):
        TablePermission().has_permission(None, Forgotten())


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer a b", "Basic abc", "Bearer \x7f", "Bearer " + "x" * 300, "Token abc"],
)
def test_a_bad_credential_is_refused(tenant, header):
    answer = Api().client.get("/api/v1/customers/", headers={"Authorization": header})

    assert answer.status_code == 401
    assert answer.json()["status"] == 401


def test_a_revoked_token_is_refused(tenant):
    from tenancy.services import principal_of, revoke_token

    plain = make_token(tenant)
    revoke_token(principal_of(plain).token)

    assert Api(plain).get("customers/").status_code == 401


def test_a_customer_sees_only_the_own_record(as_role, ada, grace):
    api = as_role("customer", customer=ada)

    assert api.get(f"customers/{ada.pk}/").status_code == 200
    assert api.get(f"customers/{grace.pk}/").status_code == 404


def test_every_foreign_record_is_missing_for_a_customer(as_role, ada, grace):
    api = as_role("customer", customer=ada)
    own = [
        endpoint
        for endpoint in CLOSED
        if "<str:customer_id>" in endpoint[1]
        and OPERATIONS[operation_of(endpoint[2], endpoint[3])].own
    ]
    wrong = []

    for endpoint in own:
        body = {"email": "x"} if endpoint[0] != "get" else None
        answer = api.send(endpoint[0], filled(endpoint[1], customer_id=grace.pk), body)
        missing = api.send(endpoint[0], filled(endpoint[1]), body)
        if answer.status_code not in (404, 415) or _told(answer) != _told(missing):
            wrong.append((called(endpoint), answer.status_code, answer.content))

    assert len(own) > 15
    assert wrong == []


def _told(answer):
    return re.sub(rb'"request_id":"\w+"', b"", answer.content)
