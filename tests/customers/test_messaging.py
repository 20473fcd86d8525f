"""A message to a customer when its turn comes: whom it finds, and which code it carries."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError

from customers.models import ActivationCode, Customer
from customers.services import (
    WrongCode,
    activate_by_code,
    activate_by_link,
    activate_customer,
    anonymise_customer,
    deactivate_customer,
    delete_customer,
    request_login_change,
    request_password_reset,
    reset_password,
    self_register_customer,
    send_activation,
    send_temporary_password,
    set_customer_password,
    sign_in_customer,
    strangers,
    update_customer,
)
from customers.services.codes import CODE_LIFE, store_code
from customers.services.messaging import queue_for_stranger, send_code
from events.messages import Suppressed, send_again
from events.messages import sending as sending_module
from events.messages.failures import DeliveryFailed
from events.messages.sending import NotYet, send_message
from events.models import Message
from tenancy import clock
from tenancy.services import SignInRefused, principal_of, update_tenant
from tenancy.services.counting import TooManyTries
from tests.customers.planting import dump
from tests.factories import PASSWORD, CustomerFactory

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
HERE = "192.0.2.1"
Purpose = ActivationCode.Purpose


@pytest.fixture(autouse=True)
def noon():
    with clock.frozen(NOON):
        yield


@pytest.fixture
def newcomer(acme):
    return CustomerFactory(
        tenant=acme,
        status="new",
        login_email="new@example.org",
        phones=[{"given": "900 00 001"}],
    )


@pytest.fixture
def shaky(monkeypatch):
    """A function: the next `times` deliveries get through, but we never hear of it."""
    real, told = sending_module.deliver, []

    def start(times):
        def deliver(message, to, composed):
            real(message, to, composed)
            told.append(composed.text)
            if len(told) <= times:
                raise DeliveryFailed("timeout")
            return "id"

        monkeypatch.setattr(sending_module, "deliver", deliver)
        return told

    return start


def settle(tenant, **settings):
    tenant.settings = update_tenant(tenant, settings=settings).settings


def only():
    return Message.objects.get()


def code_in(text):
    return re.search(r"\b(\d{6})\b", text)[1]


def token_in(text):
    return re.search(r"/(?:activate|new-password)/acme/(\S+)", text)[1]


# --- Asking --------------------------------------------------------------------------------------
def test_nothing_opens_anything_before_the_message_is_sent(newcomer):
    send_activation(newcomer, method="sms")

    assert not ActivationCode.objects.exists()


def test_too_many_are_told_to_the_asker_and_queue_nothing(newcomer):
    for _n in range(5):
        send_activation(newcomer, method="sms")

    with pytest.raises(TooManyTries):
        send_activation(newcomer, method="sms")
    assert Message.objects.count() == 5


def test_a_country_that_sms_do_not_go_to_is_told_to_the_asker(newcomer, acme):
    settle(acme, sms_countries="SE")

    with pytest.raises(ValidationError) as refusal:
        send_activation(newcomer, method="sms")
    assert refusal.value.code == "country"


def test_an_invitation_beyond_the_days_number_is_kept_back_and_the_registration_stands(
    acme, sent_sms, settings
):
    settings.SMS_PER_TENANT_AND_DAY = 1
    settle(acme, self_registration=True, activation_method="sms")

    for n in range(3):
        self_register_customer(password=PASSWORD, login_phone=f"900 00 10{n}")

    assert len(sent_sms()) == 1
    assert Customer.objects.count() == 3
    assert [m.reason for m in Message.objects.filter(state="suppressed")] == ["daily_limit"] * 2


def test_a_registration_that_fails_invites_nobody(acme, sent_mail):
    settle(acme, self_registration=True, activation_method="email")
    self_register_customer(password=PASSWORD, login_email="a@example.org")

    with pytest.raises(ValidationError):
        self_register_customer(password=PASSWORD, login_email="a@example.org")

    assert len(sent_mail()) == 1


def test_the_customers_language_is_spoken(newcomer, sent_sms):
    update_customer(newcomer, language="nn")

    send_activation(newcomer, method="sms")

    assert "aktiveringskoden din" in sent_sms()[0]["text"]


def test_also_when_a_stranger_asks(ada, sent_mail):
    update_customer(ada, language="nb")

    strangers.request_reset("ada@example.org", address=HERE)

    assert sent_mail()[0].subject == "Velg et nytt passord hos Acme"


# --- Whom it finds -------------------------------------------------------------------------------
@pytest.mark.parametrize("typed", ["ada@example.org", " ADA@Example.ORG ", "7001"])
def test_a_forgetful_customer_is_found_by_every_sign_in(ada, sent_mail, typed):
    strangers.request_reset(typed, address=HERE)

    assert [mail.to for mail in sent_mail()] == [["ada@example.org"]]
    assert only().customer_id == ada.pk


@pytest.mark.parametrize(
    "typed", ["nobody@example.org", "900 00 009", "\0", "", "x" * 10_000, "ø" * 254]
)
def test_who_is_not_there_gets_nothing_and_the_note_says_so(ada, sent_mail, typed):
    queue_for_stranger(Purpose.RESET_PASSWORD, typed)

    assert sent_mail() == []
    note = only()
    assert (note.state, note.reason, note.to, note.customer_id) == (
        "suppressed",
        "nobody",
        "",
        None,
    )


def test_what_was_typed_is_not_kept_while_the_provider_is_down(ada, shaky, acme):
    shaky(1)
    strangers.request_reset("7001", address=HERE)

    with pytest.raises(NotYet):
        send_message(only().pk)

    assert (only().to, only().customer_id) == ("ada@example.org", ada.pk)


@pytest.mark.parametrize(
    ("deed", "reason"),
    [(activate_customer, "not_new"), (deactivate_customer, "not_new")],
)
def test_who_is_not_new_any_more_gets_no_code(newcomer, sent_sms, deed, reason):
    send_activation(newcomer, method="sms")
    deed(newcomer)

    assert sent_sms() == []
    assert (only().state, only().reason) == ("suppressed", reason)
    assert not ActivationCode.objects.exists()


def test_who_was_blocked_meanwhile_gets_no_link(ada, sent_mail):
    request_password_reset("ada@example.org")
    deactivate_customer(ada)

    assert sent_mail() == []
    assert only().reason == "not_active"


@pytest.mark.parametrize("deed", [anonymise_customer, delete_customer])
def test_who_was_erased_meanwhile_gets_nothing_and_leaves_no_note(newcomer, sent_sms, deed):
    send_activation(newcomer, method="sms")
    deed(newcomer)

    assert sent_sms() == []
    assert not Message.objects.exists()


def test_an_erasure_that_comes_between_finding_and_making_is_not_overtaken(newcomer):
    send_activation(newcomer, method="sms")
    message = only()
    anonymise_customer(newcomer)

    from events.messages import PURPOSES, Recipient

    with pytest.raises(Suppressed) as reason:
        PURPOSES["activate_sms"].make_words(message, Recipient("+4790000001", newcomer.pk))
    assert reason.value.reason == "erased"
    assert not ActivationCode.objects.exists()


def test_the_address_of_a_message_that_is_gone_is_not_written_down_again(newcomer):
    from events.messages import Recipient, address_message

    send_activation(newcomer, method="sms")
    message = only()
    Message.objects.all().delete()

    with pytest.raises(Suppressed):
        address_message(message, Recipient("+4790000001", newcomer.pk))
    assert not Message.objects.exists()


# --- The code ------------------------------------------------------------------------------------
def test_the_code_lives_from_when_it_was_sent(newcomer, sent_sms):
    send_activation(newcomer, method="sms")

    with clock.frozen(NOON + timedelta(minutes=9)):
        (sms,) = sent_sms()
        assert ActivationCode.objects.get().expires_at == clock.now() + CODE_LIFE

    with clock.frozen(NOON + timedelta(minutes=18)):
        activate_by_code(code_in(sms["text"]), address=HERE, customer=newcomer)


def test_a_code_that_nobody_waits_for_any_more_is_not_sent(newcomer, sent_sms):
    send_activation(newcomer, method="sms")

    with clock.frozen(NOON + timedelta(minutes=10)):
        assert sent_sms() == []

    assert (only().state, only().reason) == ("failed", "expired")
    assert not ActivationCode.objects.exists()


def test_a_message_that_goes_out_twice_carries_the_same_code(newcomer, shaky, sent_sms):
    texts = shaky(1)
    send_activation(newcomer, method="sms")
    with pytest.raises(NotYet):
        send_message(only().pk)

    send_message(only().pk)

    assert len(texts) == 2
    assert texts[0] == texts[1]
    activate_by_code(code_in(texts[0]), address=HERE, customer=newcomer)


def test_wrong_guesses_stay_counted_when_it_goes_out_again(newcomer, shaky, sent_sms):
    shaky(1)
    send_activation(newcomer, method="sms")
    with pytest.raises(NotYet):
        send_message(only().pk)
    with pytest.raises(WrongCode):
        activate_by_code("x", address=HERE, customer=newcomer)

    send_message(only().pk)

    assert ActivationCode.objects.get().tries == 1


def test_a_code_that_was_used_does_not_come_back(ada, shaky, sent_mail):
    texts = shaky(1)
    request_password_reset("ada@example.org")
    with pytest.raises(NotYet):
        send_message(only().pk)
    reset_password(token_in(texts[0]), PASSWORD)

    send_message(only().pk)

    assert (len(texts), only().reason) == (1, "replaced")
    with pytest.raises(WrongCode):
        reset_password(token_in(texts[0]), PASSWORD + "2")


def test_a_rotation_of_the_peppers_between_two_tries_changes_nothing(
    newcomer, shaky, sent_sms, settings
):
    settings.TOKEN_PEPPERS = {1: "old"}
    texts = shaky(1)
    send_activation(newcomer, method="sms")
    with pytest.raises(NotYet):
        send_message(only().pk)

    settings.TOKEN_PEPPERS = {1: "old", 2: "new"}
    send_message(only().pk)

    assert texts[0] == texts[1]
    activate_by_code(code_in(texts[1]), address=HERE, customer=newcomer)


def test_without_the_pepper_nobody_finds_the_code_again(newcomer, settings):
    settings.TOKEN_PEPPERS = {1: "one"}
    send_activation(newcomer, method="sms")
    codes = set()

    for pepper in ("one", "another"):
        settings.TOKEN_PEPPERS = {1: pepper}
        message = only()
        codes.add(store_code(message, newcomer, target="+4790000001"))
        ActivationCode.objects.all().delete()
        Message.objects.update(secret_made=False)

    assert len(codes) == 2


def test_the_newer_of_two_requests_wins_whichever_worker_is_faster(newcomer, sent_sms):
    send_activation(newcomer, method="sms")
    older = only()
    with clock.frozen(NOON + timedelta(seconds=1)):
        send_activation(newcomer, method="sms")
        newer = Message.objects.exclude(pk=older.pk).get()
        send_message(newer.pk)
        send_message(older.pk)

        (sms,) = sent_sms()
    older.refresh_from_db()
    assert (older.state, older.reason) == ("suppressed", "replaced")
    activate_by_code(code_in(sms["text"]), address=HERE, customer=newcomer)


def test_two_customers_never_have_the_same_live_code(acme, monkeypatch, sent_sms):
    monkeypatch.setattr(
        "tenancy.secrets.derived_code", lambda seed: f"{int(seed.rpartition(':')[2]):06d}"
    )
    for n in range(3):
        customer = CustomerFactory(tenant=acme, status="new", phones=[{"given": f"900 00 10{n}"}])
        send_activation(customer, method="sms")

    codes = [code_in(sms["text"]) for sms in sent_sms()]

    assert sorted(codes) == ["000000", "000001", "000002"]


def test_a_change_of_sign_in_goes_to_the_new_address_alone(ada, sent_mail):
    request_login_change(ada, login_email="later@example.org")

    assert [mail.to for mail in sent_mail()] == [["later@example.org"]]


# --- Again ---------------------------------------------------------------------------------------
def test_a_failed_activation_goes_to_the_address_that_is_right_now(
    newcomer, sent_mail, monkeypatch
):
    real = sending_module.deliver

    def refuse(message, to, composed):
        raise DeliveryFailed("bad_address", lasting=True)

    monkeypatch.setattr(sending_module, "deliver", refuse)
    send_activation(newcomer, method="email")
    assert sent_mail() == []
    update_customer(newcomer, login_email="right@example.org")
    monkeypatch.setattr(sending_module, "deliver", real)

    send_again(only())

    (mail,) = sent_mail()
    assert mail.to == ["right@example.org"]
    activate_by_link(token_in(mail.body))


def test_also_after_its_address_was_forgotten(newcomer, sent_mail):
    send_activation(newcomer, method="email")
    Message.objects.update(state="failed", to="", seed="", words={})

    send_again(only())

    assert [mail.to for mail in sent_mail()] == [["new@example.org"]]


def test_a_change_of_sign_in_cannot_be_sent_again_once_its_address_is_forgotten(ada):
    request_login_change(ada, login_email="later@example.org")
    Message.objects.update(state="failed", to="", seed="", words={})

    with pytest.raises(ValidationError) as refusal:
        send_again(only())
    assert refusal.value.code == "forgotten"


# --- Counting ------------------------------------------------------------------------------------
def test_staff_strangers_and_invitations_share_one_count_per_target(newcomer, acme, sent_mail):
    settle(acme, activation_method="email")
    for _n in range(3):
        send_activation(newcomer, method="email")
    for n in range(4):
        strangers.resend_activation("new@example.org", address=f"192.0.2.{n}")

    assert len([m for m in Message.objects.all() if m.state == "queued"]) == 7
    sent_mail()

    states = sorted(Message.objects.values_list("state", "reason"))
    assert states.count(("suppressed", "number_limit")) == 2


def test_send_code_refuses_an_erased_customer(newcomer):
    stale = Customer.objects.get(pk=newcomer.pk)
    anonymise_customer(newcomer)

    with pytest.raises(ValidationError) as refusal:
        send_code(stale, Purpose.ACTIVATE_SMS, target="+4790000001")
    assert refusal.value.code == "anonymised"


def test_a_password_of_the_customers_own_does_not_stop_a_link(ada, sent_mail):
    set_customer_password(ada, PASSWORD)
    request_password_reset("ada@example.org")

    assert len(sent_mail()) == 1


# --- Temporary passwords -------------------------------------------------------------------------
def password_in(text):
    return re.search(r"[A-Za-z2-9]{12}", text)[0]


def test_a_temporary_password_signs_in_and_asks_for_another(ada, sent_mail):
    set_customer_password(ada, PASSWORD)
    before = sign_in_customer("ada@example.org", PASSWORD, address=HERE)
    assert send_temporary_password(ada) == "email"
    assert sign_in_customer("ada@example.org", PASSWORD, address=HERE)

    password = password_in(sent_mail()[0].body)

    assert principal_of(before["access_token"]) is None
    pair = sign_in_customer("ada@example.org", password, address=HERE)
    assert pair["password_change_needed"]
    with pytest.raises(SignInRefused):
        sign_in_customer("ada@example.org", PASSWORD, address=HERE)
    set_customer_password(ada, PASSWORD)
    assert "password_change_needed" not in sign_in_customer(
        "ada@example.org", PASSWORD, address=HERE
    )


def test_it_goes_by_sms_where_there_is_no_mail(acme, sent_sms):
    customer = CustomerFactory(tenant=acme, login_phone="900 00 009")

    assert send_temporary_password(customer) == "sms"

    password = password_in(sent_sms()[0]["text"])
    assert sign_in_customer("90000009", password, address=HERE)


def test_it_stands_nowhere(ada, sent_mail):
    send_temporary_password(ada)
    waiting = dump()

    password = password_in(sent_mail()[0].body)

    assert password.lower() not in waiting + dump()


def test_it_stays_the_same_when_it_goes_out_twice(ada, shaky):
    texts = shaky(1)
    send_temporary_password(ada)
    with pytest.raises(NotYet):
        send_message(only().pk)
    version = Customer.objects.get(pk=ada.pk).version

    send_message(only().pk)

    assert texts[0] == texts[1]
    assert Customer.objects.get(pk=ada.pk).version == version


def test_a_second_try_does_not_take_away_the_customers_own_password(ada, shaky):
    texts = shaky(1)
    send_temporary_password(ada)
    with pytest.raises(NotYet):
        send_message(only().pk)
    set_customer_password(ada, PASSWORD)

    send_message(only().pk)

    assert (len(texts), only().reason) == (1, "has_password")
    assert sign_in_customer("ada@example.org", PASSWORD, address=HERE)


@pytest.mark.parametrize("deed", [deactivate_customer, anonymise_customer])
def test_only_an_active_customer_gets_one(ada, deed):
    deed(ada)

    with pytest.raises(ValidationError):
        send_temporary_password(ada)


@pytest.mark.parametrize("deed", [anonymise_customer, delete_customer])
def test_who_was_erased_meanwhile_gets_no_password(ada, sent_mail, deed):
    send_temporary_password(ada)
    deed(ada)

    assert sent_mail() == []


def test_a_way_that_there_is_not_is_refused(ada):
    with pytest.raises(ValidationError) as refusal:
        send_temporary_password(ada, method="pigeon")
    assert set(refusal.value.error_dict) == {"method"}
