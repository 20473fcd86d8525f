"""Every page that the back office has by itself: everybody can use each, in light and in dark."""

import pytest
from django.urls import reverse

from customers.models import Customer
from events.models import MessageText
from tenancy.models import Tenant, User
from tests.admin.everything import REGISTERED, one_of_everything
from tests.factories import UserFactory

# Pages of an operator, and what has no page of the usual kind.
OPERATOR = {Tenant, User}
NO_PAGE_OF_ONE = {MessageText}


@pytest.fixture
def everything(acme):
    return one_of_everything(acme)


def url_of(model, name, *args):
    label = f"{model._meta.app_label}_{model._meta.model_name}"
    return reverse(f"admin:{label}_{name}", args=args)


def faults_of(office, pages):
    """What axe finds on (address, *themes) of `pages`, by address; [] where all is well. Also what
    makes a page wider than the window."""
    found = []
    for url, *themes in pages:
        answer = office.page.goto(url)
        assert answer.status == 200, f"{url} answers {answer.status}"
        found += [f"{url} {fault}" for fault in office.grave_faults(*themes)]
        if office.page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            found.append(f"{url} is wider than the window")
    return found


def test_the_page_of_every_row_is_for_everybody(office, everything):
    """In the dark, where the theme's colours are weakest, and on a narrow screen."""
    office.page.set_viewport_size({"width": 1024, "height": 768})
    models = [model for model in REGISTERED if model not in OPERATOR | NO_PAGE_OF_ONE]

    pages = [(url_of(model, "change", everything[model].pk), "dark") for model in models]

    assert faults_of(office, pages) == []


def test_the_menu_of_a_narrow_screen_opens_by_keyboard_and_can_be_passed_by(office):
    office.page.set_viewport_size({"width": 1024, "height": 768})
    office.go("/admin/customers/customer/").press("Tab")
    assert office.focused() == "To the content"
    office.press("Enter")
    assert office.page.evaluate("document.activeElement.id") == "content"

    office.go("/admin/customers/customer/").tab_to("Menu").press("Enter")
    office.page.wait_for_function("document.activeElement.closest('#nav-sidebar')")
    office.tab_to("Groups").press("Enter")

    office.page.wait_for_url("**/groups/group/")


@pytest.mark.long
def test_every_page_in_both_themes_is_for_everybody(open_office, everything):
    bridge = open_office(UserFactory(is_superuser=True))
    bridge.page.goto("/admin/tenant/")
    bridge.page.get_by_role("button", name="acme").click()
    bridge.page.wait_for_url("**/admin/")
    pages = []
    for model in REGISTERED:
        pages += [(url_of(model, "changelist"),), (f"{url_of(model, 'changelist')}?q=nothing",)]
        if model not in NO_PAGE_OF_ONE:
            pages.append((url_of(model, "change", everything[model].pk),))
    pages += [(url_of(Customer, "history", everything[Customer].pk),)]

    assert faults_of(bridge, pages) == []
