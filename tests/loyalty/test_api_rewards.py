"""Rewards and redemptions over the API."""

import uuid
from datetime import timedelta

import pytest

from loyalty.models import Redemption, Reward
from loyalty.services import (
    account_of,
    add_points,
    assign_level,
    cancel_redemption,
    create_reward,
    redeem_reward,
    update_reward,
    use_coupon,
)
from tenancy import clock
from tenancy.models import Store
from tests.factories import StoreFactory
from tests.loyalty.story import NOON, n_queries, refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def rich(ada):
    """Ada with a hundred points."""
    add_points(ada, points=100_00)
    return ada


@pytest.fixture
def bag(acme):
    return create_reward(name="Tote bag", cost=30, stock=10, translations={"nb": {"name": "Nett"}})


def redeem(api, customer, reward, **body):
    return api.post(f"customers/{customer.pk}/redemptions/", {"reward": str(reward.pk), **body})


# --- The catalogue ----------------------------------------------------------------------------
def test_a_reward_is_made_changed_and_deleted(admin, levels):
    made = admin.post(
        "rewards/",
        {"name": "Bag", "cost": "12.50", "stock": 3, "levels": [str(levels["level1"].pk)]},
    )
    path = made["Location"].removeprefix("http://testserver")
    changed = admin.patch(path, {"cost": 13, "stock": None, "levels": []})

    assert made.status_code == 201
    assert (made.json()["cost"], made.json()["left"]) == (12.5, 3)
    assert made.json()["levels"] == [str(levels["level1"].pk)]
    assert (changed.json()["cost"], changed.json()["left"], changed.json()["levels"]) == (
        13,
        None,
        [],
    )
    assert admin.get(path).json() == changed.json()
    assert admin.delete(path).status_code == 204
    assert not Reward.objects.exists()


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({"cost": 1}, {"name": "required"}),
        ({"name": "A", "cost": "x"}, {"cost": "invalid_number"}),
        ({"name": "A", "cost": 1, "n_redeemed": 5}, {"n_redeemed": "unknown"}),
        ({"name": "A", "cost": 1, "levels": [{}]}, {"levels": "does_not_exist"}),
        (
            {"name": "A", "cost": 1, "translations": {"nb": {"name": 5}}},
            {"translations.nb": "not_text"},
        ),
    ],
)
def test_what_is_no_reward_is_refused_by_field(admin, acme, body, errors):
    answer = admin.post("rewards/", body)

    assert (answer.status_code, refused(answer)) == (400, errors)


def test_a_redeemed_reward_is_neither_deleted_nor_made_scarcer(admin, rich, bag):
    redeem_reward(rich, bag)
    path = f"rewards/{bag.pk}/"

    deleted, scarcer = admin.delete(path), admin.patch(path, {"stock": 0})

    assert (deleted.status_code, deleted.json()["errors"][0]["code"]) == (409, "redeemed")
    assert (scarcer.status_code, refused(scarcer)) == (409, {"stock": "below_redeemed"})


def test_rewards_are_narrowed(admin, levels, bag):
    create_reward(name="Old", cost=1, active=False)
    create_reward(name="Gone", cost=2, stock=0)
    create_reward(name="Gold", cost=3, levels=[levels["level3"]])

    def names(**query):
        return [row["name"] for row in admin.get("rewards/", query).json()["results"]]

    assert names() == ["Old", "Gone", "Gold", "Tote bag"]
    assert names(active="false") == ["Old"]
    assert names(on_offer="true") == ["Gold", "Tote bag"]
    assert names(on_offer="false") == ["Old", "Gone"]
    assert names(level="level1", on_offer="true") == ["Tote bag"]
    assert names(level=str(levels["level3"].pk), on_offer="true") == ["Gold", "Tote bag"]
    assert refused(admin.get("rewards/", {"level": "x"})) == {"level": "does_not_exist"}


def test_more_rewards_ask_no_more_queries(admin, levels, bag):
    create_reward(name="A", cost=1, levels=[levels["level1"]])
    before = n_queries(lambda: admin.get("rewards/"))
    for number in range(5):
        create_reward(name=f"R{number}", cost=1, levels=[levels["level1"], levels["level2"]])

    assert n_queries(lambda: admin.get("rewards/")) == before


def test_a_customer_sees_what_there_is_to_redeem(as_role, levels, ada, bag):
    type(ada).objects.filter(pk=ada.pk).update(language="nb")
    hidden = [
        create_reward(name="Old", cost=1, active=False),
        create_reward(name="Gone", cost=2, stock=0),
        create_reward(name="Soon", cost=2, active_from="2999-01-01"),
        create_reward(name="Gold", cost=3, levels=[levels["level3"]]),
    ]
    api = as_role("customer", customer=ada)

    rows = api.get("rewards/").json()["results"]

    assert [(row["name"], row["cost"], row["left"]) for row in rows] == [("Nett", 30, 10)]
    assert not {"stock", "n_redeemed", "levels", "translations"} & set(rows[0])
    assert {api.get(f"rewards/{reward.pk}/").status_code for reward in hidden} == {404}
    assign_level(ada, levels["level3"])
    assert api.get(f"rewards/{hidden[3].pk}/").status_code == 200


# --- Redeeming --------------------------------------------------------------------------------
def test_points_become_a_coupon(seller, rich, bag):
    answer = redeem(seller, rich, bag)

    told = answer.json()
    assert answer.status_code == 201
    assert (told["customer"], told["reward"], told["name"]) == (
        str(rich.pk),
        str(bag.pk),
        "Tote bag",
    )
    assert (told["cost"], told["status"], len(told["coupon"])) == (30, "open", 14)
    assert seller.get(answer["Location"].removeprefix("http://testserver")).json() == told
    assert account_of(rich).points == 70_00


def test_a_customer_redeems_for_the_own_points_alone(as_role, rich, grace, bag):
    api = as_role("customer", customer=rich)

    own, foreign = redeem(api, rich, bag), redeem(api, grace, bag)

    assert (own.status_code, foreign.status_code) == (201, 404)
    redemption = Redemption.objects.get()
    for deed in ("use", "unuse", "cancel", "delivery"):
        assert api.post(f"redemptions/{redemption.pk}/{deed}/").status_code == 403
    assert api.post("redemptions/find/", {"coupon": redemption.coupon}).status_code == 403


def test_the_same_source_redeems_once(seller, rich, bag):
    other = create_reward(name="Mug", cost=1)

    first = redeem(seller, rich, bag, source="app-7")
    second = redeem(seller, rich, bag, source="app-7")
    different = redeem(seller, rich, other, source="app-7")

    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert (different.status_code, refused(different)) == (409, {"source": "conflict"})
    assert account_of(rich).points == 70_00


def test_a_key_redeems_once(seller, rich, bag):
    path = f"customers/{rich.pk}/redemptions/"
    key, body = {"Idempotency-Key": "k-1"}, {"reward": str(bag.pk)}

    answers = [seller.post(path, body, headers=key) for _n in range(2)]

    assert answers[0].content == answers[1].content
    assert Redemption.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"cost": 101}, "points", "insufficient_points"),
        ({"active": False}, "reward", "not_on_offer"),
        ({"stock": 0}, "reward", "sold_out"),
    ],
)
def test_what_cannot_be_redeemed_says_why(seller, rich, bag, changes, field, code):
    update_reward(bag, **changes)

    answer = redeem(seller, rich, bag)

    assert (answer.status_code, refused(answer)) == (409, {field: code})


@pytest.mark.parametrize("reward", [str(uuid.UUID(int=7)), "bag", 5, ["x"]])
def test_a_reward_that_is_not_there_is_named(seller, rich, reward):
    answer = seller.post(f"customers/{rich.pk}/redemptions/", {"reward": reward})

    assert (answer.status_code, refused(answer)) == (400, {"reward": "does_not_exist"})


def test_a_coupon_is_found_and_used_by_its_code(seller, acme, rich, bag):
    coupon = redeem(seller, rich, bag).json()["coupon"]
    body = {"coupon": coupon.lower().replace("-", " ")}

    found = seller.post("redemptions/find/", body)
    used = seller.post("redemptions/use/", {**body, "store": Store.objects.get().code})
    again = seller.post("redemptions/use/", body)
    unknown = seller.post("redemptions/use/", {"coupon": "AAAA-AAAA-AAAA"})

    assert (found.status_code, found.json()["status"]) == (200, "open")
    assert (used.status_code, used.json()["status"]) == (200, "used")
    assert used.json()["used_store"] == Store.objects.get().code
    assert (again.status_code, again.json()["errors"][0]["code"]) == (409, "used")
    assert unknown.status_code == 404


def test_a_use_by_mistake_is_taken_back_and_the_redemption_cancelled(seller, rich, bag):
    path = f"redemptions/{redeem_reward(rich, bag).pk}/"

    assert seller.post(f"{path}use/").json()["status"] == "used"
    assert seller.post(f"{path}cancel/").status_code == 409
    assert seller.post(f"{path}unuse/").json()["status"] == "open"
    cancelled = seller.post(f"{path}cancel/", headers={"X-Reason": "does not fit"})

    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    assert account_of(rich).points == 100_00
    rows = seller.get(f"customers/{rich.pk}/points/").json()["results"]
    assert (rows[0]["kind"], rows[0]["note"]) == ("refund", "does not fit")


def test_a_delivery_moves_on(seller, rich, bag):
    update_reward(bag, delivered=True)
    path = f"redemptions/{redeem_reward(rich, bag).pk}/delivery/"

    assert seller.post(path, {"delivery": "shipped"}).json()["delivery"] == "shipped"
    wrong = seller.post(path, {"delivery": "lost"})
    assert (wrong.status_code, refused(wrong)) == (400, {"delivery": "invalid_choice"})
    seller.post(path, {"delivery": "delivered"})
    back = seller.post(path, {"delivery": "ordered"})
    assert (back.status_code, refused(back)) == (409, {"delivery": "wrong_step"})


def test_a_token_of_one_store_uses_coupons_there(tenant, as_role, rich, bag):
    north, _south = (StoreFactory(tenant=tenant, code=code) for code in ("north", "south"))
    api = as_role("service", stores=[north])
    redemption = redeem_reward(rich, bag)
    path = f"redemptions/{redemption.pk}/use/"

    elsewhere = api.post(path, {"store": "south"})
    here = api.post(path)

    assert (elsewhere.status_code, here.status_code) == (403, 200)
    assert here.json()["used_store"] == "north"


def test_redemptions_are_narrowed(admin, rich, grace, bag):
    update_reward(bag, valid_days=5, cost=1, delivered=True)
    with clock.frozen(NOON):
        old = redeem_reward(rich, bag)
    update_reward(bag, valid_days=None)
    used, cancelled, left = (redeem_reward(rich, bag) for _n in range(3))
    use_coupon(used)
    cancel_redemption(cancelled)

    def ids(path="redemptions/", **query):
        return {row["id"] for row in admin.get(path, query).json()["results"]}

    everything = {str(row.pk) for row in (old, used, cancelled, left)}
    assert ids() == ids(f"customers/{rich.pk}/redemptions/") == everything
    assert ids(customer=str(rich.pk)) == everything
    assert ids(customer=str(grace.pk)) == ids(f"customers/{grace.pk}/redemptions/") == set()
    assert ids(status="expired") == {str(old.pk)}
    assert ids(status="used") == {str(used.pk)}
    assert ids(status="cancelled") == ids(delivery="cancelled") == {str(cancelled.pk)}
    assert ids(status="open") == {str(left.pk)}
    assert ids(reward=str(bag.pk)) == everything
    assert ids(redeemed_before="2026-03-11") == {str(old.pk)}
    assert ids(redeemed_after="2026-03-11") == everything - {str(old.pk)}
    assert refused(admin.get("redemptions/", {"status": "lost"})) == {"status": "invalid_choice"}


def test_a_longer_list_asks_no_more_queries(admin, acme, rich, bag):
    update_reward(bag, cost=1)
    store = Store.objects.get()
    use_coupon(redeem_reward(rich, bag), store=store)
    before = n_queries(lambda: admin.get("redemptions/"))
    for _n in range(6):
        use_coupon(redeem_reward(rich, bag), store=store)

    assert n_queries(lambda: admin.get("redemptions/")) == before


def test_a_customer_sees_the_own_redemptions(as_role, rich, grace, bag):
    update_reward(bag, cost=0)
    own, foreign = redeem_reward(rich, bag), redeem_reward(grace, bag)
    api = as_role("customer", customer=rich)

    assert [row["id"] for row in api.get("redemptions/").json()["results"]] == [str(own.pk)]
    assert api.get(f"redemptions/{own.pk}/").json()["coupon"] == own.coupon
    assert api.get(f"redemptions/{foreign.pk}/").status_code == 404
    assert api.get(f"customers/{grace.pk}/redemptions/").status_code == 404


def test_a_coupon_that_ran_out_says_so(seller, rich, bag):
    update_reward(bag, valid_days=1)
    with clock.frozen(NOON):
        redemption = redeem_reward(rich, bag)

    with clock.frozen(NOON + timedelta(days=3)):
        answer = seller.post("redemptions/use/", {"coupon": redemption.coupon})

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "expired")
