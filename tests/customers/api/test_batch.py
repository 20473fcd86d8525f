"""Batches: every item on its own, with the rights and the words of the single endpoint."""

import uuid

import pytest

from customers.models import Customer
from tenancy.services import update_tenant
from tests.factories import CustomerFactory, StoreFactory

pytestmark = pytest.mark.django_db


def statuses(answer):
    return [(row["deed"], row["index"], row["status"]) for row in answer.json()["results"]]


def test_all_four_deeds_in_one_request(admin, ada, grace):
    answer = admin.post(
        "customers/batch/",
        {
            "create": [{"first_name": "Bob"}],
            "update": [{"id": str(ada.pk), "first_name": "Adele"}],
            "delete": [str(grace.pk)],
            "upsert": [{"external_id": "new-1", "first_name": "Eve"}],
        },
    )

    assert answer.status_code == 200, answer.content
    assert statuses(answer) == [
        ("create", 0, 201),
        ("update", 0, 200),
        ("delete", 0, 204),
        ("upsert", 0, 201),
    ]
    assert set(Customer.objects.values_list("first_name", flat=True)) == {"Bob", "Adele", "Eve"}


def test_one_bad_item_loses_no_other(admin, ada):
    items = [{"first_name": "A"}, {"emails": [{"address": "nonsense"}]}, {"first_name": "C"}]

    answer = admin.post("customers/batch/", {"create": items})

    assert answer.status_code == 207
    assert [row["status"] for row in answer.json()["results"]] == [201, 400, 201]
    assert answer.json()["results"][1]["errors"][0]["field"] == "emails.0.address"
    assert Customer.objects.count() == 3


def test_an_upsert_changes_by_id_else_by_external_id(admin, ada):
    new_id = str(uuid.uuid4())
    items = [
        {"id": str(ada.pk), "first_name": "Adele"},
        {"external_id": "ext-ada", "last_name": "King"},
        {"id": new_id, "first_name": "Bob"},
        {"external_id": "ext-eve", "first_name": "Eve"},
        {"external_id": "ext-eve", "first_name": "Eva"},
    ]

    answer = admin.post("customers/batch/", {"upsert": items})

    assert [row["status"] for row in answer.json()["results"]] == [200, 200, 201, 201, 200]
    ada.refresh_from_db()
    assert (ada.first_name, ada.last_name) == ("Adele", "King")
    assert Customer.objects.get(external_id="ext-eve").first_name == "Eva"
    assert Customer.objects.filter(pk=new_id).exists()


def test_a_batch_sent_again_with_its_key_is_one_batch(admin, ada):
    body = {
        "create": [{"first_name": f"P{n}"} for n in range(20)] + [{"first_name": 5}],
        "upsert": [{"external_id": "u-1", "first_name": "U"}],
        "update": [{"id": str(ada.pk), "first_name": "Adele"}],
    }

    answers = [
        admin.post("customers/batch/", body, headers={"Idempotency-Key": "b1"}) for _n in range(5)
    ]

    assert {answer.status_code for answer in answers} == {207}
    assert len({answer.content for answer in answers}) == 1
    assert Customer.objects.count() == 22
    ada.refresh_from_db()
    assert ada.version == 2


@pytest.mark.parametrize(
    "body",
    [
        [],
        {"creates": []},
        {"create": {}},
        {"create": "x"},
        {"create": None},
        {"create": [], "nonsense": []},
    ],
)
def test_a_body_that_is_no_batch_is_refused_whole(admin, acme, body):
    assert admin.post("customers/batch/", body).status_code == 400


def test_too_many_items_are_refused_whole(admin, acme, settings):
    settings.API_BATCH_LIMIT = 3

    answer = admin.post(
        "customers/batch/", {"create": [{"first_name": "A"}] * 2, "upsert": [{}] * 2}
    )

    assert answer.status_code == 400
    assert not Customer.objects.exists()


@pytest.mark.parametrize(
    ("deed", "item", "status"),
    [
        ("create", "x", 400),
        ("create", None, 400),
        ("create", [], 400),
        ("create", {"number": 7, "first_name": "A"}, 400),
        ("create", {"version": 7, "first_name": "A"}, 400),
        ("update", {"first_name": "A"}, 400),
        ("update", {"id": "x"}, 400),
        ("update", {"id": 5}, 400),
        ("update", {"id": str(uuid.uuid4())}, 404),
        ("delete", "x", 400),
        ("delete", 5, 400),
        ("delete", {}, 400),
        ("delete", {"id": str(uuid.uuid4()), "force": True}, 404),
        ("delete", str(uuid.uuid4()), 404),
        ("upsert", {"first_name": "A"}, 400),
        ("upsert", {"id": "x", "first_name": "A"}, 400),
        ("upsert", {"external_id": 5, "first_name": "A"}, 400),
        ("upsert", {"external_id": "x" * 201}, 400),
    ],
)
def test_a_bad_item_is_refused_on_its_own(admin, acme, deed, item, status):
    answer = admin.post("customers/batch/", {deed: [item]})

    assert answer.status_code == 207
    assert [row["status"] for row in answer.json()["results"]] == [status]


@pytest.mark.parametrize(
    ("version", "status"),
    [(7, 412), (0, 412), (-1, 412), (2**40, 412), ("1", 400), (True, 400), (1.5, 400)],
)
def test_an_item_that_names_another_version_is_refused(admin, ada, version, status):
    answer = admin.post(
        "customers/batch/",
        {
            "update": [{"id": str(ada.pk), "version": version, "first_name": "X"}],
            "delete": [{"id": str(ada.pk), "version": version}],
        },
    )

    assert [row["status"] for row in answer.json()["results"]] == [status] * 2
    assert Customer.objects.get().version == 1


def test_a_strict_tenant_requires_the_version_of_each_item(admin, acme, ada):
    update_tenant(acme, settings={"require_if_match": True})
    items = [{"id": str(ada.pk), "first_name": "X"}, {"id": str(ada.pk), "version": 1, "name": "Y"}]

    answer = admin.post("customers/batch/", {"update": items, "delete": [str(ada.pk)]})

    assert [row["status"] for row in answer.json()["results"]] == [428, 200, 428]


def test_a_seller_has_the_same_rights_in_a_batch_as_alone(seller, ada, grace):
    answer = seller.post(
        "customers/batch/",
        {
            "create": [{"first_name": "A"}, {"first_name": "A", "external_id": "x"}],
            "update": [{"id": str(ada.pk), "credit_limit": 5}],
            "delete": [str(grace.pk)],
        },
    )

    assert [row["status"] for row in answer.json()["results"]] == [201, 403, 403, 403]
    assert Customer.objects.filter(pk=grace.pk).exists()


def test_a_customer_may_not_send_batches(as_role, ada):
    assert as_role("customer", customer=ada).post("customers/batch/", {}).status_code == 403


def test_a_token_of_one_store_registers_only_there_in_a_batch_too(as_role, acme):
    north, south = StoreFactory(tenant=acme, code="north"), StoreFactory(tenant=acme, code="south")
    api = as_role("seller", stores=[north])

    answer = api.post(
        "customers/batch/",
        {"create": [{"first_name": "A"}, {"first_name": "B", "home_store": "south"}]},
    )

    assert [row["status"] for row in answer.json()["results"]] == [201, 403]
    assert Customer.objects.get().home_store == north
    assert not Customer.objects.filter(home_store=south).exists()


def test_the_same_identifier_twice_in_one_batch_makes_one(admin, acme):
    CustomerFactory(tenant=acme, external_id="e-1")
    items = [{"external_id": "e-1"}, {"external_id": "e-2"}, {"external_id": "e-2"}]

    answer = admin.post("customers/batch/", {"create": items})

    assert [row["status"] for row in answer.json()["results"]] == [409, 201, 409]
