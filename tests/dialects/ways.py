"""Ways into the one customer base and out of it: our own API, and each dialect that says how.

A dialect joins with `tests/dialects/<name>/way.py`, which has a class `Way`: `register` (unless it
only reads) and `read` below, for a person and a record in our words. What it takes and tells is
what the dialect declares (`registers`, `spoken` and `untold` of its `Dialect`).
"""

from importlib import import_module
from importlib.util import find_spec

from config.dialects_page import HOUSE, dialects
from tests.api_client import Api

# Somebody of whom everything is known that a registration can say, in our words; lists that have
# one slot on most wires hold one row.
PERSON = {
    "external_id": "X-1",
    "username": "ada",
    "card_number": "7001",
    "login_email": "ada@example.org",
    "login_phone": "+4790000001",
    "kind": "company",
    "name": "Ada Byron",
    "first_name": "Ada",
    "last_name": "Byron",
    "company_name": "Analytical Engines",
    "gender": "female",
    "birth_date": "1985-12-10",
    "language": "nb",
    "eu_citizen": True,
    "vat_number": "999888777",
    "card_state": "with-card",
    "hidden": False,
    "no_loyalty": False,
    "discount_percent": 5,
    "price_list": "wholesale",
    "payment_terms_days": 14,
    "ledger_number": "007",
    "shipping_mode": "UPS",
    "e_invoice": True,
    "e_invoice_address": "9908:999888777",
    "credit_limit": 1500,
    "credit_balance": 20,
    "floor_limit": 10,
    "home_store": "s1",
    "seller": "seller@example.org",
    "origin": "fair",
    "internal_note": "likes chess",
    "invitation_token": "welcome",
    "custom_data1": "one",
    "custom_data2": "two",
    "custom_data3": "three",
    "custom_data4": "four",
    "no_email": False,
    "emails": "ada@example.org",
    "phones": "+4790000001",
    # The parts that every format knows.
    "addresses": {"street": "Storgata 1", "city": "Oslo", "postal_code": "0155"},
    "contact_persons": [("Charles", "Babbage")],
    "labels": [("vip", "yes")],
    "consents": {"legal": True, "marketing": True},
    "groups": ["club"],
}


class HouseWay:
    """`/api/v1/customers/`."""

    dialect = HOUSE

    def __init__(self, tenant, token):
        self.api = Api(token)

    def register(self, person):
        """Register the person and return the customer's id, as text."""
        body = {
            **person,
            "emails": [{"address": person["emails"]}],
            "phones": [{"given": person["phones"]}],
            "addresses": [person["addresses"]],
            "contact_persons": [
                {"first_name": first, "last_name": last}
                for first, last in person["contact_persons"]
            ],
            "labels": [{"key": key, "value": value} for key, value in person["labels"]],
            "consents": [
                {"purpose": purpose, "granted": granted}
                for purpose, granted in person["consents"].items()
            ],
        }
        answer = self.api.post("customers/", body)
        assert answer.status_code == 201, answer.content
        return answer.json()["id"]

    def read(self, customer_id):
        """What is told of the customer, by the names and in the form of PERSON."""
        told = self.api.get(f"customers/{customer_id}/").json()
        rows = {name: told[name] for name in ("emails", "phones", "addresses")}
        return {
            **told,
            "emails": rows["emails"] and rows["emails"][0]["address"],
            "phones": rows["phones"] and rows["phones"][0]["given"],
            "addresses": rows["addresses"]
            and {name: rows["addresses"][0][name] for name in PERSON["addresses"]},
            "contact_persons": [
                (row["first_name"], row["last_name"]) for row in told["contact_persons"]
            ],
            "labels": [(row["key"], row["value"]) for row in told["labels"]],
            "consents": {row["purpose"]: row["granted"] for row in told["consents"]},
            "groups": [row["code"] for row in told["groups"]],
        }


def ways():
    """Every way that says how, our own first."""
    found = [HouseWay]
    for dialect in dialects():
        name = f"tests.dialects.{dialect.name}.way"
        if find_spec(name):
            found.append(import_module(name).Way)
    return found
