"""Nobody hands on what they do not have, whatever they leave out."""

import pytest

from tenancy.models import AccessToken
from tenancy.services import create_token
from tests.api_client import Api
from tests.factories import StaffMemberFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("body", [{}, {"scopes": []}, {"scopes": ["customers:delete"]}])
def test_a_narrowed_token_makes_no_wider_one_for_its_own_member(tenant, body):
    member = StaffMemberFactory(tenant=tenant, role="admin")
    _row, narrow = create_token(tenant, holder="staff", staff=member, scopes=["tokens:write"])

    response = Api(narrow).post("tokens/", {"staff": str(member.pk), **body})

    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == "scopes"


def test_an_unnarrowed_administrator_makes_a_token_with_the_role(acme, admin):
    member = StaffMemberFactory(tenant=acme, role="admin")

    response = admin.post("tokens/", {"staff": str(member.pk), "scopes": []})

    assert response.status_code == 201
    assert AccessToken.objects.get(pk=response.json()["id"]).scopes == []
