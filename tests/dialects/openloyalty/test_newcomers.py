"""Registering alone, activation by link and code, forgotten and temporary passwords.

The numbers are those of the contract.
"""

import re
from datetime import UTC, datetime, timedelta

import pytest

from customers.models import Customer
from customers.services import strangers, telling
from customers.services.codes import LINK_LIFE
from tenancy.clock import frozen
from tenancy.scoping import in_tenant
from tenancy.services import update_tenant
from tests.dialects.openloyalty.client import OpenLoyalty, all_errors, customer
from tests.factories import PASSWORD, TenantFactory

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
JOHN = {
    "firstName": "John",
    "lastName": "Doe",
    "email": "John@example.com",
    "phone": "+48600700801",
    "agreement1": "1",
    "plainPassword": PASSWORD,
}


@pytest.fixture
def uniform(shop):
    return update_tenant(shop, settings={"uniform_answers": True})


def alone(api, **fields):
    return api.post("customer/self_register", customer(**JOHN | fields))


def sign_in(username, password=PASSWORD):
    fields = {"_username": username, "_password": password}
    return OpenLoyalty().post("customer/login_check", fields)


def link_in(mail):
    return re.search(r"/(?:activate|new-password)/DEFAULT/(\S+)", mail.body)[1]


def code_in(sms):
    return re.search(r"\b(\d{6})\b", sms["text"])[1]


def password_in(mail):
    return re.search(r"[A-Za-z2-9]{12}", mail.body)[0]


# --- Registering alone
def test_t22_who_registers_alone_is_new_until_the_link_comes_back(nobody, admin, sent_mail):
    answer = alone(nobody)

    assert answer.status_code == 200
    assert set(answer.json()) == {"customerId", "email"}
    assert answer.json()["email"] == "john@example.com"
    path = f"customer/{answer.json()['customerId']}"
    told = admin.get(path).json()
    assert (told["active"], told["status"]["type"], told["agreement1"]) == (False, "new", True)
    assert sign_in("john@example.com").status_code == 401

    activated = nobody.post(f"customer/activate/{link_in(sent_mail()[0])}")

    assert (activated.status_code, activated.content) == (200, b"")
    told = admin.get(path).json()
    assert (told["active"], told["status"]["state"]) == (True, "no-card")
    signed_in = sign_in("john@example.com").json()
    assert set(signed_in) == {"token", "refresh_token"}
    assert OpenLoyalty(signed_in["token"]).get(path).status_code == 200


def test_a_credential_that_is_sent_along_says_nothing(shop, sent_mail):
    stale = OpenLoyalty("long expired")

    assert alone(stale).status_code == 200
    assert stale.post(f"customer/activate/{link_in(sent_mail()[0])}").status_code == 200


def test_the_form_of_who_registers_alone_names_no_level_store_or_seller(nobody):
    empty = nobody.post("customer/self_register")
    answer = alone(nobody, levelId="x")

    children = empty.json()["form"]["children"]
    assert empty.status_code == answer.status_code == 400
    assert "plainPassword" in children
    assert not {"levelId", "posId", "sellerId"} & set(children)
    assert all_errors(answer) == {"": ["This form should not contain extra fields."]}


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"plainPassword": ""}, {"plainPassword": ["This value should not be blank."]}),
        (
            {"plainPassword": "s3cr3t!"},
            {"plainPassword": ["Your password must be at least 8 characters long."]},
        ),
        ({"agreement1": "0"}, {"agreement1": ["This value should not be blank."]}),
        ({"email": ""}, {"email": ["This value should not be blank."]}),
        ({"phone": "+440000000"}, {"phone": ["This value is not a valid phone number."]}),
        ({"labels": "vip:1"}, {"labels": ["You don't have permission to edit this data."]}),
    ],
)
def test_what_is_wrong_is_said_at_its_field(nobody, fields, errors):
    answer = alone(nobody, **fields)

    assert (answer.status_code, all_errors(answer)) == (400, errors)


def test_who_registers_alone_says_what_customers_have(nobody, admin):
    told = {
        "gender": "female",
        "birthDate": "1990-09-11",
        "loyaltyCardNumber": "0000",
        "address][city": "Wroclaw",
        "address][country": "PL",
        "company][name": "Doe Ltd",
        "company][nip": "111",
        "agreement3": "1",
        "createdAt": "2001-01-01 10:00:00",
    }

    one = alone(nobody, **told).json()["customerId"]

    shown = admin.get(f"customer/{one}").json()
    assert (shown["gender"], shown["birthDate"][:10]) == ("female", "1990-09-11")
    assert shown["address"] == {"city": "Wroclaw", "country": "PL"}
    assert shown["company"] == {"name": "Doe Ltd", "nip": "111"}
    assert (shown["loyaltyCardNumber"], shown["agreement3"]) == ("0000", True)
    assert shown["createdAt"][:4] != "2001"


def test_a_shop_that_does_not_want_it_forbids_it(shop, nobody):
    update_tenant(shop, settings={"self_registration": False})

    answer = alone(nobody)

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, 403)
    assert OpenLoyalty(code="nowhere").post("customer/self_register").status_code == 404


def test_what_is_taken_is_told_until_the_limit_and_then_not(nobody, monkeypatch, shop):
    monkeypatch.setattr(telling, "TOLD_PER_ADDRESS_AND_HOUR", 1)
    alone(nobody)

    told, untold = (alone(nobody, email="JOHN@example.com", phone="") for _n in range(2))

    assert all_errors(told) == {"email": ["Customer with such email already exists."]}
    assert untold.status_code == 200
    assert set(untold.json()) == {"customerId", "email"}
    with in_tenant(shop):
        assert Customer.objects.count() == 1


def test_a_shop_that_answers_alike_tells_nothing(nobody, uniform, sent_mail):
    first, again = alone(nobody), alone(nobody)

    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json()["customerId"] != again.json()["customerId"]
    assert first.json()["email"] == again.json()["email"]
    assert len(sent_mail()) == 1
    for fields in ({"username": "nobody@example.com"}, {"username": "john@example.com"}):
        for _again in range(2):
            assert nobody.post("password/reset/request", fields).json() == {"success": True}
    sent = nobody.post("customer/customer-phone/send-sms-code", {"phone": "+48999999999"})
    assert (sent.status_code, sent.content) == (200, b'""')


def test_what_else_is_taken_does_not_tell_either(nobody, uniform, register):
    register(email="ada@example.com", loyaltyCardNumber="0000")

    known, unknown = (
        alone(nobody, email=email, phone="", loyaltyCardNumber="0000")
        for email in ("ada@example.com", "new@example.com")
    )

    assert (known.status_code, known.content) == (400, unknown.content)
    assert set(all_errors(known)) == {"loyaltyCardNumber"}


def test_registrations_are_counted(nobody, monkeypatch):
    monkeypatch.setattr(strangers, "REGISTRATIONS_PER_ADDRESS_AND_HOUR", 1)

    answers = [alone(nobody, email=f"j{n}@example.com", phone="").status_code for n in range(2)]

    assert answers == [200, 429]


# --- Activation
@pytest.mark.parametrize("path", ["activate/abcde", "activate-sms/000000", "activate-sms/%00é"])
def test_what_activates_nobody_is_missing(nobody, path):
    answer = nobody.post(f"customer/{path}")

    assert (answer.status_code, answer.json()) == (
        404,
        {"error": {"code": 404, "message": "Not Found"}},
    )


def test_a_link_activates_once(nobody, sent_mail):
    alone(nobody)
    token = link_in(sent_mail()[0])

    answers = [nobody.post(f"customer/activate/{token}").status_code for _n in range(2)]

    assert answers == [200, 404]


def test_t54_a_code_activates_once(by_sms, nobody, admin, sent_sms):
    one = alone(nobody, email="").json()
    code = code_in(sent_sms()[0])
    wrong = f"{(int(code) + 1) % 1_000_000:06}"

    answers = [
        nobody.post(f"customer/activate-sms/{tried}").status_code for tried in (wrong, code, code)
    ]

    assert "email" not in one
    assert answers == [404, 204, 404]
    assert admin.get(f"customer/{one['customerId']}").json()["active"] is True
    assert sign_in("+48600700801").status_code == 200


def test_who_was_registered_at_a_till_gets_a_password_with_the_activation(
    by_sms, as_, nobody, sent_sms
):
    as_("seller").post(
        "seller/customer/register",
        customer(firstName="J", lastName="D", phone="+48600700801", agreement1="1"),
    )

    nobody.post(f"customer/activate-sms/{code_in(sent_sms()[0])}")

    password = re.search(r"[A-Za-z2-9]{12}", sent_sms()[1]["text"])[0]
    assert sign_in("+48600700801", password).json()["error"] == "password change needed"


def test_guesses_are_counted(by_sms, nobody):
    answers = [nobody.post(f"customer/activate-sms/00000{n}").status_code for n in range(10)]
    beyond = nobody.post("customer/activate-sms/999999")

    assert set(answers) == {404}
    assert (beyond.status_code, beyond.json()["error"]["code"]) == (429, 429)


# --- Codes by SMS
def test_t56_a_code_is_sent_again_after_two_minutes_to_whom_it_helps(
    by_sms, nobody, register, sent_sms
):
    def send(phone):
        answer = nobody.post("customer/customer-phone/send-sms-code", phone and {"phone": phone})
        assert answer.content == b'""'
        return answer.status_code

    register(phone="+48234234000")
    with frozen(NOON):
        alone(nobody)
        assert len(sent_sms()) == 1
        assert send("+48600700801") == 400
    with frozen(NOON + timedelta(minutes=2, seconds=1)):
        assert send("+48600700801") == 200
        assert send("48600700801") == 400
        assert [send(phone) for phone in (None, "", "+48234234000", "+48999999999")] == [400] * 4
        assert len(sent_sms()) == 2


@pytest.mark.parametrize("role", ["admin", "seller"])
def test_t57_staff_send_a_code_to_new_customers_alone(
    by_sms, as_, nobody, register, role, sent_sms
):
    active = register(phone="+48234234000")
    new = alone(nobody).json()["customerId"]
    sent = len(sent_sms())

    answers = [as_(role).post(f"{role}/customer/{one}/send-sms-code") for one in (active, new)]

    assert [(answer.status_code, answer.content) for answer in answers] == [(200, b'""')] * 2
    assert len(sent_sms()) == sent + 1


def test_t57_a_code_that_cannot_be_sent(shop, admin, as_, nobody, register):
    without_phone = alone(nobody, phone="").json()["customerId"]
    with in_tenant(shop):
        own = as_("customer", customer=Customer.objects.get(pk=register()))

    answer = admin.post(f"admin/customer/{without_phone}/send-sms-code")

    assert (answer.status_code, answer.content) == (400, b'""')
    path = f"seller/customer/{without_phone}/send-sms-code"
    assert own.post(path).status_code == 403
    assert nobody.post(path).status_code == 401


# --- Passwords
def test_t82_who_is_registered_by_staff_gets_a_temporary_password(admin, register, sent_mail):
    register(email="ada@example.com")
    password = password_in(sent_mail()[0])

    first = sign_in("ada@example.com", password).json()
    changed = OpenLoyalty(first["token"]).post(
        "customer/password/change", {"currentPassword": password, "plainPassword": f" {PASSWORD} "}
    )

    assert first["error"] == "password change needed"
    assert (changed.status_code, changed.json()) == (200, {"success": True})
    assert set(sign_in("ada@example.com", f" {PASSWORD} ").json()) == {"token", "refresh_token"}


PATHS = ["/api/default/", "/api/default/customer/", "/api/", "/api/customer/"]


@pytest.mark.parametrize("path", PATHS)
def test_a_forgotten_password_is_replaced_by_a_link(nobody, register, sent_mail, path):
    register(email="ada@example.com")
    sent_mail()

    asked = nobody.post(f"{path}password/reset/request", {"username": "ADA@example.com"})
    again = nobody.post(f"{path}password/reset/request", {"username": "ada@example.com"})
    token = link_in(sent_mail()[-1])

    assert (asked.status_code, asked.json()) == (200, {"success": True})
    assert (again.status_code, again.json()) == (
        400,
        {"error": "resetting password already requested"},
    )
    answer = reset(nobody, token, path.removesuffix("customer/"))
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert sign_in("ada@example.com").status_code == 200
    assert reset(nobody, token).status_code == 404


def reset(api, token, path="/api/default/", password=PASSWORD):
    return api.post(f"{path}password/reset", {"token": token, "reset[plainPassword]": password})


def test_a_link_can_be_asked_for_again_after_a_day(nobody, register, sent_mail):
    fields = {"username": "ada@example.com"}
    with frozen(NOON):
        register(email="ada@example.com")
        nobody.post("password/reset/request", fields)
        sent_mail()
    with frozen(NOON + timedelta(hours=24, seconds=1)):
        assert nobody.post("password/reset/request", fields).status_code == 200
        token = link_in(sent_mail()[-1])
    with frozen(NOON + timedelta(hours=25) + LINK_LIFE):
        assert reset(nobody, token).status_code == 404


def test_what_resets_nothing_is_told(nobody, register, shop):
    asking = [
        nobody.post("password/reset/request", fields)
        for fields in ({}, {"username": ""}, {"username": "nobody@example.com"})
    ]
    setting = [
        nobody.post("password/reset", {"reset[plainPassword]": PASSWORD}),
        reset(nobody, "unknown"),
        reset(nobody, "unknown", password="short"),
        nobody.post("password/reset", {"token": "unknown"}),
    ]

    empty = {"error": 'field "username" should not be empty'}
    missing = {"error": {"code": 404, "message": "Not Found"}}
    assert [(one.status_code, one.json()) for one in asking] == [
        *[(400, empty)] * 2,
        (404, missing),
    ]
    assert (setting[0].status_code, setting[0].json()) == (
        400,
        {"error": 'field "token" should not be empty'},
    )
    assert (setting[1].status_code, setting[1].json()) == (404, missing)
    assert all_errors(setting[2]) == {
        "plainPassword": ["Your password must be at least 8 characters long."]
    }
    assert setting[3].json() == {"form": {"children": {"plainPassword": {}}}, "errors": []}


def test_without_a_tenant_in_the_path_there_must_be_only_one(nobody, register):
    register(email="ada@example.com")
    TenantFactory(code="other")

    answer = nobody.post("/api/password/reset/request", {"username": "ada@example.com"})

    assert answer.status_code == 404
