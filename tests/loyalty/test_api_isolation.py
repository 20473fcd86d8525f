"""What belongs to another business is not there, on every route of loyalty that names a row."""

import re
import uuid

import pytest

from loyalty.models import (
    EarningRule,
    Entry,
    Level,
    LoyaltyAccount,
    Redemption,
    Reward,
    Transaction,
)
from loyalty.services import (
    add_points,
    create_earning_rule,
    create_level,
    create_reward,
    record_transaction,
    redeem_reward,
)
from tenancy.scoping import all_tenants, in_tenant
from tests.api.routes import called, endpoints, filled
from tests.factories import CustomerFactory, StoreFactory
from tests.loyalty.story import NOON, refused

pytestmark = pytest.mark.django_db

ROWS = {
    "level_id": Level,
    "rule_id": EarningRule,
    "reward_id": Reward,
    "redemption_id": Redemption,
    "transaction_id": Transaction,
    "entry_id": Entry,
}
BY_ROW = [
    (endpoint, name)
    for endpoint in endpoints()
    for name in ROWS
    if f"<str:{name}>" in endpoint[1] and endpoint[2].__module__.startswith("loyalty.")
]
BODIES = {"patch": {"name": "Mine"}, "post": {"delivery": "shipped"}}


@pytest.fixture
def stranger(rival):
    """Mallory, a customer next door, with a row of everything."""
    mallory = CustomerFactory(tenant=rival, card_number="9001")
    with in_tenant(rival):
        add_points(mallory, points=10_00)
        create_level(name="Theirs", threshold=5)
        create_earning_rule(name="Theirs", kind="purchase", rate=1)
        redeem_reward(mallory, create_reward(name="Theirs", cost=1))
        record_transaction(mallory, number="T-1", amount=100, purchased_at=NOON)
    return mallory


def told(answer):
    return answer.status_code, re.sub(rb'"request_id":"\w+"', b"", answer.content)


def everything():
    with all_tenants():
        return [list(model.objects.order_by("pk").values()) for model in ROWS.values()]


def test_there_are_routes_to_test():
    assert {name for _endpoint, name in BY_ROW} == set(ROWS)
    assert len(BY_ROW) >= 15


@pytest.mark.parametrize(
    ("endpoint", "name"), BY_ROW, ids=lambda one: called(one) if isinstance(one, tuple) else one
)
def test_a_foreign_row_is_answered_like_a_missing_one(admin, acme, stranger, endpoint, name):
    method, route, _view_class, _action = endpoint
    with all_tenants():
        foreign_id = ROWS[name].objects.filter(tenant=stranger.tenant).order_by("pk").first().pk
    before = everything()

    foreign = admin.send(method, filled(route, **{name: foreign_id}), BODIES.get(method))
    missing = admin.send(method, filled(route, **{name: uuid.uuid4()}), BODIES.get(method))

    assert told(foreign) == told(missing)
    assert foreign.status_code == 404
    assert everything() == before


def test_a_list_never_shows_the_neighbours(admin, acme, stranger):
    for path in ("levels", "earning-rules", "rewards", "redemptions", "transactions", "points"):
        rows = admin.get(f"{path}/").json()["results"]
        assert [row for row in rows if row.get("name") == "Theirs" or row.get("customer")] == []
    for path in ("redemptions", "transactions", "points"):
        assert admin.get(f"{path}/", {"customer": str(stranger.pk)}).json()["results"] == []


def test_a_reference_to_a_foreign_row_is_refused_like_an_unknown_one(admin, ada, stranger, rival):
    add_points(ada, points=10_00)
    with all_tenants():
        level = Level.objects.filter(tenant=rival).first().pk
        reward = Reward.objects.filter(tenant=rival).first().pk
    store = StoreFactory(tenant=rival, code="rivals").pk
    own = f"customers/{ada.pk}/"
    sale = {"number": "S", "amount": 1, "purchased_at": "2026-03-10"}
    requests = [
        ("put", f"{own}level/", lambda key: {"level": key}, level),
        ("post", f"{own}redemptions/", lambda key: {"reward": key}, reward),
        ("post", f"{own}points/add/", lambda key: {"points": 1, "store": key}, store),
        ("post", f"{own}points/transfer/", lambda key: {"points": 1, "receiver": key}, stranger.pk),
        ("post", "transactions/", lambda key: {**sale, "customer": key}, stranger.pk),
        ("post", "rewards/", lambda key: {"name": "A", "cost": 1, "levels": [key]}, level),
        (
            "post",
            "earning-rules/",
            lambda key: {
                "name": "A",
                "kind": "purchase",
                "rate": 1,
                "multipliers": [{"level": key, "factor": 2}],
            },
            level,
        ),
    ]
    before = everything()

    for method, path, body, key in requests:
        foreign = admin.send(method, path, body(str(key)))
        unknown = admin.send(method, path, body(str(uuid.uuid4())))

        assert told(foreign) == told(unknown)
        assert foreign.status_code == 400
    by_card = admin.post("transactions/", {**sale, "match": {"card_number": "9001"}})
    assert refused(by_card) == {"match.card_number": "does_not_exist"}
    assert everything() == before


def test_every_row_points_into_its_own_tenant(admin, ada, grace, stranger):
    reward = create_reward(name="Bag", cost=1)
    for path, body in (
        ("points/add/", {"points": 10}),
        ("points/transfer/", {"points": 1, "receiver": str(grace.pk)}),
        ("redemptions/", {"reward": str(reward.pk)}),
    ):
        assert admin.post(f"customers/{ada.pk}/{path}", body).status_code == 201

    with all_tenants():
        for model in (Entry, Redemption, LoyaltyAccount, Transaction):
            for relation in model._meta.fields:
                if relation.many_to_one and hasattr(relation.related_model, "tenant"):
                    rows = model.objects.exclude(**{f"{relation.name}": None}).values_list(
                        "tenant", f"{relation.name}__tenant"
                    )
                    assert all(own == other for own, other in rows)
