"""Webhooks over the API."""

import uuid

import pytest

from customers.services import register_customer
from events.jobs import enqueue
from events.models import WebhookDelivery, WebhookEndpoint
from events.webhooks.managing import create_endpoint
from tenancy.scoping import in_tenant
from tests.events.servers import answer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("names", "trying_out")]
URL = "https://hooks.example.com/in"
BODY = {"url": URL, "events": ["customer.*"]}


@pytest.fixture
def hook(admin):
    """A webhook as its creator gets it."""
    return admin.post("webhooks/", BODY).json()


@pytest.fixture
def receiver(neighbour):
    server = neighbour(lambda request, connection: answer(server.status))
    server.status = 200
    return server


@pytest.fixture
def told(admin, acme, receiver, run_jobs):
    """The path of a webhook at a receiver that was told of one customer, in vain."""
    path = f"webhooks/{admin.post('webhooks/', BODY | {'url': receiver.url}).json()['id']}/"
    receiver.status = 500
    register_customer(first_name="Ada")
    enqueue("webhooks.tick", tenant=None)
    run_jobs()
    receiver.status = 200
    return path


class TestWebhooks:
    def test_one_is_made_and_its_secret_shown_once(self, admin, acme):
        made = admin.post("webhooks/", BODY | {"description": "Web shop"})

        body = made.json()
        assert made.status_code == 201
        assert made["Location"].endswith(f"/webhooks/{body['id']}/")
        assert body.pop("secret").startswith("whsec_")
        assert body | {"created_at": 0, "updated_at": 0, "id": 0} == {
            "id": 0,
            "url": URL,
            "description": "Web shop",
            "events": ["customer.*"],
            "active": True,
            "health": "new",
            "waiting": 0,
            "last_success_at": None,
            "failing_since": None,
            "disabled_at": None,
            "disabled_reason": "",
            "previous_secret_until": None,
            "created_at": 0,
            "updated_at": 0,
        }
        assert admin.get(f"webhooks/{body['id']}/").json() == body
        assert admin.get("webhooks/").json()["results"] == [body]

    def test_a_repeated_creation_makes_one_and_does_not_tell_the_secret_again(self, admin):
        headers = {"Idempotency-Key": "k"}
        first = admin.post("webhooks/", BODY, headers=headers)
        second = admin.post("webhooks/", BODY, headers=headers)

        assert (first.status_code, second.status_code) == (201, 409)
        assert "whsec_" not in second.content.decode()
        assert len(admin.get("webhooks/").json()["results"]) == 1

    def test_it_is_changed_and_removed(self, admin, hook):
        path = f"webhooks/{hook['id']}/"

        changed = admin.patch(path, {"events": ["*"], "active": False})

        assert changed.status_code == 200
        assert (changed.json()["events"], changed.json()["health"]) == (["*"], "paused")
        assert changed.json()["url"] == URL
        assert admin.delete(path).status_code == 204
        assert admin.get(path).status_code == 404

    @pytest.mark.parametrize(
        ("body", "field", "code"),
        [
            ({}, "url", "required"),
            (BODY | {"url": "http://hooks.example.com/"}, None, None),
            (BODY | {"url": "https://10.0.0.1/"}, "url", "address"),
            (BODY | {"url": "https://hooks.example.com:25/"}, "url", "port"),
            (BODY | {"url": None}, "url", "url"),
            (BODY | {"events": []}, "events", "required"),
            (BODY | {"events": ["customer.exploded"]}, "events", "unknown"),
            (BODY | {"events": {"a": 1}}, "events", "invalid"),
            (BODY | {"salt": "mine"}, "salt", "unknown"),
            (BODY | {"position": 0}, "position", "unknown"),
            (BODY | {"description": "x" * 201}, "description", "max_length"),
            (BODY | {"active": "yes"}, "active", "invalid"),
        ],
    )
    def test_a_bad_body_is_refused_by_field(self, admin, settings, body, field, code):
        refused = admin.post("webhooks/", body)

        if field is None:  # http:// is allowed while trying things out
            settings.OUTBOUND_ALLOW_HTTP = False
            refused, field, code = admin.post("webhooks/", body), "url", "scheme"
        assert refused.status_code == 400
        assert (field, code) in [
            (error["field"], error["code"]) for error in refused.json()["errors"]
        ]

    def test_a_secret_is_rotated(self, admin, hook):
        path = f"webhooks/{hook['id']}/"

        rotated = admin.post(f"{path}rotate-secret/", {"hours": 2})

        assert rotated.status_code == 200
        assert rotated.json()["secret"].startswith("whsec_")
        assert rotated.json()["secret"] != hook["secret"]
        assert admin.get(path).json()["previous_secret_until"] is not None
        assert admin.post(f"{path}rotate-secret/").status_code == 200
        assert admin.post(f"{path}rotate-secret/", {"hours": -1}).status_code == 400
        assert admin.post(f"{path}rotate-secret/", {"days": 1}).status_code == 400

    def test_a_strangers_webhook_is_not_there(self, admin, acme, rival):
        with in_tenant(rival):
            theirs, _secret = create_endpoint(url=URL, events=["*"])
        delivery = uuid.uuid4()

        for key in (theirs.pk, uuid.uuid4(), "nonsense"):
            path = f"webhooks/{key}/"
            statuses = [
                admin.get(path).status_code,
                admin.patch(path, {"active": False}).status_code,
                admin.delete(path).status_code,
                admin.post(f"{path}rotate-secret/").status_code,
                admin.post(f"{path}test/").status_code,
                admin.post(f"{path}replay/", {"since": "2026-01-01T00:00:00Z"}).status_code,
                admin.get(f"{path}deliveries/").status_code,
                admin.post(f"{path}deliveries/{delivery}/replay/").status_code,
            ]
            assert statuses == [404] * 8
        with in_tenant(rival):
            assert WebhookEndpoint.objects.get().active

    @pytest.mark.parametrize("role", ["seller", "customer"])
    def test_they_are_for_administrators(self, as_role, ada, role):
        assert as_role(role, customer=ada).get("webhooks/").status_code == 403

    def test_the_list_takes_the_same_queries_for_many(
        self, admin, acme, django_assert_max_num_queries
    ):
        for _ in range(10):
            create_endpoint(url=URL, events=["*"])

        with django_assert_max_num_queries(8):
            assert len(admin.get("webhooks/").json()["results"]) == 10


class TestDeliveries:
    def test_the_log_tells_how_it_went(self, admin, told):
        row = admin.get(f"{told}deliveries/").json()["results"][0]

        delivery = WebhookDelivery.objects.select_related("event").get()
        assert row["event_id"] == str(delivery.event.uid)
        assert (row["event"], row["state"], row["attempts"]) == (
            "customer.registered",
            "waiting",
            1,
        )
        assert (row["status"], row["error"]) == (500, "status")
        assert admin.get(told).json()["health"] == "failing"
        assert admin.get(told).json()["waiting"] == 1

    def test_it_can_be_narrowed(self, admin, told):
        def count(**filters):
            return len(admin.get(f"{told}deliveries/", filters).json()["results"])

        assert count(state="waiting") == count(event="customer.registered") == count() == 1
        assert count(state="failed") == count(event="customer.deleted") == 0
        assert count(created_after="2100-01-01") == 0
        assert admin.get(f"{told}deliveries/", {"state": "lost"}).status_code == 400

    def test_one_is_sent_again(self, admin, told, receiver, run_jobs):
        row = admin.get(f"{told}deliveries/").json()["results"][0]

        again = admin.post(f"{told}deliveries/{row['id']}/replay/")
        run_jobs()

        assert (again.status_code, again.json()["attempts"]) == (202, 0)
        assert len(receiver.requests) == 2
        assert admin.get(f"{told}deliveries/").json()["results"][0]["state"] == "delivered"

    def test_all_that_failed_are_sent_again(self, admin, told, receiver, run_jobs):
        WebhookDelivery.objects.update(state="failed")

        again = admin.post(f"{told}replay/", {"since": "2026-01-01T00:00:00Z"})
        run_jobs()

        assert (again.status_code, again.json()) == (202, {"replayed": 1})
        assert WebhookDelivery.objects.get().state == "delivered"
        assert admin.post(f"{told}replay/", {}).status_code == 400
        assert admin.post(f"{told}replay/", {"since": "soon"}).status_code == 400

    def test_nothing_is_sent_again_while_it_is_switched_off(self, admin, told):
        row = admin.get(f"{told}deliveries/").json()["results"][0]
        admin.patch(told, {"active": False})

        one = admin.post(f"{told}deliveries/{row['id']}/replay/")
        all_of_them = admin.post(f"{told}replay/", {"since": "2026-01-01T00:00:00Z"})

        assert (one.status_code, all_of_them.status_code) == (409, 409)
        assert one.json()["type"] == "urn:regulars:problem:webhook_inactive"

    def test_a_test_is_on_its_way(self, admin, told, receiver, run_jobs):
        sent = admin.post(f"{told}test/")
        run_jobs()

        assert (sent.status_code, sent.json()["event"]) == (202, "webhook.test")
        log = admin.get(f"{told}deliveries/", {"event": "webhook.test"}).json()["results"]
        assert [(row["id"], row["state"]) for row in log] == [(sent.json()["id"], "delivered")]
        again = admin.post(f"{told}deliveries/{sent.json()['id']}/replay/")
        assert again.status_code == 400
