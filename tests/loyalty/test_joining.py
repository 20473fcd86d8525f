"""Loyalty at registration, in a profile, in records, exports and imports, and at erasure."""

import io
import uuid
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from customers.exports import pieces, select_customers
from customers.imports.engine import import_customers
from customers.models import Customer
from customers.records import COLUMNS as RECORD_COLUMNS
from customers.records import assemble, record_of
from customers.services import (
    anonymise_customer,
    delete_customer,
    export_customer,
    register_customer,
    update_customer,
)
from events.models import Event, HistoryEntry
from loyalty.models import EntryNote, LoyaltyAccount
from loyalty.services import account_of, add_points, adjust_points, create_level, set_level_active
from tenancy import clock
from tests.factories import CustomerFactory
from tests.loyalty.story import adds_up, set_programme


def level_refusal(deed, *args, **fields):
    with pytest.raises(ValidationError) as refusal:
        deed(*args, **fields)
    assert list(refusal.value.error_dict) == ["level"]
    return refusal.value.error_dict["level"][0].code


# --- Registration and update -------------------------------------------------------------------
def test_t17_a_registration_that_names_a_level_assigns_it_by_hand(levels):
    customer = register_customer(first_name="Ada", level=str(levels["level1"].pk))

    account = account_of(customer)
    assert (account.level, account.manual_level) == (levels["level1"], levels["level1"])
    assert account.created_at == customer.created_at
    entry = HistoryEntry.objects.get(subject_id=customer.pk)
    assert entry.changes["level"] == [None, "level1"]
    assert entry.changes["assigned_level"] == [None, "level1"]
    assert Event.objects.filter(subject_id=customer.pk).values_list("kind", flat=True).get() == (
        "customer.registered"
    )


def test_t19_without_a_start_level_only_a_named_level_lets_a_customer_in(levels):
    set_level_active(levels["level0"], False)

    assert level_refusal(register_customer, first_name="Ada") == "no_start_level"
    assert not Customer.objects.exists()

    customer = register_customer(first_name="Ada", level="level2")
    assert account_of(customer).level == levels["level2"]


def test_where_the_programme_does_not_insist_a_newcomer_is_on_no_level(acme, levels):
    set_programme(acme, require_start_level=False)
    set_level_active(levels["level0"], False)

    account = account_of(register_customer(first_name="Ada"))

    assert (account.level, account.level_since) == (None, None)


def test_an_update_assigns_a_level_in_one_step_of_the_version(ada, levels):
    version = Customer.objects.get(pk=ada.pk).version

    update_customer(ada, level="level2", first_name="Augusta")

    assert account_of(ada).manual_level == levels["level2"]
    assert ada.version == version + 1
    entry = HistoryEntry.objects.filter(subject_id=ada.pk).latest("pk")
    assert entry.changes["level"] == ["level0", "level2"]
    assert entry.changes["first_name"] == ["Ada", "Augusta"]


@pytest.mark.parametrize("named", ["level0", None, ""])
def test_naming_the_present_level_or_none_changes_nothing_not_even_the_mark(ada, levels, named):
    version = Customer.objects.get(pk=ada.pk).version

    update_customer(ada, level=named)

    account = account_of(ada)
    assert (account.level, account.manual_level) == (levels["level0"], None)
    assert Customer.objects.get(pk=ada.pk).version == version


@pytest.mark.parametrize("named", ["Platinum", uuid.uuid4(), "a\x00b", 7, ["level1"], {"id": 1}])
def test_a_level_that_is_not_there_is_refused_by_the_name_of_the_field(ada, levels, named):
    assert level_refusal(update_customer, ada, level=named) == "does_not_exist"
    assert level_refusal(register_customer, first_name="Eve", level=named) == "does_not_exist"


def test_a_name_that_two_levels_have_says_nothing(ada, levels):
    create_level(name="level1")

    assert level_refusal(update_customer, ada, level="level1") == "ambiguous"


def test_sellers_assign_levels_and_customers_do_not(as_role, ada, levels):
    for role, status in (("customer", 403), ("seller", 200)):
        answer = as_role(role, customer=ada).patch(f"customers/{ada.pk}/", {"level": "level1"})
        assert answer.status_code == status, answer.content

    assert answer.json()["loyalty"]["level"] == "level1"
    assert answer.json()["loyalty"]["assigned"] is True


# --- Records -----------------------------------------------------------------------------------
def test_a_record_tells_where_a_customer_stands(acme, ada, levels):
    set_programme(acme, points_lock_days=5)
    add_points(ada, points=12_50)
    LoyaltyAccount.objects.filter(customer=ada).update(transactions_amount=99_90)
    update_customer(ada, level="level1")

    part = record_of(ada.pk)["loyalty"]

    assert (part["level"], part["level_id"]) == ("level1", levels["level1"].pk)
    assert (part["assigned"], part["level_percent"]) == (True, Decimal("5.00"))
    assert (part["points"], part["locked_points"]) == (Decimal(0), Decimal("12.50"))
    assert part["transactions_amount"] == Decimal("99.90")


def test_a_record_counts_what_is_due_as_done(acme, ada, grace, levels):
    set_programme(acme, points_lock_days=5, points_expire="after_x_days", points_days=1)
    add_points(ada, points=12_50)
    add_points(grace, points=1_00)
    lot = account_of(ada).lots.get()

    def points(customer):
        part = record_of(customer.pk)["loyalty"]
        return part["points"], part["locked_points"]

    assert points(ada) == (0, Decimal("12.50"))
    with clock.frozen(lot.locked_until):
        assert points(ada) == (Decimal("12.50"), 0)
    with clock.frozen(lot.expires_at):
        assert points(ada) == points(grace) == (0, 0)


def test_a_page_of_records_asks_once_for_its_accounts(acme, levels, django_assert_num_queries):
    from loyalty.records import loyalty_of

    ids = [customer.pk for customer in CustomerFactory.create_batch(5, tenant=acme)]

    with django_assert_num_queries(1):
        assert {part["loyalty"]["level"] for part in loyalty_of(ids).values()} == {"level0"}


def test_a_customer_without_an_account_has_none_in_the_record(ada, levels):
    LoyaltyAccount.objects.all().delete()

    rows = Customer.objects.values(*RECORD_COLUMNS)
    assert [record["loyalty"] for record in assemble(list(rows))] == [None]


# --- Files -------------------------------------------------------------------------------------
def csv_file(*lines):
    return io.BytesIO("\n".join(lines).encode())


def test_a_column_of_a_file_assigns_levels(ada, levels):
    report = import_customers(
        csv_file(
            "external_id,first_name,level",
            "ext-ada,Ada,level2",
            "ext-eve,Eve,level1",
            "ext-bob,Bob,",
            "ext-eva,Eva,Platinum",
        ),
        match="external_id",
        on_match="overwrite",
    )

    assert (report.updated, report.created, report.refused) == (1, 2, 1)
    (error,) = report.errors
    assert (error["line"], error["column"], error["value"]) == (5, "level", "Platinum")
    assert account_of(ada).manual_level == levels["level2"]
    eve, bob = (Customer.objects.get(external_id=key) for key in ("ext-eve", "ext-bob"))
    assert account_of(eve).manual_level == levels["level1"]
    assert (account_of(bob).level, account_of(bob).manual_level) == (levels["level0"], None)


@pytest.mark.parametrize("policy", ["fill", "overwrite"])
def test_a_file_that_only_fills_leaves_levels_alone(ada, levels, policy):
    file = "external_id,first_name,level", "ext-ada,Ada,level2"

    report = import_customers(csv_file(*file), match="external_id", on_match=policy)

    assert report.updated == (policy == "overwrite")
    again = import_customers(csv_file(*file), match="external_id", on_match=policy)
    assert (again.updated, again.unchanged) == (0, 1)


def test_an_export_names_the_level_and_coming_back_changes_nothing(ada, levels):
    update_customer(ada, level="level1")
    file = b"".join(pieces(select_customers(), "csv"))
    assert b",level1," in file
    LoyaltyAccount.objects.update(manual_level=None)

    report = import_customers(io.BytesIO(file), on_match="overwrite")

    assert (report.unchanged, report.lines) == (1, 1)
    assert account_of(ada).manual_level is None


# --- Export of one, erasure, deletion ----------------------------------------------------------
def test_the_export_of_a_customer_says_where_he_stands_in_words(acme, ada, levels):
    set_programme(acme, points_expire="end_of_year")
    add_points(ada, points=20_50)
    update_customer(ada, language="nb")

    section = export_customer(ada)["loyalty_status"]

    assert (section["points"], section["level"], section["assigned"]) == ("20.50", "level0", False)
    assert section["explanation"].startswith("level0 siden ")
    assert [day["points"] for day in section["expiring"]] == ["20.50"]


def test_a_deleted_customer_leaves_an_account_without_a_name(ada, levels):
    add_points(ada, points=5_00)
    account = account_of(ada)

    delete_customer(ada)

    account.refresh_from_db()
    assert (account.customer_id, account.points) == (None, 5_00)
    assert adds_up(account)


def test_an_anonymised_customer_keeps_the_points_loses_the_words_and_earns_no_more(ada, levels):
    adjust_points(ada, points=5_00, reason="Ada called about it")

    anonymise_customer(ada)

    assert account_of(ada).points == 5_00
    assert set(EntryNote.objects.values_list("text", flat=True)) == {""}
    with pytest.raises(ValidationError):
        add_points(Customer.objects.get(pk=ada.pk), points=1_00)
