"""The shop of Fieldpine's stories."""

import pytest

from tests.dialects.fieldpine.client import Fieldpine
from tests.factories import make_token


@pytest.fixture
def api(tenant):
    """The client of a service of Acme's with every right."""
    return Fieldpine(make_token(tenant, "service"))
