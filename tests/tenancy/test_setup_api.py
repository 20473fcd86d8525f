"""Stores, staff, settings and tokens over the house API."""

import uuid
from datetime import timedelta

import pytest

from tenancy.clock import frozen, now
from tenancy.models import AccessToken, StaffMember, Store, User
from tenancy.permissions import ROLE_SCOPES, SCOPES
from tenancy.scoping import all_tenants, in_tenant
from tenancy.services import principal_of
from tests.api_client import Api
from tests.factories import (
    PASSWORD,
    StaffMemberFactory,
    StoreFactory,
    TenantFactory,
    UserFactory,
    make_token,
)

pytestmark = pytest.mark.django_db


def errors_of(answer):
    return {(error["field"], error["code"]) for error in answer.json()["errors"]}


# --- Stores ----------------------------------------------------------------------------------
def test_a_store_is_created_read_and_changed(admin):
    created = admin.post("stores/", {"code": "oslo", "name": "Oslo", "country": "NO"})

    assert created.status_code == 201, created.content
    path = f"stores/{created.json()['id']}/"
    assert created["Location"].endswith(path)
    assert (created.json()["location_id"], created.json()["default"]) == (2, False)
    changed = admin.patch(path, {"default": True, "name": "Oslo S"})
    assert (changed.json()["name"], changed.json()["default"]) == ("Oslo S", True)
    rows = admin.get("stores/").json()["results"]
    assert [(row["code"], row["default"]) for row in rows] == [("main", False), ("oslo", True)]


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        ({}, 400, {("code", "required")}),
        ({"code": "a b"}, 400, {("code", "invalid")}),
        ({"code": "MAIN"}, 409, {("code", "unique")}),
        ({"code": "x", "location_id": 1}, 409, {("location_id", "unique")}),
        ({"code": "x", "location_id": 2**31}, 400, {("location_id", "max_value")}),
        ({"code": "x", "country": "Norway"}, 400, {("country", "max_length")}),
        ({"code": "x", "country": "ZZ"}, 400, {("country", "invalid_country")}),
        ({"code": "x", "tenant": "rival"}, 400, {("tenant", "unknown")}),
        ({"code": "x", "id": str(uuid.uuid4())}, 400, {("id", "read_only")}),
        ({"code": "x", "name": None}, 400, {("name", "null")}),
        ({"code": "x", "latitude": 59.9}, 400, {("longitude", "required")}),
        ({"code": "x", "latitude": 91, "longitude": 0}, 400, {("latitude", "max_value")}),
    ],
)
def test_a_bad_store_is_refused_by_field(admin, tenant, body, status, expected):
    answer = admin.post("stores/", body)

    assert (answer.status_code, errors_of(answer)) == (status, expected)
    with in_tenant(tenant):
        assert Store.objects.count() == 1


def test_a_store_stands_somewhere_or_nowhere(admin):
    body = {"code": "oslo", "latitude": 59.910874, "longitude": "10.75"}
    created = admin.post("stores/", body).json()
    path = f"stores/{created['id']}/"

    unmoved = admin.patch(path, {"name": "Oslo S"}).json()
    half = admin.patch(path, {"longitude": None})
    nowhere = admin.patch(path, {"latitude": None, "longitude": None}).json()

    assert (unmoved["latitude"], unmoved["longitude"]) == (59.910874, 10.75)
    assert (half.status_code, errors_of(half)) == (400, {("longitude", "required")})
    assert (nowhere["latitude"], nowhere["longitude"]) == (None, None)


def test_a_default_store_stays_until_another_takes_its_place(admin, tenant):
    with in_tenant(tenant):
        store = Store.objects.get()

    answer = admin.patch(f"stores/{store.pk}/", {"default": False})

    assert (answer.status_code, errors_of(answer)) == (400, {("default", "invalid")})


# --- Staff -----------------------------------------------------------------------------------
def test_a_staff_member_is_created_and_can_sign_in(admin, tenant):
    answer = admin.post(
        "staff/",
        {
            "email": "Sally@Example.org",
            "name": "Sally",
            "role": "seller",
            "stores": ["MAIN"],
            "password": PASSWORD,
        },
    )

    assert answer.status_code == 201, answer.content
    told = answer.json()
    assert (told["email"], told["role"], told["stores"]) == (
        "sally@example.org",
        "seller",
        ["main"],
    )
    assert "password" not in told
    signed_in = Api().post(
        "tenants/acme/sign-in/", {"email": "sally@example.org", "password": PASSWORD}
    )
    assert signed_in.status_code == 200, signed_in.content


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"role": "seller"}, {("email", "required")}),
        ({"email": "x@example.org"}, {("role", "required")}),
        ({"email": "nonsense", "role": "seller"}, {("email", "invalid")}),
        ({"email": "x@example.org", "role": "owner"}, {("role", "invalid_choice")}),
        ({"email": "x@example.org", "role": "admin", "stores": ["?"]}, {("stores", "no_store")}),
        (
            {"email": "x@example.org", "role": "admin", "is_superuser": True},
            {("is_superuser", "unknown")},
        ),
        ({"email": "x@example.org", "role": "admin", "active": False}, {("active", "read_only")}),
        ({"email": "x@example.org", "role": "admin", "password": "1234567"}, None),
    ],
)
def test_a_bad_staff_member_is_refused_by_field(admin, body, expected):
    answer = admin.post("staff/", body)

    assert answer.status_code == 400
    assert expected is None or errors_of(answer) == expected
    assert not User.objects.filter(email="x@example.org").exists()


def test_somebody_who_is_a_member_already_is_not_changed_by_a_second_creation(admin, tenant):
    member = StaffMemberFactory(tenant=tenant, role="seller")

    answer = admin.post("staff/", {"email": member.user.email, "role": "admin"})

    assert (answer.status_code, errors_of(answer)) == (409, {("email", "unique")})
    with in_tenant(tenant):
        assert StaffMember.objects.get(pk=member.pk).role == "seller"


def test_somebody_who_works_elsewhere_keeps_the_password(admin, rival):
    user = UserFactory(email="both@example.org")
    StaffMemberFactory(tenant=rival, user=user)

    answer = admin.post(
        "staff/", {"email": "both@example.org", "role": "seller", "password": "another pass word"}
    )

    assert answer.status_code == 201
    assert User.objects.get(pk=user.pk).password == user.password


@pytest.mark.parametrize("change", [{"role": "admin"}, {"active": False}])
def test_every_token_of_a_member_ends_with_role_or_activity(admin, tenant, change):
    member = StaffMemberFactory(tenant=tenant, role="seller")
    api = Api(admin_token_for(admin, member))
    assert api.get("session/").status_code == 200

    assert admin.patch(f"staff/{member.pk}/", change).status_code == 200

    assert api.get("session/").status_code == 401


@pytest.mark.parametrize(
    ("change", "field"), [({"role": "seller"}, "role"), ({"active": False}, "active")]
)
def test_nobody_takes_the_own_rights_away(admin, tenant, change, field):
    member = StaffMemberFactory(tenant=tenant, role="admin")
    api = Api(admin_token_for(admin, member))

    refused = api.patch(f"staff/{member.pk}/", change)

    assert refused.status_code == 400
    assert errors_of(refused) == {(field, "own_rights")}
    assert api.patch(f"staff/{member.pk}/", {"role": "admin", "active": True}).status_code == 200
    assert admin.patch(f"staff/{member.pk}/", change).status_code == 200


def admin_token_for(admin, member):
    answer = admin.post("tokens/", {"staff": str(member.pk)})
    assert answer.status_code == 201, answer.content
    return answer.json()["token"]


# --- Settings --------------------------------------------------------------------------------
def test_settings_show_their_defaults_and_change_one_by_one(admin, tenant):
    shown = admin.get("settings/").json()
    assert (shown["code"], shown["currency"]) == ("acme", "NOK")
    assert shown["settings"]["self_registration"] is False

    answer = admin.patch("settings/", {"name": "Acme AS", "settings": {"self_registration": True}})

    assert answer.json()["name"] == "Acme AS"
    assert answer.json()["settings"] == shown["settings"] | {"self_registration": True}
    assert admin.get("settings/").json() == answer.json()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"code": "other"}, "code"),
        ({"active": False}, "active"),
        ({"currency": "XXQ"}, "currency"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"settings": {"self_registration": "perhaps"}}, "settings.self_registration"),
        ({"settings": {"locale": "tlh"}}, "settings.locale"),
        ({"settings": {"unheard_of": True}}, "settings.unheard_of"),
        ({"settings": "all"}, "settings.non_field_errors"),
    ],
)
def test_a_bad_setting_is_refused_by_its_name(admin, body, field):
    answer = admin.patch("settings/", body)

    assert answer.status_code == 400, answer.content
    assert field in {error["field"] for error in answer.json()["errors"]}


# --- Tokens ----------------------------------------------------------------------------------
def test_a_token_is_shown_once_and_listed_without_its_text(admin):
    answer = admin.post(
        "tokens/", {"name": "Web shop", "scopes": ["customers:read"], "stores": ["main"]}
    )

    assert answer.status_code == 201, answer.content
    plain = answer.json()["token"]
    assert Api(plain).get("customers/").status_code == 200
    listed = admin.get("tokens/")
    assert plain not in listed.content.decode()
    (row,) = [row for row in listed.json()["results"] if row["name"] == "Web shop"]
    assert (row["scopes"], row["stores"], row["holder"]) == (
        ["customers:read"],
        ["main"],
        "service",
    )
    assert "digest" not in row


def test_an_idempotent_creation_does_not_show_the_text_again(admin, tenant):
    headers = {"Idempotency-Key": "one"}
    first = admin.post("tokens/", {"scopes": ["customers:read"]}, headers=headers)

    again = admin.post("tokens/", {"scopes": ["customers:read"]}, headers=headers)

    assert (first.status_code, again.status_code) == (201, 409)
    assert first.json()["token"] not in again.content.decode()
    with in_tenant(tenant):
        assert AccessToken.objects.filter(holder="service").count() == 1


def test_a_revoked_token_is_refused_at_once(admin):
    created = admin.post("tokens/", {"scopes": ["customers:read"]}).json()

    assert admin.delete(f"tokens/{created['id']}/").status_code == 204

    assert Api(created["token"]).get("customers/").status_code == 401


def test_a_token_ends_after_its_days(admin):
    plain = admin.post("tokens/", {"scopes": ["customers:read"], "days": 3}).json()["token"]

    with frozen(now() + timedelta(days=2)):
        assert Api(plain).get("customers/").status_code == 200
    with frozen(now() + timedelta(days=4)):
        assert Api(plain).get("customers/").status_code == 401


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, {("scopes", "invalid")}),
        ({"scopes": []}, {("scopes", "invalid")}),
        ({"scopes": ["everything"]}, {("scopes.0", "invalid_choice")}),
        ({"scopes": ["customers:read"], "stores": ["nowhere"]}, {("stores", "no_store")}),
        ({"scopes": ["customers:read"], "days": 0}, {("days", "min_value")}),
        ({"staff": str(uuid.uuid4())}, {("staff", "does_not_exist")}),
        ({"scopes": ["customers:read"], "holder": "staff"}, {("holder", "unknown")}),
    ],
)
def test_a_bad_token_is_refused_by_field_and_leaves_no_row(admin, tenant, body, expected):
    with in_tenant(tenant):
        before = AccessToken.objects.count()

    answer = admin.post("tokens/", body)

    assert answer.status_code == 400
    assert {field.split(".")[0] for field, _ in errors_of(answer)} == {
        field.split(".")[0] for field, _ in expected
    }
    with in_tenant(tenant):
        assert AccessToken.objects.count() == before


def test_nobody_hands_on_more_scopes_than_their_own(as_role, tenant):
    api = as_role("service", scopes={"tokens:write", "customers:read"})

    more = api.post("tokens/", {"scopes": ["customers:read", "customers:delete"]})
    same = api.post("tokens/", {"scopes": ["customers:read"]})

    assert (more.status_code, errors_of(more)) == (400, {("scopes", "exceeds")})
    assert same.status_code == 201
    assert principal_of(same.json()["token"]).scopes == {"customers:read"}


def test_even_an_administrator_cannot_hand_on_password_hashes(admin):
    answer = admin.post("tokens/", {"scopes": ["password_hash"]})

    assert (answer.status_code, errors_of(answer)) == (400, {("scopes", "exceeds")})


def test_a_service_cannot_make_itself_an_administrator(as_role, tenant):
    boss = StaffMemberFactory(tenant=tenant, role="admin")
    api = as_role("service", scopes={"tokens:write", "settings:write"})

    token = api.post("tokens/", {"staff": str(boss.pk)})
    member = api.post("staff/", {"email": "me@example.org", "role": "admin", "password": PASSWORD})
    promoted = api.patch(f"staff/{boss.pk}/", {"role": "seller"})

    assert (token.status_code, errors_of(token)) == (400, {("staff", "forbidden")})
    assert (member.status_code, errors_of(member)) == (400, {("role", "exceeds")})
    assert (promoted.status_code, errors_of(promoted)) == (400, {("role", "exceeds")})


def test_whoever_is_bound_to_stores_binds_others_to_them(as_role, tenant):
    here, there = StoreFactory(tenant=tenant), StoreFactory(tenant=tenant)
    api = as_role("service", scopes={"tokens:write", "customers:read"}, stores=[here])

    for stores in ([], [there.code], [here.code, there.code]):
        answer = api.post("tokens/", {"scopes": ["customers:read"], "stores": stores})
        assert (answer.status_code, errors_of(answer)) == (400, {("stores", "exceeds")})
    answer = api.post("tokens/", {"scopes": ["customers:read"], "stores": [here.code]})

    assert principal_of(answer.json()["token"]).store_ids == {here.pk}


@pytest.mark.parametrize("role", ["seller", "service"])
def test_without_the_right_to_make_tokens_none_is_made(as_role, role):
    api = as_role(role, **({"scopes": {"customers:read"}} if role == "service" else {}))

    for method, path in (("get", "tokens/"), ("post", "tokens/")):
        assert getattr(api, method)(path, {}).status_code == 403


def test_tokens_of_customers_are_nobody_elses_business(admin, ada, tenant):
    make_token(tenant, "customer", customer=ada)
    with all_tenants():
        theirs = AccessToken.objects.get(holder="customer")

    assert str(theirs.pk) not in admin.get("tokens/").content.decode()
    assert admin.delete(f"tokens/{theirs.pk}/").status_code == 404


def test_the_scopes_of_a_members_token_are_those_of_the_role(tenant):
    plain = make_token(tenant, "seller")

    assert principal_of(plain).scopes == ROLE_SCOPES["seller"]
    assert "password_hash" in SCOPES


def test_a_members_stores_bind_every_token_of_the_member(tenant):
    here, there = StoreFactory(tenant=tenant), StoreFactory(tenant=tenant)
    member = StaffMemberFactory(tenant=tenant, role="admin")
    api = Api(make_token(tenant, "admin"))
    assert api.patch(f"staff/{member.pk}/", {"stores": [here.code]}).status_code == 200

    inside = Api(admin_token_for(api, member)).get("session/").json()
    outside = api.post("tokens/", {"staff": str(member.pk), "stores": [there.code]}).json()

    assert inside["stores"] == [here.code]
    assert Api(outside["token"]).get("session/").status_code == 401


# --- Of another tenant -----------------------------------------------------------------------
def test_foreign_rows_are_as_missing_as_missing_ones(admin, rival):
    member = StaffMemberFactory(tenant=rival)
    store = StoreFactory(tenant=rival)
    with all_tenants():
        make_token(rival, "service", scopes={"customers:read"})
        token = AccessToken.objects.get(tenant=rival)

    for kind, foreign, methods in (
        ("stores", store.pk, ("get", "patch")),
        ("staff", member.pk, ("get", "patch")),
        ("tokens", token.pk, ("delete",)),
    ):
        for method in methods:
            bodies = []
            for key in (foreign, uuid.uuid4(), "nonsense"):
                answer = getattr(admin, method)(f"{kind}/{key}/")
                assert answer.status_code == 404, (kind, method)
                bodies.append({**answer.json(), "request_id": ""})
            assert bodies[0] == bodies[1] == bodies[2]


def test_a_foreign_member_gets_no_token_here(admin, rival):
    member = StaffMemberFactory(tenant=rival)

    answer = admin.post("tokens/", {"staff": str(member.pk)})

    assert (answer.status_code, errors_of(answer)) == (400, {("staff", "does_not_exist")})


def test_lists_hold_only_the_own_rows(admin, rival):
    StaffMemberFactory(tenant=rival, user__email="stranger@example.org")
    StoreFactory(tenant=rival, code="foreign")
    make_token(rival, "service", scopes={"customers:read"})

    for kind in ("staff", "stores", "tokens"):
        text = admin.get(f"{kind}/").content.decode()
        assert "stranger@example.org" not in text
        assert "foreign" not in text
    assert len(admin.get("tokens/").json()["results"]) == 1


def test_two_tenants_may_name_a_store_alike(admin):
    other = TenantFactory()
    StoreFactory(tenant=other, code="oslo", location_id=2)

    assert admin.post("stores/", {"code": "oslo", "location_id": 2}).status_code == 201
