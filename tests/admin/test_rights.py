"""Who may see and do what, as the one permission table says."""

import pytest
from django.contrib.admin.sites import site

from customers.models import BulkDeed, Customer
from customers.services import anonymise_customer
from tenancy.permissions import SELLER, changes_field, sees_field
from tests.admin.browsing import form_data, send, text_of
from tests.admin.conftest import customer_page, page
from tests.factories import GroupFactory

pytestmark = pytest.mark.django_db
FORM = "customer_form"


def shown_names(response):
    return {
        name
        for fieldset in response.context["adminform"]
        for line in fieldset
        for name in line.fields
    }


def test_a_seller_changes_exactly_the_profile_fields_of_the_table(shop, ada):
    response = shop.get(customer_page(ada))

    editable = set(response.context["adminform"].form.fields) & set(Customer.PROFILE)
    assert editable == {name for name in Customer.PROFILE if changes_field(SELLER, name)}


def test_a_seller_sees_exactly_the_profile_fields_of_the_table(shop, ada):
    response = shop.get(customer_page(ada))

    shown = {name.removeprefix("told_") for name in shown_names(response)} & set(Customer.PROFILE)
    assert shown == {name for name in Customer.PROFILE if sees_field(SELLER, name)}


def test_an_administrator_changes_every_profile_field(office, ada):
    response = office.get(customer_page(ada))

    assert set(Customer.PROFILE) <= set(response.context["adminform"].form.fields)
    assert set(Customer.PROFILE) <= shown_names(response)


def test_what_a_seller_may_not_change_is_ignored_in_a_forged_post(shop, ada):
    data = form_data(shop.get(customer_page(ada)), FORM, first_name="Augusta")
    data |= {"discount_percent": ["90"], "external_id": ["stolen"], "ledger_number": ["7"]}
    data |= {"credit_limit": ["99"], "charge_account_number": ["1"], "hidden": ["on"]}

    response = shop.post(customer_page(ada), data)

    assert response.status_code == 302
    ada = Customer.objects.get(pk=ada.pk)
    assert ada.first_name == "Augusta"
    assert (ada.discount_percent, ada.external_id, ada.ledger_number) == (0, "ext-ada", "")
    assert (ada.credit_limit, ada.hidden) == (None, False)
    assert not hasattr(ada, "charge_account")


def test_a_seller_registers_a_customer(shop, acme):
    response = send(shop, page("customers_customer", "add"), FORM, first_name="Karen")

    assert response.status_code == 302
    assert Customer.objects.get().name == "Karen"


@pytest.mark.parametrize("name", ["anonymise", "delete"])
def test_a_seller_takes_leave_of_nobody(shop, ada, name):
    answers = [
        shop.get(customer_page(ada, name)),
        shop.post(customer_page(ada, name), {"typed": "1"}),
    ]

    assert [response.status_code for response in answers] == [403, 403]
    assert Customer.objects.identifiable().filter(pk=ada.pk).exists()


def test_a_seller_exports_no_list_and_does_nothing_to_many_beyond_the_table(shop, ada):
    export = shop.get(page("customers_customer", "export_csv"))
    chosen = {"action": "anonymise_many", "_selected_action": [ada.pk]}
    shop.post(page("customers_customer", "changelist"), chosen)
    offered = site._registry[Customer].get_actions(request_of(shop))

    assert (export.status_code, BulkDeed.objects.exists()) == (403, False)
    assert "anonymise_many" not in offered
    assert "activate_many" in offered


def request_of(client):
    return client.get("/admin/").wsgi_request


@pytest.mark.parametrize(
    "url",
    [
        "/admin/tenancy/staffmember/",
        "/admin/tenancy/staffmember/add/",
        "/admin/tenancy/accesstoken/",
        "/admin/tenancy/accesstoken/add/",
        "/admin/tenancy/store/add/",
        "/admin/tenancy/tenant/",
        "/admin/tenancy/user/",
        "/admin/groups/group/add/",
        "/admin/events/event/",
        "/admin/customers/tombstone/",
    ],
)
def test_set_up_is_closed_to_sellers(shop, acme, url):
    assert shop.get(url).status_code == 403


def test_an_administrator_is_no_operator(office, tenant, rival):
    answers = [
        office.get("/admin/tenancy/user/"),
        office.get("/admin/tenancy/tenant/add/"),
        office.post("/admin/tenant/", {"tenant": rival.pk}),
    ]

    assert [response.status_code for response in answers] == [403, 403, 403]


def test_a_seller_reads_a_group_and_adds_members_but_does_not_change_it(shop, acme, ada):
    group = GroupFactory(tenant=acme, code="news")
    url = page("groups_group", "change", group.pk)

    view, change = shop.get(url), shop.post(url, {"code": "x"})
    delete = shop.post(page("groups_group", "delete", group.pk), {"post": "yes"})
    add = shop.post(page("groups_group", "add_members", group.pk), {"references": "CUST-1"})

    assert (view.status_code, change.status_code, delete.status_code) == (200, 403, 403)
    assert add.status_code == 302
    assert ada.subscriptions.get().group == group


def test_nobody_changes_what_is_only_recorded(office, ada):
    entry = site._registry
    for model in entry:
        label = model._meta.label
        if label in ("events.HistoryEntry", "events.Event", "customers.Tombstone"):
            admin = entry[model]
            request = request_of(office)

            assert not admin.has_add_permission(request)
            assert not admin.has_change_permission(request)
            assert not admin.has_delete_permission(request)


def test_an_anonymised_customer_is_shown_and_cannot_be_edited(office, ada):
    anonymise_customer(ada)

    view = office.get(customer_page(ada))
    change = office.post(customer_page(ada), {"first_name": "Ada"})
    deed = office.post(customer_page(ada, "activate"), {"reason": ""})

    assert view.status_code == 200
    assert "Anonymised" in text_of(view)
    assert "Lovelace" not in text_of(view)
    assert change.status_code == 403
    assert "anonymised" in text_of(deed)
    ada.refresh_from_db()
    assert ada.status == "blocked"
