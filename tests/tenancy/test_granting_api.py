"""Nobody hands on what they do not have, whatever they leave out."""

import pytest
from django.core.exceptions import ValidationError

from tenancy.models import AccessToken, StaffMember
from tenancy.services import create_token, update_staff
from tests.api_client import Api
from tests.factories import StaffMemberFactory, StoreFactory

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


def test_a_token_of_one_store_frees_no_member_from_stores(acme, as_role):
    own, _other = StoreFactory(tenant=acme, code="a"), StoreFactory(tenant=acme, code="b")
    member = StaffMemberFactory(tenant=acme, role="seller")
    update_staff(member, stores=[own])
    bound = as_role("admin", stores=[own])

    for stores in ([], ["b"], ["a", "b"]):
        response = bound.patch(f"staff/{member.pk}/", {"stores": stores})
        assert response.status_code == 400
        assert response.json()["errors"][0]["field"] == "stores"

    assert list(member.stores.all()) == [own]


def test_a_store_of_another_tenant_binds_neither_member_nor_token(acme, rival):
    foreign = StoreFactory(tenant=rival)
    member = StaffMemberFactory(tenant=acme)

    for attempt in (
        lambda: update_staff(member, stores=[foreign]),
        lambda: create_token(acme, holder="service", scopes=["groups:read"], stores=[foreign]),
    ):
        with pytest.raises(ValidationError) as refusal:
            attempt()
        assert set(refusal.value.error_dict) == {"stores"}


def test_a_token_never_does_more_than_its_members_present_role(acme):
    member = StaffMemberFactory(tenant=acme, role="admin")
    scopes = ["customers:read", "customers:delete"]
    _row, token = create_token(acme, holder="staff", staff=member, scopes=scopes)
    # Behind the service's back, which would have ended the token with the role.
    StaffMember.objects.filter(pk=member.pk).update(role="seller")

    session = Api(token).get("session/").json()

    assert (session["role"], session["scopes"]) == ("seller", ["customers:read"])
