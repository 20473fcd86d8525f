"""The start page tells what waits for somebody, and how the business grows."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache

from customers.admin import dashboard
from customers.models import ImportRun
from customers.services import find_duplicates, merge_customers
from events.models import Job
from events.models.jobs import JobState
from loyalty.models import Lot
from loyalty.services import adjust_points, create_level, update_level
from tenancy import clock
from tenancy.scoping import current_tenant, in_tenant
from tests.admin.browsing import text_of
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db
START = "/admin/"
NOON = datetime(2026, 12, 2, 12, tzinfo=UTC)  # a Wednesday


@pytest.fixture(autouse=True)
def _nothing_is_kept():
    cache.clear()
    yield
    cache.clear()


def bars_of(response, title):
    """{label: count} of a chart, as a screen reader reads it."""
    [chart] = re.findall(rf"<h2>{title}</h2>(.*?)</table>", text_of(response), re.DOTALL)
    rows = re.findall(r'<th scope="row">([^<]*)<.*?bar-count">(\d+)<', chart, re.DOTALL)
    return {label: int(count) for label, count in rows}


def registered(acme, *days):
    with clock.frozen(NOON):
        for day in days:
            CustomerFactory(tenant=acme, first_name="A", created_at=day.isoformat())


def test_registrations_are_counted_per_week_of_the_tenant(office, acme):
    # In Oslo the second one was on Monday already.
    registered(acme, NOON, datetime(2026, 11, 29, 23, 30, tzinfo=UTC), NOON - timedelta(days=3))

    with clock.frozen(NOON):
        bars = bars_of(office.get(START), "Registrations per week")

    assert len(bars) == dashboard.N_WEEKS
    assert list(bars.items())[-2:] == [("23 Nov", 1), ("30 Nov", 2)]
    assert sum(bars.values()) == 3


def test_who_was_registered_before_the_chart_begins_is_not_in_it(office, acme):
    registered(acme, NOON - timedelta(weeks=12), NOON - timedelta(weeks=40))

    with clock.frozen(NOON):
        assert sum(bars_of(office.get(START), "Registrations per week").values()) == 0


def test_each_level_says_how_many_stand_on_it(office, acme, ada):
    create_level(name="Gold", threshold="1000")

    assert bars_of(office.get(START), "Customers per level") == {"Member": 1, "Gold": 0}


def test_totals_are_counted_once_in_a_while_and_never_those_of_another_tenant(
    office, acme, ada, rival, django_assert_max_num_queries
):
    with in_tenant(rival):
        for _n in range(3):
            CustomerFactory(tenant=rival)
    office.get(START)
    CustomerFactory(tenant=acme)

    assert sum(bars_of(office.get(START), "Customers per level").values()) == 1
    cache.clear()
    assert sum(bars_of(office.get(START), "Customers per level").values()) == 2


def test_what_waits_is_told_with_a_way_to_it(office, acme, ada):
    assert "To look at" not in text_of(office.get(START))
    CustomerFactory(
        tenant=acme, first_name="Ada", last_name="Lovelace", birth_date="1985-12-10",
        phones=[{"given": "900 00 001"}],
    )  # fmt: skip
    find_duplicates()
    Job.objects.update(state=JobState.DEAD, ticket=None)

    page = text_of(office.get(START))

    assert re.search(r'possibleduplicate/"[^>]*>.*?1 duplicate to decide', page, re.DOTALL)


def test_a_long_queue_is_not_counted_to_its_end(office, monkeypatch, acme, ada):
    monkeypatch.setattr(dashboard, "MOST", 1)
    for n in range(3):
        CustomerFactory(
            tenant=acme, first_name="Ada", last_name="Lovelace", birth_date="1985-12-10",
            phones=[{"given": "900 00 001"}], external_id=f"t{n}",
        )  # fmt: skip
    find_duplicates()

    assert "1+ duplicates to decide" in text_of(office.get(START))


def test_a_seller_sees_no_totals_and_no_queue_that_is_not_theirs(shop, acme, ada):
    page = text_of(shop.get(START))

    assert "Registrations per week" not in page
    assert "Customers per level" not in page


def test_a_levels_name_is_text_and_no_markup(office, acme, ada):
    level = create_level(name="Gold", threshold="1000")
    update_level(level, name="<b>Gold")

    assert "<b>Gold" not in text_of(office.get(START))


def test_an_operator_without_a_tenant_has_no_dashboard(bridge):
    assert "Registrations per week" not in text_of(bridge.get(START))


# --- Points that expire --------------------------------------------------------------------------
def give(customer, points, *, days, locked=False):
    """Points, in hundredths, that expire in so many days (None: never)."""
    entry = adjust_points(customer, points=points, reason="a gift")
    end = None if days is None else clock.now() + timedelta(days=days)
    held = {"locked": True, "locked_until": clock.now() + timedelta(days=99)} if locked else {}
    Lot.objects.filter(entry=entry).update(expires_at=end, **held)


def expiring(response):
    """What the start page says of points that expire, or None."""
    said = re.search(r'id="expiring-title">(.*?)</section>', text_of(response), re.DOTALL)
    return said and " ".join(re.sub(r"<[^>]*>", " ", said[1]).split())


def test_points_that_expire_soon_are_summed_with_a_way_to_whose_they_are(office, ada, grace):
    give(ada, 12_50, days=29)
    give(ada, 1_000_00, days=3, locked=True)
    give(ada, 5_00, days=31)
    give(grace, 7_00, days=None)

    response = office.get(START)

    said = "Points that expire in the next 30 days 1,012.5 points of 1 customer"
    assert expiring(response) == said
    [link] = re.findall(r'href="([^"]*expiring=soon[^"]*)"', text_of(response))
    listed = office.get(link.replace("&amp;", "&")).context["cl"].result_list
    assert [row.pk for row in listed] == [ada.pk]


def test_what_has_expired_was_spent_or_is_another_tenants_is_not_told(office, ada, rival):
    give(ada, 5_00, days=-1)
    give(ada, 5_00, days=2)
    adjust_points(ada, points=-5_00, reason="spent")
    with in_tenant(rival):
        give(CustomerFactory(tenant=rival), 9_00, days=2)

    assert expiring(office.get(START)) is None


def test_points_of_merged_records_are_one_customers(office, ada, grace):
    give(ada, 5_00, days=2)
    give(grace, 6_00, days=2)
    merge_customers(ada, grace)

    assert "11 points of 1 customer" in expiring(office.get(START))


def test_a_seller_is_not_told_what_expires_over_all(shop, ada):
    give(ada, 5_00, days=2)

    assert expiring(shop.get(START)) is None


def test_an_unknown_value_of_the_filter_is_ignored(office, ada):
    listed = office.get("/admin/customers/customer/?expiring=yesterday").context["cl"].result_list

    assert [row.pk for row in listed] == [ada.pk]


# --- Imports that failed ---------------------------------------------------------------------
def failed(name="till.csv", *, days=0, **more):
    at = clock.now() - timedelta(days=days)
    values = {"state": "failed", "created_at": at, "finished_at": at, "actor_kind": "staff"}
    return ImportRun.objects.create(
        tenant=current_tenant(), file_name=name, fingerprint=f"{name}{days}", **(values | more)
    )


def test_imports_that_failed_are_told_with_a_way_to_them(office, acme):
    run = failed()

    page = text_of(office.get(START))

    pattern = r'href="([^"]*importrun/[^"]*)">.*?1 import failed within a week'
    [link] = re.findall(pattern, page[page.index('class="waiting"') :], re.DOTALL)
    rows = office.get(link.replace("&amp;", "&")).context["cl"].result_list
    assert [row.pk for row in rows] == [run.pk]


@pytest.mark.parametrize(
    "more", [{"days": 8}, {"dry_run": True}, {"state": "cancelled"}, {"state": "done"}]
)
def test_what_cannot_be_mended_any_more_or_did_not_fail_is_not_told(office, acme, more):
    failed(**more)

    assert "import failed" not in text_of(office.get(START))


def test_an_import_that_came_through_since_settles_the_one_that_failed(office, acme):
    failed(days=2)
    failed("other.csv", days=2)
    failed(days=1, state="done")

    assert "1 import failed within a week" in text_of(office.get(START))


def test_a_seller_hears_of_no_imports(shop, acme):
    failed()

    assert "import failed" not in text_of(shop.get(START))
