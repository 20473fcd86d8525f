"""Reading one customer and lists of them: the contract's cases and what lies around them."""

import json
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import Customer
from customers.services import update_customer
from tenancy.clock import frozen
from tenancy.scoping import in_tenant
from tests.dialects.openloyalty.client import OpenLoyalty
from tests.factories import make_token

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def row(shop, customer_id):
    with in_tenant(shop):
        return Customer.objects.get(pk=customer_id)


def names(answer):
    return [one["firstName"] for one in answer.json()["customers"]]


# --- One customer
def test_t24_staff_read_everybody_and_customers_themselves(admin, seller, as_, register, shop):
    one, two = register(), register()
    own = as_("customer", customer=row(shop, one))

    assert own.get(f"customer/{one}").status_code == 200
    assert [api.get(f"customer/{two}").status_code for api in (admin, seller)] == [200, 200]
    for other in (two, uuid.uuid4(), "7001"):
        refused = own.get(f"customer/{other}")
        assert refused.status_code == 403
        assert refused.json() == {"error": {"code": 403, "message": "Forbidden"}}
    missing = admin.get(f"customer/{uuid.uuid4()}")
    assert missing.status_code == 404
    assert missing.json() == {"error": {"code": 404, "message": "Not Found"}}


def test_a_customer_is_found_by_card_too(admin, as_, register, shop):
    one = register(loyaltyCardNumber="7001")
    own = as_("customer", customer=row(shop, one))

    assert admin.get("customer/7001").json()["customerId"] == one
    assert own.get("customer/7001").json()["customerId"] == one
    assert admin.get("customer/7002").status_code == 404


@pytest.mark.parametrize("reference", ["%00", "x" * 400, "..%2f", "null", "%E2%80%AE", "0"])
def test_what_cannot_name_a_customer_is_missing(admin, reference):
    assert admin.get(f"customer/{reference}").status_code == 404


def test_customers_are_not_shown_what_staff_keeps_for_itself(as_, register, shop, seller):
    answer = seller.post(
        "seller/customer/register",
        "customer[firstName]=A&customer[lastName]=B&customer[email]=a@b.pl&customer[agreement1]=1"
        "&customer[labels]=vip:no&customer[company][name]=X&customer[company][nip]=1",
    )
    one = answer.json()["customerId"]

    own = as_("customer", customer=row(shop, one)).get(f"customer/{one}").json()

    assert own["labels"] == []
    assert "sellerId" not in own
    assert own["company"] == {"name": "X"}


def test_the_contact_point_stands_in_where_nobody_signs_in(admin, shop):
    from customers.services import register_customer

    with in_tenant(shop):
        customer = register_customer(
            first_name="Ada",
            emails=[{"address": "b@example.com"}, {"address": "a@example.com", "primary": True}],
            phones=[{"given": "900 00 001"}],
            birth_date="--12-10",
        )

    told = admin.get(f"customer/{customer.pk}").json()

    assert (told["email"], told["phone"]) == ("a@example.com", "900 00 001")
    assert "birthDate" not in told


# --- The list
def test_t26_the_list_is_for_staff(admin, seller, nobody, as_, register, shop):
    own = as_("customer", customer=row(shop, register()))

    assert [api.get("customer").status_code for api in (admin, seller, own, nobody)] == [
        *(200, 200, 403, 401)
    ]
    assert [api.get("admin/customer").status_code for api in (admin, seller, own, nobody)] == [
        *(200, 403, 403, 401)
    ]


def test_services_read_by_scope(as_):
    assert as_("service", scopes=["customers:read"]).get("customer").status_code == 200
    assert as_("service", scopes=["groups:read"]).get("customer").status_code == 403


def test_t27_ten_come_newest_first_and_all_are_counted(admin, register):
    known = [register(firstName=f"N{n:02d}") for n in range(12)]

    first = admin.get("customer").json()

    assert first["total"] == 12
    assert [one["customerId"] for one in first["customers"]] == known[:1:-1]
    answers = [admin.get("customer", {"perPage": 5, "page": page}) for page in (1, 2, 3, 4)]
    pages = [[one["customerId"] for one in answer.json()["customers"]] for answer in answers]
    assert [len(page) for page in pages] == [5, 5, 2, 0]
    assert sum(pages, []) == known[::-1]


@pytest.mark.parametrize(
    ("asked", "n"),
    [
        ({"page": "0"}, 10),
        ({"page": "-3"}, 10),
        ({"page": "x"}, 10),
        ({"perPage": "0"}, 10),
        ({"perPage": "x"}, 10),
        ({"perPage": "-1"}, 11),
        ({"perPage": "-1", "page": "7"}, 11),
        ({"perPage": "100000"}, 11),
        ({"page": "999999999", "perPage": "999999999"}, 0),
    ],
)
def test_odd_pages_are_read_as_php_reads_numbers(admin, register, asked, n):
    for _n in range(11):
        register()

    answer = admin.get("customer", asked)

    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    told = json.loads(content)
    assert (len(told["customers"]), told["total"]) == (n, 11)


def test_all_at_once_is_for_who_may_export(seller, register, settings):
    settings.API_MAX_PAGE_SIZE = 2
    for _n in range(3):
        register()

    assert len(seller.get("customer?perPage=-1").json()["customers"]) == 2


def test_what_comes_in_one_stream_is_printed_like_a_page(admin, register):
    register(), register()

    page, stream = admin.get("customer?perPage=5"), admin.get("customer?perPage=-1")

    assert b"".join(stream.streaming_content) == page.content


def test_t29_strict_means_the_whole_value(admin, register):
    for _n in range(3):
        register()

    strict = admin.get("customer", {"email": "example.com", "strict": "1", "perPage": "2"})
    like = admin.get("customer", {"email": "example.com", "strict": "0", "perPage": "2"})

    assert strict.json() == {"customers": [], "total": 0}
    assert (len(like.json()["customers"]), like.json()["total"]) == (2, 3)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"firstName": "john"}, ["John", "John1", "Johnny"]),
        ({"firstName": "John", "strict": "1"}, ["John"]),
        ({"firstName": "OHN1"}, ["John1"]),
        ({"lastName": "1", "strict": "1"}, []),
        ({"lastName": "oe"}, ["John", "John1"]),
        ({"lastName": "Łu"}, ["Johnny"]),
        ({"lastName": "łUKASZ", "strict": "1"}, ["Johnny"]),
        ({"phone": "48", "strict": "1"}, []),
        ({"phone": "+48456456000", "strict": "1"}, ["John1"]),
        ({"phone": " 48456456000", "strict": "1"}, ["John1"]),
        ({"phone": "456456"}, ["John1"]),
        ({"email": "USER-1@"}, ["John1"]),
        ({"email": "user-1@example.com", "strict": "1"}, ["John1"]),
        ({"email": "user-1%40example.com", "strict": "1"}, ["John1"]),
        ({"loyaltyCardNumber": "0000"}, ["John"]),
        ({"loyaltyCardNumber": "0000", "strict": "1"}, []),
        ({"emailOrPhone": "user-1"}, ["John1"]),
        ({"emailOrPhone": "456456"}, ["John1"]),
        ({"emailOrPhone": "nobody"}, []),
        ({"firstName": "null", "lastName": "doe1"}, ["John1"]),
        ({"firstName": "john", "lastName": "doe1"}, ["John1"]),
        ({"firstName": "%"}, []),
        ({"firstName": "_"}, []),
        ({"emailOrPhone": "-"}, ["John1"]),
    ],
)
def test_filters_combine(admin, register, asked, found):
    register(firstName="John", lastName="Doe", loyaltyCardNumber="100001")
    register(firstName="John1", lastName="Doe1", email="user-1@example.com", phone="+48456456000")
    register(firstName="Johnny", lastName="Łukasz")

    assert sorted(names(admin.get("customer", asked))) == found
    assert sorted(names(admin.get("admin/customer", asked))) == found


def test_the_query_string_wins_over_the_form_of_a_get(admin, register):
    register(firstName="Ada"), register(firstName="Grace")

    assert names(admin.get("customer?firstName=Grace", {"firstName": "Ada"})) == ["Grace"]


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        ([("vip", "yes")], ["Ada"]),
        ([("VIP", "")], ["Ada", "Grace"]),
        ([("", "no")], ["Grace"]),
        ([("vip", ""), ("town", "oslo")], ["Ada"]),
        ([("vip", "oslo")], []),
        ([("", "")], ["Ada", "Grace", "John"]),
        ([("vi", "")], []),
    ],
)
def test_labels_are_conditions_that_all_hold(admin, register, labels, found):
    register(firstName="Ada", labels="vip:yes;town:Oslo")
    register(firstName="Grace", labels="vip:no")
    register()
    asked = {
        f"labels[{n}][{part}]": value
        for n, label in enumerate(labels)
        for part, value in zip(("key", "value"), label, strict=True)
    }

    assert sorted(names(admin.get("customer", asked))) == found


@pytest.mark.parametrize(
    ("direction", "ascending"),
    [("asc", True), ("ASC", True), ("desc", False), ("foo", False), ("", False)],
)
def test_t31_only_asc_ascends(admin, register, direction, ascending):
    known = sorted(register() for _n in range(4))

    listed = admin.get("customer", {"sort": "customerId", "direction": direction}).json()

    assert [one["customerId"] for one in listed["customers"]] == known[:: 1 if ascending else -1]


@pytest.mark.parametrize("sort", ["nothing", "password", "firstName; DROP", "search_text", ""])
def test_a_sort_that_is_none_is_ignored(admin, register, sort):
    known = [register() for _n in range(3)]

    listed = admin.get("customer", {"sort": sort}).json()["customers"]

    assert [one["customerId"] for one in listed] == known[::-1]


@pytest.mark.parametrize(
    "sort",
    [
        *("firstName", "lastName", "gender", "email", "phone", "birthDate", "loyaltyCardNumber"),
        *("createdAt", "updatedAt", "posId", "sellerId", "active"),
    ],
)
def test_every_sort_is_total(admin, register, sort):
    known = [register() for _n in range(4)]

    pages = [
        admin.get("customer", {"sort": sort, "direction": "asc", "perPage": 1, "page": page})
        for page in (1, 2, 3, 4)
    ]

    assert sorted(page.json()["customers"][0]["customerId"] for page in pages) == sorted(known)


@pytest.mark.parametrize("name", ["hoursFromLastUpdateTo", "hoursFromLastUpdate"])
def test_t32_hours_since_the_last_change(admin, register, shop, name):
    with frozen(NOON - timedelta(hours=5)):
        old = register(firstName="Old")
    with frozen(NOON - timedelta(minutes=59)):
        update_in(shop, register(firstName="New"))

    with frozen(NOON):
        recent = admin.get("customer", {name: "1"})
        older = admin.get("customer", {name: "5"})
        refused = admin.get("customer", {name: "soon"})

    assert names(recent) == ["New"]
    assert sorted(names(older)) == ["New", "Old"]
    assert refused.status_code == 400
    assert old


def update_in(shop, customer_id):
    with in_tenant(shop):
        update_customer(row(shop, customer_id), language="pl")


def test_a_list_never_shows_the_neighbours(admin, register, rival):
    register()
    theirs = OpenLoyalty(make_token(rival), code="rival")

    assert theirs.get("customer").json() == {"customers": [], "total": 0}
    assert admin.get("/api/rival/customer").status_code == 404
    assert theirs.get("/api/DEFAULT/customer").status_code == 404


@pytest.mark.parametrize("which", ["list", "admin list", "till", "level"])
def test_a_page_costs_as_many_queries_as_one_customer(admin, register, levels, which):
    register(labels="a:b", phone="123123123", address__city="Łódź")
    ask = {
        "list": lambda: admin.get("customer?perPage=50"),
        "admin list": lambda: admin.get("admin/customer?perPage=50&sort=transactionsCount"),
        "till": lambda: admin.post("pos/search/customer", {"search[firstName]": "John"}),
        "level": lambda: admin.get(f"level/{levels['level0'].pk}/customers?perPage=50"),
    }[which]

    def queries():
        with CaptureQueriesContext(connection) as caught:
            answer = ask()
        return len(answer.json()["customers"]), len(caught)

    queries()
    assert queries()[0] == 1
    one = queries()[1]
    for n in range(6):
        register(labels="a:b", phone=f"12312313{n}", address__city="Łódź")

    assert queries() == (7, one)
