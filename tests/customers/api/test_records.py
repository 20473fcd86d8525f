"""Registering, reading and changing one customer."""

import pytest

pytestmark = pytest.mark.django_db


def test_a_registration_answers_the_record_and_where_it_is(admin):
    answer = admin.post("customers/", {"first_name": "Ada", "emails": [{"address": "a@b.no"}]})

    assert answer.status_code == 201, answer.content
    assert answer.json()["name"] == "Ada"
    assert answer["Location"].endswith(f"/api/v1/customers/{answer.json()['id']}/")
    assert answer["ETag"] == '"1"'


def test_a_list_shows_the_newest_first(admin, ada, grace):
    answer = admin.get("customers/")

    assert [row["name"] for row in answer.json()["results"]] == ["Grace", "Ada Lovelace"]
    assert answer.json()["next"] is None
