"""The daily jobs beside everything else: killed for real, racing with spending."""

import signal
import subprocess
import sys
import threading
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from events.models import Event
from loyalty.models import Entry, Lot, LoyaltyAccount
from loyalty.services import add_points, create_level, spend_points, update_level
from loyalty.services.checking import check_accounts
from loyalty.services.expiring import expire_points
from loyalty.services.recalculating import recalculate_levels
from tenancy import clock
from tenancy.scoping import in_tenant
from tests.factories import CustomerFactory, TenantFactory
from tests.loyalty.histories import BEGIN
from tests.loyalty.story import set_programme
from tests.other_process import ROOT, surroundings

pytestmark = pytest.mark.django_db(transaction=True)

KILLED = """
import os, signal, sys
import django
django.setup()
from loyalty.services import expiring, recalculating
from tenancy.models import Tenant
from tenancy.scoping import in_tenant

expiring.CHUNK = 3
module, step, job = sys.argv[1:]
module = {"expiring": expiring, "recalculating": recalculating}[module]
whole, done = getattr(module, step), []

def until_killed(*args, **options):
    answer = whole(*args, **options)
    done.append(answer)
    if len(done) == 3:
        os.kill(os.getpid(), signal.SIGKILL)  # after the writing, before the commit
    return answer

setattr(module, step, until_killed)
with in_tenant(Tenant.objects.get(code="acme")):
    getattr(module, job)()
"""


def run_until_killed(*names):
    """Run a job in a process of its own, three accounts at a time, and kill it in the third."""
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, *names],
        env=surroundings(),
        cwd=ROOT,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()


@pytest.fixture
def shop():
    """A business where points that were earned at BEGIN expire five days later."""
    tenant = TenantFactory(code="acme")
    set_programme(
        tenant,
        tier_by="points",
        downgrade_mode="automatic",
        points_expire="after_x_days",
        points_days=5,
    )
    return tenant


def test_a_run_that_was_killed_in_the_middle_is_ended_by_the_next(shop):
    with in_tenant(shop), clock.frozen(BEGIN):
        for customer in CustomerFactory.create_batch(10, tenant=shop):
            add_points(customer, points=5_00)

    run_until_killed("expiring", "settle_many", "expire_points")

    with in_tenant(shop):
        assert Entry.objects.filter(kind="expire").count() == 6
        assert expire_points()["expired_lots"] == 4
        assert Entry.objects.filter(kind="expire", points=-5_00, seq=2).count() == 10
        assert not Lot.objects.filter(remaining__gt=0).exists()
        assert check_accounts(list(LoyaltyAccount.objects.all())) == []


def test_a_recalculation_that_was_killed_in_the_middle_is_ended_by_the_next(shop):
    with in_tenant(shop), clock.frozen(BEGIN):
        set_programme(shop, downgrade_mode="after_x_days", downgrade_days=30, points_expire="never")
        gold = create_level(name="Gold", threshold=5, reward_percent=5)
        for customer in CustomerFactory.create_batch(10, tenant=shop):
            add_points(customer, points=5_00)
        update_level(gold, threshold=50)

    run_until_killed("recalculating", "move_chunk", "recalculate_levels")

    with in_tenant(shop):
        accounts = LoyaltyAccount.objects.all()
        assert accounts.filter(level=gold).count() == 4
        assert recalculate_levels()["levels_down"] == 4
        assert accounts.filter(level__name="Member", recalculated_at__isnull=False).count() == 10
        # Nobody was told twice, and nobody moves again.
        assert Event.objects.filter(kind="level.changed", data__up=False).count() == 10
        assert recalculate_levels()["accounts"] == 0


def race(shop, n_rounds):
    """Spend and expire at once, at an instant at which a part has expired; what came out."""
    spent, refusals = [], set()
    with in_tenant(shop):
        customers = CustomerFactory.create_batch(4, tenant=shop)
        with clock.frozen(BEGIN):
            for customer in customers:
                add_points(customer, points=n_rounds * 1_00)
        with clock.frozen(BEGIN + timedelta(days=3)):
            for customer in customers:
                add_points(customer, points=n_rounds * 1_00)
    errors, start = [], threading.Barrier(5)

    def deed(work):
        try:
            with in_tenant(shop), clock.frozen(BEGIN + timedelta(days=7)):
                start.wait(timeout=30)
                work()
        except Exception as error:  # the test looks at whatever came out
            errors.append(error)
        finally:
            connection.close()

    def spend(customer):
        for _round in range(n_rounds * 2):
            try:
                spend_points(customer, points=1_00)
                spent.append(customer.pk)
            except ValidationError as refusal:
                refusals.update(error.code for error in refusal.error_dict["points"])

    def expire():
        for _round in range(n_rounds):
            assert expire_points()["failed"] == []

    works = [expire, *(lambda customer=customer: spend(customer) for customer in customers)]
    threads = [threading.Thread(target=deed, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=300)
    assert refusals == {"insufficient_points"}
    return customers, spent, errors


def hold_after_race(shop, n_rounds):
    customers, spent, errors = race(shop, n_rounds)

    assert errors == []
    with in_tenant(shop):
        for customer in customers:
            # What had expired was never spent, what had not was spent to the last point.
            assert spent.count(customer.pk) == n_rounds
        expired = Entry.objects.filter(kind="expire")
        assert expired.count() == 4
        assert set(expired.values_list("points", flat=True)) == {-n_rounds * 1_00}
        assert check_accounts(list(LoyaltyAccount.objects.all())) == []


def test_expiry_racing_with_spending_never_loses_or_doubles_a_point(shop):
    hold_after_race(shop, 5)


@pytest.mark.long
def test_500_rounds_of_expiry_racing_with_spending(shop):
    hold_after_race(shop, 500)


def many_and_one(shop, n_rounds):
    """Jobs and transfers that want the same accounts at once, all over again."""
    with in_tenant(shop):
        customers = CustomerFactory.create_batch(6, tenant=shop)
    errors, start = [], threading.Barrier(3)

    def earn_and_expire():
        for round_ in range(n_rounds):
            at = BEGIN + timedelta(days=7 * round_)
            with clock.frozen(at):
                for customer in customers:
                    add_points(customer, points=1_00)
            with clock.frozen(at + timedelta(days=6, hours=23)):
                assert expire_points()["failed"] == []

    def deed():
        try:
            with in_tenant(shop):
                start.wait(timeout=30)
                earn_and_expire()
        except Exception as error:  # the test looks at whatever came out
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=deed) for _index in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=300)
    return errors


def test_three_jobs_at_once_neither_wait_for_each_other_nor_expire_twice(shop):
    assert many_and_one(shop, 4) == []

    with in_tenant(shop):
        assert check_accounts(list(LoyaltyAccount.objects.all())) == []
        assert not Lot.objects.filter(expired__gt=1_00).exists()
