"""`among`: thousands of values in one question."""

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import Customer, Email
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db


def test_it_finds_what_in_finds(acme, ada):
    other = CustomerFactory(tenant=acme, external_id="x-1")
    ids = [ada.pk, other.pk, uuid.uuid4()]

    assert set(Customer.objects.filter(pk__among=ids)) == {ada, other}
    assert Customer.objects.get(external_id__among={"x-1", "none"}) == other
    assert Customer.objects.get(number__among=[other.number]) == other
    assert {row.customer_id for row in Email.objects.filter(customer__among=ids)} == {ada.pk}
    assert set(Customer.objects.exclude(pk__among=[ada.pk])) == {other}


def test_nothing_is_among_no_values(acme, ada, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert list(Customer.objects.filter(pk__among=[])) == []
    assert list(Customer.objects.exclude(pk__among=[])) == [ada]


def test_postgresql_is_sent_one_array(acme, ada):
    with CaptureQueriesContext(connection) as captured:
        list(Customer.objects.filter(pk__among=[ada.pk, uuid.uuid4()]))

    assert ("ANY(" in captured[0]["sql"]) == (connection.vendor == "postgresql")


def test_a_related_column_may_be_asked(acme, ada):
    assert Customer.objects.get(emails__address_key__among=["ada@example.org"]) == ada
