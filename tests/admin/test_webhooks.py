"""Webhooks in the back office: made with a secret shown once, watched, tried out, told again."""

from datetime import timedelta

import pytest

from events.models import HistoryEntry, Job, WebhookDelivery, WebhookEndpoint
from events.webhooks.disabling import disable_endpoint
from events.webhooks.managing import create_endpoint, update_endpoint
from events.webhooks.queueing import queue_deliveries
from events.webhooks.secrets import secret_of
from groups.services import create_group
from tenancy.clock import now
from tenancy.scoping import all_tenants
from tests.admin.browsing import form_data, send, text_of
from tests.admin.conftest import page

pytestmark = pytest.mark.django_db
URL = "https://hooks.example.com/in"
FORM = "webhookendpoint_form"
HOOK, DELIVERY = "events_webhookendpoint", "events_webhookdelivery"


@pytest.fixture
def hook(acme):
    return create_endpoint(url=URL, events=["customer.*"], description="Web shop")[0]


@pytest.fixture
def delivery(hook):
    """One that was given up."""
    update_endpoint(hook, events=["*"])
    create_group(code="news")
    queue_deliveries(hook.pk)
    WebhookDelivery.objects.update(
        state="failed", attempts=11, last_status=500, last_error="status", last_milliseconds=7
    )
    return WebhookDelivery.objects.get()


def ordered(name):
    with all_tenants():
        return Job.objects.filter(name=name).count()


def test_one_is_made_and_its_secret_shown_once(office, acme):
    response = send(
        office, page(HOOK, "add"), FORM, url=URL, events=["customer.*", "group.created"]
    )

    hook = WebhookEndpoint.objects.get()
    assert (hook.url, hook.events, hook.active) == (URL, ["customer.*", "group.created"], True)
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    assert secret_of(hook) in text_of(response)
    for url in (page(HOOK, "changelist"), page(HOOK, "change", hook.pk)):
        assert "whsec_" not in text_of(office.get(url))


def test_the_kinds_are_boxes_in_their_groups(office, acme):
    text = text_of(office.get(page(HOOK, "add")))

    for value in ("*", "customer.*", "customer.merged", "import.completed"):
        assert f'value="{value}"' in text
    assert "<label>Customer</label>" in text


@pytest.mark.parametrize(
    ("typed", "field"),
    [({"url": "https://10.0.0.1/"}, "url"), ({"events": None}, "events")],
)
def test_a_refusal_stands_beside_its_field(office, acme, typed, field):
    typed = {"url": URL, "events": ["*"]} | typed

    response = send(office, page(HOOK, "add"), FORM, **typed)

    assert set(response.context["adminform"].form.errors) == {field}
    assert not WebhookEndpoint.objects.exists()


def test_a_change_touches_what_was_typed(office, hook):
    response = send(office, page(HOOK, "change", hook.pk), FORM, description="Till")

    assert response.status_code == 302
    changed = WebhookEndpoint.objects.get()
    assert (changed.description, changed.url, changed.events) == ("Till", URL, ["customer.*"])
    assert HistoryEntry.objects.about("webhook", hook.pk).first().changes == {
        "description": ["Web shop", "Till"]
    }


def test_one_is_paused_and_goes_on(office, hook):
    url = page(HOOK, "change", hook.pk)

    send(office, url, FORM, active=None)
    assert WebhookEndpoint.objects.get().health == "paused"
    assert "Paused" in text_of(office.get(page(HOOK, "changelist")))
    send(office, url, FORM, active="on")
    assert WebhookEndpoint.objects.get().active


def test_the_page_tells_how_it_is_doing(office, hook, delivery):
    text = text_of(office.get(page(HOOK, "change", hook.pk)))
    assert "group.created" in text
    assert "500 · refused · 7 ms" in text

    disable_endpoint(hook, WebhookEndpoint.Disabled.FAILING)
    text = text_of(office.get(page(HOOK, "change", hook.pk)))
    assert "Switched off" in text
    assert "nothing got through any more" in text
    assert "Switched off" in text_of(office.get(page(HOOK, "changelist")))


def test_its_history_is_told(office, hook):
    assert "Created" in text_of(office.get(page(HOOK, "history", hook.pk)))


def test_a_test_is_ordered(office, hook):
    url = page(HOOK, "test", hook.pk)

    assert "Send a test" in text_of(office.get(url))
    assert office.post(url).status_code == 302

    assert WebhookDelivery.objects.get().kind == "webhook.test"
    assert ordered("webhooks.test") == 1


def test_the_secret_is_changed(office, hook):
    old = secret_of(hook)
    url = page(HOOK, "rotate", hook.pk)

    refused = office.post(url, {"hours": "-1"})
    assert "whsec_" not in text_of(refused)
    response = office.post(url, {"hours": "2"})

    hook.refresh_from_db()
    assert secret_of(hook) != old
    assert secret_of(hook) in text_of(response)
    assert hook.previous_until > now() + timedelta(hours=1)


def test_what_failed_is_sent_again(office, hook, delivery):
    response = office.post(page(HOOK, "replay", hook.pk), {"since": "7"}, follow=True)

    assert "1 are on their way again" in text_of(response)
    assert WebhookDelivery.objects.get().state == "waiting"
    assert ordered("webhooks.send") == 1


def test_the_log_is_narrowed_and_sent_again(office, hook, delivery):
    log = page(DELIVERY, "changelist")
    for narrowed, n_rows in (
        (f"?webhook={hook.pk}", 1),
        ("?state=failed", 1),
        ("?state=delivered", 0),
        ("?event=group.created", 1),
        ("?event=group.deleted", 0),
    ):
        assert len(office.get(log + narrowed).context["cl"].result_list) == n_rows
    data = {"action": "replay_many", "_selected_action": [str(delivery.pk)], "index": "0"}

    response = office.post(log, data, follow=True)

    assert "1 is on its way again" in text_of(response)
    assert WebhookDelivery.objects.get().state == "waiting"


def test_the_log_names_the_server_and_not_the_path_which_may_be_a_password(office, hook, delivery):
    WebhookEndpoint.objects.update(url="https://hooks.example.com/in/s3cret", description="")

    for path in (
        page(DELIVERY, "changelist"),
        page(DELIVERY, "change", delivery.pk),
        page(HOOK, "changelist"),
        page(HOOK, "test", hook.pk),
    ):
        told = text_of(office.get(path))
        assert "hooks.example.com" in told
        assert "s3cret" not in told


def test_one_delivery_is_sent_again(office, delivery):
    assert "Send again" in text_of(office.get(page(DELIVERY, "change", delivery.pk)))
    assert "keeps its id" in text_of(office.get(page(DELIVERY, "replay", delivery.pk)))

    office.post(page(DELIVERY, "replay", delivery.pk))

    assert WebhookDelivery.objects.get().attempts == 0


def test_nothing_is_sent_again_to_one_that_is_switched_off(office, hook, delivery):
    update_endpoint(hook, active=False)
    log = page(DELIVERY, "changelist")
    data = {"action": "replay_many", "_selected_action": [str(delivery.pk)], "index": "0"}

    for response in (
        office.post(page(DELIVERY, "replay", delivery.pk), follow=True),
        office.post(page(HOOK, "replay", hook.pk), {"since": "7"}, follow=True),
        office.post(log, data, follow=True),
    ):
        assert "switched off" in text_of(response)
    assert WebhookDelivery.objects.get().state == "failed"


def test_one_is_removed_with_its_log(office, hook, delivery):
    office.post(page(HOOK, "delete", hook.pk), {"post": "yes"})

    assert not WebhookEndpoint.objects.exists()
    assert not WebhookDelivery.objects.exists()


def test_sellers_see_none_of_it(shop, hook, delivery):
    urls = [
        *(page(HOOK, "changelist"), page(HOOK, "add"), page(HOOK, "change", hook.pk)),
        *(page(HOOK, "test", hook.pk), page(HOOK, "rotate", hook.pk)),
        *(page(HOOK, "replay", hook.pk), page(HOOK, "delete", hook.pk)),
        *(page(DELIVERY, "changelist"), page(DELIVERY, "change", delivery.pk)),
        page(DELIVERY, "replay", delivery.pk),
    ]

    assert {shop.get(url).status_code for url in urls} == {403}
    assert {shop.post(url).status_code for url in urls} == {403}
    assert WebhookDelivery.objects.get().state == "failed"


def test_the_sidebar_leads_there(office, shop, hook):
    link = page(HOOK, "changelist")

    assert link in text_of(office.get("/admin/"))
    assert link not in text_of(shop.get("/admin/"))


def test_the_list_takes_the_same_queries_for_many(office, acme, django_assert_max_num_queries):
    for _ in range(10):
        create_endpoint(url=URL, events=["*"])

    with django_assert_max_num_queries(15):
        office.get(page(HOOK, "changelist"))


def test_the_form_of_a_new_one_is_complete(office, acme):
    data = form_data(office.get(page(HOOK, "add")), FORM)

    assert {"url", "description", "active"} <= set(data)
