"""Pages say in words what the tables hold as names, ids and instants."""

import pytest

from customers.models import Merge
from customers.services import merge_customers, update_customer
from events.jobs import enqueue
from events.models import Event, HistoryEntry, WebhookDelivery
from events.webhooks.managing import create_endpoint
from events.webhooks.replaying import send_test
from groups.services import create_group
from tenancy import clock
from tests.admin.browsing import text_of
from tests.admin.conftest import customer_page, page
from tests.admin.test_orientation import crumbs_of
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db


def test_the_way_back_names_a_row_as_people_do(office, acme, ada, tenant):
    update_customer(ada, origin="till")
    job = enqueue("events.tidy_jobs", tenant=tenant)
    merge_customers(ada, CustomerFactory(tenant=acme, number=77))
    entry = HistoryEntry.objects.filter(deed="customer.updated").first()
    pages = {
        page("events_job", "change", job.pk): "Tidy up the jobs",
        page("customers_merge", "change", Merge.objects.get().pk): f"CUST-77 → {ada.code}",
        page("events_historyentry", "change", entry.pk): "Changed",
        page("events_event", "change", Event.objects.first().pk): Event.objects.first().kind,
    }

    told = {url: crumbs_of(office.get(url))[-1] for url in pages}

    assert told == pages


def test_a_row_about_a_customer_names_the_number_on_its_own_page_too(office, acme, ada):
    entry = HistoryEntry.objects.about("customer", ada.pk).first()

    response = office.get(page("events_historyentry", "change", entry.pk))

    assert f">{ada.code}</a>" in text_of(response)


def test_the_history_names_fields_in_the_language_of_the_reader(office, acme, ada):
    update_customer(ada, first_name="Augusta")
    url = customer_page(ada, "history")

    english = text_of(office.get(url))
    norwegian = text_of(office.get(url, headers={"accept-language": "nb"}))

    assert "<dt>first name</dt>" in english
    assert "<dt>fornavn</dt>" in norwegian


def test_the_next_try_is_told_by_the_clock_of_the_business(office, acme):
    hook, _secret = create_endpoint(url="https://hooks.example.com/", events=["*"])
    delivery = send_test(hook)
    WebhookDelivery.objects.filter(pk=delivery.pk).update(
        state="waiting", next_at=clock.now().replace(2030, 1, 2, 23, 30)
    )

    response = text_of(office.get(page("events_webhookdelivery", "change", delivery.pk)))

    assert "3 Jan 2030, 00:30" in response
    assert "+00:00" not in response


def test_a_list_counts_results_only_where_something_was_asked(office, acme):
    create_group(code="news")
    url = page("groups_group", "changelist")

    assert "Show all" not in text_of(office.get(url))
    assert "1 result" in text_of(office.get(f"{url}?q=news"))


def test_a_deletion_says_what_goes_before_it_goes(office, acme):
    group = create_group(code="news", title="News")

    response = text_of(office.get(page("groups_group", "delete", group.pk)))

    assert "Delete News?" in response
    assert "It cannot be brought back." in response
