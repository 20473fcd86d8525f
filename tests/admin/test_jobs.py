"""The list of background jobs and what can be done there."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from events.admin.job_words import WORDS
from events.jobs import PermanentFailure, enqueue, job
from events.jobs.registry import _types, job_names
from events.jobs.running import run_due, take_next
from events.models import HistoryEntry, Job
from tenancy.admin import navigation
from tenancy.admin.site import SESSION_TENANT
from tenancy.scoping import all_tenants, in_tenant
from tests.admin.browsing import form_data, text_of
from tests.admin.conftest import page

pytestmark = pytest.mark.django_db
LIST = page("events_job", "changelist")


@pytest.fixture(autouse=True)
def _registered():
    def broken(run, **ids):
        raise PermanentFailure("The address is gone.")

    job("tests.look")(lambda run, **ids: None)
    job("tests.broken")(broken)
    yield
    del _types["tests.look"], _types["tests.broken"]


@pytest.fixture
def dead(tenant, run_jobs):
    ordered = enqueue("tests.broken", tenant=tenant, thing_id="thing-77")
    run_jobs()
    return ordered


@pytest.fixture
def waiting(tenant):
    return enqueue("tests.look", tenant=tenant)


def of(ordered, name="change"):
    return page("events_job", name, ordered.pk)


def state(ordered):
    with all_tenants():
        return Job.objects.get(pk=ordered.pk).state


def test_the_list_says_how_each_job_does(office, dead, waiting):
    shown = text_of(office.get(LIST))

    assert "tests.broken" in shown
    assert "Given up" in shown
    assert "PermanentFailure: The address is gone." in shown
    assert "tests.look" in shown
    assert "Waiting" in shown


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("state=dead", {"tests.broken"}),
        ("state=waiting", {"tests.look"}),
        ("name=tests.look", {"tests.look"}),
        ("state=dead&name=tests.look", set()),
        ("state=nonsense", {"tests.broken", "tests.look"}),
    ],
)
def test_the_list_is_narrowed_by_state_and_name(office, dead, waiting, query, names):
    response = office.get(f"{LIST}?{query}")

    assert {row.name for row in response.context_data["cl"].result_list} == names


def test_the_list_costs_the_same_for_one_job_and_for_twenty(
    office, tenant, waiting, django_assert_num_queries
):
    with CaptureQueriesContext(connection) as for_one:
        office.get(LIST)
    for _ in range(20):
        enqueue("tests.look", tenant=tenant)

    with django_assert_num_queries(len(for_one)):
        office.get(LIST)


def test_the_page_of_a_job_tells_everything_and_changes_nothing(office, dead):
    shown = text_of(office.get(of(dead)))

    assert "thing_id thing-77" in shown
    assert "The address is gone." in shown
    assert 'name="_save"' not in shown


def test_a_job_that_was_given_up_runs_again_by_hand(office, dead, tenant):
    response = office.get(of(dead, "retry"))
    assert "counted anew" in text_of(response)

    office.post(of(dead, "retry"), form_data(response, None))

    assert state(dead) == "waiting"
    with in_tenant(tenant):
        entry = HistoryEntry.objects.about("job", dead.pk).get()
    assert (entry.deed, entry.actor_kind) == ("job.retried", "staff")
    assert "Run again" in text_of(office.get(of(dead, "history")))


def test_a_waiting_job_is_cancelled(office, waiting):
    office.post(of(waiting, "cancel"))

    assert state(waiting) == "cancelled"


def test_a_running_job_shows_that_it_is_being_cancelled(office, waiting):
    take_next()
    office.post(of(waiting, "cancel"))

    assert "Is being cancelled" in text_of(office.get(of(waiting)))


def test_a_refusal_is_told(office, waiting, run_jobs):
    run_jobs()

    response = office.post(of(waiting, "retry"), follow=True)

    assert "A job that runs or is done is not run again." in text_of(response)


def test_buttons_are_there_for_what_can_be_done(office, dead, waiting, run_jobs):
    assert of(dead, "retry") in text_of(office.get(of(dead)))
    assert of(dead, "cancel") not in text_of(office.get(of(dead)))
    assert of(waiting, "cancel") in text_of(office.get(of(waiting)))
    run_jobs()
    done = text_of(office.get(of(waiting)))
    assert of(waiting, "retry") not in done
    assert of(waiting, "cancel") not in done


def test_many_at_once(office, dead, waiting):
    data = {"_selected_action": [str(dead.pk), str(waiting.pk)], "index": "0"}

    office.post(LIST, {"action": "retry_many", **data})
    assert (state(dead), state(waiting)) == ("waiting", "waiting")
    response = office.post(LIST, {"action": "cancel_many", **data}, follow=True)
    assert (state(dead), state(waiting)) == ("cancelled", "cancelled")
    assert "Done for 2 jobs." in text_of(response)
    response = office.post(LIST, {"action": "cancel_many", **data}, follow=True)
    assert "tests.look: The job has ended already." in text_of(response)


def test_a_seller_sees_and_does_nothing_here(shop, dead):
    answers = [
        shop.get(LIST),
        shop.get(of(dead)),
        shop.post(of(dead, "retry")),
        shop.post(of(dead, "cancel")),
        shop.post(LIST, {"action": "retry_many", "_selected_action": [str(dead.pk)]}),
    ]

    assert {answer.status_code for answer in answers} == {403}
    assert state(dead) == "dead"


class TestTheInstallations:
    @pytest.fixture
    def nobodys(self, db):
        return enqueue("tests.look", tenant=None)

    @pytest.fixture
    def bridge_at_acme(self, bridge, tenant):
        session = bridge.session
        session[SESSION_TENANT] = str(tenant.pk)
        session.save()
        return bridge

    def rows(self, client, query=""):
        response = client.get(f"{LIST}{query}")
        return {row.pk for row in response.context_data["cl"].result_list}

    def test_no_tenant_sees_them(self, office, nobodys, waiting):
        assert self.rows(office) == {waiting.pk}
        assert self.rows(office, "?whose=installation") == {waiting.pk}
        assert office.get(of(nobodys)).status_code == 302
        assert office.post(of(nobodys, "cancel")).status_code == 404
        assert state(nobodys) == "waiting"

    def test_an_operator_does_by_asking_for_them(self, bridge_at_acme, nobodys, waiting):
        assert self.rows(bridge_at_acme) == {waiting.pk}
        assert self.rows(bridge_at_acme, "?whose=installation") == {nobodys.pk}
        assert self.rows(bridge_at_acme, "?whose=installation&state=dead") == set()

    def test_an_operator_cancels_one(self, bridge_at_acme, nobodys):
        assert bridge_at_acme.get(of(nobodys)).status_code == 200
        bridge_at_acme.post(of(nobodys, "cancel"))

        assert state(nobodys) == "cancelled"

    def test_an_operator_in_one_tenant_does_not_see_the_others_jobs(
        self, bridge_at_acme, rival, nobodys
    ):
        theirs = enqueue("tests.look", tenant=rival)

        assert self.rows(bridge_at_acme) == set()
        assert bridge_at_acme.get(of(theirs)).status_code == 302
        assert bridge_at_acme.post(of(theirs, "cancel")).status_code == 404


# --- Seen from everywhere, and in words -----------------------------------------------------------
def test_every_job_of_the_product_has_words():
    assert set(WORDS) == {name for name in job_names() if not name.startswith("tests.")}


def test_the_list_calls_jobs_by_words_and_the_page_tells_the_name_too(office, tenant):
    ordered = enqueue("webhooks.tick", tenant=tenant)

    listed, shown = text_of(office.get(LIST)), text_of(office.get(of(ordered)))

    assert "Look for events to tell" in listed
    assert "Look for events to tell" in shown
    assert "webhooks.tick" in shown


def test_the_sidebar_says_on_every_page_that_jobs_were_given_up(office, dead, rival, run_jobs):
    enqueue("tests.broken", tenant=rival)
    run_jobs()

    assert "1 given up" in text_of(office.get(page("customers_customer", "changelist")))

    office.post(of(dead, "retry"))
    assert "given up" not in text_of(office.get(page("customers_customer", "changelist")))


def test_the_sidebar_says_it_to_nobody_else_and_asks_nothing_for_them(shop, dead):
    with CaptureQueriesContext(connection) as queries:
        assert "given up" not in text_of(shop.get(page("customers_customer", "changelist")))

    assert not any("events_job" in query["sql"] for query in queries)


def test_the_sidebar_asks_once_and_reads_no_more_than_it_tells(office, tenant, dead, monkeypatch):
    monkeypatch.setattr(navigation, "MOST_TOLD", 1)
    enqueue("tests.broken", tenant=tenant, thing_id="another")
    while run_due():
        pass

    with CaptureQueriesContext(connection) as queries:
        shown = text_of(office.get(page("customers_customer", "changelist")))

    assert "1+ given up" in shown
    assert len([query for query in queries if "events_job" in query["sql"]]) == 1
