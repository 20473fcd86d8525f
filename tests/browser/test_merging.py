"""Two records of one person become one and two again, by mouse and by keyboard alone."""

import pytest

from customers.models import Customer, Merge, NotDuplicate
from customers.services import find_duplicates, record_consent
from loyalty.services import adjust_points
from loyalty.status import status_of
from tests.factories import CustomerFactory


@pytest.fixture
def twin(ada):
    twin = CustomerFactory(
        tenant=ada.tenant,
        first_name="Ada",
        last_name="Lovelase",
        birth_date="1985-12-10",
        phones=[{"given": "900 00 001"}],
        emails=[{"address": "ada.lovelace@work.example"}],
    )
    record_consent(ada, purpose="marketing", granted=True)
    record_consent(twin, purpose="marketing", granted=False)
    for customer, points in ((ada, 30_00), (twin, 12_50)):
        adjust_points(customer, points=points, reason="a gift")
    find_duplicates()
    return twin


def points_of(customer):
    return status_of(Customer.objects.get(pk=customer.pk)).points


def test_a_clerk_merges_with_the_mouse_and_undoes_it(office, ada, twin):
    page = office.page
    office.go("/admin/customers/possibleduplicate/")
    assert office.grave_faults() == []
    office.photograph("duplicates-queue")

    page.get_by_role("link", name=ada.code).click()
    office.photograph("duplicates-compare")
    assert office.grave_faults() == []
    page.get_by_role("radio", name="Lovelase", exact=True).check()
    page.get_by_role("button", name=f"Merge {twin.code} into {ada.code}").click()
    page.get_by_text("can be undone until").wait_for()
    ada.refresh_from_db()
    assert ada.last_name == "Lovelase"

    page.get_by_role("link", name="Undo", exact=True).click()
    office.photograph("merge-undo")
    assert office.grave_faults("light") == []
    page.get_by_role("button", name="Undo the merge").click()
    page.get_by_text("two records again").wait_for()
    office.photograph("customer-after-undo")

    assert Customer.objects.filter(pk=twin.pk).exists()


def test_a_clerk_decides_with_the_keyboard_alone(office, acme, ada, twin):
    for _n in range(2):
        CustomerFactory(tenant=acme, first_name="Grace", emails=[{"address": "g@example.org"}])
    find_duplicates()
    office.go("/admin/").tab_to("Duplicates").press("Enter")
    office.page.wait_for_url("**/possibleduplicate/")
    office.tab_to(ada.code).press("Enter")
    office.page.get_by_text("Is this the same person?").first.wait_for()

    office.tab_to("Lovelace").press("ArrowRight")
    office.tab_to("Merge").press("Enter")
    office.page.get_by_text("can be undone until").wait_for()
    assert Merge.objects.get().merged_id == twin.pk

    # The next pair is there, without a way through the list.
    office.tab_to("Not the same").press("Enter")
    office.page.get_by_text("are two people").wait_for()

    assert NotDuplicate.objects.count() == 1


def test_a_clerk_merges_and_undoes_it_with_the_keyboard_alone(office, ada, twin):
    office.go("/admin/customers/possibleduplicate/").tab_to(ada.code).press("Enter")
    office.page.get_by_text("Is this the same person?").first.wait_for()
    office.tab_to("Merge CUST").press("Enter")
    office.page.get_by_text("can be undone until").wait_for()
    assert not Customer.objects.filter(pk=twin.pk).exists()

    office.tab_to("Undo").press("Enter")
    office.page.get_by_role("button", name="Undo the merge").wait_for()
    office.tab_to("Undo the merge").press("Enter")
    office.page.get_by_text("two records again").wait_for()

    assert Customer.objects.filter(pk=twin.pk).exists()
    assert (points_of(ada), points_of(twin)) == (30_00, 12_50)
