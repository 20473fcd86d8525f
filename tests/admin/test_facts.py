"""The customer page tells the facts before anybody edits, to nobody more than the role allows."""

import re

import pytest

from customers.admin import facts
from customers.services import add_entry, record_consent, update_customer
from groups.services import create_group, unsubscribe_customer
from loyalty.services import adjust_points
from tests.admin.browsing import text_of
from tests.admin.conftest import customer_page

pytestmark = pytest.mark.django_db


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
    office, ada, django_assert_max_num_queries
):
    office.get(customer_page(ada))
    with django_assert_max_num_queries(200) as before:
        office.get(customer_page(ada))
    for n in range(4):
        add_entry(ada, "phones", {"given": f"900 00 1{n}0"})
        add_entry(ada, "addresses", {"street": f"Storgata {n}", "city": "Oslo"})

    with django_assert_max_num_queries(len(before)):
        office.get(customer_page(ada))
