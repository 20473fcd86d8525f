"""Saving the customer page: one deed, nothing lost, refusals beside the field."""

import io
import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from customers.models import Customer
from customers.services import register_customer, set_charge_account, update_customer
from events.models import HistoryEntry
from tenancy.scoping import in_tenant
from tests.admin.browsing import add_row, form_data, send, text_of
from tests.admin.conftest import customer_page, page
from tests.factories import GroupFactory, StoreFactory

pytestmark = pytest.mark.django_db
ADD = "/admin/customers/customer/add/"
FORM = "customer_form"


def errors_of(response):
    """field -> messages of the whole page, rows by their place."""
    found = dict(response.context["adminform"].form.errors)
    for inline in response.context["inline_admin_formsets"]:
        formset = inline.formset
        for index, form in enumerate(formset.forms):
            for name, messages in form.errors.items():
                found[f"{formset.prefix}.{index}.{name}"] = messages
        if formset.non_form_errors():
            found[formset.prefix] = formset.non_form_errors()
    return found


def test_an_unchanged_page_saves_nothing(office, ada):
    before = ada.version

    response = send(office, customer_page(ada), FORM)

    assert response.status_code == 302, errors_of(response)
    ada.refresh_from_db()
    assert ada.version == before


def test_the_page_with_its_lists_is_one_version_step(office, ada, acme):
    group = GroupFactory(tenant=acme, code="news")
    store = StoreFactory(tenant=acme, code="harbour")
    version = ada.version
    data = form_data(office.get(customer_page(ada)), FORM, last_name="King")
    add_row(data, "emails", address="king@example.org")
    add_row(data, "phones", given="911 22 333", kind="work")
    add_row(data, "addresses", kind="billing", city="Bergen")
    add_row(data, "contact_persons", first_name="William")
    add_row(data, "labels", key="size", value="L")
    add_row(data, "subscriptions", group=str(group.pk), subscribed="on")
    add_row(data, "store_profiles", store=str(store.pk), pos_ref="T-1")
    data["charge_account_number"] = ["4711"]
    data["credit_limit"] = ["1000.50"]
    data["reason"] = ["married"]

    response = office.post(customer_page(ada), data)

    assert response.status_code == 302, errors_of(response)
    ada = Customer.objects.get(pk=ada.pk)
    assert ada.version == version + 1
    assert ada.last_name == "King"
    assert ada.name == "Ada King"
    assert ada.credit_limit == 100_050
    assert ada.charge_account.number == "4711"
    assert {email.address for email in ada.emails.all()} == {"Ada@example.org", "king@example.org"}
    assert {phone.e164 for phone in ada.phones.all()} == {"+4790000001", "+4791122333"}
    assert {address.city for address in ada.addresses.all()} == {"Oslo", "Bergen"}
    assert [person.first_name for person in ada.contact_persons.all()] == ["William"]
    assert [label.key for label in ada.labels.all()] == ["size"]
    assert [row.group.code for row in ada.subscriptions.all()] == ["news"]
    assert [profile.pos_ref for profile in ada.store_profiles.all()] == ["T-1"]
    entry = HistoryEntry.objects.about("customer", ada.pk).first()
    assert entry.reason == "married"
    assert entry.actor_label == "Bo Boss"
    assert entry.request_id == response["X-Request-Id"]


def test_rows_are_changed_and_removed(office, ada):
    url = customer_page(ada)
    data = form_data(
        office.get(url), FORM, phones__0__given="922 33 444", addresses__0__DELETE="on"
    )

    response = office.post(url, data)

    assert response.status_code == 302, errors_of(response)
    assert [phone.e164 for phone in ada.phones.all()] == ["+4792233444"]
    assert not ada.addresses.exists()


def test_every_bad_value_is_named_beside_its_field_and_nothing_is_lost(office, ada):
    url, version = customer_page(ada), ada.version
    data = form_data(
        office.get(url),
        FORM,
        birth_date="1985-13-45",
        credit_limit="12.345",
        first_name="Augusta",
        emails__0__address="not an address",
    )
    add_row(data, "addresses", city="Hamar", country="Narnia")
    add_row(data, "addresses", city="Hamar", latitude="95")

    response = office.post(url, data)

    assert response.status_code == 200
    found = errors_of(response)
    assert {"birth_date", "credit_limit", "emails.0.address"} <= set(found)
    assert {"addresses.1.country", "addresses.2.latitude"} <= set(found)
    words = text_of(response)
    for typed in ("Augusta", "1985-13-45", "12.345", "not an address", "Narnia", "Hamar"):
        assert typed in words
    ada.refresh_from_db()
    assert ada.version == version


def test_a_taken_identifier_is_refused_beside_its_field(office, ada, grace):
    response = send(office, customer_page(grace), FORM, card_number="7001", last_name="Hopper")

    assert response.status_code == 200
    assert errors_of(response) == {"card_number": ["Another customer has this card."]}
    assert "Hopper" in text_of(response)
    grace.refresh_from_db()
    assert grace.last_name == ""


def test_a_taken_reference_of_a_store_is_refused_beside_its_row(office, ada, grace, acme):
    store = StoreFactory(tenant=acme)
    for customer in (ada, grace):
        data = form_data(office.get(customer_page(customer)), FORM)
        add_row(data, "store_profiles", store=str(store.pk), pos_ref="T-1")
        response = office.post(customer_page(customer), data)

    assert errors_of(response) == {
        "store_profiles.0.pos_ref": ["Another customer has it at this store."]
    }


def test_two_primaries_are_refused_above_the_list(office, grace):
    data = form_data(office.get(customer_page(grace)), FORM)
    add_row(data, "emails", address="one@example.org", primary="on")
    add_row(data, "emails", address="two@example.org", primary="on")

    response = office.post(customer_page(grace), data)

    assert errors_of(response) == {"emails": ["Only one entry can be primary."]}


def test_a_new_primary_takes_over_from_the_old_one(office, ada):
    data = form_data(office.get(customer_page(ada)), FORM)
    add_row(data, "emails", address="new@example.org", primary="on")

    office.post(customer_page(ada), data)

    assert [row.address for row in ada.emails.filter(primary=True)] == ["new@example.org"]


def test_a_value_that_was_stored_before_a_rule_stands_in_nobodys_way(office, ada):
    Customer.objects.filter(pk=ada.pk).update(vat_number="nonsense", language="??")

    response = send(office, customer_page(ada), FORM, first_name="Augusta")

    assert response.status_code == 302, errors_of(response)


# --- Registering -----------------------------------------------------------------------------
def test_a_name_and_one_contact_point_register_a_customer(office, acme):
    url = ADD

    response = send(office, url, FORM, first_name="Karen", emails__0__address="Karen@Example.org")

    customer = Customer.objects.get()
    assert response.status_code == 302
    assert customer.name == "Karen"
    assert customer.version == 1
    assert customer.emails.get().primary


def test_consents_ticked_at_registration_are_stated_with_their_evidence(office, acme, boss):
    send(office, ADD, FORM, first_name="Karen", consent_marketing="on", consent_wording="v3")

    consent = Customer.objects.get().consents.get()
    assert (consent.purpose, consent.granted, consent.wording_version) == ("marketing", True, "v3")
    assert consent.actor_id == boss.pk


def test_an_empty_form_says_what_is_needed(office, acme):
    response = send(office, ADD, FORM)

    assert response.status_code == 200
    assert "name" in errors_of(response)
    assert not Customer.objects.exists()


def test_the_form_sent_twice_makes_one_customer(office, acme):
    data = form_data(office.get(ADD), FORM, first_name="Karen", emails__0__address="k@example.org")

    first = office.post(ADD, data)
    second = office.post(ADD, data)

    customer = Customer.objects.get()
    assert first.status_code == 302
    assert second.status_code == 302
    assert second["Location"] == customer_page(customer)


def test_a_form_id_that_is_taken_next_door_makes_no_customer_and_tells_nothing(office, rival, acme):
    with in_tenant(rival):
        theirs = register_customer(first_name="Mallory")

    response = send(office, ADD, FORM, first_name="Karen", form_id=str(theirs.pk))

    assert response.status_code == 200
    assert "Mallory" not in text_of(response)
    assert not Customer.objects.exists()


def test_a_bent_form_id_is_no_error(office, acme):
    response = send(office, ADD, FORM, first_name="Karen", form_id="nonsense")

    assert response.status_code == 200
    assert not Customer.objects.exists()


# --- Two people at once ----------------------------------------------------------------------
def test_a_save_on_an_old_page_is_told_who_was_faster_and_what_changed(office, ada):
    data = form_data(office.get(customer_page(ada)), FORM, first_name="Augusta")
    update_customer(ada, last_name="King")

    response = office.post(customer_page(ada), data)

    words = text_of(response)
    assert response.status_code == 200
    assert "The system" in words
    assert "last name" in words
    assert "Augusta" in words
    ada.refresh_from_db()
    assert (ada.first_name, ada.last_name) == ("Ada", "King")


def test_saving_again_puts_only_what_was_typed_on_top(office, ada):
    data = form_data(office.get(customer_page(ada)), FORM, first_name="Augusta")
    update_customer(ada, last_name="King", labels=[{"key": "new"}])
    again = form_data(office.post(customer_page(ada), data), FORM)

    response = office.post(customer_page(ada), again)

    assert response.status_code == 302, errors_of(response)
    ada.refresh_from_db()
    assert (ada.first_name, ada.last_name) == ("Augusta", "King")
    assert [label.key for label in ada.labels.all()] == ["new"]


def test_after_a_conflict_the_page_shows_what_others_wrote_beside_what_was_typed(office, ada, acme):
    store = StoreFactory(tenant=acme, code="harbour")
    data = form_data(office.get(customer_page(ada)), FORM, first_name="Augusta")
    update_customer(ada, last_name="King", home_store=store, no_email=True, eu_citizen=True)

    response = office.post(customer_page(ada), data)

    shown = form_data(response, FORM)
    assert shown["first_name"] == ["Augusta"]
    assert shown["last_name"] == ["King"]
    assert shown["home_store"] == [str(store.pk)]
    assert shown["no_email"] == ["on"]
    assert office.post(customer_page(ada), shown).status_code == 302
    ada.refresh_from_db()
    assert (ada.first_name, ada.last_name, ada.home_store) == ("Augusta", "King", store)
    assert (ada.no_email, ada.eu_citizen) == (True, True)


def test_rows_that_others_added_meanwhile_stay(office, ada):
    data = form_data(office.get(customer_page(ada)), FORM)
    add_row(data, "emails", address="mine@example.org")
    rows = [{"address": "Ada@example.org"}, {"address": "theirs@example.org"}]
    update_customer(ada, emails=rows)
    again = form_data(office.post(customer_page(ada), data), FORM)

    response = office.post(customer_page(ada), again)

    assert response.status_code == 302, errors_of(response)
    addresses = {email.address for email in ada.emails.all()}
    assert addresses == {"Ada@example.org", "mine@example.org", "theirs@example.org"}


def test_a_row_that_somebody_removed_meanwhile_is_said_beside_it(office, ada):
    data = form_data(office.get(customer_page(ada)), FORM, phones__0__given="911 22 333")
    update_customer(ada, phones=[])

    response = office.post(customer_page(ada), data)

    assert response.status_code == 200
    assert "Somebody removed an entry meanwhile" in text_of(response)
    assert "911 22 333" in text_of(response)


def test_a_customer_who_was_deleted_meanwhile_is_gone(office, ada):
    data = form_data(office.get(customer_page(ada)), FORM)
    Customer.objects.filter(pk=ada.pk).delete()

    response = office.post(customer_page(ada), data)

    assert response.status_code == 302
    assert response["Location"] == "/admin/"


# --- Beside the profile ----------------------------------------------------------------------
def test_a_file_that_is_no_picture_is_refused_beside_its_field(office, ada):
    data = form_data(office.get(customer_page(ada)), FORM)
    data["picture"] = SimpleUploadedFile("x.png", b"no picture", content_type="image/png")

    response = office.post(customer_page(ada), data)

    assert "picture" in errors_of(response)


def test_a_picture_is_shown_to_staff_and_never_by_path(office, ada, tiny_png):
    data = form_data(office.get(customer_page(ada)), FORM)
    data["picture"] = SimpleUploadedFile("x.png", tiny_png, content_type="image/png")
    saved = office.post(customer_page(ada), data)

    response = office.get(customer_page(ada, "picture"))

    assert saved.status_code == 302, errors_of(saved)
    response.close()
    assert response["Content-Type"] == "image/webp"
    assert "no-store" in response["Cache-Control"]


def test_an_emptied_charge_account_is_closed(office, ada):
    set_charge_account(ada, number="4711")

    response = send(office, customer_page(ada), FORM, charge_account_number="")

    assert response.status_code == 302, errors_of(response)
    assert not hasattr(Customer.objects.get(pk=ada.pk), "charge_account")


@pytest.fixture
def tiny_png():
    out = io.BytesIO()
    Image.new("RGB", (4, 4), "red").save(out, "PNG")
    return out.getvalue()


def test_money_stands_in_the_tenants_currency(office, ada):
    Customer.objects.filter(pk=ada.pk).update(credit_limit=123_456)

    response = office.get(customer_page(ada))

    assert 'value="1234.56"' in text_of(response)
    assert "NOK" in text_of(response)


def test_unknown_ids_lead_back_with_a_sentence(office, acme):
    for object_id in (uuid.uuid4(), "nonsense", "_00"):
        response = office.get(f"/admin/customers/customer/{object_id}/change/")

        assert response.status_code == 302
        assert response["Location"] == "/admin/"
    assert page("customers_customer", "changelist") == "/admin/customers/customer/"
