"""A merged record goes with the person: erased, deleted, exported, found and forgotten together."""

import json
from datetime import timedelta

import jsonschema
import pytest
from django.core.exceptions import ValidationError

from customers.models import Customer, Erasure, Merge, NotDuplicate, Tombstone
from customers.privacy import registry
from customers.services import (
    CustomerGone,
    anonymisation_preview,
    anonymise_customer,
    delete_customer,
    erasure,
    export_customer,
    export_schema,
    forget_merges,
    get_customer,
    merge_customers,
    not_duplicates,
    personal_values,
    register_customer,
    replay_journal,
    scan_for,
    undo_merge,
)
from customers.services.erasure import _erase_former
from events.models import Event, HistoryEntry
from tenancy import clock
from tests.customers.planting import STAFF_NAME, found, plant
from tests.customers.twins import codes_of

pytestmark = pytest.mark.django_db
DEEDS = [anonymise_customer, delete_customer]
# One who is merged chooses nothing of these, and the survivor has them already.
TAKEN = dict.fromkeys(("avatar", "name", "card_number", "credit_balance", "first_name"), "other")


@pytest.fixture
def journal(tmp_path, settings):
    settings.ERASURE_JOURNAL = tmp_path / "erasures.jsonl"
    settings.MEDIA_ROOT = tmp_path / "media"
    return settings.ERASURE_JOURNAL


@pytest.fixture
def pair(acme, journal):
    """Two people full of marks who turn out to be one; (survivor, merged, marks, merge)."""
    one, marks = plant(acme, "Z", number=987650001)
    other, others = plant(acme, "Q", number=987650002)
    other.charge_account.retired = True
    other.charge_account.save()
    merge = merge_customers(one, other, choices=TAKEN, reason="Zmergereason")
    return one, other, [*marks, *others, "zmergereason"], merge


@pytest.mark.parametrize("deed", DEEDS)
def test_no_mark_of_either_record_survives(deed, pair, django_capture_on_commit_callbacks):
    one, _other, marks, _merge = pair
    held = set(found(marks))
    assert len(held) > 140

    with django_capture_on_commit_callbacks(execute=True):
        deed(one, reason="asked by letter")

    assert found(marks) == []


def test_without_reaching_the_journal_marks_would_survive(
    pair, monkeypatch, django_capture_on_commit_callbacks
):
    one, _other, marks, _merge = pair
    table = registry.tables["customers.Merge"]
    others = {name: line for name, line in table.lines.items() if name != "journal"}
    monkeypatch.setattr(table, "lines", others)

    with django_capture_on_commit_callbacks(execute=True):
        anonymise_customer(one)

    assert len(found(marks)) > 60


def test_without_reaching_what_is_left_of_the_row_marks_would_survive(
    pair, monkeypatch, django_capture_on_commit_callbacks
):
    one, _other, marks, _merge = pair
    monkeypatch.setattr(erasure, "_erase_former", lambda *args: None)

    with django_capture_on_commit_callbacks(execute=True):
        anonymise_customer(one)

    assert found(marks) != []
    assert _erase_former is not erasure._erase_former


def test_each_id_has_its_own_event_journal_line_and_proof(
    pair, journal, django_capture_on_commit_callbacks
):
    one, other, _marks, _merge = pair

    with django_capture_on_commit_callbacks(execute=True):
        anonymise_customer(one)

    told = Event.objects.filter(kind="customer.anonymised").values_list("subject_id", flat=True)
    assert set(told) == {one.pk, other.pk}
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    assert {line["customer"] for line in lines} == {str(one.pk), str(other.pk)}
    shell = Customer.with_merged.get(pk=other.pk)
    assert (shell.number, shell.card_number, shell.external_id) == (None, None, None)
    assert shell.anonymised_at is not None
    assert shell.merged_into_id == one.pk
    assert get_customer(other.pk) == Customer.objects.get(pk=one.pk)
    assert set(Erasure.objects.values_list("customer_id", flat=True)) == {one.pk, other.pk}
    assert not Erasure.objects.filter(journaled_at=None).exists()


def test_a_second_anonymisation_changes_nothing(pair):
    one, _other, _marks, _merge = pair
    anonymise_customer(one)
    n_events, n_history = Event.objects.count(), HistoryEntry.objects.count()

    anonymise_customer(one)

    assert (Event.objects.count(), HistoryEntry.objects.count()) == (n_events, n_history)


def test_a_deletion_leaves_a_tombstone_for_each_id_and_none_answers(pair):
    one, other, _marks, _merge = pair

    delete_customer(one)

    assert set(Tombstone.objects.values_list("pk", flat=True)) == {one.pk, other.pk}
    assert not Customer.with_merged.exists()
    assert not Merge.objects.exists()
    for old in (one.pk, other.pk):
        with pytest.raises(CustomerGone):
            get_customer(old)


def test_the_merge_itself_stays_without_what_it_said(pair):
    one, _other, _marks, merge = pair

    anonymise_customer(one)

    merge.refresh_from_db()
    assert (merge.journal, merge.reason, merge.actor_label) == ({}, "", "")
    assert merge.at.day == 1 or merge.at.hour == 23  # the tenant's first of the month


def test_a_reason_must_not_name_the_other_record_either(acme, ada):
    other = register_customer(first_name="Augusta", last_name="Byron", card_number="8002")
    merge_customers(ada, other)

    for reason in ("Byron asked", "the one with card 8002", other.code):
        with pytest.raises(ValidationError) as refused:
            anonymise_customer(ada, reason=reason)
        assert codes_of(refused.value) == {"reason": "personal"}


def test_who_is_no_duplicate_is_forgotten_with_the_person(ada, grace):
    not_duplicates(ada, grace, reason="met her")

    anonymise_customer(ada)

    assert not NotDuplicate.objects.exists()


# --- Telling ---------------------------------------------------------------------------------
def test_the_export_holds_every_mark_of_both_records(pair):
    one, _other, marks, _merge = pair
    schema = json.loads(json.dumps(export_schema()))

    export = export_customer(one)

    told = json.dumps(export, ensure_ascii=False).lower()
    missing = [mark for mark in marks if mark.startswith("q") and mark not in told]
    # The same as in an export of that record alone: copies, secrets, and what others hold.
    assert sorted(missing) == sorted(set(missing) & LEFT_OUT)
    assert export["merged_records"][0]["customer"][-1]["first_name"] == "Qfirst"
    assert STAFF_NAME.lower() not in told
    assert one.password.lower() not in told
    checker = jsonschema.Draft202012Validator(schema)
    assert [error.message for error in checker.iter_errors(json.loads(json.dumps(export)))] == []


# Copies that live for hours, a code that ended with the merge, and texts that the history tells as
# well; tests/customers/test_privacy_export.py has the same list for one record.
LEFT_OUT = {
    *("qanswer", "qbatchanswer", "qpathanswer", "qreprcustomer", "qmessagecustomer"),
    *("qsession", "qnewlogin", "qmessageemail", "qrepremail"),
}


def test_an_export_of_one_record_has_an_empty_list(ada):
    assert export_customer(ada)["merged_records"] == []


def test_the_preview_counts_what_both_hold(pair):
    one, _other, _marks, _merge = pair

    preview = anonymisation_preview(one)

    erased = {(item["table"], item["column"]): item for item in preview["erased"]}
    assert erased["customers.Customer", "external_id"]["count"] == 3
    assert erased["customers.Merge", "journal"]["count"] == 1
    assert erased["customers.Merge", "journal"]["samples"] == []


def test_a_scan_after_the_erasure_finds_nothing_and_knew_both(
    pair, django_capture_on_commit_callbacks
):
    one, other, _marks, _merge = pair
    values = personal_values(one)
    assert "Qfirst" in values
    assert other.code in values
    assert not scan_for(one.pk, values)["clean"]

    with django_capture_on_commit_callbacks(execute=True):
        anonymise_customer(one)

    assert scan_for(one.pk, values)["left"] == []


def test_what_is_left_when_the_time_is_over_is_erased_all_the_same(
    pair, django_capture_on_commit_callbacks
):
    one, _other, marks, merge = pair
    later = merge.undo_until + timedelta(days=1)
    with django_capture_on_commit_callbacks(execute=True), clock.frozen(later):
        forget_merges()
    with django_capture_on_commit_callbacks(execute=True):
        anonymise_customer(one)

    assert found(marks) == []


# --- After a restore --------------------------------------------------------------------------
def line_of(customer, scope, at):
    return json.dumps(
        {
            "tenant": str(customer.tenant_id),
            "customer": str(customer.pk),
            "scope": scope,
            "at": at.isoformat(),
        }
    )


@pytest.mark.parametrize("scope", ["anonymise", "delete"])
@pytest.mark.parametrize("order", [1, -1])
def test_an_erasure_of_both_is_repeated_in_whatever_order(ada, grace, journal, scope, order):
    merge_customers(ada, grace)
    at = clock.now()
    lines = [line_of(one, scope, at) for one in (ada, grace)][::order]
    journal.write_text("\n".join(lines) + "\n")

    report = replay_journal()

    assert report["errors"] == []
    assert not Customer.with_merged.filter(anonymised_at=None).exists()
    assert report["repeated"] + report["unchanged"] == 2
    assert replay_journal()["unchanged"] == 2


def test_who_was_parted_and_then_erased_is_parted_and_erased_again(ada, grace, journal):
    merge = merge_customers(ada, grace)
    journal.write_text(line_of(grace, "anonymise", clock.now()) + "\n")

    with clock.frozen(merge.undo_until + timedelta(days=1)):
        assert replay_journal(dry_run=True)["repeated"] == 1
        report = replay_journal()

    assert (report["repeated"], report["errors"]) == (1, [])
    assert Customer.objects.get(pk=grace.pk).anonymised_at is not None
    assert Customer.objects.get(pk=ada.pk).anonymised_at is None


def test_who_cannot_be_parted_any_more_is_told_of(ada, grace, journal):
    merge = merge_customers(ada, grace)
    with clock.frozen(merge.undo_until + timedelta(days=1)):
        forget_merges()
    journal.write_text(line_of(grace, "anonymise", clock.now()) + "\n")

    report = replay_journal()

    assert (report["refused"], report["lines"]) == (1, 1)
    assert report["errors"][0]["line"] == 1
    assert Customer.objects.get(pk=ada.pk).anonymised_at is None


def test_after_an_undo_each_is_erased_alone(ada, grace):
    undo_merge(merge_customers(ada, grace))

    anonymise_customer(grace)

    assert Customer.objects.get(pk=ada.pk).anonymised_at is None
    assert Customer.objects.get(pk=ada.pk).name == "Ada Lovelace"
