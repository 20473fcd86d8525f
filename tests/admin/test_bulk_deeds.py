"""One deed for many customers: chosen on the list, previewed, confirmed by a number, told."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from customers.hooks import hooks
from customers.models import BulkDeed, Customer
from customers.services import anonymise_customer, deactivate_customer, delete_customer
from customers.services import bulk_deeds as services
from customers.services.data_requests import open_data_request
from events.jobs import LeaseLost
from events.models import HistoryEntry
from tenancy import clock
from tests.admin.browsing import form_data, text_of
from tests.admin.conftest import page
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db
LIST = "/admin/customers/customer/"


def choose(client, deed, *customers):
    """The address of the page that follows when these were ticked on the list."""
    chosen = {"action": f"{deed}_many", "_selected_action": [one.pk for one in customers]}
    answer = client.post(LIST, chosen)
    return answer["Location"]


def confirm(client, url, **typed):
    return client.post(url, form_data(client.get(url), None, **typed), follow=True)


@pytest.fixture
def shell(acme):
    gone = CustomerFactory(tenant=acme, first_name="Gone")
    anonymise_customer(gone)
    return gone


def test_the_preview_counts_what_is_there_now(office, ada, grace, shell):
    deactivate_customer(grace)
    url = choose(office, "deactivate", ada, grace, shell)
    delete_customer(shell)

    text = text_of(office.get(url))

    assert "1 customer is changed." in text
    assert "1 is so already and stays." in text
    assert "1 is no longer here" in text
    assert "cannot sign in or earn" in text
    assert Customer.objects.filter(status="blocked").count() == 1


@pytest.mark.parametrize("typed", ["", "1", "3", "two", "-2"])
def test_another_number_does_nothing(office, ada, grace, run_jobs, typed):
    url = choose(office, "deactivate", ada, grace)

    answer = confirm(office, url, typed=typed)
    run_jobs()

    assert "errors" in text_of(answer)
    assert not Customer.objects.filter(status="blocked").exists()


def test_what_changed_since_the_number_was_shown_is_looked_at_again(office, ada, grace):
    url = choose(office, "deactivate", ada, grace)
    data = form_data(office.get(url), None, typed="2")
    deactivate_customer(grace)

    answer = office.post(url, data)

    assert "Type exactly: 1" in text_of(answer)


def test_many_are_deactivated_and_activated_in_the_background(office, ada, grace, shell, run_jobs):
    url = choose(office, "deactivate", ada, grace, shell)
    watched = confirm(office, url, typed="2", reason="season is over")
    assert "0 of 3 customers are done." in text_of(watched)
    assert not Customer.objects.filter(status="blocked", anonymised_at=None).exists()
    run_jobs()

    assert Customer.objects.filter(status="blocked", anonymised_at=None).count() == 2
    entry = HistoryEntry.objects.about("customer", ada.pk).first()
    assert (entry.reason, entry.actor_label) == ("season is over", "Bo Boss")
    bulk = BulkDeed.objects.get()
    assert (bulk.counts, bulk.reason) == ({"done": 2, "unchanged": 1}, "")
    confirm(office, choose(office, "activate", ada, grace), typed="2")
    run_jobs()
    assert Customer.objects.filter(status="active").count() == 2


def test_many_are_anonymised_with_a_receipt_for_each(office, ada, grace, shell, run_jobs):
    open_data_request(ada, kind="access", channel="phone")
    url = choose(office, "anonymise", ada, grace, shell)
    text = text_of(office.get(url))
    assert "1 has asked for a copy of the data" in text
    assert "2 customers are changed." in text
    assert "Will be erased" in text
    assert "Stays, and why" in text
    assert "Out of reach" in text

    confirm(office, url, typed="2", reason="Grace asked")
    run_jobs()

    text = text_of(office.get(url))
    assert text.count("Nothing left") == 2  # in the rows of the one, and elsewhere
    assert "must not name the person" in text
    assert set(Customer.objects.identifiable()) == {grace}
    assert "ada" not in str(BulkDeed.objects.values_list("results", flat=True)[0]).lower()


def test_a_second_confirmation_and_a_second_run_change_nothing(office, ada, run_jobs):
    url = choose(office, "deactivate", ada)
    data = form_data(office.get(url), None, typed="1")
    office.post(url, data)
    assert "confirmed already" in text_of(office.post(url, data, follow=True))
    run_jobs()
    n_entries = HistoryEntry.objects.count()

    services.perform_bulk_deed(None, str(BulkDeed.objects.get().pk))

    assert HistoryEntry.objects.count() == n_entries


def test_one_that_died_goes_on_behind_the_last_one_done(office, ada, grace, run_jobs, monkeypatch):
    confirm(office, choose(office, "deactivate", ada, grace), typed="2")
    deed, calls = services._done, []

    class Killed(BaseException):
        """The process ends here."""

    def dies(bulk, customer_id):
        calls.append(customer_id)
        if len(calls) == 2:
            raise Killed
        return deed(bulk, customer_id)

    class Job:
        def progress(self, done, total):
            """Nobody asks."""

    with monkeypatch.context() as patch:
        patch.setattr(services, "_done", dies)
        with pytest.raises(Killed):
            services.perform_bulk_deed(Job(), str(BulkDeed.objects.get().pk))
    assert Customer.objects.filter(status="blocked").count() == 1
    run_jobs()

    assert Customer.objects.filter(status="blocked").count() == 2
    assert BulkDeed.objects.get().counts == {"done": 2}


def test_a_worker_that_was_taken_over_counts_nobody_twice(office, ada, grace, run_jobs):
    confirm(office, choose(office, "deactivate", ada, grace), typed="2")
    late = BulkDeed.objects.get()
    run_jobs()

    with pytest.raises(LeaseLost):
        services._do(late, ada.pk)

    assert BulkDeed.objects.get().counts == {"done": 2}


def test_it_is_cancelled_before_the_next_one(office, ada, grace, run_jobs):
    url = choose(office, "deactivate", ada, grace)
    confirm(office, url, typed="2")

    cancel = page("customers_bulkdeed", "cancel", BulkDeed.objects.get().pk)
    office.post(cancel)
    run_jobs()

    assert not Customer.objects.filter(status="blocked").exists()
    assert "Cancelled" in text_of(office.get(url))
    assert "ended already" in text_of(office.post(cancel, follow=True))


def test_too_many_or_nobody_is_said_and_an_old_draft_goes(office, ada, grace, monkeypatch):
    one = replace(hooks.bulk_deeds["deactivate"], most=1)
    monkeypatch.setitem(hooks.bulk_deeds, "deactivate", one)
    answer = office.post(
        LIST, {"action": "deactivate_many", "_selected_action": [ada.pk, grace.pk]}, follow=True
    )
    assert "At most 1 at once" in text_of(answer)
    with pytest.raises(ValidationError):
        services.draft_bulk_deed("deactivate", Customer.objects.none())

    choose(office, "deactivate", ada)
    BulkDeed.objects.update(created_at=clock.now() - timedelta(days=2))

    assert (services.forget_drafts(), BulkDeed.objects.exists()) == (1, False)


def test_a_seller_sees_no_erasure_of_many(shop, office, ada):
    erasure = choose(office, "anonymise", ada)
    bulk = BulkDeed.objects.get()
    urls = [erasure, page("customers_bulkdeed", "state", bulk.pk)]

    assert {shop.get(url).status_code for url in urls} <= {302, 403, 404}
    assert shop.post(erasure, {"typed": "1"}).status_code in (302, 403, 404)
    assert choose(shop, "deactivate", ada)
    assert BulkDeed.objects.filter(deed="anonymise").get().state == "draft"
