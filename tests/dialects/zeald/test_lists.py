"""Lists: narrowed, ordered, cut; and who may do what."""

from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import Customer
from groups.models import Subscription
from groups.services import subscribe_customer
from loyalty.services import record_transaction
from tenancy import clock
from tenancy.scoping import in_tenant
from tests.dialects.zeald.client import (
    PASSWORD,
    Zeald,
    body,
    counts,
    customer,
    link,
    one,
    records,
    refusal,
)
from tests.factories import CustomerFactory, StoreFactory, make_token

JOINED = "Customer+UserCustomerGroups"
NESTED = "Customer+(UserCustomerGroups+UserGroups)"


# --- Lists -------------------------------------------------------------------------------------
PARAMETERS = [
    ("_limit=0", 400), ("_limit=2001", 400), ("_limit=x", 400), ("_start=-1", 400),
    ("_start=99999999999", 400), ("_start=50", 200), ("_sort=password", 400),
    ("_sort=-b_lname", 200), ("_fields=nope", 400), ("_page=2", 400), ("nope=1", 400),
    ("password=x", 400), ("username=a&username=b", 400), ("username=%00", 400),
    ("username=" + "x" * 1_001, 400), ("inactive=maybe", 400), ("discount=x", 400),
    ("no_email=2", 400), ("email=%25", 200), ("b_city=", 200), ("phone_day=021%25", 200),
    ("country=nz", 200), ("custom_data1=%25%25%25%25", 200), ("username=%ed%a0%80", 200),
]  # fmt: skip


def test_a_parameter_is_right_or_refused(admin, peter):
    for query, status in PARAMETERS:
        answer = admin.get(f"Customer?{query}")
        assert answer.status_code == status, query
        if status == 400:
            assert query.partition("=")[0] in refusal(answer)[1]


def test_a_single_record_is_not_searched(admin, peter):
    assert refusal(admin.get(f"Customer/{peter}?b_fname=Peter"))[0] == 400


def test_every_kind_of_field_narrows_a_list(admin):
    admin.post(
        "Customer",
        customer(username="a+b@x.nz", email="p+q@x.nz", phone_night="021 555 001", b_state="NY",
                 zip="1_1", inactive="1", discount="5", no_email="1", mv_shipmode="post",
                 custom_data4="50% off"),
        customer(username="other@x.nz", b_zip="1_1"),
    )  # fmt: skip

    queries = (
        "username=a%2Bb@x.nz", "username=a+b@x.nz", "email=p+q@x.nz", "email=P%25",
        "phone_night=021%25", "b_state=ny", "zip=1_1", "inactive=true", "discount=5", "no_email=1",
        "mv_shipmode=post", "custom_data4=50%25", "custom_data4=%25off",
    )  # fmt: skip
    for query in queries:
        found = [row["username"] for row in records(admin.get(f"Customer?{query}"))]
        assert found == ["a+b@x.nz"], query
    empty = [row["username"] for row in records(admin.get("Customer?zip=&email="))]
    assert empty == ["other@x.nz"]


def test_a_list_is_ordered_as_asked(admin):
    admin.post(
        "Customer",
        *(customer(username=name, discount=n) for name, n in (("b", 2), ("a", 1), ("c", 1))),
    )

    def order(sort):
        return [row["username"] for row in records(admin.get(f"Customer?_sort={sort}"))]

    assert order("username") == ["a", "b", "c"]
    assert order("-username") == ["c", "b", "a"]
    assert order("-discount")[0] == "b"


def test_a_list_costs_the_same_however_long_it_is(shop, knowing, peter, orders):
    paths = (f"{NESTED}+Order", "UserCustomerGroups+UserGroups", "UserGroups", "Order")

    def n_queries():
        counted = []
        for path in paths:
            with CaptureQueriesContext(connection) as queries:
                knowing.get(path)
            counted.append(len(queries))
        return counted

    n_queries()
    few = n_queries()
    for n in range(3):
        who = CustomerFactory(
            tenant=shop, username=f"u{n}", phones=[{"given": "021 555 001"}], password=PASSWORD
        )
        with in_tenant(shop):
            subscribe_customer(who, "vip")
            record_transaction(who, number=f"B{n}", amount=1, purchased_at=clock.now())

    assert n_queries() == few


# --- Rights ------------------------------------------------------------------------------------
RIGHTS = [
    (["customers:read"], "GET", "Customer", 200),
    (["customers:read"], "GET", JOINED, 200),
    (["customers:read"], "GET", NESTED, 403),
    (["customers:read"], "GET", "Customer+Order", 403),
    (["customers:read"], "GET", "UserGroups", 403),
    (["customers:read"], "POST", "Customer", 403),
    (["customers:write"], "POST", "Customer", 201),
    (["customers:write"], "POST", NESTED, 403),
    (["customers:write"], "GET", "Customer", 403),
    (["customers:write"], "DELETE", "Customer/peter@parker.nz", 403),
    (["customers:delete"], "DELETE", "Customer/peter@parker.nz", 200),
    (["groups:write"], "POST", "UserGroups", 400),
    (["loyalty:read"], "GET", "Order", 200),
]


def test_a_key_does_what_its_scopes_say(as_, peter):
    for scopes, method, path, status in RIGHTS:
        answer = as_("service", scopes=scopes).send(method, path, body(customer(username="u")))
        # What may be written is looked at: a customer is no group.
        assert answer.status_code == status, (scopes, method, path)


def test_a_seller_changes_what_sellers_change(as_, peter):
    seller = as_("seller")

    fine = seller.put(f"Customer/{peter}", customer(b_fname="Paul", discount="0"))
    refused = seller.put(f"Customer/{peter}", customer(b_fname="Pat", discount="20"))
    made = seller.post("Customer", customer(username="u"))

    assert fine.status_code == 200
    assert refusal(refused)[0] == refusal(made)[0] == 403
    assert "discount" in refusal(refused)[1]
    assert one(seller.get(f"Customer/{peter}"))["b_fname"] == "Paul"


def test_customers_themselves_have_no_business_here(shop, peter):
    with in_tenant(shop):
        token = make_token(shop, "customer", customer=Customer.objects.get(username=peter))

    assert refusal(Zeald(token).get(f"Customer/{peter}"))[0] == 403


def test_nothing_of_another_tenant_is_there(rival, peter):
    stranger = Zeald(make_token(rival))

    missing = [
        stranger.get(path).status_code
        for path in (f"Customer/{peter}", "UserGroups/vip", "UserCustomerGroups/1")
    ]
    taken = stranger.post("Customer", customer(username=peter))
    foreign = stranger.post(JOINED, customer(link(group_code="vip"), username="u"))

    assert missing == [404] * 3
    assert (taken.status_code, foreign.status_code) == (201, 400)
    assert counts(stranger.get("Customer"))[1] == 1


def test_a_customer_who_is_deleted_is_gone(shop, admin, peter, orders):
    joined = refusal(admin.delete(f"{JOINED}/{peter}"))

    statuses = [admin.delete(f"Customer/{peter}").status_code for _time in range(2)]

    assert joined[0] == 400
    assert statuses == [200, 404]
    assert {row["username"] for row in records(admin.get("Order"))} == {""}
    with in_tenant(shop):
        assert not Subscription.objects.exists()


def test_a_key_bound_to_a_store_registers_there(shop, recorded):
    store = StoreFactory(tenant=shop, code="queens")
    bound = Zeald(make_token(shop, "service", stores=[store]))

    bound.post("Customer", customer(username="u"))

    assert recorded("u")["home_store"] == "queens"
