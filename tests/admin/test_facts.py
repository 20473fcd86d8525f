"""The customer page tells the facts before anybody edits, to nobody more than the role allows."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from customers.admin import facts
from customers.services import (
    add_entry,
    anonymise_customer,
    merge_customers,
    record_consent,
    set_store_profile,
    update_customer,
)
from groups.services import create_group, subscribe_customer, unsubscribe_customer
from loyalty.services import adjust_points
from loyalty.services.transactions import record_transaction
from tenancy.services import create_store
from tests.admin.browsing import text_of
from tests.admin.conftest import customer_page

pytestmark = pytest.mark.django_db
# Each table that the page tells of, and who asks: more of them, and something asks twice.
N_QUERIES = 43


def facts_of(response):
    """The words of the cards."""
    cards = re.search(r'class="customer-facts">(.*?)<p class="buttons edit-line|'
                      r'class="customer-facts">(.*)', text_of(response), re.DOTALL)  # fmt: skip
    return " ".join(re.sub(r"<[^>]*>", " ", cards[1] or cards[2]).split())


def test_the_facts_are_read_without_opening_a_tab(office, ada):
    create_group(code="news", title="Newsletter")
    unsubscribe_customer(ada, "news")
    record_consent(ada, purpose="marketing", granted=False)
    adjust_points(ada, points=12_50, reason="a gift")
    update_customer(ada, internal_note="Likes tea")

    told = facts_of(office.get(customer_page(ada)))

    for fact in ("Ada@example.org", "+4790000001", "Storgata 1, 0155 Oslo", "12.5 points",
                 "Newsletter (not subscribed)", "marketing: no", "Likes tea"):  # fmt: skip
        assert fact in told


def test_an_opted_out_address_says_so_before_it_is_used(office, ada):
    update_customer(ada, emails=[{"address": "ada@example.org", "opted_out": True}])

    assert "ada@example.org opted out" in facts_of(office.get(customer_page(ada)))


def test_what_a_role_may_not_see_is_no_fact_for_it(shop, ada, monkeypatch):
    update_customer(ada, internal_note="Likes tea", external_id="erp-77")
    assert "erp-77" in facts_of(shop.get(customer_page(ada)))
    hidden = {"external_id", "phones"}
    monkeypatch.setattr(facts, "sees_field", lambda role, name: name not in hidden)

    told = facts_of(shop.get(customer_page(ada)))

    assert "Likes tea" in told
    assert "erp-77" not in told
    assert "+4790000001" not in told


def test_what_was_typed_by_strangers_is_text_and_no_markup(office, ada):
    update_customer(ada, internal_note="<script>alert(1)</script>", first_name="<b>Ada</b>")

    page = text_of(office.get(customer_page(ada)))

    assert "<script>alert(1)" not in page
    assert "<b>Ada" not in page


def test_a_long_record_costs_no_more_queries_than_a_short_one(
    office, ada, grace, django_assert_max_num_queries
):
    create_group(code="first")
    subscribe_customer(ada, "first")
    adjust_points(ada, points=12_50, reason="a gift")
    office.get(customer_page(ada))
    with django_assert_max_num_queries(N_QUERIES) as before:
        office.get(customer_page(ada))
    for n in range(4):
        add_entry(ada, "phones", {"given": f"900 00 1{n}0"})
        add_entry(ada, "addresses", {"street": f"Storgata {n}", "city": "Oslo"})
        store, _created = create_store(ada.tenant, f"s{n}", name=f"Shop {n}")
        set_store_profile(ada, store, note="Likes tea")
        create_group(code=f"g{n}")
        subscribe_customer(ada, f"g{n}")
        bought(ada, f"B-{n}", days=n, store=store)

    with django_assert_max_num_queries(len(before)):
        office.get(customer_page(ada))


# --- The last visit ------------------------------------------------------------------------------
def bought(customer, number, *, days, **more):
    at = datetime(2026, 11, 20, 12, tzinfo=UTC) - timedelta(days=days)
    return record_transaction(customer, number=number, purchased_at=at, amount=100_00, **more)


def test_the_last_visit_says_when_and_where(office, ada):
    store, _created = create_store(ada.tenant, "west", name="West <End>")
    bought(ada, "B-1", days=2, store=store)
    bought(ada, "B-2", days=9)

    told = facts_of(office.get(customer_page(ada)))

    assert "Last visit 18 Nov 2026, West &lt;End&gt;" in told


def test_a_return_is_a_visit_and_a_store_that_is_not_known_is_left_out(office, ada):
    bought(ada, "B-1", days=9)
    bought(ada, "R-1", days=1, kind="return", revises="B-1")

    told = facts_of(office.get(customer_page(ada)))

    assert "Last visit 19 Nov 2026 tune" in told


def test_the_last_visit_is_that_of_either_record_that_was_merged(office, ada, grace):
    bought(ada, "B-1", days=9)
    bought(grace, "B-2", days=1)
    merge_customers(ada, grace)

    assert "Last visit 19 Nov 2026" in facts_of(office.get(customer_page(ada)))


def test_who_has_never_bought_has_no_last_visit(office, ada):
    assert "Last visit" not in facts_of(office.get(customer_page(ada)))


def test_who_was_anonymised_is_offered_no_deed_with_points(office, ada):
    anonymise_customer(ada)

    assert "Adjust points" not in facts_of(office.get(customer_page(ada)))
