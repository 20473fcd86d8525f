"""What a person asks about the data, answered with a receipt; one and many; mouse and keyboard."""

import pytest

from customers.models import BulkDeed, Customer, DataRequest
from customers.services.data_requests import open_data_request

BOARD = "/admin/customers/datarequest/"


@pytest.fixture
def asked(ada):
    return open_data_request(
        ada, kind="erase", channel="email", received_on="2026-01-10", identity="known"
    )


def test_an_officer_answers_a_request_for_erasure_with_the_mouse(office, ada, asked):
    page = office.page
    office.go(BOARD)
    office.photograph("data-requests")
    assert office.grave_faults("light") == []
    page.get_by_role("link", name="Erasure").click()
    office.photograph("data-request")
    assert office.grave_faults("dark") == []
    page.get_by_role("link", name="Anonymise").click()
    page.get_by_label("to confirm").fill(ada.code)
    page.get_by_role("button", name="Anonymise for good").click()
    page.get_by_text("Nothing left").first.wait_for()

    office.go(f"{BOARD}{asked.pk}/change/")

    assert "Nothing left" in office.text()
    assert DataRequest.objects.get().state == "done"


def test_an_officer_erases_many_with_the_keyboard_alone(office, ada, grace, run_jobs):
    office.go("/admin/customers/customer/")
    for code in (ada.code, grace.code):
        office.page.get_by_role("row", name=code).get_by_role("checkbox").focus()
        office.press("Space")
    office.page.locator("select[name=action]").focus()
    office.type("Anonymise")
    office.tab_to("Run").press("Enter")
    office.page.wait_for_url("**/bulkdeed/**")
    office.photograph("many-confirm")
    assert office.grave_faults("light") == []
    office.tab_to("the number of customers, to confirm").type("2")
    office.tab_to("Anonymise for good").press("Enter")
    office.page.get_by_text("0 of 2 customers are done").wait_for()
    run_jobs()
    office.page.get_by_text("2 of 2 customers are done").wait_for()
    office.page.get_by_role("heading", name="Receipt").wait_for()
    office.photograph("many-receipt")
    assert office.grave_faults("dark") == []

    assert not Customer.objects.identifiable().exists()
    assert BulkDeed.objects.get().counts == {"done": 2}
