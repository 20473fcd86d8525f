"""Flow Retail keeps what every dialect promises."""

from dialects.flowretail.dialect import DIALECT
from tests.dialects.contract import DialectContract
from tests.dialects.flowretail.client import FlowRetail, fields_of

WORDS = {
    "first_name": "firstname",
    "last_name": "lastname",
    "card_number": "loyaltyId",
    "ledger_number": "ledgerNumber",
}


class TestFlowRetail(DialectContract):
    dialect = DIALECT
    nowhere = "one/two/three"
    closed_to_patch = "search"
    unique = ("card_number", "loyaltyId")
    sample = {"first_name": "Ada", "last_name": "Byron", "ledger_number": "0071"}
    wrong = ("ledger_number", "7a", "ledgerNumber")

    def wire(self, tenant, token):
        return FlowRetail(token, tenant=tenant.code)

    def register(self, wire, **named):
        return wire.post("", {WORDS[name]: value for name, value in named.items()})

    def key_of(self, answer):
        return answer.json()["customerUid"]

    def read(self, wire, key):
        return wire.get(key)

    def told(self, answer):
        told = answer.json()
        return {ours: told[theirs] for ours, theirs in WORDS.items()}

    def pages(self, wire, size):
        page, seen = 1, 0
        while True:
            told = wire.get("", {"pageNumber": page, "pageSize": size}).json()
            if not told["items"]:
                assert seen == told["paging"]["totalCount"]
                return
            yield [row["customerUid"] for row in told["items"]]
            page, seen = page + 1, seen + len(told["items"])

    def refuses(self, answer, status, field=None):
        if answer.status_code != status or answer["Content-Type"] != "application/json":
            return False
        if set(answer.json()) != {"code", "message", "errors"}:
            return False
        return field is None or fields_of(answer) == [field]
