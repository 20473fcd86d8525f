"""Creating, changing and reading back customers, and their passwords."""

import threading

import pytest
from django.contrib.auth.hashers import check_password
from django.db import connection

from customers.models import Customer
from customers.services import anonymise_customer, merge_customers, sign_in_customer
from events.models import Event
from tenancy.scoping import in_tenant
from tenancy.services import SignInRefused
from tests.dialects.zeald.client import (
    PASSWORD,
    Zeald,
    counts,
    customer,
    link,
    one,
    records,
    refusal,
)
from tests.factories import CustomerFactory, make_token

JOINED = "Customer+UserCustomerGroups"
NESTED = "Customer+(UserCustomerGroups+UserGroups)"


def row_of(shop, username):
    with in_tenant(shop):
        return Customer.objects.filter(username=username).values().first()


@pytest.fixture
def uncalled(shop):
    """Somebody without a username."""
    return CustomerFactory(tenant=shop, first_name="Ada")


# --- Create or update --------------------------------------------------------------------------
def test_missing_fields_are_kept_and_empty_ones_emptied(admin):
    whole = {"b_fname": "Peter", "b_city": "Queens", "email": "p@x.nz", "phone_day": "021 555 001"}
    admin.post("Customer", customer(username="u", **whole))

    admin.post("Customer", customer(username="u", b_city="", phone_day="", b_lname="Parker"))

    told = one(admin.get("Customer/u"))
    names = ("b_fname", "b_lname", "b_city", "email", "phone_day")
    assert [told[name] for name in names] == ["Peter", "Parker", "", "p@x.nz", ""]


def test_the_same_customer_twice_in_a_body_is_one(admin):
    first, second = customer(username="u", b_fname="A"), customer(username="u", b_lname="B")

    fresh, known = admin.post("Customer", first, second), admin.post("Customer", second, first)

    assert (fresh.status_code, known.status_code) == (201, 200)
    assert (one(fresh)["b_fname"], one(fresh)["b_lname"]) == ("A", "B")
    assert counts(admin.get("Customer"))[1] == 1


def test_the_last_record_of_a_body_about_a_customer_wins(admin):
    admin.post("Customer", customer(username="u", b_fname="A"))

    admin.post("Customer", customer(username="u", b_fname="B"), customer(username="u", b_fname="A"))

    assert one(admin.get("Customer/u"))["b_fname"] == "A"


def test_some_new_is_not_all_new(admin):
    admin.post("Customer", customer(username="u"))

    answer = admin.post("Customer", customer(username="v"), customer(username="u"))

    assert answer.status_code == 200
    assert [row["username"] for row in records(answer)] == ["v", "u"]


def test_an_update_moves_the_version_once_and_a_resend_not_at_all(shop, admin, peter):
    told = customer(
        link(group_code="vip", subscribed="false"), username=peter,
        b_fname="Paul", b_city="Queens", email="paul@x.nz", password="another one 1", inactive="1",
    )  # fmt: skip
    before = row_of(shop, peter)

    admin.post(JOINED, told)
    once = row_of(shop, peter)
    admin.post(JOINED, told)

    assert once["version"] == before["version"] + 1
    assert row_of(shop, peter) == once


def test_the_key_of_a_customer_is_not_the_email(admin, peter):
    admin.put(f"Customer/{peter}", customer(email="new@x.nz"))

    assert one(admin.get(f"Customer/{peter}"))["email"] == "new@x.nz"
    assert admin.get("Customer/new@x.nz").status_code == 404


def test_the_key_of_a_customer_cannot_be_changed(admin, peter):
    answer = admin.put(f"Customer/{peter}", customer(username="other@x.nz", b_fname="P"))

    assert refusal(answer)[0] == 400
    assert one(admin.get(f"Customer/{peter}"))["b_fname"] == "Peter"


def test_an_id_stands_in_for_a_missing_username_and_makes_room_for_one(admin, uncalled):
    key = str(uncalled.pk)
    (listed,) = records(admin.get("Customer"))

    back = admin.post("Customer", customer(username=key, b_lname="Byron"))
    named = admin.put(f"Customer/{key}", customer(username="ada@x.nz"))

    assert listed["username"] == one(back)["username"] == key
    assert (back.status_code, one(named)["username"]) == (200, "ada@x.nz")
    assert one(admin.get(f"Customer/{key}")) == one(admin.get("Customer/ada@x.nz"))


def test_a_username_that_somebody_has_is_not_given_away(admin, peter, uncalled):
    answer = admin.put(f"Customer/{uncalled.pk}", customer(username=peter))

    assert refusal(answer)[0] == 400


def test_an_old_username_leads_to_the_survivor_and_is_not_exchanged(shop, admin):
    admin.post("Customer", customer(username="old"), customer(username="new", b_fname="Ada"))
    with in_tenant(shop):
        new, old = (Customer.objects.get(username=name) for name in ("new", "old"))
        merge_customers(new, old)

    answer = admin.post("Customer", customer(username="old", b_lname="Byron"))

    assert (answer.status_code, one(answer)["username"]) == (200, "new")
    assert one(admin.get("Customer/old"))["b_lname"] == "Byron"
    assert [row["username"] for row in records(admin.get("Customer?username=old"))] == ["new"]


@pytest.mark.django_db(transaction=True)
def test_two_at_once_make_one_customer(shop):
    if connection.vendor == "sqlite":
        pytest.skip("one writer at a time")
    token, start, statuses = make_token(shop), threading.Barrier(2), []

    def post(name):
        start.wait()
        try:
            statuses.append(
                Zeald(token).post("Customer", customer(username="u", b_fname=name)).status_code
            )
        finally:
            connection.close()

    threads = [threading.Thread(target=post, args=(name,)) for name in ("A", "B")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(statuses) == [200, 201]
    assert counts(Zeald(token).get("Customer"))[1] == 1


# --- Fields ------------------------------------------------------------------------------------
def test_every_field_comes_back_as_it_was_sent(admin, recorded):
    sent = {
        "username": "u", "email": "U@x.nz", "phone_day": "021 555 001",
        "phone_night": "021 555 002", "b_company": "Bugle", "b_fname": "Peter", "b_lname": "Parker",
        "b_address1": "1", "b_address2": "2", "b_address3": "3", "b_city": "Queens",
        "b_state": "NY", "b_zip": "11101",
        "b_country": "US", "company": "C", "fname": "F", "lname": "L", "address1": "s1",
        "address2": "s2", "address3": "s3", "city": "sc", "state": "ss", "zip": "sz",
        "country": "NZ", "inactive": "false", "discount": "20", "no_email": "true",
        "mv_shipmode": "courier", "custom_data1": "1", "custom_data2": "2\n2", "custom_data3": "3",
        "custom_data4": "4",
    }  # fmt: skip

    told = one(admin.post("Customer", customer(**sent)))

    assert told == sent
    record = recorded("u")
    assert (record["kind"], record["discount_percent"]) == ("company", 20)
    assert [(row["kind"], row["primary"]) for row in record["addresses"]] == [
        ("billing", True),
        ("shipping", False),
    ]
    assert [row["kind"] for row in record["phones"]] == ["work", "home"]


def test_no_shipping_address_is_none_and_not_a_copy(admin, recorded):
    admin.post("Customer", customer(username="u", b_city="Queens", city="", fname=""))

    told = one(admin.get("Customer/u"))
    admin.send("PUT", "Customer/u", admin.get("Customer/u").content)

    assert (told["b_city"], told["city"]) == ("Queens", "")
    assert len(recorded("u")["addresses"]) == 1


def test_a_shipping_address_alone_comes_back_as_one_and_once(admin, recorded):
    for _time in range(2):
        admin.post("Customer", customer(username="u", city="Queens", fname="May"))

    told = one(admin.get("Customer/u"))
    assert (told["city"], told["fname"], told["b_city"]) == ("Queens", "May", "")
    assert len(recorded("u")["addresses"]) == 1


def test_a_company_that_comes_and_goes_changes_what_the_customer_is(admin, recorded):
    admin.post("Customer", customer(username="u", b_fname="Peter"))

    kinds = []
    for company in ("Bugle", ""):
        admin.put("Customer/u", customer(b_company=company))
        kinds.append(recorded("u")["kind"])

    assert kinds == ["company", "person"]


def test_what_other_wires_keep_is_not_touched(shop, admin, recorded):
    CustomerFactory(
        tenant=shop, username="u", login_email="login@x.nz", gender="female",
        emails=[{"address": "first@x.nz", "primary": True}, {"address": "login@x.nz"}],
        phones=[{"given": "021 555 001"}, {"given": "021 555 002", "kind": "home"},
                {"given": "021 555 003", "kind": "other"}],
        addresses=[{"street": "A", "kind": "home", "latitude": 1}, {"street": "B", "kind": "work"}],
        labels=[{"key": "k", "value": "v"}],
    )  # fmt: skip
    before = recorded("u")

    told = one(admin.send("PUT", "Customer/u", admin.get("Customer/u").content))

    assert (told["email"], told["b_address1"]) == ("first@x.nz", "A")
    assert (told["phone_day"], told["phone_night"]) == ("021 555 001", "021 555 002")
    assert recorded("u") == before


def test_a_sign_in_cannot_be_emptied_and_gives_way_to_another_email(shop, admin, recorded):
    CustomerFactory(tenant=shop, username="u", login_email="login@x.nz")

    emptied = admin.put("Customer/u", customer(email=""))
    admin.put("Customer/u", customer(email="new@x.nz"))

    assert refusal(emptied)[0] == 400
    assert "email: " in refusal(emptied)[1]
    assert [row["address"] for row in recorded("u")["emails"]] == ["new@x.nz", "login@x.nz"]
    assert recorded("u")["login_email"] == "login@x.nz"


def test_who_is_not_active_yet_is_told_as_inactive_and_stays_so(shop, admin):
    CustomerFactory(tenant=shop, username="u", status="new")

    told = one(admin.get("Customer/u"))["inactive"]
    admin.send("PUT", "Customer/u", admin.get("Customer/u").content)
    kept = row_of(shop, "u")["status"]
    admin.put("Customer/u", customer(inactive="0"))

    assert (told, kept, row_of(shop, "u")["status"]) == ("true", "new", "active")


def test_a_change_is_told_to_others(shop, admin, peter):
    with in_tenant(shop):
        n_before = Event.objects.count()

    admin.put(f"Customer/{peter}", customer(b_fname="Paul", inactive="true"))

    with in_tenant(shop):
        kinds = Event.objects.order_by("at")[n_before:]
        assert sorted(event.kind for event in kinds) == [
            "customer.deactivated",
            "customer.updated",
        ]


def test_an_anonymised_customer_is_listed_empty_and_not_changed(shop, admin, peter):
    with in_tenant(shop):
        who = Customer.objects.get(username=peter)
        anonymise_customer(who)

    (told,) = records(admin.get("Customer"))
    answer = admin.put(f"Customer/{who.pk}", customer(b_fname="Paul"))

    assert (told["username"], told["b_fname"], told["inactive"]) == (str(who.pk), "", "true")
    assert refusal(answer)[0] == 409


# --- Passwords ---------------------------------------------------------------------------------
def test_the_hash_is_shown_to_who_has_the_scope_alone(shop, as_, admin, peter):
    stored = row_of(shop, peter)["password"]
    without = as_("service", scopes=["customers:read"])
    asked = as_("admin", scopes=["customers:read", "password_hash"])

    shown = [
        one(client.get(f"Customer/{peter}")).get("password") for client in (admin, without, asked)
    ]

    assert shown == [None, None, stored]
    assert "password" not in one(admin.get(f"Customer/{peter}?_fields=password"))


def test_a_password_is_hashed_once(shop, knowing, peter):
    stored = row_of(shop, peter)["password"]

    knowing.put(f"Customer/{peter}", customer(password=stored))
    kept = row_of(shop, peter)["password"]
    knowing.put(f"Customer/{peter}", customer(password="a new one 123"))
    knowing.put(f"Customer/{peter}", customer(b_fname="Paul"))

    assert kept == stored
    assert check_password("a new one 123", row_of(shop, peter)["password"])


def test_a_text_that_looks_like_a_hash_is_a_password(shop, admin, peter):
    lookalike = "md5$salt$0123456789abcdef0123456789abcdef"

    admin.put(f"Customer/{peter}", customer(password=lookalike))

    assert check_password(lookalike, row_of(shop, peter)["password"])


def test_an_empty_or_the_same_password_changes_nothing(shop, admin, peter):
    before = row_of(shop, peter)

    for password in ("", PASSWORD):
        admin.put(f"Customer/{peter}", customer(password=password))

    assert row_of(shop, peter) == before


def test_a_customer_signs_in_with_the_password_and_not_while_inactive(shop, admin, peter):
    with in_tenant(shop):
        pair = sign_in_customer(peter, PASSWORD, address="1.2.3.4")
    admin.put(f"Customer/{peter}", customer(inactive="true"))

    assert pair
    with in_tenant(shop), pytest.raises(SignInRefused):
        sign_in_customer(peter, PASSWORD, address="1.2.3.4")
