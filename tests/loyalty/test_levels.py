"""Levels as managed things: made, changed, ordered, deleted with everybody who stands on them."""

import uuid

import pytest
from django.core.exceptions import ValidationError

from events.models import Event, HistoryEntry
from loyalty.models import EarningRule, Level, LevelMultiplier, LoyaltyAccount, Reward
from loyalty.models.rewards import RewardLevel
from loyalty.services import (
    account_of,
    assign_level,
    create_level,
    delete_level,
    find_level,
    level_warnings,
    levels_of,
    reached_level,
    set_level_active,
    update_level,
)
from tenancy.scoping import in_tenant
from tests.factories import CustomerFactory
from tests.loyalty.story import make_levels, set_programme


def refused(deed, *args, **fields):
    """The codes of a refusal by field ("" where it names none)."""
    with pytest.raises(ValidationError) as refusal:
        deed(*args, **fields)
    error = refusal.value
    if hasattr(error, "error_dict"):
        return {name: errors[0].code for name, errors in error.error_dict.items()}
    return {"": error.code}


def test_numbers_come_as_decimals_and_are_kept_in_hundredths(acme):
    level = create_level(
        name=" Gold ",
        threshold="200.50",
        reward_percent="15",
        min_order="99.90",
        translations={"nb": {"name": "Gull", "description": "Mye"}},
    )

    level.refresh_from_db()
    assert (level.name, level.threshold, level.reward_percent) == ("Gold", 200_50, 15_00)
    assert (level.min_order, level.active, level.position) == (99_90, True, 0)
    assert level.told("nb") == ("Gull", "Mye")
    assert level.told("pl") == ("Gold", "")


@pytest.mark.parametrize(
    ("fields", "codes"),
    [
        ({}, {"name": "blank"}),
        ({"name": "x" * 121}, {"name": "max_length"}),
        ({"name": "x", "threshold": "-1"}, {"threshold": "min_value"}),
        ({"name": "x", "threshold": "1.005"}, {"threshold": "more_decimals"}),
        ({"name": "x", "threshold": 10**30}, {"threshold": "max_value"}),
        ({"name": "x", "threshold": None}, {"threshold": "required"}),
        ({"name": "x", "reward_percent": "15%"}, {"reward_percent": "invalid_number"}),
        ({"name": "x", "reward_percent": 10_001}, {"reward_percent": "max_value"}),
        ({"name": "x", "min_order": "1.001"}, {"min_order": "more_decimals"}),
        ({"name": "x", "active": "perhaps"}, {"active": "invalid"}),
        ({"name": "x", "position": -1}, {"position": "min_value"}),
        ({"name": "x", "translations": []}, {"translations": "invalid"}),
        (
            {"name": "x", "translations": {"Norwegian": {}}},
            {"translations.Norwegian": "invalid_language"},
        ),
        ({"name": "x", "translations": {"nb": "Gull"}}, {"translations.nb": "invalid"}),
        ({"name": "x", "translations": {"nb": {"name": 7}}}, {"translations.nb": "not_text"}),
        ({"name": "x", "special_rewards": {}}, {"special_rewards": "invalid"}),
        ({"name": "x", "special_rewards": [{}]}, {"special_rewards.0.name": "blank"}),
        (
            {"name": "x", "special_rewards": [{"name": "a", "value": 1}]},
            {"special_rewards.0.value": "unknown"},
        ),
        (
            {"name": "x", "special_rewards": [{"name": "a", "percent": "x", "start_at": "soon"}]},
            {
                "special_rewards.0.percent": "invalid_number",
                "special_rewards.0.start_at": "invalid_datetime",
            },
        ),
        (
            {
                "name": "x",
                "special_rewards": [
                    {"name": "a", "start_at": "2026-02-01", "end_at": "2026-01-01"}
                ],
            },
            {"special_rewards.0.end_at": "before_start"},
        ),
    ],
)
def test_a_bad_value_is_refused_by_the_name_of_its_field(acme, fields, codes):
    assert refused(create_level, **fields) == codes


def test_every_bad_field_is_named_at_once(acme):
    codes = refused(create_level, threshold="x", reward_percent="y", special_rewards=[3])

    assert set(codes) == {"name", "threshold", "reward_percent", "special_rewards.0"}


def test_a_name_that_is_no_field_is_the_programmers_mistake(acme):
    with pytest.raises(TypeError):
        create_level(name="Gold", treshold=1)


def test_special_rewards_are_kept_in_hundredths_and_utc(acme):
    level = create_level(
        name="Gold",
        special_rewards=[{"name": "Birthday", "percent": "12.5", "start_at": "2026-01-01"}],
    )

    assert level.special_rewards == [
        {
            "name": "Birthday",
            "code": "",
            "percent": 12_50,
            "active": True,
            "start_at": "2025-12-31T23:00:00+00:00",
            "end_at": None,
        }
    ]


def test_changing_a_level_leaves_history_and_an_event_once(acme):
    level = create_level(name="Gold", threshold=200)

    changed = update_level(level, threshold="200.00", name="Golden", reason="nicer")
    update_level(level, threshold=200, name="Golden")

    assert changed.name == "Golden"
    entries = HistoryEntry.objects.filter(subject_type="level", subject_id=level.pk)
    assert [(e.deed, e.reason) for e in entries.order_by("pk")] == [
        ("level.created", ""),
        ("level.updated", "nicer"),
    ]
    assert entries.get(deed="level.updated").changes == {"name": ["Gold", "Golden"]}
    assert Event.objects.filter(kind="level.updated").count() == 1


def test_of_equal_thresholds_the_greater_reward_is_reached(acme):
    levels = make_levels(("a", 0, 0), ("b", 20, 5), ("c", 20, 7), ("d", 20, 6))

    assert reached_level(list(levels.values()), 20_00) == levels["c"]
    assert reached_level(list(levels.values()), 19_99) == levels["a"]


def test_nobody_moves_when_a_level_is_deactivated_and_nobody_new_reaches_it(acme, ada, levels):
    assign_level(ada, levels["level2"])

    set_level_active(levels["level2"], False)

    account = account_of(ada)
    assert account.level == levels["level2"]
    assert reached_level(levels_of(acme), 500_00) == levels["level1"]


def test_the_next_look_leads_from_a_deactivated_level_to_the_one_that_was_reached(
    ada, grace, levels, sell
):
    sell(ada, "S1", 250_00)
    assign_level(grace, levels["level2"])
    set_level_active(levels["level2"], False)

    sell(ada, "S2", 1_00)
    sell(grace, "S3", 1_00)

    assert account_of(ada).level == levels["level1"]
    assert account_of(grace).level == levels["level2"]  # assigned by hand: it is held


def test_where_no_active_level_is_reached_the_next_look_leads_to_none(ada, levels, sell):
    set_level_active(levels["level0"], False)
    assert account_of(ada).level == levels["level0"]

    sell(ada, "S1", 1_00)

    assert account_of(ada).level is None


def test_a_level_with_customers_is_not_deleted(ada, grace, levels):
    assert refused(delete_level, levels["level0"]) == {"": "has_members"}

    with pytest.raises(ValidationError, match="2 customers"):
        delete_level(levels["level0"])
    assert Level.objects.filter(pk=levels["level0"].pk).exists()


def test_a_level_that_is_only_assigned_is_not_deleted_either(ada, levels):
    LoyaltyAccount.objects.filter(customer=ada).update(manual_level=levels["level3"])

    assert refused(delete_level, levels["level3"]) == {"": "has_members"}


def test_customers_of_a_deleted_level_move_with_their_marks_and_history(
    monkeypatch, acme, ada, grace, levels
):
    monkeypatch.setattr("loyalty.services.levels.CHUNK", 2)
    others = CustomerFactory.create_batch(3, tenant=acme)
    for customer in (ada, *others):
        assign_level(customer, levels["level2"])
    version = type(ada).objects.get(pk=ada.pk).version

    assert delete_level(levels["level2"], move_to=levels["level3"], reason="fewer levels") == 4

    account = account_of(ada)
    assert (account.level, account.manual_level) == (levels["level3"], levels["level3"])
    assert account_of(grace).level == levels["level0"]
    entry = HistoryEntry.objects.filter(subject_id=ada.pk).latest("pk")
    assert entry.changes == {
        "level": ["level2", "level3"],
        "assigned_level": ["level2", "level3"],
    }
    assert entry.reason == "fewer levels"
    assert type(ada).objects.get(pk=ada.pk).version == version + 1 == entry.version
    event = Event.objects.filter(kind="level.changed", subject_id=ada.pk).latest("pk")
    assert event.data == {
        "level": str(levels["level3"].pk),
        "before": str(levels["level2"].pk),
        "up": True,
        "by_hand": False,
    }
    assert not Level.objects.filter(pk=levels["level2"].pk).exists()
    assert delete_level(levels["level2"], move_to=levels["level3"]) == 0


def test_moving_away_takes_the_same_statements_for_few_and_many(
    acme, levels, django_assert_max_num_queries
):
    for customer in CustomerFactory.create_batch(30, tenant=acme):
        assign_level(customer, levels["level2"])

    with django_assert_max_num_queries(40):
        delete_level(levels["level2"], move_to=levels["level3"])


@pytest.mark.parametrize("destination", ["itself", "stranger", "nothing", "no id"])
def test_a_destination_must_be_another_level_of_the_tenant(ada, rival, levels, destination):
    with in_tenant(rival):
        stranger = create_level(name="Theirs")
    wanted = {"itself": levels["level0"], "stranger": stranger, "nothing": uuid.uuid4()}
    wanted["no id"] = "gold\x00"

    codes = refused(delete_level, levels["level0"], move_to=wanted[destination])

    assert codes == {"move_to": "same_level" if destination == "itself" else "does_not_exist"}


def test_accounts_without_a_customer_do_not_hold_a_level_back(ada, levels):
    assign_level(ada, levels["level2"])
    LoyaltyAccount.objects.filter(customer=ada).update(customer=None)

    delete_level(levels["level2"])

    assert LoyaltyAccount.objects.get(customer=None).level is None


def test_a_reward_for_one_level_alone_does_not_become_one_for_everybody(acme, levels):
    reward = Reward.objects.create(tenant=acme, name="Cup", cost=1_00)
    RewardLevel.objects.create(tenant=acme, reward=reward, level=levels["level3"])

    assert refused(delete_level, levels["level3"]) == {"": "restricts_rewards"}

    delete_level(levels["level3"], move_to=levels["level2"])
    assert list(reward.levels.all()) == [levels["level2"]]


def test_what_a_rule_gives_on_a_level_goes_with_the_level(acme, levels):
    rule = EarningRule.objects.create(tenant=acme, name="buying", kind="purchase", rate=10_000)
    LevelMultiplier.objects.create(tenant=acme, rule=rule, level=levels["level3"], factor=20_000)

    delete_level(levels["level3"])

    assert not LevelMultiplier.objects.exists()


def test_a_level_is_found_by_id_or_by_a_name_that_only_it_has(acme, rival, levels):
    assert find_level(str(levels["level1"].pk)) == find_level("level1") == levels["level1"]
    create_level(name="level1")
    with in_tenant(rival):
        theirs = create_level(name="Theirs")

    assert refused(find_level, "level1") == {"": "ambiguous"}
    for unknown in ("level9", "", None, 7, [], "a\x00b", theirs.pk):
        assert refused(find_level, unknown) == {"": "does_not_exist"}


def test_the_back_office_is_warned_where_nobody_can_start(acme, levels):
    assert level_warnings(acme) == []

    set_level_active(levels["level0"], False)

    (warning,) = level_warnings(acme)
    assert (warning["code"], "refused" in str(warning["message"])) == ("no_start_level", True)
    set_programme(acme, require_start_level=False)
    assert "no level" in str(level_warnings(acme)[0]["message"])


def test_the_back_office_is_warned_of_a_level_that_asks_more_and_gives_no_more(acme, levels):
    update_level(levels["level2"], reward_percent=5)

    (warning,) = level_warnings(acme)
    assert warning["code"] == "never_better"
    assert "level2" in str(warning["message"])
