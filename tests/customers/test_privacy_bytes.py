"""What only committed transactions can show: raw bytes on disk, races, a restored backup."""

import json
import threading
from pathlib import Path

import pytest
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.db import close_old_connections, connection

from customers.models import Customer, Erasure
from customers.services import (
    CustomerGone,
    VersionConflict,
    anonymise_customer,
    delete_customer,
    register_customer,
    replay_journal,
    send_activation,
    update_customer,
)
from customers.services.finishing import empty_write_ahead_log, finish_erasures
from events.models import HistoryEntry
from tenancy.scoping import in_tenant
from tests.customers.planting import found, plant

pytestmark = pytest.mark.django_db(transaction=True)
only_sqlite = pytest.mark.skipif("connection.vendor != 'sqlite'", reason="SQLite's own files")


@pytest.fixture(autouse=True)
def places(tmp_path, settings):
    settings.ERASURE_JOURNAL = tmp_path / "erasures.jsonl"
    settings.MEDIA_ROOT = tmp_path / "media"


def raw_bytes():
    """The database file and its write-ahead log, in lower case."""
    file = Path(connection.settings_dict["NAME"])
    parts = [file, file.with_name(f"{file.name}-wal")]
    return b"".join(part.read_bytes() for part in parts if part.exists()).lower()


@only_sqlite
@pytest.mark.parametrize("deed", [anonymise_customer, delete_customer])
def test_not_even_the_raw_bytes_of_sqlite_hold_a_mark(deed, acme):
    customer, marks = plant(acme)
    # Numbers are stored in binary, sessions in base64: the dump of the rows covers the former.
    session = Session.objects.get().session_data.lower()
    marks = [mark for mark in marks if not mark.isdigit() and mark != "zsession"]
    marks = [mark.encode() for mark in [*marks, session]]
    assert [mark for mark in marks if mark not in raw_bytes()] == []

    deed(customer)

    assert [mark for mark in marks if mark in raw_bytes()] == []
    assert Erasure.objects.get().finished_at


@only_sqlite
def test_without_emptying_the_log_the_raw_bytes_would_show_marks(acme, monkeypatch):
    monkeypatch.setattr("customers.services.finishing.empty_write_ahead_log", lambda: True)
    customer, marks = plant(acme)

    anonymise_customer(customer)

    assert any(mark.encode() in raw_bytes() for mark in marks if not mark.isdigit())


@only_sqlite
def test_a_reader_that_holds_the_log_up_only_delays_it(acme, monkeypatch):
    monkeypatch.setattr("customers.services.finishing.CHECKPOINT_WAIT_MS", 50)
    customer = register_customer(first_name="Zmarked")
    reading, done = threading.Event(), threading.Event()

    def read():
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
            cursor.execute("SELECT count(*) FROM customers_customer")
            cursor.fetchone()
            reading.set()
            done.wait(20)
            cursor.execute("ROLLBACK")
        connection.close()

    reader = threading.Thread(target=read)
    reader.start()
    assert reading.wait(20)
    anonymise_customer(customer)
    assert Erasure.objects.get().finished_at is None
    done.set()
    reader.join()

    assert finish_erasures() == 0

    assert b"zmarked" not in raw_bytes()
    assert empty_write_ahead_log()


def in_threads(tenant, *deeds):
    """Run the deeds at the same instant, each in a thread and scope of its own; unexpected
    exceptions are returned."""
    start, errors = threading.Barrier(len(deeds)), []

    def run(deed):
        try:
            with in_tenant(tenant):
                start.wait(20)
                deed()
        except (ValidationError, VersionConflict, CustomerGone):
            pass  # coming second is a proper answer
        except Exception as error:
            errors.append(error)
        finally:
            close_old_connections()
            connection.close()

    threads = [threading.Thread(target=run, args=(deed,)) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


@pytest.mark.parametrize("attempt", range(5))
@pytest.mark.parametrize("erase", [anonymise_customer, delete_customer])
def test_changes_at_the_same_instant_leave_nothing_personal(erase, acme, attempt):
    customer = register_customer(
        first_name="Zrace", status="new", emails=[{"address": "zrace@example.org"}]
    )
    loaded = [Customer.objects.get(pk=customer.pk) for _n in range(3)]

    errors = in_threads(
        acme,
        lambda: erase(customer.pk),
        lambda: update_customer(loaded[0], first_name="Zraceone", internal_note="zracenote"),
        lambda: update_customer(loaded[1], emails=[{"address": "zracetwo@example.org"}]),
        lambda: send_activation(loaded[2], method="email"),
        lambda: erase(customer.pk),
    )

    assert errors == []
    assert found(["zrace"]) == []
    assert not Customer.objects.identifiable().exists()


def test_two_anonymisations_at_once_are_one(acme):
    customer = register_customer(first_name="Zrace")

    errors = in_threads(acme, *[lambda: anonymise_customer(customer.pk)] * 4)

    assert errors == []
    assert Customer.objects.get().version == 2
    assert Erasure.objects.count() == 1
    assert HistoryEntry.objects.filter(deed="customer.anonymised").count() == 1


# --- A restored backup --------------------------------------------------------------------------
def restore(tenant, *people):
    """Bring people back under their ids, as a backup of yesterday would, and forget the erasure."""
    Erasure.objects.all().delete()
    for pk in people:
        Customer.objects.filter(pk=pk).delete()
        HistoryEntry.objects.about("customer", pk).delete()
    return [register_customer(id=pk, first_name="Zback") for pk in people]


def test_a_restored_backup_is_erased_again(acme, settings):
    ada, grace, eve = (register_customer(first_name="Zback") for _n in range(3))
    yesterday = {pk: Customer.objects.get(pk=pk) for pk in (ada.pk, grace.pk, eve.pk)}
    anonymise_customer(ada)
    delete_customer(grace.pk)
    journal = settings.ERASURE_JOURNAL.read_text()
    restore(acme, *yesterday)
    first = min(json.loads(line)["at"] for line in journal.splitlines())
    HistoryEntry.objects.update(at=first.replace("2026", "2020", 1))

    report = replay_journal()

    assert report == {
        "lines": 2,
        "repeated": 2,
        "unchanged": 0,
        "newer": 0,
        "refused": 0,
        "unfinished": 0,
        "errors": [],
    }
    assert Customer.objects.get(pk=ada.pk).anonymised_at
    assert not Customer.objects.filter(pk=yesterday[grace.pk].pk).exists()
    assert not Customer.objects.get(pk=eve.pk).anonymised_at
    # The journal is the same, or each restore would move the instants that it tells of.
    assert settings.ERASURE_JOURNAL.read_text() == journal
    assert replay_journal()["unchanged"] == 2


def test_who_registered_anew_under_the_id_of_an_erased_person_stays(acme):
    customer = register_customer(first_name="Zback")
    pk = customer.pk
    delete_customer(pk)
    register_customer(id=pk, first_name="Znew", created_at="2019-01-01T00:00:00Z")

    report = replay_journal()

    assert (report["newer"], report["repeated"]) == (1, 0)
    assert Customer.objects.get(pk=pk).first_name == "Znew"


def test_a_dry_run_of_the_journal_erases_nobody(acme, settings):
    customer = register_customer(first_name="Zback")
    line = {
        "erasure": str(customer.pk),
        "tenant": str(acme.pk),
        "customer": str(customer.pk),
        "scope": "delete",
        "at": "2099-01-01T00:00:00+00:00",
        "policy": 1,
    }
    settings.ERASURE_JOURNAL.write_text(json.dumps(line) + "\n")

    assert replay_journal(dry_run=True)["repeated"] == 1

    assert Customer.objects.filter(pk=customer.pk).exists()


@pytest.mark.parametrize(
    "bad",
    [
        b"not json",
        b"[]",
        b"\xff\xfe",
        b"{}",
        b'{"tenant": "x", "customer": "y"}',
        b"[" * 100_000,
        b"",
    ],
)
def test_a_bad_line_of_the_journal_is_named_and_stops_nothing(acme, settings, bad):
    customer = register_customer(first_name="Zback")
    anonymise_customer(customer)
    good = settings.ERASURE_JOURNAL.read_bytes()
    settings.ERASURE_JOURNAL.write_bytes(bad + b"\n" + good)

    report = replay_journal()

    assert (report["refused"], report["unchanged"], report["lines"]) == (1, 1, 2)
    assert report["errors"][0]["line"] == 1
