"""People who sign in to the back office, and the pages they open."""

import pytest
from django.test import Client
from django.urls import reverse

from tenancy.models import User
from tests.factories import PASSWORD


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def operator(db):
    """A superuser without a membership."""
    return User.objects.create_superuser("operator@example.org", PASSWORD, name="Olga Operator")


@pytest.fixture
def office(boss):
    """The back office as the administrator sees it."""
    return signed_in(boss)


@pytest.fixture
def shop(clerk):
    """The back office as the seller sees it."""
    return signed_in(clerk)


@pytest.fixture
def bridge(operator):
    """The back office as the operator sees it."""
    return signed_in(operator)


def page(model, name="change", *args):
    return reverse(f"admin:{model}_{name}", args=args)


def customer_page(customer, name="change"):
    return page("customers_customer", name, customer.pk)
