"""Points that are moved and sales that are recorded on Open Loyalty's wire.

The numbers are those of the contract.
"""

import uuid

import pytest

from customers.models import Customer
from loyalty.models import EarningRule
from loyalty.services import create_earning_rule, sending
from tenancy.scoping import in_tenant
from tests.dialects.openloyalty.client import all_errors, customer
from tests.factories import StoreFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def own(as_, shop):
    """A function (customer id) -> the API in the customer's own hands."""

    def own(customer_id):
        with in_tenant(shop):
            return as_("customer", customer=Customer.objects.get(pk=customer_id))

    return own


def transfer(**fields):
    return {f"transfer[{name}]": value for name, value in fields.items()}


def points_of(api, one):
    told = api.get(f"admin/customer/{one}/status").json()
    return {name: told[name] for name in ("points", "usedPoints", "totalEarnedPoints", "p2pPoints")}


def sale(number="S1", amount="1", buyer="john1@example.com", key="email", **more):
    """A form of `transaction[…]` with one line."""
    return {
        "transaction[transactionData][documentNumber]": number,
        "transaction[transactionData][documentType]": "sell",
        "transaction[transactionData][purchaseDate]": "2019-02-20 09:28",
        f"transaction[customerData][{key}]": buyer,
        "transaction[customerData][name]": "Firstname Lastname",
        "transaction[items][0][sku][code]": "SKU1",
        "transaction[items][0][name]": "item 1",
        "transaction[items][0][quantity]": "1",
        "transaction[items][0][grossValue]": amount,
        "transaction[items][0][category]": "aaa",
        "transaction[items][0][maker]": "sss",
    } | {f"transaction[{name}]": value for name, value in more.items()}


# --- Points
def test_t69_points_are_added_spent_and_cancelled(admin, seller, register):
    one = register()

    added = admin.post("points/transfer/add", transfer(customer=one, points="100"))
    spent = seller.post("points/transfer/spend", transfer(customer=one, points="30", comment="x"))
    much = admin.post("points/transfer/spend", transfer(customer=one, points="1000"))

    assert (added.status_code, spent.status_code) == (200, 200)
    assert set(added.json()) == set(spent.json()) == {"pointsTransferId"}
    assert all_errors(much) == {"points": ["Not enough points."]}
    assert points_of(admin, one) == {
        **{"points": 70, "usedPoints": 30},
        **{"totalEarnedPoints": 100, "p2pPoints": 0},
    }
    path = f"points/transfer/{added.json()['pointsTransferId']}/cancel"

    cancelled, again = admin.post(path), admin.post(path)

    assert (cancelled.status_code, cancelled.json()) == (200, [])
    told = points_of(admin, one)
    assert (told["points"], told["totalEarnedPoints"]) == (0, 0)
    spend = admin.post(f"points/transfer/{spent.json()['pointsTransferId']}/cancel")
    for answer in (again, spend):
        assert (answer.status_code, answer.json()) == (
            400,
            {"error": "this transfer cannot be canceled"},
        )
    for unknown in (uuid.uuid4(), "x"):
        assert admin.post(f"points/transfer/{unknown}/cancel").status_code == 404


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"points": "0"}, {"points": ["This value should be 1 or more."]}),
        ({"points": "0.5"}, {"points": ["This value should be 1 or more."]}),
        ({"points": "-5"}, {"points": ["This value should be 1 or more."]}),
        ({"points": "many"}, {"points": ["This value is not valid."]}),
        ({"points": "1.005"}, {"points": ["This value is not valid."]}),
        ({"points": ""}, {"points": ["This value should not be blank."]}),
        ({"customer": ""}, {"customer": ["This value should not be blank."]}),
        ({"customer": str(uuid.uuid4())}, {"customer": ["This value is not valid."]}),
        ({"validityDuration": "0"}, {"validityDuration": ["This value is not valid."]}),
        ({"other": "1"}, {"": ["This form should not contain extra fields."]}),
    ],
)
def test_what_moves_no_points_is_told_at_its_field(admin, register, fields, errors):
    one = register()

    answer = admin.post(
        "points/transfer/add", transfer(**{"customer": one, "points": "5"} | fields)
    )

    assert (answer.status_code, all_errors(answer)) == (400, errors)
    assert points_of(admin, one)["points"] == 0


def test_the_time_of_validity_is_taken_and_the_programmes_rules_count(admin, register):
    one = register()

    fields = transfer(customer=one, points="12.5", validityDuration="50")
    assert admin.post("points/transfer/add", fields).status_code == 200
    assert points_of(admin, one)["points"] == 12.5


def test_only_the_office_gives_points(seller, nobody, own, register):
    one = register()
    fields = transfer(customer=one, points="5")

    assert seller.post("points/transfer/add", fields).status_code == 403
    assert nobody.post("points/transfer/add", fields).status_code == 401
    for path in ("points/transfer/add", "points/transfer/spend", "admin/p2p-points-transfer"):
        assert own(one).post(path, fields).status_code == 403


def test_who_may_not_earn_gets_nothing(admin, register):
    one = register()
    admin.post(f"admin/customer/{one}/deactivate")

    answer = admin.post("points/transfer/add", transfer(customer=one, points="5"))

    assert all_errors(answer) == {"customer": ["This value is not valid."]}


def test_points_go_from_one_customer_to_another(admin, seller, own, register):
    one, other = register(email="ada@example.com"), register(phone="+48234234000")
    admin.post("points/transfer/add", transfer(customer=one, points="100"))
    admin.post("points/transfer/add", transfer(customer=other, points="100"))

    by_office = admin.post(
        "admin/p2p-points-transfer", transfer(sender=one, receiver=other, points="60")
    )
    by_customer = own(one).post(
        "customer/points/p2p-transfer", transfer(receiver="+48234234000", points="40")
    )

    assert (by_office.status_code, by_customer.status_code) == (200, 200)
    assert set(by_office.json()) == set(by_customer.json()) == {"pointsTransferId"}
    assert points_of(admin, one) == {
        **{"points": 0, "usedPoints": 100},
        **{"totalEarnedPoints": 100, "p2pPoints": 0},
    }
    assert points_of(admin, other) == {
        **{"points": 200, "usedPoints": 0},
        **{"totalEarnedPoints": 100, "p2pPoints": 100},
    }
    assert seller.post("admin/p2p-points-transfer").status_code == 403
    assert admin.post("customer/points/p2p-transfer").status_code == 403


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({}, {"points": ["Not enough points."]}),
        ({"receiver": "nobody@example.com"}, {"receiver": ["This value is not valid."]}),
        ({"receiver": "ada@example.com"}, {"receiver": ["This value is not valid."]}),
        ({"sender": "x"}, {"": ["This form should not contain extra fields."]}),
    ],
)
def test_a_gift_that_cannot_be_is_told_at_its_field(own, register, fields, errors):
    one, other = register(email="ada@example.com"), register()
    given = {"receiver": other, "points": "10"} | fields

    answer = own(one).post("customer/points/p2p-transfer", transfer(**given))

    assert (answer.status_code, all_errors(answer)) == (400, errors)


def test_gifts_of_customers_are_counted(own, register, monkeypatch):
    monkeypatch.setattr(sending, "WISHES_PER_CUSTOMER_AND_HOUR", 1)
    api, fields = own(register()), transfer(receiver="nobody@example.com", points="1")

    answers = [api.post("customer/points/p2p-transfer", fields).status_code for _n in range(2)]

    assert answers == [400, 429]


def test_t74_the_newsletter_pays_once_in_a_lifetime(admin, register, shop):
    with in_tenant(shop):
        create_earning_rule(name="News", kind=EarningRule.Kind.NEWSLETTER, points=85)
    one = register()
    assert points_of(admin, one)["points"] == 0

    for ticked in ("1", "1", "0", "1"):
        assert admin.put(f"customer/{one}", customer(agreement2=ticked)).status_code == 200
        assert points_of(admin, one)["points"] == 85
    assert points_of(admin, register(agreement2="1"))["points"] == 85


# --- Sales
def test_t67_a_sale_lifts_and_its_return_lowers(seller, admin, levels, register):
    one = register(email="ada@example.com", loyaltyCardNumber="0000")

    sold = seller.post("transaction", sale(amount="25", buyer="0000", key="loyaltyCardNumber"))

    assert sold.status_code == 200
    assert set(sold.json()) == {"transactionId"}
    told = admin.get(f"customer/{one}").json()
    assert told["levelId"] == str(levels["level1"].pk)
    assert told["lastTransactionDate"] == "2019-02-20T09:28:00+0100"
    back = sale(
        "R1", "25", "ada@example.com",
        **{"transactionData][documentType": "return", "revisedDocument": "S1"},
    )  # fmt: skip
    assert seller.post("transaction", back).status_code == 200
    told = admin.get(f"customer/{one}").json()
    assert told["levelId"] == str(levels["level0"].pk)
    assert (told["transactionsAmount"], told["transactionsCount"]) == (0, 0)


def test_t66_two_sales_by_the_wire(admin, levels, register):
    one = register()

    for number, amount in (("S1", "1"), ("S2", "2")):
        assert admin.post("transaction", sale(number, amount)).status_code == 200

    told = admin.get(f"admin/customer/{one}/status").json()
    assert (told["transactionsCount"], told["transactionsAmount"]) == (2, 3)
    assert told["averageTransactionsAmount"] == "1.50"
    assert told["transactionsAmountToNextLevel"] == 17


def test_a_sale_counts_once(admin, register):
    one = register()

    first, again = (admin.post("transaction", sale()).json() for _n in range(2))
    other = admin.post("transaction", sale(amount="2"))

    assert first == again
    assert all_errors(other) == {
        "transactionData.documentNumber": ["Transaction with such document number already exists."]
    }
    assert admin.get(f"customer/{one}").json()["transactionsCount"] == 1


def test_a_sale_in_json_has_several_lines_and_a_store(admin, register, shop):
    StoreFactory(tenant=shop, code="pos2")
    one = register()
    lines = [{"sku": {"code": "A"}, "grossValue": 1.5}, {"sku": "B", "grossValue": "2", "qty": 1}]

    answer = admin.post(
        "transaction",
        json={
            "transaction": {
                "transactionData": {"documentNumber": "S1"},
                "items": lines,
                "customerData": {"phone": "600700801", "email": "john1@example.com"},
                "pos": "pos2",
                "labels": [{"key": "a", "value": "b"}],
            }
        },
    )

    assert answer.status_code == 200, answer.content
    assert admin.get(f"customer/{one}").json()["transactionsAmount"] == 3.5


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"transactionData][documentNumber": ""}, "transactionData.documentNumber"),
        ({"transactionData][documentType": "gift"}, "transactionData.documentType"),
        ({"transactionData][purchaseDate": "then"}, "transactionData.purchaseDate"),
        ({"items][0][grossValue": "much"}, "items"),
        ({"items][0][grossValue": "-1"}, "items"),
        ({"items": "x"}, "items"),
        ({"customerData][email": ""}, "customerData"),
        ({"customerData][email": "nobody@example.com"}, "customerData.email"),
        ({"pos": "nowhere"}, "pos"),
        ({"other": "x"}, ""),
    ],
)
def test_what_is_no_sale_is_told_at_its_field(admin, register, fields, path):
    register()

    answer = admin.post("transaction", sale(**fields))

    assert answer.status_code == 400
    assert set(all_errors(answer)) == {path}


def test_customers_record_no_sales(own, nobody, register):
    one = register()

    assert own(one).post("transaction", sale()).status_code == 403
    assert nobody.post("transaction", sale()).status_code == 401
