"""The queue of possible duplicates, two records side by side, and the way back."""

import pytest

from customers.models import Customer, Merge, NotDuplicate, PossibleDuplicate
from customers.services import find_duplicates, merge_customers, record_consent, update_customer
from tests.admin.browsing import form_data, text_of
from tests.admin.conftest import customer_page, page
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db
LIST = "/admin/customers/possibleduplicate/"


@pytest.fixture
def twin(ada):
    return CustomerFactory(
        tenant=ada.tenant,
        first_name="Ada",
        last_name="Lovelase",
        birth_date="1985-12-10",
        phones=[{"given": "900 00 001"}],
    )


@pytest.fixture
def pair(ada, twin):
    find_duplicates()
    return PossibleDuplicate.objects.get()


@pytest.fixture
def two_pairs(pair, acme):
    for _n in range(2):
        CustomerFactory(tenant=acme, first_name="Grace", emails=[{"address": "g@example.org"}])
    find_duplicates()
    return list(PossibleDuplicate.objects.to_decide())


def url_of(pair):
    return page("customers_possibleduplicate", "change", pair.pk)


def decide(office, url, deed, **typed):
    return office.post(url, form_data(office.get(url), None, do=deed, **typed), follow=True)


def test_the_queue_says_who_and_why_in_words(office, pair, django_assert_max_num_queries):
    with django_assert_max_num_queries(12):
        text = text_of(office.get(LIST))

    assert "Ada Lovelase" in text
    assert "similar last name" in text
    assert "same phone" in text


def test_the_page_shows_what_differs_and_what_becomes_of_it(office, pair, ada, twin):
    record_consent(ada, purpose="marketing", granted=True)
    record_consent(twin, purpose="marketing", granted=False)

    text = text_of(office.get(url_of(pair)))

    assert f"Merge {twin.code} into {ada.code}" in text
    assert "Lovelase" in text
    assert "the stricter wins" in text
    assert "Points" in text


def test_merging_takes_what_was_ticked_and_brings_the_next_pair(office, two_pairs, ada, twin):
    first = next(p for p in two_pairs if ada.pk in (p.first_id, p.second_id))
    (second,) = [p for p in two_pairs if p != first]

    answer = decide(office, url_of(first), "merge", **{"choice-last_name": "other"})

    ada.refresh_from_db()
    assert (ada.last_name, ada.name) == ("Lovelase", "Ada Lovelase")
    assert Customer.with_merged.get(pk=twin.pk).merged_into_id == ada.pk
    assert answer.request["PATH_INFO"] == url_of(second)
    assert "can be undone until" in text_of(answer)


def test_not_the_same_is_remembered_and_the_list_says_when_all_is_done(office, pair):
    answer = decide(office, url_of(pair), "apart", reason="sisters")

    assert NotDuplicate.objects.get().reason == "sisters"
    assert answer.request["PATH_INFO"] == LIST
    assert not Merge.objects.exists()


def test_deciding_later_leaves_the_pair_and_goes_on(office, two_pairs):
    answer = decide(office, url_of(two_pairs[0]), "skip")

    assert answer.request["PATH_INFO"] == url_of(two_pairs[1])
    assert PossibleDuplicate.objects.to_decide().count() == 2


def test_the_other_one_can_stay_instead(office, pair, ada, twin):
    decide(office, f"{url_of(pair)}?survivor={twin.pk}", "merge")

    assert Customer.with_merged.get(pk=ada.pk).merged_into_id == twin.pk


def test_enter_in_a_field_only_shows_what_was_ticked(office, pair):
    answer = decide(office, url_of(pair), "look", **{"choice-last_name": "other"})

    assert 'name="choice-last_name" value="other" checked' in text_of(answer)
    assert not Merge.objects.exists()


def test_what_was_changed_meanwhile_is_looked_at_again(office, pair, ada):
    data = form_data(office.get(url_of(pair)), None, do="merge")
    update_customer(ada, internal_note="changed by somebody else")

    answer = office.post(url_of(pair), data, follow=True)

    assert "changed meanwhile" in text_of(answer)
    assert not Merge.objects.exists()


def test_a_blocker_stands_there_in_words_and_a_choice_lifts_it(office, pair, ada, twin):
    update_customer(ada, credit_balance=100)
    update_customer(twin, credit_balance=200)
    blocked = decide(office, url_of(pair), "merge")
    assert "Both have a credit balance" in text_of(blocked)
    assert not Merge.objects.exists()

    decide(office, url_of(pair), "merge", **{"choice-credit_balance": "other"})

    ada.refresh_from_db()
    assert (Merge.objects.count(), ada.credit_balance) == (1, 200_00)


def test_a_merge_is_undone_on_its_page(office, ada, twin):
    merge = merge_customers(ada, twin)
    url = page("customers_merge", "change", merge.pk)
    assert url in text_of(office.get(customer_page(ada)))

    answer = office.post(url, form_data(office.get(url), None), follow=True)

    assert "two records again" in text_of(answer)
    assert Customer.objects.filter(pk=twin.pk).exists()
    assert "was undone" in text_of(office.get(url))


def test_two_ticked_customers_are_compared_and_three_are_not(office, ada, twin, grace):
    def ticked(*customers):
        return office.post(
            page("customers_customer", "changelist"),
            {"action": "merge_two", "_selected_action": [str(each.pk) for each in customers]},
            follow=True,
        )

    assert f"Merge {twin.code} into {ada.code}" in text_of(ticked(ada, twin))
    assert "Tick exactly two" in text_of(ticked(ada, twin, grace))


@pytest.mark.parametrize("posted", [{"choice-last_name": "both"}, {"survivor": "nobody"},
                                    {"choice-odd": "other"}, {"do": "odd"}])  # fmt: skip
def test_what_no_form_sends_does_no_harm(office, pair, posted):
    answer = office.post(url_of(pair), {"do": "look", **posted})

    assert answer.status_code == 200


def test_a_seller_neither_sees_the_queue_nor_merges(shop, pair, ada, twin):
    assert shop.get(LIST).status_code == 403
    assert shop.get(url_of(pair)).status_code == 403
    two = page("customers_customer", "merge", ada.pk, twin.pk)
    assert shop.get(two).status_code == 403
    assert "there twice" not in text_of(shop.get(customer_page(ada)))
