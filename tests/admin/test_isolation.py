"""Staff of one tenant see and change nothing of another's, through any door of the back office."""

import pytest
from django.apps import apps
from django.contrib.admin.sites import site
from django.db import models

from customers.models import (
    Address,
    Customer,
    DataRequest,
    Email,
    ImportRun,
    Phone,
    StoreProfile,
)
from customers.services import (
    register_customer,
)
from events.models import (
    Job,
    Message,
    WebhookDelivery,
    WebhookEndpoint,
)
from groups.models import Group, Subscription
from groups.services import create_group
from tenancy.models import AccessToken, StaffMember, Store, Tenant, TenantOwned, User
from tenancy.scoping import all_tenants, in_tenant
from tests.admin.browsing import add_row, form_data, text_of
from tests.admin.conftest import customer_page, page
from tests.admin.everything import MARK, REGISTERED, one_of_everything

pytestmark = pytest.mark.django_db
OWNED = [model for model in REGISTERED if issubclass(model, TenantOwned)]


@pytest.fixture
def theirs(rival):
    """One row of every registered model at the stranger's."""
    return one_of_everything(rival)


def snapshot():
    """Every row of every table, to see that nothing moved."""
    with all_tenants():
        return {
            model._meta.label: list(model._base_manager.order_by("pk").values())
            for app in ("tenancy", "customers", "groups", "events", "loyalty")
            for model in apps.get_app_config(app).get_models()
        }


def url_of(model, name, *args):
    return page(f"{model._meta.app_label}_{model._meta.model_name}", name, *args)


def test_the_stranger_has_a_row_of_every_registered_model(theirs):
    assert set(theirs) == set(REGISTERED)


# Of every model in one test: the rows of the stranger take longer than all of the asking.
def test_the_list_shows_nothing_of_theirs(office, theirs):
    for model in REGISTERED:
        response = office.get(url_of(model, "changelist"))

        assert response.status_code in (200, 403), model
        assert MARK not in text_of(response), model
        assert f"/{theirs[model].pk}/change/" not in text_of(response), model


def test_a_search_or_filter_in_the_list_finds_nothing_of_theirs(office, theirs):
    for model in REGISTERED:
        pk = theirs[model].pk
        for query in (f"q={MARK}", f"id={pk}", f"tenant={theirs[Tenant].pk}", f"store={pk}"):
            response = office.get(f"{url_of(model, 'changelist')}?{query}", follow=True)

            assert response.status_code in (200, 400, 403), (model, query)
            shown = text_of(response).replace(f'value="{MARK}"', "")
            assert f"{MARK} " not in shown, (model, query)


@pytest.mark.parametrize("name", ["change", "history", "delete"])
def test_no_page_of_theirs_opens_or_takes_a_post(office, theirs, name):
    before = snapshot()
    for model in REGISTERED:
        url = url_of(model, name, theirs[model].pk)

        answers = [office.get(url), office.post(url, {"post": "yes", "name": "x"})]

        for response in answers:
            assert response.status_code in (302, 403, 404), model
            assert MARK not in text_of(response), model
        assert snapshot() == before, model


def test_no_deed_reaches_their_customer(office, theirs):
    before = snapshot()
    for name in (
        *("consent", "activate", "deactivate", "send-code", "password", "export", "anonymise"),
        "picture",
    ):
        url = customer_page(theirs[Customer], name)

        answers = [
            office.get(url),
            office.post(url, {"purpose": "marketing", "granted": "no", "typed": "CUST-1"}),
        ]

        assert [response.status_code for response in answers] == [404, 404], name
        assert snapshot() == before, name


def test_no_set_up_deed_reaches_their_rows(office, theirs):
    urls = [
        page("tenancy_accesstoken", "revoke", theirs[AccessToken].pk),
        page("groups_group", "add_members", theirs[Group].pk),
        page("tenancy_user", "password", theirs[User].pk),
        *(
            page("customers_importrun", name, theirs[ImportRun].pk)
            for name in ("import", "cancel", "undo", "review")
        ),
        *(
            page("customers_datarequest", name, theirs[DataRequest].pk)
            for name in ("identity", "hold", "resume", "refuse", "hand_out", "complete")
        ),
        page("customers_importrun", "set_up", theirs[ImportRun].file_id),
        page("events_job", "retry", theirs[Job].pk),
        page("events_message", "again", theirs[Message].pk),
        page("events_job", "cancel", theirs[Job].pk),
        page("events_webhookendpoint", "test", theirs[WebhookEndpoint].pk),
        page("events_webhookendpoint", "rotate", theirs[WebhookEndpoint].pk),
        page("events_webhookendpoint", "replay", theirs[WebhookEndpoint].pk),
        page("events_webhookdelivery", "replay", theirs[WebhookDelivery].pk),
    ]
    before = snapshot()

    answers = [office.post(url, {"references": "1", "password": "another horse"}) for url in urls]

    assert [response.status_code for response in answers] == [404, 404, 403] + [404] * 18
    assert snapshot() == before


def test_a_list_action_on_their_rows_does_nothing(office, theirs):
    before = snapshot()
    for model in OWNED:
        for action in site._registry[model].actions or ():
            data = {"action": action, "_selected_action": [str(theirs[model].pk)], "index": "0"}
            office.post(url_of(model, "changelist"), data)
            office.post(url_of(model, "changelist"), {**data, "select_across": "1"})

        assert snapshot() == before, model


def fields_that_point():
    """(app, model, field) of every relation of a registered model or inline to a tenant's table."""
    for model in (*REGISTERED, Subscription, StoreProfile, Email, Phone, Address):
        for field in model._meta.get_fields():
            if isinstance(field, (models.ForeignKey, models.ManyToManyField)):
                yield model._meta.app_label, model._meta.model_name, field.name


def test_no_autocomplete_offers_anything_of_theirs(office, theirs):
    for app, model, field in sorted(set(fields_that_point())):
        query = {"app_label": app, "model_name": model, "field_name": field, "term": ""}
        for term in ("", MARK, "zan"):
            response = office.get("/admin/autocomplete/", {**query, "term": term})

            assert response.status_code in (200, 403, 404)
            assert MARK not in text_of(response)
            assert "zan" not in text_of(response)


def test_no_choice_of_a_form_offers_anything_of_theirs(office, theirs, ada, acme):
    with in_tenant(acme):
        group = create_group(code="own")
    pages = [
        customer_page(ada),
        page("customers_customer", "add"),
        page("groups_group", "add"),
        page("groups_group", "change", group.pk),
        page("tenancy_staffmember", "add"),
        page("tenancy_accesstoken", "add"),
        page("tenancy_store", "add"),
        "/admin/",
        "/admin/tenant/",
    ]
    for url in pages:
        response = office.get(url)

        assert response.status_code == 200
        assert MARK not in text_of(response)


def test_popups_and_their_parameters_show_nothing_of_theirs(office, theirs, ada):
    for model in REGISTERED:
        for query in ("_popup=1", "_popup=1&_to_field=id", "_to_field=id&q=Zan"):
            response = office.get(f"{url_of(model, 'changelist')}?{query}")

            assert response.status_code in (200, 302, 400, 403)
            assert f"{MARK} " not in text_of(response)


def test_their_store_group_or_seller_in_a_forged_post_is_no_choice(office, theirs, ada):
    data = form_data(office.get(customer_page(ada)), "customer_form")
    data |= {
        "home_store": [str(theirs[Store].pk)],
        "seller": [str(theirs[StaffMember].pk)],
    }
    add_row(data, "subscriptions", group=str(theirs[Group].pk), subscribed="on")
    add_row(data, "store_profiles", store=str(theirs[Store].pk), pos_ref="x")
    before = snapshot()

    response = office.post(customer_page(ada), data)

    assert response.status_code == 200
    assert {"home_store", "seller"} <= set(response.context["adminform"].form.errors)
    assert MARK not in text_of(response)
    assert snapshot() == before


@pytest.mark.parametrize("prefix", ["emails", "phones", "addresses", "labels", "subscriptions"])
def test_their_row_in_a_forged_inline_is_neither_changed_nor_removed(office, theirs, ada, prefix):
    with all_tenants():
        row = getattr(theirs[Customer], prefix).get()
    data = form_data(office.get(customer_page(ada)), "customer_form")
    for removal in (False, True):
        forged = dict(data)
        forged[f"{prefix}-TOTAL_FORMS"] = ["1"]
        forged[f"{prefix}-INITIAL_FORMS"] = ["1"]
        forged[f"{prefix}-0-id"] = [str(row.pk)]
        forged[f"{prefix}-0-customer"] = [str(theirs[Customer].pk)]
        forged[f"{prefix}-0-address"] = forged[f"{prefix}-0-given"] = ["99999999"]
        forged[f"{prefix}-0-city"] = forged[f"{prefix}-0-key"] = ["x"]
        if removal:
            forged[f"{prefix}-0-DELETE"] = ["on"]
        before = snapshot()

        response = office.post(customer_page(ada), forged)

        assert response.status_code == 200
        assert MARK not in text_of(response)
        assert snapshot() == before


def test_no_member_of_theirs_comes_along_into_a_group(office, theirs, acme):
    group = create_group(code="own")
    url = page("groups_group", "add_members", group.pk)
    references = [str(theirs[Customer].pk), "ZAN-1", "CUST-1"]

    response = office.post(url, {"references": "\n".join(references)})

    assert not Subscription.objects.exists()
    assert MARK not in text_of(response)


def test_the_csv_holds_nothing_of_theirs(office, theirs, ada):
    response = office.get(page("customers_customer", "export_csv"))

    words = b"".join(response.streaming_content).decode()
    assert "Lovelace" in words
    assert MARK not in words


def test_a_session_that_names_their_tenant_does_not_enter_it(office, theirs, boss, tenant):
    session = office.session
    session["tenant"] = str(theirs[Tenant].pk)
    session.save()

    response = office.get(page("customers_customer", "changelist"))

    assert response.context["tenant"] == tenant
    assert MARK not in text_of(response)


def test_every_query_of_the_back_office_happens_inside_the_tenant(office, tenant):
    """The scope holds while the template is rendered: late queries would raise outside of it."""
    with in_tenant(tenant):
        customer = register_customer(first_name="Ada", labels=[{"key": "late"}])

    response = office.get(customer_page(customer))

    assert "late" in text_of(response)


def test_the_csv_is_written_inside_the_tenant_after_the_view_has_answered(office, tenant):
    with in_tenant(tenant):
        register_customer(first_name="Ada", labels=[{"key": "late"}])

    response = office.get(page("customers_customer", "export_csv"))

    assert "late" in b"".join(response.streaming_content).decode()
