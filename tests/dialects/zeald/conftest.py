"""The shop of Zeald's stories, and its people."""

import pytest

from customers.models import Customer
from customers.records import record_of
from loyalty.services import record_transaction
from tenancy import clock
from tenancy.scoping import in_tenant
from tests.dialects.zeald.client import PASSWORD, Zeald, customer, group, link
from tests.factories import StoreFactory, TenantFactory, make_token


@pytest.fixture
def shop(db):
    """A shop in New Zealand."""
    return TenantFactory(code="spider", country="NZ", currency="NZD", timezone="Pacific/Auckland")


@pytest.fixture
def as_(shop):
    """A function (role, **options of make_token) -> Zeald."""
    return lambda role="admin", **options: Zeald(make_token(shop, role, **options))


@pytest.fixture
def admin(as_):
    return as_("admin")


@pytest.fixture
def knowing(as_):
    """A service that is shown hashes."""
    return as_("service")


@pytest.fixture
def groups(admin):
    """The groups `dealer` and `vip`."""
    answer = admin.post(
        "UserGroups", group(code="dealer", title="Dealers"), group(code="vip", title="VIPs")
    )
    assert answer.status_code == 201, answer.content


@pytest.fixture
def peter_body():
    """Peter Parker as the vendor's document has him."""
    return customer(
        link(username="peter@parker.nz", group_code="dealer"),
        link(username="peter@parker.nz", group_code="vip"),
        username="peter@parker.nz",
        password=PASSWORD,
        email="peter@parker.nz",
        b_fname="Peter",
        b_lname="Parker",
    )


@pytest.fixture
def peter(admin, groups, peter_body):
    """Peter, in both groups; his path."""
    answer = admin.post("Customer+UserCustomerGroups", peter_body)
    assert answer.status_code == 201, answer.content
    return "peter@parker.nz"


@pytest.fixture
def recorded(shop):
    """A function username -> our record of that customer."""

    def recorded(username):
        with in_tenant(shop):
            return record_of(Customer.objects.get(username=username).pk)

    return recorded


@pytest.fixture
def orders(shop, peter):
    """Peter's two purchases, one of which came back."""
    with in_tenant(shop):
        who, at = Customer.objects.get(username=peter), clock.now()
        store = StoreFactory(tenant=shop, code="queens")
        record_transaction(
            who, number="A/1", amount=12_050, delivery_amount=500, purchased_at=at, store=store
        )
        record_transaction(
            who, number="A-2", kind="return", revises="A/1", amount=2_000, purchased_at=at
        )
