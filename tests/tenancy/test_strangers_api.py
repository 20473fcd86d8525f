"""What people do without a credential, and that nobody learns from it who is a customer."""

import re

import pytest

from customers.models import ActivationCode, Consent, Customer
from customers.services import (
    register_customer,
    set_customer_password,
    sign_in_customer,
)
from tenancy.scoping import in_tenant
from tenancy.services import update_tenant
from tests.api_client import Api
from tests.factories import PASSWORD, CustomerFactory, TenantFactory

# Messages leave after the commit, so the commits must be real.
pytestmark = pytest.mark.django_db(transaction=True)

HERE = "192.0.2.1"
NEW_PASSWORD = "another correct horse battery"


@pytest.fixture
def open_tenant():
    """Acme, where people may register themselves and prove their mail address."""
    tenant = TenantFactory(code="acme", name="Acme")
    settings = {"self_registration": True, "activation_method": "email"}
    return update_tenant(tenant, settings=settings)


def call(endpoint, body=None, *, code="acme", **options):
    return Api().post(f"tenants/{code}/{endpoint}/", body, **options)


def register(**profile):
    return call("register", {"password": PASSWORD, "first_name": "Ada"} | profile)


def told(answer):
    """Everything of an answer that a stranger sees, without the request's own id."""
    body = {**answer.json(), "request_id": ""} if answer.content else {}
    headers = {k: v for k, v in answer.headers.items() if k != "X-Request-Id"}
    return answer.status_code, str(sorted(body.items())), str(sorted(headers.items()))


def token_in(message):
    return re.search(r"/(?:activate|new-password)/acme/(\S+)", message.body)[1]


def customers(tenant):
    with in_tenant(tenant):
        return list(Customer.objects.order_by("number"))


# --- Registering -----------------------------------------------------------------------------
class TestRegistering:
    def test_somebody_registers_proves_the_address_and_signs_in(self, open_tenant, sent_mail):
        answer = register(
            login_email="Ada@Example.org",
            emails=[{"address": "ada@example.org", "primary": True}],
            phones=[{"given": "900 00 001"}],
            addresses=[{"street": "Storgata 1", "city": "Oslo"}],
            consents=[{"purpose": "marketing", "granted": True, "wording_version": "v1"}],
            birth_date="1985-12-10",
        )

        assert (answer.status_code, answer.json()) == (202, {"activation": "email"})
        sign_in = {"login": "ada@example.org", "password": PASSWORD}
        assert call("customer-sign-in", sign_in).status_code == 401
        assert call("activate", {"token": token_in(sent_mail()[-1])}).status_code == 204
        pair = call("customer-sign-in", sign_in).json()
        (customer,) = customers(open_tenant)
        own = Api(pair["access_token"]).get(f"customers/{customer.pk}/").json()
        assert (own["first_name"], own["emails"][0]["verified"]) == ("Ada", True)
        with in_tenant(open_tenant):
            consent = Consent.objects.get()
        assert (consent.actor_kind, consent.source) == ("customer", "self-registration")

    def test_a_taken_sign_in_is_answered_like_a_new_one_and_nothing_happens(
        self, open_tenant, sent_mail
    ):
        first = register(login_email="ada@example.org")
        n_mails = len(sent_mail())

        again = register(login_email="ADA@example.org", first_name="Mallory")

        assert told(first) == told(again)
        assert len(sent_mail()) == n_mails
        assert [customer.first_name for customer in customers(open_tenant)] == ["Ada"]

    @pytest.mark.parametrize("method", ["none", "sms"])
    def test_the_answer_tells_nothing_by_any_method(self, open_tenant, sent_sms, method):
        update_tenant(open_tenant, settings={"activation_method": method})

        first, again = (register(login_phone=phone) for phone in ("90000009", "+47 900 00 009"))

        assert told(first) == told(again)
        assert (first.json(), len(customers(open_tenant))) == ({"activation": method}, 1)

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"login_email": "nonsense"}, "login_email"),
            ({}, "login_email"),
            ({"login_email": "a@b.no", "password": "1234567"}, "password"),
            ({"login_email": "a@b.no", "password": PASSWORD + "x" * 128}, "password"),
            ({"login_email": "a@b.no", "birth_date": "yesterday"}, "birth_date"),
            ({"login_email": "a@b.no", "emails": [{"address": "?"}]}, "emails.0.address"),
            ({"login_email": "a@b.no", "emails": [{"address": "a@b.no", "verified": True}]},
             "emails.0.verified"),
            ({"login_email": "a@b.no", "consents": [{"purpose": "x", "granted": True, "at": "x"}]},
             "consents.0.at"),
            ({"login_email": "a@b.no", "points": 1000}, "points"),
            ({"login_email": "a@b.no", "addresses": [{"planet": "Mars"}]}, "addresses.0.planet"),
        ],
    )  # fmt: skip
    def test_a_bad_registration_is_refused_by_field(self, open_tenant, body, field):
        answer = register(**body)

        assert answer.status_code == 400, answer.content
        assert field in [error["field"] for error in answer.json()["errors"]]
        assert customers(open_tenant) == []

    def test_a_phone_that_no_code_can_reach_is_refused_before_anything_is_stored(self, open_tenant):
        update_tenant(open_tenant, settings={"activation_method": "sms"})

        answer = register(login_phone="12")

        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "login_phone")
        assert customers(open_tenant) == []

    @pytest.mark.parametrize(
        "name", ["card_number", "status", "discount_percent", "labels", "groups", "internal_note"]
    )
    def test_what_staff_decides_nobody_decides_alone(self, open_tenant, name):
        answer = register(login_email="a@b.no", **{name: "x"})

        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (403, name)
        assert customers(open_tenant) == []

    def test_where_the_business_does_not_want_it_nobody_registers(self):
        tenant = TenantFactory(code="acme")

        assert register(login_email="a@b.no").status_code == 403
        assert customers(tenant) == []

    def test_one_address_registers_twenty_an_hour(self, open_tenant):
        statuses = [register(login_email=f"n{n}@example.org").status_code for n in range(22)]

        assert statuses == [202] * 20 + [429] * 2


# --- Activating ------------------------------------------------------------------------------
class TestActivating:
    @pytest.fixture
    def code(self, open_tenant, sent_sms):
        """The six digits that Ada was sent."""
        update_tenant(open_tenant, settings={"activation_method": "sms"})
        register(login_phone="900 00 009")
        return re.search(r"\b(\d{6})\b", sent_sms()[-1]["text"])[1]

    def test_by_the_code_alone(self, open_tenant, code):
        assert call("activate", {"code": code}).status_code == 204
        assert customers(open_tenant)[0].status == "active"

    def test_by_the_code_and_the_sign_in(self, open_tenant, code):
        assert call("activate", {"code": code, "login": "+4790000009"}).status_code == 204
        assert customers(open_tenant)[0].status == "active"

    def test_by_a_code_that_staff_had_sent_to_a_contact_point(self, open_tenant, sent_sms):
        CustomerFactory(tenant=open_tenant, status="new", phones=[{"given": "900 00 001"}])
        update_tenant(open_tenant, settings={"activation_method": "sms"})
        call("send-code", {"contact": "900 00 001"})
        code = re.search(r"\b(\d{6})\b", sent_sms()[-1]["text"])[1]

        assert call("activate", {"code": code, "login": "90000001"}).status_code == 204

    def test_every_wrong_one_looks_the_same(self, open_tenant, code):
        wrong = f"{(int(code) + 1) % 1_000_000:06d}"
        bodies = [
            {"code": wrong, "login": "90000009"},
            {"code": wrong, "login": "90000010"},
            {"code": wrong, "login": "nobody@example.org"},
            {"code": code, "login": "90000010"},
            {"code": wrong},
            {"token": "nonsense"},
        ]

        answers = {told(call("activate", body)) for body in bodies}

        assert len(answers) == 1
        assert answers.pop()[0] == 400
        assert customers(open_tenant)[0].status == "new"

    def test_a_code_works_once_and_only_at_its_own_business(self, open_tenant, code):
        TenantFactory(code="rival")

        assert call("activate", {"code": code}, code="rival").status_code == 400
        assert call("activate", {"code": code}).status_code == 204
        assert call("activate", {"code": code}).status_code == 400

    @pytest.mark.parametrize(
        "body", [{}, {"token": "x", "code": "123456"}, {"token": "x", "login": "y"}, {"code": 1.5}]
    )
    def test_a_body_of_another_form_is_refused(self, open_tenant, body):
        assert call("activate", body).status_code == 400


# --- Sending again ---------------------------------------------------------------------------
class TestSendingAgain:
    def test_a_new_customer_gets_a_new_link_and_the_old_one_ends(self, open_tenant, sent_mail):
        register(login_email="ada@example.org")
        first = token_in(sent_mail()[-1])

        assert call("send-code", {"contact": "Ada@example.org"}).status_code == 202

        second = token_in(sent_mail()[-1])
        assert call("activate", {"token": first}).status_code == 400
        assert call("activate", {"token": second}).status_code == 204

    def test_known_unknown_and_active_people_are_answered_alike_also_when_it_is_enough(
        self, open_tenant
    ):
        register(login_email="new@example.org")
        CustomerFactory(tenant=open_tenant, login_email="active@example.org")
        contacts = ["new@example.org", "active@example.org", "nobody@example.org"]

        answers = {
            contact: [
                told(call("send-code", {"contact": contact}, REMOTE_ADDR=f"192.0.2.{n}"))
                for n in range(7)
            ]
            for contact in contacts
        }

        first, *others = answers.values()
        assert [status for status, *_ in first] == [202] * 5 + [429] * 2
        for other in others:
            assert [status for status, *_ in other] == [status for status, *_ in first]
            assert other[:5] == first[:5]

    def test_where_several_new_customers_share_an_address_none_is_meant(
        self, open_tenant, sent_mail
    ):
        for _ in range(2):
            CustomerFactory(
                tenant=open_tenant, status="new", emails=[{"address": "shared@example.org"}]
            )

        assert call("send-code", {"contact": "shared@example.org"}).status_code == 202
        assert sent_mail() == []

    @pytest.mark.parametrize("contact", ["?", "ø" * 254, "@", "+", "a@b", "0"])
    def test_nonsense_is_answered_like_everything_else(self, open_tenant, contact):
        assert call("send-code", {"contact": contact}).status_code == 202

    @pytest.mark.parametrize("body", [{}, {"contact": None}, {"contact": ["a"]}, {"contact": ""}])
    def test_a_body_of_another_form_is_refused(self, open_tenant, body):
        assert call("send-code", body).status_code == 400


# --- Forgotten passwords ---------------------------------------------------------------------
class TestForgottenPasswords:
    @pytest.fixture
    def ada(self, open_tenant):
        with in_tenant(open_tenant):
            return register_customer(login_email="ada@example.org", password=PASSWORD)

    def test_the_link_sets_a_new_one_once_and_ends_every_session(self, open_tenant, ada, sent_mail):
        with in_tenant(open_tenant):
            pair = sign_in_customer("ada@example.org", PASSWORD, address=HERE)
        assert call("password-reset", {"login": "ada@example.org"}).status_code == 202
        body = {"token": token_in(sent_mail()[-1]), "password": NEW_PASSWORD}

        assert call("password-reset/confirm", body).status_code == 204

        assert Api(pair["access_token"]).get("session/").status_code == 401
        sign_in = {"login": "ada@example.org", "password": NEW_PASSWORD}
        assert call("customer-sign-in", sign_in).status_code == 200
        assert call("password-reset/confirm", body).status_code == 400

    def test_known_and_unknown_people_are_answered_alike_also_when_it_is_enough(
        self, ada, sent_mail
    ):
        known, unknown = (
            [
                told(call("password-reset", {"login": login}, REMOTE_ADDR=f"192.0.2.{n}"))
                for n in range(7)
            ]
            for login in ("ada@example.org", "nobody@example.org")
        )

        assert [status for status, *_ in known] == [202] * 5 + [429] * 2
        assert [status for status, *_ in unknown] == [status for status, *_ in known]
        assert known[:5] == unknown[:5]
        assert len(sent_mail()) == 5

    def test_a_weak_password_does_not_use_the_link_up(self, ada, sent_mail):
        call("password-reset", {"login": "ada@example.org"})
        token = token_in(sent_mail()[-1])

        weak = call("password-reset/confirm", {"token": token, "password": "12345"})

        assert (weak.status_code, weak.json()["errors"][0]["field"]) == (400, "password")
        body = {"token": token, "password": NEW_PASSWORD}
        assert call("password-reset/confirm", body).status_code == 204

    def test_a_reset_link_activates_nobody_and_an_activation_link_sets_no_password(
        self, ada, sent_mail
    ):
        call("password-reset", {"login": "ada@example.org"})
        reset = token_in(sent_mail()[-1])
        register(login_email="new@example.org")
        activation = token_in(sent_mail()[-1])

        assert call("activate", {"token": reset}).status_code == 400
        body = {"token": activation, "password": NEW_PASSWORD}
        assert call("password-reset/confirm", body).status_code == 400


# --- Check -----------------------------------------------------------------------------------
class TestCheck:
    def check(self, **parameters):
        return Api().get("tenants/acme/check/", parameters)

    @pytest.fixture
    def curious(self, open_tenant):
        update_tenant(open_tenant, settings={"allow_anonymous_check": True})
        CustomerFactory(
            tenant=open_tenant,
            emails=[{"address": "ada@example.org"}],
            phones=[{"given": "900 00 001"}],
        )
        return open_tenant

    def test_is_closed_unless_the_business_opens_it(self, open_tenant):
        assert self.check(contact="ada@example.org").status_code == 403
        assert call("check", {"contact": "ada@example.org"}).status_code == 403

    @pytest.mark.parametrize(
        ("contact", "count"),
        [("ADA@example.org", 1), ("+47 90000001", 1), ("nobody@example.org", 0), ("?", 0)],
    )
    def test_counts_the_customers_with_the_contact(self, curious, contact, count):
        assert self.check(contact=contact).json() == {"count": count}
        assert call("check", {"contact": contact}).json() == {"count": count}

    def test_needs_its_parameter(self, curious):
        assert self.check().status_code == 400
        assert call("check", {}).status_code == 400
        assert self.check(contact="a@b.no", other="x").status_code == 400

    def test_answers_an_address_ten_times_a_minute(self, curious):
        statuses = [self.check(contact=f"n{n}@example.org").status_code for n in range(12)]

        assert statuses == [200] * 10 + [429] * 2


# --- The business that is not there ----------------------------------------------------------
ENDPOINTS = {
    "register": {"login_email": "a@b.no", "password": PASSWORD},
    "activate": {"code": "123456"},
    "send-code": {"contact": "a@b.no"},
    "password-reset": {"login": "a@b.no"},
    "password-reset/confirm": {"token": "x", "password": PASSWORD},
    "check": {"contact": "a@b.no"},
}


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_an_unknown_and_a_closed_business_are_not_there(open_tenant, endpoint):
    update_tenant(open_tenant, active=False)

    closed, unknown, odd = (
        call(endpoint, ENDPOINTS[endpoint], code=code) for code in ("acme", "nowhere", "%00")
    )

    assert (closed.status_code, unknown.status_code) == (404, 404)
    assert told(closed) == told(unknown)
    assert odd.status_code in (400, 404)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_token_that_comes_along_changes_nothing(open_tenant, endpoint):
    with_token = Api("nonsense").post(f"tenants/acme/{endpoint}/", ENDPOINTS[endpoint])

    assert with_token.status_code != 401


@pytest.mark.parametrize("endpoint", ["sign-in", *ENDPOINTS])
def test_reading_these_addresses_does_nothing(open_tenant, endpoint):
    assert Api().get(f"tenants/acme/{endpoint}/").status_code in (400, 403, 405)


def test_no_row_is_left_of_what_was_refused(open_tenant):
    set_password = set_customer_password  # a customer of another tenant stays as it was
    other = CustomerFactory(tenant=TenantFactory(code="rival"), first_name="Grace")
    with in_tenant(other.tenant):
        set_password(other, PASSWORD)

    register(login_email="bad")
    call("activate", {"code": "123456"})

    with in_tenant(open_tenant):
        assert not ActivationCode.objects.exists()
        assert not Customer.objects.exists()
