"""The list of customers, narrowed, kept as a view, and done with as a whole."""

from customers.services import deactivate_customer
from tests.factories import CustomerFactory, GroupFactory


def test_a_view_is_saved_opened_and_done_with_by_keyboard(office, acme, ada):
    deactivate_customer(CustomerFactory(tenant=acme, first_name="Bo"))
    office.go("/admin/customers/customer/?status=blocked")
    office.tab_to("Save this view").press("Enter").tab_to("Name").type("Blocked ones")
    office.photograph("list-save-view")
    office.press("Enter")
    office.page.get_by_text("is saved.").wait_for()
    assert office.grave_faults() == []
    office.photograph("list")

    office.go("/admin/customers/customer/").tab_to("Blocked ones").press("Enter")
    office.page.wait_for_url("**status=blocked**")
    office.tab_to("All of them").press("Enter")
    office.page.get_by_text("1 customer").first.wait_for()
    office.photograph("list-all")
    assert office.grave_faults() == []
    office.tab_to("Activate").press("Enter")
    office.page.wait_for_url("**/bulkdeed/**")


def test_all_of_them_are_put_into_a_group_by_keyboard(office, acme, ada):
    GroupFactory(tenant=acme, code="news", title="News")
    office.go("/admin/customers/customer/all/?q=Ada").tab_to("Add to a group").press("Enter")
    office.page.wait_for_url("**/bulkdeed/**")
    office.photograph("bulk-group-choice")
    assert office.grave_faults() == []

    office.tab_to("They want the mail").press("Shift+Tab").type("News")
    office.tab_to("Continue").press("Enter")
    office.page.get_by_text("1 customer is changed.").wait_for()
    office.tab_to("Type 1").type("1")
    office.photograph("bulk-group-confirm")
    assert office.grave_faults() == []
    office.press("Enter")

    office.page.get_by_text("0 of 1 customers are done.").wait_for()
