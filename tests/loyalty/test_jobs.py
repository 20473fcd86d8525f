"""The daily jobs: what is due is written down as if every account had been opened, once."""

import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events.jobs import enqueue
from events.models import Event, Job
from loyalty.models import Entry, Lot, LoyaltyAccount
from loyalty.programme import AFTER_X_DAYS, programme_of
from loyalty.services import (
    account_of,
    add_points,
    assign_level,
    expiring,
    open_account,
    reached_level,
    recalculating,
    spend_points,
    update_level,
)
from loyalty.services.checking import check_accounts
from loyalty.services.expiring import expire_points, unlock_points
from loyalty.services.moving import counted_amount, move, target_level
from loyalty.services.recalculating import recalculate_levels
from loyalty.status import status_of
from tenancy import clock
from tests.factories import CustomerFactory
from tests.loyalty.histories import BEGIN, PROGRAMMES, histories, play, undone, world
from tests.loyalty.story import adds_up, set_programme

TIMED = {
    "tier_by": "points",
    "downgrade_mode": "after_x_days",
    "downgrade_days": 30,
    "downgrade_base": "active_points",
}
EXPIRE_5 = {"points_expire": "after_x_days", "points_days": 5}
MANY = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def open_each(customers):
    """One account after the other, as the next purchase would."""
    for customer in customers:
        with open_account(customer):
            pass


def changed(before, after):
    """What the second world has that the first has not, by part."""
    return {name: [row for row in rows if row not in before[name]] for name, rows in after.items()}


# --- Expiry and unlocking ----------------------------------------------------------------------
@MANY
@given(history=histories(), programme=PROGRAMMES, days=st.integers(0, 40))
def test_the_job_does_what_opening_every_account_does(
    acme, ada, grace, levels, history, programme, days
):
    with undone():
        set_programme(acme, **programme)
        end = play(history, [ada, grace], levels) + timedelta(days=days)
        with clock.frozen(end):
            with undone():
                due = LoyaltyAccount.objects.due(end)
                open_each([account.customer for account in due.select_related("customer")])
                expected = world()
            foretold = expire_points(dry_run=True)
            before = world()
            report = expire_points()
            done = world()
            again = expire_points()

            assert done == expected
            assert foretold | {"dry_run": False} == report
            assert world() == done
            assert again["accounts"] == 0
            assert changed(before, done)["entries"] == [
                row
                for row in done["entries"]
                if row["created_at"] == end and row not in before["entries"]
            ]
        assert check_accounts(list(LoyaltyAccount.objects.all())) == []


def test_points_expire_and_locks_end_in_the_order_of_what_happened(acme, ada, grace, levels):
    set_programme(acme, points_lock_days=2, **EXPIRE_5)
    with clock.frozen(BEGIN):
        add_points(ada, points=30_00)
    with clock.frozen(BEGIN + timedelta(days=3)):
        add_points(ada, points=5_00)
        add_points(grace, points=7_00)

    with clock.frozen(BEGIN + timedelta(days=9)):
        report = expire_points()

    assert report == {
        "accounts": 2,
        "unlocked_lots": 2,
        "unlocked_points": "12",
        "expired_lots": 1,
        "expired_points": "30",
        "levels_up": 0,
        "levels_down": 0,
        "failed": [],
        "dry_run": False,
    }
    entries = Entry.objects.filter(account=account_of(ada)).order_by("seq")
    assert [(e.kind, e.points, e.locked_points, e.points_after) for e in entries] == [
        ("earn", 0, 30_00, 0),
        ("unlock", 30_00, -30_00, 30_00),
        ("earn", 0, 5_00, 30_00),
        ("unlock", 5_00, -5_00, 35_00),
        ("expire", -30_00, 0, 5_00),
    ]
    assert adds_up(account_of(ada))
    assert Event.objects.filter(kind="points.changed", subject_id=ada.pk).count() == 2


def test_unlocking_alone_leaves_accounts_without_an_ended_lock(acme, ada, grace, levels):
    with clock.frozen(BEGIN):
        set_programme(acme, **EXPIRE_5)
        add_points(ada, points=1_00)
        set_programme(acme, points_lock_days=2)
        add_points(grace, points=2_00)

    with clock.frozen(BEGIN + timedelta(days=6)):
        report = unlock_points()
        assert (report["accounts"], report["unlocked_points"]) == (1, "2")
        assert account_of(grace).points == 2_00
        assert (account_of(ada).points, account_of(ada).n_entries) == (1_00, 1)
        assert unlock_points()["accounts"] == 0


def test_a_lot_that_expired_under_its_lock_is_never_unlocked(acme, ada, levels):
    set_programme(acme, points_lock_days=2, **EXPIRE_5)
    with clock.frozen(BEGIN):
        add_points(ada, points=1_00)
    Lot.objects.update(expires_at=BEGIN + timedelta(days=1))
    LoyaltyAccount.objects.filter(customer=ada).update(next_due_at=BEGIN + timedelta(days=1))

    with clock.frozen(BEGIN + timedelta(days=3)):
        with undone():
            open_each([ada])
            expected = world()
        expire_points()

    assert world() == expected
    assert [entry.kind for entry in Entry.objects.order_by("seq")] == ["earn", "expire"]


def test_expired_points_take_the_level_along_where_levels_go_down(acme, ada, levels):
    set_programme(acme, tier_by="points", downgrade_mode="automatic", **EXPIRE_5)
    with clock.frozen(BEGIN):
        add_points(ada, points=250_00)
        assert account_of(ada).level == levels["level2"]

    with clock.frozen(BEGIN + timedelta(days=7)):
        report = expire_points()

    assert report["levels_down"] == 1
    assert account_of(ada).level == levels["level0"]


def test_the_accounts_of_deleted_customers_are_settled_in_silence(acme, ada, levels):
    set_programme(acme, tier_by="points", downgrade_mode="automatic", **EXPIRE_5)
    with clock.frozen(BEGIN):
        add_points(ada, points=250_00)
    LoyaltyAccount.objects.filter(customer=ada).update(customer=None)
    n_events = Event.objects.count()

    with clock.frozen(BEGIN + timedelta(days=7)):
        assert expire_points(dry_run=True)["levels_down"] == 0
        assert expire_points()["expired_points"] == "250"

    assert Event.objects.count() == n_events
    assert adds_up(LoyaltyAccount.objects.get(customer=None))


def test_frozen_accounts_are_left_alone(acme, ada, levels):
    set_programme(acme, **EXPIRE_5)
    with clock.frozen(BEGIN):
        add_points(ada, points=1_00)
    LoyaltyAccount.objects.update(frozen_at=BEGIN)

    with clock.frozen(BEGIN + timedelta(days=7)):
        assert expire_points()["accounts"] == 0


def test_an_account_that_contradicts_itself_does_not_hold_up_the_others(acme, levels, monkeypatch):
    monkeypatch.setattr(expiring, "CHUNK", 4)
    set_programme(acme, **EXPIRE_5)
    customers = CustomerFactory.create_batch(7, tenant=acme)
    with clock.frozen(BEGIN):
        for customer in customers:
            add_points(customer, points=10_00)
    wrong = account_of(customers[3])
    LoyaltyAccount.objects.filter(pk=wrong.pk).update(points=1_00)

    with clock.frozen(BEGIN + timedelta(days=7)):
        report = expire_points()
        assert report["failed"] == [str(wrong.pk)]
        assert (report["accounts"], report["expired_points"]) == (6, "60")
        with pytest.raises(CommandError, match="1 accounts"):
            call_command("expire_points")


class Killed(BaseException):
    """What no code of ours catches."""


def test_a_run_that_was_cut_off_goes_on_to_the_same_end(acme, levels, monkeypatch):
    set_programme(
        acme, points_lock_days=2, tier_by="points", downgrade_mode="automatic", **EXPIRE_5
    )
    with clock.frozen(BEGIN):
        for place, customer in enumerate(CustomerFactory.create_batch(9, tenant=acme)):
            add_points(customer, points=10_00 * (place + 1))
    monkeypatch.setattr(expiring, "CHUNK", 2)
    written = expiring.settle_many

    with clock.frozen(BEGIN + timedelta(days=3)):
        with undone():
            expire_points()
            undisturbed = world()
        for survived in (1, 2):
            calls = []

            def interrupted(accounts, now, calls=calls, survived=survived):
                news = written(accounts, now)
                calls.append(1)
                if len(calls) > survived:
                    raise Killed  # after the writing, before the commit
                return news

            monkeypatch.setattr(expiring, "settle_many", interrupted)
            with pytest.raises(Killed):
                expire_points()
            monkeypatch.setattr(expiring, "settle_many", written)
        assert LoyaltyAccount.objects.due(clock.now()).count() == 9 - 2 * 3
        expire_points()

    assert world() == undisturbed


def test_a_recalculation_that_was_cut_off_goes_on_to_the_same_end(acme, levels, monkeypatch):
    set_programme(acme, **TIMED, reset_points_on_downgrade=True)
    with clock.frozen(BEGIN):
        for place, customer in enumerate(CustomerFactory.create_batch(9, tenant=acme)):
            add_points(customer, points=60_00 * (place + 1))
            spend_points(customer, points=45_00 * (place + 1))
    monkeypatch.setattr(expiring, "CHUNK", 2)
    whole = recalculating.move_chunk

    def interrupted(*args, **options):
        counts = whole(*args, **options)
        chunks.append(counts)
        if len(chunks) == 3:
            raise Killed  # after the writing, before the commit
        return counts

    with clock.frozen(BEGIN + timedelta(days=31)):
        with undone():
            report = recalculate_levels()
            undisturbed = world()
        chunks = []
        monkeypatch.setattr(recalculating, "move_chunk", interrupted)
        with pytest.raises(Killed):
            recalculate_levels()
        monkeypatch.setattr(recalculating, "move_chunk", whole)
        assert recalculate_levels()["accounts"] == report["accounts"] - 4

    assert report["levels_down"] > 4
    assert world() == undisturbed


# --- Recalculation -----------------------------------------------------------------------------
def look_again_one_by_one(customers, programme):
    """What contracts say of the daily look, account by account."""
    for customer in customers:
        with open_account(customer) as change:
            account = change.account
            level, moves = target_level(
                current=account.level,
                manual=account.manual_level,
                calculated=reached_level(change.levels, counted_amount(change)),
            )
            if moves:
                move(change, level)
            account.recalculated_at = change.instant
            if programme.reset_points_on_downgrade and programme.downgrade_base == "active_points":
                for lot in sorted(change.lots, key=lambda lot: str(lot.pk)):
                    if lot.remaining:
                        left, locked = lot.remaining, lot.locked
                        change.enter(
                            "expire",
                            points=0 if locked else -left,
                            locked=-left if locked else 0,
                            source=("reset", f"{lot.pk}:{change.instant.isoformat()}"),
                        )
                        change.change_lot(
                            lot, remaining=0, expired=lot.expired + left, locked=False
                        )
            change.look_at_level = False


@MANY
@given(history=histories(), programme=PROGRAMMES, days=st.integers(0, 40))
def test_the_recalculation_does_what_looking_at_each_account_does(
    acme, ada, grace, levels, history, programme, days
):
    with undone():
        set_programme(acme, **programme | {"tier_by": "points", "downgrade_mode": AFTER_X_DAYS})
        LoyaltyAccount.objects.update(created_at=BEGIN)
        end = play(history, [ada, grace], levels) + timedelta(days=days)
        with clock.frozen(end):
            limit = end - timedelta(days=acme.setting("downgrade_days"))
            with undone():
                due = [
                    account.customer
                    for account in LoyaltyAccount.objects.select_related("customer")
                    if (account.recalculated_at or account.created_at) <= limit
                ]
                look_again_one_by_one(due, programme_of(acme))
                expected = world()
            foretold = recalculate_levels(dry_run=True)
            report = recalculate_levels()
            done = world()

            assert done == expected
            assert foretold | {"dry_run": False} == report
            assert report["accounts"] == len(due)
            recalculate_levels()
            assert world() == done
        assert check_accounts(list(LoyaltyAccount.objects.all())) == []


def test_a_level_is_kept_until_its_time_has_come(acme, ada, levels):
    set_programme(acme, **TIMED)
    LoyaltyAccount.objects.update(created_at=BEGIN)
    with clock.frozen(BEGIN):
        add_points(ada, points=250_00)
        spend_points(ada, points=245_00)

    with clock.frozen(BEGIN + timedelta(days=30, seconds=-1)):
        assert recalculate_levels()["accounts"] == 0
    with clock.frozen(BEGIN + timedelta(days=30)):
        report = recalculate_levels()
    assert (report["accounts"], report["levels_down"]) == (1, 1)
    account = account_of(ada)
    assert (account.level, account.points) == (levels["level0"], 5_00)
    assert account.recalculated_at == BEGIN + timedelta(days=30)

    with clock.frozen(BEGIN + timedelta(days=59)):
        assert recalculate_levels()["accounts"] == 0
    with clock.frozen(BEGIN + timedelta(days=60)):
        assert recalculate_levels()["accounts"] == 1


def test_an_assigned_level_is_the_lowest_to_which_the_recalculation_goes(acme, ada, levels):
    set_programme(acme, **TIMED)
    LoyaltyAccount.objects.update(created_at=BEGIN)
    assign_level(ada, levels["level2"])

    with clock.frozen(BEGIN + timedelta(days=30)):
        report = recalculate_levels()

    assert (report["accounts"], report["levels_down"]) == (1, 0)
    assert account_of(ada).manual_level == levels["level2"]


def test_where_points_are_reset_active_and_locked_ones_expire(acme, ada, levels):
    set_programme(acme, reset_points_on_downgrade=True, **TIMED)
    LoyaltyAccount.objects.update(created_at=BEGIN)
    with clock.frozen(BEGIN):
        add_points(ada, points=25_00)
        set_programme(acme, points_lock_days=90)
        add_points(ada, points=7_00)

    with clock.frozen(BEGIN + timedelta(days=30)):
        report = recalculate_levels()

    assert (report["expired_points"], report["expired_lots"]) == ("32", 2)
    account = account_of(ada)
    assert (account.points, account.locked_points) == (0, 0)
    assert account.level == levels["level1"]  # looked at before the points went
    assert adds_up(account)


@pytest.mark.parametrize("programme", [{}, {"tier_by": "points", "downgrade_mode": "automatic"}])
def test_other_programmes_have_no_time_to_come(acme, ada, levels, programme):
    set_programme(acme, downgrade_days=1, **programme)
    LoyaltyAccount.objects.update(created_at=BEGIN)

    assert recalculate_levels()["accounts"] == 0


@MANY
@given(
    history=histories(),
    programme=PROGRAMMES,
    other=PROGRAMMES,
    amounts=st.tuples(st.integers(0, 1_100_00), st.integers(0, 1_100_00)),
)
def test_everybody_stands_then_where_the_next_look_would_put_them(
    acme, ada, grace, levels, history, programme, other, amounts
):
    with undone():
        set_programme(acme, **programme)
        end = play(history, [ada, grace], levels)
        for customer, amount in zip((ada, grace), amounts, strict=True):
            LoyaltyAccount.objects.filter(customer=customer).update(
                transactions_amount=amount, amount_without_delivery=amount // 2
            )
        other["downgrade_mode"] = "automatic" if other["downgrade_mode"] != "none" else "none"
        set_programme(acme, **other)
        with clock.frozen(end + timedelta(days=3)):
            with undone():
                for customer in (ada, grace):
                    with open_account(customer) as change:
                        change.look_at_level = True
                expected = {row["pk"]: row["level"] for row in world()["accounts"]}
            foretold = recalculate_levels(everybody=True, dry_run=True)
            report = recalculate_levels(everybody=True)
            done = world()

            assert {row["pk"]: row["level"] for row in done["accounts"]} == expected
            assert foretold | {"dry_run": False} == report
            recalculate_levels(everybody=True)
            assert world() == done


@pytest.mark.parametrize("exclude_delivery", [False, True])
def test_more_excluded_than_bought_is_nothing_to_everybody_who_looks(
    acme, ada, levels, sell, take_back, exclude_delivery
):
    set_programme(acme, exclude_delivery=exclude_delivery)
    sell(ada, "S1", 100_00, excluded_amount=60_00)
    take_back(ada, "R1", 90_00, "S1")
    assert account_of(ada).level == levels["level0"]

    assert recalculate_levels(everybody=True, dry_run=True)["levels_down"] == 0
    assert recalculate_levels(everybody=True)["accounts"] == 0

    assert account_of(ada).level == levels["level0"]
    assert status_of(ada).counted == 0
    assert status_of(ada).missing == 20_00


def test_after_a_threshold_was_changed_everybody_can_be_looked_at(acme, ada, grace, levels):
    LoyaltyAccount.objects.filter(customer=ada).update(transactions_amount=150_00)

    update_level(levels["level2"], threshold=150)
    assert account_of(ada).level == levels["level0"]
    report = recalculate_levels(everybody=True)

    assert (report["accounts"], report["levels_up"]) == (1, 1)
    assert account_of(ada).level == levels["level2"]
    assert account_of(grace).level == levels["level0"]


@pytest.mark.parametrize(("currency", "enough"), [("JPY", 200), ("BHD", 200_000), ("NOK", 200_00)])
def test_thresholds_are_in_units_of_any_currency(acme, ada, levels, currency, enough):
    type(acme).objects.filter(pk=acme.pk).update(currency=currency)
    acme.refresh_from_db()
    for amount, level in ((enough - 1, "level1"), (enough, "level2")):
        LoyaltyAccount.objects.filter(customer=ada).update(transactions_amount=amount)
        recalculate_levels(everybody=True)
        assert account_of(ada).level == levels[level]


# --- By the clock and by hand ------------------------------------------------------------------
def test_the_worker_runs_all_three(acme, ada, levels, run_jobs):
    set_programme(acme, points_lock_days=1, reset_points_on_downgrade=True, **TIMED)
    LoyaltyAccount.objects.update(created_at=BEGIN)
    with clock.frozen(BEGIN):
        add_points(ada, points=25_00)

    with clock.frozen(BEGIN + timedelta(days=31)):
        for name in ("unlock_points", "expire_points", "recalculate_levels"):
            enqueue(f"loyalty.{name}", tenant=acme)
        run_jobs()

    kinds = Entry.objects.order_by("seq").values_list("kind", flat=True)
    assert list(kinds) == ["earn", "unlock", "expire"]
    assert set(Job.objects.values_list("state", flat=True)) == {"done"}


def test_a_contradiction_ends_the_job_as_failed(acme, ada, levels, run_jobs):
    set_programme(acme, **EXPIRE_5)
    with clock.frozen(BEGIN):
        add_points(ada, points=25_00)
    LoyaltyAccount.objects.update(points=1_00)

    with clock.frozen(BEGIN + timedelta(days=31)):
        enqueue("loyalty.expire_points", tenant=acme)
        run_jobs()

    assert Job.objects.get().state == "dead"


@pytest.mark.parametrize("command", ["expire_points", "unlock_points", "recalculate_levels"])
def test_a_command_tells_what_it_did_by_tenant(acme, rival, ada, levels, capsys, command):
    set_programme(acme, points_lock_days=1, reset_points_on_downgrade=True, **TIMED)
    LoyaltyAccount.objects.update(created_at=BEGIN)
    with clock.frozen(BEGIN):
        add_points(ada, points=25_00)

    with clock.frozen(BEGIN + timedelta(days=31)):
        call_command(command, "--dry-run", "--json", "--tenant", "ACME")
        foretold = json.loads(capsys.readouterr().out)
        assert account_of(ada).n_entries == 1
        call_command(command, "--json")
        done = json.loads(capsys.readouterr().out)
        call_command(command)

    assert set(done) == {"acme", "rival"}
    assert done["acme"] == foretold["acme"] | {"dry_run": False}
    assert done["acme"]["accounts"] == 1
    assert "acme: nothing to do\n" in capsys.readouterr().out
    assert done["rival"]["accounts"] == 0


def test_all_looks_at_everybody(acme, ada, levels, capsys):
    LoyaltyAccount.objects.update(transactions_amount=20_00)

    call_command("recalculate_levels", "--all", "--tenant", "acme")

    assert capsys.readouterr().out == "acme: 1 accounts; levels: 1 up, 0 down\n"
    assert account_of(ada).level == levels["level1"]
