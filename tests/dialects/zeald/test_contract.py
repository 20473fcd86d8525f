"""Zeald keeps what every dialect promises."""

import pytest

from dialects.zeald.dialect import DIALECT
from tests.dialects.contract import DialectContract
from tests.dialects.zeald.client import Zeald, counts, customer, one, records, refusal

WORDS = {"first_name": "b_fname", "last_name": "b_lname", "discount_percent": "discount"}


class TestZeald(DialectContract):
    dialect = DIALECT
    nowhere = "Nope"
    closed_to_patch = "Customer"
    sample = {"first_name": "Ada", "last_name": "Byron", "discount_percent": "20"}
    wrong = ("discount_percent", "much", "discount")
    unique = ("username", "username")
    registered = 0

    def wire(self, tenant, token):
        return Zeald(token)

    def register(self, wire, **named):
        self.registered += 1
        given = {"username": f"ada{self.registered}@example.com"}
        given |= {WORDS.get(name, name): value for name, value in named.items()}
        given.pop("card_number", None)
        return wire.post("Customer", customer(**given))

    def key_of(self, answer):
        return one(answer)["username"]

    def read(self, wire, key):
        return wire.get(f"Customer/{key}")

    def told(self, answer):
        told = one(answer)
        return {ours: told[theirs] for ours, theirs in WORDS.items()}

    def pages(self, wire, size):
        start, total = 0, 1
        while start < total:
            answer = wire.get(f"Customer?_start={start}&_limit={size}")
            _start, total, n_rows = counts(answer)
            start += n_rows
            yield [row["username"] for row in records(answer)]

    def refuses(self, answer, status, field=None):
        if answer.status_code != status or answer["Content-Type"] != "text/xml; charset=utf-8":
            return False
        _status, message = refusal(answer)
        return f" {field}: " in message if field else True

    @pytest.mark.parametrize("b_fname", ["Ada", "Augusta"])
    def test_refuses_a_duplicate_by_the_name_of_the_field(self, admin, b_fname):
        """Here nothing is refused: the same key again changes the one who has it."""
        self.register(admin, username="7001", first_name="Ada", last_name="Byron")

        again = self.register(admin, username="7001", first_name=b_fname)

        assert again.status_code == 200
        assert self.told(again)["last_name"] == "Byron"
        assert [row["b_fname"] for row in records(admin.get("Customer"))] == [b_fname]
