"""The record as a whole: no column, child or record key is forgotten anywhere."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.columns import COLUMN_CLEANERS
from customers.models import Customer
from customers.profile import CHILD_LISTS
from customers.records import COLUMNS, assemble, record_of, records
from customers.search import find_customer, search_customers
from customers.services import record_consent, set_charge_account, set_store_profile
from tenancy.models import Store
from tenancy.permissions import CUSTOMER_FIELDS
from tests.factories import CustomerFactory


def test_every_column_is_profile_or_system():
    columns = {field.name for field in Customer._meta.concrete_fields}

    # birth_date stands for three columns
    assert columns == (set(Customer.PROFILE) - {"birth_date"}) | set(Customer.SYSTEM)


def test_every_profile_name_has_a_rule():
    assert set(COLUMN_CLEANERS) == set(Customer.PROFILE)
    assert set(CHILD_LISTS) == set(Customer.CHILD_LISTS)


def test_the_table_of_field_rights_names_only_real_fields():
    known = {
        *Customer.PROFILE,
        *Customer.SYSTEM,
        *Customer.CHILD_LISTS,
        *("consents", "devices", "groups", "avatar", "store_profiles", "charge_account"),
        *("reachable", "loyalty", "level", "merged_from"),
    }

    assert {name.partition(".")[0] for name in CUSTOMER_FIELDS} - known == set()


@pytest.mark.django_db
class TestRecords:
    def test_a_record_speaks_the_whole_profile(self, ada):
        record = record_of(ada.pk)

        assert set(Customer.PROFILE) | set(Customer.CHILD_LISTS) <= set(record)

    def test_a_record_holds_the_children_in_order(self, ada):
        set_charge_account(ada, number="A-1")
        set_store_profile(ada, Store.objects.get(), pos_ref="P1")
        record_consent(ada, purpose="marketing", granted=True)
        record_consent(ada, purpose="marketing", granted=False)

        record = record_of(ada.pk)

        assert [email["address"] for email in record["emails"]] == ["Ada@example.org"]
        assert record["birth_date"] == "1985-12-10"
        assert record["charge_account"] == {"number": "A-1", "retired": False}
        assert [(c["purpose"], c["granted"]) for c in record["consents"]] == [("marketing", False)]
        assert record["store_profiles"][0]["pos_ref"] == "P1"

    def test_nobody_is_mixed_up(self, acme):
        for index in range(7):
            CustomerFactory(
                tenant=acme,
                first_name=f"P{index}",
                emails=[{"address": f"p{index}@example.org"}],
            )

        for record in records(Customer.objects.all(), batch=3):
            assert record["emails"][0]["address"] == f"{record['first_name'].lower()}@example.org"

    def test_the_number_of_queries_does_not_grow(self, acme):
        def queries_for(n_customers):
            with CaptureQueriesContext(connection) as captured:
                rows = list(Customer.objects.values(*COLUMNS)[:n_customers])
                assert len(assemble(rows)) == n_customers
            return len(captured)

        for index in range(30):
            CustomerFactory(tenant=acme, emails=[{"address": f"p{index}@example.org"}])

        assert queries_for(30) == queries_for(2)


@pytest.mark.django_db
class TestSearch:
    @pytest.fixture(autouse=True)
    def _people(self, acme):
        CustomerFactory(
            tenant=acme,
            first_name="Zoë",
            last_name="Ørsted-Müller",
            emails=[{"address": "Zoe.O@example.org"}],
            phones=[{"given": "+47 22 33 44 55", "kind": "work"}, {"given": "900 00 001"}],
            card_number="2900001234",
        )
        CustomerFactory(tenant=acme, first_name="Grace", last_name="Hopper")

    def found(self, q):
        return sorted(c.first_name for c in search_customers(Customer.objects.all(), q))

    @pytest.mark.parametrize(
        "q",
        [
            "zoe",
            "ZOË",
            "orsted zoe",
            "muller",
            "zo",
            "z ors",
            "zoe.o@example.org",
            "ZOE.O@EXAMPLE.ORG",
            "oe.O@exam",
            "oe.o",
            "e.or",
            "22334455",
            "22 33 44 55",
            "0047 22 33 44 55",
            "+4722334455",
            "4455",
            "0001",
            "2900001234",
            "001234",
            "CUST-1",
            "cust-1",
        ],
    )
    def test_finds_by_what_people_type(self, q):
        assert self.found(q) == ["Zoë"]

    @pytest.mark.parametrize("q", ["hopper zoe", "nobody", "9999", "x@y.z", "CUST-99", "%", "_"])
    def test_finds_nobody_else(self, q):
        assert self.found(q) == []

    def test_an_empty_search_narrows_nothing(self):
        assert self.found("  ") == ["Grace", "Zoë"]

    @pytest.mark.parametrize("q", ["\0", "\ud800", "%" * 10_000, "9" * 500, "a " * 5_000, "''\"\\"])
    def test_odd_input_finds_nobody_and_breaks_nothing(self, q):
        assert isinstance(self.found(q), list)

    def test_a_reference_finds_exactly_one(self):
        zoe = Customer.objects.get(first_name="Zoë")

        for reference in (str(zoe.pk), "CUST-1", "2900001234"):
            assert find_customer(reference) == zoe
        for reference in ("", None, "1", "\0", "zoe", "CUST-99", "9" * 300):
            assert find_customer(reference) is None
