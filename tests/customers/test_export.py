"""Exports: what stands in them, that nothing in them is a formula, that they come back whole."""

import csv
import io
import json

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from customers import spreadsheets
from customers.exports import COLUMNS, pieces, select_customers
from customers.imports.engine import import_customers
from customers.imports.readers import open_rows
from customers.imports.targets import READ_ONLY, find_target
from customers.models import Customer
from customers.services import (
    deactivate_customer,
    record_consent,
    register_customer,
    set_charge_account,
    update_customer,
)
from events.models import HistoryEntry
from groups.services import create_group, subscribe_customer
from tests.factories import CustomerFactory, StoreFactory

pytestmark = pytest.mark.django_db

TRIGGERS = tuple("=+-@\t\r\n\0＝＋－＠")
PAYLOADS = (
    *("=1+1", "+1+1", "-1+1", "@SUM(1)", "\t=1+1", "\r=1+1", "＝1+1", "＋1", "－1", "＠SUM(1)"),
    *("=cmd|' /C calc'!A0", '=HYPERLINK("http://x")', "+47 900 00 001", "-", "=", "'=1", "''+1"),
    *("@x", "=DDE(1)", "-2+3+cmd|' /C calc'!A0"),
)
HOSTILE = (
    *("=1+1", "+1", "-1", "@SUM(A1)", "'=1", "''x", "'", '"', '""', 'a"b', "a,b;c\td", "\ufeffx"),
    *("0042", "1234567890123456789", "1E5", "4.79E+10", "TRUE", "2020-01-02", "03/04/2020", "NULL"),
    *("_x000D_", "<&>", "]]>", "line\u2028sep", "two\nlines", "{}", "[1]", "a:b;c:d", "👩‍👩‍👧"),
)
FORMULAS = ["=1+1", "+47", "-1", "@SUM(A1)", "'=1", "''", "＝1", "＠x", "=cmd|' /C calc'!A0", "[x"]


def as_csv(customers=None):
    return b"".join(pieces(select_customers() if customers is None else customers, "csv")).decode()


def as_jsonl():
    return b"".join(pieces(select_customers(), "jsonl")).decode()


def as_json():
    return b"".join(pieces(select_customers(), "json")).decode()


def as_xlsx():
    return b"".join(pieces(select_customers(), "xlsx"))


def cells_of(book):
    return [row.values for row in open_rows(io.BytesIO(book))]


def rows(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def bring_back(text, **options):
    content = text if isinstance(text, bytes) else text.encode()
    return import_customers(io.BytesIO(content), on_match="overwrite", **options)


@pytest.fixture
def everything(ada):
    """Ada with something in every part of the record that an export tells."""
    create_group(code="gold")
    create_group(code="silver")
    StoreFactory(tenant=ada.tenant, code="oslo")
    address = {"city": "Oslo", "country": "NO"}
    update_customer(
        ada,
        emails=[{"address": f"ada{n}@example.org", "opted_out": n == 2} for n in range(4)],
        phones=[{"given": f"900 00 00{n}", "kind": "work", "extension": "7"} for n in range(5)],
        addresses=[
            {**address, "street": f"Storgata {n}", "kind": kind, "latitude": "59.91"}
            for n, kind in enumerate(["home", "billing", "shipping"])
        ],
        contact_persons=[{"first_name": "Grace"}, {"last_name": "Hopper", "mobile": "900 00 009"}],
        labels=[{"key": "size", "value": "M; or: L"}, {"key": "a", "value": "b"}],
        groups=["gold"],
        credit_limit="-12.50",
        home_store="oslo",
        eu_citizen=True,
        internal_note="one\ntwo, “three”",
        custom_data1="=1+1",
        name="Countess",
    )
    subscribe_customer(ada, "silver", subscribed=False)
    set_charge_account(ada, number="0042", retired=True)
    record_consent(ada, purpose="marketing", granted=True, source="till", wording_version="3")
    record_consent(ada, purpose="partner_offers", granted=False)
    return ada


class TestRoundTrip:
    @pytest.mark.parametrize("export", [as_csv, as_jsonl, as_json, as_xlsx])
    def test_an_export_that_comes_back_changes_nothing(self, everything, export):
        CustomerFactory(tenant=everything.tenant, first_name="Grace", birth_date="--02-29")
        first = export()
        n_history = HistoryEntry.objects.count()

        report = bring_back(first)

        assert report.counts == {
            "lines": 2, "created": 0, "updated": 0, "unchanged": 2, "skipped": 0, "refused": 0,
        }  # fmt: skip
        assert HistoryEntry.objects.count() == n_history
        assert export() == first

    @pytest.mark.parametrize("export", [as_csv, as_jsonl, as_json, as_xlsx])
    def test_what_was_lost_comes_back_from_an_export(self, everything, export):
        before, file = rows(as_csv())[0], export()
        Customer.objects.all().delete()

        report = bring_back(file)

        after = rows(as_csv())[0]
        assert report.created == 1
        assert {name for name in before if before[name] != after[name]} <= GIVEN_ANEW

    @pytest.mark.parametrize("export", [as_csv, as_jsonl, as_json, as_xlsx])
    def test_hostile_texts_come_back_as_the_same_bytes(self, acme, export):
        """Also into an empty house, where nothing is there to be left as it is."""
        for n, text in enumerate(HOSTILE):
            register_customer(
                external_id=f"{n:04d}{'0' * 14}{n}",  # more digits than a number keeps
                card_number=f"000{n}",
                first_name="TRUE",
                custom_data1=text,
                custom_data2=f"a\n{text}",
                origin="2020-01-02",
                birth_date="1930-02-03",
                labels=[{"key": "=k", "value": text.split()[0]}],
                credit_limit="90071992547409.91",
                addresses=[{"street": "=1+1", "postal_code": "01067", "city": "1E5"}],
            )
        first = export()

        report = bring_back(first)

        assert (report.unchanged, report.refused) == (len(HOSTILE), 0)
        assert export() == first
        before = rows(as_csv())
        Customer.objects.all().delete()
        assert bring_back(first).created == len(HOSTILE)
        kept = [name for name in before[0] if name not in GIVEN_ANEW]
        assert [[row[name] for name in kept] for row in rows(as_csv())] == [
            [row[name] for name in kept] for row in before
        ]

    @settings(
        max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(
        texts=st.lists(
            st.one_of(
                st.sampled_from(FORMULAS),
                st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=9),
            ),
            min_size=4,
            max_size=4,
        )
    )
    def test_no_cell_starts_a_formula_and_every_text_comes_back(self, acme, texts):
        one, two, three, four = texts
        customer = register_customer(
            external_id="x",
            custom_data1=one,
            custom_data2=f"{one}\n{two}",
            origin=three,
            labels=[{"key": "k", "value": four}, {"key": ":;", "value": one}],
            phones=[{"given": "+47 900 00 001"}],
        )

        text = as_csv()
        report = bring_back(text)

        assert not [cell for row in rows(text) for cell in row.values() if cell[:1] in TRIGGERS]
        assert report.unchanged == 1
        assert as_csv() == text
        customer.delete()


# A long list stands with the ids of its rows, which are new rows.
GIVEN_ANEW = {"number", "updated_at", "version", "emails", "phones", "addresses", "contact_persons"}


class TestFormulas:
    @pytest.fixture
    def payloads(self, acme):
        """Customers whose texts are what a spreadsheet calculates, straight in the database."""
        for n, text in enumerate(PAYLOADS):
            customer = CustomerFactory(tenant=acme, external_id=f"e{n:02d}")
            texts = {"name": text, "internal_note": text, "custom_data1": text, "origin": text}
            Customer.objects.filter(pk=customer.pk).update(**texts)

    def test_no_cell_of_a_table_is_a_formula(self, payloads):
        table = list(csv.reader(io.StringIO(as_csv(), newline="")))
        book = load_workbook(io.BytesIO(as_xlsx()))
        sheet = [[cell for cell in row if cell.value is not None] for row in book.active.rows]

        assert not [cell for row in table for cell in row if cell[:1] in TRIGGERS]
        assert not [c for row in sheet for c in row if str(c.value)[:1] in TRIGGERS]
        assert {cell.data_type for row in sheet for cell in row} <= {"s", "n", "inlineStr"}

    def test_a_workbook_has_the_cells_of_the_table(self, payloads):
        restored = [row.values for row in open_rows(io.BytesIO(as_csv().encode()))]

        assert cells_of(as_xlsx()) == restored
        # A line that ends in a lone CR is the same cell in both, whatever comes around it.
        assert [row["custom_data1"] for row in restored] == list(PAYLOADS)

    def test_json_tells_the_texts_as_they_are(self, payloads):
        told = [json.loads(line)["name"] for line in as_jsonl().splitlines()]

        assert told == list(PAYLOADS) == [one["name"] for one in json.loads(as_json())]

    def test_a_workbook_is_the_same_bytes_every_time(self, payloads):
        assert as_xlsx() == as_xlsx()


def test_control_characters_and_what_looks_like_their_escapes_pass_through_a_workbook():
    texts = ["a\x07b", "_x0041_", "__x005F_x000D_", " edge ", "two\nlines", "<&>\"'", "\ufffe", ""]

    book = b"".join(spreadsheets.pieces("T", ["a", "b"], ([text, 7] for text in texts)))

    assert cells_of(book) == [{"a": text, "b": "7"} for text in texts]
    assert load_workbook(io.BytesIO(book)).active["A5"].value == " edge "


def test_more_customers_than_a_workbook_takes_are_refused(acme, monkeypatch):
    monkeypatch.setattr(spreadsheets, "MOST_ROWS", 2)
    customers = [CustomerFactory(tenant=acme) for _ in range(3)]

    with pytest.raises(ValidationError, match="at most 2 customers"):
        pieces(select_customers(), "xlsx")
    assert b"".join(pieces(select_customers().exclude(pk=customers[0].pk), "xlsx"))


class TestColumns:
    def test_every_column_is_one_that_an_import_knows(self):
        unknown = [name for name in COLUMNS if not find_target(name) and name not in READ_ONLY]

        assert unknown == []
        assert len(set(COLUMNS)) == len(COLUMNS)

    def test_reachable_says_the_channels_in_words(self, ada):
        record_consent(ada, purpose="marketing", granted=True)

        assert rows(as_csv())[0]["reachable"] == "email sms post"

    def test_nobody_is_reachable_without_consent(self, ada):
        assert rows(as_csv())[0]["reachable"] == ""

    def test_a_group_whose_mail_is_not_wanted_is_left_out_of_the_codes(self, everything):
        assert rows(as_csv())[0]["groups"] == "gold"

    def test_json_lines_hold_whole_lists_and_flags(self, everything):
        record = json.loads(as_jsonl())

        assert [one["subscribed"] for one in record["groups"]] == [True, False]
        assert len(record["phones"]) == 5
        assert record["charge_account_number"] == "0042"


class TestSelection:
    def test_the_filters_narrow_together(self, ada, grace):
        deactivate_customer(grace)

        assert list(select_customers(q="ada")) == [ada]
        assert list(select_customers(status="blocked")) == [grace]
        assert list(select_customers(q="ada", status="blocked")) == []

    def test_the_anonymised_are_left_out(self, ada, grace):
        Customer.objects.filter(pk=ada.pk).update(anonymised_at=ada.created_at)

        assert list(select_customers()) == [grace]

    def test_changed_after_and_reachable(self, ada, grace):
        record_consent(ada, purpose="marketing", granted=True)

        assert list(select_customers(updated_after=grace.updated_at)) == [ada]
        assert list(select_customers(reachable="email")) == [ada]
        assert list(select_customers(reachable="any")) == [ada]

    def test_at_a_store(self, ada, grace):
        oslo = StoreFactory(tenant=ada.tenant, code="oslo")
        update_customer(ada, home_store=oslo)

        assert list(select_customers(store=oslo)) == [ada]

    def test_the_number_of_queries_does_not_follow_the_number_of_customers(self, acme):
        def n_queries():
            with CaptureQueriesContext(connection) as queries:
                as_csv()
            return len(queries)

        CustomerFactory(tenant=acme)
        of_one = n_queries()
        for _ in range(30):
            CustomerFactory(tenant=acme)

        assert n_queries() == of_one
