"""A seller of a tenant that masks contact data sees none of it, but of whom they reveal."""

from datetime import timedelta

import pytest
from django.contrib import admin
from django.urls import reverse

from customers.models import Customer
from customers.services import update_customer
from events.models import HistoryEntry
from tenancy import clock
from tenancy.masking import SECONDS
from tests.admin.browsing import form_data, text_of
from tests.admin.conftest import customer_page, page
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db
SECRETS = ("ada@example.org", "90000001", "900 00 001", "Storgata", "grace@example.org")


@pytest.fixture(autouse=True)
def masking(acme, ada):
    """Acme masks; Ada's history tells of an earlier address."""
    acme.settings |= {"mask_contacts": True}
    acme.save(update_fields=["settings"])
    update_customer(ada, contact_persons=[{"first_name": "G", "email": "grace@example.org"}])
    update_customer(ada, username="ada@example.org")


def told(response):
    return text_of(response).lower()


def pages_of(client, ada):
    """Everything that a seller can open: every list, its search, Ada's pages, the till."""
    for model in admin.site._registry:
        label = f"{model._meta.app_label}_{model._meta.model_name}"
        yield client.get(reverse(f"admin:{label}_changelist"))
        yield client.get(reverse(f"admin:{label}_changelist"), {"q": "Ada"})
    for name in ("change", "history", "export", "deactivate"):
        yield client.get(customer_page(ada, name))
    entries = HistoryEntry.objects.values_list("pk", flat=True)
    yield from (client.get(page("events_historyentry", "change", pk)) for pk in entries)
    yield client.get("/admin/")
    for typed in ("Ada", "90000001", "ada@ex"):
        yield client.post("/admin/customers/customer/find/", {"typed": typed})


def leaks(client, ada):
    # A page may say again what was just typed into it, and only there.
    return [
        (response.request["PATH_INFO"], secret)
        for response in pages_of(client, ada)
        if response.status_code == 200 and not response.request["PATH_INFO"].endswith("/find/")
        for secret in SECRETS
        if secret.lower() in told(response)
    ]


def test_no_page_of_a_seller_carries_a_contact_point(shop, ada):
    assert leaks(shop, ada) == []


def test_without_the_setting_the_same_pages_carry_them(shop, ada, acme):
    acme.settings |= {"mask_contacts": False}
    acme.save(update_fields=["settings"])

    assert {secret for _path, secret in leaks(shop, ada)} >= {"ada@example.org", "Storgata"}


def test_what_is_masked_can_still_be_recognised(shop, ada):
    assert "a•••@example.org" in told(shop.get(customer_page(ada)))
    assert "•••001" in told(shop.get("/admin/customers/customer/"))
    found = told(shop.post("/admin/customers/customer/find/", {"typed": "Lovelace"}))
    assert "a•••@example.org" in found
    assert "ada@example.org" not in found


def test_an_administrator_sees_everything(office, ada):
    assert "ada@example.org" in told(office.get(customer_page(ada)))


def test_a_reveal_shows_one_customer_for_a_while_and_is_written_down(shop, acme, ada, clerk):
    other = CustomerFactory(tenant=acme, first_name="Bo", emails=[{"address": "bo@example.org"}])

    response = shop.post(customer_page(ada, "reveal"))

    assert response["Location"] == customer_page(ada)
    assert "ada@example.org" in told(shop.get(customer_page(ada)))
    assert "bo@example.org" not in told(shop.get(customer_page(other)))
    assert "ada@example.org" not in told(shop.get("/admin/customers/customer/"))
    entry = HistoryEntry.objects.get(deed="customer.revealed")
    assert (str(entry.subject_id), entry.actor_label) == (str(ada.pk), clerk.name)
    assert "ada" not in str(entry.changes).lower()
    with clock.frozen(clock.now() + timedelta(seconds=SECONDS + 1)):
        assert "ada@example.org" not in told(shop.get(customer_page(ada)))


def test_the_download_of_all_data_is_no_way_around_the_mask(shop, office, ada):
    path = customer_page(ada, "export")
    assert path not in text_of(shop.get(customer_page(ada)))
    for response in (shop.get(path), shop.post(path)):
        assert response.status_code == 403
        assert "ada@example.org" not in told(response)
    assert not HistoryEntry.objects.filter(deed="customer.exported").exists()

    shop.post(customer_page(ada, "reveal"))

    assert b"ada@example.org" in shop.post(path).content.lower()
    assert b"ada@example.org" in office.post(path).content.lower()


def test_a_link_reveals_nothing(shop, ada):
    assert shop.get(customer_page(ada, "reveal")).status_code == 405
    assert "ada@example.org" not in told(shop.get(customer_page(ada)))
    assert not HistoryEntry.objects.filter(deed="customer.revealed").exists()


def test_who_sees_it_anyway_is_not_written_down(office, ada):
    office.post(customer_page(ada, "reveal"))

    assert not HistoryEntry.objects.filter(deed="customer.revealed").exists()


def test_a_masked_form_saves_the_rest_and_keeps_the_contact_points(shop, ada):
    before = [row.address for row in ada.emails.all()]
    data = form_data(shop.get(customer_page(ada)), "customer_form", first_name="Augusta")
    assert not [name for name in data if name.startswith(("emails-", "phones-", "addresses-"))]

    response = shop.post(customer_page(ada), data)

    assert response.status_code == 302
    ada = Customer.objects.get(pk=ada.pk)
    assert (ada.first_name, ada.username) == ("Augusta", "ada@example.org")
    assert [row.address for row in ada.emails.all()] == before


def test_contact_points_smuggled_into_a_masked_form_are_not_saved(shop, ada):
    data = form_data(shop.get(customer_page(ada)), "customer_form")
    data |= {"emails-TOTAL_FORMS": "1", "emails-INITIAL_FORMS": "0",
             "emails-0-address": "mine@example.org", "username": "me"}  # fmt: skip

    shop.post(customer_page(ada), data)

    ada = Customer.objects.get(pk=ada.pk)
    assert ada.username == "ada@example.org"
    assert not ada.emails.filter(address="mine@example.org").exists()


def test_the_ceiling_of_a_seller_holds_behind_the_mask(shop, acme, ada):
    acme.settings |= {"seller_points_ceiling": 5}
    acme.save(update_fields=["settings"])
    path = customer_page(ada, "adjust-points")
    data = form_data(shop.get(path), None, way="add", points="50", reason="x")

    response = shop.post(path, data)

    assert response.status_code == 200
    assert not HistoryEntry.objects.filter(subject_id=ada.pk, deed__contains="points").exists()
