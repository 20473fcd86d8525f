"""What earns points, how much, when, and that returns take back exactly that."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.services import (
    activate_customer,
    deactivate_customer,
    record_consent,
    register_customer,
    update_customer,
)
from events.models import HistoryEntry
from loyalty.models import EarningRule, Entry, Level, Lot, LoyaltyAccount
from loyalty.services import (
    account_of,
    add_points,
    cancel_entry,
    create_earning_rule,
    delete_earning_rule,
    opening_accounts,
    record_transaction,
    spend_points,
    update_earning_rule,
)
from tenancy import clock
from tenancy.scoping import in_tenant
from tenancy.services import update_tenant
from tests.factories import CustomerFactory
from tests.loyalty.story import NOON, adds_up

DAY = timedelta(days=1)
ONE_PER_UNIT = {"name": "Purchases", "kind": "purchase", "rate": 1}
YES = {"purpose": "marketing", "granted": True}


def points(customer):
    account = account_of(customer)
    return account.points, account.locked_points


def refusal_of(deed, *args, **fields):
    with pytest.raises(ValidationError) as refusal:
        deed(*args, **fields)
    return {name: errors[0].code for name, errors in refusal.value.error_dict.items()}


# --- Purchases --------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("rule", "sale", "earned"),
    [
        ({"rate": 1}, {"amount": 12_34}, 12_34),
        ({"rate": "0.5"}, {"amount": 1}, 1),  # half a hundredth, rounded up
        ({"rate": "0.4999"}, {"amount": 1}, 0),
        ({"rate": "1.5000"}, {"amount": 10_01}, 15_02),
        ({"rate": 1}, {"amount": 10_00, "delivery_amount": 3_00}, 7_00),
        (
            {"rate": 1, "exclude_delivery": False},
            {"amount": 10_00, "delivery_amount": 3_00},
            10_00,
        ),
        ({"rate": 1, "min_amount": "10"}, {"amount": 9_99}, 0),
        ({"rate": 1, "min_amount": "10"}, {"amount": 10_00}, 10_00),
        ({"rate": 1}, {"amount": 10_00, "excluded_amount": 10_00}, 10_00),
        ({"rate": 1, "active": False}, {"amount": 10_00}, 0),
        ({"rate": 1, "active_from": NOON}, {"amount": 1_00}, 1_00),
        ({"rate": 1, "active_from": NOON + DAY}, {"amount": 1_00}, 0),
        ({"rate": 1, "active_to": NOON}, {"amount": 1_00}, 0),
    ],
)
def test_a_sale_earns_by_the_rule(ada, sell, rule, sale, earned):
    create_earning_rule(**(ONE_PER_UNIT | rule))
    sell(ada, "S1", **sale)

    assert points(ada) == (earned, 0)
    assert adds_up(account_of(ada))


def test_yen_have_no_decimals(acme, sell):
    update_tenant(acme, currency="JPY")
    acme.refresh_from_db()
    customer = CustomerFactory(tenant=acme)
    create_earning_rule(**(ONE_PER_UNIT | {"rate": "0.01"}))
    sell(customer, "S1", 1_234)

    assert points(customer) == (12_34, 0)


def test_all_rules_together_are_rounded_once(ada, sell):
    create_earning_rule(**(ONE_PER_UNIT | {"rate": "0.3"}))
    create_earning_rule(**(ONE_PER_UNIT | {"rate": "0.3", "name": "Spring"}))
    sell(ada, "S1", 1)  # 0.003 + 0.003 points

    assert points(ada) == (1, 0)
    assert Entry.objects.get().note.text in ("Purchases, Spring", "Spring, Purchases")


def test_the_level_before_the_sale_multiplies(acme, ada, levels, sell):
    level1 = levels["level1"]
    create_earning_rule(**ONE_PER_UNIT, multipliers=[{"level": level1, "factor": "2.5"}])
    sell(ada, "S1", 25_00)
    assert account_of(ada).level == level1
    assert points(ada) == (25_00, 0)

    sell(ada, "S2", 10_00)

    assert points(ada) == (50_00, 0)


def test_a_sale_that_comes_late_earns_by_the_rules_of_its_day(ada, sell):
    create_earning_rule(**ONE_PER_UNIT, active_to=NOON - DAY)
    create_earning_rule(name="New", kind="purchase", rate=2, active_from=NOON - DAY)
    sell(ada, "S1", 1_00, purchased_at=NOON - 2 * DAY)

    assert points(ada) == (1_00, 0)


def test_points_are_as_old_as_the_purchase(acme, ada, sell):
    update_tenant(acme, settings={"points_expire": "after_x_days", "points_days": 10})
    create_earning_rule(**ONE_PER_UNIT)
    with clock.frozen(NOON + 20 * DAY):
        sell(ada, "S1", 1_00, purchased_at=NOON)
        sell(ada, "S2", 2_00, purchased_at=NOON + 19 * DAY)

    assert points(ada) == (2_00, 0)
    assert [entry.kind for entry in Entry.objects.order_by("seq")] == ["earn", "expire", "earn"]
    assert adds_up(account_of(ada))


@pytest.mark.parametrize("why", ["blocked", "no loyalty", "said so"])
def test_who_may_not_earn_earns_nothing(ada, sell, why):
    create_earning_rule(**ONE_PER_UNIT)
    if why == "blocked":
        deactivate_customer(ada)
    elif why == "no loyalty":
        update_customer(ada, no_loyalty=True)
    sell(ada, "S1", 5_00, earns=why != "said so")

    assert points(ada) == (0, 0)
    assert account_of(ada).transactions_count == 1


def test_the_same_sale_again_earns_nothing_more(ada, sell):
    create_earning_rule(**ONE_PER_UNIT)
    sell(ada, "S1", 5_00)
    sell(ada, "S1", 5_00)

    assert points(ada) == (5_00, 0)


def test_points_move_the_level_where_points_decide(acme, ada, levels, sell):
    update_tenant(acme, settings={"tier_by": "points"})
    create_earning_rule(**ONE_PER_UNIT)
    sell(ada, "S1", 20_00)

    assert account_of(ada).level.name == "level1"


# --- Returns ----------------------------------------------------------------------------------
def test_a_return_takes_back_its_share(ada, sell, take_back):
    create_earning_rule(**ONE_PER_UNIT)
    sell(ada, "S1", 10_00)
    take_back(ada, "R1", 4_00, "S1")

    assert points(ada) == (6_00, 0)
    entry = Entry.objects.get(kind="return")
    assert entry.points == -4_00
    assert entry.source_kind == "transaction"
    assert adds_up(account_of(ada))


def test_a_return_before_its_sale_takes_back_once_the_sale_has_earned(ada, sell, take_back):
    create_earning_rule(**ONE_PER_UNIT)
    take_back(ada, "R1", 4_00, "S1")
    sell(ada, "S1", 10_00)

    assert points(ada) == (6_00, 0)


def test_what_was_spent_comes_from_other_points_down_to_zero(ada, sell, take_back):
    create_earning_rule(**ONE_PER_UNIT)
    sell(ada, "S1", 10_00)
    spend_points(ada, points=9_00)
    add_points(ada, points=3_00)
    take_back(ada, "R1", 10_00, "S1")

    assert points(ada) == (0, 0)
    assert Entry.objects.get(kind="return").points == -4_00
    assert adds_up(account_of(ada))


def test_a_return_takes_from_the_points_that_are_held_back_for_it(acme, ada, sell, take_back):
    update_tenant(acme, settings={"points_lock_days": 14})
    create_earning_rule(**ONE_PER_UNIT)
    with clock.frozen(NOON):
        sell(ada, "S1", 10_00)
        assert points(ada) == (0, 10_00)
        take_back(ada, "R1", 4_00, "S1")

    assert points(ada) == (0, 6_00)
    assert adds_up(account_of(ada))


def test_what_has_expired_is_not_taken_from_other_points(acme, ada, sell, take_back):
    create_earning_rule(**ONE_PER_UNIT)
    update_tenant(acme, settings={"points_expire": "after_x_days", "points_days": 1})
    with clock.frozen(NOON):
        sell(ada, "S1", 10_00)
        spend_points(ada, points=6_00)
    with clock.frozen(NOON + 5 * DAY):
        add_points(ada, points=20_00)
        take_back(ada, "R1", 5_00, "S1")
        take_back(ada, "R2", 5_00, "S1")

    assert points(ada) == (14_00, 0)
    assert adds_up(account_of(ada))


def test_what_was_cancelled_is_not_taken_again(ada, sell, take_back):
    create_earning_rule(**ONE_PER_UNIT)
    sell(ada, "S1", 10_00)
    cancel_entry(Entry.objects.get(kind="earn"))
    add_points(ada, points=5_00)
    take_back(ada, "R1", 10_00, "S1")

    assert points(ada) == (5_00, 0)


def test_a_blocked_customer_gives_back_too(ada, sell, take_back):
    create_earning_rule(**ONE_PER_UNIT)
    sell(ada, "S1", 10_00)
    deactivate_customer(ada)
    take_back(ada, "R1", 10_00, "S1")

    assert points(ada) == (0, 0)


@given(
    amount=st.integers(1, 400),
    rate=st.sampled_from(["0.0001", "0.3333", "0.5", "1", "7.7777"]),
    cuts=st.lists(st.integers(1, 200), max_size=3),
)
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_returns_up_to_the_whole_take_back_exactly_what_was_earned(acme, amount, rate, cuts):
    customer = CustomerFactory(tenant=acme)
    rule = create_earning_rule(**(ONE_PER_UNIT | {"rate": rate}))
    number, left = f"S-{customer.pk.hex}", amount
    record_transaction(customer, number=number, amount=amount, purchased_at=NOON)
    for index, cut in enumerate([*cuts, amount]):
        back = min(cut, left)
        left -= back
        record_transaction(
            customer, number=f"R{index}-{customer.pk.hex}", kind="return", revises=number,
            amount=back, purchased_at=NOON,
        )  # fmt: skip
        assert account_of(customer).points >= 0
    delete_earning_rule(rule)

    assert left == 0
    assert points(customer) == (0, 0)
    assert adds_up(account_of(customer))


# --- Registering ------------------------------------------------------------------------------
def test_registering_earns_at_once_where_the_status_may(acme):
    create_earning_rule(name="Welcome", kind="registration", points=50)
    customer = register_customer(first_name="Ada")

    assert points(customer) == (50_00, 0)
    entry = Entry.objects.get()
    assert (entry.kind, entry.source_kind, entry.note.text) == ("earn", "registration", "Welcome")
    assert adds_up(account_of(customer))


def test_a_new_customer_gets_it_when_activated_and_only_then(acme):
    create_earning_rule(name="Welcome", kind="registration", points=50)
    customer = register_customer(first_name="Ada", status="new")
    assert points(customer) == (0, 0)

    activate_customer(customer)
    deactivate_customer(customer)
    activate_customer(customer)

    assert points(customer) == (50_00, 0)


def test_who_was_here_before_the_rule_gets_nothing_for_coming_back(acme, ada):
    create_earning_rule(name="Welcome", kind="registration", points=50)
    deactivate_customer(ada)
    activate_customer(ada)

    assert points(ada) == (0, 0)


def test_who_registered_before_the_campaign_began_gets_nothing(acme):
    create_earning_rule(name="W", kind="registration", points=50, active_from=NOON)
    with clock.frozen(NOON + DAY):
        before = register_customer(first_name="Ada", created_at=NOON - DAY)
        within = register_customer(first_name="Grace", created_at=NOON)

    assert (points(before), points(within)) == ((0, 0), (50_00, 0))


def test_a_registration_bonus_moves_the_level_inside_the_registration(acme, levels):
    update_tenant(acme, settings={"tier_by": "points"})
    create_earning_rule(name="Welcome", kind="registration", points=20)
    acme.refresh_from_db()
    customer = register_customer(first_name="Ada")

    assert account_of(customer).level.name == "level1"
    assert customer.version == 1
    told = HistoryEntry.objects.get(subject_id=customer.pk, deed="customer.registered").changes
    assert told["level"] == [None, "level1"]


def test_a_refused_registration_leaves_no_points(acme, ada):
    create_earning_rule(name="Welcome", kind="registration", points=50)

    assert refusal_of(register_customer, first_name="Eve", card_number="7001") == {
        "card_number": "unique"
    }
    assert not Entry.objects.exists()


def test_without_a_rule_a_registration_asks_the_database_nothing_more(acme):
    register_customer(first_name="First")
    with CaptureQueriesContext(
        connection,
    ) as without:
        register_customer(first_name="Ada", consents=[YES])

    assert not [one for one in without if "earningrule" in one["sql"].lower()]
    assert not [one for one in without if "loyalty_entry" in one["sql"].lower()]


# --- The newsletter ---------------------------------------------------------------------------
@pytest.fixture
def newsletter(acme):
    return create_earning_rule(name="Newsletter", kind="newsletter", points=85)


def test_t74_consent_earns_once_in_a_lifetime(acme, newsletter):
    customer = register_customer(first_name="Ada", consents=[YES])
    assert points(customer) == (85_00, 0)

    for granted in (False, True, False, True):
        record_consent(customer, purpose="marketing", granted=granted)

    assert points(customer) == (85_00, 0)


def test_consent_given_later_earns(ada, newsletter):
    update_customer(ada, consents=[YES])

    assert points(ada) == (85_00, 0)
    assert Entry.objects.get().source_kind == "newsletter"


@pytest.mark.parametrize(
    "statement", [{"purpose": "marketing", "granted": False}, {"purpose": "sms", "granted": True}]
)
def test_anything_but_consent_to_the_newsletter_earns_nothing(ada, newsletter, statement):
    update_customer(ada, consents=[statement])

    assert points(ada) == (0, 0)


def test_a_self_registered_customer_gets_it_on_activation(acme, newsletter):
    customer = register_customer(first_name="Ada", status="new", consents=[YES])
    assert points(customer) == (0, 0)

    activate_customer(customer)

    assert points(customer) == (85_00, 0)


def test_a_consent_that_was_withdrawn_before_activation_earns_nothing(acme, newsletter):
    customer = register_customer(first_name="Ada", status="new", consents=[YES])
    record_consent(customer, purpose="marketing", granted=False)
    activate_customer(customer)

    assert points(customer) == (0, 0)


def test_who_joins_the_programme_later_gets_it_then(acme, newsletter):
    customer = register_customer(first_name="Ada", no_loyalty=True, consents=[YES])
    assert points(customer) == (0, 0)

    update_customer(customer, no_loyalty=False)

    assert points(customer) == (85_00, 0)


def test_the_setting_is_a_rule_too(acme):
    update_tenant(acme, settings={"newsletter_points": 10})
    acme.refresh_from_db()
    create_earning_rule(name="Newsletter", kind="newsletter", points=5)
    customer = register_customer(first_name="Ada", consents=[YES])

    assert points(customer) == (15_00, 0)


def test_an_account_that_joined_has_had_its_newsletter_points(ada, grace, newsletter):
    record_consent(grace, purpose="marketing", granted=True)
    with opening_accounts([ada.pk, grace.pk]) as changes:
        changes[grace.pk].account.merged_into = changes[ada.pk].account
    record_consent(ada, purpose="marketing", granted=True)

    assert points(ada) == (0, 0)


def test_a_frozen_account_is_no_reason_to_refuse_a_consent(ada, newsletter):
    LoyaltyAccount.objects.update(frozen_at=clock.now())
    record_consent(ada, purpose="marketing", granted=True)

    assert ada.consents.get().granted
    assert points(ada) == (0, 0)


# --- The rules --------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("fields", "codes"),
    [
        ({}, {"name": "required", "kind": "required"}),
        ({"name": "x", "kind": "birthday"}, {"kind": "invalid_choice"}),
        ({"name": "x", "kind": "purchase"}, {"rate": "min_value"}),
        (ONE_PER_UNIT | {"rate": -1}, {"rate": "min_value"}),
        (ONE_PER_UNIT | {"rate": 2**63}, {"rate": "max_value"}),
        (ONE_PER_UNIT | {"rate": "0.00001"}, {"rate": "more_decimals"}),
        (ONE_PER_UNIT | {"points": 1}, {"points": "invalid"}),
        ({"name": "x", "kind": "registration"}, {"points": "min_value"}),
        ({"name": "x", "kind": "newsletter", "points": 1, "rate": 1}, {"rate": "invalid"}),
        (ONE_PER_UNIT | {"active_from": NOON, "active_to": NOON}, {"active_to": "invalid"}),
        (ONE_PER_UNIT | {"colour": "red"}, {"colour": "unknown"}),
        (ONE_PER_UNIT | {"multipliers": {}}, {"multipliers": "invalid"}),
        (ONE_PER_UNIT | {"multipliers": [{"level": "x"}]}, {"multipliers": "does_not_exist"}),
    ],
)
def test_a_rule_that_says_nothing_sensible_is_refused_by_its_field(acme, fields, codes):
    assert refusal_of(create_earning_rule, **fields) == codes
    assert not EarningRule.objects.exists()


def test_a_level_is_multiplied_once(acme):
    level = Level.objects.get()
    twice = [{"level": level, "factor": 1}, {"level": str(level.pk), "factor": 2}]

    assert refusal_of(create_earning_rule, **ONE_PER_UNIT, multipliers=twice) == {
        "multipliers": "duplicate"
    }


def test_only_purchases_are_multiplied(acme):
    rule = {"name": "x", "kind": "newsletter", "points": 1}
    multipliers = [{"level": Level.objects.get(), "factor": 2}]

    assert refusal_of(create_earning_rule, **rule, multipliers=multipliers) == {
        "multipliers": "invalid"
    }


def test_changing_a_rule_tells_what_changed_and_holds_from_then_on(ada, sell):
    level = Level.objects.get()
    rule = create_earning_rule(**ONE_PER_UNIT)
    sell(ada, "S1", 1_00)
    rule = update_earning_rule(
        rule, rate=2, multipliers=[{"level": level, "factor": 3}], reason="spring"
    )
    sell(ada, "S2", 1_00)

    assert points(ada) == (7_00, 0)
    told = HistoryEntry.objects.get(subject_id=rule.pk, deed="earning_rule.updated")
    assert told.changes == {"rate": ["1", "2"], "multipliers": [[], ["Member: 3"]]}
    assert told.reason == "spring"


def test_changing_a_rule_to_what_it_is_writes_nothing(acme):
    rule = create_earning_rule(**ONE_PER_UNIT, active_from=datetime(2026, 1, 1, tzinfo=UTC))
    n_entries = HistoryEntry.objects.count()
    update_earning_rule(rule, **ONE_PER_UNIT, active_from="2026-01-01T00:00:00Z", multipliers=[])

    assert HistoryEntry.objects.count() == n_entries


def test_a_deleted_rule_earns_no_more_and_what_it_gave_stays(ada, sell):
    rule = create_earning_rule(**ONE_PER_UNIT)
    sell(ada, "S1", 1_00)
    delete_earning_rule(rule)
    delete_earning_rule(rule)
    sell(ada, "S2", 1_00)

    assert points(ada) == (1_00, 0)
    assert Lot.objects.get().remaining == 1_00


def test_the_rules_of_the_shop_next_door_earn_nothing_here(ada, rival, sell):
    with in_tenant(rival):
        create_earning_rule(**ONE_PER_UNIT)
    sell(ada, "S1", 1_00)

    assert points(ada) == (0, 0)
