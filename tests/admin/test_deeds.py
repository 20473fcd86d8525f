"""Deeds on one customer and on many, each through its service and with its own result."""

import json

import pytest
from django.contrib.admin.models import LogEntry

from customers.models import Customer, Tombstone
from customers.services import current_consents, register_customer, sign_in_customer
from events.models import HistoryEntry
from tests.admin.browsing import send, text_of
from tests.admin.conftest import customer_page, page

pytestmark = pytest.mark.django_db
LIST = "/admin/customers/customer/"


def test_a_deed_says_its_effect_before_anything_happens(office, ada):
    response = office.get(customer_page(ada, "deactivate"))

    assert "cannot sign in or earn" in text_of(response)
    ada.refresh_from_db()
    assert ada.status == "active"


def test_deactivating_and_activating_again(office, ada, boss):
    first = office.post(customer_page(ada, "deactivate"), {"reason": "moved away"})
    ada.refresh_from_db()
    blocked = ada.status
    second = office.post(customer_page(ada, "activate"), {"reason": ""})

    ada.refresh_from_db()
    assert (first.status_code, second.status_code) == (302, 302)
    assert (blocked, ada.status) == ("blocked", "active")
    entry = HistoryEntry.objects.about("customer", ada.pk)[1]
    assert (entry.deed, entry.reason, entry.actor_id) == (
        "customer.deactivated",
        "moved away",
        boss.pk,
    )


def test_a_deed_that_does_not_fit_is_said_in_words(office, ada):
    response = office.get(customer_page(ada, "send-code"))

    assert "Not now" in text_of(response)


def test_a_link_is_sent_to_a_new_customer(office, acme, sent_mail):
    karen = register_customer(
        first_name="Karen", status="new", emails=[{"address": "karen@example.org"}]
    )

    response = office.post(customer_page(karen, "send-code"), {"method": "email"})

    assert response.status_code == 302
    assert sent_mail()[0].to == ["karen@example.org"]


def test_a_code_without_a_phone_is_refused_on_the_page(office, acme):
    karen = register_customer(first_name="Karen", status="new")

    response = office.post(customer_page(karen, "send-code"), {"method": "sms"})

    assert "There is no phone number to send to." in text_of(response)


def test_too_many_messages_are_refused_in_words(office, acme):
    karen = register_customer(first_name="K", status="new", emails=[{"address": "k@example.org"}])
    for _message in range(5):
        office.post(customer_page(karen, "send-code"), {"method": "email"})

    response = office.post(customer_page(karen, "send-code"), {"method": "email"})

    assert "Too many tries" in text_of(response)


def test_a_consent_is_recorded_with_its_evidence(office, ada, boss):
    office.post(
        customer_page(ada, "consent"),
        {"purpose": "marketing", "granted": "yes", "source": "phone", "wording_version": "v2"},
    )

    consent = current_consents(ada)["marketing"]
    assert (consent.granted, consent.source, consent.actor_id) == (True, "phone", boss.pk)


def test_a_consent_needs_a_purpose_and_an_answer(office, ada):
    response = office.post(customer_page(ada, "consent"), {"purpose": "", "granted": ""})

    assert set(response.context["form"].errors) == {"purpose", "granted"}
    assert not ada.consents.exists()


def test_a_password_is_set_and_a_weak_one_refused_beside_the_field(office, ada):
    weak = office.post(customer_page(ada, "password"), {"password": "123"})
    office.post(customer_page(ada, "password"), {"password": "correct horse battery"})

    assert "password" in weak.context["form"].errors
    assert sign_in_customer("7001", "correct horse battery", address="")


def test_the_data_of_one_customer_is_handed_out_as_a_file_and_recorded(office, ada, boss):
    before = office.get(customer_page(ada, "export"))

    response = office.post(customer_page(ada, "export"))

    assert before.status_code == 200
    export = json.loads(response.content)
    assert "Lovelace" in json.dumps(export)
    assert response["Content-Disposition"] == 'attachment; filename="CUST-1.json"'
    entry = HistoryEntry.objects.about("customer", ada.pk).first()
    assert (entry.deed, entry.actor_id) == ("customer.exported", boss.pk)


def test_many_are_each_their_own_deed_with_a_report(office, acme):
    new = register_customer(first_name="N", status="new", emails=[{"address": "n@example.org"}])
    active = register_customer(first_name="A")
    nobody = register_customer(first_name="X", status="new")

    response = office.post(
        LIST,
        {"action": "send_code_many", "_selected_action": [new.pk, active.pk, nobody.pk]},
        follow=True,
    )

    words = text_of(response)
    assert "Send activation: done for 1 customer." in words
    assert "refused for 2 customers" in words
    assert f"{active.code}: Only a new customer" in words
    assert f"{nobody.code}: There is no phone number" in words


# --- Taking leave ----------------------------------------------------------------------------
def test_the_anonymise_page_lists_what_goes_and_what_stays(office, ada):
    response = office.get(customer_page(ada, "anonymise"))

    words = text_of(response)
    assert "Will be erased" in words
    assert "Lovelace" in words
    assert "Stays, and why" in words
    assert "Out of reach" in words


@pytest.mark.parametrize("typed", ["", "CUST-2", "yes", "1 "])
def test_a_wrong_number_anonymises_nobody(office, ada, typed):
    number = str(ada.number)
    if typed.strip() == number:
        typed = "999"

    response = office.post(customer_page(ada, "anonymise"), {"typed": typed})

    assert "typed" in response.context["form"].errors
    assert Customer.objects.identifiable().filter(pk=ada.pk).exists()


def test_anonymising_answers_with_a_receipt_that_found_nothing_left(office, ada, run_jobs):
    response = office.post(
        customer_page(ada, "anonymise"),
        {"typed": f"cust-{ada.number}", "reason": "asked for it"},
        follow=True,
    )

    words = text_of(response)
    assert words.count("Nothing left") == 1
    assert "A worker looks through all other rows and files." in words
    assert "Lovelace" not in words
    assert "no-store" in response["Cache-Control"]
    ada.refresh_from_db()
    assert ada.anonymised_at
    assert ada.last_name == ""
    state = customer_page(ada, "receipt") + "state/"
    assert "data-ended" not in office.get(state).content.decode()

    run_jobs()

    assert "data-ended" in office.get(state).content.decode()
    words = text_of(office.get(customer_page(ada, "receipt")))
    assert words.count("Nothing left") == 2
    assert "columns and files searched, finished" in words


def test_there_is_no_receipt_of_what_was_not_done(office, ada):
    assert office.get(customer_page(ada, "receipt")).status_code == 404


def test_a_reason_that_names_the_person_is_refused_beside_its_field(office, ada):
    response = office.post(
        customer_page(ada, "anonymise"), {"typed": ada.code, "reason": "Lovelace asked"}
    )

    assert "reason" in response.context["form"].errors
    assert Customer.objects.identifiable().filter(pk=ada.pk).exists()


def test_a_second_anonymisation_changes_nothing(office, ada):
    code = ada.code
    office.post(customer_page(ada, "anonymise"), {"typed": code})
    version = Customer.objects.get(pk=ada.pk).version

    response = office.post(customer_page(ada, "anonymise"), {"typed": code})

    assert "anonymised already" in text_of(response)
    assert Customer.objects.get(pk=ada.pk).version == version


def test_deleting_asks_for_the_number_and_leaves_a_tombstone(office, ada):
    page_before = office.get(customer_page(ada, "delete"))
    wrong = office.post(customer_page(ada, "delete"), {"post": "yes"})
    still_there = Customer.objects.filter(pk=ada.pk).exists()

    response = office.post(customer_page(ada, "delete"), {"typed": ada.code})

    assert page_before.status_code == 200
    assert (wrong.status_code, still_there) == (200, True)
    assert response.status_code == 302
    assert not Customer.objects.filter(pk=ada.pk).exists()
    assert Tombstone.objects.filter(pk=ada.pk).exists()


def test_djangos_own_deletion_of_many_is_not_there(office, ada):
    office.post(LIST, {"action": "delete_selected", "_selected_action": [ada.pk], "post": "yes"})

    assert Customer.objects.filter(pk=ada.pk).exists()


def test_djangos_own_log_stays_empty(office, ada):
    send(office, customer_page(ada), "customer_form", first_name="Augusta")
    send(office, page("customers_customer", "add"), "customer_form", first_name="Karen")
    office.post(customer_page(ada, "delete"), {"typed": ada.code})

    assert not LogEntry.objects.exists()


def test_the_history_shows_old_and_new_and_who(office, ada):
    send(office, customer_page(ada), "customer_form", first_name="Augusta", reason="typing error")

    for url in (customer_page(ada), customer_page(ada, "history")):
        words = text_of(office.get(url))
        assert "Bo Boss" in words
        assert "<del>Ada</del>" in words
        assert "<ins>Augusta</ins>" in words
        assert "typing error" in words


def test_money_in_the_history_stands_in_the_tenants_currency(office, ada):
    send(office, customer_page(ada), "customer_form", credit_limit="250.50")

    assert "<ins>250.50 NOK</ins>" in text_of(office.get(customer_page(ada, "history")))


def test_an_anonymised_customer_without_a_number_can_still_be_opened_and_deleted(office, ada):
    office.post(customer_page(ada, "anonymise"), {"typed": ada.code})
    listed = text_of(office.get(LIST))
    asked = office.get(customer_page(ada, "delete"))

    response = office.post(customer_page(ada, "delete"), {"typed": str(ada.pk)[:8]})

    assert f"/{ada.pk}/change/" in listed
    assert str(ada.pk)[:8] in text_of(asked)
    assert response.status_code == 302
    assert not Customer.objects.filter(pk=ada.pk).exists()
