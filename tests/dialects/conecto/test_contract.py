"""Conecto keeps what every dialect promises, as far as a wire that only reads can."""

from dialects.conecto.dialect import DIALECT
from tenancy.scoping import in_tenant
from tests.dialects.conecto.client import Conecto, at, is_refusal
from tests.dialects.contract import DialectContract
from tests.factories import CustomerFactory

MAIN = 1  # the location of a tenant's first store


class TestConecto(DialectContract):
    dialect = DIALECT
    nowhere = "/pos/v2/1/customers/5"
    closed_to_patch = at(MAIN)
    sample = {"first_name": "Ada", "last_name": "Byron"}

    def wire(self, tenant, token):
        return Conecto(token, tenant=tenant)

    def register(self, wire, **named):
        """By the service: the wire itself takes nobody in."""
        with in_tenant(wire.tenant):
            return CustomerFactory(tenant=wire.tenant, **named)

    def key_of(self, answer):
        return answer.code

    def missing_key(self):
        return "CUST-999999"

    def read(self, wire, key):
        return wire.get(MAIN, search=key)

    def read_with_slash(self, wire, key):
        return wire.get(f"{at(MAIN)}/", search=key)

    def is_missing(self, answer):
        return answer.status_code == 200 and answer.json()["results"] == []

    def told(self, answer):
        (row,) = answer.json()["results"]
        return {"first_name": row["firstName"], "last_name": row["lastName"]}

    def pages(self, wire, size):
        page = 1
        while rows := wire.refs(MAIN, page=page, pageSize=size):
            yield rows
            page += 1

    def refuses(self, answer, status, field=None):
        return is_refusal(answer, status) and (
            field is None or answer.json()["error"]["message"].startswith(f"{field}: ")
        )

    def test_refuses_a_duplicate_by_the_name_of_the_field(self, admin):
        """Nobody writes here, so nothing can be there twice."""
        for method in ("POST", "PUT", "DELETE"):
            assert self.refuses(admin.send(method, at(MAIN)), 405)

    def test_names_a_wrong_field_in_its_own_word(self, admin):
        assert self.refuses(admin.get(MAIN, pageSize="many"), 400, "pageSize")

    def test_refuses_a_body_that_is_announced_too_long(self, admin, settings):
        settings.MAX_UPLOAD_BYTES = 1

        assert self.refuses(admin.send("POST", at(MAIN)), 413)
