"""Finding records that may be the same person, and what becomes of the pairs."""

import pytest

from customers.jobs import order_recent
from customers.likeness.scoring import THRESHOLD
from customers.models import Customer, LikenessKeys, PossibleDuplicate
from customers.services import (
    anonymise_customer,
    delete_customer,
    find_duplicates,
    finding_duplicates,
    forget_not_duplicates,
    merge_customers,
    not_duplicates,
    possible_duplicates,
    undo_merge,
    update_customer,
)
from events.models import Job
from tenancy.scoping import in_tenant
from tests.factories import CustomerFactory

State = PossibleDuplicate.State


@pytest.fixture
def twin(ada):
    """A second record of Ada: the names the wrong way round, another spelling of the phone."""
    return CustomerFactory(
        tenant=ada.tenant,
        first_name="Lovelace",
        last_name="Ada",
        phones=[{"given": "+47 90000001"}],
    )


def pairs(state=State.OPEN):
    return [{pair.first_id, pair.second_id} for pair in PossibleDuplicate.objects.filter(
        state=state)]  # fmt: skip


def test_a_second_record_of_a_person_is_found_with_what_speaks_for_it(ada, twin, grace):
    report = find_duplicates()

    assert (report["customers"], report["new"], report["open"]) == (3, 1, 1)
    pair = PossibleDuplicate.objects.get()
    assert {pair.first_id, pair.second_id} == {ada.pk, twin.pk}
    assert pair.score >= THRESHOLD
    assert ["names", "swapped"] in pair.reasons
    assert ["phone", "same"] in pair.reasons
    assert report["best"][0]["score"] == pair.score


def test_who_has_not_changed_is_not_looked_at_again(ada, twin, grace):
    find_duplicates()
    update_customer(grace, internal_note="likes tea")

    report = find_duplicates()

    assert (report["customers"], report["new"], report["open"]) == (1, 0, 1)
    assert find_duplicates(everybody=True)["customers"] == 3


def test_a_change_brings_a_pair_and_takes_it_away(ada, grace):
    find_duplicates()
    update_customer(grace, first_name="Ada", last_name="Lovelace", birth_date="1985-12-10")
    assert find_duplicates()["new"] == 1

    update_customer(grace, first_name="Grace", last_name="Hopper", birth_date="1906-12-09")

    assert find_duplicates()["gone"] == 1
    assert pairs() == []


def test_a_dry_run_tells_and_writes_nothing(ada, twin):
    report = find_duplicates(dry_run=True)

    assert (report["new"], report["dry_run"]) == (1, True)
    assert not PossibleDuplicate.objects.exists()
    assert not LikenessKeys.objects.exists()


def test_a_higher_threshold_keeps_less(ada, twin):
    assert find_duplicates(threshold=100)["new"] == 0


def test_what_was_told_apart_is_not_asked_again(ada, twin):
    find_duplicates()
    not_duplicates(ada, twin)

    report = find_duplicates(everybody=True)

    assert (report["new"], report["open"]) == (0, 0)
    assert len(pairs(State.NOT_SAME)) == 1
    forget_not_duplicates(ada, twin)
    assert len(pairs()) == 1


def test_what_was_told_apart_before_it_was_found_is_not_asked_either(ada, twin):
    not_duplicates(ada, twin)

    find_duplicates()

    assert pairs() == []
    assert len(pairs(State.NOT_SAME)) == 1


def test_merging_decides_the_pair_and_undoing_asks_anew(ada, twin):
    third = CustomerFactory(tenant=ada.tenant, first_name="Lovelace", last_name="Ada",
                            phones=[{"given": "90000001"}])  # fmt: skip
    find_duplicates()
    assert len(pairs()) == 3

    merge = merge_customers(ada, twin)

    assert pairs(State.MERGED) == [{ada.pk, twin.pk}]
    assert pairs() == [{ada.pk, third.pk}]
    undo_merge(merge)
    find_duplicates()
    assert len(pairs()) == 3


@pytest.mark.parametrize("leave", [anonymise_customer, delete_customer])
def test_an_erasure_takes_pairs_and_keys_along(ada, twin, leave):
    find_duplicates()

    leave(twin)

    assert not PossibleDuplicate.objects.exists()
    assert not LikenessKeys.objects.filter(customer=twin.pk).exists()
    assert find_duplicates()["new"] == 0


def test_nothing_of_a_person_who_is_erased_meanwhile_is_written(ada, twin, monkeypatch):
    compare_page = finding_duplicates._persons_of

    def erased_meanwhile(rows):
        persons = compare_page(rows)
        for customer in Customer.objects.identifiable().filter(pk=twin.pk):
            anonymise_customer(customer)
        return persons

    monkeypatch.setattr(finding_duplicates, "_persons_of", erased_meanwhile)

    find_duplicates()

    assert not LikenessKeys.objects.filter(customer=twin.pk).exists()
    assert not PossibleDuplicate.objects.exists()


def test_the_neighbours_customers_are_never_compared(ada, rival):
    CustomerFactory(tenant=rival, first_name="Ada", last_name="Lovelace",
                    phones=[{"given": "90000001"}], birth_date="1985-12-10")  # fmt: skip

    assert find_duplicates()["new"] == 0
    with in_tenant(rival):
        assert find_duplicates()["new"] == 0


@pytest.mark.parametrize("few", [0, 3], ids=["counted", "read as far as needed"])
def test_a_phone_that_half_the_town_gives_tells_nothing(acme, monkeypatch, few):
    monkeypatch.setattr(finding_duplicates, "LARGEST_BLOCK", 2)
    monkeypatch.setattr(finding_duplicates, "FEW", few)
    for _n in range(3):
        CustomerFactory(tenant=acme, phones=[{"given": "22 00 00 00"}])

    assert find_duplicates()["new"] == 0


def test_queries_do_not_grow_with_the_page(acme, django_assert_max_num_queries):
    for n in range(12):
        CustomerFactory(
            tenant=acme,
            first_name=f"Ada{n % 6}",
            last_name="Lovelace",
            birth_date="1985-12-10",
            phones=[{"given": f"900 00 0{n % 6:02}"}],
            emails=[{"address": f"person{n % 6}@example.org"}],
        )

    with django_assert_max_num_queries(75):
        report = find_duplicates()

    assert report["new"] >= 6


def test_it_goes_on_after_it_was_cut_off(ada, twin, grace, monkeypatch):
    monkeypatch.setattr(finding_duplicates, "PAGE", 1)

    class CutOff(Exception):
        pass

    def stop(done, last):
        raise CutOff

    with pytest.raises(CutOff):
        find_duplicates(on_page=stop)

    report = find_duplicates()

    assert report["customers"] == 2
    assert len(pairs()) == 1


# --- The jobs ------------------------------------------------------------------------------------
@pytest.mark.parametrize(("dry_run", "times"), [(False, 2), (True, 0)])
def test_the_database_counts_what_is_kept_while_it_grows(
    ada, twin, grace, monkeypatch, dry_run, times
):
    monkeypatch.setattr(finding_duplicates, "PAGE", 1)
    monkeypatch.setattr(finding_duplicates, "MANY", 0.25)
    monkeypatch.setattr(finding_duplicates, "GROWN", 2)
    counted = []
    count = finding_duplicates.refresh_statistics
    monkeypatch.setattr(
        finding_duplicates,
        "refresh_statistics",
        lambda *models, **how: counted.append(models) or count(*models, **how),
    )

    finding_duplicates.find_duplicates(dry_run=dry_run)

    # At the first customer, and at the second.
    assert counted == [(LikenessKeys, PossibleDuplicate)] * times


def test_who_was_saved_a_moment_ago_is_looked_at_by_a_job(ada, twin, run_jobs):
    order_recent(None)
    order_recent(None)

    assert Job.objects.filter(name="customers.find_recent_duplicates").count() == 1
    run_jobs()
    assert len(pairs()) == 1
    order_recent(None)
    assert Job.objects.unfinished().count() == 0


# --- While typing --------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "typed",
    [
        {"phones": ["0047 900 00 001"]},
        {"emails": [" ADA@example.ORG "]},
        {"first_name": "Ada", "last_name": "Lovelase", "birth_date": "1985-12-10"},
        {"first_name": "Ada", "last_name": "Lovelace", "addresses": [{"postal_code": "0155"}]},
        {"name": "Ada Lovelace", "birth_date": "1985-12-10", "phones": ["not yet"]},
    ],
)
def test_who_is_being_typed_is_recognised(ada, grace, typed):
    find_duplicates()

    ((found, likeness),) = possible_duplicates(typed)

    assert found == ada
    assert likeness.reasons


@pytest.mark.parametrize(
    "typed",
    [
        {},
        {"first_name": "Ada"},
        {"phones": ["", None, "x" * 500], "emails": ["@", 7], "birth_date": "soon"},
        {"first_name": 7, "addresses": [{"street": None}]},
    ],
)
def test_what_says_little_finds_nobody(ada, typed):
    find_duplicates()

    assert possible_duplicates(typed) == []


def test_a_phone_saved_this_second_is_recognised_before_any_job_has_run(ada):
    assert possible_duplicates({"phones": ["90000001"]})[0][0] == ada


def test_who_is_edited_is_not_found_as_its_own_double(ada):
    assert possible_duplicates({"phones": ["90000001"]}, leave_out=ada.pk) == []
