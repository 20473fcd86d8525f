"""Counters hold under parallel tries: exactly as many pass as the limit says."""

import threading
from datetime import timedelta

import pytest
from django.db import connection

from customers.services import WrongCode, activate_by_code, codes
from tenancy.clock import frozen, now
from tenancy.models import RateCounter
from tenancy.scoping import in_tenant
from tenancy.services.counting import TooManyTries, count_or_refuse, delete_old_counters, give_back
from tests.factories import TenantFactory

THREADS, EACH = 8, 25


def in_parallel(work):
    """Run `work(thread number)` in threads that start together."""
    start, errors = threading.Barrier(THREADS), []

    def run(number):
        try:
            start.wait(timeout=20)
            work(number)
        except Exception as error:  # told to the test, which would not hear of it otherwise
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert errors == []


def count_passes(count):
    """How many of 200 parallel tries pass."""
    passed = []

    def work(number):
        for _ in range(EACH):
            try:
                count("rule", "somebody", limit=10, seconds=60)
            except TooManyTries:
                continue
            passed.append(number)

    in_parallel(work)
    return len(passed)


@pytest.mark.django_db(transaction=True)
def test_of_200_tries_at_once_exactly_the_limit_passes():
    assert count_passes(count_or_refuse) == 10


@pytest.mark.django_db(transaction=True)
def test_looking_first_and_counting_then_lets_more_through():
    all_have_looked = threading.Barrier(THREADS)
    RateCounter.objects.create(key="naive", count=9, expires_at=now() + timedelta(minutes=1))
    looked = threading.local()

    def look_then_count(rule, subject, *, limit, seconds):
        seen = RateCounter.objects.get(key="naive").count
        if not getattr(looked, "once", False):
            looked.once = True
            all_have_looked.wait(timeout=20)
        if seen >= limit:
            raise TooManyTries(seconds)
        RateCounter.objects.filter(key="naive").update(count=seen + 1)

    assert count_passes(look_then_count) > 1


@pytest.mark.django_db(transaction=True)
def test_of_200_codes_guessed_at_once_without_a_name_ten_are_compared(monkeypatch):
    tenant = TenantFactory()
    compared, real = [], codes._digest

    def spy(*args, **options):
        compared.append(args)
        return real(*args, **options)

    monkeypatch.setattr(codes, "_digest", spy)
    outcomes = []

    def guess(number):
        with in_tenant(tenant):
            for n in range(EACH):
                try:
                    activate_by_code(f"{number}{n:05d}", address="192.0.2.1")
                except (WrongCode, TooManyTries) as error:
                    outcomes.append(type(error))

    in_parallel(guess)

    assert len(compared) == 10
    assert (outcomes.count(WrongCode), outcomes.count(TooManyTries)) == (10, 190)


@pytest.mark.django_db(transaction=True)
def test_guesses_from_many_addresses_end_at_the_tenants_cap(monkeypatch):
    monkeypatch.setattr(codes, "GUESSES_PER_TENANT_AND_DAY", 40)
    tenant, outcomes = TenantFactory(), []

    def guess(number):
        with in_tenant(tenant):
            for n in range(EACH):
                try:
                    activate_by_code("123456", address=f"192.0.{number}.{n}")
                except (WrongCode, TooManyTries) as error:
                    outcomes.append(type(error))

    in_parallel(guess)

    assert outcomes.count(WrongCode) == 40


@pytest.mark.django_db
class TestWindows:
    def test_a_window_ends_and_the_count_starts_afresh(self):
        for _ in range(3):
            count_or_refuse("rule", "a", limit=3, seconds=60)
        with pytest.raises(TooManyTries) as refusal:
            count_or_refuse("rule", "a", limit=3, seconds=60)

        assert 0 < refusal.value.retry_after <= 60
        with frozen(now() + timedelta(seconds=61)):
            count_or_refuse("rule", "a", limit=3, seconds=60)

    def test_subjects_and_rules_are_counted_apart(self):
        for rule, subject in (("one", "a"), ("one", "b"), ("two", "a")):
            count_or_refuse(rule, subject, limit=1, seconds=60)

        assert RateCounter.objects.count() == 3

    def test_whom_it_counts_does_not_stand_in_the_table(self):
        count_or_refuse("rule", "ada@example.org", limit=1, seconds=60)

        assert "ada" not in RateCounter.objects.get().key

    def test_a_try_that_was_right_can_be_given_back(self):
        for _ in range(5):
            count_or_refuse("rule", "a", limit=1, seconds=60)
            give_back("rule", "a")

    def test_old_counters_are_cleared_away(self):
        count_or_refuse("rule", "a", limit=1, seconds=60)

        with frozen(now() + timedelta(minutes=2)):
            assert delete_old_counters() == 1
