"""What an erasure does after its commit: the journal's line, the files, and trying again."""

import json

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError

from customers.models import Erasure
from customers.services import anonymise_customer, delete_customer
from tests.customers.planting import found, plant


@pytest.fixture(autouse=True)
def journal(tmp_path, settings):
    settings.ERASURE_JOURNAL = tmp_path / "erasures.jsonl"
    settings.MEDIA_ROOT = tmp_path / "media"
    return settings.ERASURE_JOURNAL


def carry_out(deed, customer, capture, **options):
    with capture(execute=True):
        return deed(customer, **options)


def test_the_journal_holds_one_line_and_nothing_personal(
    ada, acme, journal, django_capture_on_commit_callbacks
):
    carry_out(anonymise_customer, ada, django_capture_on_commit_callbacks, reason="asked")

    (line,) = map(json.loads, journal.read_text().splitlines())
    erasure = Erasure.objects.get()
    assert line == {
        "erasure": str(erasure.pk),
        "tenant": str(acme.pk),
        "customer": str(ada.pk),
        "scope": "anonymise",
        "at": erasure.at.isoformat(),
        "policy": 1,
    }
    assert journal.stat().st_mode & 0o077 == 0
    assert erasure.journaled_at


def test_a_rolled_back_erasure_leaves_nothing_behind(
    ada, journal, django_capture_on_commit_callbacks
):
    with pytest.raises(ValidationError):
        carry_out(anonymise_customer, ada, django_capture_on_commit_callbacks, reason="Ada asked")

    assert not journal.exists()
    assert not Erasure.objects.exists()


def test_a_file_that_cannot_be_removed_goes_with_the_next_erasure(
    acme, grace, monkeypatch, caplog, django_capture_on_commit_callbacks
):
    customer, marks = plant(acme)
    picture_file = settings.MEDIA_ROOT / customer.avatar.file.name

    def refuse(name):
        raise PermissionError(f"{name} is in use")

    with monkeypatch.context() as broken:
        broken.setattr("customers.services.finishing.default_storage.delete", refuse)
        carry_out(anonymise_customer, customer, django_capture_on_commit_callbacks)
    assert picture_file.exists()
    assert "PermissionError" in caplog.text
    assert picture_file.name not in caplog.text
    assert Erasure.objects.get().files != []

    carry_out(anonymise_customer, grace, django_capture_on_commit_callbacks)

    assert not picture_file.exists()
    assert all(erasure.files == [] for erasure in Erasure.objects.all())
    assert found(marks) == []


def test_a_journal_that_cannot_be_written_is_written_later(
    ada, grace, journal, settings, django_capture_on_commit_callbacks
):
    settings.ERASURE_JOURNAL = journal / "below" / "a" / "file"
    journal.write_text("")
    carry_out(anonymise_customer, ada, django_capture_on_commit_callbacks)
    assert Erasure.objects.get().journaled_at is None
    settings.ERASURE_JOURNAL = journal

    carry_out(delete_customer, grace, django_capture_on_commit_callbacks)

    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    assert {(line["customer"], line["scope"]) for line in lines} == {
        (str(ada.pk), "anonymise"),
        (str(grace.pk), "delete"),
    }


def test_a_database_that_fails_after_the_commit_reaches_nobody(
    ada, monkeypatch, caplog, django_capture_on_commit_callbacks
):
    def fail(**options):
        raise RuntimeError("Ada Lovelace")

    monkeypatch.setattr("customers.services.finishing.finish_erasures", fail)

    carry_out(anonymise_customer, ada, django_capture_on_commit_callbacks)

    assert ada.anonymised_at
    assert "RuntimeError" in caplog.text
    assert "Lovelace" not in caplog.text
