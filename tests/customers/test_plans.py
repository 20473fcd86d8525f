"""Which way SQLite takes to many customers: the one that an index leads, not through everybody.

What PostgreSQL plans depends on what it has counted and is measured in benchmarks.
"""

import pytest
from django.db import connection

from customers.models import Customer
from customers.querysets import known_as
from customers.services.statistics import refresh_statistics
from tests.factories import CustomerFactory

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite only"),
]


@pytest.fixture
def many(acme):
    CustomerFactory.create_batch(30, tenant=acme)
    refresh_statistics()


def test_customers_are_counted_without_a_look_at_their_rows(many):
    assert "COVERING INDEX" in Customer.objects.order_by().only("pk").values("pk").explain()


@pytest.mark.parametrize(
    "column", ["external_id", "username", "card_number", "login_email", "login_phone_key"]
)
def test_whoever_is_known_by_an_identifier_is_found_by_its_index(many, column):
    found = Customer.objects.filter(known_as(Customer, column, "x")).order_by()

    plan = found.explain()

    assert "MULTI-INDEX OR" in plan
    assert "SCAN customers_customer" not in plan
