"""Many customers changed together: in how few statements, and beside whoever edits one of them.

That the outcome is that of single updates, tests/customers/imports/test_both_paths.py shows.
"""

import io
import threading

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from customers.imports.engine import import_customers
from customers.models import Customer
from customers.services import register_customer, update_customer, updating_many
from customers.services.updating_many import Update, update_customers
from events.models import HistoryEntry
from tenancy.scoping import in_tenant
from tests.factories import CustomerFactory, TenantFactory


def overwrite(n):
    """Import a file that changes so many customers; how many statements that takes."""
    lines = [f"k{one},Changed {n},new{one}.{n}@example.org" for one in range(n)]
    file = io.BytesIO("\n".join(["external_id,first_name,email", *lines]).encode())
    with CaptureQueriesContext(connection) as asked:
        report = import_customers(file, on_match="overwrite")
    assert report.counts["updated"] == n
    return len(asked)


@pytest.mark.django_db
def test_ten_times_the_customers_are_changed_in_as_many_statements(acme):
    for one in range(30):
        register_customer(external_id=f"k{one}", emails=[{"address": f"old{one}@example.org"}])

    assert overwrite(30) == overwrite(3)

    assert set(Customer.objects.values_list("version", flat=True)) == {2, 3}


@pytest.mark.django_db
def test_whoever_has_moved_on_is_left_alone_and_the_others_are_changed(acme):
    moved, still = register_customer(first_name="A"), register_customer(first_name="B")
    update_customer(moved, origin="till")

    done = update_customers([Update(one.pk, 1, {"last_name": "X"}) for one in (moved, still)])

    assert done == {still.pk: 2}
    assert set(Customer.objects.values_list("last_name", "version")) == {("", 2), ("X", 2)}


@pytest.mark.django_db(transaction=True)
def test_an_edit_that_is_not_committed_yet_is_waited_for_and_not_lost(monkeypatch):
    tenant = TenantFactory(code="acme")
    customer = CustomerFactory(tenant=tenant)
    edited, has_read = threading.Event(), threading.Event()
    read_lists = updating_many._read_lists
    monkeypatch.setattr(
        updating_many, "_read_lists", lambda *args: (has_read.set(), read_lists(*args))
    )

    def edit():
        try:
            with in_tenant(tenant), transaction.atomic():
                update_customer(Customer(pk=customer.pk, tenant=tenant), origin="till")
                edited.set()
                # Whoever does not wait for us reads now what we have changed already.
                has_read.wait(0.3)
        finally:
            edited.set()
            connections.close_all()

    thread = threading.Thread(target=edit)
    thread.start()
    edited.wait()
    with in_tenant(tenant):
        done = update_customers([Update(customer.pk, 1, {"origin": "file"})])
    thread.join()

    assert done == {}
    with in_tenant(tenant):
        assert Customer.objects.values_list("origin", "version").get() == ("till", 2)
        assert HistoryEntry.objects.about("customer", customer.pk).filter(version=2).count() == 1
