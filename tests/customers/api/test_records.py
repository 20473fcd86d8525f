"""Registering, reading and changing one customer."""

import pytest
from django.core import mail

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

    def register(self, admin, callbacks, path="customers/", **body):
        with callbacks(execute=True):
            return admin.post(path, body)

    def test_a_new_customer_is_sent_the_link(self, admin, django_capture_on_commit_callbacks):
        body = {"status": "new", "emails": [{"address": "new@example.org"}]}

        answer = self.register(admin, django_capture_on_commit_callbacks, **body)

        assert answer.status_code == 201, answer.content
        assert [message.to for message in mail.outbox] == [["new@example.org"]]

    @pytest.mark.parametrize(
        "body",
        [
            {"emails": [{"address": "active@example.org"}]},
            {"status": "new", "name": "Nobody to write to"},
        ],
    )
    def test_nobody_else_is(self, admin, body, django_capture_on_commit_callbacks):
        answer = self.register(admin, django_capture_on_commit_callbacks, **body)

        assert answer.status_code == 201, answer.content
        assert mail.outbox == []

    def test_a_batch_writes_to_nobody(self, admin, django_capture_on_commit_callbacks):
        item = {"status": "new", "emails": [{"address": "new@example.org"}]}

        answer = self.register(
            admin, django_capture_on_commit_callbacks, path="customers/batch/", create=[item]
        )

        assert answer.status_code == 200, answer.content
        assert mail.outbox == []
