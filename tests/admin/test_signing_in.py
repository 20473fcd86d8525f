"""Signing in and out, the tenant switch, the own password, and the headers around it all."""

import re

import pytest
from django.test import Client

from events.models import HistoryEntry
from tenancy.models import AccessToken
from tenancy.scoping import all_tenants, in_tenant
from tenancy.services import create_token
from tests.admin.browsing import text_of
from tests.factories import PASSWORD, StaffMemberFactory

pytestmark = pytest.mark.django_db
LOGIN = "/admin/login/"


def sign_in(client, user, password=PASSWORD, url=LOGIN):
    return client.post(url, {"username": user.email, "password": password})


def test_signing_in_by_email_leads_to_the_start(client, boss):
    response = sign_in(client, boss)

    assert response.status_code == 302
    assert response["Location"] == "/admin/"


def test_signing_in_leads_back_to_where_one_wanted_to_go(client, boss):
    asked = client.get("/admin/groups/group/")

    response = sign_in(client, boss, url=asked["Location"])

    assert response["Location"] == "/admin/groups/group/"


def test_an_email_is_taken_in_any_letter_case(client, boss):
    response = client.post(LOGIN, {"username": "BOSS@example.ORG", "password": PASSWORD})

    assert response.status_code == 302


def test_unknown_and_wrong_look_alike(client, boss):
    wrong = sign_in(client, boss, password="wrong")
    unknown = client.post(LOGIN, {"username": "nobody@example.org", "password": "wrong"})

    def errors(response):
        return response.context["form"].errors.as_text()

    assert errors(wrong) == errors(unknown) != ""


def test_after_ten_tries_the_page_says_how_long_to_wait_even_for_the_right_password(client, boss):
    for _try in range(10):
        sign_in(client, boss, password="wrong")

    response = sign_in(client, boss)

    assert response.status_code == 200
    assert re.search(r"Too many tries. Wait \d+ minutes", text_of(response))


def test_odd_input_at_the_door_is_no_error(client, db):
    for name in ("\0", "x" * 5000, "\ud7ff", "'--"):
        response = client.post(LOGIN, {"username": name, "password": name})

        assert response.status_code == 200


def test_somebody_without_a_membership_does_not_come_in(client, boss, tenant):
    with in_tenant(tenant):
        boss.memberships.update(active=False)

    response = sign_in(client, boss)

    assert response.status_code == 200


def test_an_ended_membership_ends_the_session(office, boss, tenant):
    with in_tenant(tenant):
        boss.memberships.update(active=False)

    response = office.get("/admin/")

    assert response.status_code == 302
    assert response["Location"].startswith(LOGIN)


def test_signing_out(office):
    office.post("/admin/logout/")

    assert office.get("/admin/").status_code == 302


# --- The tenant ------------------------------------------------------------------------------
def test_the_tenant_stands_in_the_header(office, tenant):
    assert "Acme" in text_of(office.get("/admin/"))


def test_a_person_of_two_tenants_starts_in_the_default_one_and_switches(office, boss, rival):
    StaffMemberFactory(tenant=rival, user=boss, role="seller")

    before = office.get("/admin/")
    answer = office.post("/admin/tenant/", {"tenant": str(rival.pk)})
    after = office.get("/admin/")

    assert before.context["tenant"].code == "acme"
    assert answer["Location"] == "/admin/"
    assert after.context["tenant"] == rival
    assert office.get("/admin/tenancy/staffmember/").status_code == 403  # only a seller there


def test_a_switch_needs_a_post_and_a_token_against_forgery(boss, rival):
    StaffMemberFactory(tenant=rival, user=boss)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(boss)

    strict.get(f"/admin/tenant/?tenant={rival.pk}")
    forged = strict.post("/admin/tenant/", {"tenant": str(rival.pk)})

    assert forged.status_code == 403
    assert strict.get("/admin/").context["tenant"].code == "acme"


@pytest.mark.parametrize("value", ["", "nonsense", "00000000-0000-4000-8000-000000000000"])
def test_nobody_enters_a_tenant_that_is_not_there(bridge, office, tenant, value):
    answers = [client.post("/admin/tenant/", {"tenant": value}) for client in (bridge, office)]

    assert [response.status_code for response in answers] == [403, 403]


def test_a_member_does_not_switch_to_a_stranger(office, rival):
    assert office.post("/admin/tenant/", {"tenant": str(rival.pk)}).status_code == 403


def test_nobody_works_in_a_tenant_that_was_switched_off(bridge, tenant):
    bridge.post("/admin/tenant/", {"tenant": str(tenant.pk)})
    tenant.active = False
    tenant.save()

    assert bridge.get("/admin/").context["tenant"] is None


def test_an_operator_without_a_tenant_is_asked_to_choose_one(bridge, tenant):
    start = bridge.get("/admin/")
    customers = bridge.get("/admin/customers/customer/", follow=True)

    assert "Choose a tenant" in text_of(start)
    assert customers.redirect_chain == [("/admin/tenant/", 302)]
    assert "Choose a tenant first" in text_of(customers)


def test_an_operator_without_a_tenant_manages_tenants_and_users(bridge, tenant):
    urls = ["/admin/tenancy/tenant/", "/admin/tenancy/user/", "/admin/tenancy/tenant/add/"]

    assert [bridge.get(url).status_code for url in urls] == [200, 200, 200]


def test_an_operator_enters_a_tenant_on_record(bridge, operator, tenant):
    bridge.post("/admin/tenant/", {"tenant": str(tenant.pk)})

    response = bridge.get("/admin/customers/customer/")

    assert response.status_code == 200
    with in_tenant(tenant):
        entry = HistoryEntry.objects.get(deed="operator.entered")
    assert (entry.actor_id, entry.subject_id) == (operator.pk, tenant.pk)


def test_a_member_who_switches_leaves_no_such_record(office, boss, rival):
    StaffMemberFactory(tenant=rival, user=boss)

    office.post("/admin/tenant/", {"tenant": str(rival.pk)})

    with all_tenants():
        assert not HistoryEntry.objects.filter(deed="operator.entered").exists()


# --- The own password ------------------------------------------------------------------------
def change(client, old, new):
    return client.post(
        "/admin/password_change/",
        {"old_password": old, "new_password1": new, "new_password2": new},
    )


def test_a_new_password_ends_every_token_and_keeps_the_session(office, boss, tenant):
    with in_tenant(tenant):
        create_token(tenant, holder="staff", staff=boss.memberships.get())

    response = change(office, PASSWORD, "quite another horse")

    assert response.status_code == 302
    boss.refresh_from_db()
    assert boss.check_password("quite another horse")
    assert office.get("/admin/").status_code == 200
    with in_tenant(tenant):
        assert not AccessToken.objects.live().exists()


def test_the_present_password_is_asked_for_and_its_tries_are_counted(office, boss):
    answers = [change(office, "wrong", "quite another horse") for _try in range(11)]

    assert "This is not your password." in text_of(answers[0])
    assert "Too many tries" in text_of(answers[-1])
    boss.refresh_from_db()
    assert boss.check_password(PASSWORD)


def test_a_weak_password_is_refused(office, boss):
    response = change(office, PASSWORD, "12345")

    assert response.status_code == 200
    assert "new_password2" in response.context["form"].errors


# --- Headers and files -----------------------------------------------------------------------
@pytest.mark.parametrize("url", [LOGIN, "/admin/", "/admin/customers/customer/"])
def test_the_back_office_is_fenced_in(office, client, url):
    for browser in (office, client):
        policy = browser.get(url)["Content-Security-Policy"]

        assert "script-src 'self' 'unsafe-eval';" in policy
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy


def test_no_page_names_another_host_or_holds_an_inline_script(office, client, ada):
    urls = [LOGIN, "/admin/", "/admin/customers/customer/"]
    urls.append(f"/admin/customers/customer/{ada.pk}/change/")
    for url in urls:
        words = text_of((client if url == LOGIN else office).get(url))

        assert not re.findall(r'(?:src|href|action)="(?:https?:)?//', words)
        assert not re.findall(r"<script(?![^>]*\bsrc=)[^>]*>\s*\S", words)


def test_other_surfaces_get_no_such_policy(client, db):
    assert "Content-Security-Policy" not in client.get("/nowhere/")
