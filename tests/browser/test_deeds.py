"""Deeds that staff do on a customer, and a token that is shown once: by mouse and by keyboard."""

import pytest

from customers.models import Customer
from loyalty.status import status_of
from tenancy.models import AccessToken

CUSTOMER = "/admin/customers/customer/{}/change/"


@pytest.fixture
def page_of_ada(office, ada):
    """The back office, standing on Ada's page."""
    return office.go(CUSTOMER.format(ada.pk))


def points_of(ada):
    return status_of(ada).points


# --- Points --------------------------------------------------------------------------------------
def test_points_are_adjusted_with_the_mouse(page_of_ada, ada):
    page_of_ada.photograph("customer")
    assert page_of_ada.grave_faults() == []
    page_of_ada.page.get_by_role("link", name="Adjust points").first.click()
    page_of_ada.photograph("adjust-points")
    assert page_of_ada.grave_faults() == []
    page_of_ada.page.get_by_label("Points").fill("12.5")
    page_of_ada.page.get_by_label("Reason").fill("Forgotten at the till")
    page_of_ada.page.get_by_role("button", name="Adjust points").click()

    page_of_ada.page.get_by_text("are adjusted.").wait_for()
    assert points_of(ada) == 12_50


def test_points_are_adjusted_with_the_keyboard_alone(page_of_ada, ada):
    page_of_ada.tab_to("Adjust points").press("Enter")
    page_of_ada.page.get_by_label("Points").wait_for()
    page_of_ada.tab_to("What").tab_to("Points").type("3")
    page_of_ada.tab_to("Reason").type("A gift")
    page_of_ada.press("Enter")

    page_of_ada.page.get_by_text("are adjusted.").wait_for()
    assert points_of(ada) == 3_00


# --- Anonymising ---------------------------------------------------------------------------------
def test_a_customer_is_anonymised_with_the_mouse_and_the_receipt_finds_nothing(
    page_of_ada, ada, run_jobs
):
    page_of_ada.page.get_by_role("button", name="Actions").click()
    page_of_ada.page.get_by_role("link", name="Anonymise").click()
    page_of_ada.photograph("anonymise")
    assert page_of_ada.grave_faults() == []
    page_of_ada.page.get_by_label("to confirm").fill("CUST-999")
    page_of_ada.page.get_by_role("button", name="Anonymise for good").click()
    page_of_ada.page.get_by_text(f"Type exactly: {ada.code}").wait_for()
    assert Customer.objects.get(pk=ada.pk).anonymised_at is None

    page_of_ada.page.get_by_label("to confirm").fill(ada.code)
    page_of_ada.page.get_by_role("button", name="Anonymise for good").click()

    page_of_ada.page.get_by_text("Search elsewhere: Waiting").wait_for()
    run_jobs()
    # Nobody presses anything: the page notices by itself that everything is searched.
    page_of_ada.page.get_by_text("columns and files searched").wait_for()
    page_of_ada.photograph("anonymise-receipt")
    assert page_of_ada.grave_faults() == []
    assert "Lovelace" not in page_of_ada.text()
    assert Customer.objects.get(pk=ada.pk).anonymised_at is not None


def test_a_customer_is_anonymised_with_the_keyboard_alone(page_of_ada, ada):
    page_of_ada.tab_to("Actions").press("Enter").tab_to("Anonymise").press("Enter")
    page_of_ada.page.get_by_label("to confirm").wait_for()
    page_of_ada.tab_to("to confirm").type(ada.code)
    page_of_ada.tab_to("Anonymise for good").press("Enter")

    page_of_ada.page.get_by_text("Receipt").first.wait_for()
    assert Customer.objects.get(pk=ada.pk).anonymised_at is not None


# --- A token -------------------------------------------------------------------------------------
def test_a_token_is_made_with_the_mouse_and_shown_once(office, acme):
    office.go("/admin/tenancy/accesstoken/add/")
    office.photograph("token-add")
    assert office.grave_faults() == []
    office.page.get_by_label("Name").fill("The web shop")
    office.page.get_by_label("(customers:read)").check()
    office.page.get_by_role("button", name="Save", exact=True).click()

    office.page.get_by_text("It is shown this once.").wait_for()
    office.photograph("token-shown")
    assert office.grave_faults() == []
    assert_it_is_shown_once(office, AccessToken.objects.get(name="The web shop"))


def test_a_token_is_made_with_the_keyboard_alone_and_shown_once(office, acme):
    office.go("/admin/tenancy/accesstoken/").tab_to("add").press("Enter")
    office.page.get_by_label("Name").wait_for()
    office.type("The till").tab_to("customers:read").press("Space", "Enter")

    office.page.get_by_text("It is shown this once.").wait_for()
    assert_it_is_shown_once(office, AccessToken.objects.get(name="The till"))


def assert_it_is_shown_once(office, token):
    plain = office.page.locator(".secret").inner_text()
    assert plain.startswith(token.prefix)
    office.go(f"/admin/tenancy/accesstoken/{token.pk}/change/")
    assert plain not in office.page.content()


# --- The page of a customer ----------------------------------------------------------------------
def test_the_page_is_read_first_and_edited_second(page_of_ada, ada):
    first_name = page_of_ada.page.get_by_role("textbox", name="First name", exact=True)
    assert "Storgata 1" in page_of_ada.text()
    assert not first_name.is_visible()
    assert not page_of_ada.page.get_by_role("button", name="Save", exact=True).is_visible()

    page_of_ada.tab_to("Edit").press("Enter")
    assert page_of_ada.focused() == "First name"
    page_of_ada.photograph("customer-edit")
    assert page_of_ada.grave_faults() == []
    page_of_ada.press("Control+a").type("Augusta").press("Enter")

    page_of_ada.page.wait_for_url("**/customer/")
    assert Customer.objects.get(pk=ada.pk).first_name == "Augusta"


def test_a_refused_form_opens_where_something_is_wrong(page_of_ada, ada):
    page_of_ada.tab_to("Edit").press("Enter").tab_to("Birth date").press("Control+a")
    page_of_ada.type("soon").press("Enter")

    page_of_ada.page.get_by_text("Nothing is saved yet.").wait_for()
    assert page_of_ada.focused() == "Birth date"
