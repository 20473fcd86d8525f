"""Tenants: what belongs to another business is not there, on every route of the resolver."""

import re
import uuid

import pytest

from customers.models import Customer
from customers.services import add_device, set_charge_account, set_store_profile
from tenancy.models import Store
from tenancy.scoping import all_tenants, in_tenant
from tests.api.routes import called, endpoints, filled, is_public
from tests.factories import CustomerFactory, StoreFactory

pytestmark = pytest.mark.django_db

ABOUT_ONE = [
    endpoint
    for endpoint in endpoints()
    if "<str:customer_id>" in endpoint[1] and not is_public(endpoint[2])
]
BODIES = {
    "post": [{}, {"address": "a@b.no"}, {"given": "90000002"}, {"key": "k"}, {"token": "t"}],
    "patch": [{"first_name": "Mallory"}],
    "put": [{"note": "x"}, {"number": "7"}],
    "get": [None],
    "delete": [None],
}


@pytest.fixture
def stranger(rival):
    """Mallory, who is a customer of the shop next door, with everything below her filled in."""
    mallory = CustomerFactory(
        tenant=rival,
        first_name="Mallory",
        external_id="ext-mallory",
        emails=[{"address": "mallory@example.org"}],
        phones=[{"given": "90000009"}],
        addresses=[{"street": "Nabogata 1", "city": "Oslo"}],
        contact_persons=[{"first_name": "Eve"}],
        labels=[{"key": "vip", "value": "yes"}],
        consents=[{"purpose": "marketing", "granted": True}],
    )
    with in_tenant(rival):
        add_device(mallory, "push-1")
        set_charge_account(mallory, number="77")
        set_store_profile(mallory, Store.objects.get(), note="theirs")
    return mallory


def told(answer):
    return (
        answer.status_code,
        re.sub(rb'"request_id":"\w+"', b"", answer.content),
        {name: value for name, value in answer.headers.items() if name != "X-Request-Id"},
    )


def everything():
    """All rows of all customers, to see that nothing moved."""
    with all_tenants():
        return list(Customer.objects.order_by("pk").values())


@pytest.mark.parametrize("endpoint", ABOUT_ONE, ids=called)
def test_a_foreign_customer_is_answered_like_a_missing_one(admin, acme, stranger, endpoint):
    method, route, _view_class, _action = endpoint
    before = everything()

    for body in BODIES[method]:
        foreign = admin.send(method, filled(route, customer_id=stranger.pk), body)
        missing = admin.send(method, filled(route, customer_id=uuid.uuid4()), body)

        assert told(foreign) == told(missing)
        assert foreign.status_code in (404, 400, 415)
    assert everything() == before


@pytest.mark.parametrize(
    ("parts", "template"),
    [
        ("emails", "emails/{}/"),
        ("phones", "phones/{}/"),
        ("addresses", "addresses/{}/"),
        ("contact_persons", "contact-persons/{}/"),
        ("labels", "labels/{}/"),
        ("devices", "devices/{}/"),
    ],
)
def test_a_foreign_part_is_missing_at_an_own_customer(admin, ada, stranger, parts, template):
    with all_tenants():
        foreign_id = getattr(stranger, parts).get().pk

    for method, body in (("get", None), ("patch", {}), ("delete", None)):
        path = f"customers/{ada.pk}/{template}"
        foreign = admin.send(method, path.format(foreign_id), body)
        missing = admin.send(method, path.format(uuid.uuid4()), body)

        assert told(foreign) == told(missing)
        assert foreign.status_code in (404, 405)


def test_a_list_never_shows_the_neighbours(admin, ada, stranger):
    for query in ({}, {"q": "mallory"}, {"email": "mallory@example.org"}, {"label": "vip"}):
        found = admin.get("customers/", query).json()["results"]

        assert str(stranger.pk) not in [row["id"] for row in found]


@pytest.mark.parametrize("field", ["home_store", "seller"])
def test_a_reference_to_a_foreign_row_is_refused_like_an_unknown_one(admin, acme, rival, field):
    foreign_id = StoreFactory(tenant=rival).pk

    foreign = admin.post("customers/", {"first_name": "A", field: str(foreign_id)})
    unknown = admin.post("customers/", {"first_name": "A", field: str(uuid.uuid4())})

    assert foreign.status_code == 400
    assert told(foreign)[1] == told(unknown)[1]


@pytest.mark.parametrize("name", ["store", "home_store", "group"])
def test_a_filter_by_a_foreign_row_is_refused_like_an_unknown_one(admin, acme, rival, name):
    from tests.factories import GroupFactory

    factory = GroupFactory if name == "group" else StoreFactory
    foreign_id = factory(tenant=rival).pk

    foreign = admin.get("customers/", {name: str(foreign_id)})
    unknown = admin.get("customers/", {name: str(uuid.uuid4())})

    assert foreign.status_code == 400
    assert told(foreign)[1] == told(unknown)[1]


def test_a_batch_cannot_reach_the_neighbours(admin, acme, stranger):
    before = everything()
    items = [{"id": str(stranger.pk), "first_name": "X"}, {"id": str(uuid.uuid4())}]

    answer = admin.post(
        "customers/batch/",
        {"update": items, "delete": [str(stranger.pk), str(uuid.uuid4())]},
    )

    assert [row["status"] for row in answer.json()["results"]] == [404] * 4
    assert everything() == before


def test_an_id_of_the_neighbours_cannot_be_claimed(admin, acme, stranger):
    answer = admin.post("customers/", {"id": str(stranger.pk), "first_name": "X"})

    assert answer.status_code == 409
    assert answer.json()["errors"][0]["field"] == "id"


def test_an_external_id_of_the_neighbours_is_free(admin, acme, stranger):
    answer = admin.post("customers/", {"external_id": "ext-mallory"})

    assert answer.status_code == 201
