"""What a dry run keeps of every row, and whom an import touched."""

from datetime import timedelta

import pytest

from customers.imports import outcomes, touched
from customers.imports.ordering import order_import, repeat_import
from customers.imports.outcomes import Outcome, are_kept, outcomes_of
from customers.imports.runs import report_of
from customers.imports.storing import forget_files, keep_file
from customers.imports.touched import touched_by
from customers.models import Customer, ImportChunk, ImportRun
from customers.services import register_customer
from tenancy import clock

pytestmark = pytest.mark.django_db
HEADER = "external_id,first_name,email\n"
FILE = (
    HEADER
    + "x1,Ada,ada@example.org\n"
    + "x2,Grace,not an address\n"
    + "x3,Edsger,e@example.org\n"
    + "x4,Alan,alan@example.org\n"
    + "x5,Kurt,neither\n"
)


@pytest.fixture
def known(acme):
    register_customer(external_id="x1", first_name="Ada", emails=[{"address": "ada@example.org"}])
    return register_customer(external_id="x3", first_name="Edgar")


@pytest.fixture
def tried(acme, known, run_jobs, monkeypatch):
    monkeypatch.setattr(outcomes, "CHUNK", 2)
    run = order_import(
        keep_file([FILE.encode()]), file_name="shop.csv", dry_run=True,
        options={"match": "external_id", "on_match": "overwrite"},
    )  # fmt: skip
    run_jobs()
    run.refresh_from_db()
    return run


def test_a_dry_run_keeps_what_would_become_of_every_row(tried, known):
    rows = outcomes_of(tried, None, 0, 50)

    assert [(row.line, row.outcome) for row in rows] == [
        (2, "unchanged"), (3, "refused"), (4, "updated"), (5, "created"), (6, "refused"),
    ]  # fmt: skip
    assert rows[2].customer == str(known.pk)
    assert (rows[2].diff["before"]["first_name"], rows[2].diff["after"]["first_name"]) == (
        "Edgar",
        "Edsger",
    )
    assert (rows[3].label, rows[3].customer) == ("Alan", None)
    assert "not an address" in rows[1].faults[0]["value"]


@pytest.mark.parametrize(
    ("outcome", "start", "lines"),
    [("refused", 0, [3, 6]), ("refused", 1, [6]), ("created", 0, [5]), ("skipped", 0, []),
     (None, 3, [5, 6])],
)  # fmt: skip
def test_a_page_of_one_outcome_is_found_across_chunks(tried, outcome, start, lines):
    assert [row.line for row in outcomes_of(tried, outcome, start, start + 2)] == lines


def test_the_report_of_a_dry_run_still_names_each_refusal(tried):
    report = report_of(tried)

    assert (report.lines, report.refused, len(report.errors)) == (5, 2, 2)


def test_nothing_readable_of_a_row_stands_in_the_database_and_a_week_later_nothing_at_all(tried):
    stored = b"".join(bytes(chunk.outcomes) for chunk in ImportChunk.objects.all())
    assert b"Alan" not in stored
    ImportRun.objects.update(created_at=clock.now() - timedelta(days=8))

    forget_files()

    assert not are_kept(tried)
    assert outcomes_of(tried, None, 0, 50) == []


@pytest.mark.parametrize("named", [5_000, 0])
def test_whom_an_import_touched_is_found_by_name_and_by_history(
    tried, known, run_jobs, monkeypatch, named
):
    monkeypatch.setattr(touched, "NAMED", named)
    stranger = register_customer(first_name="Nobody")
    run = repeat_import(tried)
    run_jobs()

    found = touched_by(run, Customer.objects.all())

    assert {each.external_id for each in found} == {"x3", "x4"}
    assert stranger not in found


def test_what_a_row_would_change_is_told_of_a_skipped_one_too(acme, known, run_jobs):
    run = order_import(keep_file([FILE.encode()]), dry_run=True, options={"match": "external_id"})
    run_jobs()

    (row,) = outcomes_of(run, "skipped", 0, 50)

    assert isinstance(row, Outcome)
    assert row.diff["after"]["first_name"] == "Edsger"
