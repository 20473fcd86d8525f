"""The short cuts of the factories leave what the deeds leave."""

import pytest
from django.apps import apps
from django.forms.models import model_to_dict

from tenancy.models import TenantOwned
from tenancy.scoping import in_tenant
from tenancy.services import create_tenant
from tests.factories import TenantFactory

PLACES = {"country": "NO", "currency": "NOK", "timezone": "Europe/Oslo"}


def all_of(tenant):
    """All that is stored of a tenant, without keys."""
    rows = [model_to_dict(tenant, exclude=["id"])]
    with in_tenant(tenant):
        for model in apps.get_models():
            if issubclass(model, TenantOwned):
                fields = [f.name for f in model._meta.concrete_fields if not f.is_relation]
                rows += [
                    (model.__name__, model_to_dict(row, fields=fields, exclude=["id"]))
                    for row in model.objects.all()
                ]
    return rows


@pytest.mark.django_db
def test_a_copied_tenant_is_like_one_that_was_created():
    TenantFactory(code="pattern", name="Pattern")
    copied = TenantFactory(code="acme", name="Acme")
    copied_rows = all_of(copied)
    copied.delete()

    created, _new = create_tenant("acme", name="Acme", **PLACES)

    assert copied_rows == all_of(created)
    assert len(copied_rows) >= 3


@pytest.mark.django_db
def test_two_copies_share_no_row_and_no_value():
    one, other = TenantFactory(code="one"), TenantFactory(code="other")

    one.settings["locale"] = "nb"

    assert one.pk != other.pk
    assert "locale" not in other.settings
