"""Fieldpine keeps what every dialect promises, as far as a wire without single records can."""

from dialects.fieldpine.dialect import DIALECT
from tests.dialects.contract import DialectContract
from tests.dialects.fieldpine.client import HERE, Fieldpine, is_packet

WORDS = {
    "id": "CustomerId",
    "first_name": "FirstName",
    "last_name": "LastName",
    "birth_date": "Birthday",
    "card_number": "ContactComment",  # something that tells people apart
}


class TestFieldpine(DialectContract):
    dialect = DIALECT
    nowhere = "/OpenApi2/Sales"
    closed_to_patch = HERE
    wrong = ("birth_date", "the day before yesterday", "Birthday")

    def wire(self, tenant, token):
        return Fieldpine(token)

    def register(self, wire, **named):
        given = {"FirstName": "Ada", "LastName": "Byron"}
        return wire.post(given | {WORDS[name]: value for name, value in named.items()})

    def key_of(self, answer):
        return answer.json()["data"]["CustomerId"]

    def read(self, wire, key):
        return wire.get(f"englishquery=customerid={key}")

    def read_with_slash(self, wire, key):
        return wire.get(f"{HERE}/?englishquery=customerid={key}")

    def is_missing(self, answer):
        return answer.status_code == 200 and answer.json() == {"data": []}

    def told(self, answer):
        (row,) = answer.json()["data"]
        return {ours: row[theirs] for ours, theirs in WORDS.items()}

    def pages(self, wire, size):
        page = 1
        while rows := wire.rows(f"limit={size}&page={page}"):
            yield [row["CustomerId"] for row in rows]
            page += 1

    def refuses(self, answer, status, field=None):
        if not is_packet(answer, status):
            return False
        return field is None or answer.json()["error"]["Message"].startswith(f"{field}: ")

    def test_refuses_a_duplicate_by_the_name_of_the_field(self, admin):
        """The one key that a caller chooses is never refused: who has it already stays as he is."""
        key = "16D33318-1AB4-4728-806D-928DD3C07F01"
        first = self.register(admin, id=key, first_name="Ada")

        again = self.register(admin, id=key, first_name="Grace")

        assert first.content == again.content
        assert again.status_code == 200
