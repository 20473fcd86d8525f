"""Webhooks: told signed, in order, until the receiver has it, and nothing about a person."""

import base64
import hashlib
import hmac
import json
from datetime import timedelta

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from customers.services import (
    anonymise_customer,
    delete_customer,
    record_consent,
    register_customer,
    update_customer,
)
from events.jobs import enqueue
from events.jobs.housekeeping import take_back_abandoned
from events.models import (
    Circuit,
    Event,
    HistoryEntry,
    Job,
    WebhookDelivery,
    WebhookEndpoint,
)
from events.webhooks import queueing, sending
from events.webhooks.jobs import prune
from events.webhooks.managing import (
    MOST_ENDPOINTS,
    create_endpoint,
    delete_endpoint,
    rotate_secret,
    update_endpoint,
)
from events.webhooks.queueing import queue_deliveries
from events.webhooks.replaying import replay_delivery, replay_failed, send_test
from events.webhooks.sending import DELAYS, send_due
from groups.services import create_group
from tenancy.clock import frozen, now
from tenancy.scoping import all_tenants, in_tenant
from tests.customers.planting import plant
from tests.events.servers import answer, drip, hang
from tests.factories import StaffMemberFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("names", "trying_out")]


class Killed(BaseException):
    """What no handler expects: the worker ends here."""


def die(*args, **options):
    raise Killed


# --- A receiver as one writes it from the document alone --------------------------------------
class Forged(Exception):
    """Not from whom it says, or not from now."""


def verified(request, secret, at):
    """The message in a request, when it is ours and of the last five minutes."""
    message_id, sent_at = request.headers["webhook-id"], request.headers["webhook-timestamp"]
    if abs(at.timestamp() - int(sent_at)) > 300:
        raise Forged("too old or too new")
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message_id}.{sent_at}.".encode() + request.content
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    for signature in request.headers["webhook-signature"].split():
        version, _, value = signature.partition(",")
        if version == "v1" and hmac.compare_digest(value, expected):
            return json.loads(request.content)
    raise Forged("nobody's signature")


@pytest.fixture
def receiver(neighbour):
    """A server that answers `receiver.status` and keeps what it got."""
    server = neighbour(lambda request, connection: answer(server.status))
    server.status = 200
    return server


@pytest.fixture
def hook(acme, receiver):
    """An endpoint of Acme at the receiver, and its secret."""
    endpoint, secret = create_endpoint(url=receiver.url, events=["*"])
    endpoint.secret = secret
    return endpoint


@pytest.fixture
def work(run_jobs):
    """A function: the worker as it would run by now, `after` a while."""

    def work(after=timedelta(0)):
        with frozen(now() + after):
            enqueue("webhooks.tick", tenant=None)
            run_jobs()

    return work


def got(receiver):
    """(kind, id) of what a receiver has been told, in order."""
    messages = [json.loads(request.content) for request in receiver.requests]
    return [(message["type"], message["data"]["id"]) for message in messages]


def try_again_and_again(times, hook):
    """Let so many tries pass, each when it is due and its circuit closed."""
    instant = now()
    for _ in range(times):
        Circuit.objects.all().delete()
        waiting = WebhookDelivery.objects.waiting().filter(endpoint=hook).first()
        if waiting is not None:
            instant = max(instant, waiting.next_at)
        with frozen(instant):
            send_due(hook.pk)
    return instant


class TestTelling:
    def test_an_event_is_told_with_ids_and_version(self, hook, receiver, work, ada):
        work()

        event = Event.objects.get()
        request = receiver.requests[0]
        assert verified(request, hook.secret, now()) == {
            "type": "customer.registered",
            "timestamp": event.at.isoformat(),
            "data": {
                "type": "customer",
                "id": str(ada.pk),
                "customer": str(ada.pk),
                "version": 1,
            },
        }
        assert request.method == "POST"
        assert request.headers["content-type"] == "application/json"
        assert request.headers["webhook-id"] == str(event.uid)

    def test_events_come_once_and_in_the_order_of_the_feed(self, hook, receiver, work, ada):
        for name in "abcde":
            update_customer(ada, first_name=name)
        work()
        delete_customer(ada)
        work()
        work()

        versions = [json.loads(request.content)["data"]["version"] for request in receiver.requests]
        assert versions == [1, 2, 3, 4, 5, 6, 7]

    def test_a_rolled_back_change_tells_nobody(self, hook, receiver, work, acme):
        with transaction.atomic():
            register_customer(first_name="Ada")
            transaction.set_rollback(True)
        work()

        assert receiver.n_connections == 0
        assert not WebhookDelivery.objects.exists()

    def test_only_the_chosen_events_are_told(self, acme, receiver, work):
        create_endpoint(url=receiver.url, events=["group.*", "customer.deleted"])
        customer = register_customer(first_name="Ada")
        group = create_group(code="news")
        delete_customer(customer)
        work()

        assert got(receiver) == [
            ("group.created", str(group.pk)),
            ("customer.deleted", str(customer.pk)),
        ]

    def test_what_happened_before_is_not_told(self, acme, ada, receiver, work):
        create_endpoint(url=receiver.url, events=["*"])
        work()

        assert receiver.n_connections == 0

    def test_each_tenant_is_told_of_its_own(self, hook, receiver, rival, work):
        with in_tenant(rival):
            register_customer(first_name="Mallory")
        work()

        assert receiver.n_connections == 0

    def test_no_value_of_a_person_leaves_the_house(self, hook, receiver, work, acme):
        customer, marks = plant(acme)
        record_consent(customer, purpose="marketing", granted=True, source="Zsource")
        anonymise_customer(customer)
        work()

        told = " ".join(
            request.content.decode() + repr(request.headers) for request in receiver.requests
        )
        assert len(receiver.requests) > 10
        assert len(marks) >= 30
        assert [mark for mark in marks if mark in told] == []


class TestSignatures:
    def test_a_changed_message_is_nobodys(self, hook, receiver, work, ada):
        work()
        request = receiver.requests[0]
        request.content = request.content.replace(b"registered", b"deleted")

        with pytest.raises(Forged):
            verified(request, hook.secret, now())

    def test_another_endpoints_secret_does_not_fit(self, hook, receiver, work, ada):
        _other, secret = create_endpoint(url=receiver.url, events=["*"])
        work()

        with pytest.raises(Forged):
            verified(receiver.requests[0], secret, now())

    def test_a_message_of_six_minutes_ago_is_refused(self, hook, receiver, work, ada):
        work()

        with pytest.raises(Forged, match="too old"):
            verified(receiver.requests[0], hook.secret, now() + timedelta(minutes=6))

    def test_each_try_is_signed_anew_under_the_same_id(self, hook, receiver, work, ada):
        receiver.status = 500
        work()
        receiver.status = 200
        work(after=timedelta(hours=1))

        first, second = receiver.requests
        assert first.headers["webhook-id"] == second.headers["webhook-id"]
        assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]
        verified(second, hook.secret, now() + timedelta(hours=1))

    def test_during_a_rotation_both_secrets_fit_and_then_the_new_one(
        self, hook, receiver, work, ada
    ):
        new = rotate_secret(hook, hours=2)
        work()
        update_customer(ada, first_name="Augusta")
        work(after=timedelta(hours=3))

        during, later = receiver.requests
        assert new != hook.secret
        assert len(during.headers["webhook-signature"].split()) == 2
        verified(during, hook.secret, now())
        verified(during, new, now())
        then = now() + timedelta(hours=3)
        verified(later, new, then)
        with pytest.raises(Forged):
            verified(later, hook.secret, then)

    def test_a_leaked_secret_can_be_ended_at_once(self, hook, receiver, work, ada):
        rotate_secret(hook, hours=0)
        work()

        with pytest.raises(Forged):
            verified(receiver.requests[0], hook.secret, now())

    def test_the_secret_stands_nowhere_in_the_database(self, hook):
        row = repr(WebhookEndpoint.objects.values().get())

        key = hook.secret.removeprefix("whsec_")
        assert key not in row
        assert base64.b64decode(key).hex() not in row

    def test_a_pepper_that_is_gone_is_a_failure_that_says_so(
        self, hook, receiver, work, ada, settings
    ):
        settings.TOKEN_PEPPERS = {7: "another"}
        work()

        assert receiver.n_connections == 0
        assert WebhookDelivery.objects.get().last_error == "secret"
        settings.TOKEN_PEPPERS = {}
        work(after=timedelta(minutes=1))
        assert WebhookDelivery.objects.get().state == "delivered"


class TestTryingAgain:
    def test_a_failure_is_tried_again_at_growing_distances(self, hook, receiver, ada):
        receiver.status = 500
        queue_deliveries(hook.pk)
        waits = []

        for _ in range(len(DELAYS)):
            instant = try_again_and_again(1, hook)
            delivery = WebhookDelivery.objects.get()
            waits.append((delivery.next_at - max(instant, delivery.tried_at)).total_seconds())

        assert all(
            delay <= wait <= delay * 1.2001 for delay, wait in zip(DELAYS, waits, strict=True)
        )
        assert 2.5 < sum(DELAYS) / 86_400 < 3.5
        assert delivery.state == "waiting"

    def test_the_eleventh_failure_is_the_last(self, hook, receiver, ada):
        receiver.status = 500
        queue_deliveries(hook.pk)

        try_again_and_again(13, hook)

        assert receiver.n_connections == 11
        delivery = WebhookDelivery.objects.get()
        assert (delivery.state, delivery.attempts, delivery.last_status) == ("failed", 11, 500)

    @pytest.mark.parametrize("status", [301, 302, 400, 401, 404, 429, 500, 503])
    def test_whatever_is_no_success_is_tried_again(self, hook, receiver, work, ada, status):
        receiver.status = status
        work()
        receiver.status = 204
        work(after=timedelta(minutes=1))

        delivery = WebhookDelivery.objects.get()
        assert (delivery.state, delivery.attempts) == ("delivered", 2)

    def test_one_that_waits_lets_later_ones_pass(self, hook, neighbour, work, ada):
        picky = neighbour(
            lambda request, connection: answer(500 if b'"version": 1' in request.content else 200)
        )
        update_endpoint(hook, url=picky.url)
        update_customer(ada, first_name="Augusta")
        work()

        states = WebhookDelivery.objects.order_by("position").values_list("state", flat=True)
        assert list(states) == ["waiting", "delivered"]

    def test_the_log_tells_status_kind_and_time_and_no_content(self, hook, neighbour, work, ada):
        chatty = neighbour(lambda request, connection: answer(500, b"Zanzibar", Server="Zanzibar"))
        update_endpoint(hook, url=chatty.url)
        work()

        delivery = WebhookDelivery.objects.get()
        assert (delivery.last_status, delivery.last_error) == (500, "status")
        assert delivery.last_milliseconds is not None
        assert "Zanzibar" not in repr(WebhookDelivery.objects.values().get())

    def test_an_address_that_leads_inside_by_now_is_not_asked(
        self, hook, receiver, work, ada, settings
    ):
        settings.OUTBOUND_ALLOW = []
        work()

        assert receiver.n_connections == 0
        assert WebhookDelivery.objects.get().last_error == "address"

    def test_a_repetition_asked_for_during_a_try_is_not_lost(self, hook, neighbour, ada):
        def meanwhile(request, connection):
            return answer(500)

        slow = neighbour(meanwhile)
        update_endpoint(hook, url=slow.url)
        queue_deliveries(hook.pk)
        delivery = WebhookDelivery.objects.select_related("event").get()
        outcome = sending.attempt(delivery, WebhookEndpoint.objects.get())
        with frozen(now() + timedelta(seconds=1)):
            replay_delivery(delivery)

        sending.settle(delivery, hook, outcome)

        assert WebhookDelivery.objects.get().attempts == 0


class TestBadReceivers:
    """A receiver that misbehaves gets its retries, and nobody else notices."""

    @pytest.fixture
    def bystander(self, neighbour, acme):
        """Another receiver, behind the bad one in every order."""
        server = neighbour()
        create_endpoint(url=server.url, events=["*"])
        return server

    def bad(self, monkeypatch, seconds=0.2):
        """Hold patience short, so that nobody waits for a test."""
        real = sending.request
        monkeypatch.setattr(
            sending, "request", lambda *args, **options: real(*args, **options, seconds=seconds)
        )

    def test_one_that_hangs(self, neighbour, acme, work, monkeypatch, bystander):
        self.bad(monkeypatch)
        lame = neighbour()
        lame.behave = lambda request, connection: hang(lame)
        create_endpoint(url=lame.url, events=["*"])
        for name in "abc":
            register_customer(first_name=name)
        work()

        assert len(bystander.requests) == 3
        lame_ones = WebhookDelivery.objects.filter(endpoint__url=lame.url).order_by("position")
        # It lets us wait once in a turn, and the others have theirs.
        assert [row.attempts for row in lame_ones] == [1, 0, 0]
        assert lame_ones[0].last_error == "timeout"
        assert all(row.state == "waiting" for row in lame_ones)

    def test_one_that_drips_its_answer(self, neighbour, acme, work, monkeypatch, bystander):
        self.bad(monkeypatch)
        slow = neighbour(drip(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1_000))
        create_endpoint(url=slow.url, events=["*"])
        register_customer(first_name="Ada")
        work()

        assert len(bystander.requests) == 1
        assert WebhookDelivery.objects.get(endpoint__url=slow.url).last_error == "timeout"

    def test_one_that_sends_a_huge_body_is_not_read(self, neighbour, acme, work, bystander):
        sent = []

        def flood(request, connection):
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            for _ in range(2_000):
                connection.sendall(b"x" * 65_536)
                sent.append(65_536)

        create_endpoint(url=neighbour(flood).url, events=["*"])
        register_customer(first_name="Ada")
        work()

        assert set(WebhookDelivery.objects.values_list("state", flat=True)) == {"delivered"}
        assert sum(sent) < 20_000_000

    @pytest.mark.parametrize("content", [b"garbage", b"\x00" * 100, b"HTTP/1.1 abc\r\n\r\n"])
    def test_one_that_does_not_speak_http(self, neighbour, acme, work, bystander, content):
        strange = neighbour(lambda request, connection: content)
        create_endpoint(url=strange.url, events=["*"])
        register_customer(first_name="Ada")
        work()

        delivery = WebhookDelivery.objects.get(endpoint__url=strange.url)
        assert (delivery.state, delivery.last_error) == ("waiting", "protocol")
        assert len(bystander.requests) == 1

    def test_one_that_fails_is_left_alone_after_five_tries(self, hook, receiver, work, ada):
        receiver.status = 500
        for name in "abcdefgh":
            update_customer(ada, first_name=name)
        work()
        work()

        assert receiver.n_connections == 5
        assert WebhookDelivery.objects.waiting().count() == 9
        receiver.status = 200
        work(after=timedelta(minutes=1))
        assert WebhookDelivery.objects.waiting().count() == 0

    def test_the_tick_orders_nothing_for_one_that_is_left_alone(self, hook, receiver, work, ada):
        receiver.status = 500
        for name in "abcdefgh":
            update_customer(ada, first_name=name)
        work()
        with all_tenants():
            n_before = Job.objects.filter(name="webhooks.send").count()
        work()

        with all_tenants():
            assert Job.objects.filter(name="webhooks.send").count() == n_before

    def test_one_that_never_answers_does_not_fill_the_table(
        self, hook, receiver, work, ada, monkeypatch
    ):
        monkeypatch.setattr(queueing, "BACKLOG", 4)
        monkeypatch.setattr(queueing, "AT_ONCE", 3)
        receiver.status = 500
        for n in range(20):
            update_customer(ada, first_name=f"n{n}")
        for _ in range(5):
            work()

        assert WebhookDelivery.objects.count() <= 4 + 3
        receiver.status = 200
        Circuit.objects.all().delete()
        for _ in range(8):
            work(after=timedelta(minutes=2))
        assert WebhookDelivery.objects.filter(state="delivered").count() == 21


class TestRequestsDoNotWait:
    """No request speaks to another server: a receiver that hangs cannot hold it up."""

    @pytest.fixture
    def nobody_is_asked(self, monkeypatch):
        def asked(*args, **options):
            raise AssertionError("a request opens a connection")

        monkeypatch.setattr("httpcore.SyncBackend.connect_tcp", asked)
        monkeypatch.setattr("events.outbound.targets._resolve", asked)

    def test_with_a_webhook_the_same_things_happen_in_a_request(
        self, hook, nobody_is_asked, admin, django_capture_on_commit_callbacks
    ):
        path = f"webhooks/{hook.pk}/"
        with django_capture_on_commit_callbacks(execute=True):
            made = admin.post("customers/", {"first_name": "Ada"})
            customer = f"customers/{made.json()['id']}/"
            answers = [
                made,
                admin.patch(customer, {"first_name": "Augusta"}),
                admin.get(customer),
                admin.get("changes/"),
                admin.post(f"{path}test/"),
                admin.patch(path, {"url": "https://hooks.example.com/", "active": True}),
                admin.post(f"{path}replay/", {"since": "2026-01-01T00:00:00Z"}),
                admin.delete(customer),
            ]

        assert [one.status_code for one in answers] == [201, 200, 200, 200, 202, 200, 202, 204]

    def test_a_write_costs_no_query_more_for_it(self, acme):
        def cost():
            with CaptureQueriesContext(connection) as queries:
                register_customer(first_name="Ada")
            return len(queries)

        cost()  # what is looked up once for all
        without = cost()
        create_endpoint(url="https://hooks.example.com/", events=["*"])

        assert cost() == without


class TestOneSender:
    def test_while_somebody_sends_nobody_else_does(self, hook, neighbour, ada):
        seen = []

        def nosy(request, connection):
            return answer(200)

        server = neighbour(nosy)
        update_endpoint(hook, url=server.url)
        queue_deliveries(hook.pk)
        real = sending.attempt

        def attempt(delivery, endpoint):
            seen.append(send_due(hook.pk))  # a second worker, in the middle of the first one's try
            return real(delivery, endpoint)

        sending.attempt, keep = attempt, sending.attempt
        try:
            send_due(hook.pk)
        finally:
            sending.attempt = keep

        assert seen == [False]
        assert server.n_connections == 1

    def test_who_was_killed_is_followed_after_a_minute(self, hook, receiver, ada):
        queue_deliveries(hook.pk)
        WebhookEndpoint.objects.update(
            sender="00000000-0000-4000-8000-000000000000", sender_until=now() + sending.HOLD
        )

        send_due(hook.pk)
        assert receiver.n_connections == 0
        with frozen(now() + sending.HOLD):
            send_due(hook.pk)
        assert receiver.n_connections == 1

    def test_an_endpoint_that_is_free_again_is_held_by_nobody(self, hook, receiver, ada):
        queue_deliveries(hook.pk)

        send_due(hook.pk)

        assert WebhookEndpoint.objects.get().sender is None


class TestSwitchingOff:
    @pytest.fixture
    def boss(self, acme):
        user = UserFactory(email="boss@example.org")
        StaffMemberFactory(tenant=acme, role="admin", user=user)
        seller = UserFactory(email="seller@example.org")
        StaffMemberFactory(tenant=acme, role="seller", user=seller)
        return user

    def test_gone_ends_it_at_once_and_tells_the_administrators(
        self, hook, receiver, work, ada, boss
    ):
        receiver.status = 410
        update_customer(ada, first_name="Augusta")
        work()

        hook.refresh_from_db()
        assert receiver.n_connections == 1
        assert (hook.active, hook.disabled_reason, hook.health) == (False, "gone", "disabled")
        (message,) = mail.outbox
        assert message.to == ["boss@example.org"]
        assert receiver.url in message.body
        assert "(410)" in message.body
        event = Event.objects.get(kind="webhook.disabled")
        assert (event.subject_id, event.data) == (hook.pk, {"reason": "gone"})
        assert HistoryEntry.objects.about("webhook", hook.pk).first().deed == "webhook.disabled"

    def test_one_at_which_nothing_gets_through_is_switched_off(
        self, hook, receiver, ada, boss, sent_mail
    ):
        receiver.status = 500
        queue_deliveries(hook.pk)

        instant = try_again_and_again(11, hook)

        hook.refresh_from_db()
        assert (hook.active, hook.disabled_reason) == (False, "failing")
        with frozen(instant):
            assert [message.to for message in sent_mail()] == [["boss@example.org"]]

    def test_one_bad_message_switches_nothing_off(self, hook, neighbour, ada):
        picky = neighbour(
            lambda request, connection: answer(500 if b'"version": 1' in request.content else 200)
        )
        update_endpoint(hook, url=picky.url)
        queue_deliveries(hook.pk)
        send_due(hook.pk)
        update_customer(ada, first_name="Augusta")
        queue_deliveries(hook.pk)

        try_again_and_again(12, hook)

        hook.refresh_from_db()
        states = WebhookDelivery.objects.order_by("position").values_list("state", flat=True)
        assert list(states) == ["failed", "delivered"]
        assert hook.active

    def test_switched_on_again_it_goes_on_where_it_stopped(self, hook, receiver, work, ada):
        receiver.status = 410
        work()
        update_customer(ada, first_name="Augusta")
        work()
        receiver.status = 200
        update_endpoint(hook, active=True)
        work()

        versions = [
            json.loads(request.content)["data"].get("version") for request in receiver.requests
        ]
        assert versions == [1, None, 2]  # what asked for no more, that it was heard, the rest
        hook.refresh_from_db()
        assert (hook.health, hook.disabled_reason) == ("working", "")

    def test_a_paused_one_is_told_afterwards(self, hook, receiver, work, ada):
        update_endpoint(hook, active=False)
        work()
        assert (receiver.n_connections, hook.health) == (0, "new")
        update_endpoint(hook, active=True)
        work()

        assert receiver.n_connections == 1

    def test_nobody_is_told_for_a_tenant_that_is_switched_off(
        self, hook, receiver, work, acme, ada
    ):
        acme.active = False
        acme.save()
        work()

        assert receiver.n_connections == 0


class TestAgain:
    @pytest.fixture
    def failed(self, hook, receiver, ada):
        """Two deliveries that were given up, at an endpoint that works again."""
        update_customer(ada, first_name="Augusta")
        queue_deliveries(hook.pk)
        WebhookDelivery.objects.update(state="failed", attempts=11)
        return list(WebhookDelivery.objects.order_by("position"))

    def test_one_is_sent_again_under_its_old_id(self, failed, receiver, run_jobs):
        replay_delivery(failed[1])
        run_jobs()

        assert [request.headers["webhook-id"] for request in receiver.requests] == [
            str(failed[1].event.uid)
        ]
        assert WebhookDelivery.objects.get(pk=failed[1].pk).state == "delivered"
        assert WebhookDelivery.objects.get(pk=failed[0].pk).state == "failed"

    def test_one_that_was_delivered_can_be_sent_again(self, hook, receiver, work, ada, run_jobs):
        work()
        replay_delivery(WebhookDelivery.objects.get())
        run_jobs()

        first, second = receiver.requests
        assert first.headers["webhook-id"] == second.headers["webhook-id"]

    def test_all_that_failed_since_a_time_are_sent_again(self, failed, hook, receiver, run_jobs):
        WebhookDelivery.objects.filter(pk=failed[0].pk).update(created_at=now() - timedelta(days=2))

        assert replay_failed(hook, since=now() - timedelta(days=1)) == 1
        run_jobs()

        assert len(receiver.requests) == 1
        assert replay_failed(hook, since=now() - timedelta(days=3)) == 1

    def test_nothing_is_sent_again_to_one_that_is_switched_off(self, failed, hook):
        update_endpoint(hook, active=False)

        for deed in (lambda: replay_delivery(failed[0]), lambda: replay_failed(hook, since=now())):
            with pytest.raises(ValidationError) as refusal:
                deed()
            assert refusal.value.code == "webhook_inactive"


class TestTests:
    def test_a_test_is_sent_once_and_told_in_the_log(self, hook, receiver, run_jobs):
        delivery = send_test(hook)
        run_jobs()

        message = verified(receiver.requests[0], hook.secret, now())
        assert message["type"] == "webhook.test"
        assert message["data"] == {"type": "webhook", "id": str(hook.pk)}
        delivery.refresh_from_db()
        assert (delivery.state, delivery.last_status) == ("delivered", 200)

    def test_a_test_that_fails_is_not_repeated(self, hook, receiver, work):
        receiver.status = 500
        delivery = send_test(hook)
        work()
        work(after=timedelta(days=1))

        delivery.refresh_from_db()
        assert (receiver.n_connections, delivery.state) == (1, "failed")
        hook.refresh_from_db()
        assert hook.health == "new"

    def test_a_worker_killed_over_a_test_leaves_it_to_the_next_attempt(
        self, hook, receiver, work, monkeypatch
    ):
        delivery = send_test(hook)
        with monkeypatch.context() as killed:
            killed.setattr(sending, "request", die)
            with pytest.raises(Killed):
                work()
        with frozen(now() + timedelta(hours=1)):
            take_back_abandoned()
        work(after=timedelta(hours=1))
        work(after=timedelta(hours=2))

        delivery.refresh_from_db()
        assert (receiver.n_connections, delivery.state) == (1, "delivered")

    def test_a_test_that_nobody_ever_sent_goes_with_the_log(self, hook, settings):
        settings.WEBHOOK_LOG_DAYS = 30
        send_test(hook)

        with frozen(now() + timedelta(days=31)):
            prune(None)

        assert not WebhookDelivery.objects.exists()

    def test_one_that_is_switched_off_can_be_tried_out(self, hook, receiver, run_jobs):
        update_endpoint(hook, active=False)
        send_test(hook)
        run_jobs()

        assert receiver.n_connections == 1


class TestManaging:
    @pytest.mark.parametrize(
        ("fields", "named"),
        [
            ({"url": "http://10.0.0.1/"}, "url"),
            ({"url": "https://user@hooks.example.com/"}, "url"),
            ({"url": "nonsense"}, "url"),
            ({"url": 7}, "url"),
            ({"events": []}, "events"),
            ({"events": ["customer.exploded"]}, "events"),
            ({"events": "*", "description": "x" * 201}, "description"),
            ({"active": "perhaps"}, "active"),
        ],
    )
    def test_a_bad_value_is_named(self, acme, fields, named):
        values = {"url": "https://hooks.example.com/", "events": ["*"], **fields}

        with pytest.raises(ValidationError) as refusal:
            create_endpoint(**values)

        assert set(refusal.value.error_dict) == {named}
        assert not WebhookEndpoint.objects.exists()

    def test_a_tenant_has_a_bounded_number(self, acme):
        for _ in range(MOST_ENDPOINTS):
            create_endpoint(url="https://hooks.example.com/", events=["*"])

        with pytest.raises(ValidationError) as refusal:
            create_endpoint(url="https://hooks.example.com/", events=["*"])

        assert refusal.value.code == "too_many_webhooks"

    def test_the_history_holds_no_path_of_an_address(self, acme):
        endpoint, _secret = create_endpoint(
            url="https://hooks.example.com/in/s3cret?key=s3cret", events=["*"]
        )
        update_endpoint(endpoint, url="https://hooks.example.org/in/s3cret")
        delete_endpoint(endpoint)

        entries = HistoryEntry.objects.about("webhook", endpoint.pk)
        assert [entry.deed for entry in entries] == [
            "webhook.deleted",
            "webhook.updated",
            "webhook.created",
        ]
        assert "s3cret" not in repr([entry.changes for entry in entries])
        assert entries[1].changes["url"] == ["hooks.example.com", "hooks.example.org"]

    def test_nothing_changed_leaves_no_trace(self, hook):
        update_endpoint(hook, url=hook.url, events=["*"])

        assert HistoryEntry.objects.about("webhook", hook.pk).count() == 1

    def test_a_new_address_is_tried_at_once(self, hook, receiver, neighbour, work, ada):
        receiver.status = 500
        for name in "abcdef":
            update_customer(ada, first_name=name)
        work()
        better = neighbour()
        update_endpoint(hook, url=better.url)
        work(after=timedelta(seconds=20))

        assert len(better.requests) == 7

    def test_what_waits_goes_with_its_endpoint(self, hook, receiver, work, ada):
        queue_deliveries(hook.pk)
        delete_endpoint(hook)
        delete_endpoint(hook)
        work()

        assert receiver.n_connections == 0
        assert not WebhookDelivery.objects.exists()

    @pytest.mark.parametrize("hours", [-1, 1.5, "2", True, 10_000, None])
    def test_a_rotation_takes_a_sensible_time(self, hook, hours):
        with pytest.raises(ValidationError):
            rotate_secret(hook, hours=hours)


class TestClearingUp:
    def test_old_entries_of_the_log_and_old_events_go(self, hook, receiver, work, ada, settings):
        settings.EVENTS_KEEP_DAYS, settings.WEBHOOK_LOG_DAYS = 90, 30
        work()

        with frozen(now() + timedelta(days=31)):
            prune(None)
        assert (WebhookDelivery.objects.count(), Event.objects.count()) == (0, 1)
        with frozen(now() + timedelta(days=91)):
            prune(None)
        assert Event.objects.count() == 0

    def test_what_is_still_to_be_told_stays(self, hook, receiver, ada, settings):
        settings.EVENTS_KEEP_DAYS = 90

        with frozen(now() + timedelta(days=91)):
            prune(None)

        assert Event.objects.count() == 1

    def test_one_that_was_off_for_too_long_goes_on_with_what_is_kept(
        self, hook, receiver, work, ada, settings
    ):
        settings.EVENTS_KEEP_DAYS = 90
        update_endpoint(hook, active=False)
        later = timedelta(days=91)
        with frozen(now() + later):
            update_customer(ada, first_name="Augusta")
            prune(None)
            update_endpoint(hook, active=True)
        work(after=later)

        assert [json.loads(r.content)["data"]["version"] for r in receiver.requests] == [2]
