"""The loyalty programme in the back office: set up, looked up, and corrected by hand."""

from datetime import UTC, datetime

import pytest

from customers.services import delete_customer
from events.actors import Actor, acting
from events.models import HistoryEntry
from loyalty.models import EarningRule, Entry, Level, Redemption, Reward
from loyalty.services import account_of, add_points, assign_level
from loyalty.services.levels import create_level
from loyalty.services.redeeming import redeem_reward, use_coupon
from loyalty.services.rewards import create_reward
from loyalty.services.transactions import record_transaction
from tenancy import clock
from tenancy.services import update_tenant
from tests.admin.browsing import form_data, send, text_of
from tests.admin.conftest import customer_page, page
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db


def points_of(customer):
    return account_of(customer).points


# --- The tab of the customer page -----------------------------------------------------------------
def test_the_tab_tells_level_points_and_every_movement_with_the_balance(office, ada):
    add_points(ada, points=100_00, note="for the summer reading")
    add_points(ada, points=12_50)

    text = text_of(office.get(customer_page(ada)))

    assert "Member" in text
    assert "112.5" in text
    assert "for the summer reading" in text
    assert "+12.5" in text


def test_the_tab_says_who_moved_points_and_where_a_coupon_stands(office, ada):
    with acting(Actor("staff", ada.pk, "")), clock.frozen(datetime(2026, 3, 1, 12, tzinfo=UTC)):
        add_points(ada, points=10_00)
        redeem_reward(ada, create_reward(name="Mug", cost="5", valid_days=1))

    text = text_of(office.get(customer_page(ada)))

    assert "Staff" in text
    assert "run out" in text
    assert "can be used" not in text


def test_a_purchase_stands_in_the_tab(office, ada):
    record_transaction(
        ada, number="R-1", purchased_at=datetime(2026, 3, 1, 12, tzinfo=UTC), amount=249_50
    )

    text = text_of(office.get(customer_page(ada)))

    assert "R-1" in text
    assert "249.50 NOK" in text


def test_an_adjustment_needs_a_reason_and_stands_in_the_timeline(office, ada, boss):
    url = customer_page(ada, "adjust-points")
    refused = office.post(url, {"way": "add", "points": "12.5", "reason": ""})
    done = office.post(url, {"way": "add", "points": "12.5", "reason": "Late parcel"})

    assert refused.status_code == 200
    assert done.status_code == 302
    entry = Entry.objects.get()
    assert (entry.kind, entry.points, entry.note.text) == ("adjust", 12_50, "Late parcel")
    assert (entry.actor_id, entry.note.actor_label) == (boss.pk, "Bo Boss")


def test_more_than_there_is_cannot_be_taken(office, ada):
    response = office.post(
        customer_page(ada, "adjust-points"), {"way": "take", "points": "1", "reason": "typo"}
    )

    assert "There are not enough points." in text_of(response)


@pytest.mark.parametrize("points", ["", "abc", "0.005", "-1", "0", "1e9", "9" * 30])
def test_points_that_are_none_are_refused_beside_the_field(office, ada, points):
    response = office.post(
        customer_page(ada, "adjust-points"), {"way": "add", "points": points, "reason": "typo"}
    )

    assert response.status_code == 200
    assert not Entry.objects.exists()


def test_a_seller_adjusts_up_to_the_ceiling_and_an_administrator_beyond(office, shop, acme, ada):
    update_tenant(acme, settings={"seller_points_ceiling": 10})
    wanted = {"way": "add", "points": "10.01", "reason": "Friendly"}

    refused = shop.post(customer_page(ada, "adjust-points"), wanted)
    office.post(customer_page(ada, "adjust-points"), wanted)

    assert "At most 10 points a day" in text_of(refused)
    assert points_of(ada) == 10_01


def test_a_level_is_assigned_and_taken_back(office, ada):
    gold = create_level(name="Gold", threshold="1000", reward_percent="10")

    office.post(customer_page(ada, "assign-level"), {"level": str(gold.pk), "reason": "Jubilee"})
    assigned = account_of(ada)
    office.post(customer_page(ada, "remove-level"), {"reason": "over"})

    assert (assigned.level, assigned.manual_level) == (gold, gold)
    assert account_of(ada).level.name == "Member"
    entry = HistoryEntry.objects.about("customer", ada.pk)[1]
    assert (entry.changes["level"], entry.reason) == (["Member", "Gold"], "Jubilee")


def test_points_are_sent_to_another_customer(office, ada, acme):
    receiver = CustomerFactory(tenant=acme, first_name="Mary", card_number="7777")
    add_points(ada, points=10_00)

    office.post(
        customer_page(ada, "send-points"), {"receiver": "7777", "points": "4", "reason": "gift"}
    )
    nobody = office.post(
        customer_page(ada, "send-points"), {"receiver": "0000", "points": "4", "reason": "gift"}
    )

    assert (points_of(ada), points_of(receiver)) == (6_00, 4_00)
    assert "Nobody has it." in text_of(nobody)


def test_a_reward_is_redeemed_used_and_another_cancelled(office, ada):
    mug = create_reward(name="Mug", cost="5")
    add_points(ada, points=10_00)

    office.post(customer_page(ada, "redeem"), {"reward": str(mug.pk)})
    first = Redemption.objects.get()
    office.post(page("loyalty_redemption", "use", first.pk))
    second = redeem_reward(ada, mug)
    office.post(page("loyalty_redemption", "cancel", second.pk), {"reason": "changed her mind"})
    again = office.post(page("loyalty_redemption", "use", second.pk))

    first.refresh_from_db()
    second.refresh_from_db()
    assert first.used_at is not None
    assert second.cancelled_at is not None
    assert points_of(ada) == 5_00
    assert again.status_code == 200


def test_a_use_by_mistake_is_taken_back_from_the_coupon_that_was_found(shop, ada):
    add_points(ada, points=10_00)
    redemption = redeem_reward(ada, create_reward(name="Mug", cost="5"))
    use_coupon(redemption)

    found = shop.get(
        page("loyalty_redemption", "changelist"),
        {"q": redemption.coupon.lower().replace("-", " ")},
    )
    shop.post(page("loyalty_redemption", "unuse", redemption.pk), {"reason": "wrong coupon"})
    again = shop.post(page("loyalty_redemption", "unuse", redemption.pk), {"reason": "twice"})

    redemption.refresh_from_db()
    assert redemption.coupon in text_of(found)
    assert redemption.used_at is None
    assert "This coupon was not used." in text_of(again)


def test_points_of_a_deleted_customer_are_not_cancelled(office, ada):
    entry = add_points(ada, points=10_00)
    delete_customer(ada)

    answer = office.post(page("loyalty_entry", "cancel", entry.pk), {"reason": "too late"})

    assert "was deleted" in text_of(answer)
    assert not Entry.objects.filter(kind="cancel").exists()


def test_points_that_came_by_mistake_are_cancelled(office, ada):
    entry = add_points(ada, points=10_00)

    office.post(page("loyalty_entry", "cancel", entry.pk), {"reason": "Wrong customer"})

    assert points_of(ada) == 0
    assert Entry.objects.get(kind="cancel").note.text == "Wrong customer"


def test_a_seller_cancels_no_points(shop, ada):
    entry = add_points(ada, points=10_00)

    response = shop.post(page("loyalty_entry", "cancel", entry.pk), {"reason": "x"})

    assert response.status_code == 403
    assert points_of(ada) == 10_00


# --- Set-up ---------------------------------------------------------------------------------------
def test_a_level_is_made_with_translations_and_special_rewards(office, acme):
    url = page("loyalty_level", "add")
    data = form_data(office.get(url), "level_form") | {
        "name": "Gold",
        "name_nb": "Gull",
        "threshold": "1000.50",
        "reward_percent": "7.5",
        "special": "20, BDAY, Birthday gift\n0, , Coffee",
        "active": "on",
    }

    response = office.post(url, data)

    assert response.status_code == 302, text_of(response)
    level = Level.objects.get(name="Gold")
    assert (level.threshold, level.reward_percent) == (1000_50, 7_50)
    assert level.translations == {"nb": {"name": "Gull"}}
    assert [(r["name"], r["code"], r["percent"]) for r in level.special_rewards] == [
        ("Birthday gift", "BDAY", 20_00),
        ("Coffee", "", 0),
    ]


def test_a_level_saved_untouched_stays_as_it_is(office, acme):
    level = create_level(
        name="Gold",
        threshold="1000.5",
        reward_percent="7.5",
        translations={"nb": {"name": "Gull"}},
        special_rewards=[{"name": "Cake", "percent": "5", "start_at": "2026-01-01T00:00:00Z"}],
    )
    before = Level.objects.filter(pk=level.pk).values().get()

    response = send(office, page("loyalty_level", "change", level.pk), "level_form", **{})

    assert response.status_code == 302, text_of(response)
    assert Level.objects.filter(pk=level.pk).values().get() == before


def test_a_bad_special_reward_is_refused_by_its_line(office, acme):
    level = create_level(name="Gold", threshold="10")

    response = send(
        office,
        page("loyalty_level", "change", level.pk),
        "level_form",
        **{"special": "5, A, Cake\nmany, B, Pie"},
    )

    assert "Line 2" in text_of(response)


def test_a_level_with_members_goes_only_when_they_have_a_place(office, ada):
    gold = create_level(name="Gold", threshold="1000", reward_percent="10")
    silver = create_level(name="Silver", threshold="500", reward_percent="5")
    assign_level(ada, gold)
    url = page("loyalty_level", "delete", gold.pk)

    refused = office.post(url, {"move_to": ""})
    done = office.post(url, {"move_to": str(silver.pk)})

    assert refused.status_code == 200
    assert done.status_code == 302
    assert account_of(ada).level == silver
    assert not Level.objects.filter(pk=gold.pk).exists()


def test_the_number_of_a_levels_customers_leads_to_them(office, ada, grace):
    gold = create_level(name="Gold", threshold="1000", reward_percent="10")
    assign_level(ada, gold)

    text = text_of(office.get("/admin/customers/customer/", {"level": str(gold.pk)}))

    assert "Lovelace" in text
    assert "Grace" not in text


def test_the_list_warns_when_nobody_can_start(office, acme):
    Level.objects.update(threshold=1)

    assert "registrations are refused" in text_of(office.get(page("loyalty_level", "changelist")))


def test_an_earning_rule_is_made_and_changed_with_multipliers(office, acme):
    gold = create_level(name="Gold", threshold="1000", reward_percent="10")
    url = page("loyalty_earningrule", "add")
    times = f"times_{gold.pk.hex}"
    data = form_data(office.get(url), "earningrule_form") | {
        "name": "Everything",
        "kind": "purchase",
        "rate": "0.125",
        times: "2",
        "active": "on",
    }

    response = office.post(url, data)

    assert response.status_code == 302, text_of(response)
    rule = EarningRule.objects.get()
    assert rule.rate == 1250
    assert [(m.level, m.factor) for m in rule.multipliers.all()] == [(gold, 20_000)]

    send(
        office,
        page("loyalty_earningrule", "change", rule.pk),
        "earningrule_form",
        **{times: "1", "rate": "1"},
    )
    rule.refresh_from_db()
    assert (rule.rate, rule.multipliers.count()) == (10_000, 0)


def test_a_rule_with_a_bad_number_is_refused_beside_its_field(office, acme):
    url = page("loyalty_earningrule", "add")

    response = send(office, url, "earningrule_form", name="X", kind="purchase", rate="a lot")

    assert "Enter a number" in text_of(response)
    assert not EarningRule.objects.exists()


def test_a_reward_is_made_changed_and_restricted_to_levels(office, acme):
    gold = create_level(name="Gold", threshold="1000", reward_percent="10")
    url = page("loyalty_reward", "add")
    data = form_data(office.get(url), "reward_form") | {
        "name": "Mug",
        "cost": "12.5",
        "stock": "3",
        "levels": str(gold.pk),
        "active": "on",
    }

    response = office.post(url, data)

    assert response.status_code == 302, text_of(response)
    mug = Reward.objects.get()
    assert (mug.cost, mug.stock, list(mug.levels.all())) == (12_50, 3, [gold])

    send(
        office,
        page("loyalty_reward", "change", mug.pk),
        "reward_form",
        **{"stock": "", "cost": "10"},
    )
    mug.refresh_from_db()
    assert (mug.cost, mug.stock, list(mug.levels.all())) == (10_00, None, [gold])


@pytest.mark.parametrize("model", ["level", "earningrule", "reward"])
def test_a_seller_changes_nothing_of_the_programme(shop, acme, model):
    assert shop.get(page(f"loyalty_{model}", "add")).status_code == 403


@pytest.mark.parametrize("model", ["entry", "transaction", "redemption", "level", "reward"])
def test_the_lists_open_and_can_be_searched(shop, ada, model):
    add_points(ada, points=50_00)
    record_transaction(
        ada, number="R-1", purchased_at=datetime(2026, 3, 1, 12, tzinfo=UTC), amount=249_50
    )
    redeem_reward(ada, create_reward(name="Mug", cost="5"))
    url = page(f"loyalty_{model}", "changelist")

    assert shop.get(url).status_code == 200
    if model in ("entry", "transaction", "redemption"):
        assert "Lovelace" in text_of(shop.get(url, {"q": "ada love"}))
        assert "Lovelace" not in text_of(shop.get(url, {"q": "nobody has this name"}))


def test_a_document_is_found_by_its_number(office, ada):
    record_transaction(
        ada, number="R-77", purchased_at=datetime(2026, 3, 1, 12, tzinfo=UTC), amount=10_00
    )

    found = text_of(office.get(page("loyalty_transaction", "changelist"), {"q": "R-77"}))

    assert "Lovelace" in found


def test_the_number_of_queries_of_a_list_does_not_grow(
    office, ada, acme, django_assert_max_num_queries
):
    for number in range(30):
        add_points(ada, points=1_00, note=f"no. {number}")
    with django_assert_max_num_queries(25):
        office.get(page("loyalty_entry", "changelist"))
