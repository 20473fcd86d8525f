"""Signing in, refreshing, and what ends a session."""

import threading
from datetime import timedelta

import pytest
from django.db import connection

from customers.services import (
    anonymise_customer,
    deactivate_customer,
    set_customer_password,
    sign_in_customer,
)
from tenancy.clock import frozen, now
from tenancy.models import AccessToken, AccessTokenQuerySet, Tenant
from tenancy.scoping import all_tenants, in_tenant
from tenancy.services import (
    SignInRefused,
    principal_of,
    refresh_tokens,
    revoke_token,
    sign_in_staff,
    signing_in,
    update_staff,
    update_tenant,
)
from tenancy.services.staff import set_user_password
from tests.api_client import Api
from tests.factories import PASSWORD, StaffMemberFactory, TenantFactory, make_token

HERE = "192.0.2.1"
NEW_PASSWORD = "another correct horse battery"


@pytest.fixture
def boss(tenant):
    return StaffMemberFactory(tenant=tenant, role="admin", user__email="boss@example.org")


def sign_in(email="boss@example.org", password=PASSWORD, *, code="acme", **options):
    return Api().post(f"tenants/{code}/sign-in/", {"email": email, "password": password}, **options)


# --- Staff -----------------------------------------------------------------------------------
@pytest.mark.django_db
class TestStaff:
    def test_a_sign_in_answers_a_pair_that_opens_the_api(self, boss):
        answer = sign_in()

        assert answer.status_code == 200, answer.content
        assert set(answer.json()) == {"access_token", "refresh_token", "expires_in"}
        assert answer["Cache-Control"] == "no-store"
        session = Api(answer.json()["access_token"]).get("session/").json()
        assert (session["role"], session["staff"]["email"]) == ("admin", "boss@example.org")
        assert session["tenant"]["code"] == "acme"

    def test_the_tenant_may_be_written_in_any_case_and_the_slash_left_out(self, boss):
        body = {"email": "Boss@Example.ORG ", "password": PASSWORD}

        assert Api().post("tenants/ACME/sign-in", body).status_code == 200

    def test_every_refusal_looks_the_same(self, boss, rival):
        StaffMemberFactory(tenant=rival, user__email="stranger@example.org")
        StaffMemberFactory(tenant=boss.tenant, user__email="left@example.org", active=False)

        answers = [
            sign_in(password="wrong"),
            sign_in("nobody@example.org"),
            sign_in("stranger@example.org"),
            sign_in("left@example.org"),
            sign_in(code="nowhere"),
            sign_in(code="rival"),
            sign_in(password="x" * 10_000),
        ]

        assert {told(answer) for answer in answers} == {told(answers[0])}
        assert answers[0].status_code == 401

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"email": "boss@example.org"},
            {"email": "boss@example.org", "password": None},
            {"email": ["boss@example.org"], "password": PASSWORD},
            {"email": "boss@example.org", "password": PASSWORD, "role": "admin"},
            [],
        ],
    )
    def test_a_body_of_another_form_is_refused_by_field(self, boss, body):
        assert Api().post("tenants/acme/sign-in/", body).status_code == 400


def told(answer):
    """Everything of an answer that a stranger sees, without the request's own id."""
    body = {**answer.json(), "request_id": ""}
    headers = {k: v for k, v in answer.headers.items() if k != "X-Request-Id"}
    return str(answer.status_code), str(sorted(body.items())), str(sorted(headers.items()))


# --- A1: guessing ----------------------------------------------------------------------------
@pytest.fixture
def hashed(monkeypatch):
    """How often a password reached the hasher."""
    calls = []
    for name in ("check_password", "make_password"):
        real = getattr(signing_in, name)

        def spy(*args, real=real):
            calls.append(args)
            return real(*args)

        monkeypatch.setattr(signing_in, name, spy)
    return calls


def guess_200_times():
    """200 wrong passwords for one account, from 50 addresses; returns the statuses."""
    return [
        sign_in(password=f"wrong {n}", REMOTE_ADDR=f"198.51.100.{n % 50}").status_code
        for n in range(200)
    ]


@pytest.mark.django_db
class TestGuessing:
    def test_of_200_guesses_10_reach_the_hasher(self, boss, hashed):
        statuses = guess_200_times()

        assert len(hashed) == 10
        assert (statuses.count(401), statuses.count(429)) == (10, 190)

    def test_without_the_counter_all_of_them_would(self, boss, hashed, monkeypatch):
        monkeypatch.setattr(signing_in, "count_or_refuse", lambda *args, **limits: None)

        guess_200_times()

        assert len(hashed) == 200

    def test_an_unknown_account_is_counted_and_answered_alike(self, boss, hashed):
        known = [told(sign_in(password="wrong")) for _ in range(12)]
        n_known = len(hashed)
        unknown = [told(sign_in("nobody@example.org")) for _ in range(12)]

        assert [status for status, *_ in known] == [status for status, *_ in unknown]
        assert known[0] == unknown[0]
        assert len(hashed) == 2 * n_known

    def test_a_tenant_that_does_not_exist_is_counted_alike_for_customers_too(self, tenant):
        body = {"login": "ada@example.org", "password": "wrong"}

        real, unreal = (
            [Api().post(f"tenants/{code}/customer-sign-in/", body).status_code for _ in range(12)]
            for code in ("acme", "nowhere")
        )

        assert real == unreal == [401] * 10 + [429] * 2

    def test_a_refusal_says_when_to_come_back_and_then_the_right_one_works(self, boss):
        guess_200_times()

        refused = sign_in()

        assert refused.status_code == 429
        assert 0 < int(refused["Retry-After"]) <= 15 * 60
        with frozen(now() + timedelta(minutes=16)):
            assert sign_in().status_code == 200

    def test_other_accounts_are_not_affected(self, boss, tenant):
        StaffMemberFactory(tenant=tenant, user__email="other@example.org")
        guess_200_times()

        assert sign_in("other@example.org").status_code == 200

    def test_a_forged_address_does_not_start_a_new_count(self, boss):
        statuses = [
            sign_in(
                f"nobody{n}@example.org", headers={"X-Forwarded-For": f"203.0.113.{n % 250}"}
            ).status_code
            for n in range(101)
        ]

        assert (statuses.count(401), statuses[-1]) == (100, 429)


# --- Refreshing ------------------------------------------------------------------------------
def refresh(token, code="acme"):
    return Api().post(f"tenants/{code}/refresh/", {"refresh_token": token})


@pytest.mark.django_db
class TestRefresh:
    def test_a_refresh_token_gives_a_new_pair_and_ends_the_old(self, boss):
        old = sign_in().json()

        new = refresh(old["refresh_token"])

        assert new.status_code == 200
        assert Api(new.json()["access_token"]).get("session/").status_code == 200
        assert Api(old["access_token"]).get("session/").status_code == 401

    def test_a_refresh_token_that_comes_twice_ends_every_token_of_its_sign_in(self, boss):
        old = sign_in().json()
        new = refresh(old["refresh_token"]).json()

        stolen = refresh(old["refresh_token"])

        assert stolen.status_code == 401
        assert Api(new["access_token"]).get("session/").status_code == 401
        assert refresh(new["refresh_token"]).status_code == 401

    def test_its_beginning_alone_ends_nothing(self, boss):
        old = sign_in().json()
        new = refresh(old["refresh_token"]).json()

        assert refresh(old["refresh_token"][:12] + "x" * 31).status_code == 401

        assert Api(new["access_token"]).get("session/").status_code == 200

    def test_an_access_token_does_not_refresh_and_a_refresh_token_opens_nothing(self, boss):
        pair = sign_in().json()

        assert refresh(pair["access_token"]).status_code == 401
        assert Api(pair["refresh_token"]).get("session/").status_code == 401

    def test_it_counts_only_at_its_own_tenant_and_is_not_used_up_elsewhere(self, boss, rival):
        pair = sign_in().json()

        elsewhere = [refresh(pair["refresh_token"], code) for code in ("rival", "nowhere")]

        assert [told(answer) for answer in elsewhere] == [told(refresh("nonsense"))] * 2
        assert refresh(pair["refresh_token"]).status_code == 200

    @pytest.mark.parametrize("text", ["", "x", "é" * 43, "x" * 201, "\u0000", 7, None])
    def test_nonsense_is_refused_and_never_breaks(self, tenant, text):
        assert refresh(text).status_code in (400, 401)

    def test_a_refresh_token_ends_too(self, boss):
        pair = sign_in().json()

        with frozen(now() + timedelta(days=15)):
            assert refresh(pair["refresh_token"]).status_code == 401


@pytest.mark.django_db(transaction=True)
def test_of_two_refreshes_at_once_one_gets_a_pair():
    tenant = TenantFactory(code="acme")
    StaffMemberFactory(tenant=tenant, user__email="boss@example.org")
    for _round in range(5):
        pair = sign_in_staff(tenant, "boss@example.org", PASSWORD, address=HERE)
        start, outcomes = threading.Barrier(2), []

        def run(token=pair["refresh_token"], start=start, outcomes=outcomes):
            start.wait(timeout=20)
            try:
                outcomes.append(refresh_tokens(token))
            except SignInRefused:
                outcomes.append(None)
            finally:
                connection.close()

        threads = [threading.Thread(target=run) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)

        assert len(outcomes) == 2
        assert outcomes.count(None) >= 1


# --- Customers -------------------------------------------------------------------------------
@pytest.mark.django_db
class TestCustomers:
    @pytest.fixture(autouse=True)
    def _password(self, ada):
        set_customer_password(ada, PASSWORD)

    def sign_in(self, login, password=PASSWORD):
        return Api().post("tenants/acme/customer-sign-in/", {"login": login, "password": password})

    @pytest.mark.parametrize("login", ["ada@example.org", "7001"])
    def test_a_customer_signs_in_and_sees_who_it_is(self, ada, login):
        pair = self.sign_in(login).json()

        session = Api(pair["access_token"]).get("session/").json()

        assert (session["role"], session["customer"]) == ("customer", str(ada.pk))
        assert (session["scopes"], session["staff"]) == ([], None)

    def test_every_refusal_looks_the_same(self, ada):
        wrong, unknown = self.sign_in("7001", "wrong"), self.sign_in("7002", "wrong")
        deactivate_customer(ada)

        blocked = self.sign_in("7001")

        assert told(wrong) == told(unknown) == told(blocked)

    def test_another_way_to_write_a_phone_brings_no_tries_of_its_own(self):
        written = ["90000009", "900 00 009", "+4790000009", "0047 900 00 009", "(900) 00-009"]

        statuses = [self.sign_in(written[n % 5], "wrong").status_code for n in range(15)]

        assert statuses == [401] * 10 + [429] * 5

    def test_a_customer_of_one_tenant_is_unknown_at_another(self, rival):
        body = {"login": "7001", "password": PASSWORD}

        assert Api().post("tenants/rival/customer-sign-in/", body).status_code == 401


# --- A5: what ends a token -------------------------------------------------------------------
@pytest.mark.django_db
class TestTheEndOfAToken:
    """After each of these the next call with the token is refused."""

    @pytest.fixture
    def api(self, boss):
        api = Api(sign_in().json()["access_token"])
        assert api.get("session/").status_code == 200
        return api

    def revoke(self, boss):
        with all_tenants():
            revoke_token(AccessToken.objects.filter(kind="access").latest("created_at"))

    def change_role(self, boss):
        with in_tenant(boss.tenant):
            update_staff(boss, role="seller")

    def dismiss(self, boss):
        with in_tenant(boss.tenant):
            update_staff(boss, active=False)

    def disable_user(self, boss):
        boss.user.is_active = False
        boss.user.save()

    def close_tenant(self, boss):
        update_tenant(Tenant.objects.get(pk=boss.tenant_id), active=False)

    def change_password(self, boss):
        set_user_password(boss.user, NEW_PASSWORD)

    @pytest.mark.parametrize(
        "end",
        [
            "revoke",
            "change_role",
            "dismiss",
            "disable_user",
            "close_tenant",
            "change_password",
        ],
    )
    def test_the_next_call_of_a_staff_member_is_refused(self, api, boss, end):
        getattr(self, end)(boss)

        assert api.get("session/").status_code == 401

    def test_the_next_call_after_its_time_is_refused(self, api):
        with frozen(now() + timedelta(minutes=61)):
            assert api.get("session/").status_code == 401

    def test_the_next_call_after_signing_out_is_refused(self, api):
        assert api.post("session/revoke/").status_code == 204

        assert api.get("session/").status_code == 401

    @pytest.mark.parametrize(
        "end",
        [
            deactivate_customer,
            anonymise_customer,
            lambda customer: set_customer_password(customer, NEW_PASSWORD),
        ],
        ids=["deactivated", "anonymised", "new password"],
    )
    def test_the_next_call_of_a_customer_is_refused(self, ada, end):
        set_customer_password(ada, PASSWORD)
        pair = sign_in_customer("7001", PASSWORD, address=HERE)
        api = Api(pair["access_token"])
        assert api.get(f"customers/{ada.pk}/").status_code == 200

        end(ada)

        assert api.get(f"customers/{ada.pk}/").status_code == 401
        assert refresh(pair["refresh_token"]).status_code == 401

    def test_if_the_end_were_not_looked_at_the_token_would_go_on(self, api, boss, monkeypatch):
        monkeypatch.setattr(AccessTokenQuerySet, "live", lambda queryset: queryset.all())

        self.revoke(boss)

        assert api.get("session/").status_code == 200

    def test_the_prefix_with_another_ending_opens_nothing(self, tenant):
        plain = make_token(tenant)

        assert principal_of(plain[:12] + "A" * (len(plain) - 12)) is None
        assert principal_of(plain) is not None
