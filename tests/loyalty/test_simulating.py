"""What would be under other settings: told, never done."""

import pytest
from django.core.exceptions import ValidationError

from loyalty.models import Entry, LoyaltyAccount
from loyalty.services import account_of, add_points, assign_level
from loyalty.services.levels import create_level
from loyalty.services.transactions import record_transaction
from loyalty.simulating import simulate, simulate_all
from tenancy import clock


@pytest.fixture
def gold(acme):
    return create_level(name="Gold", threshold="100", reward_percent="10")


def test_points_would_lead_elsewhere_than_purchases(ada, gold):
    add_points(ada, points=150_00)

    told = simulate(ada, tier_by="points")

    assert (told.level.name, told.target.name) == ("Member", "Gold")
    assert simulate(ada).target.name == "Member"


def test_delivery_may_make_the_difference(ada, gold):
    record_transaction(
        ada, number="1", purchased_at=clock.now(), amount=101_00, delivery_amount=2_00
    )

    assert simulate(ada).target == gold
    assert simulate(ada, exclude_delivery=True).target.name == "Member"


def test_an_assigned_level_is_a_floor_there_too(ada, gold):
    assign_level(ada, gold)

    told = simulate(ada, tier_by="points", downgrade_mode="automatic")

    assert (told.reached.name, told.target) == ("Member", gold)


def test_nothing_is_written(ada, gold):
    add_points(ada, points=150_00)
    before = list(LoyaltyAccount.objects.values()), Entry.objects.count()

    simulate(ada, tier_by="points")
    simulate_all(ada.tenant, tier_by="points")

    assert (list(LoyaltyAccount.objects.values()), Entry.objects.count()) == before
    assert account_of(ada).level.name == "Member"


def test_everybody_is_spread_in_one_query(acme, ada, grace, gold, django_assert_num_queries):
    add_points(ada, points=150_00)

    with django_assert_num_queries(2):
        rows = simulate_all(acme, tier_by="points")

    assert {row["level"].name: (row["before"], row["after"]) for row in rows} == {
        "Member": (2, 1),
        "Gold": (0, 1),
    }


@pytest.mark.parametrize(
    ("settings", "name"),
    [({"tier_by": "luck"}, "tier_by"), ({"locale": "nb"}, "locale"), ({"downgrade_days": 0}, None)],
)
def test_other_settings_are_refused_by_name(ada, settings, name):
    with pytest.raises(ValidationError) as refusal:
        simulate(ada, **settings)

    assert list(refusal.value.error_dict) == [name or "downgrade_days"]


def test_over_the_api(admin, seller, ada, gold):
    add_points(ada, points=150_00)
    url = f"/api/v1/customers/{ada.pk}/loyalty/simulate/"

    told = admin.post(url, {"settings": {"tier_by": "points"}})
    spread = admin.post("/api/v1/loyalty/simulate/", {"settings": {"tier_by": "points"}})
    refused = admin.post(url, {"settings": {"tier_by": "luck"}})

    assert told.status_code == 200
    assert told.json()["target"]["name"] == "Gold"
    assert told.json()["status"]["counts"] == "points"
    assert {row["level"]["name"]: row["after"] for row in spread.json()}["Gold"] == 1
    assert refused.status_code == 400
    assert "settings.tier_by" in str(refused.json())
    assert admin.post(url, {"settings": 7}).status_code == 400
    assert admin.post(url, {}).status_code == 400
    assert seller.post("/api/v1/loyalty/simulate/", {"settings": {}}).status_code == 403
