"""create_tenant, create_store, create_staff, create_token: idempotent, scriptable, honest."""

import io

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from tenancy.models import StaffMember, Store, Tenant, User
from tenancy.scoping import all_tenants, in_tenant
from tenancy.services import principal_of

pytestmark = pytest.mark.django_db


def run(*arguments):
    """What the command printed on standard output."""
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def refusal(*arguments):
    with pytest.raises(CommandError) as error:
        run(*arguments)
    return str(error.value)


class TestTenant:
    def test_makes_a_tenant_with_its_default_store(self):
        run("create_tenant", "Acme", "--country", "Norway", "--currency", "nok")

        tenant = Tenant.objects.get()
        with in_tenant(tenant):
            assert Store.objects.get().default
        assert (tenant.code, tenant.country, tenant.currency) == ("Acme", "NO", "NOK")

    def test_bare_makes_no_store(self):
        run("create_tenant", "acme", "--bare")

        with all_tenants():
            assert not Store.objects.exists()

    def test_is_idempotent_in_any_letter_case(self):
        run("create_tenant", "Acme", "--name", "First")
        run("create_tenant", "ACME", "--name", "Second")

        assert Tenant.objects.get().name == "First"

    def test_takes_settings(self):
        run("create_tenant", "acme", "--setting", "self_registration=yes")

        assert Tenant.objects.get().setting("self_registration") is True

    @pytest.mark.parametrize(
        ("arguments", "named"),
        [
            (["admin"], "code"),
            (["POS"], "code"),
            (["a b"], "code"),
            (["x" * 65], "code"),
            (["acme", "--currency", "QQQ"], "currency"),
            (["acme", "--country", "Nowhere"], "country"),
            (["acme", "--timezone", "Mars/North"], "timezone"),
            (["acme", "--setting", "colour=red"], "colour"),
            (["acme", "--setting", "self_registration=maybe"], "self_registration"),
            (["acme", "--setting", "activation_method=pigeon"], "activation_method"),
            (["acme", "--setting", "activation_method"], "NAME=VALUE"),
        ],
    )
    def test_refuses_by_name_and_makes_nothing(self, arguments, named):
        assert named in refusal("create_tenant", *arguments)
        assert not Tenant.objects.exists()


class TestStore:
    @pytest.fixture(autouse=True)
    def _tenant(self, tenant):
        pass

    def test_takes_the_next_location_number(self):
        run("create_store", "acme", "oslo")

        with all_tenants():
            assert Store.objects.get(code="oslo").location_id == 2

    def test_is_idempotent(self):
        run("create_store", "acme", "oslo", "--name", "First")
        run("create_store", "acme", "OSLO", "--name", "Second")

        with all_tenants():
            assert Store.objects.get(code="oslo").name == "First"

    def test_refuses_a_location_that_another_store_has(self):
        assert "location_id" in refusal("create_store", "acme", "oslo", "--location-id", "1")

    def test_refuses_an_unknown_tenant(self):
        assert "'nobody'" in refusal("create_store", "nobody", "oslo")


class TestStaff:
    @pytest.fixture(autouse=True)
    def _tenant(self, tenant):
        pass

    def test_makes_a_person_who_can_sign_in(self):
        run(
            "create_staff",
            "acme",
            "Ingrid@Example.org",
            "--role",
            "admin",
            "--password",
            "correct horse battery",
        )

        user = User.objects.get()
        assert user.email == "ingrid@example.org"
        assert user.check_password("correct horse battery")

    def test_again_changes_the_role_and_keeps_the_password(self):
        run(
            "create_staff",
            "acme",
            "i@example.org",
            "--role",
            "admin",
            "--password",
            "horse battery 1",
        )
        run(
            "create_staff",
            "acme",
            "i@example.org",
            "--role",
            "seller",
            "--password",
            "other pass 22",
        )

        with all_tenants():
            assert StaffMember.objects.get().role == "seller"
        assert User.objects.get().check_password("horse battery 1")

    @pytest.mark.parametrize(
        ("email", "password", "named"),
        [("nobody", "correct horse", "email"), ("i@example.org", "123", "password")],
    )
    def test_refuses_by_name_and_makes_nobody(self, email, password, named):
        told = refusal("create_staff", "acme", email, "--role", "admin", "--password", password)

        assert named in told
        assert not User.objects.exists()


class TestToken:
    @pytest.fixture(autouse=True)
    def _tenant(self, tenant):
        run("create_staff", "acme", "i@example.org", "--role", "admin")

    def test_prints_the_token_alone(self):
        printed = run("create_token", "acme", "--role", "admin")

        assert principal_of(printed.removesuffix("\n")).kind == "admin"
        assert printed.count("\n") == 1

    def test_a_service_has_exactly_its_scopes(self):
        plain = run(
            "create_token", "acme", "--role", "service", "--scope", "customers:read"
        ).strip()

        assert principal_of(plain).scopes == {"customers:read"}

    def test_binds_to_stores(self):
        plain = run("create_token", "acme", "--role", "admin", "--store", "main").strip()

        assert len(principal_of(plain).store_ids) == 1

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            (["--role", "service"], "scopes"),
            (["--role", "service", "--scope", "everything"], "scopes"),
            (["--role", "service", "--scope", "customers:read", "--staff", "x@y.z"], "--staff"),
            (["--role", "seller"], "seller"),
            (["--role", "admin", "--staff", "nobody@example.org"], "nobody@example.org"),
            (["--role", "admin", "--store", "nowhere"], "nowhere"),
        ],
    )
    def test_refuses_in_words(self, arguments, told):
        assert told in refusal("create_token", "acme", *arguments)

    def test_asks_who_where_several_have_the_role(self):
        run("create_staff", "acme", "j@example.org", "--role", "admin")

        assert "--staff" in refusal("create_token", "acme", "--role", "admin")
