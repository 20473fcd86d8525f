"""Rows that are written by the thousand: COPY on PostgreSQL, prepared statements on SQLite."""

import threading
import uuid

import pytest
from django.db import DataError, IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.models import Customer, Email, Label
from events.models import HistoryEntry
from tenancy import bulk_copy, clock
from tenancy.bulk import draft_class, insert_rows, new_ids
from tenancy.bulk_copy import copying_behind
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db

only_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL only")
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=12)
odd = st.one_of(texts, st.sampled_from(["\\N", "\\.", "\\", "a\tb", "a\nb", "\r", '"', "'", ""]))


def labels(customer, values):
    make = draft_class(Label)
    ids = new_ids()
    return [
        make(
            id=next(ids), tenant=customer.tenant, customer=customer, position=n,
            created_at=clock.now(), key=f"k{n}", value=value,
        )
        for n, value in enumerate(values)
    ]  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(values=st.lists(odd, min_size=1, max_size=5))
def test_every_text_comes_back_as_it_was(acme, values):
    with transaction.atomic():
        customer = CustomerFactory(tenant=acme)

        insert_rows(Label, labels(customer, values))

        found = Label.objects.filter(customer=customer).order_by("position")
        assert list(found.values_list("value", flat=True)) == values
        transaction.set_rollback(True)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(changes=st.lists(st.dictionaries(odd, st.lists(odd | st.none())), min_size=1, max_size=4))
def test_every_document_comes_back_as_it_was(acme, changes):
    make, instant, subject = draft_class(HistoryEntry), clock.now(), uuid.uuid4()

    with transaction.atomic():
        insert_rows(
            HistoryEntry,
            [
                make(
                    tenant=acme, subject_type="customer", subject_id=subject, at=instant,
                    deed="customer.updated", version=n if n % 2 else None, changes=one,
                )
                for n, one in enumerate(changes)
            ],
        )  # fmt: skip

        found = HistoryEntry.objects.filter(subject_id=subject).order_by("pk")
        assert [one.changes for one in found] == changes
        assert [one.version for one in found] == [n if n % 2 else None for n in range(len(changes))]
        assert {one.at for one in found} == {instant}
        transaction.set_rollback(True)


def test_new_ids_are_random_ones_of_version_four():
    ids = new_ids()

    found = [next(ids) for _ in range(600)]

    assert len(set(found)) == 600
    assert {(one.version, one.variant) for one in found} == {(4, uuid.RFC_4122)}
    assert all(uuid.UUID(str(one)) == one for one in found)


def test_what_is_copied_behind_is_in_when_anything_else_is_asked(acme):
    customer = CustomerFactory(tenant=acme)

    with transaction.atomic(), copying_behind():
        insert_rows(Label, labels(customer, ["a", "b"]))
        seen = Label.objects.filter(customer=customer).count()
        insert_rows(Label, labels(customer, ["c"]))

    assert seen == 2
    assert Label.objects.filter(customer=customer).count() == 3


@only_postgresql
def test_the_next_rows_can_be_made_while_the_first_are_on_their_way(acme, monkeypatch):
    customer = CustomerFactory(tenant=acme)
    sent, may_go_on = bulk_copy._send, threading.Event()

    def slowly(*args):
        assert may_go_on.wait(10)
        sent(*args)

    monkeypatch.setattr(bulk_copy, "_send", slowly)

    with transaction.atomic(), copying_behind():
        insert_rows(Label, labels(customer, ["a"]))
        may_go_on.set()

    assert Label.objects.filter(customer=customer).count() == 1


@pytest.mark.parametrize("asks", [True, False])
def test_what_the_database_refuses_is_raised_and_undoes_it_all(acme, asks):
    customer = CustomerFactory(tenant=acme)
    rows = labels(customer, ["a", "b"])
    rows[1].id = rows[0].id

    with pytest.raises(IntegrityError):  # noqa: SIM117, PT012 - the outer one undoes
        with transaction.atomic(), copying_behind():
            insert_rows(Label, rows)
            insert_rows(Label, labels(customer, ["c"]))
            if asks:
                Label.objects.count()

    assert not Label.objects.filter(customer=customer).exists()
    CustomerFactory(tenant=acme)  # the connection is sound


def test_a_text_that_is_too_long_is_the_databases_refusal(acme):
    customer = CustomerFactory(tenant=acme)
    rows = labels(customer, ["x" * 5_000])

    if connection.vendor == "postgresql":
        with pytest.raises(DataError), transaction.atomic(), copying_behind():
            insert_rows(Label, rows)

    assert not Label.objects.filter(customer=customer).exists()


def test_a_fault_of_the_maker_leaves_nothing_of_what_was_on_its_way(acme):
    customer = CustomerFactory(tenant=acme)

    with pytest.raises(ZeroDivisionError), transaction.atomic(), copying_behind():  # noqa: PT012
        insert_rows(Label, labels(customer, ["a"]))
        raise ZeroDivisionError

    assert not Label.objects.filter(customer=customer).exists()


def test_who_copies_behind_within_the_same_waits_for_the_outer_end(acme):
    customer = CustomerFactory(tenant=acme)

    with transaction.atomic(), copying_behind():
        insert_rows(Label, labels(customer, ["a"]))
        with copying_behind():
            insert_rows(Label, labels(customer, ["b"]))
        insert_rows(Email, [])

    assert Label.objects.filter(customer=customer).count() == 2
    assert Customer.objects.filter(pk=customer.pk).exists()


@only_postgresql
def test_what_rows_refer_to_is_looked_up_with_them_and_not_when_everything_is_over(acme):
    customer = CustomerFactory(tenant=acme)
    rows = labels(customer, ["a"])
    rows[0].customer_id = uuid.uuid4()

    # Of the test's own transaction, which never ends well, nothing is ever looked up at the end.
    with pytest.raises(IntegrityError), transaction.atomic(), copying_behind():
        insert_rows(Label, rows)

    assert not Label.objects.filter(tenant=acme).exists()


def test_afterwards_a_row_may_again_come_before_the_one_it_refers_to(acme):
    customer = CustomerFactory(tenant=acme)
    late = CustomerFactory.build(tenant=acme, number=10**6)
    rows = labels(customer, ["a"])
    rows[0].customer_id = late.pk

    with transaction.atomic():
        with copying_behind():
            insert_rows(Label, labels(customer, ["b"]))
        insert_rows(Label, rows)
        late.save(force_insert=True)

    assert Label.objects.filter(customer=late).count() == 1
