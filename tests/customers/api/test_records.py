"""Registering, reading and changing one customer."""

import pytest

from tenancy.services import update_tenant

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


class TestInvitation:
    """A customer registered as new gets the link where the tenant activates by mail."""

    @pytest.fixture(autouse=True)
    def _by_mail(self, acme):
        update_tenant(acme, settings={"activation_method": "email"})

    def test_a_new_customer_is_sent_the_link(self, admin, sent_mail):
        body = {"status": "new", "emails": [{"address": "new@example.org"}]}

        answer = admin.post("customers/", body)

        assert answer.status_code == 201, answer.content
        assert [message.to for message in sent_mail()] == [["new@example.org"]]

    @pytest.mark.parametrize(
        "body",
        [
            {"emails": [{"address": "active@example.org"}]},
            {"status": "new", "name": "Nobody to write to"},
        ],
    )
    def test_nobody_else_is(self, admin, body, sent_mail):
        answer = admin.post("customers/", body)

        assert answer.status_code == 201, answer.content
        assert sent_mail() == []

    def test_a_batch_writes_to_nobody(self, admin, sent_mail):
        item = {"status": "new", "emails": [{"address": "new@example.org"}]}

        answer = admin.post("customers/batch/", {"create": [item]})

        assert answer.status_code == 200, answer.content
        assert sent_mail() == []
