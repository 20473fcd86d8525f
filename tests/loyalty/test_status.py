"""The status: every number of it, and the sentence."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from loyalty.models import LoyaltyAccount
from loyalty.services import (
    account_of,
    add_points,
    assign_level,
    cancel_entry,
    spend_points,
    transfer_points,
    update_level,
)
from loyalty.status import status_of, statuses_of
from tenancy import clock
from tests.factories import CustomerFactory
from tests.loyalty.story import set_programme

NOON = datetime(2019, 3, 20, 11, tzinfo=UTC)
EXPIRE_30 = {"points_expire": "after_x_days", "points_days": 30}


def bought(customer, *, amount, delivery=0, excluded=0, n=1):
    """Set the counters as purchases would."""
    LoyaltyAccount.objects.filter(customer=customer).update(
        transactions_count=n,
        transactions_amount=amount,
        amount_without_delivery=amount - delivery,
        excluded_amount=excluded,
    )


def test_t69_what_is_added_spent_and_cancelled_shows_in_the_totals(ada, levels):
    added = add_points(ada, points=100_00)
    spend_points(ada, points=30_00)

    status = status_of(ada)
    assert (status.points, status.used_points, status.earned_points) == (70_00, 30_00, 100_00)

    cancel_entry(added)

    status = status_of(ada)
    assert (status.points, status.earned_points) == (0, 0)


def test_c5_the_documented_sample_adds_up(acme, ada, levels):
    """161.9 left, 25 used, 88 expired: 274.9 earned; 33, 116.9 and 12 expire on three days."""
    set_programme(acme, **EXPIRE_30)
    with clock.frozen(NOON - timedelta(days=40)):
        add_points(ada, points=88_00)
    with clock.frozen(NOON - timedelta(days=6)):
        set_programme(acme, points_days=32)
        add_points(ada, points=141_90)
        spend_points(ada, points=25_00)
        set_programme(acme, points_days=30)
    for days, points in ((5, 33_00), (2, 12_00)):
        with clock.frozen(NOON - timedelta(days=days)):
            add_points(ada, points=points)
    with clock.frozen(NOON):
        status = status_of(ada)

    assert status.points == 161_90
    assert (status.used_points, status.expired_points, status.locked_points) == (25_00, 88_00, 0)
    assert status.earned_points == 274_90 == 161_90 + 25_00 + 88_00 + 0
    assert status.expiring == (
        (date(2019, 4, 14), 33_00),
        (date(2019, 4, 15), 116_90),
        (date(2019, 4, 17), 12_00),
    )
    assert sum(points for _day, points in status.expiring) == status.points
    assert status.expiring_next_month == status.points
    assert (status.level.name, status.next_level.name) == ("level0", "level1")


def test_points_that_expire_after_the_next_month_are_not_counted_into_it(acme, ada, levels):
    with clock.frozen(NOON):
        for days, points in ((5, 1_00), (20, 2_00), (60, 4_00), (390, 8_00)):
            set_programme(acme, points_expire="after_x_days", points_days=days)
            add_points(ada, points=points)
        status = status_of(ada)

    assert status.expiring_next_month == 2_00
    assert [day for day, _points in status.expiring] == sorted(
        date(2019, 3, 20) + timedelta(days=days) for days in (5, 20, 60, 390)
    )


def test_next_month_after_december_is_january(acme, ada, levels):
    set_programme(acme, points_expire="after_x_days", points_days=20)
    with clock.frozen(datetime(2019, 12, 20, 11, tzinfo=UTC)):
        add_points(ada, points=1_00)
        assert status_of(ada).expiring_next_month == 1_00


def test_days_of_expiry_are_those_of_the_shop(acme, ada, levels):
    set_programme(acme, points_expire="after_x_days", points_days=1)
    with clock.frozen(datetime(2026, 7, 1, 22, 30, tzinfo=UTC)):  # the second of July in Oslo
        add_points(ada, points=1_00)
        assert status_of(ada).expiring == ((date(2026, 7, 3), 1_00),)


def test_what_is_due_counts_as_done_before_any_job_ran(acme, ada, levels):
    set_programme(acme, points_lock_days=10, **EXPIRE_30)
    with clock.frozen(NOON):
        add_points(ada, points=5_00)
        assert (status_of(ada).points, status_of(ada).locked_points) == (0, 5_00)

    later = status_of(ada, now=NOON + timedelta(days=10))
    assert (later.points, later.locked_points) == (5_00, 0)
    last = status_of(ada, now=NOON + timedelta(days=42))
    assert (last.points, last.expired_points, last.expiring) == (0, 5_00, ())


def test_received_points_count_in_the_balance_and_not_as_earned(ada, grace, levels):
    add_points(ada, points=100_00)
    add_points(grace, points=100_00)

    transfer_points(grace, ada, points=100_00)

    mine, theirs = statuses_of([ada, grace]).values()
    assert (mine.points, mine.received_points, mine.earned_points) == (200_00, 100_00, 100_00)
    assert (theirs.points, theirs.used_points, theirs.earned_points) == (0, 100_00, 100_00)


def test_t66_two_sales_of_one_and_two(acme, ada, levels):
    bought(ada, amount=3_00, n=2)

    status = status_of(ada)

    assert (status.transactions_count, status.transactions_amount) == (2, 3_00)
    assert f"{status.average_amount / 100:.2f}" == "1.50"
    assert status.amount_to_next == 17_00
    assert status.amount_to_next_without_delivery is None
    assert status.points_to_next is None


def test_without_a_purchase_the_average_is_nothing(ada, levels):
    assert status_of(ada).average_amount == Decimal(0)


def test_with_delivery_left_out_the_other_distance_is_told(acme, ada, levels):
    set_programme(acme, exclude_delivery=True)
    bought(ada, amount=15_00, delivery=5_00, excluded=1_00)

    status = status_of(ada)

    assert status.amount_to_next is None
    assert status.amount_to_next_without_delivery == 11_00
    assert status.counted == 9_00


def test_t71_what_a_timed_level_tells(acme, ada, levels):
    set_programme(
        acme,
        tier_by="points",
        downgrade_mode="after_x_days",
        downgrade_days=365,
        downgrade_base="earned_points",
    )
    opened = account_of(ada).created_at
    with clock.frozen(opened + timedelta(days=10, hours=1)):
        add_points(ada, points=250_50)
        spend_points(ada, points=249_00)
        status = status_of(ada)

    assert status.level.name == "level2"
    assert status.level_expires_in_days == 355
    assert status.points_since_recalculation == 250_50
    assert status.points_to_retain == 0
    assert status.points_to_next == 999_00 - 1_00  # whole points count, by contract
    assert status.looked_at_again == opened + timedelta(days=365)


def test_t71_in_transactions_mode_none_of_the_four_exists(ada, levels):
    status = status_of(ada)

    assert status.level_expires_in_days is None
    assert status.points_since_recalculation is None
    assert status.points_to_retain is None
    assert status.points_to_next is None


def test_what_must_still_be_earned_to_keep_a_level(acme, ada, levels):
    set_programme(
        acme,
        tier_by="points",
        downgrade_mode="after_x_days",
        downgrade_days=30,
        downgrade_base="earned_points",
    )
    with clock.frozen(NOON):
        add_points(ada, points=210_00)
        assign_level(ada, levels["level2"])
    LoyaltyAccount.objects.filter(customer=ada).update(recalculated_at=NOON)
    with clock.frozen(NOON + timedelta(days=1)):
        add_points(ada, points=50_00)
        status = status_of(ada)

    assert status.points_since_recalculation == 50_00
    assert status.points_to_retain == 150_00
    assert status.level_expires_in_days == 29
    late = status_of(ada, now=NOON + timedelta(days=90))
    assert late.level_expires_in_days == 0


def test_at_the_top_there_is_no_next_level(acme, ada, levels):
    bought(ada, amount=5_000_00)
    assign_level(ada, levels["level3"])

    status = status_of(ada)

    assert (status.next_level, status.next_threshold, status.missing) == (None, 0, None)
    assert status.amount_to_next is None


def test_a_customer_without_an_account_has_a_status_of_nothing(acme, ada, levels):
    LoyaltyAccount.objects.filter(customer=ada).delete()

    status = status_of(ada)

    assert (status.account_id, status.points, status.level, status.level_threshold) == (
        None,
        0,
        None,
        0,
    )
    assert status.sentences() == "On no level, with purchases of NOK 0. level1 needs NOK 20 more."


def test_a_page_of_statuses_costs_what_one_costs(acme, levels, django_assert_num_queries):
    customers = CustomerFactory.create_batch(12, tenant=acme)
    for customer in customers:
        add_points(customer, points=5_00)

    with django_assert_num_queries(4):
        status_of(customers[0])
    with django_assert_num_queries(4):
        assert [status.points for status in statuses_of(customers).values()] == [5_00] * 12


@pytest.mark.parametrize(
    ("language", "text"),
    [
        (
            "en",
            "level1 since 20 March 2019 because of purchases of NOK 150.50; it begins at NOK 20. "
            "level2 needs NOK 49.50 more.",
        ),
        (
            "nb",
            "Sølv siden 20. mars 2019 på grunn av kjøp for 150,50 kr; nivået begynner på 20 kr. "
            "level2 krever 49,50 kr til.",
        ),
        (
            "pl",
            "level1 since 20 March 2019 because of purchases of NOK 150.50; it begins at NOK 20. "
            "level2 needs NOK 49.50 more.",
        ),
    ],
)
def test_the_sentence_says_why_and_what_is_missing(ada, levels, language, text):
    update_level(levels["level1"], translations={"nb": {"name": "Sølv"}})
    bought(ada, amount=150_50)
    LoyaltyAccount.objects.filter(customer=ada).update(level=levels["level1"], level_since=NOON)

    assert status_of(ada).sentences(language).replace("\xa0", " ") == text


def test_the_sentence_of_points_says_when_the_level_is_looked_at_again(acme, ada, levels):
    set_programme(
        acme,
        tier_by="points",
        downgrade_mode="after_x_days",
        downgrade_days=365,
        downgrade_base="active_points",
    )
    LoyaltyAccount.objects.filter(customer=ada).update(created_at=NOON)
    with clock.frozen(NOON):
        add_points(ada, points=1240_00)
        assert status_of(ada).sentences() == (
            "level3 since 20 March 2019 because of 1,240 points; it begins at 999 points. "
            "There is no higher level; looked at again on 19 March 2020."
        )
        spend_points(ada, points=1239_00)
        assert status_of(ada).sentences() == (
            "level3 since 20 March 2019, kept with 1 point although it begins at 999 points. There "
            "is no higher level; looked at again on 19 March 2020, then level0 unless more is "
            "collected."
        )


def test_the_sentence_tells_of_points_earned_and_of_an_assigned_level(acme, ada, levels):
    set_programme(acme, tier_by="points", downgrade_base="earned_points")
    LoyaltyAccount.objects.filter(customer=ada).update(created_at=NOON - timedelta(days=9))
    with clock.frozen(NOON):
        add_points(ada, points=20_50)
        assert status_of(ada).sentences() == (
            "level1 since 20 March 2019 because of 20.5 points earned since 11 March 2019; it "
            "begins at 20 points. level2 needs 179.5 points more."
        )
        assign_level(ada, levels["level2"])
        assert status_of(ada).sentences() == (
            "level2 since 20 March 2019, assigned by hand. level3 needs 978.5 points more."
        )
        assert status_of(ada).sentences("nb").startswith("level2 siden 20. mars 2019, tildelt")


def test_a_newcomer_is_where_everybody_starts(ada, levels):
    assert "where everybody starts. level1 needs NOK 20 more." in status_of(ada).sentences()
