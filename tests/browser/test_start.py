"""The start page of an administrator: what waits, and how the business grows."""

from customers.services import find_duplicates
from tests.factories import CustomerFactory


def test_the_dashboard_is_readable_and_leads_on(office, acme, ada):
    CustomerFactory(
        tenant=acme, first_name="Ada", last_name="Lovelace", birth_date="1985-12-10",
        phones=[{"given": "900 00 001"}],
    )  # fmt: skip
    find_duplicates()

    office.go("/admin/")
    office.photograph("start")

    assert office.grave_faults() == []
    office.tab_to("duplicate to decide").press("Enter")
    office.page.wait_for_url("**/possibleduplicate/")
