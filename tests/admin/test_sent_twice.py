"""A form that is sent twice, by a double click or by going back, does its deed once."""

import pytest

from events.models import HistoryEntry
from loyalty.models import Entry, Redemption
from loyalty.services import account_of, add_points
from loyalty.services.levels import create_level
from loyalty.services.rewards import create_reward
from tests.admin.browsing import form_data, text_of
from tests.admin.conftest import customer_page

pytestmark = pytest.mark.django_db


def points_of(customer):
    return account_of(customer).points


def opened(office, url, **typed):
    """The form of a deed's page as a browser would send it."""
    return form_data(office.get(url), None, **typed)


def twice(office, url, **typed):
    data = opened(office, url, **typed)
    return office.post(url, data), office.post(url, data, follow=True)


def test_points_that_are_adjusted_twice_by_one_form_count_once(office, ada):
    url = customer_page(ada, "adjust-points")
    first, second = twice(office, url, way="add", points="12.5", reason="Late parcel")

    assert first.status_code == 302
    assert points_of(ada) == 12_50
    assert Entry.objects.count() == 1
    assert "It counts once." in text_of(second)


def test_points_that_are_sent_twice_by_one_form_go_once(office, ada, grace):
    add_points(ada, points=100_00)
    twice(office, customer_page(ada, "send-points"), receiver=grace.code, points="30", reason="x")

    assert (points_of(ada), points_of(grace)) == (70_00, 30_00)


def test_a_reward_that_is_redeemed_twice_by_one_form_makes_one_coupon(office, ada):
    add_points(ada, points=100_00)
    mug = create_reward(name="Mug", cost="40")
    _first, second = twice(office, customer_page(ada, "redeem"), reward=str(mug.pk))

    assert Redemption.objects.count() == 1
    assert points_of(ada) == 60_00
    assert "It counts once." in text_of(second)


def test_a_level_that_is_assigned_twice_by_one_form_is_told_once(office, ada):
    gold = create_level(name="Gold", threshold="1000", reward_percent="10")
    before = HistoryEntry.objects.count()
    twice(office, customer_page(ada, "assign-level"), level=str(gold.pk), reason="loyal")

    assert HistoryEntry.objects.count() == before + 1


def test_other_values_on_an_old_page_are_another_deed(office, ada):
    url = customer_page(ada, "adjust-points")
    data = opened(office, url, way="add", points="10", reason="one")
    office.post(url, data)
    office.post(url, {**data, "points": ["5"]})

    assert points_of(ada) == 15_00


def test_a_page_that_is_opened_anew_does_the_same_again(office, ada):
    url = customer_page(ada, "adjust-points")
    for _n in range(2):
        office.post(url, opened(office, url, way="add", points="10", reason="one"))

    assert points_of(ada) == 20_00


def test_a_form_that_was_refused_keeps_its_token_and_what_was_typed(office, ada):
    url = customer_page(ada, "adjust-points")
    data = opened(office, url, way="take", points="10", reason="typo")
    refused = office.post(url, data)

    again = form_data(refused, None)
    assert again["form_token"] == data["form_token"]
    assert (again["points"], again["reason"]) == (["10"], ["typo"])
    assert not Entry.objects.exists()


def test_a_bent_token_is_no_error(office, ada):
    url = customer_page(ada, "adjust-points")
    values = {"way": "add", "points": "10", "reason": "one", "form_token": "nonsense"}

    assert office.post(url, values).status_code == 302
    assert points_of(ada) == 10_00
