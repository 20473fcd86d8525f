"""The nightly proof finds what does not add up, and freezes it."""

import contextlib
import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events.jobs import enqueue
from events.models import Event, HistoryEntry, Job
from loyalty.guards import lifted_guards
from loyalty.models import Entry, Lot, LoyaltyAccount, Transaction
from loyalty.services import (
    account_of,
    add_points,
    cancel_entry,
    create_earning_rule,
    delete_earning_rule,
    record_transaction,
    spend_points,
    transfer_points,
)
from loyalty.services.checking import check_account, check_sums, reconcile, release_account
from tenancy import clock
from tenancy.scoping import in_tenant
from tests.factories import CustomerFactory
from tests.loyalty.story import NOON, set_programme


@pytest.fixture
def busy(ada, grace, sell, take_back):
    """Ada and Grace after a lively week."""
    create_earning_rule(name="Purchases", kind="purchase", rate=1)
    sell(ada, "S1", 9_00)
    sell(grace, "S2", 30_00)
    take_back(ada, "R1", 4_00, "S1")
    take_back(grace, "R9", 4_00, "S9")
    add_points(ada, points=10_00)
    spend_points(ada, points=3_00)
    transfer_points(grace, ada, points=5_00)
    return ada


DEEDS = st.lists(
    st.tuples(
        st.sampled_from(["sell", "back", "add", "spend", "send", "resend", "cancel"]),
        st.integers(0, 3),
        st.integers(1, 900),
        st.integers(0, 40),
    ),
    max_size=12,
)


@given(deeds=DEEDS)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happens_in_whatever_order_everything_adds_up(acme, deeds):
    one, other = CustomerFactory(tenant=acme), CustomerFactory(tenant=acme)
    # Points are held back for ten days and expire after twenty.
    terms = {"points_lock_days": 10, "points_expire": "after_x_days", "points_days": 20}
    set_programme(acme, **terms)
    rule = create_earning_rule(name="Purchases", kind="purchase", rate="1.3333")
    key, sent = one.pk.hex, []
    for index, (deed, sale, amount, day) in enumerate(deeds):
        instant = NOON + timedelta(days=index * 3)
        with clock.frozen(instant), contextlib.suppress(ValidationError):
            if deed in ("sell", "back"):
                fields = {"number": f"{key}-{index}", "amount": amount}
                fields["purchased_at"] = instant - timedelta(days=day)
                if deed == "back":
                    fields |= {"kind": "return", "revises": f"{key}-{sale}"}
                sent.append(fields)
                record_transaction(one, **fields)
            elif deed == "resend" and sent:
                assert not record_transaction(one, **sent[sale % len(sent)])[1]
            elif deed == "add":
                add_points(one, points=amount)
            elif deed == "spend":
                spend_points(one, points=amount)
            elif deed == "send":
                transfer_points(one, other, points=amount)
            elif deed == "cancel" and (entry := Entry.objects.filter(kind="earn").first()):
                cancel_entry(entry)
        assert wrong(one) == wrong(other) == set()
    delete_earning_rule(rule)

    assert check_sums(acme) == []


def wrong(customer):
    return {found.what for found in check_account(account_of(customer))}


def test_after_a_lively_week_everything_adds_up(acme, busy):
    assert reconcile(acme) == {"accounts": 2, "frozen": 0, "mismatches": []}
    assert not LoyaltyAccount.objects.filter(frozen_at__isnull=False).exists()


@pytest.mark.parametrize(
    ("column", "found"),
    [
        ("points", {"points", "lots"}),
        ("locked_points", {"locked_points", "locked_lots"}),
        ("n_entries", {"n_entries", "last_seq"}),
        ("transactions_count", {"transactions_count"}),
        ("transactions_amount", {"transactions_amount"}),
        ("amount_without_delivery", {"amount_without_delivery"}),
        ("excluded_amount", {"excluded_amount"}),
        ("n_applied", {"n_applied"}),
    ],
)
def test_every_number_of_the_account_is_proved(busy, column, found):
    account = account_of(busy)
    LoyaltyAccount.objects.filter(pk=account.pk).update(**{column: getattr(account, column) + 1})

    assert wrong(busy) == found


@pytest.mark.parametrize("column", ["first_purchase_at", "last_purchase_at"])
def test_the_dates_of_purchases_are_proved(busy, column):
    LoyaltyAccount.objects.update(**{column: None})

    assert wrong(busy) == {column}


def test_a_changed_lot_is_found(busy):
    lot = Lot.objects.filter(account=account_of(busy), remaining__gt=0).first()
    Lot.objects.filter(pk=lot.pk).update(remaining=lot.remaining - 1)

    assert wrong(busy) == {"lots"}


def test_a_changed_transaction_is_found(busy):
    Transaction.objects.filter(number="S1").update(amount=8_00)

    assert wrong(busy) == {"transactions_amount", "amount_without_delivery"}


def test_a_return_that_was_counted_without_its_sale_is_found(busy):
    Transaction.objects.filter(number="R1").update(revises="S7")

    assert "transactions_amount" in wrong(busy)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"points": 1}, {"points", "balances"}),
        ({"points_after": 1}, {"balances"}),
        ({"locked_after": 1}, {"balances"}),
    ],
)
def test_an_entry_that_somebody_changed_past_the_guard_is_found(busy, change, found):
    entry = Entry.objects.filter(account=account_of(busy)).first()
    with lifted_guards():
        Entry.objects.filter(pk=entry.pk).update(**change)

    assert wrong(busy) == found


def test_a_missing_entry_is_found(busy):
    with lifted_guards():
        Lot.objects.filter(entry__kind="transfer_in").delete()
        Entry.objects.filter(kind="transfer_in").delete()

    assert {"points", "n_entries"} <= wrong(busy)


def test_what_does_not_add_up_is_frozen_once_and_told(acme, busy, sell):
    LoyaltyAccount.objects.filter(customer=busy).update(points=1)

    first, second = reconcile(acme), reconcile(acme)

    assert (first["frozen"], second["frozen"]) == (1, 0)
    assert {found.what for found in second["mismatches"]} == {"points", "lots"}
    event = Event.objects.get(kind="account.frozen")
    assert event.data == {"customer": str(busy.pk)}
    told = HistoryEntry.objects.get(deed="account.frozen")
    assert told.changes["points"] == ["1", str(account_of_entries(busy))]
    with pytest.raises(ValidationError) as refusal:
        sell(busy, "S3", 1_00)
    assert refusal.value.code == "frozen"


def account_of_entries(customer):
    return sum(Entry.objects.filter(account=account_of(customer)).values_list("points", flat=True))


def test_an_account_that_is_right_by_the_time_of_the_second_look_is_left_alone(
    acme, busy, monkeypatch
):
    from loyalty.services import checking

    look, looks = checking.check_accounts, []

    def look_and_be_wrong_once(accounts):
        looks.append(len(accounts))
        if len(looks) == 1:
            return [checking.Mismatch(str(account_of(busy).pk), "points", 1, 2)]
        return look(accounts)

    monkeypatch.setattr(checking, "check_accounts", look_and_be_wrong_once)

    assert reconcile(acme)["mismatches"] == []
    assert looks == [2, 1]
    assert account_of(busy).frozen_at is None


def test_a_frozen_account_is_released_when_its_sums_are_right(acme, busy):
    points = account_of(busy).points
    LoyaltyAccount.objects.filter(customer=busy).update(points=1)
    reconcile(acme)

    with pytest.raises(ValidationError) as refusal:
        release_account(account_of(busy))
    assert refusal.value.code == "mismatch"

    LoyaltyAccount.objects.filter(customer=busy).update(points=points)
    release_account(account_of(busy))
    release_account(account_of(busy))

    assert account_of(busy).frozen_at is None
    assert Event.objects.filter(kind="account.released").count() == 1


def test_transfers_make_no_points(acme, busy):
    with lifted_guards():
        Entry.objects.filter(kind="transfer_in").update(points=99_00)

    sums = [found for found in reconcile(acme)["mismatches"] if found.account is None]
    assert [(found.what, found.computed) for found in sums] == [("transfers", 94_00)]


def test_pages_lose_nobody(acme, monkeypatch):
    monkeypatch.setattr("loyalty.services.checking.PAGE", 2)
    for _n in range(5):
        CustomerFactory(tenant=acme)
    last = LoyaltyAccount.objects.order_by("pk").last()
    LoyaltyAccount.objects.filter(pk=last.pk).update(points=1)
    pages = []

    report = reconcile(acme, on_page=lambda *page: pages.append(page[:2]))

    assert pages == [(2, 5), (4, 5), (5, 5)]
    assert report["frozen"] == 1


def test_going_on_behind_an_account(acme, monkeypatch):
    for _n in range(3):
        CustomerFactory(tenant=acme)
    ids = LoyaltyAccount.objects.order_by("pk").values_list("pk", flat=True)

    assert reconcile(acme, after=ids[1])["accounts"] == 1


def test_the_accounts_of_others_are_not_looked_at(acme, rival, ada):
    with in_tenant(rival):
        CustomerFactory(tenant=rival)
        LoyaltyAccount.objects.update(points=1)

    assert reconcile(acme)["mismatches"] == []


# --- Command and job --------------------------------------------------------------------------
def test_the_command_says_that_all_is_well(acme, busy, rival):
    out = StringIO()
    call_command("check_ledger", stdout=out)

    assert out.getvalue() == "acme: 2 accounts\nrival: 0 accounts\n"


def test_the_command_fails_where_something_is_wrong(acme, busy):
    account = account_of(busy)
    LoyaltyAccount.objects.filter(pk=account.pk).update(excluded_amount=7)
    out = StringIO()

    with pytest.raises(CommandError):
        call_command("check_ledger", tenant="acme", json=True, stdout=out)

    report = json.loads(out.getvalue())["acme"]
    assert report["frozen"] == 1
    assert report["mismatches"] == [
        {"account": str(account.pk), "what": "excluded_amount", "stored": 7, "computed": 0}
    ]
    LoyaltyAccount.objects.update(excluded_amount=0)
    call_command("check_ledger", tenant="acme", release=str(account.pk), stdout=out)
    assert account_of(busy).frozen_at is None


def test_the_job_is_seen_to_fail_where_something_is_wrong(acme, busy, run_jobs):
    enqueue("loyalty.check_ledger", tenant=acme)
    run_jobs()
    assert Job.objects.get().state == "done"

    LoyaltyAccount.objects.update(excluded_amount=7)
    enqueue("loyalty.check_ledger", tenant=acme)
    run_jobs()

    failed = Job.objects.latest("created_at")
    assert failed.state == "dead"
    assert "2 accounts or sums do not add up" in failed.error
    assert LoyaltyAccount.objects.filter(frozen_at__isnull=False).count() == 2

    LoyaltyAccount.objects.update(excluded_amount=0)
    enqueue("loyalty.check_ledger", tenant=acme)
    run_jobs()
    assert Job.objects.latest("created_at").state == "dead"  # until somebody releases them
    assert timedelta(0) <= LoyaltyAccount.objects.first().frozen_at - failed.created_at
