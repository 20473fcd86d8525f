"""Parting two records again: what comes back, what stays, and when it is too late."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from customers.models import Avatar, Consent, Customer, Email, Merge, NotDuplicate
from customers.records import record_of
from customers.services import (
    CustomerGone,
    MergeBlocked,
    VersionConflict,
    add_device,
    add_entry,
    anonymise_customer,
    change_entry,
    current_consents,
    delete_customer,
    forget_merges,
    get_customer,
    merge_customers,
    not_duplicates,
    preview_merge,
    record_consent,
    register_customer,
    remove_avatar,
    remove_entry,
    set_avatar,
    set_charge_account,
    set_store_profile,
    undo_merge,
    update_customer,
)
from customers.services.children import tell
from customers.services.merging_plan import CHOOSABLE
from events.models import Event, HistoryEntry
from tenancy import clock
from tenancy.scoping import in_tenant
from tenancy.services import create_token, principal_of, update_tenant
from tests.customers.planting import picture, plant
from tests.customers.twins import codes_of, dice, everything, somebody
from tests.factories import GroupFactory, StoreFactory, TenantFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def twin(acme):
    return register_customer(
        first_name="Ada",
        last_name="King",
        card_number="8002",
        emails=[{"address": "k@example.org"}],
        language="nb",
    )


def refusal_of(merge, **options):
    with pytest.raises(ValidationError) as refused:
        undo_merge(merge, **options)
    return codes_of(refused.value)


TAKEN = (
    *("avatar", "name", "card_number", "login_phone", "birth_date", "credit_balance", "password"),
)


# --- Nothing happened in between ---------------------------------------------------------------
def test_two_full_records_come_back_to_the_byte(acme):
    one, _marks = plant(acme, "Z", number=987650001)
    other, _marks = plant(acme, "Y", number=987650002)
    set_charge_account(other, retired=True)
    before = everything()

    merge = merge_customers(
        one,
        other,
        choices=dict.fromkeys(TAKEN, "other"),
    )
    assert everything() != before
    undo_merge(merge)

    assert everything() == before


def test_versions_and_times_go_on(ada, twin):
    merge = merge_customers(ada, twin)
    merged_at, version = ada.updated_at, ada.version

    undo_merge(merge)

    rows = Customer.objects.in_bulk([ada.pk, twin.pk])
    assert all(row.version > version and row.updated_at > merged_at for row in rows.values())


def test_one_event_and_history_on_both_tell_of_it(ada, twin):
    merge = merge_customers(ada, twin)
    before = Event.objects.count(), HistoryEntry.objects.count()

    undone = undo_merge(merge, reason="two sisters")

    assert (Event.objects.count(), HistoryEntry.objects.count()) == (before[0] + 1, before[1] + 2)
    event = Event.objects.latest("id")
    assert (event.kind, event.subject_id) == ("customer.unmerged", ada.pk)
    assert event.data == {"survivor": str(ada.pk), "merged": str(twin.pk)}
    own = HistoryEntry.objects.about("customer", ada.pk).first()
    theirs = HistoryEntry.objects.about("customer", twin.pk).first()
    assert own.changes["merged_from"] == [str(twin.pk), None]
    assert own.changes["language"] == ["nb", ""]
    assert theirs.changes == {"merged_into": [str(ada.pk), None]}
    assert own.reason == theirs.reason == "two sisters"
    assert undone.undone_at is not None
    assert undone.journal == {}


def test_both_can_be_merged_again_the_other_way_round(ada, twin):
    before = everything()

    for one, other in ((ada, twin), (twin, ada), (ada, twin)):
        undo_merge(merge_customers(one.pk, other.pk))

    assert everything() == before
    assert Merge.objects.count() == 3


# --- What happened since ----------------------------------------------------------------------
def test_what_was_added_since_stays_with_the_survivor(ada, twin):
    merge = merge_customers(ada, twin)
    add_entry(ada, "emails", {"address": "new@example.org"})
    add_device(ada, "phone")
    record_consent(ada, purpose="marketing", granted=True)

    undo_merge(merge)

    assert [row["address"] for row in record_of(ada.pk)["emails"]] == [
        "Ada@example.org",
        "new@example.org",
    ]
    assert [row["address"] for row in record_of(twin.pk)["emails"]] == ["k@example.org"]
    assert ada.devices.count() == 1
    assert current_consents(twin) == {}


def test_what_was_changed_since_stays_changed(ada, twin):
    merge = merge_customers(ada, twin)
    update_customer(ada, language="sv", internal_note="new")

    undo_merge(merge)

    rows = Customer.objects.in_bulk([ada.pk, twin.pk])
    assert (rows[ada.pk].language, rows[ada.pk].internal_note) == ("sv", "new")
    assert rows[twin.pk].language == "nb"


def test_parts_of_one_date_go_back_together_or_not_at_all(acme):
    one = register_customer(first_name="Ada")
    other = register_customer(first_name="Ada", birth_date="1985-12-10")
    merge = merge_customers(one, other)
    update_customer(one, birth_date="1984-12-10")

    undo_merge(merge)

    assert Customer.objects.get(pk=one.pk).birth_date == "1984-12-10"


def test_a_built_name_fits_the_parts_that_are_left(acme):
    one, other = register_customer(first_name="Ada"), register_customer(last_name="Lovelace")
    merge = merge_customers(one, other)
    update_customer(one, first_name="Augusta")

    undo_merge(merge)

    assert Customer.objects.get(pk=one.pk).name == "Augusta"


def test_moved_rows_go_home_as_they_were_whatever_was_done_to_them(ada, twin):
    add_entry(twin, "emails", {"address": "second@example.org"})
    moved = list(Email.objects.filter(customer=twin).order_by("position"))
    merge = merge_customers(ada, twin)
    change_entry(ada, "emails", moved[0].pk, {"address": "other@example.org", "primary": True})
    remove_entry(ada, "emails", moved[1].pk)

    undo_merge(merge)

    emails = Email.objects.filter(customer=twin).order_by("position")
    assert [(row.pk, row.address, row.primary) for row in emails] == [
        (moved[0].pk, "k@example.org", True),
        (moved[1].pk, "second@example.org", False),
    ]
    assert [(row["address"], row["primary"]) for row in record_of(ada.pk)["emails"]] == [
        ("Ada@example.org", True)
    ]


def test_an_opt_out_that_came_along_goes_unless_it_was_said_again(ada, twin):
    update_customer(twin, emails=[{"address": "ada@example.org", "opted_out": True}])
    merge = merge_customers(ada, twin)
    assert record_of(ada.pk)["emails"][0]["opted_out"] is True

    undo_merge(merge)

    assert record_of(ada.pk)["emails"][0]["opted_out"] is False
    assert record_of(twin.pk)["emails"][0]["opted_out"] is True


def test_consents_part_and_later_statements_stay(ada, twin):
    record_consent(ada, purpose="marketing", granted=True)
    record_consent(twin, purpose="marketing", granted=False)
    record_consent(twin, purpose="legal", granted=True)
    merge = merge_customers(ada, twin)
    record_consent(ada, purpose="legal", granted=False)

    undo_merge(merge)

    assert {p: row.granted for p, row in current_consents(ada).items()} == {
        "marketing": True,
        "legal": False,
    }
    assert {p: row.granted for p, row in current_consents(twin).items()} == {
        "marketing": False,
        "legal": True,
    }
    assert Consent.objects.count() == 4


def test_a_picture_that_was_replaced_since_stays(ada, twin, django_capture_on_commit_callbacks):
    own = set_avatar(ada, picture()).file
    theirs = set_avatar(twin, picture()).file
    merge = merge_customers(ada, twin, choices={"avatar": "other"})
    with django_capture_on_commit_callbacks(execute=True):
        newest = set_avatar(ada, picture()).file
    with django_capture_on_commit_callbacks(execute=True):
        undo_merge(merge)

    assert Avatar.objects.get().file.name == newest.name
    assert [own.storage.exists(file.name) for file in (own, theirs, newest)] == [False, False, True]


def test_a_picture_that_was_exchanged_goes_back(ada, twin, django_capture_on_commit_callbacks):
    own, theirs = set_avatar(ada, picture()).file.name, set_avatar(twin, picture()).file.name
    with django_capture_on_commit_callbacks(execute=True):
        undo_merge(merge_customers(ada, twin, choices={"avatar": "other"}))

    assert dict(Avatar.objects.values_list("pk", "file")) == {ada.pk: own, twin.pk: theirs}
    assert all(row.file.storage.exists(row.file.name) for row in Avatar.objects.all())


def test_a_picture_that_was_removed_since_is_gone(ada, twin, django_capture_on_commit_callbacks):
    set_avatar(twin, picture())
    merge = merge_customers(ada, twin)
    with django_capture_on_commit_callbacks(execute=True):
        remove_avatar(ada)
    undo_merge(merge)

    assert not Avatar.objects.exists()


def test_identifiers_that_were_exchanged_since_go_home(acme, ada):
    other = register_customer(first_name="Ada", card_number="8002")
    merge = merge_customers(ada, other)
    update_customer(ada, card_number="8002")
    assert Customer.with_merged.get(pk=other.pk).card_number == "7001"

    undo_merge(merge)

    cards = dict(Customer.objects.values_list("pk", "card_number"))
    assert cards == {ada.pk: "7001", other.pk: "8002"}


def test_a_pair_that_is_not_the_same_comes_back_too(ada, twin, grace):
    not_duplicates(twin, grace)
    not_duplicates(ada, twin)
    before = everything()

    undo_merge(merge_customers(ada, twin))

    assert everything() == before
    assert NotDuplicate.objects.count() == 2


def test_what_the_merged_record_refers_to_may_be_gone(acme, ada, twin, grace):
    not_duplicates(twin, grace)
    merge = merge_customers(ada, twin)
    delete_customer(grace)

    undo_merge(merge)

    assert not NotDuplicate.objects.exists()


def test_the_survivors_sessions_end_when_its_sign_in_goes(acme):
    one = register_customer(first_name="Ada")
    other = register_customer(
        first_name="Ada", login_email="a@example.org", password="correct horse staple"
    )
    merge = merge_customers(one, other)
    _row, session = create_token(acme, holder="customer", customer_id=one.pk)

    undo_merge(merge)

    assert principal_of(session) is None
    rows = Customer.objects.in_bulk([one.pk, other.pk])
    assert (rows[one.pk].login_email, rows[one.pk].password) == (None, "")
    assert rows[other.pk].login_email == "a@example.org"


# --- Chains -----------------------------------------------------------------------------------
def test_merges_of_one_survivor_are_undone_from_the_last(ada, twin, grace):
    first = merge_customers(ada, twin)
    second = merge_customers(ada, grace)

    assert refusal_of(first) == {None: "later_merge"}
    undo_merge(second)
    assert undo_merge(first).undone_at


def test_a_survivor_that_was_merged_itself_is_parted_first(ada, twin, grace):
    before = everything()
    first = merge_customers(twin, grace)
    second = merge_customers(ada, twin)

    assert refusal_of(first) == {None: "survivor_merged"}
    undo_merge(second)
    assert Customer.with_merged.get(pk=grace.pk).merged_into_id == twin.pk
    undo_merge(first)

    assert everything() == before


# --- Too late ----------------------------------------------------------------------------------
def test_a_merge_is_undone_once(ada, twin):
    merge = merge_customers(ada, twin)
    undo_merge(merge)

    assert refusal_of(merge) == {None: "undone"}


def test_the_time_to_undo_ends(acme, ada, twin):
    update_tenant(acme, settings={"merge_undo_days": 2})
    merge = merge_customers(ada, twin)

    with clock.frozen(merge.at + timedelta(days=2, seconds=1)):
        assert refusal_of(merge) == {None: "undo_expired"}
    with clock.frozen(merge.at + timedelta(days=2)):
        assert undo_merge(merge).undone_at


def test_an_erased_survivor_cannot_be_parted(ada, twin):
    merge = merge_customers(ada, twin)
    anonymise_customer(ada)

    assert refusal_of(merge) == {None: "anonymised"}


def test_a_deleted_survivor_has_no_merge(ada, twin):
    merge = merge_customers(ada, twin)
    delete_customer(ada)

    with pytest.raises(CustomerGone):
        undo_merge(merge)


def test_a_merge_of_another_tenant_does_not_exist(ada, twin, rival):
    merge = merge_customers(ada, twin)

    with in_tenant(rival), pytest.raises(CustomerGone):
        undo_merge(merge.pk)


def test_a_version_that_has_moved_on_is_refused(ada, twin):
    merge = merge_customers(ada, twin)

    with pytest.raises(VersionConflict):
        undo_merge(merge, expected_version=1)
    assert undo_merge(merge, expected_version=ada.version)


def test_a_sign_in_that_somebody_else_took_meanwhile_stops_it_and_changes_nothing(acme, ada):
    other = register_customer(first_name="Ada", login_email="second@example.org")
    merge = merge_customers(ada, other)
    eve = register_customer(first_name="Eve", login_email="second@example.org")
    before = everything()

    assert refusal_of(merge) == {"login_email": "unique"}

    assert everything() == before
    update_customer(eve, login_email=None)
    assert undo_merge(merge).undone_at


def test_a_tills_reference_that_somebody_else_took_meanwhile_stops_it(acme, ada, twin):
    store = StoreFactory(tenant=acme)
    set_store_profile(twin, store, pos_ref="p1")
    merge = merge_customers(ada, twin)
    set_store_profile(ada, store, pos_ref=None)
    set_store_profile(register_customer(first_name="Eve"), store, pos_ref="p1")

    assert refusal_of(merge) == {"pos_ref": "unique"}


# --- When the time is over ---------------------------------------------------------------------
def test_journals_are_emptied_when_the_time_is_over(ada, twin, django_capture_on_commit_callbacks):
    own, theirs = set_avatar(ada, picture()).file, set_avatar(twin, picture()).file
    merge = merge_customers(ada, twin)

    with django_capture_on_commit_callbacks(execute=True):
        assert forget_merges() == 0
        with clock.frozen(merge.undo_until + timedelta(seconds=1)):
            assert forget_merges() == 1
            assert forget_merges() == 0

    merge.refresh_from_db()
    assert merge.journal == {}
    assert [own.storage.exists(file.name) for file in (own, theirs)] == [True, False]
    assert record_of(twin.pk)["id"] == ada.pk
    assert record_of(ada.pk)["merged_from"] == [twin.pk]


# --- At random ---------------------------------------------------------------------------------
def keys_of(customer, name, *columns):
    return {tuple(getattr(row, column) for column in columns)
            for row in getattr(customer, name).all()}  # fmt: skip


WHAT = {
    "emails": ("address_key",),
    "phones": ("digits", "extension"),
    "addresses": ("street", "city"),
    "contact_persons": ("first_name",),
    "labels": ("key", "value"),
    "devices": ("token",),
    "extensions": ("store_id", "code"),
    "store_profiles": ("store_id",),
    "subscriptions": ("group_id",),
}


def merge_at_random(seed, stores, groups):
    """One merge by the dice, with everything that must hold of any; whether it was blocked."""
    pick = dice(seed)
    one, other = somebody(pick, stores, groups), somebody(pick, stores, groups)
    before = everything()
    union = {name: keys_of(one, name, *columns) | keys_of(other, name, *columns)
             for name, columns in WHAT.items()}  # fmt: skip
    refused = {p for who in (one, other) for p, row in current_consents(who).items()
               if not row.granted}  # fmt: skip
    said = {p for who in (one, other) for p in current_consents(who)}
    quiet = {row.group_id for who in (one, other) for row in who.subscriptions.all()
             if not row.subscribed}  # fmt: skip
    opted_out = {row.address_key for who in (one, other) for row in who.emails.all()
                 if row.opted_out}  # fmt: skip
    n_statements, n_customers = Consent.objects.count(), Customer.objects.count()
    no_email = one.no_email or other.no_email
    choices = {name: pick.choice(["survivor", "other"]) for name in sorted(CHOOSABLE)
               if pick.random() < 0.2}  # fmt: skip
    preview = preview_merge(one, other, choices)
    if preview["blockers"]:
        with pytest.raises(MergeBlocked):
            merge_customers(one, other, choices=choices)
        assert everything() == before
        return True

    merge = merge_customers(one, other, choices=choices)

    one = Customer.objects.get(pk=one.pk)
    assert {name: keys_of(one, name, *columns) for name, columns in WHAT.items()} == union
    holds = {purpose: row.granted for purpose, row in current_consents(one).items()}
    assert holds == {purpose: purpose not in refused for purpose in said}
    assert {row.group_id for row in one.subscriptions.all() if not row.subscribed} == quiet
    assert {row.address_key for row in one.emails.all() if row.opted_out} == opted_out
    assert one.no_email == no_email
    assert Consent.objects.filter(customer=one).count() == n_statements
    assert Customer.objects.count() == n_customers - 1
    record = record_of(one.pk)
    for name in ("emails", "phones", "addresses"):
        assert sum(row["primary"] for row in record[name]) == bool(record[name])
        told = [row["text"] for row in preview["lists"][name]["outcome"]]
        assert told == tell(name, getattr(one, name).all())
    for field in preview["fields"]:
        if field["field"] != "password":
            assert record[field["field"]] == field["outcome"], field["field"]
    for who in before["customers.Customer"].values():
        for name in ("external_id", "username", "card_number", "number"):
            if who[name] is not None:
                assert Customer.objects.known_as(name, who[name]).get() == one
        assert get_customer(who["id"]) == one
    undo_merge(merge)
    assert everything() == before
    return False


def at_random(seeds):
    blocked = 0
    for seed in seeds:
        tenant = TenantFactory()
        with in_tenant(tenant):
            stores = [StoreFactory(tenant=tenant) for _ in range(2)]
            groups = [GroupFactory(tenant=tenant) for _ in range(2)]
            blocked += merge_at_random(seed, stores, groups)
    return blocked


def test_any_two_are_joined_without_loss_and_parted_to_the_byte(db):
    blocked = at_random(range(7, 15))

    assert blocked == 3


@pytest.mark.long
def test_any_two_of_many_are_joined_without_loss_and_parted_to_the_byte(db):
    at_random(range(100, 1100))
