"""Set-up: tenants and settings, stores, staff, tokens shown once, users, groups."""

import pytest

from events.models import HistoryEntry
from groups.models import Group
from groups.services import create_group, subscribe_customer
from tenancy.admin.rights import SCOPE_WORDS, role_table
from tenancy.admin.setting_words import CHOICES, LABELS
from tenancy.models import AccessToken, StaffMember, Store, Tenant, User
from tenancy.permissions import SCOPES
from tenancy.scoping import in_tenant
from tenancy.services import create_token, principal_of
from tenancy.tenant_settings import TABLE
from tests.admin.browsing import form_data, send, text_of
from tests.admin.conftest import page
from tests.factories import PASSWORD, GroupFactory, StaffMemberFactory, StoreFactory

pytestmark = pytest.mark.django_db


def errors_of(response):
    return dict(response.context["adminform"].form.errors)


# --- Tenants ---------------------------------------------------------------------------------
def test_every_setting_of_the_table_has_a_field(office, tenant):
    response = office.get(page("tenancy_tenant", "change", tenant.pk))

    fields = response.context["adminform"].form.fields
    assert {f"setting_{setting.name}" for setting in TABLE} <= set(fields)


def test_settings_are_changed_one_by_one(office, tenant):
    url = page("tenancy_tenant", "change", tenant.pk)

    response = send(office, url, "tenant_form", setting_locale="nb", name="Acme AS")

    assert response.status_code == 302, errors_of(response)
    tenant = Tenant.objects.get(pk=tenant.pk)
    assert tenant.name == "Acme AS"
    assert tenant.settings == {"locale": "nb"}


def test_a_bad_currency_is_refused_beside_its_field(office, tenant):
    url = page("tenancy_tenant", "change", tenant.pk)

    response = send(office, url, "tenant_form", timezone="Europe/Atlantis")

    assert response.status_code == 200
    assert "timezone" in errors_of(response)


def test_an_operator_makes_a_tenant_with_its_store(bridge):
    response = send(
        bridge, page("tenancy_tenant", "add"), "tenant_form", code="shop", name="Shop", country="SE"
    )

    assert response.status_code == 302, errors_of(response)
    tenant = Tenant.objects.get(code="shop")
    with in_tenant(tenant):
        assert Store.objects.get().default


@pytest.mark.parametrize("code", ["acme", "ACME", "admin", "a b"])
def test_a_taken_reserved_or_bent_code_is_refused(bridge, tenant, code):
    response = send(bridge, page("tenancy_tenant", "add"), "tenant_form", code=code, name="x")

    assert "code" in errors_of(response)


# --- Stores ----------------------------------------------------------------------------------
def test_a_store_takes_the_next_number_and_may_become_the_default(office, acme):
    response = send(
        office, page("tenancy_store", "add"), "store_form", code="harbour", name="Harbour",
        default="on",
    )  # fmt: skip

    assert response.status_code == 302, errors_of(response)
    store = Store.objects.get(code="harbour")
    assert store.location_id == 2
    assert list(Store.objects.filter(default=True)) == [store]


def test_where_a_store_stands_is_typed_in_degrees_and_may_be_emptied(office, acme):
    store = StoreFactory(tenant=acme)
    url, form = page("tenancy_store", "change", store.pk), "store_form"

    typed = send(office, url, form, latitude="59.9", longitude="10.75")
    store.refresh_from_db()
    shown = (str(store.latitude), str(store.longitude))
    emptied = send(office, url, form, latitude="", longitude="")
    store.refresh_from_db()

    assert typed.status_code == emptied.status_code == 302
    assert shown == ("59.900000", "10.750000")
    assert store.latitude is None


def test_a_taken_store_number_is_refused_beside_its_field(office, acme):
    store = StoreFactory(tenant=acme)

    response = send(
        office, page("tenancy_store", "change", store.pk), "store_form", location_id="1"
    )

    assert errors_of(response) == {"location_id": ["Another store has this number."]}


# --- Staff -----------------------------------------------------------------------------------
def test_a_staff_member_is_made_by_email_and_can_sign_in(office, client, acme):
    store = StoreFactory(tenant=acme)
    url = page("tenancy_staffmember", "add")
    typed = {"email": "new@example.org", "name": "Nina New", "role": "seller"}

    response = send(
        office, url, "staffmember_form", **typed, stores=str(store.pk), password=PASSWORD
    )

    assert response.status_code == 302, errors_of(response)
    member = StaffMember.objects.get(user__email="new@example.org")
    assert (member.role, list(member.stores.all())) == ("seller", [store])
    assert client.login(username="new@example.org", password=PASSWORD)


def test_a_member_who_is_there_already_is_said_so(office, clerk):
    url = page("tenancy_staffmember", "add")

    response = send(office, url, "staffmember_form", email="CLERK@example.org", role="admin")

    assert errors_of(response) == {"email": ["This person is a staff member already."]}


def test_a_new_role_ends_the_tokens(office, clerk, acme):
    member = StaffMember.objects.get(user=clerk)
    create_token(acme, holder="staff", staff=member)

    send(office, page("tenancy_staffmember", "change", member.pk), "staffmember_form", role="admin")

    member.refresh_from_db()
    assert member.role == "admin"
    assert not AccessToken.objects.live().exists()


def test_nobody_takes_the_own_rights_away(office, boss, acme):
    member = StaffMember.objects.get(user=boss)
    url = page("tenancy_staffmember", "change", member.pk)

    response = send(office, url, "staffmember_form", role="seller")

    assert response.status_code == 200
    assert "another administrator" in text_of(response)


def test_the_staff_list_costs_the_same_for_many(office, acme, django_assert_max_num_queries):
    for _member in range(8):
        StaffMemberFactory(tenant=acme)

    with django_assert_max_num_queries(25):
        office.get(page("tenancy_staffmember", "changelist"))


# --- Tokens ----------------------------------------------------------------------------------
def make(client, **typed):
    typed = {"name": "Till", "holder": "service", "scopes": ["customers:read"], **typed}
    return send(client, page("tenancy_accesstoken", "add"), "accesstoken_form", **typed)


def test_a_token_is_shown_once_and_works(office, acme):
    response = make(office)

    plain = response.context["plain"]
    token = AccessToken.objects.get()
    assert plain in text_of(response)
    assert "no-store" in response["Cache-Control"]
    assert principal_of(plain).scopes == {"customers:read"}
    for url in (
        page("tenancy_accesstoken", "changelist"),
        page("tenancy_accesstoken", "change", token.pk),
        page("tenancy_accesstoken", "revoke", token.pk),
    ):
        assert plain not in text_of(office.get(url))
        assert token.digest not in text_of(office.get(url))


def test_a_service_needs_rights_and_a_staff_token_a_person(office, acme):
    without_rights = make(office, scopes=[])
    without_person = make(office, holder="staff")

    assert "scopes" in errors_of(without_rights)
    assert "staff" in errors_of(without_person)
    assert not AccessToken.objects.exists()


def test_a_staff_token_has_no_more_than_the_role(office, clerk, acme):
    member = StaffMember.objects.get(user=clerk)

    too_much = make(office, holder="staff", staff=str(member.pk), scopes=["settings:write"])
    role = make(office, holder="staff", staff=str(member.pk), scopes=[])

    assert "scopes" in errors_of(too_much)
    assert principal_of(role.context["plain"]).kind == "seller"


def test_a_revoked_token_is_turned_away(office, acme):
    plain = make(office).context["plain"]
    token = AccessToken.objects.get()

    response = office.post(page("tenancy_accesstoken", "revoke", token.pk))

    assert response.status_code == 302
    assert principal_of(plain) is None
    assert "Revoked" in text_of(office.get(page("tenancy_accesstoken", "changelist")))


# --- Users -----------------------------------------------------------------------------------
def test_an_operator_makes_and_deactivates_users(bridge):
    made = send(
        bridge, page("tenancy_user", "add"), "user_form", email="New@Example.org", password=PASSWORD
    )
    user = User.objects.get(email="new@example.org")
    ended = send(bridge, page("tenancy_user", "change", user.pk), "user_form", is_active=None)

    user.refresh_from_db()
    assert (made.status_code, ended.status_code) == (302, 302)
    assert user.check_password(PASSWORD)
    assert not user.is_active


def test_the_last_operator_stays_one(bridge, operator):
    url = page("tenancy_user", "change", operator.pk)

    answers = [
        send(bridge, url, "user_form", is_superuser=None),
        send(bridge, url, "user_form", is_active=None),
    ]

    assert [list(errors_of(answer)) for answer in answers] == [["is_superuser"], ["is_active"]]
    operator.refresh_from_db()
    assert operator.is_active
    assert operator.is_superuser


def test_an_operator_sets_a_password(bridge, boss):
    url = page("tenancy_user", "password", boss.pk)

    weak = bridge.post(url, {"password": "123"})
    good = bridge.post(url, {"password": "quite another horse"})

    boss.refresh_from_db()
    assert "password" in weak.context["form"].errors
    assert good.status_code == 302
    assert boss.check_password("quite another horse")


# --- Groups ----------------------------------------------------------------------------------
def test_a_group_is_made_changed_and_deleted_through_its_services(office, acme, ada):
    url = page("groups_group", "add")
    send(office, url, "group_form", code="news")
    group = Group.objects.get()
    subscribe_customer(ada, group)
    change = page("groups_group", "change", group.pk)
    send(office, change, "group_form", title="Newsletter", subscribable="public")
    group.refresh_from_db()
    title = group.title
    asked = office.get(page("groups_group", "delete", group.pk))

    office.post(page("groups_group", "delete", group.pk), {"post": "yes"})

    assert title == "Newsletter"
    assert asked.status_code == 200
    assert not Group.objects.exists()
    deeds = HistoryEntry.objects.filter(subject_type="group").values_list("deed", flat=True)
    assert set(deeds) == {"group.created", "group.updated", "group.deleted"}


def test_a_circle_and_a_taken_code_are_refused_beside_the_field(office, acme):
    top = create_group(code="top")
    below = create_group(code="below", parent=top)

    circle = send(
        office, page("groups_group", "change", top.pk), "group_form", parent=str(below.pk)
    )
    taken = send(office, page("groups_group", "add"), "group_form", code="top")

    assert "parent" in errors_of(circle)
    assert "code" in errors_of(taken)


def test_a_group_with_groups_below_is_not_deleted_and_says_why(office, acme):
    top = create_group(code="top")
    create_group(code="below", parent=top)

    response = office.post(page("groups_group", "delete", top.pk), {"post": "yes"}, follow=True)

    assert Group.objects.filter(pk=top.pk).exists()
    assert "Other groups stand below" in text_of(response)


def test_the_group_list_shows_sizes_at_a_constant_cost(office, acme, ada, grace):
    for number in range(6):
        group = create_group(code=f"g{number}")
        subscribe_customer(ada, group)
        subscribe_customer(grace, group, subscribed=False)

    response = office.get(page("groups_group", "changelist"))

    rows = response.context["cl"].result_list
    assert {(row.n_members, row.n_subscribed) for row in rows} == {(2, 1)}


def test_members_are_added_by_number_and_card_and_the_unknown_stay_in_the_box(
    office, acme, ada, grace
):
    group = GroupFactory(tenant=acme, code="news")
    url = page("groups_group", "add_members", group.pk)

    response = office.post(url, {"references": f"7001\n{grace.code}\nnobody"})

    assert {row.customer_id for row in group.subscriptions.all()} == {ada.pk, grace.pk}
    assert not group.subscriptions.filter(subscribed=True).exists()
    assert "nobody" in response.context["form"]["references"].value()


def test_memberships_are_changed_and_ended_for_many(office, acme, ada, grace):
    group = GroupFactory(tenant=acme, code="news")
    rows = [subscribe_customer(ada, group), subscribe_customer(grace, group)]
    url = page("groups_subscription", "changelist")
    chosen = {"_selected_action": [row.pk for row in rows]}

    office.post(url, {**chosen, "action": "unsubscribe_many"})
    wanting = group.subscriptions.filter(subscribed=True).count()
    office.post(url, {**chosen, "action": "remove_many"})

    assert wanting == 0
    assert not group.subscriptions.exists()


def test_the_membership_list_is_searched_by_customer(office, acme, ada, grace):
    group = GroupFactory(tenant=acme, code="news")
    for customer in (ada, grace):
        subscribe_customer(customer, group)

    response = office.get(page("groups_subscription", "changelist") + "?q=lovelace")

    assert [row.customer for row in response.context["cl"].result_list] == [ada]


def test_the_start_page_finds_and_leads(office, ada):
    response = office.get("/admin/")

    assert 'action="/admin/customers/customer/find/"' in text_of(response)
    assert ada.code in text_of(response)
    assert form_data(response, None) is not None


# --- Rights in words ----------------------------------------------------------------------------
def test_every_right_has_words_where_a_token_is_made(office):
    text = text_of(office.get(page("tenancy_accesstoken", "add")))

    assert set(SCOPE_WORDS) == set(SCOPES)
    assert "Find and read customers (customers:read)" in text


def test_the_page_of_roles_says_what_the_table_of_rights_says(office, shop):
    url = page("tenancy_staffmember", "roles")
    assert url in text_of(office.get(page("tenancy_staffmember", "add")))
    assert "What each role may do" in text_of(office.get(url))
    told = {scope: (admin, seller) for _words, scope, admin, seller in role_table()}

    assert told["customers:anonymise"] == ("yes", "no")
    assert told["customers:read"] == ("yes", "partly")
    assert told["groups:read"] == ("yes", "yes")
    assert told["password_hash"] == ("no", "no")
    assert shop.get(url).status_code == 403


def test_a_translation_is_named_in_its_own_language(office):
    assert "Norsk (bokmål)" in text_of(office.get(page("loyalty_level", "add")))


def test_the_settings_stand_in_sections_in_words(office, tenant):
    text = text_of(office.get(page("tenancy_tenant", "change", tenant.pk)))

    assert "Registering and signing in" in text
    assert "nothing: they are active at once" in text
    assert set(LABELS) <= {setting.name for setting in TABLE}
    for setting in TABLE:
        assert set(CHOICES.get(setting.name, setting.choices)) == set(setting.choices)
