"""A query without a named tenant crashes; with one it sees nothing of anybody else."""

import pytest
from django.apps import apps
from django_scopes.exceptions import ScopeError

from customers.models import Customer
from tenancy.models import TenantOwned
from tenancy.scoping import all_tenants, current_tenant, in_tenant
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db

OWNED = [model for model in apps.get_models() if issubclass(model, TenantOwned)]
READS = {
    "all": lambda manager: list(manager.all()),
    "filter": lambda manager: manager.filter(pk=None),
    "exclude": lambda manager: manager.exclude(pk=None),
    "get": lambda manager: manager.get(pk="00000000-0000-0000-0000-000000000000"),
    "count": lambda manager: manager.count(),
    "exists": lambda manager: manager.exists(),
    "first": lambda manager: manager.first(),
    "values": lambda manager: manager.values(),
    "update": lambda manager: manager.update(),
    "in_bulk": lambda manager: manager.in_bulk(),
    "aggregate": lambda manager: manager.aggregate(),
    "iterator": lambda manager: list(manager.iterator()),
    "select_for_update": lambda manager: manager.select_for_update(),
}


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("model", OWNED, ids=lambda model: model._meta.label)
def test_a_query_without_a_tenant_raises(model, read):
    with pytest.raises(ScopeError):
        READS[read](model.objects)


def test_the_methods_of_a_queryset_raise_without_a_tenant_too():
    with pytest.raises(ScopeError):
        Customer.objects.reachable("email")


def test_a_tenant_sees_only_its_own(acme, rival):
    CustomerFactory(tenant=rival)
    mine = CustomerFactory(tenant=acme)

    found = list(Customer.objects.all())

    assert found == [mine]


def test_a_foreign_row_is_not_found_by_its_key(acme, rival):
    theirs = CustomerFactory(tenant=rival)

    assert not Customer.objects.filter(pk=theirs.pk).exists()


def test_a_scope_inside_a_scope_replaces_it_and_gives_it_back(tenant, rival):
    with in_tenant(tenant):
        with in_tenant(rival):
            assert current_tenant() == rival
        assert current_tenant() == tenant

    assert current_tenant() is None


def test_lifting_the_scope_shows_all_and_names_nobody(acme, rival):
    CustomerFactory(tenant=rival)
    CustomerFactory(tenant=acme)

    with all_tenants():
        assert Customer.objects.count() == 2
        assert current_tenant() is None


@pytest.mark.parametrize("nothing", [None, "acme", 7])
def test_only_a_real_tenant_opens_a_scope(nothing):
    with pytest.raises((TypeError, AttributeError)), in_tenant(nothing):
        pass


def test_every_unique_constraint_of_ours_starts_with_the_tenant():
    """Distribution by tenant needs it; the exceptions carry their reason in the model."""
    without_tenant = {
        constraint.name
        for model in OWNED
        for constraint in model._meta.constraints
        if hasattr(constraint, "contains_expressions")
        and not constraint.contains_expressions
        and getattr(constraint, "fields", ())
        and constraint.fields[0] != "tenant"
    }

    assert without_tenant == {
        "token_prefix_unique",
        "job_key_waits_once_installation",
        "job_slot_once_installation",
    }
