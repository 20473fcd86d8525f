"""The start page of an administrator: what waits, and how the business grows."""

from datetime import timedelta

from customers.services import find_duplicates
from loyalty.models import Lot
from loyalty.services import adjust_points
from tenancy import clock
from tests.factories import CustomerFactory


def test_the_dashboard_is_readable_and_leads_on(office, acme, ada):
    CustomerFactory(
        tenant=acme, first_name="Ada", last_name="Lovelace", birth_date="1985-12-10",
        phones=[{"given": "900 00 001"}],
    )  # fmt: skip
    find_duplicates()
    expires = clock.now() + timedelta(days=9)
    entry = adjust_points(ada, points=1_240_00, reason="a gift")
    Lot.objects.filter(entry=entry).update(expires_at=expires)

    office.go("/admin/")
    office.photograph("start")

    assert office.grave_faults() == []
    office.tab_to("duplicate to decide").press("Enter")
    office.page.wait_for_url("**/possibleduplicate/")
    office.go("/admin/").tab_to("of 1 customer").press("Enter")
    office.page.wait_for_url("**expiring=soon**")
    assert "Ada Lovelace" in office.text()
