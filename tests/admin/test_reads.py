"""Looks at customers in the back office: written down, and kept out of the way of the changes."""

import pytest

from customers.services import set_avatar
from events.models import HistoryEntry
from events.models.records import READS
from tenancy.services import update_tenant
from tests.admin.browsing import text_of
from tests.admin.conftest import customer_page, page
from tests.customers.planting import picture

pytestmark = pytest.mark.django_db


@pytest.fixture
def watched(acme):
    """Acme, which has reads written down."""
    return update_tenant(acme, settings={"log_reads": True})


def looks():
    return list(HistoryEntry.objects.shown(READS).order_by("id"))


def test_opening_the_page_of_a_customer_is_a_look_by_this_person(watched, ada, shop, clerk):
    assert shop.get(customer_page(ada)).status_code == 200

    (look,) = looks()
    assert (look.subject_id, look.actor_id) == (ada.pk, clerk.pk)
    assert look.changes == {"way": [None, "office"], "what": [None, "customers_customer_change"]}


def test_lists_pictures_and_saving_are_no_looks(watched, ada, office):
    set_avatar(ada, picture())
    office.get(page("customers_customer", "changelist"))
    assert b"".join(office.get(customer_page(ada, "picture")))
    office.post(customer_page(ada), {})

    assert looks() == []


def test_comparing_two_is_a_look_at_both(watched, ada, grace, office):
    answer = office.get(page("customers_customer", "merge", ada.pk, grace.pk))

    assert answer.status_code == 200
    assert {look.subject_id for look in looks()} == {ada.pk, grace.pk}


def test_looks_stand_in_the_history_of_their_own_and_do_not_hide_the_changes(
    watched, ada, shop, office
):
    for _n in range(3):
        shop.get(customer_page(ada))

    tab = text_of(office.get(customer_page(ada)))
    history = text_of(office.get(customer_page(ada, "history")))
    reads = text_of(office.get(customer_page(ada, "history"), {"show": "reads"}))
    all_of_it = text_of(office.get(page("events_historyentry", "changelist")))

    assert "Looked at" not in tab + history + all_of_it.replace("customer: Looked at", "")
    assert "Registered" in history
    # Three by the seller, two by the administrator who looks now.
    assert reads.count("Looked at") == 5
    assert "Cleo Clerk" in reads
    assert "office" in reads
    assert "Registered" not in reads


def test_the_whole_history_can_be_narrowed_to_looks(watched, ada, office):
    office.get(customer_page(ada))

    listed = office.get(page("events_historyentry", "changelist"), {"deed": "customer.read"})

    assert [row.deed for row in listed.context["cl"].result_list] == ["customer.read"]


def test_where_nobody_is_written_down_the_history_offers_nothing_of_it(acme, ada, office):
    office.get(customer_page(ada))

    assert "Who looked" not in text_of(office.get(customer_page(ada, "history")))
    assert looks() == []
