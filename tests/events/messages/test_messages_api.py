"""Messages and their texts over the house API."""

import uuid

import pytest

from customers.services import send_activation, update_customer
from events.messages import queue_message, queue_sample, set_message_text
from events.models import Message, MessageText
from tenancy.scoping import in_tenant
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db
GREETING = "message-texts/greeting/email/en/"
MARK = "Zmark"


@pytest.fixture
def newcomer(acme):
    return CustomerFactory(tenant=acme, status="new", login_email=f"{MARK.lower()}@example.org")


def codes(answer):
    return {error["field"]: error["code"] for error in answer.json()["errors"]}


# --- Messages ------------------------------------------------------------------------------------
def test_a_message_is_told_without_its_words_and_without_its_address(
    admin, newcomer, acme, run_jobs, greeting
):
    send_activation(newcomer, method="email")
    queue_message(acme, "greeting", channel="sms", to="+4790000001", level=MARK)

    waiting = admin.get("messages/")
    run_jobs()
    done = admin.get("messages/")

    for answer in (waiting, done):
        assert answer.status_code == 200
        assert MARK.lower() not in answer.content.decode().lower()
        assert "+4790000001" not in answer.content.decode()
    sms, mail = done.json()["results"]
    assert (mail["purpose"], mail["state"], mail["customer"]) == (
        "activate_email",
        "sent",
        str(newcomer.pk),
    )
    assert (sms["customer"], sms["channel"], sms["test"]) == (None, "sms", False)
    assert mail["sent_at"] is not None
    assert set(mail) == {
        *("id", "customer", "purpose", "channel", "language", "state", "reason", "attempts"),
        *("created_at", "expires_at", "sent_at", "provider_id", "test"),
    }


@pytest.mark.parametrize(
    ("query", "n_found"),
    [
        ({}, 3),
        ({"state": "queued"}, 3),
        ({"state": "failed"}, 0),
        ({"purpose": "greeting"}, 2),
        ({"channel": "sms"}, 1),
        ({"created_after": "2100-01-01T00:00:00Z"}, 0),
        ({"customer": "mine"}, 1),
    ],
)
def test_the_list_is_narrowed(admin, newcomer, acme, greeting, query, n_found):
    send_activation(newcomer, method="email")
    queue_message(acme, "greeting", channel="sms", to="+4790000001", level="x")
    queue_message(acme, "greeting", channel="email", to="a@example.org", level="x")
    query = {name: newcomer.pk if value == "mine" else value for name, value in query.items()}

    assert len(admin.get("messages/", query).json()["results"]) == n_found


@pytest.mark.parametrize("query", [{"state": "lost"}, {"customer": "x"}, {"to": "a@example.org"}])
def test_a_strange_filter_is_refused(admin, query):
    assert admin.get("messages/", query).status_code == 400


def test_one_message_by_its_id(admin, newcomer):
    send_activation(newcomer, method="email")
    message = Message.objects.get()

    assert admin.get(f"messages/{message.pk}/").json()["id"] == str(message.pk)
    for other in (uuid.uuid4(), "nonsense"):
        assert admin.get(f"messages/{other}/").status_code == 404


def test_a_failed_one_is_sent_again(admin, newcomer, sent_mail, provider):
    provider.fail("refused", lasting=True, times=1)
    send_activation(newcomer, method="email")
    sent_mail()
    message = Message.objects.get()
    update_customer(newcomer, login_email="right@example.org")

    answer = admin.post(f"messages/{message.pk}/send-again/")
    sent_mail()

    assert (answer.status_code, answer.json()["state"]) == (202, "queued")
    assert provider.sent[0][0] == "right@example.org"
    again = admin.post(f"messages/{message.pk}/send-again/")
    assert (again.status_code, again.json()["errors"][0]["code"]) == (409, "not_failed")


def test_one_whose_address_is_forgotten_is_not(admin, acme, greeting):
    queue_message(acme, "greeting", channel="sms", to="+4790000001", level="x")
    Message.objects.update(state="failed", to="", seed="", words={})

    answer = admin.post(f"messages/{Message.objects.get().pk}/send-again/")

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "forgotten")


def test_another_tenants_messages_are_not_there(admin, rival, greeting):
    with in_tenant(rival):
        message = queue_sample("greeting", channel="email", language="en", to="r@example.org")

    assert admin.get("messages/").json()["results"] == []
    assert admin.get(f"messages/{message.pk}/").status_code == 404
    assert admin.post(f"messages/{message.pk}/send-again/").status_code == 404


def test_sellers_read_no_messages_and_write_no_texts(seller, greeting):
    answers = [
        seller.get("messages/"),
        seller.get("message-texts/"),
        seller.put(GREETING, {"subject": "x", "text": "{level}"}),
        seller.post(f"{GREETING}preview/", {"subject": "x", "text": "{level}"}),
    ]

    assert {answer.status_code for answer in answers} == {403}


# --- Texts ---------------------------------------------------------------------------------------
def test_all_texts_are_listed_with_their_words(admin, greeting):
    rows = admin.get("message-texts/").json()["results"]

    (ours,) = [row for row in rows if (row["purpose"], row["channel"], row["language"]) ==
               ("greeting", "email", "nb")]  # fmt: skip
    assert (ours["own"], ours["subject"], ours["updated_at"]) == (False, "Hei", None)
    assert ours["words"] == [
        {"name": "business", "sample": "Example Ltd", "required": False},
        {"name": "level", "sample": "Gold", "required": True},
    ]


def test_a_text_is_written_read_and_taken_back(admin, greeting):
    body = {"subject": "Hey", "text": "{level}!"}

    written = admin.put(GREETING, body)

    assert (written.status_code, written.json()["own"]) == (200, True)
    read = admin.get(GREETING).json()
    assert (read["subject"], read["text"], read["product_text"]) == (
        "Hey",
        "{level}!",
        "{business}: you are {level}.",
    )
    assert [admin.delete(GREETING).status_code for _time in range(2)] == [204, 204]
    assert admin.get(GREETING).json()["own"] is False


def test_a_language_is_understood_however_it_is_written(admin, greeting):
    written = admin.put("message-texts/greeting/sms/DE_at/", {"text": "{level}"})

    assert written.json()["language"] == "de-AT"
    assert admin.get("message-texts/greeting/sms/de-AT/").json()["own"] is True


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"subject": "x", "text": "{nobody} {level}"}, {"text": "unknown_word"}),
        ({"subject": "x", "text": "hello"}, {"text": "missing_word"}),
        ({"subject": "x", "text": "{level.x}"}, {"text": "brace"}),
        ({"subject": "x"}, {"text": "not_text"}),
        ({"text": "{level}"}, {"subject": "required"}),
        ({"subject": 7, "text": "{level}"}, {"subject": "not_text"}),
        ({"subject": "x", "text": "{level}", "to": "y"}, {"to": "unknown"}),
    ],
)
def test_a_bad_text_is_refused_by_field_and_nothing_is_stored(
    admin, acme, greeting, body, expected
):
    for answer in (admin.put(GREETING, body), admin.post(f"{GREETING}preview/", body)):
        assert answer.status_code == 400, answer.content
        assert expected.items() <= codes(answer).items()
    assert not MessageText.objects.exists()


@pytest.mark.parametrize(
    "path", ["nothing/email/en/", "greeting/pigeon/en/", "reset_password/sms/en/"]
)
def test_what_there_is_not_answers_404(admin, greeting, path):
    body = {"text": "{level}"}
    answers = [
        admin.get(f"message-texts/{path}"),
        admin.put(f"message-texts/{path}", body),
        admin.delete(f"message-texts/{path}"),
        admin.post(f"message-texts/{path}preview/", body),
    ]

    assert {answer.status_code for answer in answers} == {404}


def test_what_is_no_language_is_refused(admin, greeting):
    answer = admin.put("message-texts/greeting/sms/xx-nonsense/", {"text": "{level}"})

    assert (answer.status_code, set(codes(answer))) == (400, {"language"})


def test_a_preview_shows_the_message_and_stores_nothing(admin, acme, greeting):
    answer = admin.post("message-texts/greeting/sms/en/preview/", {"text": "{business} {level} ж"})

    assert answer.json() == {
        "subject": "",
        "text": "Acme Gold ж",
        "length": 11,
        "parts": 1,
        "alphabet": "unicode",
    }
    assert not MessageText.objects.exists()
    assert not Message.objects.exists()


def test_another_tenants_texts_are_its_own(admin, rival, greeting):
    with in_tenant(rival):
        set_message_text("greeting", "email", "en", subject="Rival", text="{level}")

    assert admin.get(GREETING).json()["subject"] == "Hello"
    admin.delete(GREETING)
    with in_tenant(rival):
        assert MessageText.objects.exists()
