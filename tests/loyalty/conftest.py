import pytest

from loyalty.services import account_of, delete_level
from tests.loyalty.story import USUAL_LEVELS, make_levels


@pytest.fixture
def levels(acme):
    """The four usual levels by name, in place of the one that every tenant begins with."""
    from loyalty.models import Level

    first = Level.objects.get()
    usual = make_levels(*USUAL_LEVELS)
    delete_level(first, move_to=usual["level0"])
    return usual


@pytest.fixture
def account(levels, ada):
    """Ada's account, on the lowest of the usual levels."""
    return account_of(ada)
