"""The board of what people ask about their data, and each step of an answer."""

import pytest

from customers.models import Customer, DataRequest
from customers.services.data_requests import open_data_request
from tenancy import clock
from tests.admin.browsing import form_data, text_of
from tests.admin.conftest import customer_page, page
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db
LIST = page("customers_datarequest", "changelist")
ADD = page("customers_datarequest", "add")


def asks(customer, kind="access", **more):
    return open_data_request(customer, kind=kind, **{"channel": "email", **more})


def page_of(request, name="change"):
    return page("customers_datarequest", name, request.pk)


def send(office, url, **typed):
    return office.post(url, form_data(office.get(url), None, **typed), follow=True)


def test_the_board_has_the_most_urgent_first_and_says_how_late(office, ada, grace):
    asks(ada, received_on="2026-01-10")
    asks(grace, "erase", received_on=clock.now().date().isoformat())

    text = text_of(office.get(LIST))

    assert text.index(ada.code) < text.index(grace.code)
    assert "days overdue" in text
    assert "Not checked yet" in text
    late = text_of(office.get(f"{LIST}?state=late"))
    assert (ada.code in late, grace.code in late) == (True, False)


def test_a_request_is_written_down_from_the_list_and_from_the_customer(office, ada, grace):
    assert ADD in text_of(office.get(customer_page(ada)))
    CustomerFactory(tenant=ada.tenant, first_name="Ada", last_name="Byron")
    for typed in ("nobody at all", "Ada"):
        assert "found by this" in text_of(send(office, ADD, customer=typed, channel="phone"))

    send(office, ADD, customer=ada.code, kind="erase", channel="phone", note="called at noon")
    send(office, f"{ADD}?customer={grace.pk}", kind="access", channel="letter")

    assert "Data request: Erasure" in text_of(office.get(customer_page(ada)))
    told = DataRequest.objects.order_by("kind").values_list("customer_id", "kind", "created_by")
    assert list(told) == [(grace.pk, "access", "Bo Boss"), (ada.pk, "erase", "Bo Boss")]


@pytest.mark.parametrize("forged", [{"received_on": "2999-01-01"}, {"kind": "burn"}])
def test_what_cannot_be_is_said_at_the_field(office, ada, forged):
    data = form_data(office.get(ADD), None, customer=ada.code, channel="phone")

    answer = office.post(ADD, {**data, **forged})

    assert "errors" in text_of(answer)
    assert not DataRequest.objects.exists()


def test_access_from_the_check_of_the_person_to_the_end(office, ada):
    request = asks(ada)
    assert "First make sure who is asking" in text_of(office.get(page_of(request)))
    assert "First say how" in text_of(office.post(page_of(request, "hand_out"), follow=True))

    send(office, page_of(request, "identity"), identity="document")
    copy = office.post(page_of(request, "hand_out"))
    assert ada.first_name in copy.content.decode()
    assert "no-store" in copy["Cache-Control"]
    text = text_of(send(office, page_of(request, "complete"), reason="sent by letter"))

    assert "Done" in text
    assert "sent by letter" in text
    history = text_of(office.get(page_of(request, "history")))
    assert "Identity checked" in history
    assert "Copy handed out" in history


def test_an_erasure_offers_the_copy_first_and_is_closed_by_the_receipt(office, ada):
    request = asks(ada, "erase", identity="known")
    text = text_of(office.get(page_of(request)))
    assert "copy of the data first" in text
    anonymise = customer_page(ada, "anonymise")
    assert anonymise in text
    assert "It is done with this." in text_of(office.get(anonymise))

    send(office, anonymise, typed=ada.code)

    text = text_of(office.get(page_of(request)))
    assert "Nothing left" in text
    assert Customer.objects.get(pk=ada.pk).anonymised_at is not None


def test_a_request_is_held_resumed_and_refused_with_a_reason(office, ada):
    request = asks(ada, identity="known")
    assert "This field is required" in text_of(send(office, page_of(request, "hold"), reason=""))
    late = send(office, page_of(request, "hold"), reason="many systems", until="2999-01-01")
    assert "At most three months" in text_of(late)

    send(office, page_of(request, "hold"), reason="many systems")
    assert "many systems" in text_of(office.get(page_of(request)))
    send(office, page_of(request, "resume"))
    send(office, page_of(request, "refuse"), reason="not the person")

    request.refresh_from_db()
    assert (request.state, request.closed_by) == ("refused", "Bo Boss")
    assert "answered already" in text_of(office.get(page_of(request, "refuse")))


def test_an_objection_is_done_on_its_page(office, ada):
    request = asks(ada, "object", identity="known")

    send(office, page_of(request, "complete"), deactivate="on")

    ada.refresh_from_db()
    assert (ada.no_email, ada.status) == (True, "blocked")


def test_a_seller_sees_and_does_nothing(shop, ada):
    request = asks(ada)
    names = ("change", "identity", "hold", "resume", "refuse", "hand_out", "complete", "history")

    codes = {shop.get(page_of(request, name)).status_code for name in names}
    codes |= {shop.post(page_of(request, name)).status_code for name in names}

    assert codes == {403}
    assert {shop.get(url).status_code for url in (LIST, ADD)} == {403}
    assert ADD not in text_of(shop.get(customer_page(ada)))
