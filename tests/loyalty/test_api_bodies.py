"""Bodies: nobody sets what a route does not name, and the examples of the documentation work."""

import json
import re

import pytest
from django.conf import settings

from loyalty.models import EarningRule, Entry, Level, LoyaltyAccount, Redemption, Reward
from loyalty.services import (
    add_points,
    create_earning_rule,
    create_reward,
    redeem_reward,
    redeeming,
)
from tests.api.routes import called, endpoints, filled
from tests.loyalty.story import refused

pytestmark = pytest.mark.django_db

WRITING = [
    endpoint
    for endpoint in endpoints()
    if endpoint[2].__module__.startswith("loyalty.") and endpoint[0] in ("post", "put", "patch")
]
# Columns of the tables behind the routes that no route sets.
SERVER_OWNED = {
    **dict.fromkeys(("id", "tenant", "account", "account_id", "seq", "points_after"), "x"),
    **dict.fromkeys(("n_redeemed", "n_entries", "applied_seq", "version", "cancelled_at"), 1),
    **dict.fromkeys(("used_at", "created_at", "updated_at", "actor_id", "content_hash"), "x"),
}


@pytest.fixture
def rows(ada):
    """One of everything, and ada's id, by the names that the routes use."""
    add_points(ada, points=50_00)
    reward = create_reward(name="Bag", cost=1)
    return {
        "customer_id": ada.pk,
        "level_id": Level.objects.first().pk,
        "rule_id": create_earning_rule(name="P", kind="purchase", rate=1).pk,
        "reward_id": reward.pk,
        "redemption_id": redeem_reward(ada, reward).pk,
        "entry_id": Entry.objects.first().pk,
    }


def everything():
    models = (EarningRule, Entry, Level, LoyaltyAccount, Redemption, Reward)
    return [list(model.objects.order_by("pk").values()) for model in models]


@pytest.mark.parametrize("endpoint", WRITING, ids=called)
def test_nobody_sets_what_a_route_does_not_name(admin, rows, endpoint):
    method, route, _view_class, _action = endpoint
    before = everything()

    answer = admin.send(method, filled(route, **rows), SERVER_OWNED)

    assert answer.status_code == 400
    assert {name for name, code in refused(answer).items() if code == "unknown"} == {*SERVER_OWNED}
    assert everything() == before


def test_the_batch_names_each_in_its_place(admin, ada):
    items = [{"customer": str(ada.pk), "number": "1", **SERVER_OWNED}]

    answer = admin.post("transactions/batch/", {"transactions": items})

    assert {error["field"] for error in answer.json()["results"][0]["errors"]} == {*SERVER_OWNED}


def test_there_are_routes_to_test():
    assert len(WRITING) > 15


def examples():
    """[(path, body)] of the calls that the documentation shows."""
    text = (settings.BASE_DIR / "docs" / "loyalty.md").read_text("utf-8")
    block = text.rpartition("```sh\n")[2].partition("```")[0]
    calls = re.findall(r"curl -s \$A/(\S+) .*?-d '(.+?)'\n", block, re.DOTALL)
    return [(path, body.replace("'$REWARD'", "$REWARD")) for path, body in calls]


def test_the_examples_of_the_documentation_work(admin, ada, monkeypatch):
    monkeypatch.setattr(redeeming, "new_coupon", lambda: "K7QF-9M2X-HT4R")
    add_points(ada, points=50_00)
    reward = create_reward(name="Bag", cost=1)
    calls = examples()

    for path, body in calls:
        told = json.loads(body.replace("$REWARD", str(reward.pk)))
        answer = admin.post(path.replace("$ID", str(ada.pk)), told)

        assert answer.status_code in (200, 201), (path, answer.content)
    assert len(calls) == 4
