"""anonymise_customers, replay_erasures and data_map at a terminal."""

import json

import pytest
from django.core.management import CommandError, call_command

from customers.models import Customer
from customers.services import anonymise_customer
from events.models import HistoryEntry
from tests.factories import CustomerFactory


@pytest.fixture(autouse=True)
def journal(tmp_path, settings):
    settings.ERASURE_JOURNAL = tmp_path / "erasures.jsonl"
    return settings.ERASURE_JOURNAL


def run(capsys, *words, fails=False):
    """The command's standard output; with `fails` it must end with an error."""
    if fails:
        with pytest.raises(CommandError):
            call_command(*words)
    else:
        call_command(*words)
    return capsys.readouterr().out


def test_customers_are_named_by_id_number_and_file(ada, grace, acme, tmp_path, capsys):
    third = CustomerFactory(tenant=acme)
    names = tmp_path / "names.txt"
    names.write_text(f"\ufeffcust-{third.number}\n\n{ada.pk}\n", "utf-8")

    told = run(
        capsys,
        *("anonymise_customers", str(ada.pk), str(grace.number), "--tenant", "ACME"),
        *("--file", str(names), "--reason", "asked"),
    )

    assert told == "anonymised 3, unchanged 0, failed 0\n"
    assert not Customer.objects.identifiable().exists()
    assert HistoryEntry.objects.filter(deed="customer.anonymised", reason="asked").count() == 3


def test_a_dry_run_counts_and_changes_nothing(ada, acme, capsys):
    told = run(
        capsys, "anonymise_customers", str(ada.pk), "--tenant", "acme", "--dry-run", "--json"
    )

    report = json.loads(told)
    assert (report["customers"], report["dry_run"], report["unknown"]) == (1, True, [])
    assert report["erased"]["customers.Email.address"] == 1
    assert Customer.objects.identifiable().filter(pk=ada.pk).exists()


def test_a_dry_run_is_readable_too(ada, acme, capsys):
    told = run(capsys, "anonymise_customers", str(ada.pk), "--tenant", "acme", "--dry-run")

    assert told.startswith("would anonymise 1, erasing:\n")
    assert "  customers.Email.address: 1\n" in told


def test_a_second_run_changes_nothing(ada, acme, capsys):
    anonymise_customer(ada)

    told = run(capsys, "anonymise_customers", str(ada.pk), "--tenant", "acme", "--json")

    assert json.loads(told)["unchanged"] == 1


@pytest.mark.parametrize("name", ["7001", "ext-ada", "999999", "CUST-", "", "1" * 30, "²", "a\0b"])
def test_nobody_is_guessed(ada, acme, capsys, name):
    told = run(capsys, "anonymise_customers", name, "--tenant", "acme", "--json", fails=True)

    assert json.loads(told)["unknown"] == [name]
    assert Customer.objects.identifiable().filter(pk=ada.pk).exists()


def test_failures_are_told_and_stop_nobody(ada, grace, acme, capsys):
    told = run(
        capsys,
        *("anonymise_customers", str(ada.pk), str(grace.pk), "--tenant", "acme"),
        *("--reason", "Ada is gone"),
        fails=True,
    )

    assert told.startswith("anonymised 1, unchanged 0, failed 1\n")
    assert f"  {ada.pk}: The reason stays" in told


@pytest.mark.parametrize(
    "words",
    [
        ["--tenant", "acme"],
        ["1", "--tenant", "nobody"],
        ["--tenant", "acme", "--file", "/nowhere/at/all"],
        ["1"],
    ],
)
def test_wrong_arguments_are_refused(acme, words):
    with pytest.raises(CommandError):
        call_command("anonymise_customers", *words)


def test_the_journal_is_replayed(ada, capsys, journal, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        anonymise_customer(ada)

    told = run(capsys, "replay_erasures", "--dry-run")

    assert told == ("lines 1: repeated 0, unchanged 1, newer 0, refused 0; unfinished 0\n")


def test_a_journal_that_is_missing_or_broken_is_an_error(db, capsys, journal):
    run(capsys, "replay_erasures", fails=True)
    journal.write_text("broken\n")

    told = run(capsys, "replay_erasures", "--json", "--dry-run", fails=True)

    assert json.loads(told)["errors"][0]["line"] == 1


def test_the_data_map_and_the_schema_are_printed(capsys):
    told = run(capsys, "data_map")
    schema = run(capsys, "data_map", "--schema")

    assert "### customers.Customer" in told
    assert json.loads(schema)["title"] == "Everything held about one customer"
