"""The receipt of an erasure: the own rows at once, everything else by a job, once."""

import pytest

from customers.models import Customer, Erasure
from customers.services import anonymise_customer, personal_values, register_customer
from customers.services import erasure_receipts as receipts
from customers.services import scanning_elsewhere as elsewhere
from customers.services.erasure_receipts import (
    anonymise_with_receipt,
    forget_searches,
    receipt_of,
)
from events.jobs import LeaseLost
from events.models import Job
from tenancy import clock
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db
Search = Erasure.Search


@pytest.fixture
def namesake(ada):
    """Somebody whose note mentions Ada, and who may have it."""
    return register_customer(first_name="Grace", internal_note="Came with ADA LOVELACE, 100%_")


def state_of(customer):
    return receipt_of(customer.pk).search_state


def test_the_own_rows_are_searched_at_once_and_everything_else_by_a_job(ada, namesake, run_jobs):
    receipt = anonymise_with_receipt(ada)

    waiting = receipt_of(ada.pk)
    assert (receipt["error"], receipt["scan"]["clean"]) == (None, True)
    assert waiting.scan == {"clean": True, "searched": receipt["scan"]["searched"], "left": []}
    assert (waiting.search_state, waiting.search) == (Search.WAITING, None)

    run_jobs()

    done = receipt_of(ada.pk)
    assert (done.search_state, done.search["clean"]) == (Search.DONE, True)
    assert done.searched_at is not None
    assert done.search["searched"] > waiting.scan["searched"]
    note = {"table": "customers.Customer", "column": "internal_note", "count": 1}
    assert note in done.search["elsewhere"]


def test_what_is_searched_for_is_sealed_until_then_and_gone_afterwards(ada, run_jobs):
    anonymise_with_receipt(ada)
    sealed = bytes(Erasure.objects.get(customer_id=ada.pk).sealed)
    assert b"Lovelace" not in sealed
    assert "Lovelace" not in str(Job.objects.filter(name=receipts.JOB).values().get())

    run_jobs()

    assert Erasure.objects.get(customer_id=ada.pk).sealed is None


def test_what_is_written_to_the_shell_meanwhile_is_found(ada, run_jobs):
    anonymise_with_receipt(ada)
    Customer.objects.filter(pk=ada.pk).update(internal_note="Lovelace, of course")

    run_jobs()

    found = receipt_of(ada.pk).search
    assert not found["clean"]
    assert found["left"] == [{"table": "customers.Customer", "column": "internal_note", "count": 1}]


def test_a_refused_erasure_orders_no_search(ada):
    receipt = anonymise_with_receipt(ada, reason="Ada Lovelace asked")

    assert "reason" in receipt["error"].error_dict
    assert not Erasure.objects.exists()
    assert not Job.objects.filter(name=receipts.JOB).exists()


def test_it_is_ordered_once_and_done_once(ada, run_jobs, monkeypatch):
    anonymise_with_receipt(ada)
    anonymise_with_receipt(Customer.objects.get(pk=ada.pk))
    (job,) = Job.objects.filter(name=receipts.JOB)
    run_jobs()
    looks = []
    monkeypatch.setattr(receipts, "_searched", lambda *args: looks.append(args))

    receipts.search_after_erasure(Run(), job.args["erasure_id"])

    assert looks == []
    assert state_of(ada) == Search.DONE


class Run:
    """A run of the job that nobody sees."""

    def __init__(self, data=None, *, killed_after=None):
        self.data, self.killed_after = data or {}, killed_after

    def progress(self, *args):
        pass

    def checkpoint(self, data):
        self.data = data
        if len(data["done"]) == self.killed_after:
            raise LeaseLost


def test_a_killed_worker_leaves_what_it_has_searched_to_the_next(ada, namesake, monkeypatch):
    anonymise_with_receipt(ada)
    erasure = Erasure.objects.get(customer_id=ada.pk)
    killed = Run(killed_after=10)
    with pytest.raises(LeaseLost):
        receipts.search_after_erasure(killed, erasure.pk)
    assert state_of(ada) == Search.WAITING
    places = []
    search = receipts._searched
    monkeypatch.setattr(
        receipts, "_searched", lambda place, *args: (places.append(place), search(place, *args))[1]
    )

    receipts.search_after_erasure(Run(killed.data), erasure.pk)

    assert state_of(ada) == Search.DONE
    assert not set(places) & set(killed.data["done"])
    assert len(places) + 10 == len(receipts.registry.tables) + 1


def test_a_worker_who_was_taken_for_dead_writes_nothing(ada):
    anonymise_with_receipt(ada)
    erasure = Erasure.objects.get(customer_id=ada.pk)

    class Late(Run):
        def checkpoint(self, data):
            if len(data) == 1:  # the last one, in the transaction of the result
                raise LeaseLost

    with pytest.raises(LeaseLost):
        receipts.search_after_erasure(Late(), erasure.pk)

    assert (state_of(ada), receipt_of(ada.pk).search) == (Search.WAITING, None)


def test_a_search_that_nobody_does_is_given_up_after_a_week(ada, run_jobs):
    anonymise_with_receipt(ada)
    assert forget_searches() == 0

    with clock.frozen(clock.now() + receipts.KEPT):
        assert forget_searches() == 1

    erasure = Erasure.objects.get(customer_id=ada.pk)
    assert (erasure.search_state, erasure.sealed) == (Search.GIVEN_UP, None)
    run_jobs()
    assert state_of(ada) == Search.GIVEN_UP


def test_other_secrets_give_the_search_up(ada, run_jobs, settings):
    anonymise_with_receipt(ada)
    Erasure.objects.filter(customer_id=ada.pk).update(sealed=b"\0" * 64)

    run_jobs()

    assert state_of(ada) == Search.GIVEN_UP


def test_every_stretch_of_a_table_is_searched(ada, acme, monkeypatch):
    monkeypatch.setattr(elsewhere, "STRETCH", 3)
    for _n in range(10):
        CustomerFactory(tenant=acme, first_name="Grace", origin="of lovelace")
    values = personal_values(ada)
    anonymise_customer(ada)
    table = receipts.registry.tables["customers.Customer"]
    looks = []

    hits = elsewhere.hits_elsewhere(table, ada.pk, values, on_stretch=looks.append)

    (hit,) = [hit for hit in hits if hit["column"] == "origin"]
    assert (hit["count"], len(hit["rows"])) == (10, 10)
    assert len(looks) == 4


def test_signs_that_mean_something_to_a_search_are_taken_by_the_letter(ada, namesake):
    table = receipts.registry.tables["customers.Customer"]

    def found(value):
        hits = elsewhere.hits_elsewhere(table, ada.pk, [value])
        return [hit["column"] for hit in hits]

    assert found("100%_") == ["internal_note"]
    assert found("100__") == found("1%0") == found("a\\b") == []


def test_more_values_than_a_condition_may_be_deep(ada):
    register_customer(first_name="Grace", labels=[{"key": "knows", "value": "Ada Lovelace"}])
    table = receipts.registry.tables["customers.Label"]
    values = [f"value {n}" for n in range(1_500)] + ["Lovelace"]

    hits = elsewhere.hits_elsewhere(table, ada.pk, values)

    assert [hit["column"] for hit in hits] == ["value"]
