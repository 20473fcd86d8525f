"""Signing in, with and without the tenant in the path. The numbers are those of the contract."""

import pytest

from customers.models import Customer
from customers.services import deactivate_customer, set_customer_password
from tenancy.models import AccessToken
from tenancy.scoping import all_tenants, in_tenant
from tenancy.services import create_staff, update_staff
from tenancy.services.tokens import principal_of
from tests.dialects.openloyalty.client import OpenLoyalty
from tests.factories import PASSWORD, TenantFactory, make_token

pytestmark = pytest.mark.django_db

PATHS = {True: "/api/default/", False: "/api/"}
with_and_without_tenant = pytest.mark.parametrize("named", [True, False])


def login(role, username, password=PASSWORD, *, named=True, **options):
    fields = {"_username": username, "_password": password}
    return OpenLoyalty().post(f"{PATHS[named]}{role}/login_check", fields, **options)


@pytest.fixture
def boss(shop):
    return create_staff(shop, "boss@example.org", role="admin", password=PASSWORD)[0]


@pytest.fixture
def clerk(shop):
    return create_staff(shop, "clerk@example.org", role="seller", password=PASSWORD)[0]


@pytest.fixture
def ada(shop, register):
    customer_id = register(
        email="ada@example.com", phone="+48234234000", loyaltyCardNumber="47834433524"
    )
    with in_tenant(shop):
        return set_customer_password(Customer.objects.get(pk=customer_id), PASSWORD)


@with_and_without_tenant
def test_t81_staff_sign_in_by_their_roles_path(boss, clerk, named):
    for role, email in (("admin", "boss@example.org"), ("seller", "Clerk@Example.org")):
        answer = login(role, email, named=named)

        assert answer.status_code == 200
        assert set(answer.json()) == {"token", "refresh_token"}
        assert principal_of(answer.json()["token"]).kind == role


@with_and_without_tenant
@pytest.mark.parametrize("username", ["ADA@example.com", "+48234234000", "47834433524"])
def test_t81_a_customer_signs_in_by_email_phone_or_card(ada, named, username):
    answer = login("customer", username, named=named)

    assert answer.status_code == 200
    own = OpenLoyalty(answer.json()["token"])
    assert own.get(f"customer/{ada.pk}").status_code == 200


def test_json_signs_in_too(boss):
    body = {"_username": "boss@example.org", "_password": PASSWORD}

    assert OpenLoyalty().post("/api/admin/login_check", json=body).status_code == 200


@with_and_without_tenant
@pytest.mark.parametrize(
    ("role", "username", "password"),
    [
        ("admin", "boss@example.org", "wrong"),
        ("admin", "nobody@example.org", PASSWORD),
        ("admin", "clerk@example.org", PASSWORD),
        ("seller", "boss@example.org", PASSWORD),
        ("customer", "ada@example.com", "wrong"),
        ("customer", "nobody@example.com", PASSWORD),
        ("customer", "boss@example.org", PASSWORD),
        ("customer", "", ""),
        ("admin", "x" * 500, "x" * 500),
    ],
)
def test_t81_a_wrong_sign_in_is_bad_credentials(boss, clerk, ada, named, role, username, password):
    answer = login(role, username, password, named=named)

    assert (answer.status_code, answer.json()) == (401, {"message": "Bad credentials"})


@pytest.mark.parametrize("role", ["admin", "seller", "customer"])
def test_a_tenant_that_is_none_is_bad_credentials(ada, role):
    answer = OpenLoyalty(code="nowhere").post(
        f"{role}/login_check", {"_username": "ada@example.com", "_password": PASSWORD}
    )

    assert (answer.status_code, answer.json()) == (401, {"message": "Bad credentials"})


def test_staff_of_another_tenant_do_not_sign_in_here(boss, rival):
    answer = OpenLoyalty(code="rival").post(
        "admin/login_check", {"_username": "boss@example.org", "_password": PASSWORD}
    )

    assert answer.status_code == 401


def test_customers_name_their_tenant_where_there_are_several(ada, rival):
    assert login("customer", "ada@example.com", named=False).status_code == 401
    assert login("customer", "ada@example.com", named=True).status_code == 200


def test_staff_of_several_tenants_get_the_default_one(boss, shop):
    other = TenantFactory(code="other")
    create_staff(other, "boss@example.org", role="admin")

    token = login("admin", "boss@example.org", named=False).json()["token"]

    assert principal_of(token).tenant == shop


def test_staff_of_several_tenants_without_a_default_name_theirs(boss, shop):
    create_staff(TenantFactory(code="other"), "boss@example.org", role="admin")
    with all_tenants():
        boss.user.memberships.update(default=False)

    assert login("admin", "boss@example.org", named=False).status_code == 401
    assert login("admin", "boss@example.org", named=True).status_code == 200


@with_and_without_tenant
def test_a_seller_who_left_is_told_so_after_the_right_password(clerk, shop, named):
    with in_tenant(shop):
        update_staff(clerk, active=False)

    right = login("seller", "clerk@example.org", named=named)
    wrong = login("seller", "clerk@example.org", "wrong", named=named)

    assert (right.status_code, right.json()) == (400, {"message": "Your account is not active"})
    assert wrong.status_code == 401


def test_t51_a_blocked_customer_does_not_sign_in(ada, shop):
    with in_tenant(shop):
        deactivate_customer(ada)

    answer = login("customer", "ada@example.com")

    assert (answer.status_code, answer.json()) == (401, {"message": "Bad credentials"})


def test_tries_are_counted(ada):
    answers = [login("customer", "ada@example.com", "wrong").status_code for _n in range(12)]

    assert answers == [401] * 10 + [429] * 2
    limited = login("customer", "ada@example.com")
    assert limited.status_code == 429
    assert int(limited["Retry-After"]) > 0
    assert limited.json()["error"]["code"] == 429


# --- Tokens
@with_and_without_tenant
def test_a_refresh_token_is_exchanged_once(boss, named):
    first = login("admin", "boss@example.org").json()

    def refresh(token):
        return OpenLoyalty().post(f"{PATHS[named]}token/refresh", {"refresh_token": token})

    second = refresh(first["refresh_token"])
    assert set(second.json()) == {"token", "refresh_token"}
    assert OpenLoyalty(second.json()["token"]).get("customer").status_code == 200
    assert OpenLoyalty(first["token"]).get("customer").status_code == 401
    again = refresh(first["refresh_token"])
    assert (again.status_code, again.json()) == (401, {"message": "Bad credentials"})


@pytest.mark.parametrize("token", ["", "x", "x" * 1000, "é"])
def test_a_bad_refresh_token_is_refused(boss, token):
    answer = OpenLoyalty().post("/api/token/refresh", {"refresh_token": token})

    assert answer.status_code == 401


def test_a_refresh_token_of_another_tenant_is_refused(boss, rival):
    token = login("admin", "boss@example.org").json()["refresh_token"]

    for code in ("rival", "nowhere"):
        answer = OpenLoyalty(code=code).post("token/refresh", {"refresh_token": token})
        assert answer.status_code == 401


@with_and_without_tenant
def test_revoking_ends_every_sign_in_of_the_account(boss, clerk, named):
    first, second = (login("admin", "boss@example.org").json() for _n in range(2))
    other = login("seller", "clerk@example.org").json()

    answer = OpenLoyalty(first["token"]).get(f"{PATHS[named]}token/revoke")

    assert (answer.status_code, answer.json()) == (200, [])
    for pair in (first, second):
        assert OpenLoyalty(pair["token"]).get("customer").status_code == 401
        refused = OpenLoyalty().post("/api/token/refresh", {"refresh_token": pair["refresh_token"]})
        assert refused.status_code == 401
    assert OpenLoyalty(other["token"]).get("customer").status_code == 200


def test_revoking_leaves_tokens_that_were_issued_on_purpose(shop, boss):
    from tenancy.services import create_token

    lasting = create_token(shop, holder="staff", staff=boss)[1]

    OpenLoyalty(lasting).get("token/revoke")

    assert OpenLoyalty(lasting).get("customer").status_code == 200


def test_a_service_has_no_sign_in_to_end(as_):
    service = as_("service", scopes=["customers:read"])

    assert service.get("token/revoke").json() == []
    assert service.get("customer").status_code == 200


def test_without_a_token_nothing_is_revoked(nobody):
    assert nobody.get("token/revoke").status_code == 401


# --- Permanent keys
@pytest.mark.parametrize("role", ["admin", "service"])
def test_t84_a_permanent_key_opens(shop, role):
    key = make_token(shop, role)

    by_header = OpenLoyalty().get("customer", headers={"X-AUTH-TOKEN": key})
    by_query = OpenLoyalty().get(f"customer?auth_token={key}")

    assert [by_header.status_code, by_query.status_code] == [200, 200]


@pytest.mark.parametrize("key", ["wrong", "x" * 500, "é", "%00"])
def test_t84_a_wrong_key_is_forbidden(shop, key):
    answer = OpenLoyalty().get("customer", headers={"X-AUTH-TOKEN": key})

    assert answer.status_code == 403
    assert set(answer.json()) == {"message"}
    assert OpenLoyalty().get(f"customer?auth_token={key}").status_code == 403


def test_t84_the_token_of_a_seller_is_no_permanent_key(shop):
    key = make_token(shop, "seller")

    assert OpenLoyalty().get("customer", headers={"X-AUTH-TOKEN": key}).status_code == 403


def test_a_key_of_another_tenant_leads_nowhere(shop, rival):
    key = make_token(rival)

    assert OpenLoyalty().get("customer", headers={"X-AUTH-TOKEN": key}).status_code == 404


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("", "Authentication Required"),
        ("Basic abc", "Authentication Required"),
        ("Bearer wrong", "Invalid JWT Token"),
        ("Bearer \x7f", "Invalid JWT Token"),
    ],
)
def test_a_missing_credential_and_a_wrong_one_are_told_apart(shop, header, message):
    answer = OpenLoyalty().get("customer", headers={"Authorization": header})

    assert (answer.status_code, answer.json()["message"]) == (401, message)


def test_an_expired_token_is_refused(shop):
    key = make_token(shop)
    with all_tenants():
        AccessToken.objects.update(expires_at="2020-01-01T00:00:00Z")

    assert OpenLoyalty(key).get("customer").status_code == 401
