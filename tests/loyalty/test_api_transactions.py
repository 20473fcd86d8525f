"""Transactions and earning rules over the API."""

import uuid

import pytest

from loyalty.models import EarningRule, Transaction
from loyalty.services import account_of, create_earning_rule
from tests.factories import CustomerFactory, StoreFactory
from tests.loyalty.story import adds_up, n_queries, refused

pytestmark = pytest.mark.django_db

NOBODY = str(uuid.UUID(int=7))
SALE = {"number": "S-1", "purchased_at": "2026-03-10T12:00:00Z", "amount": "250.00"}


@pytest.fixture
def rule(acme):
    """A point for every ten crowns."""
    return create_earning_rule(name="Purchases", kind="purchase", rate="0.1")


def sale(customer, **fields):
    return {**SALE, "customer": str(customer.pk), **fields}


def test_a_sale_counts_earns_and_moves_the_level(seller, ada, levels, rule):
    answer = seller.post(
        "transactions/",
        sale(
            ada,
            delivery_amount=50,
            lines=[
                {"sku": "A-1", "name": "Shoes", "quantity": 2, "amount": "200.00"},
                {"name": "Cheese", "quantity": "0.375"},
            ],
        ),
    )

    told = answer.json()
    assert answer.status_code == 201
    assert (told["amount"], told["delivery_amount"], told["points"]) == (250, 50, 20)
    assert (told["customer"], told["counted"], told["kind"]) == (str(ada.pk), True, "sale")
    assert [(line["quantity"], line["amount"]) for line in told["lines"]] == [(2, 200), (0.375, 0)]
    assert seller.get(answer["Location"].removeprefix("http://testserver")).json() == told
    account = account_of(ada)
    assert (account.points, account.level.name, account.transactions_amount) == (
        20_00,
        "level2",
        250_00,
    )


def test_the_same_number_counts_once(seller, ada, rule):
    first = seller.post("transactions/", sale(ada))
    second = seller.post("transactions/", sale(ada))
    other = seller.post("transactions/", sale(ada, amount=251))

    assert (first.status_code, second.status_code, other.status_code) == (201, 200, 409)
    assert second.json() == first.json()
    assert refused(other) == {"number": "conflict"}
    assert (Transaction.objects.count(), account_of(ada).points) == (1, 25_00)


def test_a_number_of_somebody_else_is_refused(seller, ada, grace):
    seller.post("transactions/", sale(ada))

    answer = seller.post("transactions/", sale(grace))

    assert (answer.status_code, refused(answer)) == (409, {"number": "conflict"})


@pytest.mark.parametrize("amount", ["100.00", "-100.00"])
def test_a_return_takes_back_what_it_earned(seller, ada, rule, amount):
    seller.post("transactions/", sale(ada))

    answer = seller.post(
        "transactions/", sale(ada, number="R-1", kind="return", revises="S-1", amount=amount)
    )

    assert (answer.status_code, answer.json()["points"]) == (201, -10)
    assert answer.json()["amount"] == 100
    assert account_of(ada).points == 15_00
    assert adds_up(account_of(ada))


@pytest.mark.parametrize(
    "match",
    [
        {"card_number": "7001"},
        {"external_id": "ext-ada"},
        {"email": "ADA@example.org "},
        {"phone": "+47 900 00 001"},
        {"phone": "90000001", "card_number": ""},
        {"external_id": "unheard of", "card_number": "7001"},
        {"card_number": "7001", "email": "grace@example.org"},
    ],
)
def test_a_till_names_the_customer_by_what_it_knows(seller, acme, ada, match):
    CustomerFactory(tenant=acme, emails=[{"address": "grace@example.org"}])

    answer = seller.post("transactions/", {**SALE, "match": match})

    assert (answer.status_code, answer.json()["customer"]) == (201, str(ada.pk))


def test_a_shared_phone_needs_a_second_word(seller, acme, ada):
    CustomerFactory(
        tenant=acme,
        first_name="Byron",
        phones=[{"given": "90000001"}],
        emails=[{"address": "byron@example.org"}],
    )
    phone = {"phone": "90000001"}

    several = seller.post("transactions/", {**SALE, "match": phone})
    one = seller.post("transactions/", {**SALE, "match": {"email": "ada@example.org", **phone}})

    assert (several.status_code, refused(several)) == (400, {"match.phone": "ambiguous"})
    assert one.json()["customer"] == str(ada.pk)


@pytest.mark.parametrize(
    ("who", "errors"),
    [
        ({}, {"customer": "required"}),
        (
            {"customer": str(uuid.UUID(int=7)), "match": {"card_number": "1"}},
            {"customer": "required"},
        ),
        ({"customer": str(uuid.UUID(int=7))}, {"customer": "does_not_exist"}),
        ({"customer": "ada"}, {"customer": "does_not_exist"}),
        ({"match": {"card_number": "404"}}, {"match.card_number": "does_not_exist"}),
        (
            {"match": {"card_number": "404", "email": "x@example.org"}},
            {"match.card_number": "does_not_exist", "match.email": "does_not_exist"},
        ),
        ({"match": {"name": "Ada"}}, {"match.name": "unknown"}),
        ({"match": {"email": "ada"}}, {"match.email": "invalid_email"}),
        ({"match": {"card_number": 7001}}, {"match.card_number": "not_text"}),
        ({"match": {"phone": ""}}, {"match": "required"}),
        ({"match": "7001"}, {"match": "invalid"}),
    ],
)
def test_a_customer_who_is_not_known_is_named(seller, ada, who, errors):
    answer = seller.post("transactions/", {**SALE, **who})

    assert (answer.status_code, refused(answer)) == (400, errors)
    assert not Transaction.objects.exists()


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"number": ""}, {"number": "required"}),
        ({"amount": "1.005"}, {"amount": "more_decimals"}),
        ({"amount": -1}, {"amount": "min_value"}),
        ({"amount": 2**63 - 1}, {"amount": "max_value"}),
        ({"amount": "ten"}, {"amount": "invalid_number"}),
        ({"delivery_amount": 251}, {"delivery_amount": "max_value"}),
        ({"kind": "gift"}, {"kind": "invalid_choice"}),
        ({"purchased_at": "yesterday"}, {"purchased_at": "invalid_datetime"}),
        ({"purchased_at": "2999-01-01"}, {"purchased_at": "future"}),
        ({"revises": "S-0"}, {"revises": "invalid"}),
        ({"store": "nowhere"}, {"store": "does_not_exist"}),
        ({"points": 5, "level": "x"}, {"points": "unknown", "level": "unknown"}),
        ({"lines": "none"}, {"lines": "invalid"}),
        ({"lines": [{"amount": "0.001"}, 5]}, {"lines.0.amount": "more_decimals"}),
        ({"lines": [{"price": 1}, 5]}, {"lines.0.price": "unknown", "lines.1": "invalid"}),
        ({"lines": [{"quantity": "0.0001"}]}, {"lines.0.quantity": "more_decimals"}),
    ],
)
def test_what_is_no_transaction_is_refused_by_field(seller, ada, fields, errors):
    answer = seller.post("transactions/", sale(ada, **fields))

    assert (answer.status_code, refused(answer)) == (400, errors)
    assert not Transaction.objects.exists()


def test_all_that_is_wrong_is_told_at_once(seller):
    answer = seller.post("transactions/", {"amount": "x", "store": "nowhere"})

    assert refused(answer) == {
        "amount": "invalid_number",
        "store": "does_not_exist",
        "customer": "required",
        "number": "required",
        "purchased_at": "required",
    }


def test_a_batch_records_each_for_itself(seller, ada, grace, rule):
    items = [
        sale(ada),
        sale(ada, number="S-2", amount="0.005"),
        sale(ada),
        sale(ada, amount=9),
        "what?",
        sale(grace, number="S-3"),
    ]

    answer = seller.post("transactions/batch/", {"transactions": items})

    results = answer.json()["results"]
    assert answer.status_code == 207
    assert [row["status"] for row in results] == [201, 400, 200, 409, 400, 201]
    assert [row["index"] for row in results] == [0, 1, 2, 3, 4, 5]
    assert results[1]["errors"][0]["field"] == "amount"
    assert results[0]["id"] == results[2]["id"]
    assert (account_of(ada).points, account_of(grace).points) == (25_00, 25_00)
    again = seller.post("transactions/batch/", {"transactions": [items[0], items[5]]})
    assert (again.status_code, {row["status"] for row in again.json()["results"]}) == (200, {200})


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, {"transactions": "required"}),
        ({"transactions": {}}, {"transactions": "invalid"}),
        ({"transactions": [{}] * 1001}, {"transactions": "too_many"}),
        ({"transactions": [{}], "atomic": True}, {"atomic": "unknown"}),
    ],
)
def test_a_batch_is_a_list_of_bounded_length(seller, body, errors):
    answer = seller.post("transactions/batch/", body)

    assert (answer.status_code, refused(answer)) == (400, errors)


def test_a_token_of_one_store_sells_there_alone(tenant, as_role, ada):
    north, _south = (StoreFactory(tenant=tenant, code=code) for code in ("north", "south"))
    api = as_role("service", scopes=["transactions:write"], stores=[north])

    silent = api.post("transactions/", sale(ada))
    elsewhere = api.post("transactions/", sale(ada, number="S-2", store="south"))
    in_batch = api.post(
        "transactions/batch/", {"transactions": [sale(ada, number="S-3", store="south")]}
    )

    assert (silent.status_code, silent.json()["store"]) == (201, "north")
    assert elsewhere.status_code == 403
    assert in_batch.json()["results"][0]["status"] == 403
    assert Transaction.objects.count() == 1


def test_transactions_are_narrowed_and_turned(admin, acme, ada, grace, sell, take_back):
    store = StoreFactory(tenant=acme, code="north")
    sell(ada, "S1", 10_00, store=store)
    sell(grace, "S2", 20_00, purchased_at="2026-03-11T12:00:00Z")
    take_back(grace, "R1", 5_00, "S2", purchased_at="2026-03-12T12:00:00Z")
    take_back(ada, "R9", 5_00, "unknown")

    def numbers(**query):
        return {row["number"] for row in admin.get("transactions/", query).json()["results"]}

    assert numbers() == {"S1", "S2", "R1", "R9"}
    assert numbers(customer=str(ada.pk)) == {"S1", "R9"}
    assert numbers(kind="return") == {"R1", "R9"}
    assert numbers(counted="false") == {"R9"}
    assert numbers(counted="true", kind="return") == {"R1"}
    assert numbers(number="S2") == {"S2"}
    assert numbers(revises="S2") == {"R1"}
    assert numbers(store="NORTH") == {"S1"}
    assert numbers(purchased_after="2026-03-11") == {"S2", "R1"}
    assert numbers(purchased_before="2026-03-11") == {"S1", "R9"}
    turned = admin.get("transactions/", {"ordering": "number", "page_size": 2}).json()
    assert [row["number"] for row in turned["results"]] == ["R1", "R9"]
    assert turned["next"]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ({"customer": "x"}, "customer"),
        ({"store": "nowhere"}, "store"),
        ({"kind": "gift"}, "kind"),
        ({"purchased_after": "soon"}, "purchased_after"),
        ({"counted": "perhaps"}, "counted"),
        ({"colour": "red"}, "colour"),
        ({"ordering": "amount"}, "ordering"),
    ],
)
def test_a_bad_filter_is_refused_by_name(admin, query, name):
    answer = admin.get("transactions/", query)

    assert (answer.status_code, set(refused(answer))) == (400, {name})


def test_a_longer_list_asks_no_more_queries(admin, ada, acme, sell):
    store = StoreFactory(tenant=acme)
    sell(ada, "S0", 1_00, store=store, lines=[{"sku": "1"}])
    before = n_queries(lambda: admin.get("transactions/"))
    for number in range(1, 10):
        sell(ada, f"S{number}", 1_00, store=store, lines=[{"sku": "1"}])

    assert n_queries(lambda: admin.get("transactions/")) == before
    assert len(admin.get("transactions/").json()["results"]) == 10


def test_a_customer_sees_the_own_purchases(as_role, ada, grace, sell):
    own, _created = sell(ada, "S1", 10_00)
    foreign, _created = sell(grace, "S2", 10_00)
    api = as_role("customer", customer=ada)

    listed = api.get("transactions/").json()["results"]
    asked = api.get("transactions/", {"customer": str(grace.pk)}).json()["results"]

    assert [row["number"] for row in listed] == ["S1"]
    assert asked == []
    assert api.get(f"transactions/{own.pk}/").status_code == 200
    assert api.get(f"transactions/{foreign.pk}/").status_code == 404
    assert api.post("transactions/", sale(ada)).status_code == 403


# --- Rules that earn --------------------------------------------------------------------------
def test_a_rule_is_made_changed_and_deleted(admin, levels):
    made = admin.post(
        "earning-rules/",
        {
            "name": "Purchases",
            "kind": "purchase",
            "rate": "1.5",
            "min_amount": "99.90",
            "multipliers": [{"level": str(levels["level2"].pk), "factor": 2}],
        },
    )
    path = made["Location"].removeprefix("http://testserver")
    changed = admin.patch(path, {"rate": 2, "multipliers": [], "active_to": "2030-01-01"})

    assert made.status_code == 201
    told = made.json()
    assert (told["rate"], told["min_amount"], told["points"]) == (1.5, 99.9, 0)
    assert told["multipliers"] == [{"level": str(levels["level2"].pk), "factor": 2}]
    assert (changed.json()["rate"], changed.json()["multipliers"]) == (2, [])
    assert admin.get("earning-rules/", {"in_force": "true"}).json()["results"][0] == changed.json()
    assert admin.get("earning-rules/", {"in_force": "false"}).json()["results"] == []
    assert admin.delete(path).status_code == 204
    assert not EarningRule.objects.exists()


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, {"name": "required", "kind": "required"}),
        ({"name": "A", "kind": "gift"}, {"kind": "invalid_choice"}),
        ({"name": "A", "kind": "purchase", "rate": "0.00001"}, {"rate": "more_decimals"}),
        ({"name": "A", "kind": "purchase", "rate": 1, "speed": 2}, {"speed": "unknown"}),
        (
            {"name": "A", "kind": "purchase", "rate": 1, "multipliers": [{"level": "x"}]},
            {"multipliers": "does_not_exist"},
        ),
    ],
)
def test_what_is_no_rule_is_refused_by_field(admin, acme, body, errors):
    answer = admin.post("earning-rules/", body)

    assert (answer.status_code, refused(answer)) == (400, errors)


def test_more_rules_ask_no_more_queries(admin, levels):
    def make(number):
        create_earning_rule(
            name=f"Rule {number}",
            kind="purchase",
            rate=1,
            multipliers=[{"level": levels["level1"], "factor": 2}],
        )

    make(0)
    before = n_queries(lambda: admin.get("earning-rules/"))
    for number in range(1, 6):
        make(number)

    assert n_queries(lambda: admin.get("earning-rules/")) == before
