"""A seller finds a customer while typing, and registers whom nobody knows."""

import pytest

from customers.models import Customer
from events.models import HistoryEntry
from tests.factories import CustomerFactory


@pytest.fixture
def people(acme, ada):
    """Ada, and two more whose names begin alike."""
    for first_name in ("Adam", "Adele"):
        CustomerFactory(tenant=acme, first_name=first_name, last_name="Hansen")
    return ada


def test_a_seller_finds_somebody_while_typing_and_clicks(shop, people):
    shop.go("/admin/")
    assert shop.focused() == "Find a customer"

    shop.type("ada")
    shop.page.locator(".hit").nth(1).wait_for()
    shop.photograph("till")
    assert shop.grave_faults() == []
    shop.page.locator(".hit", has_text="Lovelace").click()

    shop.page.wait_for_url(f"**/{people.pk}/change/")


def test_a_seller_finds_somebody_with_the_keyboard_alone(shop, people):
    shop.go("/admin/").type("hansen")
    shop.page.locator(".hit").nth(1).wait_for()

    shop.press("ArrowDown", "ArrowDown", "ArrowUp")
    assert "Hansen" in shop.focused()
    first = shop.page.evaluate("document.activeElement.href")
    shop.press("Escape")
    assert shop.focused() == "Find a customer"
    assert shop.page.locator("#till-box").input_value() == ""

    # A scanner types fast and ends with Enter.
    shop.type("900 00 001").press("Enter")
    shop.page.wait_for_url(f"**/{people.pk}/change/")
    assert str(people.pk) not in first


def test_whom_nobody_knows_is_registered_with_what_was_typed(shop, people):
    shop.go("/admin/").type("grace@example.org")
    shop.page.get_by_text("Nobody is found by").wait_for()
    shop.photograph("till-nobody")
    assert shop.grave_faults("light") == []

    shop.press("ArrowDown", "Enter")
    shop.page.get_by_role("textbox", name="First name", exact=True).wait_for()
    assert shop.page.locator("[name=emails-0-address]").input_value() == "grace@example.org"
    shop.page.get_by_role("textbox", name="First name", exact=True).fill("Grace")
    shop.page.get_by_role("button", name="Save", exact=True).dblclick()

    # To the list, or, where the second press was quick enough, to whom the first one registered.
    shop.page.wait_for_url(lambda url: "/begin/" not in url)
    shop.page.wait_for_load_state()
    assert Customer.objects.filter(first_name="Grace").count() == 1


def test_who_is_registered_already_is_hinted_at_beside_the_form(shop, people):
    shop.go("/admin/customers/customer/add/")
    shop.page.locator("[name=phones-0-given]").fill("90000001")
    shop.page.get_by_role("textbox", name="First name", exact=True).fill("Ada")

    hint = shop.page.locator(".doubles a")
    hint.wait_for()
    shop.photograph("register-hint")
    assert "Lovelace" in hint.inner_text()
    assert shop.grave_faults() == []
    assert shop.page.get_by_role("textbox", name="First name", exact=True).input_value() == "Ada"
    with shop.page.context.expect_page() as opened:
        hint.click()
    assert str(people.pk) in opened.value.url
    shop.page.get_by_role("button", name="Save", exact=True).click()
    shop.page.wait_for_url("**/customer/")

    assert Customer.objects.filter(first_name="Ada").count() == 2


def test_somebody_is_registered_with_the_keyboard_alone_in_spite_of_a_hint(shop, people):
    shop.go("/admin/customers/customer/add/").tab_to("First name").type("Ada")
    shop.tab_to("Last name").type("Lovelace")
    shop.tab_to("Card number").tab_to("Number").type("+47 90000001")
    shop.page.locator(".doubles a").wait_for()
    shop.tab_to("Why it is somebody else").type("Same name only")
    # The hint is fetched anew while somebody types on; the reason stays.
    shop.tab_to("First name")
    with shop.page.expect_response("**/doubles/"):
        shop.press("End").type("x")
    with shop.page.expect_response("**/doubles/"):
        shop.press("Backspace")
    shop.photograph("register-in-spite")
    assert shop.grave_faults() == []
    shop.tab_to("Why it is somebody else").press("Enter")

    shop.page.wait_for_url("**/customer/")
    made = Customer.objects.filter(first_name="Ada", last_name="Lovelace").latest("number")
    told = HistoryEntry.objects.about("customer", made.pk).last().changes
    assert told["created_in_spite_of"] == [None, [people.code]]
    assert told["created_because"] == [None, "Same name only"]
