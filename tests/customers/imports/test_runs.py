"""Imports on record: begun, cut off, gone on with, taken over, cancelled, undone."""

import hashlib
import io
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils.translation import get_language, override

from customers.imports import engine, runs
from customers.imports.errors import FileError
from customers.imports.ordering import cancel_import, order_import, repeat_import
from customers.imports.rejects import refused_rows
from customers.imports.runs import AlreadyRunning, hold_run, import_path, report_of, work_on
from customers.imports.storing import forget_files, keep_file, open_file
from customers.imports.undoing import order_undo
from customers.models import Customer, ImportChunk, ImportFile, ImportPiece, ImportRun
from customers.services import register_customer, update_customer
from events.jobs import LeaseLost
from events.models import Event, HistoryEntry
from tenancy import clock
from tenancy.scoping import in_tenant
from tenancy.sealing import Unreadable, unseal

pytestmark = pytest.mark.django_db

State = ImportRun.State
HEADER = "external_id,first_name,email\n"


def text_of(n, first=0):
    return HEADER + "".join(f"x{i},Person {i},p{i}@example.org\n" for i in range(first, first + n))


def kept(text):
    return keep_file([text.encode()])


class Killed(BaseException):
    """What no handler expects: the process ends here."""


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr(engine, "CHUNK", 3)


@pytest.fixture
def die_after(monkeypatch):
    """A function (n) -> the import dies when so many chunks are written, before the last of them
    is committed."""

    @contextmanager
    def lay(n):
        written = []
        keep = runs.RunJournal.keep

        def keep_and_die(journal, report, chunk):
            keep(journal, report, chunk)
            written.append(chunk)
            if len(written) == n:
                raise Killed

        with monkeypatch.context() as patched:
            patched.setattr(runs.RunJournal, "keep", keep_and_die)
            yield

    return lay


def test_a_file_is_imported_in_the_background_and_tells_what_became_of_it(acme, run_jobs):
    run = order_import(kept(text_of(4)), file_name="shop.csv")
    run_jobs()

    run.refresh_from_db()
    assert (run.state, run.rows_done, run.rows_total) == (State.DONE, 4, 4)
    assert run.counts["created"] == Customer.objects.count() == 4
    assert HistoryEntry.objects.filter(request_id=str(run.pk)).count() == 4
    assert set(HistoryEntry.objects.values_list("reason", flat=True)) == {"import shop.csv"}
    assert list(Event.objects.order_by("id").values_list("kind", flat=True)) == [
        "import.started", "import.completed",
    ]  # fmt: skip


def test_the_bytes_of_a_file_lie_sealed_and_are_gone_after_a_week(acme, run_jobs):
    file = kept(text_of(2))

    piece = ImportPiece.objects.get()
    assert b"example.org" not in bytes(piece.sealed)
    assert open_file(file).read() == text_of(2).encode()
    with pytest.raises(Unreadable):
        unseal(piece.sealed, "import file of somebody else 0")
    with clock.frozen(clock.now() + timedelta(days=7, minutes=1)):
        assert forget_files() == 1
    assert not ImportPiece.objects.exists()


def test_a_file_of_several_pieces_comes_back_to_the_byte(acme, monkeypatch):
    monkeypatch.setattr("customers.imports.storing.PIECE", 10)
    text = text_of(9).encode()

    file = keep_file([text[:7], text[7:40], text[40:]])

    assert ImportPiece.objects.count() == -(-len(text) // 10)
    reader = open_file(file)
    assert reader.read() == text
    reader.seek(13)
    assert reader.read(11) == text[13:24]


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("n_chunks", [1, 3])
def test_what_is_cut_off_goes_on_behind_its_last_chunk(acme, tmp_path, die_after, n_chunks):
    path = tmp_path / "shop.csv"
    path.write_text(text_of(10) + "x3,Person 3,no address\n")
    with die_after(n_chunks), pytest.raises(Killed):
        import_path(path, options={})
    cut = ImportRun.objects.get()
    assert (cut.rows_done, Customer.objects.count()) == (3 * (n_chunks - 1), 3 * (n_chunks - 1))

    with clock.frozen(clock.now() + timedelta(hours=1)):
        run = import_path(path, options={})

    report = report_of(run)
    assert run.pk == cut.pk
    assert (report.lines, report.created, report.refused) == (11, 10, 1)
    assert Customer.objects.count() == 10
    assert [error["line"] for error in report.errors] == [12]
    assert Event.objects.filter(kind="import.started").count() == 1


def test_somebody_else_is_at_it(acme, tmp_path):
    path = tmp_path / "shop.csv"
    path.write_text(text_of(1))
    run = runs._found_or_new(hashlib.sha256(path.read_bytes()).hexdigest(), path, {})
    hold_run(run)

    with pytest.raises(AlreadyRunning):
        import_path(path, options={})

    assert not Customer.objects.exists()


@pytest.mark.usefixtures("small_chunks")
def test_who_was_taken_over_writes_nothing_any_more(acme, monkeypatch):
    run = order_import(kept(text_of(7)))
    hold_run(run)
    mine = ImportRun.objects.get(pk=run.pk)
    look_up = runs.RunJournal.look_up

    def freeze(journal):
        look_up(journal)
        if journal.run is mine and journal.run.n_chunks == 1:
            # Somebody else comes while this worker sleeps, and does the rest.
            with clock.frozen(clock.now() + timedelta(hours=1)):
                other = hold_run(ImportRun.objects.get(pk=run.pk))
                work_on(other, open_file(other.file))

    monkeypatch.setattr(runs.RunJournal, "look_up", freeze)
    with pytest.raises(LeaseLost):
        work_on(mine, open_file(run.file))

    run.refresh_from_db()
    assert run.counts["created"] == Customer.objects.count() == 7
    assert (run.state, run.rows_done, run.n_chunks) == (State.DONE, 7, 3)
    assert ImportChunk.objects.count() == 3


def test_the_same_file_is_on_its_way_only_once(acme):
    order_import(kept(text_of(1)))

    with pytest.raises(ValidationError) as refusal:
        order_import(kept(text_of(1)))

    assert refusal.value.error_dict["file"][0].code == "unique"
    order_import(kept(text_of(1)), options={"on_match": "fill"})
    order_import(kept(text_of(1)), dry_run=True)


def test_a_dry_run_writes_nobody_and_can_be_repeated_for_real(acme, run_jobs):
    run = order_import(kept(text_of(2) + "x9,Nobody,nowhere\n"), dry_run=True)
    run_jobs()

    run.refresh_from_db()
    assert not Customer.objects.exists()
    assert not Event.objects.exists()
    assert (run.state, run.counts["created"], run.counts["refused"]) == (State.DONE, 2, 1)
    assert [error["line"] for error in report_of(run).errors] == [4]
    assert "nowhere" in "".join(refused_rows(run))
    repeat_import(run)
    run_jobs()
    assert Customer.objects.count() == 2


def test_refused_rows_come_back_as_a_file_to_be_mended(acme, run_jobs):
    run = order_import(kept(text_of(1) + "x9,Nobody,nowhere\n"))
    run_jobs()

    text = "".join(refused_rows(run))
    assert text.splitlines()[0] == "external_id,first_name,email,refused_because"
    mended = text.replace("nowhere", "nobody@example.org")
    order_import(kept(mended))
    run_jobs()
    assert Customer.objects.get(external_id="x9").emails.get().address == "nobody@example.org"


def test_what_is_refused_lies_sealed(acme, run_jobs):
    run = order_import(kept(text_of(1) + "x9,Nobody,nowhere\n"))
    run_jobs()

    assert b"nowhere" not in bytes(ImportChunk.objects.get().sealed)
    with clock.frozen(clock.now() + timedelta(days=8)):
        forget_files()
    assert report_of(ImportRun.objects.get(pk=run.pk)).errors == []


def test_a_file_that_is_wrong_as_a_whole_says_why(acme, run_jobs):
    run = order_import(kept(HEADER + "x1,Ada\n"))
    run_jobs()

    run.refresh_from_db()
    assert run.state == State.FAILED
    assert run.failure["line"] == 2
    with pytest.raises(ValidationError):
        order_undo(run)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"match": "shoe size"}, "match"),
        ({"on_match": "eat"}, "on_match"),
        ({"format": 7}, "format"),
        ({"events": "yes"}, "events"),
        ({"encoding": ["utf-8"]}, "encoding"),
        ({"mapping": {"columns": {"a": "b"}}}, "mapping"),
        ({"mapping": "{"}, "mapping"),
        ({"nonsense": 1}, "nonsense"),
    ],
)
def test_an_option_that_cannot_be_meant_is_named(acme, options, name):
    with pytest.raises(ValidationError) as refusal:
        order_import(kept(text_of(1)), options=options)

    assert set(refusal.value.error_dict) == {name}
    assert not ImportRun.objects.exists()


def test_one_that_waits_is_cancelled_at_once(acme, run_jobs):
    run = cancel_import(order_import(kept(text_of(1))))
    run_jobs()

    assert run.state == State.CANCELLED
    assert not Customer.objects.exists()
    with pytest.raises(ValidationError):
        cancel_import(run)


@pytest.mark.usefixtures("small_chunks")
def test_one_that_runs_is_cancelled_after_its_chunk(acme, run_jobs, monkeypatch):
    run = order_import(kept(text_of(9)))
    keep = runs.RunJournal.keep

    def keep_and_cancel(journal, report, chunk):
        keep(journal, report, chunk)
        cancel_import(ImportRun.objects.get(pk=run.pk))

    monkeypatch.setattr(runs.RunJournal, "keep", keep_and_cancel)
    run_jobs()

    run.refresh_from_db()
    assert (run.state, run.rows_done, Customer.objects.count()) == (State.CANCELLED, 3, 3)


class TestUndo:
    def test_new_customers_go_and_changed_ones_are_as_before(self, acme, run_jobs):
        ada = register_customer(
            external_id="x0", first_name="Ada", phones=[{"given": "900 00 001"}],
            emails=[{"address": "old@example.org"}],
        )  # fmt: skip
        run = order_import(kept(text_of(3)), options={"on_match": "overwrite"})
        run_jobs()
        assert Customer.objects.get(pk=ada.pk).name == "Person 0"

        order_undo(ImportRun.objects.get(pk=run.pk))
        run_jobs()

        run.refresh_from_db()
        ada = Customer.objects.get()
        assert run.state == State.UNDONE
        assert run.undone == {"deleted": 2, "restored": 1, "left": [], "left_out": 0}
        assert (ada.name, ada.first_name) == ("Ada", "Ada")
        assert [one.address for one in ada.emails.all()] == ["old@example.org"]
        assert [one.given for one in ada.phones.all()] == ["900 00 001"]

    def test_whoever_was_changed_since_is_left_and_named(self, acme, run_jobs):
        register_customer(external_id="x0", first_name="Ada")
        run = order_import(kept(text_of(3)), options={"on_match": "overwrite"})
        run_jobs()
        touched = [Customer.objects.get(external_id=key) for key in ("x0", "x1")]
        for customer in touched:
            update_customer(customer, last_name="Since")

        order_undo(ImportRun.objects.get(pk=run.pk))
        run_jobs()

        run.refresh_from_db()
        assert run.undone["deleted"] == 1
        assert sorted(run.undone["left"]) == sorted(str(one.pk) for one in touched)
        assert Customer.objects.get(external_id="x0").first_name == "Person 0"
        assert Customer.objects.count() == 2

    @pytest.mark.usefixtures("small_chunks")
    def test_a_customer_whom_the_import_touched_twice_is_undone_twice(self, acme, run_jobs):
        text = text_of(4) + "x0,Other,p0@example.org\nx1,Other,p1@example.org\n"
        run = order_import(kept(text), options={"on_match": "overwrite"})
        run_jobs()

        order_undo(ImportRun.objects.get(pk=run.pk))
        run_jobs()

        run.refresh_from_db()
        assert run.undone == {"deleted": 4, "restored": 2, "left": [], "left_out": 0}
        assert not Customer.objects.exists()

    def test_what_is_not_through_is_not_undone(self, acme):
        run = order_import(kept(text_of(1)))

        with pytest.raises(ValidationError) as refusal:
            order_undo(run)

        assert refusal.value.code == "import_state"


def test_a_file_that_is_not_there_is_a_sentence(acme, tmp_path):
    with pytest.raises(FileError):
        import_path(tmp_path / "nowhere.csv", options={})


def test_another_tenants_imports_are_not_seen(acme, rival):
    order_import(kept(text_of(1)))

    with in_tenant(rival):
        assert not ImportRun.objects.exists()
        assert not ImportFile.objects.exists()
        order_import(keep_file(io.BytesIO(text_of(1).encode())))


BROKEN = HEADER.strip() + ",birth_date\nx1,Ada,nobody,\nx2,Grace,g@example.org,31.02.1990\n"


@pytest.mark.parametrize(
    ("language", "email", "day"),
    [
        ("nb", "En e-postadresse har et @-tegn.", "er en dag som ikke finnes"),
        ("en", "An e-mail address has an @ sign.", "is a day that does not exist"),
    ],
)
def test_a_worker_speaks_the_language_of_whoever_ordered_the_import(
    acme, run_jobs, language, email, day
):
    before = get_language()
    with override(language):
        run = order_import(kept(BROKEN), dry_run=True)
    run_jobs()

    run.refresh_from_db()
    said = [one["message"] for one in report_of(run).errors]
    assert said == [email, day]
    assert get_language() == before
