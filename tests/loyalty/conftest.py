"""What the stories of the programme share: levels, an account, ways to sell and to take back."""

import pytest

from loyalty.services import account_of, delete_level, record_transaction
from tests.api_client import admin, anonymous, as_role, seller  # noqa: F401
from tests.loyalty.story import NOON, USUAL_LEVELS, make_levels


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


@pytest.fixture
def sell():
    """A function that records a sale: `sell(customer, "S1", 9_00)`; (transaction, created)."""

    def record(customer, number, amount, **fields):
        fields = {"purchased_at": NOON, **fields}
        return record_transaction(customer, number=number, amount=amount, **fields)

    return record


@pytest.fixture
def take_back():
    """A function that records a return: `take_back(customer, "R1", 9_00, "S1")`."""

    def record(customer, number, amount, revises, **fields):
        fields = {"purchased_at": NOON, "kind": "return", **fields}
        return record_transaction(customer, number=number, amount=amount, revises=revises, **fields)

    return record
