"""The list of customers: views that are found again, and deeds for all that its filters show."""

from dataclasses import replace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.hooks import hooks
from customers.models import BulkDeed, Customer, SavedView
from customers.services import deactivate_customer
from tenancy.scoping import in_tenant
from tests.admin.browsing import text_of
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db
LIST = "/admin/customers/customer/"
SAVE, ALL = f"{LIST}views/save/", f"{LIST}all/"


@pytest.fixture
def blocked(acme, ada):
    """Two customers who are blocked, beside Ada."""
    found = [CustomerFactory(tenant=acme, first_name=name) for name in ("Bo", "Cy")]
    for customer in found:
        deactivate_customer(customer)
    return found


def save(client, query, name="Blocked", **more):
    return client.post(SAVE, {"name": name, "query": query, **more}, follow=True)


# --- Views ---------------------------------------------------------------------------------------
def test_a_view_is_saved_and_opens_with_its_filters(office, blocked):
    response = save(office, "status=blocked&o=1")

    assert "The view “Blocked” is saved." in text_of(response)
    assert response.redirect_chain[-1][0] == f"{LIST}?status=blocked&o=1"
    page = text_of(office.get(LIST))
    assert 'href="?status=blocked&amp;o=1"' in page
    assert "Ada" not in text_of(office.get(f"{LIST}?status=blocked"))


def test_what_was_searched_for_is_not_kept(office, acme):
    save(office, "q=Lovelace&status=blocked&p=3")

    assert SavedView.objects.get().query == "status=blocked"


def test_only_a_search_is_no_view(office, acme):
    assert "Set a filter or an order first." in text_of(save(office, "q=Lovelace"))
    assert not SavedView.objects.exists()


@pytest.mark.parametrize(
    ("name", "query", "said"),
    [
        ("", "status=blocked", "Give it a name."),
        ("  ", "status=blocked", "Give it a name."),
        ("n" * 61, "status=blocked", "60"),
        ("View", "", "Set a filter"),
        ("View", "status=" + "b" * 2_000, "too many filters"),
    ],
)
def test_what_cannot_be_kept_is_refused_in_words(office, acme, name, query, said):
    assert said in text_of(save(office, query, name=name))
    assert not SavedView.objects.exists()


def test_the_same_name_replaces_the_view(office, acme):
    save(office, "status=blocked")
    save(office, "status=active")

    assert [view.query for view in SavedView.objects.all()] == ["status=active"]


def test_a_view_of_a_colleague_is_there_when_it_is_shared(office, shop, acme):
    save(office, "status=blocked", name="Mine")
    save(office, "status=active", name="Ours", shared="on")

    page = text_of(shop.get(LIST))

    assert "Ours" in page
    assert "Mine" not in page


def test_only_its_owner_forgets_a_view(office, shop, acme):
    save(office, "status=active", shared="on")
    path = f"{LIST}views/{SavedView.objects.get().pk}/forget/"

    assert shop.post(path).status_code == 404
    assert office.get(path).status_code == 404
    assert SavedView.objects.exists()
    assert "forgotten" in text_of(office.post(path, follow=True))
    assert not SavedView.objects.exists()


def test_a_view_of_another_tenant_is_nowhere(office, acme, rival, boss):
    save(office, "status=active", name="Of Acme", shared="on")
    view = SavedView.objects.get()
    with in_tenant(rival):
        assert not SavedView.objects.filter(pk=view.pk).exists()


def test_a_name_is_text_and_no_markup(office, acme):
    save(office, "status=active", name="<b>bold")

    assert "<b>bold" not in text_of(office.get(LIST))


def test_many_views_cost_no_more_queries_than_none(office, acme):
    office.get(LIST)
    with CaptureQueriesContext(connection) as before:
        office.get(LIST)
    for n in range(5):
        save(office, f"status=active&o={n}", name=f"V{n}")

    with CaptureQueriesContext(connection) as after:
        office.get(LIST)

    assert len(after) == len(before)


# --- All that match ------------------------------------------------------------------------------
def test_all_that_match_are_counted_and_chosen_for_a_deed(office, blocked):
    page = text_of(office.get(f"{ALL}?status=blocked"))
    assert "2 customers" in page

    response = office.post(f"{ALL}?status=blocked", {"deed": "activate"})

    bulk = BulkDeed.objects.get()
    assert response["Location"].endswith(f"{bulk.pk}/change/")
    assert set(bulk.customer_ids) == {customer.pk for customer in blocked}
    assert Customer.objects.filter(status="blocked").count() == 2


def test_a_search_narrows_all_that_match(office, blocked):
    assert "1 customer" in text_of(office.get(f"{ALL}?q=Bo&status=blocked"))


def test_more_than_can_be_done_at_once_are_refused(office, blocked, monkeypatch):
    one = replace(hooks.bulk_deeds["activate"], most=1)
    monkeypatch.setitem(hooks.bulk_deeds, "activate", one)

    assert "at most 1 at once" in text_of(office.get(f"{ALL}?status=blocked"))
    response = office.post(f"{ALL}?status=blocked", {"deed": "activate"})
    assert "At most 1 at once" in text_of(response)
    assert not BulkDeed.objects.exists()


def test_a_deed_that_is_none_or_not_theirs_is_not_found(office, shop, blocked):
    assert office.post(f"{ALL}?status=blocked", {"deed": "explode"}).status_code == 404
    assert office.post(f"{ALL}?status=blocked").status_code == 404
    assert shop.post(f"{ALL}?status=blocked", {"deed": "anonymise"}).status_code == 404
    assert not BulkDeed.objects.exists()


def test_customers_of_another_tenant_are_never_among_all(office, acme, ada, rival):
    with in_tenant(rival):
        CustomerFactory(tenant=rival)

    office.post(ALL, {"deed": "deactivate"})

    assert set(BulkDeed.objects.get().customer_ids) == {ada.pk}
