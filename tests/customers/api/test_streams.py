"""Everything at once, in flat memory, for who may export."""

import csv
import io
import json
import tracemalloc

import pytest

from customers import spreadsheets
from customers.exports import COLUMNS
from customers.imports.readers import open_rows
from customers.models import Customer
from tenancy.scoping import current_tenant
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db

EVERYTHING = [{"limit": "0"}, {"format": "ndjson"}, {"format": "csv"}, {"format": "xlsx"}]


def content(answer):
    return b"".join(answer.streaming_content)


@pytest.fixture
def three(acme):
    return [CustomerFactory(tenant=acme, first_name=name) for name in ("Ada", "Bob", "Cid")]


def test_limit_0_answers_one_long_list(admin, three):
    answer = admin.get("customers/", {"limit": "0"})

    assert answer.streaming
    document = json.loads(content(answer))
    assert [row["name"] for row in document["results"]] == ["Cid", "Bob", "Ada"]
    assert (document["next"], document["previous"]) == (None, None)


def test_a_row_of_a_stream_is_a_row_of_a_page(admin, three):
    page = admin.get("customers/").json()["results"]
    lines = content(admin.get("customers/", {"format": "ndjson"})).splitlines()

    assert [json.loads(line) for line in lines] == page


@pytest.mark.parametrize("accept", ["application/x-ndjson", "text/csv"])
def test_the_header_may_ask_for_the_format(admin, three, accept):
    answer = admin.get("customers/", headers={"Accept": accept})

    assert answer["Content-Type"].startswith(accept)
    assert "attachment" in answer["Content-Disposition"]


def test_filters_order_and_limit_hold_for_a_stream(admin, three):
    query = {"format": "ndjson", "ordering": "name", "limit": "2", "status": "active"}

    lines = content(admin.get("customers/", query)).splitlines()

    assert [json.loads(line)["name"] for line in lines] == ["Ada", "Bob"]


def test_a_table_has_the_columns_that_an_import_takes_back(admin, ada):
    lines = content(admin.get("customers/", {"format": "csv"})).decode().splitlines()

    row = next(csv.DictReader(lines))
    assert tuple(row) == COLUMNS
    assert (row["id"], row["email"], row["city"]) == (str(ada.pk), "Ada@example.org", "Oslo")


def test_a_workbook_has_the_cells_of_the_table(admin, three):
    answer = admin.get("customers/", {"format": "xlsx", "limit": "2"})

    assert answer["Content-Type"].endswith("spreadsheetml.sheet")
    assert answer["Content-Disposition"] == 'attachment; filename="customers.xlsx"'
    table = content(admin.get("customers/", {"format": "csv", "limit": "2"}))
    cells, wanted = (
        [row.values for row in open_rows(io.BytesIO(file))] for file in (content(answer), table)
    )
    assert cells == wanted
    assert len(cells) == 2


def test_more_than_a_workbook_takes_is_a_bad_request(admin, three, monkeypatch):
    monkeypatch.setattr(spreadsheets, "MOST_ROWS", 2)

    assert admin.get("customers/", {"format": "xlsx"}).status_code == 400


def test_no_cell_of_a_table_is_a_formula(admin, acme):
    payloads = ["=1+1", "+1", "-1", "@SUM(A1)", "＝1", "'=1", "=cmd|' /C calc'!A0"]
    for n, text in enumerate(payloads):
        CustomerFactory(tenant=acme, external_id=f"e{n}", company_name=text, internal_note=text)
    phone = CustomerFactory(tenant=acme, phones=[{"given": "+47 900 00 001"}])

    text = content(admin.get("customers/", {"format": "csv"})).decode()

    cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
    assert phone.pk
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "＝", "\t"))]
    assert "'=1+1" in cells
    assert "''=1" in cells


@pytest.mark.parametrize("query", EVERYTHING)
def test_a_seller_may_not_take_everything(seller, three, query):
    assert seller.get("customers/", query).status_code == 403


@pytest.mark.parametrize("query", EVERYTHING)
def test_a_service_needs_the_scope_to_take_everything(as_role, three, query):
    without = as_role("service", scopes=["customers:read"])
    with_it = as_role("service", scopes=["customers:read", "customers:export"])

    assert without.get("customers/", query).status_code == 403
    assert with_it.get("customers/", query).status_code == 200


@pytest.mark.parametrize(
    "extra",
    [
        *({"page": "2"}, {"page_size": "5"}, {"count": "true"}, {"cursor": "x"}),
        *({"limit": "x"}, {"statuss": "new"}),
    ],
)
def test_a_stream_has_no_pages(admin, three, extra):
    assert admin.get("customers/", {"format": "ndjson", **extra}).status_code == 400


def test_the_scope_is_open_only_while_a_piece_is_made(admin, tenant):
    CustomerFactory(tenant=tenant, first_name="Ada")
    answer = admin.get("customers/", {"format": "ndjson"})

    scopes = {current_tenant() for _piece in answer.streaming_content}

    assert scopes == {None}


def test_a_stream_that_is_given_up_leaves_no_scope_behind(admin, tenant):
    CustomerFactory(tenant=tenant, first_name="Ada")
    answer = admin.get("customers/", {"format": "ndjson"})
    next(iter(answer.streaming_content))

    answer.close()

    assert current_tenant() is None


def test_a_stream_shows_one_tenant_only(admin, three, rival):
    CustomerFactory(tenant=rival, first_name="Mallory")

    assert b"Mallory" not in content(admin.get("customers/", {"format": "ndjson"}))


def test_a_long_stream_stays_small_in_memory(admin, acme):
    rows = [
        Customer(tenant=acme, number=10_000 + n, name=f"Name {n}", search_text=f" name {n} ")
        for n in range(6_000)
    ]
    Customer.objects.bulk_create(rows, batch_size=500)
    del rows
    answer = admin.get("customers/", {"format": "ndjson"})

    tracemalloc.start()
    size = sum(len(piece) for piece in answer.streaming_content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert size > 6_000_000
    assert peak < size
