"""The shop of Open Loyalty's stories, and its people."""

import itertools

import pytest

from tenancy.models import StaffMember
from tenancy.scoping import all_tenants
from tenancy.services import update_tenant
from tests.dialects.openloyalty.client import OpenLoyalty, customer
from tests.factories import TenantFactory, make_token


@pytest.fixture
def shop(db):
    """DEFAULT, in Warsaw, where accounts are activated by mail."""
    tenant = TenantFactory(
        code="DEFAULT", name="Shop", country="PL", currency="EUR", timezone="Europe/Warsaw"
    )
    settings = {"activation_method": "email", "self_registration": True}
    return update_tenant(tenant, settings=settings)


@pytest.fixture
def by_sms(shop):
    """The same shop, where a phone is proven."""
    return update_tenant(shop, settings={"activation_method": "sms"})


@pytest.fixture
def as_(shop):
    """A function (role, **options of make_token) -> OpenLoyalty."""
    return lambda role="admin", **options: OpenLoyalty(make_token(shop, role, **options))


@pytest.fixture
def admin(as_):
    return as_("admin")


@pytest.fixture
def seller(as_):
    return as_("seller")


@pytest.fixture
def nobody(shop):
    return OpenLoyalty()


@pytest.fixture
def register(admin):
    """A function (**fields) -> customerId: somebody registered by the administrator."""
    count = itertools.count(1)

    def register(**fields):
        n = next(count)
        given = {
            "firstName": "John",
            "lastName": "Kowalski",
            "email": f"john{n}@example.com",
            "agreement1": "1",
        } | fields
        answer = admin.post("customer/register", customer(**given))
        assert answer.status_code == 200, answer.content
        return answer.json()["customerId"]

    return register


@pytest.fixture
def members(shop):
    """The staff members of the shop, by role."""

    def members(role):
        with all_tenants():
            return StaffMember.objects.filter(tenant=shop, role=role).latest("created_at")

    return members
