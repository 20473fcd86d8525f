"""Purchases from files: every row in, none twice, refused ones named."""

import io
import json
import threading
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from customers.imports.errors import FileError, MappingError
from customers.models import Email
from customers.services import CustomerGone, register_customer
from events.models import Event
from loyalty.imports import engine, import_transactions
from loyalty.imports.numbering import Occurrences
from loyalty.models import LoyaltyAccount, Transaction, TransactionLine
from loyalty.services import (
    account_of,
    create_earning_rule,
    join_transactions,
    opening_accounts,
    record_transaction,
)
from loyalty.services.checking import reconcile
from tenancy import clock
from tenancy.scoping import in_tenant
from tests.factories import CustomerFactory, StoreFactory, TenantFactory
from tests.loyalty.story import NOON

# Written as the sample databases of two well-known products write theirs.
INVOICES = """InvoiceId,CustomerId,InvoiceDate,BillingCity,Total
1,2,2021-01-01 00:00:00,Stuttgart,1.98
2,4,2021-01-02 00:00:00,Oslo,3.96
7,2,2021-02-01 00:00:00,Stuttgart,0.99
"""
# A log of a shop that never numbered anything; two rows are equal, as two purchases can be.
LOG = """customer_id,sample_id,date,number_of_cds,dollar_value
00004,1,1997-01-01,2,29.33
00004,1,1997-01-18,2,29.73
00004,1,1997-01-18,2,29.73
00021,2,1997-01-01,3,0.00
"""


@pytest.fixture
def shop(acme):
    """Customers with the keys of another system, and how to bring in a file for them."""
    for key in ("2", "4", "00004", "00021"):
        register_customer(external_id=key, name=f"Customer {key}")
    return acme


def bring_in(text, **options):
    file = io.BytesIO(text.encode())
    file.name = options.pop("name", "purchases.csv")
    return import_transactions(file, **options)


def counts(report):
    return report.created, report.unchanged, report.refused


def account(external_id):
    return LoyaltyAccount.objects.get(customer__external_id=external_id)


def told(report):
    return [(error["line"], error["column"], error["message"]) for error in report.errors]


# --- Whole files ------------------------------------------------------------------------------
def test_a_file_of_invoices_is_understood_by_its_header(shop):
    report = bring_in(INVOICES)

    assert counts(report) == (3, 0, 0)
    assert [one["column"] for one in report.unmapped] == ["BillingCity"]
    theirs = account("2")
    assert (theirs.transactions_count, theirs.transactions_amount) == (2, 2_97)
    assert f"{theirs.first_purchase_at:%Y-%m-%d %H}" == "2020-12-31 23"  # midnight in Oslo
    assert f"{theirs.last_purchase_at:%Y-%m-%d %H}" == "2021-01-31 23"
    assert set(Transaction.objects.values_list("number", flat=True)) == {"1", "2", "7"}


def test_the_same_file_again_changes_nothing(shop):
    bring_in(INVOICES)
    before = list(LoyaltyAccount.objects.order_by("pk").values())

    assert counts(bring_in(INVOICES)) == (0, 3, 0)
    assert list(LoyaltyAccount.objects.order_by("pk").values()) == before


def test_another_amount_under_a_known_number_is_refused_alone(shop):
    bring_in(INVOICES)
    report = bring_in(INVOICES.replace("3.96", "3.97") + "9,4,2021-03-01,Oslo,5.00\n")

    assert counts(report) == (1, 2, 1)
    assert told(report) == [(3, "InvoiceId", "Another transaction has this number.")]
    assert account("4").transactions_amount == 8_96


def test_rows_without_numbers_are_all_kept_and_never_doubled(shop):
    report = bring_in(LOG)

    assert counts(report) == (4, 0, 0)
    theirs = account("00004")
    assert (theirs.transactions_count, theirs.transactions_amount) == (3, 88_79)
    assert account("00021").transactions_count == 1
    assert counts(bring_in(LOG)) == (0, 4, 0)


def test_the_file_with_rows_added_below_brings_in_the_new_ones_alone(shop):
    bring_in(LOG)
    more = "00004,1,1997-01-18,2,29.73\n00021,2,1997-03-01,1,11.00\n"

    assert counts(bring_in(LOG + more)) == (2, 4, 0)
    assert counts(bring_in(LOG + more)) == (0, 6, 0)
    assert account("00004").transactions_count == 4


@pytest.mark.parametrize("chunk", [1, 2, 3])
def test_where_the_chunks_are_cut_makes_no_difference(shop, monkeypatch, chunk):
    monkeypatch.setattr(engine, "CHUNK", chunk)
    bring_in(LOG)
    numbers = set(Transaction.objects.values_list("number", flat=True))
    monkeypatch.setattr(engine, "CHUNK", 500)

    assert counts(bring_in(LOG)) == (0, 4, 0)
    assert set(Transaction.objects.values_list("number", flat=True)) == numbers


def test_customers_who_are_one_by_now_do_not_buy_everything_again(shop):
    one = register_customer(name="One", emails=[{"address": "one@example.org"}])
    other = register_customer(name="Other", emails=[{"address": "other@example.org"}])
    log = "email,date,amount\n"
    log += "one@example.org,2026-01-01,5.00\nother@example.org,2026-01-01,5.00\n"
    log += "other@example.org,2026-01-01,5.00\n"
    bring_in(log)
    with opening_accounts([one.pk, other.pk]) as changes:
        join_transactions(changes[one.pk], changes[other.pk].account)
        changes[other.pk].account.merged_into = changes[one.pk].account
    Email.objects.filter(customer=other).update(customer=one, primary=False)

    assert counts(bring_in(log)) == (0, 3, 0)
    assert counts(bring_in(log + "other@example.org,2026-01-01,5.00\n")) == (1, 3, 0)
    assert counts(bring_in(log + "one@example.org,2026-01-01,5.00\n")) == (0, 4, 0)
    assert account_of(one).transactions_count == 4


def test_equal_rows_are_told_apart_by_how_many_came_before():
    seen = Occurrences()

    class Row:
        content_hash = "a"

    assert [seen.count("c", Row), seen.count("c", Row), seen.count("d", Row)] == [0, 1, 0]
    assert seen.count("c", Row) == 2


# --- What a row says --------------------------------------------------------------------------
def test_without_a_column_of_kinds_a_negative_amount_is_a_return(shop):
    report = bring_in(
        "number,external_id,date,amount,revises\n"
        "S1,2,2026-01-01,10.00,\nR1,2,2026-01-02,-4.00,S1\nR2,2,2026-01-02,-4.00,\n"
    )

    assert counts(report) == (3, 0, 0)
    assert account("2").transactions_amount == 6_00
    assert report.notes == [
        "1 returns name no sale: they are kept on record and count for nothing."
    ]


def test_a_return_may_stand_above_its_sale(shop, monkeypatch):
    monkeypatch.setattr(engine, "CHUNK", 1)
    bring_in(
        "number,kind,external_id,date,amount,revises\n"
        "R1,Gutschrift,2,2026-01-02,4.00,S1\nS1,Rechnung,2,2026-01-01,10.00,\n"
    )

    assert account("2").transactions_amount == 6_00


@pytest.mark.parametrize(
    ("kind", "amount", "outcome"),
    [
        ("sale", "5.00", (1, 0, 0)),
        ("sale", "-5.00", (0, 0, 1)),
        ("return", "5.00", (1, 0, 0)),
        ("return", "-5.00", (1, 0, 0)),
        ("gift", "5.00", (0, 0, 1)),
    ],
)
def test_a_column_of_kinds_decides(shop, kind, amount, outcome):
    text = f"number,type,external_id,date,amount\nS1,{kind},2,2026-01-01,{amount}\n"

    assert counts(bring_in(text)) == outcome


def test_every_row_may_be_a_return(shop):
    text = "number,external_id,date,amount,revises\nR1,2,2026-01-01,5.00,S1\n"
    bring_in(text, kind="return")

    assert Transaction.objects.get().kind == "return"


def test_the_rows_of_one_number_are_one_document_where_there_are_articles(shop):
    report = bring_in(
        "receipt,external_id,date,total,sku,article,quantity,line_amount\n"
        "B1,2,2026-01-01,12.50,A1,Shoe,1,10.00\n"
        "B1,2,2026-01-01,12.50,A2,Lace,2.5,2.50\n"
        "B2,4,2026-01-01,3.00,A2,Lace,3,3.00\n"
    )

    assert (report.created, report.lines, report.rows) == (2, 2, 3)
    assert account("2").transactions_amount == 12_50
    lines = TransactionLine.objects.filter(transaction__number="B1").order_by("position")
    assert [(line.sku, line.name, line.quantity, line.amount) for line in lines] == [
        ("A1", "Shoe", 1_000, 10_00),
        ("A2", "Lace", 2_500, 2_50),
    ]


def test_without_a_total_the_articles_make_it(shop):
    bring_in(
        "receipt,external_id,date,sku,line_amount\n"
        "B1,2,2026-01-01,A1,10.00\nB1,2,2026-01-01,A2,2.50\n"
    )

    assert account("2").transactions_amount == 12_50


def test_rows_of_one_document_that_contradict_each_other_are_refused(shop):
    report = bring_in(
        "receipt,external_id,date,total,sku\nB1,2,2026-01-01,10.00,A1\nB1,2,2026-01-01,2.50,A2\n"
    )

    assert told(report) == [
        (3, "total", "differs from line 2 of the same document; map the column to line_amount")
    ]


def test_json_lines_tell_the_articles_within(shop):
    sale = {
        "number": "S1",
        "external_id": "2",
        "purchased_at": "2026-01-01T12:00:00Z",
        "amount": 12.5,
        "lines": [{"sku": "A1", "quantity": 2, "amount": "12.50"}],
    }
    text = json.dumps(sale) + "\n" + json.dumps({**sale, "number": "S2", "colour": "red"})
    report = bring_in(text, name="purchases.jsonl")

    assert counts(report) == (2, 0, 0)
    assert [one["column"] for one in report.unmapped] == ["colour"]
    assert account("2").transactions_amount == 25_00
    assert TransactionLine.objects.filter(sku="A1", quantity=2_000, amount=12_50).count() == 2


def test_decimal_commas_and_days_first(shop):
    report = bring_in(
        "Belegnummer;Kundennummer;Datum;Betrag\n1;2;31.12.2025;1.234,50\n2;2;01.02.2026;1,00\n",
        decimal=",",
    )

    assert counts(report) == (2, 0, 0)
    assert account("2").transactions_amount == 1_235_50
    assert f"{account('2').last_purchase_at:%m-%d}" == "01-31"


def test_the_order_of_day_and_month_is_proved_or_asked_for(shop):
    text = "number,external_id,date,amount\n1,2,03/04/2025,1.00\n"
    assert counts(bring_in(text)) == (0, 0, 1)

    assert counts(bring_in(text, dates="MDY")) == (1, 0, 0)
    assert f"{account('2').last_purchase_at:%m}" == "03"


def test_stores_delivery_and_excluded_amounts(shop):
    StoreFactory(tenant=shop, code="oslo")
    bring_in(
        "number,external_id,date,amount,delivery_amount,excluded_amount,store,currency\n"
        "1,2,2026-01-01,10.00,2.00,3.00,OSLO,nok\n"
    )

    theirs = account("2")
    assert (theirs.amount_without_delivery, theirs.excluded_amount) == (8_00, 3_00)
    assert Transaction.objects.get().store.code == "oslo"


@pytest.mark.parametrize(
    ("row", "column", "message"),
    [
        ("1,9,2026-01-01,1.00,,", "external_id", "There is no such customer."),
        ("1,,2026-01-01,1.00,,", "external_id", "Nothing says whose this is."),
        ("1,2,2026-02-30,1.00,,", "date", "is a day that does not exist"),
        ("1,2,,1.00,,", "date", "This field is required."),
        ("1,2,2026-01-01,,,", "amount", "This field is required."),
        ("1,2,2026-01-01,much,,", "amount", "is not a number"),
        ("1,2,2026-01-01,1.001,,", "amount", "This may have at most 2 decimals."),
        ("1,2,2026-01-01,1.00,EUR,", "currency", "The shop's currency is NOK."),
        ("1,2,2026-01-01,1.00,,nowhere", "store", "There is no such store."),
        (",2,2026-01-01,1.00,,", "number", "This field is required."),
        ("1,2,2199-01-01,1.00,,", "date", "Lies in the future."),
    ],
)
def test_a_row_that_cannot_be_taken_is_refused_alone_by_line_and_column(shop, row, column, message):
    text = f"number,external_id,date,amount,currency,store\n{row}\n2,4,2026-01-01,1.00,,\n"
    report = bring_in(text)

    assert counts(report) == (1, 0, 1)
    assert told(report) == [(2, column, message)]


def test_a_row_is_refused_with_every_reason(shop):
    text = "number,external_id,date,amount,store\n1,9,2026-02-30,much,nowhere\n,2,2199-01-01,x,\n"
    report = bring_in(text)

    assert counts(report) == (0, 0, 2)
    assert sorted(told(report)) == [
        (2, "amount", "is not a number"),
        (2, "date", "is a day that does not exist"),
        (2, "external_id", "There is no such customer."),
        (2, "store", "There is no such store."),
        (3, "amount", "is not a number"),
        (3, "date", "Lies in the future."),
        (3, "number", "This field is required."),
    ]


# --- Whose ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("column", "key"),
    [
        ("customer", None),
        ("external_id", "ext-ada"),
        ("card", "7001"),
        ("E-Mail", "ADA@example.org"),
        ("phone", "+47 90000001"),
        ("customer_number", "CUST-1"),
    ],
)
def test_customers_are_found_by_any_of_their_keys(ada, column, key):
    text = f"number,{column},date,amount\n1,{key or ada.pk},2026-01-01,1.00\n"

    assert counts(bring_in(text)) == (1, 0, 0)
    assert account_of(ada).transactions_count == 1


def test_the_first_key_that_a_row_fills_is_taken_unless_one_is_asked_for(ada, grace):
    text = f"number,customer,external_id,date,amount\n1,{grace.pk},ext-ada,2026-01-01,1.00\n"
    text += "2,,ext-ada,2026-01-01,1.00\n"
    bring_in(text)
    assert (account_of(grace).transactions_count, account_of(ada).transactions_count) == (1, 1)

    report = bring_in(text, match="external_id")
    assert counts(report) == (0, 1, 1)


def test_the_column_of_customers_is_what_the_key_says(ada):
    text = f"number,CustomerId,date,amount\n1,{ada.pk},2026-01-01,1.00\n"

    assert counts(bring_in(text, match="id")) == (1, 0, 0)


def test_a_key_of_several_customers_is_refused_and_names_them(acme):
    for name in ("One", "Two"):
        register_customer(name=name, emails=[{"address": "both@example.org"}])
    report = bring_in("number,email,date,amount\n1,both@example.org,2026-01-01,1.00\n")

    assert told(report) == [(2, "email", "Several customers have this: CUST-1, CUST-2.")]


def test_customers_of_the_shop_next_door_are_not_found(shop, rival):
    with in_tenant(rival):
        register_customer(external_id="77", name="Stranger")
    report = bring_in("number,external_id,date,amount\n1,77,2026-01-01,1.00\n")

    assert counts(report) == (0, 0, 1)


def test_a_frozen_account_refuses_its_rows_alone(shop):
    LoyaltyAccount.objects.filter(customer__external_id="2").update(frozen_at=clock.now())
    report = bring_in(INVOICES)

    assert counts(report) == (1, 0, 2)


# --- Columns ----------------------------------------------------------------------------------
def test_two_columns_that_may_be_the_amount_are_asked_about(shop):
    text = "order_id,customer_id,order_date,gross_total,net_total\n1,2,1996-07-04,5.00,4.00\n"
    with pytest.raises(MappingError, match="net_total=amount"):
        bring_in(text)

    report = bring_in(text, columns={"net_total": "amount"})

    assert account("2").transactions_amount == 4_00
    assert report.unmapped[0]["reason"] == "“net_total” already fills amount"


def test_a_column_of_numbers_can_be_named(shop):
    text = "Ref,external_id,date,amount\nX1,2,2026-01-01,1.00\n"
    bring_in(text, number="Ref")

    assert Transaction.objects.get().number == "X1"


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"Totl": "amount"}, "the nearest is “Total”"),
        ({"Total": "amont"}, "the nearest is “amount”"),
        ({"Total": "first_name"}, "is not a column of purchases"),
    ],
)
def test_a_wrong_name_is_told_with_the_nearest(shop, columns, message):
    with pytest.raises(MappingError, match=message):
        bring_in(INVOICES, columns=columns)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("number,external_id,date", "the amounts"),
        ("number,external_id,amount", "the dates"),
        ("number,date,amount", "whose the purchases are"),
    ],
)
def test_a_file_without_what_is_needed_is_refused_whole(shop, header, message):
    with pytest.raises(FileError, match=message):
        bring_in(f"{header}\n1,2,3\n")


def test_a_mapping_file_says_what_the_header_does_not(shop):
    mapping = {
        "match": "external_id",
        "columns": {
            "Wer": "external_id",
            "Was": {"to": "kind", "values": {"V": "sale", "Z": "return"}},
            "Wieviel": {"to": "amount", "decimal": ","},
            "Rest": None,
        },
        "joined": [{"from": ["Tag", "Uhr"], "with": " ", "to": "purchased_at"}],
    }
    text = (
        "Wer;Was;Wieviel;Rest;Tag;Uhr\n2;V;10,00;x;2026-01-01;13:00\n2;Z;4,00;x;2026-01-02;9:00\n"
    )
    report = bring_in(text, mapping=json.dumps(mapping))

    assert counts(report) == (2, 0, 0)
    assert report.unmapped == []
    assert f"{account('2').first_purchase_at:%H:%M}" == "12:00"


# --- Points -----------------------------------------------------------------------------------
def test_purchases_from_a_file_earn_unless_they_have_elsewhere(shop):
    create_earning_rule(name="Purchases", kind="purchase", rate=1)
    bring_in("number,external_id,date,amount\n1,2,2026-01-01,10.00\n2,2,2026-01-02,5.00\n")
    bring_in("number,external_id,date,amount,revises\n3,2,2026-01-03,-4.00,1\n")
    bring_in("number,external_id,date,amount\n4,4,2026-01-01,10.00\n", earns=False)

    assert (account("2").points, account("4").points) == (11_00, 0)
    assert reconcile(shop)["mismatches"] == []


def test_levels_follow_from_a_file_as_from_the_till(acme, levels):
    one, other = CustomerFactory(tenant=acme), CustomerFactory(tenant=acme)
    record_transaction(one, number="T1", amount=250_00, purchased_at=NOON)
    text = f"number,customer,date,amount\n1,{other.pk},2026-01-01,250.00\n2,{one.pk},2026-01-01,1\n"
    bring_in(text)

    here, there = account_of(one), account_of(other)
    assert here.level.name == there.level.name == "level2"
    assert there.level_since is not None
    other.refresh_from_db()
    assert other.version == 2


# --- Once, whatever happens -------------------------------------------------------------------
def test_an_import_that_was_cut_off_is_ended_by_running_it_again(shop, monkeypatch):
    monkeypatch.setattr(engine, "CHUNK", 2)
    record, calls = engine.Recording.write, []

    def die_in_the_second_chunk(self):
        record(self)
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(engine.Recording, "write", die_in_the_second_chunk)
    with pytest.raises(KeyboardInterrupt):
        bring_in(LOG)
    assert Transaction.objects.count() == 2
    monkeypatch.setattr(engine.Recording, "write", record)

    assert counts(bring_in(LOG)) == (2, 2, 0)
    assert reconcile(shop)["mismatches"] == []


@pytest.mark.parametrize("failure", [OperationalError("locked"), CustomerGone()])
def test_a_chunk_that_met_somebody_else_is_tried_again(shop, monkeypatch, failure):
    monkeypatch.setattr(engine.time, "sleep", lambda seconds: None)
    write, calls = engine._Run.write, []

    def fail_once(self, candidates):
        calls.append(1)
        outcomes = write(self, candidates)
        if len(calls) == 1:
            raise failure
        return outcomes

    monkeypatch.setattr(engine._Run, "write", fail_once)

    assert counts(bring_in(LOG)) == (4, 0, 0)
    assert counts(bring_in(LOG)) == (0, 4, 0)


def test_a_dry_run_says_the_same_and_writes_nothing(shop):
    report = bring_in(LOG + "99,1,1997-01-01,1,1.00\n", dry_run=True)

    assert counts(report) == (4, 0, 1)
    assert not Transaction.objects.exists()
    assert not Event.objects.filter(kind__startswith="import.").exists()
    assert counts(bring_in(LOG)) == (4, 0, 0)


@pytest.mark.django_db(transaction=True)
def test_the_same_file_twice_at_once_counts_once():
    tenant = TenantFactory()
    with in_tenant(tenant):
        for key in ("00004", "00021"):
            register_customer(external_id=key, name=f"Customer {key}")
    start, reports = threading.Barrier(2), []

    def run():
        try:
            with in_tenant(tenant):
                start.wait(timeout=30)
                reports.append(bring_in(LOG))
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert sorted(report.created for report in reports) == [0, 4]
    with in_tenant(tenant):
        assert Transaction.objects.count() == 4
        assert reconcile(tenant)["mismatches"] == []


# --- Events, queries --------------------------------------------------------------------------
def test_an_import_tells_of_itself_once(shop):
    create_earning_rule(name="Purchases", kind="purchase", rate=1)
    last = Event.objects.order_by("pk").last().pk
    bring_in(INVOICES)
    kinds = list(Event.objects.filter(pk__gt=last).order_by("pk").values_list("kind", flat=True))

    assert kinds == ["import.started", "import.completed"]


def test_with_events_each_transaction_is_told(shop):
    bring_in(INVOICES, events=True)

    assert Event.objects.filter(kind="transaction.recorded").count() == 3


def test_more_rows_of_the_same_customers_ask_for_nothing_more(shop):
    def n_queries(n_rows, start):
        rows = "".join(f"{start + n},2,2026-01-01,1.00\n" for n in range(n_rows))
        with CaptureQueriesContext(connection) as queries:
            bring_in(f"number,external_id,date,amount\n{rows}")
        return len(queries)

    assert n_queries(5, 0) == n_queries(50, 100)


# --- The command ------------------------------------------------------------------------------
@pytest.fixture
def files(tmp_path, shop):
    path = tmp_path / "invoices.csv"
    path.write_text(INVOICES)
    return path


def test_the_command_reports_and_ends_with_nought(files):
    out = StringIO()
    call_command("import_transactions", str(files), tenant="acme", stdout=out)

    assert out.getvalue().startswith("created 3, updated 0, unchanged 0, skipped 0, refused 0\n")


def test_the_command_tells_refused_rows_as_json_and_hands_them_back(files, tmp_path):
    files.write_text(INVOICES + "8,77,2021-01-01,Rome,1.00\n")
    out, rejects = StringIO(), tmp_path / "rejects.csv"
    with pytest.raises(CommandError) as ended:
        call_command(
            "import_transactions", str(files), tenant="acme", json=True, errors=str(rejects),
            stdout=out,
        )  # fmt: skip

    assert ended.value.returncode == 1
    report = json.loads(out.getvalue())
    assert {name: report[name] for name in ("lines", "created", "refused")} == {
        "lines": 4, "created": 3, "refused": 1,
    }  # fmt: skip
    assert report["errors"] == [
        {"line": 5, "column": "CustomerId", "value": "77", "message": "There is no such customer."}
    ]
    register_customer(external_id="77", name="Late")
    with rejects.open("rb") as file:
        assert counts(import_transactions(file)) == (1, 0, 0)


@pytest.mark.parametrize(
    "options", [{"map": ["Total"]}, {"map": ["Total=amont"]}, {"number": "Nummer"}]
)
def test_the_command_does_nothing_where_an_option_is_wrong(files, options):
    with pytest.raises(CommandError) as ended:
        call_command("import_transactions", str(files), tenant="acme", **options)

    assert ended.value.returncode == 2
    assert not Transaction.objects.exists()


def test_the_command_takes_columns_and_kinds(files):
    call_command(
        "import_transactions", str(files), tenant="acme", map=["Total=amount"], kind="return",
        stdout=StringIO(),
    )  # fmt: skip

    assert Transaction.objects.returns().count() == 3
