"""The catalogue of rewards."""

from datetime import UTC, datetime

import pytest
from django.core.exceptions import ValidationError

from events.models import Event, HistoryEntry
from loyalty.models import Level, Reward
from loyalty.services import (
    add_points,
    cancel_redemption,
    create_reward,
    delete_reward,
    redeem_reward,
    update_reward,
)
from loyalty.services.rewards import levels_of_reward
from tenancy.scoping import in_tenant

pytestmark = pytest.mark.usefixtures("acme")


def codes_of(refusal):
    return {name: errors[0].code for name, errors in refusal.value.error_dict.items()}


def test_a_reward_is_made_from_what_people_write():
    reward = create_reward(
        name="  Tote bag ",
        cost="12.5",
        stock="10",
        per_customer=1,
        valid_days=30,
        delivered="yes",
        active_from="2026-03-01",
        translations={"nb": {"name": "Bærenett"}, "sv": {"name": ""}},
    )

    reward.refresh_from_db()
    assert (reward.name, reward.cost, reward.stock, reward.per_customer) == (
        "Tote bag",
        1250,
        10,
        1,
    )
    assert (reward.valid_days, reward.delivered, reward.active) == (30, True, True)
    assert reward.active_from == datetime(2026, 2, 28, 23, tzinfo=UTC)
    assert reward.translations == {"nb": {"name": "Bærenett"}}
    assert (reward.told("nb"), reward.told("sv")) == (("Bærenett", ""), ("Tote bag", ""))


@pytest.mark.parametrize(
    ("fields", "refused"),
    [
        ({}, {"name": "required", "cost": "required"}),
        ({"name": " ", "cost": 0}, {"name": "required"}),
        ({"name": "A", "cost": "0.005"}, {"cost": "more_decimals"}),
        ({"name": "A", "cost": -1}, {"cost": "min_value"}),
        ({"name": "A", "cost": 2**63}, {"cost": "max_value"}),
        ({"name": "A" * 121, "cost": 1}, {"name": "max_length"}),
        ({"name": "A", "cost": 1, "stock": -1}, {"stock": "min_value"}),
        ({"name": "A", "cost": 1, "stock": 2**31}, {"stock": "max_value"}),
        ({"name": "A", "cost": 1, "per_customer": 0}, {"per_customer": "min_value"}),
        ({"name": "A", "cost": 1, "valid_days": 0}, {"valid_days": "min_value"}),
        ({"name": "A", "cost": 1, "valid_days": 36_501}, {"valid_days": "max_value"}),
        ({"name": "A", "cost": 1, "active": "maybe"}, {"active": "invalid_bool"}),
        ({"name": "A", "cost": 1, "active_to": "soon"}, {"active_to": "invalid_datetime"}),
        ({"name": "A", "cost": 1, "levels": ["nowhere"]}, {"levels": "does_not_exist"}),
        ({"name": "A", "cost": 1, "levels": "gold"}, {"levels": "invalid"}),
        ({"name": "A", "cost": 1, "translations": []}, {"translations": "invalid"}),
        ({"name": "A", "cost": 1, "translations": {"nb": "B"}}, {"translations.nb": "invalid"}),
        (
            {"name": "A", "cost": 1, "translations": {"norsk": {"name": "B"}}},
            {"translations.norsk": "invalid_language"},
        ),
        (
            {"name": "A", "cost": 1, "active_from": "2026-03-02", "active_to": "2026-03-02"},
            {"active_to": "before_begin"},
        ),
    ],
)
def test_what_no_reward_can_be_is_refused_by_field(fields, refused):
    with pytest.raises(ValidationError) as refusal:
        create_reward(**fields)

    assert codes_of(refusal) == refused
    assert not Reward.objects.exists()


def test_a_name_that_no_reward_has_is_a_mistake_of_the_caller():
    with pytest.raises(TypeError):
        create_reward(name="A", cost=1, n_redeemed=5)


def test_a_change_is_told_once_and_nothing_when_nothing_differs():
    reward = create_reward(name="Bag", cost=5)

    update_reward(reward, cost="5.00", name="Bag")
    update_reward(reward, cost=6, reason="dearer to make")

    entry = HistoryEntry.objects.get(deed="reward.updated")
    assert (entry.changes, entry.reason) == ({"cost": ["5", "6"]}, "dearer to make")
    assert Event.objects.filter(kind="reward.updated").count() == 1


def test_a_reward_can_be_for_some_levels(acme):
    gold = Level.objects.create(tenant=acme, name="Gold", threshold=100)
    reward = create_reward(name="Bag", cost=5, levels=[gold, str(gold.pk)])
    assert levels_of_reward(reward) == [gold]

    update_reward(reward, levels=None)

    assert levels_of_reward(reward) == []


def test_the_level_of_another_business_is_unknown(acme, rival):
    with in_tenant(rival):
        theirs = Level.objects.get()

    with pytest.raises(ValidationError) as refusal:
        create_reward(name="Bag", cost=5, levels=[theirs.pk])

    assert codes_of(refusal) == {"levels": "does_not_exist"}


def test_the_stock_cannot_fall_below_what_is_redeemed(ada):
    reward = create_reward(name="Bag", cost=0, stock=5)
    for _n in range(2):
        redeem_reward(ada, reward)

    with pytest.raises(ValidationError) as refusal:
        update_reward(reward, stock=1)
    update_reward(reward, stock=2)

    assert codes_of(refusal) == {"stock": "below_redeemed"}


@pytest.mark.parametrize("cancelled", [True, False])
def test_a_redeemed_reward_cannot_be_deleted(ada, cancelled):
    reward = create_reward(name="Bag", cost=1)
    add_points(ada, points=1_00)
    redemption = redeem_reward(ada, reward)
    if cancelled:
        cancel_redemption(redemption)

    with pytest.raises(ValidationError) as refusal:
        delete_reward(reward)

    assert refusal.value.code == "redeemed"


def test_an_unwanted_reward_can_be_deleted_and_deleted_again(acme):
    gold = Level.objects.create(tenant=acme, name="Gold")
    reward = create_reward(name="Bag", cost=1, levels=[gold])

    delete_reward(reward)
    delete_reward(reward)

    assert not Reward.objects.exists()
    assert HistoryEntry.objects.filter(deed="reward.deleted").count() == 1
