"""Whoever ends the sessions of a person ends the one, too, that is being renewed meanwhile."""

import threading

import pytest
from django.db import connection

from tenancy.models import AccessToken
from tenancy.scoping import in_tenant
from tenancy.services import (
    SignInRefused,
    issue_pair,
    refresh_tokens,
    revoke_customer_tokens,
    signing_in,
    tokens,
)
from tests.factories import CustomerFactory, StaffMemberFactory, TenantFactory


def sessions_left(monkeypatch):
    """Revoke a customer's tokens while a refresh has made its pair and not committed yet; returns
    how many tokens are accepted afterwards."""
    tenant = TenantFactory()
    customer = CustomerFactory(tenant=tenant)
    pair = issue_pair(tenant, holder="customer", customer_id=customer.pk)
    made, waiting = threading.Event(), threading.Event()

    def issue_slowly(*args, **options):
        new = issue_pair(*args, **options)
        made.set()
        waiting.wait(timeout=0.5)
        return new

    def refresh():
        try:
            refresh_tokens(pair["refresh_token"])
        finally:
            connection.close()

    monkeypatch.setattr(signing_in, "issue_pair", issue_slowly)
    thread = threading.Thread(target=refresh)
    thread.start()
    made.wait(timeout=20)
    revoke_customer_tokens(customer.pk)
    waiting.set()
    thread.join(timeout=20)
    with in_tenant(tenant):
        return AccessToken.objects.live().filter(customer_id=customer.pk).count()


@pytest.mark.django_db(transaction=True)
def test_a_refresh_under_way_does_not_outlive_the_revocation(monkeypatch):
    assert sessions_left(monkeypatch) == 0


@pytest.mark.django_db(transaction=True)
def test_without_looking_again_a_refresh_under_way_does_outlive_it(monkeypatch):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time: the two cannot meet")

    def revoke_once(queryset):
        return queryset.filter(revoked_at=None).update(revoked_at=tokens.clock.now())

    monkeypatch.setattr(tokens, "revoke_tokens", revoke_once)

    assert sessions_left(monkeypatch) == 2


@pytest.mark.parametrize("end", ["tenant", "member", "user"])
def test_a_refresh_ends_with_whom_it_speaks_for(acme, end):
    member = StaffMemberFactory(tenant=acme)
    pair = issue_pair(acme, holder="staff", staff=member)
    owner = {"tenant": acme, "member": member, "user": member.user}[end]
    setattr(owner, "is_active" if end == "user" else "active", False)
    owner.save()

    with pytest.raises(SignInRefused):
        refresh_tokens(pair["refresh_token"])
