"""Memberships, groups and orders, below a customer and for themselves."""

from tests.dialects.zeald.client import (
    counts,
    customer,
    group,
    link,
    one,
    records,
    refusal,
)

JOINED = "Customer+UserCustomerGroups"
NESTED = "Customer+(UserCustomerGroups+UserGroups)"


# --- Memberships -------------------------------------------------------------------------------
def test_groups_are_added_and_the_others_kept(admin, peter):
    admin.post("UserGroups", group(code="new"))

    answer = admin.put(f"{JOINED}/{peter}", customer(link(group_code="new", custom_data1="x")))

    told = [(row["group_code"], row["custom_data1"]) for row in one(answer)["UserCustomerGroup"]]
    assert told == [("dealer", ""), ("vip", ""), ("new", "x")]


def test_a_customer_can_leave_the_mail_of_a_group(admin, peter):
    for word in ("false", "0", "unsubscribed", "Unsubscribed", ""):
        admin.put(f"{JOINED}/{peter}", customer(link(group_code="vip", subscribed="true")))
        answer = admin.put(f"{JOINED}/{peter}", customer(link(group_code="vip", subscribed=word)))
        flags = {row["group_code"]: row["subscribed"] for row in one(answer)["UserCustomerGroup"]}
        assert flags == {"dealer": "true", "vip": "false"}, word


WRONG = [
    ({"group_code": "vip", "username": "other@x.nz"}, "username: "),
    ({"subscribed": "true"}, "group_code: "),
    ({"group_code": "vip", "subscribed": "maybe"}, "subscribed: "),
    ({"group_code": "vip", "code": "x"}, "code: "),
    ({"group_code": "vip", "custom_data1": "y" * 4_001}, "custom_data1: "),
    ({"group_code": "vip", "title": "t"}, "no field title"),
]


def test_a_membership_that_is_wrong_refuses_everything(admin, peter):
    admin.post("Customer", customer(username="other@x.nz"))

    for inside, why in WRONG:
        answer = admin.post(JOINED, customer(link(**inside), username=peter, b_fname="Paul"))
        status, message = refusal(answer)
        assert (status, "UserCustomerGroup 1" in message, why in message) == (400, True, True)

    assert one(admin.get(f"Customer/{peter}"))["b_fname"] == "Peter"


def test_a_membership_with_the_code_of_another_one_is_refused(admin, peter):
    rows = one(admin.get(f"{JOINED}/{peter}"))["UserCustomerGroup"]

    answer = admin.put(
        f"{JOINED}/{peter}", customer(link(code=rows[0]["code"], group_code=rows[1]["group_code"]))
    )

    assert refusal(answer)[0] == 400


def test_memberships_stand_for_themselves_too(admin, peter):
    admin.post("UserGroups", group(code="new"))

    made = admin.post("UserCustomerGroups", link(username=peter, group_code="new"))
    code = one(made)["code"]
    changed = admin.put(f"UserCustomerGroups/{code}", link(subscribed="0", custom_data2="x"))
    again = admin.post("UserCustomerGroups", link(username=peter, group_code="new"))
    gone = [admin.delete(f"UserCustomerGroups/{code}").status_code for _time in range(2)]

    assert (made.status_code, changed.status_code, again.status_code) == (201, 200, 200)
    assert (one(again)["code"], one(again)["subscribed"]) == (code, "false")
    assert one(changed)["custom_data2"] == "x"
    assert gone == [200, 404]
    assert refusal(admin.get(f"UserCustomerGroups/{code}"))[1] == (
        f"UserCustomerGroup {code} not found"
    )


def test_a_membership_stays_between_whom_it_is(admin, peter):
    admin.post("Customer", customer(username="other@x.nz"))
    code = one(admin.get("UserCustomerGroups?group_code=vip"))["code"]

    for changes in ({"code": "1000"}, {"group_code": "dealer"}, {"username": "other@x.nz"}):
        answer = admin.put(f"UserCustomerGroups/{code}", link(**changes))
        assert refusal(answer)[0] == 400, changes


def test_a_membership_of_nobody_is_refused(admin, groups):
    answer = admin.post("UserCustomerGroups", link(username="none@x.nz", group_code="vip"))

    assert refusal(answer)[0] == 400


def test_memberships_hold_their_groups(admin, peter):
    answer = admin.get(f"UserCustomerGroups+UserGroups?username={peter}&group_code=v%25")

    assert one(answer)["UserGroup"][0]["title"] == "VIPs"


def test_who_is_in_a_private_group_is_not_for_the_customer_to_say(shop, admin, peter):
    """The wire sets the flag of any group; what customers may do is the service's rule."""
    told = one(admin.get(f"{NESTED}/{peter}"))["UserCustomerGroup"]

    assert {row["UserGroup"][0]["subscribable"] for row in told} == {"private"}


# --- Groups ------------------------------------------------------------------------------------
def test_a_group_is_changed_by_its_code_and_keeps_what_is_not_named(admin):
    admin.post("UserGroups", group(code="top"), group(code="sub", title="T", parent_code="top"))

    posted = admin.post("UserGroups", group(code="sub", description="a\nb"))
    put = admin.put("UserGroups/sub", group(subscribe_text="Join!", parent_code=""))

    assert (posted.status_code, put.status_code) == (200, 200)
    assert one(put) == {
        "code": "sub", "title": "T", "description": "a\nb", "subscribable": "private",
        "subscribe_text": "Join!", "parent_code": "",
    }  # fmt: skip


def test_a_group_goes_unless_others_stand_below_it(admin, peter):
    admin.post("UserGroups", group(code="sub", parent_code="vip"))

    statuses = [admin.delete(f"UserGroups/{code}").status_code for code in ("vip", "sub", "vip")]

    assert statuses == [409, 200, 200]
    assert [row["group_code"] for row in records(admin.get("UserCustomerGroups"))] == ["dealer"]


def test_groups_inside_of_memberships_are_written_with_them(admin):
    inside = link(group(code="new", title="New ones"))

    answer = admin.post(NESTED, customer(inside, username="u"))

    assert answer.status_code == 201
    assert one(answer)["UserCustomerGroup"][0]["UserGroup"][0]["title"] == "New ones"
    again = admin.post(NESTED, customer(link(group(code="new"), group_code="x"), username="u"))
    assert "group_code: " in refusal(again)[1]


def test_a_plural_node_is_accepted(admin, peter):
    plural = "<UserCustomerGroups><group_code>vip</group_code></UserCustomerGroups>"

    assert admin.put(f"{JOINED}/{peter}", customer(plural)).status_code == 200


# --- Orders ------------------------------------------------------------------------------------
def test_orders_are_the_purchases_of_a_customer(admin, peter, orders):
    told = one(admin.get(f"Customer+Order/{peter}"))["Order"]

    assert {row["order_number"]: (row["order_type"], row["total_cost"]) for row in told} == {
        "A/1": ("sale", "120.50"),
        "A-2": ("return", "20.00"),
    }
    assert one(admin.get("Order/A%2F1")) == next(r for r in told if r["order_number"] == "A/1")
    assert one(admin.get("Order/A%2F1"))["store_code"] == "queens"
    assert counts(admin.get(f"Order?username={peter}&order_type=sale"))[1] == 1


def test_orders_are_only_read(admin, peter, orders):
    statuses = [
        refusal(admin.post("Order", "<Order/>"))[0],
        refusal(admin.delete("Order/A-2"))[0],
        refusal(admin.put(f"Customer+Order/{peter}", customer(b_fname="P")))[0],
    ]

    assert statuses == [405, 405, 400]
