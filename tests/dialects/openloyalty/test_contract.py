"""Open Loyalty keeps what every dialect promises."""

from dialects.openloyalty.dialect import DIALECT
from tests.dialects.contract import DialectContract
from tests.dialects.openloyalty.client import OpenLoyalty, all_errors, customer

WORDS = {
    "first_name": "firstName",
    "last_name": "lastName",
    "birth_date": "birthDate",
    "card_number": "loyaltyCardNumber",
}


class TestOpenLoyalty(DialectContract):
    dialect = DIALECT
    nowhere = "customer/one/two/three"
    closed_to_patch = "customer"
    wrong = ("birth_date", "the day before yesterday", "birthDate")
    unique = ("card_number", "loyaltyCardNumber")
    registered = 0

    def wire(self, tenant, token):
        return OpenLoyalty(token, code=tenant.code)

    def register(self, wire, **named):
        self.registered += 1
        given = {"firstName": "Ada", "lastName": "Byron", "agreement1": "1"}
        given["email"] = f"ada{self.registered}@example.com"
        given |= {WORDS[name]: value for name, value in named.items()}
        return wire.post("customer/register", customer(**given))

    def key_of(self, answer):
        return answer.json()["customerId"]

    def read(self, wire, key):
        return wire.get(f"customer/{key}")

    def told(self, answer):
        told = answer.json()
        named = {ours: told[theirs] for ours, theirs in WORDS.items() if theirs in told}
        return named | {"birth_date": told["birthDate"][:10]}

    def pages(self, wire, size):
        page = 1
        while True:
            asked = {"page": page, "perPage": size}
            rows = wire.get("customer", asked).json()["customers"]
            if not rows:
                return
            yield [row["customerId"] for row in rows]
            page += 1

    def refuses(self, answer, status, field=None):
        if answer.status_code != status or answer["Content-Type"] != "application/json":
            return False
        body = answer.json()
        if field:
            return set(all_errors(answer)) == {field} and body["errors"] == []
        if status == 401:
            return "message" in body
        return set(body) == {"error"} and body["error"]["code"] == status
