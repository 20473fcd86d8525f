"""Levels over the API, and where a customer stands."""

import uuid

import pytest

from loyalty.models import Level
from loyalty.services import account_of, add_points, assign_level
from tests.factories import CustomerFactory
from tests.loyalty.story import n_queries, refused

pytestmark = pytest.mark.django_db


def test_a_level_is_made_read_and_changed(admin, acme):
    made = admin.post(
        "levels/",
        {
            "name": "Gold",
            "threshold": "999.50",
            "reward_percent": 15,
            "translations": {"nb": {"name": "Gull"}},
            "special_rewards": [{"name": "Coffee", "percent": "2.5"}],
            "min_order": "49.90",
        },
    )
    path = made["Location"].removeprefix("http://testserver")
    read = admin.get(path)
    changed = admin.patch(path, {"active": False})

    assert made.status_code == 201
    assert made.json() == read.json()
    told = changed.json()
    assert (told["threshold"], told["reward_percent"], told["min_order"]) == (999.5, 15, 49.9)
    assert told["special_rewards"][0]["percent"] == 2.5
    assert told["active"] is False
    assert Level.objects.get(name="Gold").threshold == 99950


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, {"name": "blank"}),
        ({"name": "A", "threshold": "0.005"}, {"threshold": "more_decimals"}),
        ({"name": "A", "threshold": -1}, {"threshold": "min_value"}),
        ({"name": "A", "threshold": 2**63 - 1}, {"threshold": "max_value"}),
        ({"name": "A", "members": 5, "id": "x"}, {"members": "unknown", "id": "unknown"}),
    ],
)
def test_what_no_level_can_be_is_refused_by_field(admin, acme, body, errors):
    answer = admin.post("levels/", body)

    assert answer.status_code == 400
    assert refused(answer) == errors


def test_levels_come_in_the_order_of_people(admin, levels):
    names = [row["name"] for row in admin.get("levels/").json()["results"]]
    backwards = admin.get("levels/", {"ordering": "-threshold", "page_size": 3}).json()

    assert names == ["level0", "level1", "level2", "level3"]
    assert [row["name"] for row in backwards["results"]] == ["level3", "level2", "level1"]
    more = admin.get(backwards["next"].removeprefix("http://testserver")).json()
    assert [row["name"] for row in more["results"]] == ["level0"]


def test_a_customer_sees_the_levels_that_can_be_reached(as_role, ada, levels):
    Level.objects.filter(name="level2").update(active=False)
    api = as_role("customer", customer=ada)

    names = [row["name"] for row in api.get("levels/").json()["results"]]

    assert names == ["level0", "level1", "level3"]
    assert api.get(f"levels/{levels['level2'].pk}/").status_code == 404


def test_a_level_with_customers_says_where_they_go(admin, levels, ada):
    assign_level(ada, levels["level1"])
    path = f"levels/{levels['level1'].pk}/"

    refusal = admin.delete(path)
    unknown = admin.delete(f"{path}?move_to={uuid.uuid4()}")
    gone = admin.delete(f"{path}?move_to={levels['level2'].pk}")

    assert (refusal.status_code, refusal.json()["errors"][0]["code"]) == (409, "has_members")
    assert (unknown.status_code, refused(unknown)) == (400, {"move_to": "does_not_exist"})
    assert gone.status_code == 204
    assert account_of(ada).level == levels["level2"]


def test_the_customers_on_a_level_are_listed_by_how_they_came_to_it(admin, levels, ada, grace):
    assign_level(ada, levels["level1"])
    path = f"levels/{levels['level1'].pk}/customers/"
    start = f"levels/{levels['level0'].pk}/customers/"

    assert [row["id"] for row in admin.get(path).json()["results"]] == [str(ada.pk)]
    assert admin.get(path, {"assigned": "false"}).json()["results"] == []
    assert admin.get(path, {"assigned": "true", "count": "true"}).json()["count"] == 1
    assert [row["id"] for row in admin.get(start).json()["results"]] == [str(grace.pk)]
    assert admin.get(f"levels/{uuid.uuid4()}/customers/").status_code == 404


def test_a_list_of_customers_on_a_level_asks_no_more_for_more(admin, levels, acme):
    path = f"levels/{levels['level0'].pk}/customers/"
    CustomerFactory(tenant=acme)
    before = n_queries(lambda: admin.get(path))
    for _n in range(9):
        CustomerFactory(tenant=acme)

    assert n_queries(lambda: admin.get(path)) == before
    assert len(admin.get(path).json()["results"]) == 10


def test_where_a_customer_stands_is_told_in_numbers_and_a_sentence(admin, ada, levels, sell):
    sell(ada, "S1", 25_00)
    add_points(ada, points=12_50)

    told = admin.get(f"customers/{ada.pk}/loyalty/").json()

    assert (told["customer"], told["points"], told["earned_points"]) == (str(ada.pk), 12.5, 12.5)
    assert (told["level"]["name"], told["level"]["reward_percent"]) == ("level1", 5)
    assert (told["next_level"]["threshold"], told["missing"]) == (200, 175)
    assert (told["transactions_amount"], told["average_amount"]) == (25, 25)
    assert told["currency"] == "NOK"
    assert told["sentence"].startswith("level1 since ")


def test_the_sentence_speaks_the_language_that_is_asked_for(admin, as_role, ada, levels):
    path = f"customers/{ada.pk}/loyalty/"
    type(ada).objects.filter(pk=ada.pk).update(language="nb")

    assert " siden " in admin.get(path, {"language": "nb"}).json()["sentence"]
    assert " since " in admin.get(path).json()["sentence"]
    assert " siden " in as_role("customer", customer=ada).get(path).json()["sentence"]
    assert refused(admin.get(path, {"language": "fr"})) == {"language": "invalid_choice"}


def test_staff_put_a_customer_on_a_level_and_take_it_back(seller, ada, levels):
    path = f"customers/{ada.pk}/level/"

    put = seller.put(path, {"level": "level2"}, headers={"X-Reason": "a friend of the house"})
    taken = seller.delete(path)
    again = seller.delete(path)

    assert put.json()["level"]["name"] == "level2"
    assert put.json()["assigned_level"]["id"] == str(levels["level2"].pk)
    assert (taken.json()["level"]["name"], taken.json()["assigned_level"]) == ("level0", None)
    assert (again.status_code, again.json()["errors"][0]["code"]) == (409, "not_manual")
    history = seller.get(f"customers/{ada.pk}/history/").json()["results"]
    assert history[1]["reason"] == "a friend of the house"
    assert history[1]["changes"]["level"] == ["level0", "level2"]


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, {"level": "required"}),
        ({"level": "platinum"}, {"level": "does_not_exist"}),
        ({"level": 7}, {"level": "does_not_exist"}),
        ({"level": "level1", "manual": True}, {"manual": "unknown"}),
    ],
)
def test_a_level_that_cannot_be_given_is_refused(admin, ada, levels, body, errors):
    answer = admin.put(f"customers/{ada.pk}/level/", body)

    assert (answer.status_code, refused(answer)) == (400, errors)


def test_a_level_is_given_to_the_version_that_was_seen(admin, acme, ada, levels):
    path = f"customers/{ada.pk}/level/"
    ada.refresh_from_db()

    first = admin.put(path, {"level": "level1"}, headers={"If-Match": f'"{ada.version}"'})
    second = admin.put(path, {"level": "level2"}, headers={"If-Match": f'"{ada.version}"'})

    assert (first.status_code, second.status_code) == (200, 412)
    assert first["ETag"] == second["ETag"] == f'"{ada.version + 1}"'
