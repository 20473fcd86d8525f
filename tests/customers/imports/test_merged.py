"""A file that still speaks of a merged record speaks of its survivor."""

import io
import uuid

import pytest

from customers.imports.engine import import_customers
from customers.models import Customer
from customers.services import merge_customers, register_customer

pytestmark = pytest.mark.django_db


@pytest.fixture
def merged(acme):
    """One customer of two records, both of which a shop goes on sending."""
    one = register_customer(first_name="Ada", external_id="1", card_number="7001")
    other = register_customer(
        id=uuid.UUID(int=2), first_name="Ada", external_id="2", card_number="8002"
    )
    merge_customers(one, other)
    return one


def load(header, *rows, **options):
    report = import_customers(io.BytesIO("\n".join([header, *rows]).encode() + b"\n"), **options)
    assert report.errors == []
    return {name: n for name, n in report.counts.items() if n}


@pytest.mark.parametrize(
    ("match", "header", "row"),
    [
        ("external_id", "external_id,first_name", "2,Ada"),
        ("card_number", "card_number,first_name", "8002,Ada"),
        ("number", "number,first_name", "2,Ada"),
        ("id", "id,first_name", f"{uuid.UUID(int=2)},Ada"),
    ],
)
def test_an_old_key_matches_the_survivor(merged, match, header, row):
    assert load(header, row, match=match, format="regulars") == {"lines": 1, "unchanged": 1}

    assert Customer.objects.get() == merged


@pytest.mark.parametrize("policy", ["fill", "overwrite"])
def test_a_file_with_both_records_changes_no_identifier_however_often_it_comes(merged, policy):
    rows = ("1,Ada,7001,nb", "2,Ada,8002,nb")
    header = "external_id,first_name,card_number,language"

    first = load(header, *rows, match="external_id", on_match=policy)
    again = load(header, *rows, match="external_id", on_match=policy)

    assert first == {"lines": 2, "updated": 1, "unchanged": 1}
    assert again == {"lines": 2, "unchanged": 2}
    merged.refresh_from_db()
    assert (merged.external_id, merged.card_number, merged.version) == ("1", "7001", 3)


def test_a_row_without_a_key_that_was_merged_is_not_made_again(acme):
    header, rows = "first_name,last_name", ("Ada,Lovelace", "Ada,Byron")
    assert load(header, *rows) == {"lines": 2, "created": 2}
    one, other = Customer.objects.order_by("number")
    merge_customers(one, other)

    counts = load(header, *rows, on_match="skip")

    assert counts["lines"] == 2
    assert "created" not in counts
    assert Customer.objects.count() == 1
