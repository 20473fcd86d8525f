"""The shop of Open Loyalty's stories, and its people."""

import itertools
import uuid

import pytest

from loyalty.models import Level
from loyalty.services import create_level, record_transaction, update_level
from tenancy import clock
from tenancy.models import StaffMember
from tenancy.scoping import all_tenants, in_tenant
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


@pytest.fixture
def levels(shop):
    """The usual four levels by name, with the percents of the vendor's samples."""
    with in_tenant(shop):
        first = update_level(
            Level.objects.get(), name="level0", translations={"pl": {"name": "poziom0"}}
        )
        others = {
            name: create_level(name=name, threshold=threshold, reward_percent=percent)
            for name, threshold, percent in (
                ("level1", 20, 5),
                ("level2", 200, 10),
                ("level3", 999, 15),
            )
        }
    return {"level0": first, **others}


@pytest.fixture
def sell(shop):
    """A function (customer id, number, amount in cents, **fields) that records a sale."""

    def sell(customer_id, number, amount, **fields):
        fields = {"purchased_at": clock.now(), **fields}
        with in_tenant(shop):
            return record_transaction(
                uuid.UUID(customer_id), number=number, amount=amount, **fields
            )

    return sell
