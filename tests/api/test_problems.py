"""Refusals: one form for all of them, wherever they come from."""

import pytest
from django.db import IntegrityError, OperationalError

from api.problems import Problem, problem_of
from customers.views.customers import CustomerViewSet

pytestmark = pytest.mark.django_db

MEMBERS = {"type", "title", "status", "detail", "request_id"}


def is_problem(answer, status):
    document = answer.json()
    return (
        answer.status_code == document["status"] == status
        and answer["Content-Type"] == "application/problem+json"
        and set(document) - {"errors"} == MEMBERS
        and document["request_id"] == answer["X-Request-Id"]
        and answer["Cache-Control"] == "no-store"
    )


@pytest.mark.parametrize(
    "path", ["/api/v1/nothing/", "/api/v1/customers/x/y/z/", "/api/", "/api/v2/customers/"]
)
def test_an_unknown_path_is_a_problem_too(admin, path):
    assert is_problem(admin.get(path), 404)


@pytest.mark.parametrize("customer_id", ["x", "1", "CUST-1", "%00", "0" * 400, "null", "..%2f"])
def test_an_id_that_cannot_be_one_is_missing(admin, customer_id):
    assert is_problem(admin.get(f"customers/{customer_id}/"), 404)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("put", "customers/"),
        ("delete", "customers/"),
        ("get", "customers/search/"),
        ("patch", "customers/check/"),
        ("options", "customers/"),
        ("get", "customers/batch/"),
    ],
)
def test_another_method_is_named_with_the_allowed_ones(admin, method, path):
    answer = admin.send(method, path)

    assert is_problem(answer, 405)
    assert answer["Allow"]


def test_a_wrong_host_is_a_problem_below_api(admin):
    answer = admin.client.get("/api/v1/customers/", headers=admin.headers({"Host": "evil.example"}))

    assert is_problem(answer, 400)


def test_an_unknown_path_elsewhere_is_a_page(admin):
    answer = admin.get("/nothing/")

    assert answer.status_code == 404
    assert answer["Content-Type"].startswith("text/html")


def test_an_unknown_format_is_named(admin, tenant):
    answer = admin.get("customers/", {"format": "xml"})

    assert is_problem(answer, 400)
    assert answer.json()["errors"][0]["field"] == "format"


def test_another_accept_is_not_acceptable(admin, tenant):
    assert is_problem(admin.get("customers/", headers={"Accept": "application/xml"}), 406)


def test_a_bug_answers_500_without_a_trace(as_role, monkeypatch, caplog):
    address = "@".join(["ada", "example.org"])

    def broken(*args, **kwargs):
        raise RuntimeError(address)

    monkeypatch.setattr(CustomerViewSet, "list", broken)
    api = as_role("admin")
    api.client.raise_request_exception = False

    answer = api.get("customers/")

    assert is_problem(answer, 500)
    assert address not in answer.text
    assert address not in caplog.text
    assert answer["X-Request-Id"] in caplog.text


def test_a_bug_reaches_the_test_that_meets_it(admin, monkeypatch):
    monkeypatch.setattr(CustomerViewSet, "list", lambda *args: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        admin.get("customers/")


@pytest.mark.parametrize(
    ("error", "status", "headers"),
    [
        (IntegrityError("x"), 409, set()),
        (OperationalError("database is locked"), 503, {"Retry-After"}),
        (OperationalError("canceling statement due to lock timeout"), 503, {"Retry-After"}),
        (RuntimeError("x"), 500, set()),
    ],
)
def test_what_a_database_error_means(error, status, headers):
    problem = problem_of(error)

    assert isinstance(problem, Problem)
    assert problem.status == status
    assert set(problem.headers) == headers
    assert "locked" not in problem.detail


def test_without_the_final_slash_it_is_the_same_endpoint(admin):
    created = admin.post("customers", {"first_name": "Ada"})
    one = f"customers/{created.json()['id']}"

    assert created.status_code == 201
    assert admin.get(one).json() == admin.get(f"{one}/").json()
    assert admin.patch(one, {"first_name": "Adele"}).status_code == 200
    assert admin.post(f"{one}/emails", {"address": "a@b.no"}).status_code == 201
    assert admin.delete(one).status_code == 204


def test_every_answer_forbids_caches_to_keep_it(admin, ada):
    for answer in (admin.get("customers/"), admin.get(f"customers/{ada.pk}/")):
        assert answer["Cache-Control"] == "no-store"


def test_too_many_requests_are_told_to_wait(admin, tenant, settings):
    settings.API_REQUESTS_PER_MINUTE = 2

    answers = [admin.get("customers/") for _n in range(4)]

    assert answers[-1].status_code == 429
    assert 1 <= int(answers[-1]["Retry-After"]) <= 60


@pytest.mark.parametrize("reason", ["x" * 501, "two\tparts"])
def test_a_reason_that_cannot_be_kept_is_refused(admin, ada, reason):
    answer = admin.post(f"customers/{ada.pk}/deactivate/", {}, headers={"X-Reason": reason})

    assert is_problem(answer, 400)


def test_a_reason_stands_in_the_history(admin, ada):
    admin.post(f"customers/{ada.pk}/deactivate/", {}, headers={"X-Reason": "asked for it"})

    latest = admin.get(f"customers/{ada.pk}/history/").json()["results"][0]
    assert latest["reason"] == "asked for it"
    assert latest["actor"]["kind"] == "staff"


def test_the_head_of_a_list_is_its_get_without_the_rows(admin, ada):
    answer = admin.client.head("/api/v1/customers/", headers=admin.headers(None))

    assert answer.status_code == 200
    assert answer.content == b""


@pytest.mark.parametrize("method", ["get", "patch", "delete"])
def test_an_unknown_parameter_is_refused_everywhere(admin, ada, method):
    answer = admin.send(method, f"customers/{ada.pk}/?force=true")

    assert is_problem(answer, 400)
    assert answer.json()["errors"][0]["field"] == "force"
