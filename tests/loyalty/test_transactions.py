"""Sales and returns: the counters are exact in every order, and a message counts once."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.services import CustomerGone, deactivate_customer, update_customer
from events.models import Event
from loyalty.models import LoyaltyAccount, Transaction, TransactionLine
from loyalty.services import (
    account_of,
    join_transactions,
    opening_accounts,
    part_transactions,
    record_transaction,
)
from loyalty.services.counting import COUNTERS, replay
from tenancy import clock
from tenancy.scoping import in_tenant
from tenancy.services import update_tenant
from tests.factories import CustomerFactory, StoreFactory
from tests.loyalty.story import NOON

DAY = timedelta(days=1)


def counted(customer):
    account = account_of(customer)
    return account.transactions_amount, account.transactions_count


def holds(account):
    """Whether the stored counters are what the transactions add up to."""
    account.refresh_from_db()
    replayed = replay(list(Transaction.objects.filter(account=account)))
    return all(getattr(account, name) == getattr(replayed, name) for name in COUNTERS)


def refusal_of(deed, *args, **fields):
    with pytest.raises(ValidationError) as refusal:
        deed(*args, **fields)
    return {name: errors[0].code for name, errors in refusal.value.error_dict.items()}


# --- The worked cases -------------------------------------------------------------------------
def test_c6_three_sales_of_nine_with_returns_of_nine_three_and_nine_leave_six_and_one(
    ada, sell, take_back
):
    for number in ("S1", "S2", "S3"):
        sell(ada, number, 9_00)
    take_back(ada, "R1", -9_00, "S1")
    take_back(ada, "R2", -3_00, "S2")
    take_back(ada, "R3", -9_00, "S3")

    assert counted(ada) == (6_00, 1)
    assert holds(account_of(ada))


def test_c6_a_sale_of_nine_returned_by_three_and_six_leaves_nothing(ada, sell, take_back):
    sell(ada, "S1", 9_00)
    take_back(ada, "R1", 3_00, "S1")
    take_back(ada, "R2", 6_00, "S1")

    assert counted(ada) == (0, 0)


def test_c6_a_sale_of_nine_returned_by_three_six_and_six_never_goes_below_zero(
    ada, sell, take_back
):
    sell(ada, "S1", 9_00)
    for number, amount in (("R1", 3_00), ("R2", 6_00), ("R3", 6_00)):
        take_back(ada, number, amount, "S1")

    assert counted(ada) == (0, 0)
    assert holds(account_of(ada))


def test_t66_two_sales_of_one_and_two_make_two_for_three(ada, sell):
    sell(ada, "S1", 1_00)
    sell(ada, "S2", 2_00)

    assert counted(ada) == (3_00, 2)


def test_t67_a_sale_of_25_lifts_to_level1_and_its_return_takes_it_back(
    ada, levels, sell, take_back
):
    sell(ada, "S1", 25_00)
    assert account_of(ada).level.name == "level1"

    take_back(ada, "R1", 25_00, "S1")

    assert account_of(ada).level.name == "level0"
    assert counted(ada) == (0, 0)


def test_the_sum_is_floored_at_each_step_not_at_the_end(ada, sell, take_back):
    sell(ada, "S1", 9_00)
    take_back(ada, "R1", 9_00, "S1")
    take_back(ada, "R2", 9_00, "S1")
    sell(ada, "S2", 9_00)

    assert counted(ada) == (9_00, 1)
    assert holds(account_of(ada))


# --- Delivery, excluded amounts, dates ---------------------------------------------------------
def test_delivery_and_excluded_amounts_are_counted_and_taken_back(ada, sell, take_back):
    sell(ada, "S1", 100_00, delivery_amount=10_00, excluded_amount=30_00)
    sell(ada, "S2", 50_00, delivery_amount=5_00)
    take_back(ada, "R1", 40_00, "S1", delivery_amount=10_00, excluded_amount=30_00)

    account = account_of(ada)
    assert account.transactions_amount == 110_00
    assert account.amount_without_delivery == 105_00
    assert account.excluded_amount == 0


def test_what_is_excluded_moves_no_level(ada, levels, sell):
    sell(ada, "S1", 25_00, excluded_amount=10_00)

    assert account_of(ada).level.name == "level0"


def test_a_return_that_forgets_what_was_excluded_leaves_the_start_level(
    ada, levels, sell, take_back
):
    sell(ada, "S1", 25_00, excluded_amount=10_00)
    take_back(ada, "R1", 25_00, "S1")

    assert account_of(ada).level.name == "level0"


def test_delivery_counts_for_the_level_unless_the_programme_leaves_it_out(acme, ada, levels, sell):
    sell(ada, "S1", 25_00, delivery_amount=10_00)
    assert account_of(ada).level.name == "level1"

    update_tenant(acme, settings={"exclude_delivery": True})
    sell(ada, "S2", 1_00)

    assert account_of(ada).level.name == "level0"


def test_first_and_last_purchase_come_from_the_documents_in_whatever_order(ada, sell):
    sell(ada, "S2", 1_00, purchased_at=NOON)
    sell(ada, "S3", 1_00, purchased_at=NOON + DAY / 2)
    sell(ada, "S1", 1_00, purchased_at=NOON - DAY)

    account = account_of(ada)
    assert account.first_purchase_at == NOON - DAY
    assert account.last_purchase_at == NOON + DAY / 2


def test_local_time_is_the_shops(ada, sell):
    transaction, _created = sell(ada, "S1", 1_00, purchased_at="2026-03-10 13:00")

    assert transaction.purchased_at == NOON


# --- Order ------------------------------------------------------------------------------------
def test_a_return_before_its_sale_waits_for_it(ada, sell, take_back):
    back, _created = take_back(ada, "R1", 4_00, "S1")
    assert counted(ada) == (0, 0)
    assert back.applied_seq is None

    sell(ada, "S1", 9_00)

    back.refresh_from_db()
    assert counted(ada) == (5_00, 1)
    assert back.applied_seq == 2
    assert holds(account_of(ada))


def test_a_return_whose_sale_never_comes_counts_for_nothing(ada, sell, take_back):
    sell(ada, "S1", 9_00)
    take_back(ada, "R1", 9_00, "S-unknown")
    take_back(ada, "R2", 9_00, "")

    assert counted(ada) == (9_00, 1)
    assert holds(account_of(ada))


def test_a_return_of_a_return_counts_for_nothing(ada, sell, take_back):
    sell(ada, "S1", 9_00)
    take_back(ada, "R1", 4_00, "S1")
    take_back(ada, "R2", 4_00, "R1")

    assert counted(ada) == (5_00, 1)


def test_a_return_of_somebody_elses_sale_is_kept_and_counts_for_nobody(ada, grace, sell, take_back):
    sell(ada, "S1", 9_00)
    back, created = take_back(grace, "R1", 9_00, "S1")

    assert created
    assert back.applied_seq is None
    assert counted(ada) == (9_00, 1)
    assert counted(grace) == (0, 0)


def test_a_free_sale_counts_until_it_is_returned(ada, sell, take_back):
    sell(ada, "S1", 0)
    assert counted(ada) == (0, 1)

    take_back(ada, "R1", 0, "S1")

    assert counted(ada) == (0, 0)
    assert holds(account_of(ada))


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["sale", "return"]),
        st.integers(0, 4),
        st.sampled_from([0, 1, 3, 6, 9]),
    ),
    max_size=10,
)


@given(steps=STEPS, resent=st.lists(st.integers(0, 13), max_size=4))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_in_any_order_and_however_often_sent_the_counters_are_the_replay(acme, steps, resent):
    customer = CustomerFactory(tenant=acme)
    prefix, sent, expected_sales = customer.pk.hex, [], set()
    for index, (kind, sale, amount) in enumerate(steps):
        if kind == "sale" and sale in expected_sales:
            continue
        if kind == "sale":
            expected_sales.add(sale)
            fields = {"number": f"{prefix}-S{sale}", "amount": 9}
        else:
            fields = {
                "number": f"{prefix}-R{index}",
                "revises": f"{prefix}-S{sale}",
                "amount": amount,
                "kind": "return",
            }
        sent.append({**fields, "purchased_at": NOON + timedelta(minutes=index)})
        assert record_transaction(customer, **sent[-1])[1]
        assert holds(account_of(customer))
    before = counted(customer)
    for index in resent:
        if index < len(sent):
            assert not record_transaction(customer, **sent[index])[1]

    account = account_of(customer)
    assert counted(customer) == before
    assert account.transactions_count == _sales_left(sent)
    assert min(account.transactions_amount, account.transactions_count) >= 0


def _sales_left(sent):
    sales = {one["number"]: one["amount"] for one in sent if "revises" not in one}
    returned = {}
    for one in sent:
        if "revises" in one and one["revises"] in sales:
            returned[one["revises"]] = returned.get(one["revises"], 0) + one["amount"]
    return sum(
        number not in returned or returned[number] < amount for number, amount in sales.items()
    )


# --- Once -------------------------------------------------------------------------------------
def test_the_same_message_again_is_the_same_transaction(ada, sell):
    lines = [{"sku": "A1", "quantity": 2_000, "amount": 9_00}]
    first, created = sell(ada, "S1", 9_00, lines=lines)
    again, created_again = sell(ada, "S1", 9_00, lines=lines)

    assert (created, created_again) == (True, False)
    assert first == again
    assert counted(ada) == (9_00, 1)
    assert TransactionLine.objects.count() == 1
    assert Event.objects.filter(kind="transaction.recorded").count() == 1


@pytest.mark.parametrize(
    "difference",
    [
        {"amount": 9_01},
        {"purchased_at": NOON + DAY / 2},
        {"delivery_amount": 1},
        {"excluded_amount": 1},
        {"lines": [{"sku": "A2"}]},
        {"kind": "return"},
    ],
)
def test_the_same_number_with_other_content_is_refused(ada, difference):
    said = {"number": "S1", "amount": 9_00, "purchased_at": NOON}
    record_transaction(ada, **said)

    assert refusal_of(record_transaction, ada, **(said | difference)) == {"number": "conflict"}
    assert counted(ada) == (9_00, 1)


def test_the_same_number_for_somebody_else_is_refused(ada, grace, sell):
    sell(ada, "S1", 9_00)

    assert refusal_of(sell, grace, "S1", 9_00) == {"number": "conflict"}
    assert counted(grace) == (0, 0)


def test_the_constraint_decides_where_looking_came_too_early(ada, grace, sell, monkeypatch):
    sell(ada, "S1", 9_00)
    nothing = Transaction.objects.none()
    monkeypatch.setattr(
        "loyalty.services.transactions.Transaction.objects.filter", lambda *a, **k: nothing
    )

    assert refusal_of(sell, grace, "S1", 9_00) == {"number": "conflict"}
    assert counted(grace) == (0, 0)


def test_tenants_have_numbers_of_their_own(ada, rival, sell):
    sell(ada, "S1", 9_00)
    stranger = CustomerFactory(tenant=rival)
    with in_tenant(rival):
        assert sell(stranger, "S1", 3_00)[1]
        assert counted(stranger) == (3_00, 1)
    assert counted(ada) == (9_00, 1)


# --- What is refused --------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("fields", "codes"),
    [
        ({"number": ""}, {"number": "required"}),
        ({"number": "x" * 121}, {"number": "max_length"}),
        ({"number": "S\u202e1"}, {"number": "invisible_character"}),
        ({"kind": "gift"}, {"kind": "invalid_choice"}),
        ({"amount": -1}, {"amount": "min_value"}),
        ({"amount": None}, {"amount": "required"}),
        ({"amount": 10**12 + 1}, {"amount": "max_value"}),
        ({"amount": 2**63}, {"amount": "max_value"}),
        ({"amount": 0.5}, {"amount": "invalid_integer"}),
        ({"amount": True}, {"amount": "invalid_integer"}),
        ({"delivery_amount": 9_01}, {"delivery_amount": "max_value"}),
        ({"excluded_amount": 9_01}, {"excluded_amount": "max_value"}),
        ({"purchased_at": None}, {"purchased_at": "required"}),
        ({"purchased_at": "yesterday"}, {"purchased_at": "invalid_datetime"}),
        ({"purchased_at": NOON + 3 * DAY}, {"purchased_at": "future"}),
        ({"revises": "S0"}, {"revises": "invalid"}),
        ({"kind": "return", "revises": "S1"}, {"revises": "invalid"}),
        ({"store": "main"}, {"store": "does_not_exist"}),
        ({"lines": {}}, {"lines": "invalid"}),
        ({"lines": ["A1"]}, {"lines.0": "invalid"}),
        ({"lines": [{}] * 1001}, {"lines": "max_length"}),
        ({"lines": [{}, {"price": 1}]}, {"lines.1.price": "unknown"}),
        ({"lines": [{"quantity": "two"}]}, {"lines.0.quantity": "invalid_integer"}),
        ({"number": None, "amount": "x"}, {"number": "required", "amount": "invalid_integer"}),
    ],
)
def test_bad_input_is_refused_by_its_field(ada, fields, codes):
    said = {"number": "S1", "amount": 9_00, "purchased_at": NOON} | fields
    with clock.frozen(NOON + DAY):
        assert refusal_of(record_transaction, ada, **said) == codes
    assert not Transaction.objects.exists()


def test_a_till_may_run_a_day_ahead_at_most(ada, sell):
    with clock.frozen(NOON):
        assert sell(ada, "S1", 1_00, purchased_at=NOON + DAY)[1]


def test_nobody_buys_beyond_what_can_be_summed(ada, sell):
    LoyaltyAccount.objects.update(transactions_amount=10**17)

    assert refusal_of(sell, ada, "S1", 1) == {"amount": "max_value"}


def test_a_customer_who_is_gone_buys_nothing(ada, sell):
    gone = CustomerFactory(tenant=ada.tenant)
    gone.delete()

    with pytest.raises(CustomerGone):
        sell(gone.pk, "S1", 1_00)


def test_a_frozen_account_takes_nothing(ada, sell):
    LoyaltyAccount.objects.update(frozen_at=clock.now())

    with pytest.raises(ValidationError) as refusal:
        sell(ada, "S1", 1_00)
    assert refusal.value.code == "frozen"


# --- Around it --------------------------------------------------------------------------------
def test_lines_and_store_are_kept(acme, ada, sell):
    store = StoreFactory(tenant=acme)
    lines = [
        {"sku": "A1", "name": "Shoe", "quantity": 1_500, "amount": 6_00, "category": "shoes"},
        {"name": "Lace", "amount": 3_00, "maker": "Laces Ltd"},
    ]
    transaction, _created = sell(ada, "S1", 9_00, store=store, lines=lines)

    assert transaction.store == store
    told = [
        (line.position, line.sku, line.name, line.quantity, line.amount, line.category, line.maker)
        for line in transaction.lines.all()
    ]
    assert told == [
        (0, "A1", "Shoe", 1_500, 6_00, "shoes", ""),
        (1, "", "Lace", 1_000, 3_00, "", "Laces Ltd"),
    ]


def test_blocked_customers_and_those_without_loyalty_are_counted_all_the_same(ada, grace, sell):
    deactivate_customer(ada)
    update_customer(grace, no_loyalty=True)
    sell(ada, "S1", 9_00)
    sell(grace, "S2", 9_00)

    assert counted(ada) == counted(grace) == (9_00, 1)


def test_the_event_names_ids_only(ada, sell):
    transaction, _created = sell(ada, "S1", 9_00)

    event = Event.objects.get(kind="transaction.recorded")
    assert (event.subject_type, event.subject_id) == ("transaction", transaction.pk)
    assert event.data == {"customer": str(ada.pk), "account": str(account_of(ada).pk)}


def test_joined_accounts_count_what_both_bought_and_can_be_parted_again(
    ada, grace, sell, take_back
):
    sell(ada, "S1", 9_00)
    sell(grace, "S2", 5_00)
    take_back(grace, "R1", 9_00, "S1")  # waits: the sale is Ada's
    take_back(ada, "R2", 2_00, "S1")
    with opening_accounts([ada.pk, grace.pk]) as changes:
        join_transactions(changes[ada.pk], changes[grace.pk].account)
        changes[grace.pk].account.merged_into = changes[ada.pk].account

    assert counted(ada) == (3_00, 1)
    assert holds(account_of(ada))
    again, created = take_back(ada, "R1", 9_00, "S1")
    assert not created
    sell(ada, "S3", 1_00)

    with opening_accounts([ada.pk, grace.pk]) as changes:
        changes[grace.pk].account.merged_into = None
        part_transactions(changes[ada.pk], changes[grace.pk])

    assert counted(ada) == (8_00, 2)
    assert counted(grace) == (5_00, 1)
    assert holds(account_of(ada))
    assert holds(account_of(grace))
    again.refresh_from_db()
    assert again.applied_seq is None


def test_a_transaction_of_one_customer_asks_for_little(ada, sell, django_assert_max_num_queries):
    sell(ada, "S0", 1_00)

    with django_assert_max_num_queries(16):
        sell(ada, "S1", 1_00)


def test_documents_of_a_century_ago_are_counted(ada, sell):
    sell(ada, "S1", 1_00, purchased_at=datetime(1926, 1, 1, tzinfo=UTC))

    assert account_of(ada).first_purchase_at.year == 1926
