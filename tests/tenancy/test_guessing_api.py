"""Many guesses and many messages end at their caps, and right codes use none of them up."""

import re

import pytest

from customers.services import strangers
from tenancy.services import update_tenant
from tests.api_client import Api
from tests.factories import PASSWORD, CustomerFactory, TenantFactory

# Messages leave after the commit, so the commits must be real.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def open_tenant():
    """Acme, where people may register themselves and prove their phone."""
    tenant = TenantFactory(code="acme", name="Acme")
    settings = {"self_registration": True, "activation_method": "sms"}
    return update_tenant(tenant, settings=settings)


def call(endpoint, body=None, **options):
    return Api().post(f"tenants/acme/{endpoint}/", body, **options)


def register(**profile):
    return call("register", {"password": PASSWORD, "first_name": "Ada"} | profile)


def test_a_hundred_resends_are_five_messages(open_tenant, sent_sms):
    register(login_phone="900 00 009")
    texts = ["90000009", "+47 900 00 009", "0047 90000009", "900 00 009"]

    for n in range(100):
        call("send-code", {"contact": texts[n % 4]}, REMOTE_ADDR=f"198.51.100.{n}")

    assert len(sent_sms()) == 5


def test_a_tenant_sends_no_more_sms_a_day_than_its_cap(open_tenant, sent_sms, settings):
    settings.SMS_PER_TENANT_AND_DAY = 3

    answers = [register(login_phone=f"900 00 10{n}") for n in range(6)]

    assert {answer.status_code for answer in answers} == {202}
    assert len(sent_sms()) == 3


def test_spraying_one_guess_at_each_of_many_accounts_ends_at_the_tenants_cap(
    open_tenant, monkeypatch
):
    monkeypatch.setattr(strangers, "NAMED_GUESSES_PER_TENANT_AND_DAY", 30)
    evaluated = spy_on(monkeypatch, strangers, "activate_by_code")
    for n in range(60):
        CustomerFactory(tenant=open_tenant, status="new", login_email=f"n{n}@example.org")

    statuses = [
        call(
            "activate",
            {"code": "123456", "login": f"n{n}@example.org"},
            REMOTE_ADDR=f"198.51.100.{n}",
        ).status_code
        for n in range(60)
    ]

    assert (statuses.count(400), statuses.count(429)) == (30, 30)
    assert len(evaluated) == 30


def test_without_the_cap_every_sprayed_guess_would_be_tried(open_tenant, monkeypatch):
    monkeypatch.setattr(strangers, "count_or_refuse", lambda *args, **limits: None)
    evaluated = spy_on(monkeypatch, strangers, "activate_by_code")
    for n in range(60):
        CustomerFactory(tenant=open_tenant, status="new", login_email=f"n{n}@example.org")

    for n in range(60):
        call("activate", {"code": "123456", "login": f"n{n}@example.org"})

    assert len(evaluated) == 60


def test_a_right_code_uses_up_none_of_the_caps(open_tenant, sent_sms, monkeypatch):
    monkeypatch.setattr(strangers, "NAMED_GUESSES_PER_TENANT_AND_DAY", 2)

    for n in range(4):
        register(login_phone=f"900 00 10{n}")
        newest = next(message for message in sent_sms() if message["to"] == f"+479000010{n}")
        code = re.search(r"\b(\d{6})\b", newest["text"])[1]
        answer = call("activate", {"code": code, "login": f"900 00 10{n}"})
        assert answer.status_code == 204


def spy_on(monkeypatch, module, name):
    calls, real = [], getattr(module, name)

    def spy(*args, **options):
        calls.append(args)
        return real(*args, **options)

    monkeypatch.setattr(module, name, spy)
    return calls
