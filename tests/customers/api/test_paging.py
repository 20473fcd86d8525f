"""Pages: everybody once, also while rows come, go and change."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest

from customers.models import Customer
from customers.services import delete_customer, update_customer
from tenancy.clock import frozen
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db

START = datetime(2026, 1, 1, tzinfo=UTC)
ORDERS = ["", "name", "-name", "created_at", "-updated_at", "last_name,-created_at", "status,name"]


@pytest.fixture
def crowd(acme):
    """Twelve customers, some with the same name and some registered at the same moment."""
    people = []
    for n in range(12):
        with frozen(START + timedelta(minutes=n // 3)):
            people.append(
                CustomerFactory(tenant=acme, first_name=f"P{n % 4}", last_name="æøåABC"[n % 6])
            )
    return people


def follow(api, query, *, between=lambda: None, link="next"):
    """All rows, page after page."""
    answer = api.get("customers/", query).json()
    pages = [answer["results"]]
    while answer[link]:
        between()
        parts = urlsplit(answer[link])
        answer = api.get(f"{parts.path}?{parts.query}").json()
        pages.append(answer["results"])
    return pages


def ids(pages):
    return [row["id"] for page in pages for row in page]


@pytest.mark.parametrize("ordering", ORDERS)
@pytest.mark.parametrize("size", [1, 5, 12, 50])
def test_every_order_shows_everybody_once(admin, crowd, ordering, size):
    pages = follow(admin, {"ordering": ordering, "page_size": size})

    assert sorted(ids(pages)) == sorted(str(customer.pk) for customer in crowd)
    whole = admin.get("customers/", {"ordering": ordering, "page_size": 100}).json()["results"]
    assert ids(pages) == [row["id"] for row in whole]


def test_a_cursor_of_the_longest_names_fits_into_an_address(admin, acme):
    script = [chr(0x1F300 + n) for n in range(700)]
    names = {
        "name": "".join(script[:250]),
        "first_name": "".join(script[250:370]),
        "last_name": "".join(script[370:490]),
        "company_name": "".join(script[490:690]),
    }
    for _ in range(2):
        CustomerFactory(tenant=acme, **names)

    pages = admin.get("customers/", {"ordering": ",".join(names), "page_size": 1}).json()

    # The request line that gunicorn accepts unless told otherwise, less method and protocol.
    assert len(pages["next"]) < 4094 - len("GET  HTTP/1.1")
    parts = urlsplit(pages["next"])
    assert len(admin.get(f"{parts.path}?{parts.query}").json()["results"]) == 1


@pytest.mark.parametrize("ordering", ORDERS)
def test_the_way_back_is_the_way_there(admin, crowd, ordering):
    pages = []
    answer = admin.get("customers/", {"ordering": ordering, "page_size": 5}).json()
    while answer["next"]:
        pages.append(answer["results"])
        parts = urlsplit(answer["next"])
        answer = admin.get(f"{parts.path}?{parts.query}").json()
    while answer["previous"]:
        parts = urlsplit(answer["previous"])
        answer = admin.get(f"{parts.path}?{parts.query}").json()

        assert answer["results"] == pages.pop()
    assert pages == []


def test_rows_that_come_and_go_make_nobody_come_twice_or_never(admin, acme, crowd):
    staying = crowd[3:]
    newcomers = iter(range(100))
    going = iter(crowd[:3])

    def meanwhile():
        CustomerFactory(tenant=acme, first_name=f"New{next(newcomers)}")
        leaving = next(going, None)
        if leaving is not None:
            delete_customer(leaving)
        update_customer(crowd[5], first_name=f"Again{next(newcomers)}")

    seen = ids(follow(admin, {"page_size": 3}, between=meanwhile))

    assert len(set(seen)) == len(seen)
    assert {str(customer.pk) for customer in staying} <= set(seen)


def test_a_sync_sees_every_change(admin, acme, crowd):
    changed = set()
    waiting = iter(crowd)

    def meanwhile():
        customer = next(waiting, None)
        if customer is not None and len(changed) < 5:
            update_customer(customer, first_name=f"Changed{len(changed)}")
            changed.add(str(customer.pk))

    query = {"updated_after": "2020-01-01", "page_size": 3}

    pages = follow(admin, query, between=meanwhile)

    latest = {row["id"]: row["first_name"] for page in pages for row in page}
    assert set(latest) == {str(customer.pk) for customer in crowd}
    stored = {str(row.pk): row.first_name for row in Customer.objects.all()}
    assert latest == stored


def test_page_numbers_where_somebody_wants_them(admin, crowd):
    pages = [admin.get("customers/", {"page": n, "page_size": 5}).json() for n in (1, 2, 3)]

    assert [len(page["results"]) for page in pages] == [5, 5, 2]
    assert "page=2" in pages[0]["next"]
    assert pages[0]["previous"] is None
    assert pages[2]["next"] is None
    assert len({row["id"] for page in pages for row in page["results"]}) == 12


def test_the_count_comes_when_asked(admin, crowd):
    assert "count" not in admin.get("customers/").json()
    assert admin.get("customers/", {"count": "true", "page_size": 2}).json()["count"] == 12
    assert admin.get("customers/", {"count": "true", "name": "p1"}).json()["count"] == 3


@pytest.mark.parametrize(
    "query",
    [
        {"cursor": "x"},
        {"cursor": "W10:1abcde:" + "a" * 43},
        {"cursor": "a" * 5000},
        {"page": "0"},
        {"page": "-1"},
        {"page": "x"},
        {"page": "99"},
        {"page": "9" * 30},
        {"page_size": "0"},
        {"page_size": "1001"},
        {"page_size": "١"},
        {"count": "maybe"},
        {"limit": "-1"},
        {"limit": "1001"},
        {"page": "10000000"},
    ],
)
def test_a_bad_place_is_refused(admin, crowd, query):
    answer = admin.get("customers/", query)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] in query


def test_a_cursor_belongs_to_its_order(admin, crowd):
    cursor = admin.get("customers/", {"page_size": 2}).json()["next"].partition("cursor=")[2]
    cursor = cursor.partition("&")[0]

    answer = admin.get(f"customers/?page_size=2&ordering=name&cursor={cursor}")

    assert answer.status_code == 400


def test_a_changed_cursor_is_refused(admin, crowd):
    following = admin.get("customers/", {"page_size": 2}).json()["next"]
    parts = urlsplit(following.replace("cursor=", "cursor=A"))

    assert admin.get(f"{parts.path}?{parts.query}").status_code == 400


@pytest.mark.parametrize("query", [{}, {"updated_after": "2020-01-01"}, {"q": "P1"}])
def test_a_list_of_fifty_costs_what_a_list_of_one_costs(
    admin, acme, django_assert_num_queries, query
):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def register(n):
        CustomerFactory(
            tenant=acme,
            first_name=f"P1{n}",
            emails=[{"address": f"p{n}@example.org"}],
            phones=[{"given": f"900{n:05d}"}],
            consents=[{"purpose": "marketing", "granted": True}],
        )

    register(0)
    admin.get("customers/", query)
    with CaptureQueriesContext(
        connection,
    ) as one:
        admin.get("customers/", query)
    for n in range(1, 50):
        register(n)

    with django_assert_num_queries(len(one)):
        answer = admin.get("customers/", query)

    assert len(answer.json()["results"]) == 50
    assert len(one) < 22


def test_the_next_page_is_found_by_comparing_rows(admin, crowd):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    following = admin.get("customers/", {"page_size": 2}).json()["next"]
    parts = urlsplit(following)

    with CaptureQueriesContext(connection) as queries:
        admin.get(f"{parts.path}?{parts.query}")

    page = next(query["sql"] for query in queries if "ORDER BY" in query["sql"]
                and "customers_customer" in query["sql"])  # fmt: skip
    assert '("customers_customer"."created_at", "customers_customer"."id") < (' in page
