"""Groups and memberships over the house API."""

import uuid

import pytest

from customers.models import Customer
from customers.services import record_consent
from groups.models import Group, Subscription
from groups.services import subscribe_customer, unsubscribe_customer
from tests.factories import CustomerFactory, GroupFactory, StoreFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def news(acme):
    return GroupFactory(tenant=acme, code="news", subscribable="public")


@pytest.fixture
def vip(acme):
    return GroupFactory(tenant=acme, code="vip", subscribable="private")


@pytest.fixture
def own(as_role, ada):
    """The API in Ada's own hands."""
    return as_role("customer", customer=ada)


def errors_of(answer):
    return {(error["field"], error["code"]) for error in answer.json()["errors"]}


# --- Groups ----------------------------------------------------------------------------------
def test_a_group_is_created_and_read_by_code_and_by_id(admin, news):
    answer = admin.post("groups/", {"code": "club", "title": "Club", "parent": "news"})

    assert answer.status_code == 201, answer.content
    created = answer.json()
    assert (created["code"], created["parent"]) == ("club", "news")
    assert answer["Location"].endswith(f"/api/v1/groups/{created['id']}/")
    for name in ("club", created["id"]):
        assert admin.get(f"groups/{name}/").json() == created


def test_groups_are_listed_filtered_and_ordered(admin, news, vip):
    GroupFactory(tenant=news.tenant, code="club", parent=news)

    def codes(**parameters):
        return [row["code"] for row in admin.get("groups/", parameters).json()["results"]]

    assert codes() == ["club", "news", "vip"]
    assert codes(ordering="-code") == ["vip", "news", "club"]
    assert codes(q="NEW") == ["news"]
    assert codes(subscribable="private") == ["club", "vip"]
    assert codes(parent="news") == ["club"]
    assert codes(parent="none") == ["news", "vip"]
    assert codes(parent="nowhere") == []


def test_a_list_of_groups_costs_the_same_for_many(admin, news, django_assert_max_num_queries, acme):
    for _ in range(20):
        GroupFactory(tenant=acme, parent=news)

    with django_assert_max_num_queries(5):
        assert len(admin.get("groups/").json()["results"]) == 21


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, {("code", "required")}),
        ({"code": "x", "colour": "red"}, {("colour", "unknown")}),
        ({"code": "x", "id": str(uuid.uuid4())}, {("id", "unknown")}),
        ({"code": "x", "tenant": "rival"}, {("tenant", "unknown")}),
        ({"code": "x", "parent": "nowhere"}, {("parent", "does_not_exist")}),
        ({"code": "x", "subscribable": "maybe"}, {("subscribable", "invalid_choice")}),
        ({"code": 7}, {("code", "not_text")}),
    ],
)
def test_a_bad_group_is_refused_by_field(admin, body, expected):
    answer = admin.post("groups/", body)

    assert (answer.status_code, errors_of(answer)) == (400, expected)


def test_a_taken_code_is_a_conflict(admin, news):
    answer = admin.post("groups/", {"code": "news"})

    assert (answer.status_code, errors_of(answer)) == (409, {("code", "unique")})


def test_a_group_is_changed_in_part_and_never_below_itself(admin, news, acme):
    GroupFactory(tenant=acme, code="club", parent=news)

    assert admin.patch("groups/news/", {"title": "Letter"}).json()["title"] == "Letter"
    answer = admin.patch("groups/news/", {"parent": "club"})

    assert (answer.status_code, errors_of(answer)) == (400, {("parent", "cycle")})


def test_a_group_with_groups_below_it_is_not_deleted_and_others_are(admin, news, acme):
    GroupFactory(tenant=acme, code="club", parent=news)

    assert admin.delete("groups/news/").status_code == 409
    assert admin.delete("groups/club/").status_code == 204
    assert admin.delete("groups/club/").status_code == 404
    assert [group.code for group in Group.objects.all()] == ["news"]


def test_foreign_groups_are_as_missing_as_missing_ones(admin, rival, ada):
    theirs = GroupFactory(tenant=rival, code="theirs")

    for method, path in (
        ("get", "groups/{}/"),
        ("patch", "groups/{}/"),
        ("delete", "groups/{}/"),
        ("get", "groups/{}/members/"),
        ("put", f"customers/{ada.pk}/groups/{{}}/"),
        ("delete", f"customers/{ada.pk}/groups/{{}}/"),
    ):
        answers = [
            getattr(admin, method)(
                path.format(name), {"subscribed": True} if method == "put" else None
            )
            if method != "get"
            else admin.get(path.format(name))
            for name in (theirs.pk, theirs.code, uuid.uuid4())
        ]
        bodies = [{**answer.json(), "request_id": ""} for answer in answers]
        assert {answer.status_code for answer in answers} == {404}
        assert bodies[0] == bodies[1] == bodies[2]


def test_customers_see_the_groups_that_they_may_join(own, news, vip):
    rows = own.get("groups/").json()["results"]

    assert [row["code"] for row in rows] == ["news"]
    assert own.get("groups/vip/").status_code == 404


@pytest.mark.parametrize(
    ("role", "method", "path"),
    [
        ("seller", "post", "groups/"),
        ("seller", "patch", "groups/news/"),
        ("seller", "delete", "groups/news/"),
        ("customer", "post", "groups/"),
        ("customer", "delete", "groups/news/"),
    ],
)
def test_only_administrators_set_groups_up(as_role, ada, news, role, method, path):
    api = as_role(role, **({"customer": ada} if role == "customer" else {}))

    answer = getattr(api, method)(path, {"title": "x"} if method != "delete" else None)

    assert answer.status_code == 403
    assert Group.objects.get().title == "News"


# --- Members ---------------------------------------------------------------------------------
def test_members_are_customer_records_page_by_page(admin, acme, news, ada, grace):
    for customer in (ada, grace, CustomerFactory(tenant=acme)):
        subscribe_customer(customer, news)

    first = admin.get("groups/news/members/", {"page_size": 2, "count": "true"}).json()
    second = admin.get(first["next"].partition("testserver")[2]).json()

    names = [row["name"] for row in first["results"] + second["results"]]
    assert names[:2] == ["Ada Lovelace", "Grace"]
    assert (len(names), first["count"], second["next"]) == (3, 3, None)
    assert first["results"][0]["groups"] == [{"code": "news", "title": "News", "subscribed": True}]


def test_members_can_be_narrowed_to_those_who_want_and_can_be_reached(admin, news, ada, grace):
    subscribe_customer(ada, news)
    unsubscribe_customer(grace, news)
    record_consent(ada, purpose="marketing", granted=True)

    def names(**parameters):
        rows = admin.get("groups/news/members/", parameters).json()["results"]
        return [row["first_name"] for row in rows]

    assert names() == ["Ada", "Grace"]
    assert names(subscribed="true") == ["Ada"]
    assert names(subscribed="false") == ["Grace"]
    assert names(reachable="email") == ["Ada"]
    assert admin.get("groups/news/members/", {"reachable": "pigeon"}).status_code == 400


def test_a_seller_sees_of_members_what_a_seller_sees_of_customers(seller, admin, news, ada):
    subscribe_customer(ada, news)

    (seen,) = seller.get("groups/news/members/").json()["results"]
    (all_of_it,) = admin.get("groups/news/members/").json()["results"]

    assert "ledger_number" in all_of_it
    assert "ledger_number" not in seen


def test_members_need_the_right_to_read_customers(as_role, news):
    api = as_role("service", scopes={"groups:read"})

    assert api.get("groups/news/").status_code == 200
    assert api.get("groups/news/members/").status_code == 403


# --- A customer's groups ---------------------------------------------------------------------
def test_staff_put_a_customer_into_a_group_and_take_it_out(seller, ada, vip):
    answer = seller.put(
        f"customers/{ada.pk}/groups/vip/",
        {"subscribed": True, "source": "form 7", "wording_version": "v2", "custom_data1": "x"},
    )

    assert answer.status_code == 201, answer.content
    assert answer["ETag"] == '"2"'
    told = answer.json()
    assert (told["group"], told["subscribed"], told["source"]) == ("vip", True, "form 7")
    assert (told["actor"], told["custom_data1"], told["code"]) == ("staff", "x", 1)
    assert seller.get(f"customers/{ada.pk}/groups/").json()["results"] == [told]
    assert seller.put(f"customers/{ada.pk}/groups/vip/", {"subscribed": False}).status_code == 200
    assert seller.delete(f"customers/{ada.pk}/groups/vip/").status_code == 204
    assert seller.delete(f"customers/{ada.pk}/groups/vip/").status_code == 404


def test_the_same_flag_again_moves_no_version(seller, ada, vip):
    path = f"customers/{ada.pk}/groups/vip/"
    first = seller.put(path, {"subscribed": True})

    again = seller.put(path, {"subscribed": True})

    assert (again.status_code, again["ETag"]) == (200, first["ETag"])
    assert again.json() == first.json()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, ("subscribed", "required")),
        ({"subscribed": None}, ("subscribed", "required")),
        ({"subscribed": "perhaps"}, ("subscribed", "invalid_bool")),
        ({"subscribed": True, "group": "vip"}, ("group", "unknown")),
        ({"subscribed": True, "actor": "me"}, ("actor", "unknown")),
        ({"subscribed": True, "expected_version": 1}, ("expected_version", "unknown")),
        ({"subscribed": True, "store": "nowhere"}, ("store", "does_not_exist")),
        ({"subscribed": True, "custom_data1": "x" * 4001}, ("custom_data1", "max_length")),
    ],
)
def test_a_bad_membership_is_refused_by_field(seller, ada, vip, body, expected):
    answer = seller.put(f"customers/{ada.pk}/groups/vip/", body)

    assert (answer.status_code, errors_of(answer)) == (400, {expected})
    assert not Subscription.objects.exists()


def test_a_change_based_on_an_old_version_is_refused(seller, ada, vip):
    path = f"customers/{ada.pk}/groups/vip/"

    by_header = seller.put(path, {"subscribed": True}, headers={"If-Match": '"7"'})
    by_body = seller.put(path, {"subscribed": True, "version": 7})
    removal = seller.delete(path, headers={"If-Match": '"7"'})

    assert [a.status_code for a in (by_header, by_body, removal)] == [412, 412, 412]
    assert seller.put(path, {"subscribed": True}, headers={"If-Match": '"1"'}).status_code == 201


def test_a_customer_joins_and_leaves_public_groups_only(own, ada, news, vip):
    subscribe_customer(ada, vip, custom_data1="kept from the customer")

    joined = own.put(f"customers/{ada.pk}/groups/news/", {"subscribed": True})
    private = own.put(f"customers/{ada.pk}/groups/vip/", {"subscribed": False})
    left = own.delete(f"customers/{ada.pk}/groups/news/")

    assert joined.status_code == 201
    assert (joined.json()["actor"], joined.json()["source"]) == ("customer", "self-service")
    assert private.status_code == 403
    assert left.status_code == 204
    (shown,) = own.get(f"customers/{ada.pk}/groups/").json()["results"]
    assert (shown["group"], shown["subscribed"]) == ("vip", True)
    assert not {"custom_data1", "actor_label"} & set(shown)


def test_a_customer_cannot_forge_evidence(own, ada, news):
    body = {"subscribed": True, "source": "signed paper", "store": "main", "custom_data1": "x"}

    answer = own.put(f"customers/{ada.pk}/groups/news/", body)

    assert answer.status_code == 403
    assert {error["field"] for error in answer.json()["errors"]} == {
        "source",
        "store",
        "custom_data1",
    }


def test_somebody_elses_groups_are_not_there_for_a_customer(own, grace, news):
    subscribe_customer(grace, news)

    for answer in (
        own.get(f"customers/{grace.pk}/groups/"),
        own.put(f"customers/{grace.pk}/groups/news/", {"subscribed": False}),
        own.delete(f"customers/{grace.pk}/groups/news/"),
        own.get("customers/not-an-id/groups/"),
    ):
        assert answer.status_code == 404
    assert Subscription.objects.get().subscribed


def test_a_foreign_customer_is_not_there(admin, rival, news):
    theirs = CustomerFactory(tenant=rival)

    answers = [
        admin.put(f"customers/{key}/groups/news/", {"subscribed": True})
        for key in (theirs.pk, uuid.uuid4())
    ]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert not Subscription.objects.exists()


def test_a_token_bound_to_a_store_says_where(as_role, acme, ada, vip):
    here, there = StoreFactory(tenant=acme), StoreFactory(tenant=acme)
    api = as_role("seller", stores=[here])
    path = f"customers/{ada.pk}/groups/vip/"

    elsewhere = api.put(path, {"subscribed": True, "store": there.code})
    answer = api.put(path, {"subscribed": True})

    assert (elsewhere.status_code, errors_of(elsewhere)) == (400, {("store", "does_not_exist")})
    assert answer.json()["store"] == here.code


def test_groups_can_be_set_with_the_customer(admin, ada, news, vip):
    answer = admin.patch(f"customers/{ada.pk}/", {"groups": ["news", {"group": "vip"}]})

    assert answer.status_code == 200, answer.content
    assert [group["code"] for group in answer.json()["groups"]] == ["news", "vip"]
    assert Customer.objects.get(pk=ada.pk).version == 2


@pytest.mark.parametrize("instant", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_an_instant_beyond_the_calendar_is_a_bad_parameter(admin, instant):
    response = admin.get("groups/", {"updated_after": instant})

    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == "updated_after"
