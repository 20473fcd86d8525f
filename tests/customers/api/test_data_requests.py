"""Requests of people about their data over the API."""

import pytest

from customers.models import DataRequest

pytestmark = pytest.mark.django_db
URL = "/api/v1/data-requests/"


@pytest.fixture
def body(ada):
    return {"customer": str(ada.pk), "kind": "access", "channel": "web", "identity": "signed_in"}


def test_a_request_goes_from_the_asking_to_the_answer(admin, body, ada):
    made = admin.post(URL, body)
    assert (made.status_code, made.json()["state"]) == (201, "open")
    one = f"{URL}{made.json()['id']}/"

    assert admin.post(f"{one}complete/", {}).status_code == 409
    copy = admin.post(f"{one}hand-out/")
    assert str(ada.pk) in copy.content.decode()
    done = admin.post(f"{one}complete/", {"reason": "sent"})

    assert (done.status_code, done.json()["state"]) == (200, "done")
    assert admin.get(one).json()["exported_at"]
    assert admin.post(f"{one}refuse/", {"reason": "late"}).status_code == 409


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("customer", "7"),
        ("customer", "00000000-0000-4000-8000-000000000000"),
        ("customer", None),
        ("kind", "burn"),
        ("kind", 7),
        ("channel", []),
        ("received_on", "2999-01-01"),
        ("odd", "x"),
    ],
)
def test_what_is_wrong_is_named(admin, body, field, value):
    answer = admin.post(URL, {**body, field: value})

    assert answer.status_code == 400
    assert field in answer.content.decode()
    assert not DataRequest.objects.exists()


def test_the_same_twice_is_a_conflict_and_so_is_an_unchecked_identity(admin, body):
    made = admin.post(URL, {**body, "identity": ""}).json()

    assert admin.post(URL, body).status_code == 409
    assert admin.post(f"{URL}{made['id']}/hand-out/").status_code == 409
    assert admin.post(f"{URL}{made['id']}/identify/", {"identity": "x"}).status_code == 400
    held = admin.post(f"{URL}{made['id']}/hold/", {"reason": "many systems"})
    assert held.json()["state"] == "held"
    assert admin.post(f"{URL}{made['id']}/resume/").json()["state"] == "open"
    assert admin.post(f"{URL}{made['id']}/complete/", {"deactivate": "yes"}).status_code == 400


def test_the_board_is_filtered(admin, body, ada, grace, django_assert_max_num_queries):
    admin.post(URL, {**body, "received_on": "2026-01-31"})
    with django_assert_max_num_queries(8):
        assert len(admin.get(URL).json()["results"]) == 1

    def found(query):
        return len(admin.get(f"{URL}?{query}").json()["results"])

    assert found(f"customer={ada.pk}&state=open&kind=access&due_by=2026-02-28") == 1
    assert found(f"customer={grace.pk}") == 0
    assert found("due_by=2026-02-27") == 0
    assert admin.get(f"{URL}?state=odd").status_code == 400


def test_an_erasure_tells_what_the_searches_found(admin, body, ada, run_jobs):
    one = f"{URL}{admin.post(URL, {**body, 'kind': 'erase'}).json()['id']}/"
    assert admin.get(one).json()["receipt"] is None

    assert admin.post(f"/api/v1/customers/{ada.pk}/anonymise/").status_code == 204
    waiting = admin.get(one).json()["receipt"]
    run_jobs()

    assert (waiting["search"], waiting["elsewhere"]) == ("waiting", None)
    (asked,) = admin.get(URL).json()["results"]
    told = asked["receipt"]
    assert (told["search"], told["own_rows"]["clean"]) == ("done", True)
    assert told["searched_at"]
    assert told["elsewhere"].keys() == {"clean", "searched", "left", "elsewhere"}
    assert told["elsewhere"]["left"] == []
    assert "lovelace" not in str(told).lower()


def test_a_seller_has_no_part_in_it(seller, body):
    assert seller.post(URL, body).status_code == 403
    assert seller.get(URL).status_code == 403
