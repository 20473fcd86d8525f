"""The two pages that links in mails open: looking uses nothing up, the button does."""

import re

import pytest
from django.test import Client

from customers.models import Customer
from customers.services import register_customer, request_password_reset, self_register_customer
from tenancy.scoping import in_tenant
from tenancy.services import update_tenant
from tests.api_client import Api
from tests.factories import PASSWORD, TenantFactory

pytestmark = pytest.mark.django_db(transaction=True)

NEW_PASSWORD = "another correct horse battery"


@pytest.fixture
def tenant():
    tenant = TenantFactory(code="acme", name="Acme & <Sons>")
    settings = {"self_registration": True, "activation_method": "email"}
    return update_tenant(tenant, settings=settings)


@pytest.fixture
def browser():
    """A browser without scripts and cookies, which must carry the forgery check all the same."""
    return Client(enforce_csrf_checks=True)


def link_in(message):
    return re.search(r"http://localhost:8000(/\S+)", message.body)[1]


@pytest.fixture
def activation(tenant, sent_mail):
    with in_tenant(tenant):
        self_register_customer(password=PASSWORD, login_email="ada@example.org")
    return link_in(sent_mail()[-1])


@pytest.fixture
def reset(tenant, sent_mail):
    with in_tenant(tenant):
        register_customer(login_email="grace@example.org", password=PASSWORD)
        request_password_reset("grace@example.org")
    return link_in(sent_mail()[-1])


def status(tenant):
    with in_tenant(tenant):
        return Customer.objects.get().status


def test_opening_the_link_many_times_uses_nothing_up(tenant, browser, activation):
    for _scanner in range(5):
        assert browser.get(activation).status_code == 200
        assert browser.head(activation).status_code == 200

    assert status(tenant) == "new"
    assert browser.post(activation).status_code == 200
    assert status(tenant) == "active"


def test_the_page_says_what_its_button_does(browser, activation):
    page = browser.get(activation).content.decode()

    assert "<h1>Activate your account</h1>" in page
    assert '<button type="submit">Activate my account</button>' in page
    assert "Acme &amp; &lt;Sons&gt;" in page
    assert "<script" not in page


def test_a_used_link_says_so_in_words(browser, activation):
    browser.post(activation)

    again = browser.post(activation)

    assert again.status_code == 400
    assert "This link does not work any more" in again.content.decode()
    assert "<button" not in again.content.decode()


def test_a_new_password_is_set_once_and_signs_in(tenant, browser, reset):
    answer = browser.post(reset, {"password": NEW_PASSWORD, "repeat": NEW_PASSWORD})

    assert "Your new password is saved" in answer.content.decode()
    sign_in = {"login": "grace@example.org", "password": NEW_PASSWORD}
    assert Api().post("tenants/acme/customer-sign-in/", sign_in).status_code == 200
    assert browser.post(reset, {"password": PASSWORD, "repeat": PASSWORD}).status_code == 400


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"password": NEW_PASSWORD, "repeat": "another"}, "The two passwords differ."),
        ({"password": "12345", "repeat": "12345"}, "too short"),
        ({"password": "a\0" * 8, "repeat": "a\0" * 8}, "NUL"),
        ({"password": "x" * 200, "repeat": "x" * 200}, "at most 128"),
        ({}, "too short"),
    ],
)
def test_a_password_that_does_not_do_keeps_the_link_alive(browser, reset, fields, words):
    answer = browser.post(reset, fields)

    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert NEW_PASSWORD not in answer.content.decode()
    good = browser.post(reset, {"password": NEW_PASSWORD, "repeat": NEW_PASSWORD})
    assert good.status_code == 200


def test_a_link_of_one_kind_does_nothing_on_the_other_page(tenant, browser, activation):
    other = activation.replace("/activate/", "/new-password/")

    answer = browser.post(other, {"password": NEW_PASSWORD, "repeat": NEW_PASSWORD})

    assert answer.status_code == 400
    assert browser.post(activation).status_code == 200


def test_the_pages_speak_the_language_of_the_business(tenant, browser, activation):
    update_tenant(tenant, settings={"locale": "nb"})

    page = browser.get(activation).content.decode()

    assert '<html lang="nb">' in page
    assert "Aktiver kontoen min" in page


def test_nothing_of_the_address_leaves_the_page(browser, activation):
    answer = browser.get(activation)

    assert answer["Referrer-Policy"] == "no-referrer"
    assert "no-store" in answer["Cache-Control"]
    assert answer["X-Frame-Options"] == "DENY"
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert not answer.cookies
    token = activation.rpartition("/")[2]
    assert token not in answer.content.decode()


@pytest.mark.parametrize("path", ["/activate/nowhere/x", "/new-password/nowhere/x"])
def test_the_page_of_an_unknown_business_is_not_there(browser, tenant, path):
    assert browser.get(path).status_code == 404


@pytest.mark.parametrize("token", ["x", "é" * 300, "%00", "a" * 2000])
def test_a_made_up_link_is_refused_politely(browser, tenant, token):
    assert browser.post(f"/activate/acme/{token}").status_code == 400


@pytest.mark.parametrize("host", [f"evil{n}.example" for n in range(10)])
def test_a_forged_host_never_stands_in_a_mail(tenant, settings, host, sent_mail):
    settings.ALLOWED_HOSTS = ["*"]
    body = {"login_email": "ada@example.org", "password": PASSWORD}

    answer = Api().post(
        "tenants/acme/register/",
        body,
        HTTP_HOST=host,
        headers={"X-Forwarded-Host": host, "Forwarded": f"host={host}"},
    )

    assert answer.status_code == 202
    (message,) = sent_mail()
    assert host not in str(message.message())
    assert "http://localhost:8000/activate/acme/" in message.body


def test_the_address_that_the_start_prints_leads_to_the_back_office(client):
    answer = client.get("/")

    assert (answer.status_code, answer["Location"]) == (302, "/admin/")
