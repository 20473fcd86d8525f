"""What people ask about their data, from the asking to the answer."""

from datetime import UTC, date, datetime

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from customers.models import Customer, DataRequest
from customers.services import (
    anonymise_customer,
    current_consents,
    delete_customer,
    merge_customers,
)
from customers.services.data_requests import (
    complete_data_request,
    confirm_identity,
    customer_of,
    days_left,
    hand_out,
    hold_data_request,
    months_later,
    open_data_request,
    refuse_data_request,
    resume_data_request,
)
from customers.services.erasure_receipts import anonymise_with_receipt
from events.models import HistoryEntry
from tenancy import clock
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db
State = DataRequest.State


def asks(customer, kind="access", **more):
    values = {"channel": "email", "identity": "known", **more}
    return open_data_request(customer, kind=kind, **values)


@pytest.mark.parametrize(
    ("day", "months", "due"),
    [
        (date(2026, 1, 15), 1, date(2026, 2, 15)),
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2026, 12, 31), 1, date(2027, 1, 31)),
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
    ],
)
def test_a_month_is_a_month_of_the_calendar(day, months, due):
    assert months_later(day, months) == due


def test_a_request_is_due_a_month_after_it_was_received(ada):
    with clock.frozen(datetime(2026, 3, 10, 12, tzinfo=UTC)):
        request = asks(ada, received_on="2026-01-31")
        assert (request.due_on, days_left(request)) == (date(2026, 2, 28), -10)
        assert list(DataRequest.objects.due_by(date(2026, 2, 28))) == [request]
        assert list(DataRequest.objects.due_by(date(2026, 2, 27))) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", "burn"),
        ("channel", "pigeon"),
        ("identity", "trust"),
        ("received_on", "2999-01-01"),
        ("received_on", "1999-12-31"),
        ("received_on", "soon"),
        ("received_on", 7),
        ("note", "x" * 2001),
    ],
)
def test_a_value_that_is_none_is_named(ada, field, value):
    with pytest.raises(ValidationError) as refused:
        asks(ada, **{field: value})

    assert set(refused.value.error_dict) == {field}


def test_the_same_is_not_asked_for_twice_at_a_time(ada):
    first = asks(ada)
    with pytest.raises(ValidationError) as refused:
        asks(ada)
    assert refused.value.error_dict["kind"][0].code == "unique"

    refuse_data_request(first, reason="it was a joke")

    assert asks(ada).pk != first.pk


def test_nothing_is_handed_out_or_done_before_somebody_has_checked_who_asks(ada):
    request = asks(ada, identity="")

    for deed in (hand_out, complete_data_request):
        with pytest.raises(ValidationError) as refused:
            deed(request)
        assert refused.value.code == "identity_unchecked"
    confirm_identity(request, "document")
    assert request.identified_at is not None

    assert hand_out(request)["customer"]


def test_access_is_done_when_the_copy_was_handed_out(ada):
    request = asks(ada)
    with pytest.raises(ValidationError) as refused:
        complete_data_request(request)
    assert refused.value.code == "request_state"

    hand_out(request)
    complete_data_request(request)

    assert (request.state, request.closed_at is not None) == (State.DONE, True)
    deeds = HistoryEntry.objects.filter(subject_id=request.pk).values_list("deed", flat=True)
    assert sorted(deeds) == [
        "data_request.done",
        "data_request.handed_out",
        "data_request.received",
    ]


def test_an_objection_ends_marketing_and_can_block(ada):
    complete_data_request(asks(ada, "object"), deactivate=True)

    ada.refresh_from_db()
    assert (ada.no_email, ada.status) == (True, Customer.Status.BLOCKED)
    assert current_consents(ada)["marketing"].granted is False


def test_a_hold_has_a_reason_and_an_end(ada):
    request = asks(ada, received_on="2026-01-31")
    for until in ("2026-05-01", "2026-01-30", "soon"):
        with pytest.raises(ValidationError) as refused:
            hold_data_request(request, reason="many systems", until=until)
        assert set(refused.value.error_dict) == {"until"}
    with pytest.raises(ValidationError, match="Say why"):
        hold_data_request(request, reason=" ")

    hold_data_request(request, reason="many systems", until="2026-04-30")
    assert (request.state, request.due_on) == (State.HELD, date(2026, 4, 30))
    resume_data_request(request)

    assert (request.state, request.due_on) == (State.OPEN, date(2026, 4, 30))
    with pytest.raises(ValidationError):
        resume_data_request(request)


def test_an_erasure_answers_the_request_and_leaves_nothing_of_the_person(ada):
    request = asks(ada, "erase", note="Ada Lovelace called")
    with pytest.raises(ValidationError):
        complete_data_request(request)

    receipt = anonymise_with_receipt(ada)

    request.refresh_from_db()
    assert receipt["error"] is None
    assert (request.state, request.note, request.scan["clean"]) == (State.DONE, "", True)
    assert customer_of(request).anonymised_at is not None


@pytest.mark.parametrize("deed", [anonymise_customer, delete_customer])
def test_an_erasure_by_any_door_answers_the_request_and_only_that(ada, deed):
    erase, access = asks(ada, "erase"), asks(ada, note="Ada")

    deed(ada)

    erase.refresh_from_db()
    access.refresh_from_db()
    assert (erase.state, access.state, access.note) == (State.DONE, State.OPEN, "")


def test_a_request_of_a_merged_record_is_about_the_one_that_is_left(ada):
    twin = CustomerFactory(tenant=ada.tenant, first_name="Ada", last_name="Lovelase")
    request = asks(twin, "erase")
    merge_customers(ada, twin)
    assert customer_of(request) == ada

    anonymise_with_receipt(ada)

    request.refresh_from_db()
    assert request.state == State.DONE


@pytest.mark.parametrize("deed", [hold_data_request, refuse_data_request, complete_data_request])
def test_what_stays_must_not_name_the_person(ada, deed):
    with pytest.raises(ValidationError) as refused:
        deed(asks(ada, "object"), reason="Ada Lovelace does not want it")

    assert refused.value.error_dict["reason"][0].code == "personal"


def test_a_request_that_is_answered_stays_so(ada):
    request = refuse_data_request(asks(ada), reason="not the person")

    for deed in (
        lambda: hand_out(request),
        lambda: complete_data_request(request),
        lambda: hold_data_request(request, reason="x"),
        lambda: confirm_identity(request, "known"),
    ):
        with pytest.raises(ValidationError) as refused:
            deed()
        assert refused.value.code == "request_state"


def test_the_database_knows_that_what_is_answered_has_a_time(ada):
    request = asks(ada)

    with pytest.raises(IntegrityError), transaction.atomic():
        DataRequest.objects.filter(pk=request.pk).update(state="done")


def test_who_is_anonymised_asks_for_nothing_more(ada):
    anonymise_customer(ada)

    with pytest.raises(ValidationError) as refused:
        asks(Customer.objects.get(pk=ada.pk))
    assert set(refused.value.error_dict) == {"customer"}
