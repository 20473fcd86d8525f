"""The same registration by several callers at once, with and without an Idempotency-Key."""

import threading

import pytest
from django.db import connection

from customers.models import Customer
from customers.views.customers import CustomerViewSet
from tenancy.scoping import in_tenant
from tests.api_client import Api
from tests.factories import GroupFactory, TenantFactory, make_token

ROUNDS = 4


def statuses_of_rounds():
    """Register the same customer into a group six times at once, for some rounds; returns all
    statuses and how many customers there are."""
    tenant = TenantFactory()
    GroupFactory(tenant=tenant, code="club")
    api, statuses = Api(make_token(tenant), raises=False), []
    for n in range(ROUNDS):
        body = {"first_name": "Ada", "external_id": f"ada-{n}", "groups": ["club"]}
        keys = [{"Idempotency-Key": f"key-{n}-{i}"} for i in range(3)] + [{}] * 3
        start = threading.Barrier(len(keys))

        def register(headers, body=body, start=start):
            try:
                start.wait(timeout=20)
                statuses.append(api.post("customers/", body, headers=headers).status_code)
            finally:
                connection.close()

        threads = [threading.Thread(target=register, args=[headers]) for headers in keys]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
    with in_tenant(tenant):
        return statuses, Customer.objects.count()


@pytest.mark.django_db(transaction=True)
def test_one_is_made_and_nobody_waits_for_ever():
    statuses, n_customers = statuses_of_rounds()

    assert n_customers == ROUNDS
    assert sorted(statuses) == [201] * ROUNDS + [409] * 5 * ROUNDS


@pytest.mark.django_db(transaction=True)
def test_with_the_number_taken_inside_two_wait_for_each_other(monkeypatch):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time: the two cannot meet")
    monkeypatch.setattr(CustomerViewSet, "prepare", lambda view: None)

    statuses, n_customers = statuses_of_rounds()

    assert n_customers == ROUNDS
    assert 503 in statuses
