"""The tokens of Flow Retail's stories."""

import pytest

from tests.dialects.flowretail.client import FlowRetail
from tests.factories import StoreFactory, make_token

ACCESS = ["customers:read", "customers:write"]


@pytest.fixture
def access(tenant):
    """TENANT.ACCESS: reading and writing customers."""
    return FlowRetail(make_token(tenant, "service", scopes=ACCESS))


@pytest.fixture
def backoffice(tenant):
    """TENANT.BACKOFFICE: deleting them too."""
    return FlowRetail(make_token(tenant, "service", scopes=[*ACCESS, "customers:delete"]))


@pytest.fixture
def seller(tenant):
    """A seller at a till."""
    return FlowRetail(make_token(tenant, "seller"))


@pytest.fixture
def s1(tenant):
    """A store beside the default one."""
    return StoreFactory(tenant=tenant, code="s1")
