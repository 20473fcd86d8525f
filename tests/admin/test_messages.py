"""Messages in the back office, and the texts that they are made of."""

import pytest

from customers.services import register_customer, send_activation, update_customer
from events.messages import get_wording, set_message_text
from events.messages import sending as sending_module
from events.messages.failures import DeliveryFailed
from events.models import HistoryEntry, Message, MessageText
from tests.admin.browsing import text_of
from tests.admin.conftest import customer_page, page

pytestmark = pytest.mark.django_db
LIST = "/admin/events/message/"
TEXTS = "/admin/events/messagetext/"
RESET = f"{TEXTS}reset_password/email/en/"
CODE = f"{TEXTS}activate_sms/sms/en/"


@pytest.fixture
def karen(acme):
    return register_customer(
        first_name="Karen", status="new", emails=[{"address": "karen@example.org"}]
    )


@pytest.fixture
def failed(karen, monkeypatch, sent_mail):
    """A message to Karen that the provider refused for good; the next one it will take."""

    def refuse(message, to, composed):
        raise DeliveryFailed("bad_address", lasting=True)

    with monkeypatch.context() as refusing:
        refusing.setattr(sending_module, "deliver", refuse)
        send_activation(karen, method="email")
        sent_mail()
    return Message.objects.get()


# --- The list ------------------------------------------------------------------------------------
def test_the_list_says_what_became_of_each(office, failed, karen):
    words = text_of(office.get(LIST))

    assert "Activation link" in words
    assert "Failed" in words
    assert "does not accept the address" in words
    assert karen.code in words
    assert "karen@example.org" not in words


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("state=failed", True),
        ("state=sent", False),
        ("purpose=activate_email", True),
        ("purpose=reset_password", False),
        ("channel=sms", False),
        ("state=nonsense", True),
    ],
)
def test_the_list_is_narrowed(office, failed, query, shown):
    assert ("does not accept" in text_of(office.get(f"{LIST}?{query}"))) == shown


def test_the_customers_page_leads_to_the_customers_messages(office, failed, karen, acme):
    other = register_customer(first_name="Other", status="new", emails=[{"address": "o@x.org"}])
    send_activation(other, method="email")

    assert f"{LIST}?customer={karen.pk}" in office.get(customer_page(karen)).content.decode()
    words = text_of(office.get(f"{LIST}?customer={karen.pk}"))
    assert f"{other.code} " not in words
    assert "does not accept" in words


def test_a_list_of_many_asks_no_more_than_a_list_of_one(
    office, acme, django_assert_max_num_queries
):
    for n in range(30):
        customer = register_customer(
            first_name="N", status="new", emails=[{"address": f"n{n}@example.org"}]
        )
        send_activation(customer, method="email")

    with django_assert_max_num_queries(25):
        office.get(LIST)


def test_one_message_by_itself(office, failed):
    words = text_of(office.get(f"{LIST}{failed.pk}/change/"))

    assert "Activation link" in words
    assert "Send again" in words
    assert "karen@example.org" not in words


def test_a_failed_one_is_sent_again(office, failed, karen, sent_mail):
    update_customer(karen, emails=[{"address": "right@example.org"}])

    response = office.post(f"{LIST}{failed.pk}/again/", follow=True)

    assert "on its way again" in text_of(response)
    assert [mail.to for mail in sent_mail()] == [["right@example.org"]]
    again = office.post(f"{LIST}{failed.pk}/again/", follow=True)
    assert "Only a failed message" in text_of(again)


def test_many_are_sent_again_each_with_its_own_result(office, failed, karen, sent_mail):
    update_customer(karen, first_name="Karin")
    send_activation(karen, method="email")
    rows = [str(pk) for pk in Message.objects.values_list("pk", flat=True)]

    response = office.post(
        LIST, {"action": "send_again_many", "_selected_action": rows}, follow=True
    )

    words = text_of(response)
    assert "1 message is on its way again." in words
    assert "Only a failed message" in words


def test_a_seller_sees_neither_messages_nor_texts(shop, failed):
    urls = [LIST, f"{LIST}{failed.pk}/change/", f"{LIST}{failed.pk}/again/", TEXTS, RESET]
    urls += [f"{RESET}test/"]

    assert {shop.get(url).status_code for url in urls} == {403}
    assert {shop.post(url, {"text": "x"}).status_code for url in urls[2:]} == {403}
    assert "Message texts" not in text_of(shop.get("/admin/"))


# --- Texts ---------------------------------------------------------------------------------------
def test_every_text_is_listed_with_whose_it_is(office, acme):
    set_message_text("reset_password", "email", "de", subject="Neu", text="Hier: {link}")

    words = text_of(office.get(TEXTS))

    for expected in ("Link for a new password", "Norwegian", "German", "your own", "ours", "Neu"):
        assert expected in words


def test_a_text_is_shown_with_its_words_and_a_preview(office, acme):
    words = text_of(office.get(RESET))

    assert "{business}" in words
    assert "Choose a new password for Acme" in words


def test_a_text_is_saved_and_its_change_stands_in_the_tenants_history(office, boss, acme):
    response = office.post(RESET, {"subject": "New one", "text": "Here: {link}"}, follow=True)

    assert "saved" in text_of(response)
    wording = get_wording("reset_password", "email", "en")
    assert (wording.own, wording.subject, wording.text) == (True, "New one", "Here: {link}")
    entry = HistoryEntry.objects.about("tenant", acme.pk).first()
    assert (entry.deed, entry.actor_id) == ("tenant.message_text", boss.pk)


def test_a_text_that_cannot_be_sent_is_refused_beside_its_field_with_what_was_typed(office, acme):
    response = office.post(RESET, {"subject": "{nobody}", "text": "Here: {link"})

    assert response.status_code == 200
    assert set(response.context["form"].errors) == {"subject", "text"}
    assert "{nobody}" in text_of(response)
    assert "Here: {link" in response.content.decode()
    assert not MessageText.objects.exists()


def test_a_preview_saves_nothing_and_counts_an_sms(office, acme):
    text = "{business} {code} " + "ж" * 80

    response = office.post(CODE, {"text": text, "preview": "1"})

    words = text_of(response)
    assert "Acme 123456" in words
    assert "92 characters, charged as 2 SMS" in words
    assert "70 instead of 160" in words
    assert not MessageText.objects.exists()


def test_a_text_cannot_write_into_the_page(office, acme):
    response = office.post(
        CODE, {"text": "<script>alert(1)</script> {code}", "preview": "1"}, follow=True
    )

    assert "<script>alert(1)" not in response.content.decode()


def test_going_back_to_our_text(office, acme):
    set_message_text("reset_password", "email", "en", subject="Mine", text="{link}")

    response = office.post(RESET, {"subject": "x", "text": "", "reset": "1"}, follow=True)

    assert "Our text is sent again." in text_of(response)
    assert get_wording("reset_password", "email", "en").own is False


def test_another_language_is_begun_from_the_page(office, acme):
    response = office.get(f"{RESET}?other=PT_br")
    assert response.url == f"{TEXTS}reset_password/email/pt-BR/"

    empty = office.get(response.url)
    assert "Nobody has written in this language" in text_of(empty)
    office.post(response.url, {"subject": "Nova", "text": "{link}"})

    assert get_wording("reset_password", "email", "pt-BR").own
    assert "Enter a language by its code" in text_of(office.get(f"{RESET}?other=xx1", follow=True))


@pytest.mark.parametrize(
    "path", ["nothing/email/en/", "reset_password/sms/en/", "reset_password/email/xx1/"]
)
def test_what_there_is_not_is_not_found(office, acme, path):
    assert office.get(f"{TEXTS}{path}").status_code == 404
    assert office.get(f"{TEXTS}{path}test/").status_code == 404


def test_a_row_of_the_table_leads_to_its_page(office, acme):
    set_message_text("reset_password", "email", "en", subject="Mine", text="{link}")

    response = office.get(page("events_messagetext", "change", MessageText.objects.get().pk))

    assert response.url == RESET


# --- Trying it out -------------------------------------------------------------------------------
def test_a_test_goes_to_whoever_asks_for_it(office, boss, acme, sent_mail):
    set_message_text("reset_password", "email", "en", subject="Mine", text="Here: {link}")
    before = office.get(f"{RESET}test/")

    response = office.post(f"{RESET}test/", follow=True)

    assert boss.email in text_of(before)
    assert "on its way" in text_of(response)
    (mail,) = sent_mail()
    assert (mail.to, mail.subject) == ([boss.email], "Mine")
    assert "EXAMPLE" in mail.body


def test_a_test_by_sms_goes_to_the_typed_number(office, acme, sent_sms):
    wrong = office.post(f"{CODE}test/", {"number": "12"})
    right = office.post(f"{CODE}test/", {"number": "900 00 001"}, follow=True)

    assert "cannot be sent to this number" in text_of(wrong)
    assert "on its way" in text_of(right)
    (sms,) = sent_sms()
    assert (sms["to"], "123456" in sms["text"]) == ("+4790000001", True)


def test_tests_are_counted(office, acme):
    for _n in range(5):
        office.post(f"{RESET}test/")
        office.post(f"{CODE}test/", {"number": "900 00 001"})

    mail = office.post(f"{RESET}test/", follow=True)
    sms = office.post(f"{CODE}test/", {"number": "900 00 001"})

    assert "Too many tries" in text_of(mail)
    assert "Too many tries" in text_of(sms)
    assert Message.objects.count() == 10


def test_a_new_password_is_sent_from_the_customers_page(office, ada, sent_mail):
    response = office.post(customer_page(ada, "send-password"), {"method": "email"})

    assert response.status_code == 302
    assert [mail.to for mail in sent_mail()] == [["ada@example.org"]]
