"""Killed anywhere between commit and send: every event arrives, under one id, and none is lost."""

import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection, transaction

from customers.services import register_customer, update_customer
from events.jobs import enqueue
from events.jobs.running import run_due
from events.models import Event, WebhookDelivery, WebhookEndpoint
from events.webhooks import jobs, queueing, sending
from events.webhooks.managing import create_endpoint
from tenancy.clock import frozen, now
from tenancy.scoping import in_tenant
from tests.events.servers import OK
from tests.factories import TenantFactory
from tests.other_process import ROOT, surroundings

STEPS = ("queueing", "queued", "asking", "sent", "settling")
N_KILLS = 50


class Killed(BaseException):
    """What no handler expects: the process ends here."""


def die(*args, **options):
    raise Killed


@pytest.fixture
def trap(monkeypatch):
    """A function (step) -> a context in which the worker dies at that step."""

    def lay(step):
        context = monkeypatch.context()
        patched = context.__enter__()
        make = WebhookDelivery.objects.bulk_create
        if step == "tick":
            patched.setattr(jobs, "order_sending", die)
        elif step == "queueing":
            patched.setattr(
                type(WebhookDelivery.objects),
                "bulk_create",
                lambda self, rows: (make(rows), die()),
            )
        elif step == "moving":
            patched.setattr(queueing, "_is_full", die)
        elif step == "queued":
            patched.setattr(jobs, "send_due", die)
        elif step == "holding":
            patched.setattr(sending, "next_due", die)
        elif step == "asking":
            patched.setattr(sending, "request", die)
        elif step == "sent":
            patched.setattr(sending, "settle", die)
        elif step == "settling":
            patched.setattr(sending, "_note", die)
        return context

    return lay


@pytest.mark.django_db
@pytest.mark.usefixtures("names", "trying_out")
def test_fifty_kills_lose_nothing_and_invent_nothing(acme, neighbour, trap):
    receiver = neighbour()
    create_endpoint(url=receiver.url, events=["*"])
    customer = register_customer(first_name="Ada")
    chance = random.Random(50)
    steps = ("tick", "queueing", "moving", "queued", "holding", "asking", "sent", "settling")
    instant, died = now(), Counter()

    for n in range(N_KILLS):
        update_customer(customer, first_name=f"n{n}")
        with transaction.atomic():
            update_customer(customer, first_name="never")
            transaction.set_rollback(True)
        step = steps[n % len(steps)]
        # A killed worker's hold on an endpoint ends by itself.
        instant += sending.HOLD + timedelta(seconds=chance.randint(1, 60))
        context = trap(step)
        try:
            with frozen(instant):
                enqueue("webhooks.tick", tenant=None)
                run_due()
        except Killed:
            died[step] += 1
        finally:
            context.__exit__(None, None, None)
    with frozen(instant + timedelta(hours=1)):
        enqueue("webhooks.tick", tenant=None)
        run_due()

    assert sum(died.values()) == N_KILLS, died
    assert_told_all(receiver)


def assert_told_all(receiver):
    """Every event at least once under its id, and nothing that is no event."""
    told = Counter(request.headers["webhook-id"] for request in receiver.requests)
    written = {str(uid) for uid in Event.objects.values_list("uid", flat=True)}
    assert set(told) == written
    assert set(WebhookDelivery.objects.values_list("state", flat=True)) == {"delivered"}
    assert WebhookDelivery.objects.count() == len(written)


# --- As it really is ---------------------------------------------------------------------------
def work_in_a_process(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "tests.events.kill_worker", *arguments],
        env=surroundings(OUTBOUND_ALLOW="127.0.0.1", OUTBOUND_ALLOW_HTTP="true"),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )


def kill_and_go_on(neighbour, steps):
    receiver = neighbour(lambda request, connection: OK)
    tenant = TenantFactory(code="acme")
    with in_tenant(tenant):
        create_endpoint(url=receiver.url, events=["*"])
        customer = register_customer(first_name="Ada")
        for n, step in enumerate(steps):
            update_customer(customer, first_name=f"n{n}")
            # What the killed one held would be held for a minute.
            WebhookEndpoint.objects.update(sender=None, sender_until=None)
            killed = work_in_a_process(step)
            assert killed.returncode == -signal.SIGKILL, killed.stderr
        WebhookEndpoint.objects.update(sender=None, sender_until=None)
        survivor = work_in_a_process()
        assert survivor.returncode == 0, survivor.stderr
        assert_told_all(receiver)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("names", "trying_out")
def test_a_killed_process_loses_nothing(neighbour):
    kill_and_go_on(neighbour, ("queued", "sent"))


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("names", "trying_out")
def test_workers_who_queue_for_one_endpoint_at_once_queue_each_event_once(neighbour):
    tenant = TenantFactory(code="acme")
    with in_tenant(tenant):
        endpoint, _secret = create_endpoint(url=neighbour().url, events=["customer.registered"])
        for n in range(12):
            register_customer(first_name=f"N{n}")
    start, failures = threading.Barrier(4), []

    def work():
        try:
            with in_tenant(tenant):
                start.wait(timeout=60)
                queueing.queue_deliveries(endpoint.pk)
        except Exception as failure:
            failures.append(failure)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert failures == []
    with in_tenant(tenant):
        assert WebhookDelivery.objects.count() == 12


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("names", "trying_out")
def test_fifty_killed_processes_lose_nothing(neighbour):
    kill_and_go_on(neighbour, [STEPS[n % len(STEPS)] for n in range(N_KILLS)])
