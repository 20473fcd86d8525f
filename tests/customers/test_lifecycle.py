"""Activation, deactivation, sign-in and its change, forgotten passwords."""

import re
import threading
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connections, transaction

from customers.models import ActivationCode, Customer
from customers.services import (
    WrongCode,
    activate_by_code,
    activate_by_link,
    activate_customer,
    confirm_login_change,
    deactivate_customer,
    request_login_change,
    request_password_reset,
    reset_password,
    self_register_customer,
    send_activation,
    set_customer_password,
    sign_in_customer,
)
from customers.services.codes import TRIES_PER_CODE
from events.models import Event
from tenancy.clock import frozen, now
from tenancy.scoping import in_tenant
from tenancy.services import SignInRefused, principal_of, update_tenant
from tenancy.services.counting import TooManyTries
from tests.factories import PASSWORD, CustomerFactory, TenantFactory

HERE = "192.0.2.1"


def settle(tenant, **settings):
    """Change a tenant's settings on the instance that the scope holds too."""
    tenant.settings = update_tenant(tenant, settings=settings).settings


def newcomer(acme, **profile):
    return CustomerFactory(tenant=acme, status="new", **profile)


def code_in(message):
    return re.search(r"\b(\d{6})\b", message)[1]


def status_of(customer):
    return Customer.objects.get(pk=customer.pk).status


@pytest.mark.django_db
class TestByStaff:
    def test_activation_and_deactivation_are_reversible_and_lose_nothing(self, ada):
        deactivate_customer(ada, reason="Card stolen")
        activate_customer(ada)

        row = Customer.objects.get(pk=ada.pk)
        assert (row.status, row.card_number, row.emails.count()) == ("active", "7001", 1)
        kinds = list(Event.objects.order_by("id").values_list("kind", flat=True))
        assert kinds == ["customer.registered", "customer.deactivated", "customer.activated"]

    def test_repeating_them_changes_nothing(self, ada):
        activate_customer(ada)

        assert Customer.objects.get(pk=ada.pk).version == 1

    def test_deactivation_ends_every_session(self, ada):
        set_customer_password(ada, PASSWORD)
        pair = sign_in_customer("ada@example.org", PASSWORD, address=HERE)

        deactivate_customer(ada)

        assert principal_of(pair["access_token"]) is None


@pytest.mark.django_db
class TestByLink:
    @pytest.fixture
    def link(self, acme, sent_mail):
        settle(acme, activation_method="email")
        customer = newcomer(acme, login_email="new@example.org")
        send_activation(customer)
        return customer, re.search(r"/activate/acme/(\S+)", sent_mail()[-1].body)[1]

    def test_the_link_activates_and_proves_the_address(self, link):
        customer, token = link

        activate_by_link(token)

        assert status_of(customer) == "active"
        assert customer.emails.get().verified

    def test_a_link_works_once(self, link):
        _customer, token = link
        activate_by_link(token)

        with pytest.raises(WrongCode):
            activate_by_link(token)

    def test_a_new_link_ends_the_old(self, link, sent_mail):
        customer, token = link
        send_activation(customer)
        sent_mail()

        with pytest.raises(WrongCode):
            activate_by_link(token)

    def test_a_link_ends_after_two_days(self, link):
        _customer, token = link

        with frozen(now() + timedelta(hours=49)), pytest.raises(WrongCode):
            activate_by_link(token)

    def test_a_link_does_not_open_another_tenants_door(self, link, rival):
        _customer, token = link

        with in_tenant(rival), pytest.raises(WrongCode):
            activate_by_link(token)

    def test_a_link_does_not_activate_who_was_blocked_meanwhile(self, link):
        customer, token = link
        deactivate_customer(customer)

        with pytest.raises(WrongCode):
            activate_by_link(token)

        assert status_of(customer) == "blocked"

    def test_nothing_is_sent_when_the_change_is_rolled_back(self, acme, sent_mail):
        customer = newcomer(acme, login_email="n@example.org")

        with transaction.atomic():
            send_activation(customer, method="email")
            transaction.set_rollback(True)

        assert sent_mail() == []


@pytest.mark.django_db
class TestByCode:
    @pytest.fixture
    def code(self, acme, sent_sms):
        customer = newcomer(acme, phones=[{"given": "900 00 001"}])
        send_activation(customer, method="sms")
        return customer, code_in(sent_sms()[-1]["text"])

    def test_the_message_goes_to_the_international_number(self, code, sent_sms):
        assert sent_sms()[-1]["to"] == "+4790000001"

    def test_the_code_activates_and_proves_the_number(self, code):
        customer, digits = code

        activate_by_code(digits, address=HERE, customer=customer)

        assert status_of(customer) == "active"
        assert customer.phones.get().verified

    def test_the_code_alone_finds_its_customer(self, code):
        customer, digits = code

        activate_by_code(digits, address=HERE)

        assert status_of(customer) == "active"

    def test_after_five_wrong_guesses_the_right_one_is_refused(self, code):
        customer, digits = code
        wrong = f"{(int(digits) + 1) % 1_000_000:06d}"
        for _guess in range(TRIES_PER_CODE):
            with pytest.raises(WrongCode):
                activate_by_code(wrong, address=HERE, customer=customer)

        with pytest.raises(WrongCode):
            activate_by_code(digits, address=HERE, customer=customer)

    def test_a_code_ends_after_ten_minutes(self, code):
        customer, digits = code

        with frozen(now() + timedelta(minutes=11)), pytest.raises(WrongCode):
            activate_by_code(digits, address=HERE, customer=customer)

    def test_another_customers_code_does_not_fit(self, code, acme):
        _customer, digits = code
        other = newcomer(acme, first_name="Mallory")

        with pytest.raises(WrongCode):
            activate_by_code(digits, address=HERE, customer=other)

    def test_guesses_without_a_name_are_counted_by_address(self, code):
        _customer, digits = code
        wrong = f"{(int(digits) + 1) % 1_000_000:06d}"
        for _guess in range(10):
            with pytest.raises(WrongCode):
                activate_by_code(wrong, address=HERE)

        with pytest.raises(TooManyTries):
            activate_by_code(digits, address=HERE)

    def test_five_messages_a_day_to_one_number(self, code):
        customer, _digits = code
        for _message in range(4):
            send_activation(customer, method="sms")

        with pytest.raises(TooManyTries):
            send_activation(customer, method="sms")

    def test_only_new_customers_get_one(self, ada):
        with pytest.raises(ValidationError) as refusal:
            send_activation(ada, method="sms")

        assert refusal.value.code == "not_new"

    def test_no_code_is_stored_in_the_clear(self, code):
        _customer, digits = code
        row = ActivationCode.objects.get()

        assert digits not in f"{row.digest} {row.pepper} {row.target}".replace(row.target, "")


@pytest.mark.django_db(transaction=True)
def test_a_thousand_guesses_at_once_get_five_tries(sent_sms):
    tenant = TenantFactory(code="acme")
    customer = CustomerFactory(tenant=tenant, status="new", phones=[{"given": "900 00 001"}])
    with in_tenant(tenant):
        send_activation(customer, method="sms")
    assert len(sent_sms()) == 1
    barrier = threading.Barrier(8)

    def guess():
        with in_tenant(tenant):
            barrier.wait()
            for n in range(25):
                with pytest.raises(WrongCode):
                    activate_by_code(f"x{n}", address=HERE, customer=customer)
        connections.close_all()

    threads = [threading.Thread(target=guess) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with in_tenant(tenant):
        assert ActivationCode.objects.get().tries == TRIES_PER_CODE


@pytest.mark.django_db
class TestSelfRegistration:
    def test_is_closed_unless_the_tenant_opens_it(self, acme):
        with pytest.raises(ValidationError) as refusal:
            self_register_customer(password=PASSWORD, login_email="a@example.org")

        assert refusal.value.code == "closed"

    def test_waits_for_the_link_where_the_tenant_activates_by_mail(self, acme, sent_mail):
        settle(acme, self_registration=True, activation_method="email")

        customer = self_register_customer(password=PASSWORD, login_email="a@example.org")

        assert status_of(customer) == "new"
        assert sent_mail()[-1].to == ["a@example.org"]
        with pytest.raises(SignInRefused):
            sign_in_customer("a@example.org", PASSWORD, address=HERE)

    def test_needs_what_the_activation_is_sent_to(self, acme):
        settle(acme, self_registration=True, activation_method="sms")

        with pytest.raises(ValidationError) as refusal:
            self_register_customer(password=PASSWORD, login_email="a@example.org")

        assert set(refusal.value.error_dict) == {"login_phone"}

    def test_refuses_a_weak_password(self, acme):
        settle(acme, self_registration=True)

        with pytest.raises(ValidationError) as refusal:
            self_register_customer(password="12345", login_email="a@example.org")

        assert set(refusal.value.error_dict) == {"password"}


@pytest.mark.django_db
class TestSignIn:
    @pytest.fixture(autouse=True)
    def _password(self, ada):
        set_customer_password(ada, PASSWORD)

    @pytest.mark.parametrize("login", ["ada@example.org", "ADA@Example.ORG", "7001"])
    def test_by_mail_or_card(self, login):
        assert sign_in_customer(login, PASSWORD, address=HERE)["access_token"]

    @pytest.mark.parametrize("typed", ["90000009", "+47 900 00 009", "0047 900 00 009"])
    def test_by_phone_however_it_is_typed(self, acme, typed):
        CustomerFactory(tenant=acme, login_phone="900 00 009", password=PASSWORD)

        assert sign_in_customer(typed, PASSWORD, address=HERE)["access_token"]

    @pytest.mark.parametrize(
        ("login", "password"),
        [
            ("ada@example.org", "wrong"),
            ("nobody@example.org", PASSWORD),
            ("", PASSWORD),
            ("ada@example.org", ""),
            ("ada@example.org", None),
            ("\0", PASSWORD),
            ("ada@example.org", "x" * 10_000),
        ],
    )
    def test_is_refused_without_saying_why(self, login, password):
        with pytest.raises(SignInRefused):
            sign_in_customer(login, password, address=HERE)

    def test_an_eleventh_try_is_refused_before_the_password_is_looked_at(self):
        for _try in range(10):
            with pytest.raises(SignInRefused):
                sign_in_customer("ada@example.org", "wrong", address=HERE)

        with pytest.raises(TooManyTries):
            sign_in_customer("ada@example.org", PASSWORD, address="192.0.2.99")

        with frozen(now() + timedelta(minutes=16)):
            assert sign_in_customer("ada@example.org", PASSWORD, address=HERE)

    def test_a_new_password_ends_every_session(self, ada):
        pair = sign_in_customer("ada@example.org", PASSWORD, address=HERE)

        set_customer_password(ada, PASSWORD + "!")

        assert principal_of(pair["access_token"]) is None


@pytest.mark.django_db
class TestChangeOfSignIn:
    def test_waits_for_the_code_sent_to_the_new_address(self, ada, sent_mail):
        request_login_change(ada, login_email="new@example.org")
        assert Customer.objects.get(pk=ada.pk).login_email == "ada@example.org"

        confirm_login_change(ada, code_in(sent_mail()[-1].body))

        row = Customer.objects.get(pk=ada.pk)
        assert row.login_email == "new@example.org"
        assert row.emails.get(address="new@example.org").verified

    def test_a_wrong_code_leaves_the_old_one(self, ada):
        request_login_change(ada, login_email="new@example.org")

        with pytest.raises(WrongCode):
            confirm_login_change(ada, "000000x")

        assert Customer.objects.get(pk=ada.pk).login_email == "ada@example.org"

    def test_an_address_that_signs_in_somebody_else_is_refused(self, ada, acme):
        CustomerFactory(tenant=acme, login_email="taken@example.org")

        with pytest.raises(ValidationError) as refusal:
            request_login_change(ada, login_email="TAKEN@example.org")

        assert set(refusal.value.error_dict) == {"login_email"}


@pytest.mark.django_db
class TestForgottenPassword:
    def test_the_link_sets_a_new_one_once(self, ada, sent_mail):
        request_password_reset("ada@example.org")
        token = re.search(r"/new-password/acme/(\S+)", sent_mail()[-1].body)[1]

        reset_password(token, PASSWORD)

        assert sign_in_customer("ada@example.org", PASSWORD, address=HERE)
        with pytest.raises(WrongCode):
            reset_password(token, PASSWORD + "2")

    def test_an_unknown_sign_in_is_answered_alike_and_sends_nothing(self, acme, sent_mail):
        assert request_password_reset("nobody@example.org") is None

        assert sent_mail() == []
