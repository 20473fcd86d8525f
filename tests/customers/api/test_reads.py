"""Who looked at whom: written down where the tenant asks, after the answer, apart from it."""

from datetime import timedelta
from io import BytesIO

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext

from customers.services import anonymise_customer, delete_customer, merge_customers, update_customer
from events import reading
from events.actors import Actor, acting
from events.feed import read_changes
from events.models import Event, HistoryEntry
from events.models.records import CHANGES, READS
from events.services import forget_reads
from tenancy import clock
from tenancy.scoping import all_tenants, in_tenant
from tenancy.services import update_tenant
from tests.factories import CustomerFactory, make_token

pytestmark = pytest.mark.django_db


@pytest.fixture
def watched(acme):
    """Acme, which has reads written down."""
    return update_tenant(acme, settings={"log_reads": True})


def looks():
    with all_tenants():
        return list(HistoryEntry.objects.shown(READS).order_by("id"))


def test_a_read_is_written_with_actor_way_and_reason_and_without_a_word_of_the_person(
    watched, ada, seller
):
    answer = seller.get(f"customers/{ada.pk}/", headers={"X-Reason": "she asked"})

    (look,) = looks()
    assert answer.status_code == 200
    assert (look.subject_id, look.actor_kind, look.reason) == (ada.pk, "staff", "she asked")
    assert look.changes == {"way": [None, "api"], "what": [None, "customers.retrieve"]}
    assert look.request_id == answer["X-Request-Id"]
    event = Event.objects.get(kind="customer.read")
    assert event.data == {
        "way": "api", "what": "customers.retrieve",
        "actor_kind": "staff", "actor": str(look.actor_id),
    }  # fmt: skip
    ada.refresh_from_db()
    assert ada.version == answer.json()["version"]


def test_where_the_tenant_does_not_ask_a_read_costs_no_query_and_leaves_nothing(
    acme, ada, admin, monkeypatch
):
    admin.get(f"customers/{ada.pk}/")  # the first use of a token is noted
    with CaptureQueriesContext(connection) as unasked:
        admin.get(f"customers/{ada.pk}/")
    assert looks() == []
    update_tenant(acme, settings={"log_reads": True})
    monkeypatch.setattr(reading, "_write", lambda look: None)

    with CaptureQueriesContext(connection) as asked:
        admin.get(f"customers/{ada.pk}/")

    # What is collected during the request costs none either; all the cost comes afterwards.
    assert len(asked) == len(unasked)


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("", "customers.retrieve"),
        ("emails/", "emails.list"),
        ("consents/", "consents.list"),
        ("groups/", "subscriptions.list"),
        ("history/", "customers.history"),
        ("loyalty/", "loyalty.retrieve"),
        ("points/", "points.list"),
    ],
)
def test_every_reading_of_a_part_is_a_look_at_the_customer(watched, ada, admin, path, what):
    assert admin.get(f"customers/{ada.pk}/{path}").status_code == 200

    assert [look.changes["what"] for look in looks()] == [[None, what]]


def test_a_list_is_no_look_at_anybody_unless_it_tells_of_one(watched, ada, grace, admin):
    admin.get("customers/")
    admin.post("customers/search/", {"q": "nobody at all"})
    assert looks() == []

    assert len(admin.post("customers/search/", {"q": "Lovelace"}).json()["results"]) == 1
    admin.get("customers/", {"page_size": 1})

    assert [look.subject_id for look in looks()] == [ada.pk, grace.pk]


def test_comparing_two_is_a_look_at_both(watched, ada, grace, admin):
    answer = admin.get(f"customers/{ada.pk}/merge-preview/", {"other": grace.pk})

    assert answer.status_code == 200
    assert {look.subject_id for look in looks()} == {ada.pk, grace.pk}


def test_what_tells_nothing_or_changes_something_is_no_look(watched, ada, admin, as_role):
    admin.client.head(f"/api/v1/customers/{ada.pk}/", headers=admin.headers(None))
    version = admin.patch(f"customers/{ada.pk}/", {"first_name": "Augusta"})["ETag"]
    before = len(looks())
    admin.get(f"customers/{ada.pk}/", headers={"If-None-Match": version})
    as_role("customer", customer=CustomerFactory(tenant=watched)).get(f"customers/{ada.pk}/")
    as_role("service", scopes=["groups:read"]).get(f"customers/{ada.pk}/")

    assert before == len(looks()) == 0


def test_an_old_id_is_a_look_at_the_survivor(watched, ada, grace, admin):
    merge_customers(ada, grace)

    admin.get(f"customers/{grace.pk}/")

    assert [look.subject_id for look in looks()] == [ada.pk]


# --- After the answer, apart from it --------------------------------------------------------------
def begun(path, token):
    """The answer of the real handler as a server holds it: sent when iterated, over when closed."""
    environ = {
        "REQUEST_METHOD": "GET", "PATH_INFO": path, "SERVER_NAME": "localhost",
        "SERVER_PORT": "80", "wsgi.input": BytesIO(), "wsgi.url_scheme": "http",
        "HTTP_AUTHORIZATION": f"Bearer {token}",
    }  # fmt: skip
    return WSGIHandler()(environ, lambda status, headers: None)


@pytest.mark.django_db(transaction=True)
def test_a_look_is_written_only_when_the_answer_is_out(watched, ada):
    token = make_token(watched)

    answer = begun(f"/api/v1/customers/{ada.pk}/", token)
    sent = b"".join(answer)
    before = looks()
    answer.close()

    assert (str(ada.pk).encode() in sent, before, len(looks())) == (True, [], 1)


@pytest.mark.django_db(transaction=True)
def test_a_look_is_in_no_transaction_but_its_own(watched, ada, caplog):
    with transaction.atomic():
        reading.after_response({("customer", ada.pk): True}, way="api", what="customers.retrieve")
        reading.write_due()

    assert looks() == []
    assert "A look was not written (RuntimeError)" in caplog.text


def test_a_look_that_cannot_be_written_fails_no_reading_and_is_logged_as_ids(
    watched, ada, admin, monkeypatch, caplog
):
    def broken(look):
        raise ValueError("Ada Lovelace, ada@example.org")

    monkeypatch.setitem(reading._writers, "customer", broken)

    answer = admin.get(f"customers/{ada.pk}/")

    assert answer.status_code == 200
    (line,) = [record.getMessage() for record in caplog.records if record.name == "events.reading"]
    assert line.startswith("A look was not written (ValueError): tenant ")
    assert f"customer {ada.pk}, by staff " in line
    assert f"way api, for customers.retrieve, request {answer['X-Request-Id']}" in line
    assert "Lovelace" not in line
    assert "example.org" not in line


def test_a_connection_that_broke_loses_no_look(watched, ada, admin, monkeypatch):
    write, tries = reading._writers["customer"], []

    def breaks_once(look):
        tries.append(look)
        if len(tries) == 1:
            raise OperationalError("server closed the connection unexpectedly")
        write(look)

    monkeypatch.setitem(reading._writers, "customer", breaks_once)

    admin.get(f"customers/{ada.pk}/")

    assert (len(tries), len(looks())) == (2, 1)


# --- Erasure, the feed, the end ---------------------------------------------------------------
@pytest.mark.parametrize("erase", [anonymise_customer, delete_customer])
def test_nothing_is_written_of_who_was_erased_meanwhile(watched, ada, erase):
    reading.after_response({("customer", ada.pk): True}, way="api", what="customers.retrieve")
    erase(ada)

    reading.write_due()

    assert looks() == []


def test_an_erasure_leaves_of_a_look_that_it_was_and_by_whom(watched, ada, seller):
    seller.get(f"customers/{ada.pk}/", headers={"X-Reason": "Ada called"})

    anonymise_customer(ada)

    (look,) = looks()
    assert (look.redacted, look.reason, look.request_id) == (True, "", "")
    assert (look.at.second, look.at.microsecond, look.actor_kind) == (0, 0, "staff")
    assert look.changes == {"way": [None, None], "what": [None, None]}


def test_the_feed_tells_of_looks_only_who_names_them(watched, ada, admin):
    update_customer(ada, first_name="Augusta")
    admin.get(f"customers/{ada.pk}/")

    def told(*patterns):
        return {event.kind for event in read_changes(patterns=patterns).events}

    assert "customer.updated" in told() & told("*") & told("customer.*")
    assert "customer.read" not in told() | told("*") | told("customer.*")
    assert told("customer.read") == {"customer.read"}


def test_the_history_shows_changes_unless_asked_for_looks(watched, ada, admin):
    admin.get(f"customers/{ada.pk}/")

    def deeds(**asked):
        answer = admin.get(f"customers/{ada.pk}/history/", asked)
        return {entry["deed"] for entry in answer.json()["results"]}

    assert deeds() == deeds(show="changes") == {"customer.registered"}
    assert deeds(show="reads") == {"customer.read"}
    assert deeds(show="everything") == {"customer.registered", "customer.read"}
    refused = admin.get(f"customers/{ada.pk}/history/", {"show": "all"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "show")


def test_looks_go_after_their_time_and_changes_stay(watched, ada, admin, settings):
    admin.get(f"customers/{ada.pk}/")
    n_changes = HistoryEntry.objects.shown(CHANGES).count()

    with clock.frozen(clock.now() + timedelta(days=settings.READS_KEEP_DAYS - 1)):
        assert forget_reads() == 0
    with clock.frozen(clock.now() + timedelta(days=settings.READS_KEEP_DAYS + 1)):
        assert forget_reads() == 1

    assert (looks(), HistoryEntry.objects.count()) == ([], n_changes)


def test_looks_of_two_businesses_stay_apart(watched, ada, rival, admin):
    update_tenant(rival, settings={"log_reads": True})
    with in_tenant(rival), acting(Actor("service")):
        reading.after_response({("customer", ada.pk): True}, way="api", what="customers.retrieve")

    admin.get(f"customers/{ada.pk}/")

    # The foreign id is nobody there: nothing is written in either business.
    assert [look.tenant_id for look in looks()] == [watched.pk]
