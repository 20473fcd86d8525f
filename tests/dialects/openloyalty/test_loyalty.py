"""Levels, status, purchases and coupons on Open Loyalty's wire.

The numbers are those of the contract.
"""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from customers.models import Customer
from customers.services import register_customer
from loyalty.services import (
    add_points,
    cancel_redemption,
    create_reward,
    redeem_reward,
    spend_points,
    use_coupon,
)
from tenancy.clock import frozen
from tenancy.scoping import in_tenant
from tenancy.services import update_tenant
from tests.dialects.openloyalty.client import all_errors, customer

pytestmark = pytest.mark.django_db

JOHN = {"firstName": "John", "lastName": "Kowalski", "email": "john@example.com", "agreement1": "1"}
NOON = datetime(2019, 3, 20, 11, tzinfo=UTC)


@pytest.fixture
def own(as_, shop):
    """A function (customer id) -> the API in the customer's own hands."""

    def own(customer_id):
        with in_tenant(shop):
            return as_("customer", customer=Customer.objects.get(pk=customer_id))

    return own


def status(api, customer_id, prefix="admin/customer"):
    return api.get(f"{prefix}/{customer_id}/status").json()


def by_points(shop, **settings):
    return update_tenant(shop, settings={"tier_by": "points", **settings})


# --- Levels of a customer
def test_t2_somebody_new_is_on_the_start_level(admin, levels, register):
    told = admin.get(f"customer/{register()}").json()

    assert told["level"] == {
        "levelId": dict.fromkeys(("id", "levelId"), str(levels["level0"].pk)),
        "name": "level0",
        "translations": {"en": {"name": "level0"}, "pl": {"name": "poziom0"}},
    }
    assert (told["levelId"], told["levelPercent"]) == (str(levels["level0"].pk), "0.00%")
    assert (told["transactionsCount"], told["transactionsAmount"]) == (0, 0)
    assert told["averageTransactionAmount"] == told["amountExcludedForLevel"] == 0
    assert told["campaignPurchases"] == []
    assert {"manuallyAssignedLevelId", "lastTransactionDate", "firstPurchaseAt"} & set(
        told
    ) == set()


def test_t17_a_level_named_at_registration_is_assigned_by_hand(admin, levels, register):
    level_id = str(levels["level1"].pk)

    told = admin.get(f"customer/{register(levelId=level_id)}").json()

    assert told["levelId"] == told["level"]["levelId"]["id"] == level_id
    assert told["manuallyAssignedLevelId"] == {"levelId": level_id}
    assert told["levelPercent"] == "5.00%"


def test_t19_without_a_start_level_one_must_be_named(admin, levels):
    admin.post(f"level/{levels['level0'].pk}/activate", {"active": "0"})

    refused = admin.post("customer/register", customer(**JOHN))
    named = admin.post("customer/register", customer(**JOHN, levelId=str(levels["level2"].pk)))

    assert all_errors(refused) == {
        "levelId": ["Neither level is not available as start level for this customer."]
    }
    assert named.status_code == 200


@pytest.mark.parametrize("level_id", ["", "nothing", str(uuid.uuid4()), "level3"])
def test_only_active_levels_can_be_named_at_registration(admin, levels, level_id):
    admin.post(f"level/{levels['level3'].pk}/activate", {"active": "0"})
    level_id = str(levels["level3"].pk) if level_id == "" else level_id

    answer = admin.post("customer/register", customer(**JOHN, levelId=level_id))

    assert all_errors(answer) == {"levelId": ["This value is not valid."]}


def test_an_update_assigns_another_level_and_sends_back_the_same(admin, levels, register):
    one = register()
    same = str(levels["level0"].pk)

    admin.put(f"customer/{one}", customer(levelId=same))
    before = admin.get(f"customer/{one}").json()
    admin.put(f"customer/{one}", customer(levelId=str(levels["level2"].pk)))
    after = admin.get(f"customer/{one}").json()

    assert "manuallyAssignedLevelId" not in before
    assert after["manuallyAssignedLevelId"] == {"levelId": str(levels["level2"].pk)}


def test_customers_do_not_assign_themselves(admin, own, levels, register):
    one = register()

    answer = own(one).put(f"customer/{one}", customer(levelId=str(levels["level3"].pk)))
    echo = own(one).put(f"customer/{one}", customer(levelId=str(levels["level0"].pk)))

    assert set(all_errors(answer)) == {"levelId"}
    assert echo.status_code == 200
    assert own(one).post(f"customer/{one}/level", {"levelId": "x"}).status_code == 403
    assert own(one).post(f"customer/{one}/remove-manually-level").status_code == 403


def test_a_level_is_assigned_and_taken_back(seller, admin, levels, register):
    one, level_id = register(), str(levels["level2"].pk)

    assigned = seller.post(f"customer/{one}/level", {"levelId": level_id})

    assert (assigned.status_code, assigned.json()) == (200, [])
    told = admin.get(f"customer/{one}").json()
    assert told["levelId"] == told["manuallyAssignedLevelId"]["levelId"] == level_id

    removed = seller.post(f"customer/{one}/remove-manually-level")

    assert (removed.status_code, removed.content) == (204, b"")
    told = admin.get(f"customer/{one}").json()
    assert told["levelId"] == str(levels["level0"].pk)
    assert "manuallyAssignedLevelId" not in told
    again = seller.post(f"customer/{one}/remove-manually-level")
    assert (again.status_code, again.json()) == (
        400,
        {"error": "Customer is not assigned to level manually"},
    )


def test_t61_the_level_taken_back_to_is_that_of_the_points(admin, levels, register, shop):
    """Also where purchases decide about levels: clients of this wire rely on it."""
    one = register()
    with in_tenant(shop):
        add_points(Customer.objects.get(pk=one), points=201_00)
    admin.post(f"customer/{one}/level", {"levelId": str(levels["level3"].pk)})

    admin.post(f"customer/{one}/remove-manually-level")

    assert admin.get(f"customer/{one}").json()["levelId"] == str(levels["level2"].pk)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "field is required"),
        ({"levelId": ""}, "field is required"),
        ({"levelId": "nothing"}, "This value is not valid."),
        ({"levelId": str(uuid.uuid4())}, "This value is not valid."),
        ({"levelId[a]": "x"}, "This value is not valid."),
    ],
)
def test_without_a_level_nothing_is_assigned(admin, levels, register, fields, told):
    answer = admin.post(f"customer/{register()}/level", fields)

    assert (answer.status_code, answer.json()) == (400, {"levelId": told})


@pytest.mark.parametrize(
    ("locale", "name"), [("pl", "poziom0"), ("en", "level0"), ("de", "level0"), ("x1", "level0")]
)
def test_t34_names_of_levels_come_in_the_language_asked_for(admin, levels, register, locale, name):
    one = register()

    assert admin.get(f"customer?_locale={locale}").json()["customers"][0]["level"]["name"] == name
    assert admin.get(f"customer/{one}?_locale={locale}").json()["level"]["name"] == name
    assert admin.get(f"admin/customer/{one}/status?_locale={locale}").json()["levelName"] == name


# --- Purchases
def test_t66_two_sales(admin, own, levels, register, sell):
    with frozen(NOON - timedelta(days=1)):
        one = register(firstName="John", lastName="Doe")
    with frozen(NOON):
        sell(one, "S1", 1_00), sell(one, "S2", 2_00)
        told = admin.get(f"customer/{one}").json()
        answers = [
            status(api, one, prefix)
            for api, prefix in (
                (admin, "admin/customer"),
                (admin, "seller/customer"),
                (own(one), "customer/customer"),
                (own(one), "customer"),
            )
        ]

    assert told["transactionsCount"] == 2
    assert told["transactionsAmount"] == told["transactionsAmountWithoutDeliveryCosts"] == 3
    assert told["averageTransactionAmount"] == 1.5
    assert told["lastTransactionDate"] == told["firstPurchaseAt"] == "2019-03-20T12:00:00+0100"
    assert answers == [answers[0]] * 4
    assert answers[0] == {
        "firstName": "John",
        "lastName": "Doe",
        "customerId": one,
        "points": 0,
        "p2pPoints": 0,
        "totalEarnedPoints": 0,
        "usedPoints": 0,
        "expiredPoints": 0,
        "lockedPoints": 0,
        "level": "0.00%",
        "levelName": "level0",
        "levelConditionValue": 0,
        "nextLevel": "5.00%",
        "nextLevelName": "level1",
        "nextLevelConditionValue": 20,
        "transactionsAmountWithoutDeliveryCosts": 3,
        "transactionsAmountToNextLevel": 17,
        "averageTransactionsAmount": "1.50",
        "transactionsCount": 2,
        "transactionsAmount": 3,
        "currency": "eur",
        "pointsExpiringNextMonth": 0,
        "pointsExpiringBreakdown": [],
    }


def test_t66_delivery_can_be_left_out(admin, levels, register, sell, shop):
    update_tenant(shop, settings={"exclude_delivery": True})
    one = register()

    sell(one, "S1", 10_00, delivery_amount=2_50)

    told = status(admin, one)
    assert told["transactionsAmountToNextLevelWithoutDeliveryCosts"] == 12.5
    assert "transactionsAmountToNextLevel" not in told


def test_t67_a_sale_lifts_and_its_return_lowers(admin, levels, register, sell):
    one = register()

    sell(one, "S1", 25_00)
    up = admin.get(f"customer/{one}").json()
    sell(one, "R1", 25_00, kind="return", revises="S1")
    down = admin.get(f"customer/{one}").json()

    assert up["level"]["name"] == "level1"
    assert (down["level"]["name"], down["transactionsAmount"], down["transactionsCount"]) == (
        *("level0", 0, 0),
    )


def test_an_average_is_not_rounded_in_the_record_and_is_in_the_status(admin, register, sell):
    one = register()
    for n, amount in enumerate((10_00, 10_00, 0_00 + 5)):
        sell(one, f"S{n}", amount)

    assert admin.get(f"customer/{one}").json()["averageTransactionAmount"] == 20.05 / 3
    assert status(admin, one)["averageTransactionsAmount"] == "6.68"


def test_the_status_is_for_staff_and_the_customer(admin, seller, own, nobody, register):
    one, two = register(), register()

    assert own(one).get(f"customer/customer/{two}/status").status_code == 403
    assert own(one).get(f"admin/customer/{one}/status").status_code == 403
    assert seller.get(f"admin/customer/{one}/status").status_code == 403
    assert seller.get(f"seller/customer/{one}/status").status_code == 200
    assert nobody.get(f"customer/customer/{one}/status").status_code == 401
    assert admin.get(f"admin/customer/{uuid.uuid4()}/status").status_code == 404


def test_t71_levels_by_points_that_are_looked_at_again(admin, levels, register, shop):
    by_points(
        shop, downgrade_mode="after_x_days", downgrade_days=365, downgrade_base="earned_points"
    )
    with frozen(NOON):
        one = register()
    with frozen(NOON + timedelta(days=5)), in_tenant(shop):
        add_points(Customer.objects.get(pk=one), points=30_00)
        told = status(admin, one)

    assert told["levelWillExpireInDays"] == 360
    assert told["pointsSinceLastLevelRecalculation"] == 30
    assert (told["levelName"], told["pointsRequiredToRetainLevel"]) == ("level1", 0)
    assert told["pointsToNextLevel"] == 170
    assert "transactionsAmountToNextLevel" not in told


@pytest.mark.parametrize(("mode", "name"), [("none", "level2"), ("automatic", "level0")])
def test_t72_spending_lowers_only_where_the_programme_says(
    admin, levels, register, shop, mode, name
):
    by_points(shop, downgrade_base="active_points", downgrade_mode=mode)
    one = register()
    with in_tenant(shop):
        row = Customer.objects.get(pk=one)
        add_points(row, points=201_00)
        up = admin.get(f"customer/{one}").json()["level"]["name"]
        spend_points(row, points=201_00)

    assert (up, admin.get(f"customer/{one}").json()["level"]["name"]) == ("level2", name)


def test_points_that_expire_are_told_by_day(admin, register, shop):
    update_tenant(shop, settings={"points_expire": "after_x_days", "points_days": 30})
    with frozen(NOON):
        one = register()
        with in_tenant(shop):
            row = Customer.objects.get(pk=one)
            add_points(row, points=33_00)
            add_points(row, points=116_90, at=NOON - timedelta(days=1))
        told = status(admin, one)

    assert told["pointsExpiringBreakdown"] == {"2019-04-18": 116.9, "2019-04-19": 33}
    assert told["pointsExpiringNextMonth"] == told["points"] == 149.9


# --- Filters and orders by what was bought
@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"transactionsCountFrom": "0", "transactionsCountTo": "0"}, "N"),
        ({"transactionsCountFrom": "1"}, "AB"),
        ({"transactionsCountFrom": "2", "transactionsCountTo": "2"}, "A"),
        ({"transactionsCount": "1"}, "B"),
        ({"transactionsAmountFrom": "3"}, "AB"),
        ({"transactionsAmountFrom": "3.01"}, "B"),
        ({"transactionsAmountTo": "3.00"}, "AN"),
        ({"transactionsAmount": "50"}, "B"),
        ({"averageTransactionAmountFrom": "1.5", "averageTransactionAmountTo": "1.5"}, "A"),
        ({"averageTransactionAmountFrom": "2"}, "B"),
        ({"averageTransactionAmountTo": "0"}, "N"),
        ({"averageTransactionAmountTo": "-1"}, ""),
        ({"daysFromLastTransactionTo": "1"}, "B"),
        ({"daysFromLastTransactionTo": "5"}, "AB"),
        ({"daysFromLastTransaction": "1"}, "B"),
        ({"manuallyAssignedLevel": "1"}, "N"),
        ({"manuallyAssignedLevel": "0"}, "ABN"),
        ({"transactionsCountFrom": "1", "firstName": "B"}, "B"),
    ],
)
def test_t32_ranges_include_both_ends(admin, levels, bought, asked, found):
    with frozen(NOON):
        listed = admin.get("customer", asked).json()

    assert "".join(sorted(row["firstName"] for row in listed["customers"])) == found
    assert listed["total"] == len(found)


@pytest.fixture
def bought(admin, register, sell, levels):
    """A bought twice for 3 in all, four days ago; B once for 50, today; N nothing."""
    with frozen(NOON - timedelta(days=4)):
        one = register(firstName="A")
        sell(one, "S1", 1_00), sell(one, "S2", 2_00)
    with frozen(NOON):
        sell(register(firstName="B"), "S3", 50_00)
        register(firstName="N", levelId=str(levels["level3"].pk))


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("transactionsCount", "NBA"),
        ("transactionCount", "NBA"),
        ("transactionsAmount", "NAB"),
        ("averageTransactionAmount", "ABN"),
        ("lastTransactionDate", "ABN"),
        ("levelId", "ABN"),
    ],
)
def test_customers_are_ordered_by_what_they_bought(admin, bought, sort, order):
    listed = admin.get("customer", {"sort": sort, "direction": "asc"}).json()["customers"]

    assert "".join(row["firstName"] for row in listed) == order


@pytest.mark.parametrize(
    "name", ["transactionsAmountFrom", "averageTransactionAmountTo", "transactionsCountFrom",
             "daysFromLastTransactionTo"],
)  # fmt: skip
def test_a_bound_that_is_no_number_is_refused(admin, name):
    for value in ("abc", "1" * 30, "1e5", "nan", "1.123456789", "[]"):
        assert admin.get("customer", {name: value}).status_code == 400


# --- Coupons
def test_coupons_are_shown_with_their_customer(admin, register, shop):
    one = register()
    with frozen(NOON), in_tenant(shop):
        row = Customer.objects.get(pk=one)
        add_points(row, points=100_00)
        reward = create_reward(name="Mug", cost="1", valid_days=90, delivered=True)
        used, open_, cancelled = (redeem_reward(row, reward) for _n in range(3))
        use_coupon(used)
        cancel_redemption(cancelled)

    with frozen(NOON + timedelta(days=1)):
        told = admin.get(f"customer/{one}").json()["campaignPurchases"]
    with frozen(NOON + timedelta(days=91)):
        later = admin.get(f"customer/{one}").json()["campaignPurchases"]

    by_code = {row["coupon"]["code"]: row for row in told}
    first = by_code[used.coupon]
    assert first == {
        "canBeUsed": False,
        "purchaseAt": "2019-03-20T12:00:00+0100",
        "costInPoints": 1,
        "campaignId": str(reward.pk),
        "used": True,
        "coupon": {"id": str(used.pk), "code": used.coupon},
        "status": "active",
        "activeTo": first["activeTo"],
        "deliveryStatus": "ordered",
        "usageDate": "2019-03-20T12:00:00+0100",
    }
    assert first["activeTo"].startswith("2019-06-18")
    assert (by_code[open_.coupon]["canBeUsed"], by_code[open_.coupon]["used"]) == (True, False)
    assert by_code[cancelled.coupon]["status"] == "cancelled"
    assert {row["status"] for row in later} == {"expired", "cancelled"}
    assert not any(row["canBeUsed"] for row in later)


# --- The levels themselves
def test_levels_are_made_listed_changed_and_switched(admin, seller, own, register, levels):
    made = admin.post(
        "level/create",
        {
            "level[translations][en][name]": "Gold",
            "level[translations][pl][name]": "Złoty",
            "level[conditionValue]": "1500.5",
            "level[reward][name]": "Off",
            "level[reward][value]": "15",
            "level[reward][code]": "off",
            "level[active]": "1",
            "level[specialRewards][0][name]": "Cake",
            "level[specialRewards][0][value]": "1",
            "level[specialRewards][0][code]": "cake",
        },
    )
    path = f"level/{made.json()['id']}"

    told = admin.get(path).json()
    assert (told["name"], told["conditionValue"]) == ("Gold", 1500.5)
    assert told["reward"] == {"name": "Off", "value": 0.15, "code": "off"}
    assert told["translations"]["pl"] == {"name": "Złoty"}
    assert told["specialRewards"][0]["value"] == 0.01
    assert admin.get("level").json()["total"] == 5
    assert admin.put(path, {"level[conditionValue]": "2000"}).json() == {"id": told["id"]}
    assert (admin.get(path).json()["conditionValue"], admin.get(path).json()["name"]) == (
        *(2000, "Gold"),
    )
    missing = admin.post(f"{path}/activate")
    assert (missing.status_code, missing.json()) == (400, {"active": "this field is required"})
    assert admin.post(f"{path}/activate", {"active": "0"}).status_code == 204
    assert admin.get(path).json()["active"] is False
    shown = own(register()).get("customer/level").json()["levels"]
    assert [row["name"] for row in shown] == ["level0", "level1", "level2", "level3"]
    assert set(shown[0]) == {"levelId", "name", "conditionValue", "hasPhoto"}
    assert seller.post("level/create", {"level[conditionValue]": "1"}).status_code == 403
    assert admin.get("level/x").status_code == admin.get(f"level/{uuid.uuid4()}").status_code == 404


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"level[conditionValue]": "-1", "level[translations][en][name]": "A"}, {"conditionValue"}),
        ({"level[conditionValue]": "x", "level[translations][en][name]": "A"}, {"conditionValue"}),
        ({"level[reward][value]": "x", "level[translations][en][name]": "A"}, {"reward.value"}),
        ({"level[conditionValue]": "1"}, {"name"}),
        ({"level[translations]": "x"}, {"translations"}),
        ({"level[specialRewards]": "x"}, {"specialRewards"}),
        ({}, set()),
    ],
)
def test_what_is_no_level_is_refused(admin, fields, errors):
    answer = admin.post("level/create", fields)

    assert answer.status_code == 400
    assert set(all_errors(answer)) == errors


def test_the_customers_of_a_level(admin, levels, register, shop):
    one = register(levelId=str(levels["level2"].pk))
    register()
    with in_tenant(shop):
        two = register_customer(
            first_name="X", emails=[{"address": "x@example.com"}], level=str(levels["level2"].pk)
        )

    told = admin.get(f"level/{levels['level2'].pk}/customers").json()

    assert told["total"] == 2
    assert [row["customerId"] for row in told["customers"]] == [str(two.pk), one]
    assert set(told["customers"][0]) == {"customerId", "firstName", "lastName", "email"}
    page = admin.get(f"level/{levels['level2'].pk}/customers?perPage=1&page=2").json()
    assert ([row["customerId"] for row in page["customers"]], page["total"]) == ([one], 2)
