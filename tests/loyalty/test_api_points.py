"""Points over the API: the timeline, what moves them, and each of it once."""

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from customers.services import delete_customer
from loyalty.models import Entry
from loyalty.services import account_of, add_points, adjust_points, spend_points
from tenancy import clock
from tenancy.models import Store
from tenancy.services import update_tenant
from tests.factories import CustomerFactory, StoreFactory
from tests.loyalty.story import NOON, adds_up, n_queries, refused

pytestmark = pytest.mark.django_db


def path_of(customer, deed=""):
    return f"customers/{customer.pk}/points/{deed and deed + '/'}"


@pytest.fixture
def rich(ada):
    """Ada with a hundred points."""
    add_points(ada, points=100_00)
    return ada


def test_points_are_added_and_spent(admin, seller, ada):
    added = admin.post(path_of(ada, "add"), {"points": "12.50", "note": "web order 7"})
    spent = seller.post(path_of(ada, "spend"), {"points": 2})

    assert (added.status_code, spent.status_code) == (201, 201)
    assert (added.json()["points"], added.json()["points_after"]) == (12.5, 12.5)
    assert (added.json()["note"], added.json()["left"]) == ("web order 7", 12.5)
    assert (spent.json()["kind"], spent.json()["points"], spent.json()["points_after"]) == (
        "spend",
        -2,
        10.5,
    )
    assert adds_up(account_of(ada))


@pytest.mark.parametrize("deed", ["add", "spend", "adjust", "transfer"])
@pytest.mark.parametrize(
    ("points", "code"),
    [
        (0, "min_value"),
        ("0.005", "more_decimals"),
        (0.005, "more_decimals"),
        (2**63 - 1, "max_value"),
        ("9" * 40, "max_value"),
        ("90000000000000.01", "max_value"),
        ("1e5", "invalid_number"),
        ("ten", "invalid_number"),
        (True, "invalid_number"),
        ([1], "invalid_number"),
        ("", "required"),
        (None, "required"),
    ],
)
def test_amounts_are_exact_or_refused(admin, ada, grace, deed, points, code):
    others = {"adjust": {"reason": "test"}, "transfer": {"receiver": str(grace.pk)}}

    answer = admin.post(path_of(ada, deed), {"points": points, **others.get(deed, {})})

    assert (answer.status_code, refused(answer)) == (400, {"points": code})
    assert not Entry.objects.exists()


@pytest.mark.parametrize("deed", ["add", "spend", "transfer"])
def test_nothing_moves_less_than_nothing(admin, ada, grace, deed):
    body = {"points": -1} | ({"receiver": str(grace.pk)} if deed == "transfer" else {})

    answer = admin.post(path_of(ada, deed), body)

    assert (answer.status_code, refused(answer)) == (400, {"points": "min_value"})


@pytest.mark.parametrize("points", ["2147483648", "21474836.49", 2**31])
def test_large_amounts_are_kept_to_the_hundredth(admin, ada, points):
    answer = admin.post(path_of(ada, "add"), {"points": points})

    assert answer.status_code == 201
    assert account_of(ada).points == int(Decimal(points) * 100)


def test_more_than_there_is_cannot_be_spent(seller, rich):
    answer = seller.post(path_of(rich, "spend"), {"points": "100.01"})

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (409, "points")
    assert answer.json()["type"] == "urn:regulars:problem:insufficient_points"
    assert account_of(rich).points == 100_00


@pytest.mark.parametrize("deed", ["add", "spend", "adjust"])
def test_the_same_source_counts_once(admin, rich, deed):
    body = {"points": 7, "source": "receipt-42", "reason": "recount"}
    if deed != "adjust":
        del body["reason"]

    first = admin.post(path_of(rich, deed), body)
    second = admin.post(path_of(rich, deed), body)
    other = admin.post(path_of(rich, deed), {**body, "points": 8})

    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert (other.status_code, refused(other)) == (409, {"source": "conflict"})
    assert Entry.objects.filter(source_id="receipt-42").count() == 1


def test_the_source_of_another_customer_is_refused(admin, ada, grace):
    admin.post(path_of(ada, "add"), {"points": 7, "source": "receipt-42"})

    answer = admin.post(path_of(grace, "add"), {"points": 7, "source": "receipt-42"})

    assert (answer.status_code, refused(answer)) == (409, {"source": "unique"})


def test_a_request_with_a_key_happens_once(admin, ada):
    key = {"Idempotency-Key": "till-1"}

    answers = [admin.post(path_of(ada, "add"), {"points": 5}, headers=key) for _n in range(3)]

    assert {answer.content for answer in answers} == {answers[0].content}
    assert account_of(ada).points == 5_00


def test_points_are_as_old_as_they_are_said_to_be(admin, acme, ada):
    update_tenant(acme, settings={"points_expire": "after_x_days", "points_days": 10})
    with clock.frozen(NOON):
        answer = admin.post(path_of(ada, "add"), {"points": 5, "at": "2026-03-05T10:00:00Z"})
        late = admin.post(path_of(ada, "add"), {"points": 5, "at": "2026-03-10T12:00:01Z"})

    assert answer.json()["expires_at"] == "2026-03-15T22:59:59Z"
    assert (late.status_code, refused(late)) == (400, {"at": "future"})


def test_an_adjustment_says_why(admin, rich):
    body = {"points": "-5"}

    silent = admin.post(path_of(rich, "adjust"), body)
    said = admin.post(path_of(rich, "adjust"), {**body, "reason": "counted twice"})
    in_header = admin.post(path_of(rich, "adjust"), body, headers={"X-Reason": "again"})

    assert (silent.status_code, refused(silent)) == (400, {"reason": "required"})
    assert (said.json()["points"], said.json()["note"]) == (-5, "counted twice")
    assert in_header.json()["note"] == "again"


def test_a_seller_adjusts_up_to_the_ceiling(acme, admin, seller, rich):
    update_tenant(acme, settings={"seller_points_ceiling": 10})
    path, why = path_of(rich, "adjust"), {"reason": "late delivery"}

    fine = seller.post(path, {"points": 6, **why})
    beyond = seller.post(path, {"points": -5, **why})
    by_admin = admin.post(path, {"points": 500, **why})

    assert (fine.status_code, by_admin.status_code) == (201, 201)
    assert (beyond.status_code, refused(beyond)) == (400, {"points": "ceiling"})


def test_a_seller_adds_no_points_past_the_ceiling_by_another_door(seller, ada):
    assert seller.post(path_of(ada, "add"), {"points": 1_000}).status_code == 403


def test_points_are_sent_once_and_keep_their_expiry(admin, acme, ada, grace):
    update_tenant(acme, settings={"points_expire": "end_of_year"})
    add_points(ada, points=4_00)
    update_tenant(acme, settings={"points_expire": "never"})
    add_points(ada, points=4_00)
    body = {"receiver": str(grace.pk), "points": 5, "source": "gift-1", "note": "birthday"}

    first = admin.post(path_of(ada, "transfer"), body)
    second = admin.post(path_of(ada, "transfer"), body)

    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    told = first.json()
    assert told["sent"]["points"] == -5
    assert sorted(entry["points"] for entry in told["received"]) == [1, 4]
    assert (account_of(ada).points, account_of(grace).points) == (3_00, 5_00)


def test_a_transfer_that_was_something_else_is_refused(admin, rich, grace, acme):
    body = {"receiver": str(grace.pk), "points": 5, "source": "gift-1"}
    admin.post(path_of(rich, "transfer"), body)
    other = CustomerFactory(tenant=acme)

    answers = [
        admin.post(path_of(rich, "transfer"), {**body, "points": 6}),
        admin.post(path_of(rich, "transfer"), {**body, "receiver": str(other.pk)}),
    ]

    assert [answer.status_code for answer in answers] == [409, 409]
    assert [refused(answer) for answer in answers] == [{"source": "conflict"}] * 2
    assert account_of(other).points == 0


@pytest.mark.parametrize("receiver", ["nobody", str(uuid.UUID(int=7)), 5, {"id": 1}])
def test_points_are_sent_to_a_customer(admin, rich, receiver):
    answer = admin.post(path_of(rich, "transfer"), {"receiver": receiver, "points": 1})

    assert (answer.status_code, refused(answer)) == (400, {"receiver": "does_not_exist"})


def test_points_that_came_in_by_mistake_are_cancelled_once(admin, seller, rich):
    entry = Entry.objects.get()
    spend_points(rich, points=30_00)
    path = f"points/{entry.pk}/cancel/"

    by_seller = seller.post(path)
    first = admin.post(path, headers={"X-Reason": "wrong customer"})
    second = admin.post(path)
    of_spending = admin.post(f"points/{Entry.objects.get(kind='spend').pk}/cancel/")

    assert by_seller.status_code == 403
    assert (first.status_code, first.json()["points"], first.json()["reverses"]) == (
        201,
        -70,
        str(entry.pk),
    )
    assert (second.status_code, second.json()["errors"][0]["code"]) == (409, "cancelled")
    assert of_spending.json()["errors"][0]["code"] == "not_cancellable"
    rows = admin.get(path_of(rich)).json()["results"]
    assert rows[-1]["reversed_by"] == first.json()["id"] == rows[0]["id"]


def test_points_of_a_deleted_customer_are_not_cancelled(admin, rich):
    entry = Entry.objects.get()
    delete_customer(rich)

    answer = admin.post(f"points/{entry.pk}/cancel/")

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "nameless")


def test_the_timeline_tells_every_movement_with_the_balance_after_it(admin, seller, acme, ada):
    store = Store.objects.get()
    admin.post(path_of(ada, "add"), {"points": 10, "store": store.code})
    seller.post(path_of(ada, "adjust"), {"points": -3, "reason": "typed wrong"})

    rows = admin.get(path_of(ada)).json()["results"]

    assert [(row["seq"], row["kind"], row["points"], row["points_after"]) for row in rows] == [
        (2, "adjust", -3, 7),
        (1, "earn", 10, 10),
    ]
    assert rows[1]["store"] == store.code
    assert (rows[0]["actor"]["kind"], rows[0]["note"]) == ("staff", "typed wrong")
    assert rows[0]["actor"]["label"].startswith("staff")


def test_the_timeline_is_narrowed_and_turned(admin, ada):
    with clock.frozen(NOON):
        add_points(ada, points=1_00)
    with clock.frozen(NOON + timedelta(days=1)):
        spend_points(ada, points=50)
        adjust_points(ada, points=1, reason="x")
    path = path_of(ada)

    def kinds(**query):
        return [row["kind"] for row in admin.get(path, query).json()["results"]]

    assert kinds(kind="earn,adjust") == ["adjust", "earn"]
    assert kinds(at_after="2026-03-11") == ["adjust", "spend"]
    assert kinds(at_before="2026-03-11") == ["earn"]
    assert kinds(ordering="seq") == ["earn", "spend", "adjust"]
    assert kinds(store=Store.objects.get().code) == []
    assert refused(admin.get(path, {"kind": "gift"})) == {"kind": "invalid_choice"}
    assert refused(admin.get(path, {"ordering": "points"})).keys() == {"ordering"}


def test_a_customer_sees_the_own_points_without_the_words_of_staff(as_role, admin, ada, grace):
    adjust_points(ada, points=5_00, reason="complains a lot")
    api = as_role("customer", customer=ada)

    row = api.get(path_of(ada)).json()["results"][0]

    assert (row["points"], row["note"]) == (5, "")
    assert not {"actor", "source"} & set(row)
    assert api.get(path_of(grace)).status_code == 404
    assert api.get(f"customers/{grace.pk}/loyalty/").status_code == 404
    assert api.get("points/").status_code == 403
    assert api.post(path_of(ada, "adjust"), {"points": 1, "reason": "me"}).status_code == 403


def test_the_ledger_lists_everybodys_entries(admin, seller, rich, grace):
    add_points(grace, points=5_00, source=("api", "order-9"))

    rows = admin.get("points/").json()["results"]

    assert [row["customer"] for row in rows] == [str(grace.pk), str(rich.pk)]
    only = admin.get("points/", {"customer": str(rich.pk)}).json()["results"]
    assert [row["points"] for row in only] == [100]
    assert len(admin.get("points/", {"source": "order-9"}).json()["results"]) == 1
    assert admin.get("points/", {"created_after": "2999-01-01"}).json()["results"] == []
    assert refused(admin.get("points/", {"customer": "x"})) == {"customer": "invalid"}
    assert seller.get("points/").status_code == 403


@pytest.mark.parametrize("path", ["points/", "customers/{}/points/"])
def test_a_longer_timeline_asks_no_more_queries(admin, seller, ada, path):
    path = path.format(ada.pk)
    body = {"points": 1, "reason": "x", "store": Store.objects.get().code}
    for _n in range(2):
        seller.post(path_of(ada, "adjust"), body)
    before = n_queries(lambda: admin.get(path))
    for _n in range(8):
        seller.post(path_of(ada, "adjust"), body)

    assert n_queries(lambda: admin.get(path)) == before
    assert len(admin.get(path).json()["results"]) == 10


def test_a_token_of_one_store_moves_points_there_alone(tenant, as_role, acme, rich):
    north, south = (StoreFactory(tenant=tenant, code=code) for code in ("north", "south"))
    one = as_role("service", stores=[north])
    two = as_role("service", stores=[north, south])
    path = path_of(rich, "spend")

    silent = one.post(path, {"points": 1})
    elsewhere = one.post(path, {"points": 1, "store": "south"})
    unknown = one.post(path, {"points": 1, "store": "west"})
    which = two.post(path, {"points": 1})
    there = two.post(path, {"points": 1, "store": "SOUTH"})

    assert (silent.status_code, silent.json()["store"]) == (201, "north")
    assert elsewhere.status_code == 403
    assert (unknown.status_code, refused(unknown)) == (400, {"store": "does_not_exist"})
    assert (which.status_code, refused(which)) == (400, {"store": "required"})
    assert (there.status_code, there.json()["store"]) == (201, "south")


@pytest.mark.parametrize("status", ["new", "blocked"])
def test_who_may_neither_earn_nor_spend_is_refused(admin, rich, status):
    type(rich).objects.filter(pk=rich.pk).update(status=status)

    answers = [admin.post(path_of(rich, deed), {"points": 1}) for deed in ("add", "spend")]

    assert [answer.status_code for answer in answers] == [409, 409]
    assert [refused(answer) for answer in answers] == [
        {"customer": "not_earning"},
        {"customer": "not_spending"},
    ]


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({"points": 1, "kind": "earn"}, {"kind": "unknown"}),
        ({"points": 1, "source": "x" * 101}, {"source": "max_length"}),
        ({"points": 1, "source": 7}, {"source": "not_text"}),
        ({"points": 1, "note": {"a": 1}}, {"note": "not_text"}),
        ({"points": 1, "note": "x" * 501}, {"note": "max_length"}),
        ({"points": 1, "at": "soon"}, {"at": "invalid_datetime"}),
        ({"points": 1, "store": ["x"]}, {"store": "does_not_exist"}),
    ],
)
def test_what_is_no_such_message_is_refused_by_field(admin, ada, body, errors):
    answer = admin.post(path_of(ada, "add"), body)

    assert (answer.status_code, refused(answer)) == (400, errors)
    assert not Entry.objects.exists()


def test_what_ran_out_is_gone_from_the_status_before_the_ledger_tells(admin, acme, ada):
    update_tenant(acme, settings={"points_expire": "after_x_days", "points_days": 1})
    with clock.frozen(NOON):
        add_points(ada, points=5_00)

    with clock.frozen(datetime(2026, 3, 20, tzinfo=UTC)):
        told = admin.get(f"customers/{ada.pk}/loyalty/").json()

    assert (told["points"], told["expired_points"]) == (0, 5)
