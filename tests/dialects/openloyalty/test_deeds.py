"""Deeds on customers, questions about all of them, pictures, tokens, passwords.

The numbers are those of the contract.
"""

import io
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from customers.models import Customer
from customers.services import set_customer_password
from tenancy.clock import frozen
from tenancy.scoping import in_tenant
from tenancy.services import create_staff, update_tenant
from tests.dialects.openloyalty.client import OpenLoyalty, all_errors, customer
from tests.factories import PASSWORD, StoreFactory, make_token

pytestmark = pytest.mark.django_db

NEW_PASSWORD = "another correct horse battery"


@pytest.fixture
def ada(register):
    return register(firstName="Ada", email="ada@example.com", phone="+48234234000")


@pytest.fixture
def own(as_, shop, ada):
    with in_tenant(shop):
        return as_("customer", customer=Customer.objects.get(pk=ada))


def picture():
    data = io.BytesIO()
    Image.new("RGB", (4, 4), "red").save(data, "PNG")
    return SimpleUploadedFile("me.png", data.getvalue(), "image/png")


# --- Lifecycle
@pytest.mark.parametrize("prefix", ["admin", "seller"])
def test_t51_t52_deactivating_and_activating(admin, as_, own, ada, shop, prefix):
    with in_tenant(shop):
        set_customer_password(Customer.objects.get(pk=ada), PASSWORD)
    api = as_(prefix)
    login = {"_username": "ada@example.com", "_password": PASSWORD}

    stopped = api.post(f"{prefix}/customer/{ada}/deactivate")

    told = admin.get(f"customer/{ada}").json()
    assert (stopped.status_code, stopped.content) == (200, b"")
    assert (told["active"], told["status"]["type"]) == (False, "blocked")
    assert "state" not in told["status"]
    assert OpenLoyalty().post("customer/login_check", login).status_code == 401
    assert admin.get("customer").json()["total"] == 1

    for _again in range(2):
        assert api.post(f"{prefix}/customer/{ada}/activate").status_code == 200

    told = admin.get(f"customer/{ada}").json()
    assert (told["active"], told["status"]["type"]) == (True, "active")
    assert told["status"]["state"] == "no-card"
    assert OpenLoyalty().post("customer/login_check", login).status_code == 200


def test_t59_a_deleted_customer_is_gone(admin, ada, register):
    answer = admin.delete(f"customer/{ada}")

    assert (answer.status_code, answer.content) == (204, b"")
    assert admin.get(f"customer/{ada}").status_code == 404
    assert admin.get("customer").json()["total"] == 0
    assert register(email="ada@example.com", phone="+48234234000")


def test_an_anonymised_customer_is_a_shell(admin, ada, register):
    for _again in range(2):
        assert admin.post(f"admin/customer/{ada}/anonymize").status_code == 204

    listed = admin.get("customer")
    assert listed.json()["total"] == 1
    for old in (b"Ada", b"ada@", b"234234"):
        assert old not in listed.content + admin.get(f"customer/{ada}").content
    assert admin.get("customer/check?emailOrPhone=ada@example.com").json() == {"total": 0}
    assert register(email="ada@example.com", phone="+48234234000")


def test_what_was_anonymised_is_not_changed_any_more(admin, ada):
    admin.post(f"admin/customer/{ada}/anonymize")

    for answer in (
        admin.post(f"admin/customer/{ada}/activate"),
        admin.put(f"customer/{ada}", customer(firstName="X")),
    ):
        assert answer.status_code == 400


# --- Store
@pytest.mark.parametrize("path", ["customer", "seller/customer"])
def test_t62_a_store_is_assigned(seller, admin, ada, shop, path):
    store = StoreFactory(tenant=shop, code="pos2")

    answer = seller.post(f"{path}/{ada}/pos", {"posId": str(store.pk)})

    assert (answer.status_code, answer.json()) == (200, [])
    told = admin.get(f"customer/{ada}").json()
    assert (told["posId"], told["posIdentifier"]) == (str(store.pk), "pos2")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "field is required"),
        ({"posId": ""}, "field is required"),
        ({"posId": "nowhere"}, "This value is not valid."),
        ({"posId": str(uuid.uuid4())}, "This value is not valid."),
        ({"posId[x]": "1"}, "This value is not valid."),
    ],
)
def test_t62_without_a_store_nothing_is_assigned(admin, ada, fields, told):
    answer = admin.post(f"customer/{ada}/pos", fields)

    assert (answer.status_code, answer.json()) == (400, {"posId": told})


def test_a_store_of_the_neighbours_is_none(admin, ada, rival):
    answer = admin.post(f"customer/{ada}/pos", {"posId": str(StoreFactory(tenant=rival).pk)})

    assert answer.status_code == 400


# --- Questions
@pytest.mark.parametrize(
    ("asked", "total"),
    [
        ("ada", 0),
        ("ada@example.com", 1),
        ("ADA@example.com", 1),
        ("%2B48234234000", 1),
        ("+48234234000", 1),
        ("48234234000", 1),
        ("645", 0),
        ("%F0%9F%98%80", 0),
        ("@", 0),
        ("nobody@example.com", 0),
    ],
)
def test_check_counts_exact_matches(admin, ada, asked, total):
    assert admin.get(f"customer/check?emailOrPhone={asked}").json() == {"total": total}


def test_check_reads_the_form_of_a_get(admin, ada):
    answer = admin.get("customer/check", {"emailOrPhone": "ada@example.com"})

    assert answer.json() == {"total": 1}


def test_check_is_for_staff_and_where_allowed_for_strangers(admin, own, nobody, ada, shop):
    path = "customer/check?emailOrPhone=ada@example.com"

    assert own.get(path).status_code == 403
    assert (nobody.get(path).status_code, nobody.get(path).json()["message"]) == (
        401,
        "Authentication Required",
    )
    assert admin.get("customer/check").status_code == 400

    update_tenant(shop, settings={"allow_anonymous_check": True})
    assert nobody.get(path).json() == {"total": 1}
    assert own.get(path).status_code == 403
    assert nobody.get("customer/check").status_code == 400
    assert [nobody.get(path).status_code for _n in range(11)][-1] == 429
    assert OpenLoyalty(code="nowhere").get(path).status_code == 404


NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("asked", "n", "first", "last", "total"),
    [
        ("", 30, "2026-01-30", "2026-02-28", 2),
        ("?interval=day&lastDays=2", 2, "2026-02-27", "2026-02-28", 1),
        ("?interval=month&lastDays=60", 3, "2025-12", "2026-02", 2),
        ("?interval=month&lastDays=30", 2, "2026-01", "2026-02", 2),
        ("?interval=year&lastDays=400", 2, "2025", "2026", 3),
        ("?interval=year&lastDays=1", 1, "2026", "2026", 1),
    ],
)
def test_registrations_are_counted_before_today(admin, register, asked, n, first, last, total):
    for days in (0, 1, 20, 100):
        with frozen(NOON - timedelta(days=days)):
            register()

    with frozen(NOON):
        counted = admin.get(f"customer/registrations{asked}").json()

    assert list(counted) == sorted(counted)
    assert (len(counted), min(counted), max(counted)) == (n, first, last)
    assert sum(counted.values()) == total


@pytest.mark.parametrize(
    "asked", ["interval=week", "lastDays=x", "lastDays=-1", "lastDays=99999999999", "interval[]=x"]
)
def test_odd_questions_about_registrations_are_refused(admin, asked):
    assert admin.get(f"customer/registrations?{asked}").status_code == 400


def test_t36_a_till_finds_by_parts(seller, register):
    register(firstName="John", lastName="Doe", address__city="Warszawa", address__postal="00-001")
    register(firstName="John1", lastName="Doe1", phone="+48456456000", loyaltyCardNumber="78")
    register(firstName="Jane", lastName="Doe")

    def found(**fields):
        answer = seller.post("pos/search/customer", {f"search[{k}]": v for k, v in fields.items()})
        assert set(answer.json()) == {"customers"}
        return sorted(row["firstName"] for row in answer.json()["customers"])

    assert found(firstName="john", lastName="DOE") == ["John", "John1"]
    assert found(phone="456456") == ["John1"]
    assert found(loyaltyCardNumber="7") == ["John1"]
    assert found(city="warsz", postcode="00-") == ["John"]
    assert found(email="@example.com", firstName="Ja") == ["Jane"]
    assert found(city="%") == []


def test_a_till_does_not_find_the_anonymised(seller, admin, ada):
    admin.post(f"admin/customer/{ada}/anonymize")

    answer = seller.post("pos/search/customer", {"search[firstName]": "Ada"})

    assert answer.json() == {"customers": []}


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"search[firstName]": ""}, {"": ["Provide at least one field"]}),
        ({"search": ""}, {"": ["Provide at least one field"]}),
        (
            {"search[phone]": "abc"},
            {"phone": ["Incorrect phone number format, use +00000000000"]},
        ),
        ({}, {}),
        ({"search[nothing]": "x", "search[city]": "x"},
         {"": ["This form should not contain extra fields."]}),
    ],
)  # fmt: skip
def test_t37_a_till_must_name_something(seller, fields, errors):
    answer = seller.post("pos/search/customer", fields)

    assert answer.status_code == 400
    assert all_errors(answer) == errors
    assert list(answer.json()["form"]["children"]) == [
        *("loyaltyCardNumber", "phone", "email", "firstName", "lastName", "city", "postcode")
    ]


def test_t37_customers_do_not_search(own, nobody):
    asked = {"search[firstName]": "John"}

    assert own.post("pos/search/customer", asked).status_code == 403
    assert nobody.post("pos/search/customer", asked).status_code == 401


# --- Picture and push tokens
def test_a_picture_is_set_shown_replaced_and_removed(admin, own, ada):
    path = f"customer/{ada}/avatar"
    assert admin.get(path).status_code == 404
    assert admin.delete(path).status_code == 404

    for api in (admin, own):
        assert api.post(path, files={"avatar[file]": picture()}).status_code == 204

    shown = admin.get(path)
    told = admin.get(f"customer/{ada}").json()
    assert (shown.status_code, shown["Content-Type"]) == (200, "image/webp")
    assert shown["Content-Disposition"].startswith("inline")
    assert b"".join(shown.streaming_content).startswith(b"RIFF")
    assert (told["avatarOriginalName"], told["avatarMime"]) == ("me.png", "image/webp")
    assert told["avatarPath"].startswith("avatars/")
    assert own.delete(path).status_code == 204
    assert admin.get(path).status_code == 404


@pytest.mark.parametrize(
    ("options", "errors"),
    [
        ({}, {}),
        ({"fields": {"avatar[file]": "C:\\fakepath\\avatar.jpg"}},
         {"file": ["This value is not valid."]}),
        ({"files": {"avatar[file]": SimpleUploadedFile("x.png", b"<script>")}},
         {"file": ["This value is not valid."]}),
        ({"files": {"avatar[file]": SimpleUploadedFile("x.png", b"")}},
         {"file": ["This value is not valid."]}),
        ({"files": {"avatar[file]": SimpleUploadedFile("x.png", b"x" * 6_000_000)}},
         {"file": ["The file is too large."]}),
        ({"files": {"picture": SimpleUploadedFile("x.png", b"x")}}, {}),
    ],
)  # fmt: skip
def test_what_is_no_picture_is_refused(admin, ada, options, errors):
    answer = admin.post(f"customer/{ada}/avatar", **options)

    assert answer.status_code == 400
    assert set(answer.json()["form"]["children"]) == {"file"}
    assert all_errors(answer) == errors


def test_t64_push_tokens(admin, own, ada):
    path = f"customer/{ada}/pushy-token"

    for _again in range(2):
        assert own.post(path, customer(pushyToken="t/1")).status_code == 204
    assert admin.get(path).json() == {"tokens": ["t/1"]}
    for _again in range(2):
        assert admin.delete(f"{path}/t%2F1").status_code == 204
    assert own.get(path).json() == {"tokens": []}
    refused = admin.post(path, customer(pushyToken=""))
    assert all_errors(refused) == {"pushyToken": ["This value should not be blank."]}
    assert admin.post(path).status_code == 400


def test_a_closed_profile_keeps_its_picture_and_tokens(own, ada, shop):
    update_tenant(shop, settings={"allow_profile_edits": False})

    assert own.post(f"customer/{ada}/avatar", files={"avatar[file]": picture()}).status_code == 403
    assert own.post(f"customer/{ada}/pushy-token", customer(pushyToken="t")).status_code == 403
    assert own.get(f"customer/{ada}/pushy-token").status_code == 200


# --- Passwords
@pytest.mark.parametrize("tenant", ["", "default/"])
@pytest.mark.parametrize("role", ["admin", "seller", "customer"])
def test_t82_everybody_changes_the_own_password(shop, ada, own, role, tenant):
    if role == "customer":
        username, api = "ada@example.com", own
        with in_tenant(shop):
            set_customer_password(Customer.objects.get(pk=ada), PASSWORD)
        pair = OpenLoyalty().post(
            "customer/login_check", {"_username": username, "_password": PASSWORD}
        )
        api = OpenLoyalty(pair.json()["token"])
    else:
        username = f"{role}@example.org"
        create_staff(shop, username, role=role, password=PASSWORD)
        pair = OpenLoyalty().post(
            f"{role}/login_check", {"_username": username, "_password": PASSWORD}
        )
        api = OpenLoyalty(pair.json()["token"])
    path = f"/api/{tenant}{role}/password/change"

    wrong = api.post(path, {"currentPassword": "wrong", "plainPassword": NEW_PASSWORD})
    weak = api.post(path, {"currentPassword": PASSWORD, "plainPassword": "1234567"})
    empty = api.post(path)
    right = api.post(path, {"currentPassword": PASSWORD, "plainPassword": NEW_PASSWORD})

    current = ["This value should be the user's current password."]
    assert all_errors(wrong) == {"currentPassword": current}
    assert set(all_errors(weak)) == {"plainPassword"}
    assert set(all_errors(empty)) == {"currentPassword", "plainPassword"}
    assert (right.status_code, right.json()) == (200, {"success": True})
    again = OpenLoyalty().post(
        f"{role}/login_check", {"_username": username, "_password": NEW_PASSWORD}
    )
    assert again.status_code == 200
    assert api.get("customer").status_code == 401


def test_each_path_changes_the_password_of_its_role(admin, seller, own, as_, nobody):
    by_role = {"admin": admin, "seller": seller, "customer": own, "service": as_("service")}

    for path in ("admin", "seller", "customer"):
        for role, api in by_role.items():
            answer = api.post(f"/api/{path}/password/change")
            assert answer.status_code == (400 if role == path else 403)
        assert nobody.post(f"/api/{path}/password/change").status_code == 401


def test_tries_with_the_present_password_are_counted(own, ada, shop):
    with in_tenant(shop):
        set_customer_password(Customer.objects.get(pk=ada), PASSWORD)
    api = OpenLoyalty(make_token(shop, "customer", customer=type("C", (), {"pk": ada})))
    body = {"currentPassword": "wrong", "plainPassword": NEW_PASSWORD}

    answers = [api.post("customer/password/change", body).status_code for _n in range(12)]

    assert answers == [400] * 10 + [429] * 2
