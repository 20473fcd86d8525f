"""Two records become one: whose word stands, what is joined, what is refused, what is written."""

import pytest
from django.core.exceptions import ValidationError

from customers.models import ActivationCode, Consent, Customer, Email, Merge, NotDuplicate
from customers.records import record_of
from customers.services import (
    CustomerGone,
    MergeBlocked,
    VersionConflict,
    add_device,
    add_entry,
    add_extension,
    anonymise_customer,
    current_consents,
    deactivate_customer,
    merge_customers,
    not_duplicates,
    preview_merge,
    record_consent,
    register_customer,
    request_login_change,
    set_avatar,
    set_charge_account,
    set_customer_password,
    set_store_profile,
    update_customer,
)
from events.actors import Actor, acting
from events.models import Event, HistoryEntry
from tenancy.models import AccessToken
from tenancy.scoping import in_tenant
from tenancy.services import create_token, principal_of
from tests.customers.planting import picture
from tests.customers.twins import codes_of
from tests.factories import CustomerFactory, StoreFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def twin(acme):
    """Ada's second record, from another till."""
    return register_customer(first_name="Ada", last_name="King")


def blockers_of(one, other, **options):
    with pytest.raises(MergeBlocked) as refused:
        merge_customers(one, other, **options)
    return {blocker["field"]: blocker["code"] for blocker in refused.value.blockers}


# --- Whose word stands -----------------------------------------------------------------------
def test_the_survivors_word_stands_unless_it_says_nothing(ada, twin):
    update_customer(twin, language="nb", internal_note="kind", last_name="King")
    update_customer(ada, internal_note="curt")

    merge_customers(ada, twin)

    record = record_of(ada.pk)
    assert record["last_name"] == "Lovelace"
    assert record["internal_note"] == "curt"
    assert record["language"] == "nb"
    assert record["name"] == "Ada Lovelace"


def test_what_a_new_row_has_by_itself_says_nothing(ada, twin):
    update_customer(twin, gender="female", discount_percent=10, credit_balance="5.00")
    update_customer(ada, credit_balance="0")

    merge_customers(ada, twin)

    record = record_of(ada.pk)
    assert (record["gender"], record["discount_percent"]) == ("female", 10)
    assert record["credit_balance"] == 5


def test_a_choice_takes_the_others_value(ada, twin):
    update_customer(twin, birth_date="--01-02", internal_note="")
    update_customer(ada, internal_note="curt")

    merge_customers(
        ada, twin, choices={"last_name": "other", "birth_date": "other", "internal_note": "other"}
    )

    record = record_of(ada.pk)
    assert (record["last_name"], record["name"]) == ("King", "Ada King")
    assert record["birth_date"] == "--01-02"
    assert record["internal_note"] == ""


def test_a_given_name_is_a_value_and_a_built_one_is_built_again(acme, ada):
    twin = register_customer(first_name="Augusta", name="The Countess")

    merge_customers(ada, twin, choices={"name": "other"})

    ada.refresh_from_db()
    assert (ada.name, ada.first_name, ada.name_given) == ("The Countess", "Ada", True)
    update_customer(ada, first_name="Augusta")
    assert ada.name == "The Countess"


def test_a_missing_part_of_the_name_comes_along_and_the_name_is_built_of_it(acme):
    short, long = register_customer(first_name="Ada"), register_customer(last_name="Lovelace")

    merge_customers(short, long)

    assert short.name == "Ada Lovelace"


def test_no_mail_stays_no_mail(ada, twin):
    update_customer(twin, no_email=True)

    merge_customers(ada, twin)

    assert ada.no_email is True


def test_no_mail_cannot_be_chosen_away(ada, twin):
    with pytest.raises(ValidationError) as refused:
        merge_customers(ada, twin, choices={"no_email": "survivor"})

    assert codes_of(refused.value) == {"choices.no_email": "unknown"}


@pytest.mark.parametrize(
    ("choices", "field", "code"),
    [
        ({"shoe_size": "other"}, "choices.shoe_size", "unknown"),
        ({"language": "both"}, "choices.language", "invalid_choice"),
        ({"language": ["other"]}, "choices.language", "invalid_choice"),
        ({"store_profiles.nowhere": "other"}, "choices.store_profiles.nowhere", "unknown"),
        (["language"], "choices", "invalid"),
    ],
)
def test_a_choice_that_nobody_can_make_is_named(ada, twin, choices, field, code):
    with pytest.raises(ValidationError) as refused:
        merge_customers(ada, twin, choices=choices)

    assert codes_of(refused.value) == {field: code}
    assert not Merge.objects.exists()


def test_the_card_brings_its_state_along(acme):
    one = register_customer(first_name="Ada")
    other = register_customer(first_name="Ada", card_number="8002", card_state="with-card")

    merge_customers(one, other)

    assert (one.card_number, one.card_state) == ("8002", "with-card")


def test_the_state_of_a_card_that_is_not_taken_stays_behind(acme, ada):
    other = register_customer(first_name="Ada", card_number="8002", card_state="with-card")

    merge_customers(ada, other)

    assert (ada.card_number, ada.card_state) == ("7001", "no-card")


def test_a_person_who_proved_a_contact_point_elsewhere_is_active(acme):
    waiting = register_customer(first_name="Ada", status="new")

    merge_customers(waiting, register_customer(first_name="Ada"))

    assert waiting.status == "active"


@pytest.mark.parametrize("survivor_blocked", [True, False])
def test_who_is_deactivated_stays_so_and_the_preview_says_it(ada, twin, survivor_blocked):
    deactivate_customer(ada if survivor_blocked else twin)

    warnings = preview_merge(ada, twin)["warnings"]
    merge_customers(ada, twin)

    assert ada.status == ("blocked" if survivor_blocked else "active")
    assert any("deactivated" in warning for warning in warnings)


# --- Sign-ins --------------------------------------------------------------------------------
def test_a_sign_in_moves_where_the_survivor_has_none(acme):
    one = register_customer(first_name="Ada")
    other = register_customer(
        first_name="Ada", login_email="a@example.org", password="correct horse staple"
    )
    encoded = other.password

    merge_customers(one, other)

    assert (one.login_email, one.password) == ("a@example.org", encoded)
    assert [row.address for row in one.emails.all()] == ["a@example.org"]


def test_a_sign_in_that_is_not_taken_is_free_again(acme, ada):
    other = register_customer(first_name="Ada", login_email="second@example.org")

    merge_customers(ada, other)

    assert ada.login_email == "ada@example.org"
    assert register_customer(first_name="Eve", login_email="second@example.org").pk


def test_a_password_does_not_come_without_its_sign_in(acme, ada):
    other = register_customer(
        first_name="Ada", login_email="second@example.org", password="correct horse staple"
    )

    warnings = preview_merge(ada, other)["warnings"]
    merge_customers(ada, other)

    assert ada.password == ""
    assert any("password" in warning for warning in warnings)


def test_a_chosen_sign_in_replaces_the_survivors(acme, ada):
    other = register_customer(first_name="Ada", login_email="second@example.org")

    merge_customers(ada, other, choices={"login_email": "other"})

    assert ada.login_email == "second@example.org"
    assert register_customer(first_name="Eve", login_email="ada@example.org").pk


def test_sessions_and_codes_of_the_merged_record_end(acme, ada, twin, run_jobs):
    _row, theirs = create_token(acme, holder="customer", customer_id=twin.pk)
    _row, own = create_token(acme, holder="customer", customer_id=ada.pk)
    request_login_change(twin, login_email="new@example.org")
    run_jobs()
    assert ActivationCode.objects.get().customer_id == twin.pk

    merge_customers(ada, twin)

    assert principal_of(theirs) is None
    assert principal_of(own) is not None
    assert not ActivationCode.objects.exists()
    assert AccessToken.objects.filter(customer_id=twin.pk, revoked_at=None).count() == 0


def test_a_code_that_is_on_its_way_to_the_merged_record_is_not_made(
    ada, twin, run_jobs, mailoutbox
):
    request_login_change(twin, login_email="new@example.org")

    merge_customers(ada, twin)
    run_jobs()

    assert not ActivationCode.objects.exists()
    assert mailoutbox == []


def test_a_chosen_password_ends_the_survivors_sessions(acme, ada, twin):
    set_customer_password(ada, "correct horse staple")
    set_customer_password(twin, "another horse staple")
    _row, own = create_token(acme, holder="customer", customer_id=ada.pk)

    merge_customers(ada, twin, choices={"password": "other"})

    assert principal_of(own) is None


# --- Lists -----------------------------------------------------------------------------------
def test_lists_are_joined_behind_the_survivors_with_one_primary(ada, twin):
    update_customer(
        twin,
        emails=[{"address": "ADA@example.org", "primary": True}, {"address": "k@example.org"}],
        phones=[{"given": "+47 900 00 001"}, {"given": "22 22 22 22", "kind": "work"}],
        addresses=[{"street": "Storgata 1", "postal_code": "0155", "city": "Oslo", "country": "NO"},
                   {"street": "Parkveien 2", "city": "Oslo"}],
        labels=[{"key": "size", "value": "M"}],
        contact_persons=[{"first_name": "Per"}],
    )  # fmt: skip

    merge_customers(ada, twin)

    record = record_of(ada.pk)
    assert [(e["address"], e["primary"]) for e in record["emails"]] == [
        ("Ada@example.org", True),
        ("k@example.org", False),
    ]
    assert [p["given"] for p in record["phones"]] == ["900 00 001", "22 22 22 22"]
    assert [(a["street"], a["primary"]) for a in record["addresses"]] == [
        ("Storgata 1", True),
        ("Parkveien 2", False),
    ]
    assert [label["value"] for label in record["labels"]] == ["M"]
    assert [person["first_name"] for person in record["contact_persons"]] == ["Per"]
    assert not Email.objects.filter(customer=twin.pk).exists()


def test_moved_rows_keep_their_ids(ada, twin):
    row = add_entry(twin, "emails", {"address": "k@example.org"})

    merge_customers(ada, twin)

    assert Email.objects.get(pk=row.pk).customer_id == ada.pk


def test_the_same_contact_point_learns_what_the_other_record_knew(ada, twin):
    update_customer(
        twin, emails=[{"address": "ada@example.org", "opted_out": True, "verified": True}]
    )

    merge_customers(ada, twin)

    (email,) = record_of(ada.pk)["emails"]
    assert (email["opted_out"], email["verified"]) == (True, True)


def test_a_list_that_was_empty_takes_the_others_primary(grace, ada):
    merge_customers(grace, ada)

    assert [email["primary"] for email in record_of(grace.pk)["emails"]] == [True]


def test_devices_are_joined(ada, twin):
    for token in ("one", "two"):
        add_device(twin, token)
    add_device(ada, "one")

    merge_customers(ada, twin)

    assert {device["token"] for device in record_of(ada.pk)["devices"]} == {"one", "two"}
    assert ada.devices.count() == 2


def test_a_list_that_would_be_too_long_is_refused(ada, twin):
    update_customer(ada, labels=[{"key": f"a{n}"} for n in range(60)])
    update_customer(twin, labels=[{"key": f"b{n}"} for n in range(41)])

    assert blockers_of(ada, twin) == {"labels": "too_many"}


# --- Consents --------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("mine", "theirs", "outcome"),
    [
        (True, False, False),
        (False, True, False),
        (True, True, True),
        (False, False, False),
        (None, True, True),
        (None, False, False),
        (True, None, True),
        (False, None, False),
    ],
)
def test_a_no_in_either_record_is_a_no(ada, twin, mine, theirs, outcome):
    for customer, granted in ((ada, mine), (twin, theirs)):
        if granted is not None:
            record_consent(customer, purpose="marketing", granted=granted, source="form")

    merge_customers(ada, twin)

    assert current_consents(ada)["marketing"].granted is outcome
    assert [consent["granted"] for consent in record_of(ada.pk)["consents"]] == [outcome]
    reachable = Customer.objects.reachable("email").filter(pk=ada.pk).exists()
    assert reachable is outcome


def test_the_evidence_of_both_moves_along(ada, twin):
    record_consent(twin, purpose="marketing", granted=True, source="first")
    record_consent(twin, purpose="marketing", granted=False, source="second")
    record_consent(twin, purpose="legal", granted=True, source="third")
    record_consent(ada, purpose="marketing", granted=True, source="own")
    before = set(Consent.objects.values_list("pk", "granted", "at", "source"))

    merge_customers(ada, twin)

    assert set(Consent.objects.values_list("pk", "granted", "at", "source")) == before
    assert set(Consent.objects.values_list("customer_id", flat=True)) == {ada.pk}
    told = Consent.objects.filter(purpose="marketing").order_by("-version")
    assert [row.source for row in told] == ["second", "own", "first"]


def test_what_was_withdrawn_before_the_merge_can_be_granted_after_it(ada, twin):
    record_consent(ada, purpose="marketing", granted=True)
    record_consent(twin, purpose="marketing", granted=False)
    merge_customers(ada, twin)

    record_consent(ada, purpose="marketing", granted=True)

    assert current_consents(ada)["marketing"].granted is True


def test_a_chain_of_merges_keeps_all_evidence_in_order(ada, twin, grace):
    for customer in (ada, twin, grace):
        record_consent(customer, purpose="marketing", granted=True, source=customer.name)
    record_consent(grace, purpose="marketing", granted=False)

    merge_customers(twin, grace)
    merge_customers(ada, twin)

    assert Consent.objects.filter(customer=ada).count() == 4
    assert current_consents(ada)["marketing"].granted is False


# --- Stores, account, picture ----------------------------------------------------------------
def test_a_profile_moves_where_the_survivor_has_none(acme, ada, twin):
    here, there = StoreFactory(tenant=acme, code="here"), StoreFactory(tenant=acme, code="there")
    set_store_profile(ada, here, note="own")
    set_store_profile(twin, here, note="other", pos_ref="p1")
    set_store_profile(twin, there, note="away", pos_ref="p2")
    add_extension(twin, here, "delivery")

    merge_customers(ada, twin)

    assert record_of(ada.pk)["store_profiles"] == [
        {"store": "here", "pos_ref": "p1", "note": "own", "extensions": ["delivery"]},
        {"store": "there", "pos_ref": "p2", "note": "away", "extensions": []},
    ]


def test_two_references_of_one_till_need_a_choice(acme, ada, twin):
    store = StoreFactory(tenant=acme, code="till")
    set_store_profile(ada, store, pos_ref="p1", note="own")
    set_store_profile(twin, store, pos_ref="p2", note="other")
    assert blockers_of(ada, twin) == {"store_profiles.till": "two_pos_refs"}

    merge_customers(ada, twin, choices={"store_profiles.till": "other"})

    assert record_of(ada.pk)["store_profiles"] == [
        {"store": "till", "pos_ref": "p2", "note": "other", "extensions": []}
    ]


def test_two_open_charge_accounts_are_refused(ada, twin):
    set_charge_account(ada, number="1")
    set_charge_account(twin, number="2")

    assert blockers_of(ada, twin) == {"charge_account": "two_charge_accounts"}
    assert blockers_of(ada, twin, choices={"charge_account": "other"}) == {
        "charge_account": "two_charge_accounts"
    }


@pytest.mark.parametrize(
    ("mine", "theirs", "outcome"),
    [(None, False, "2"), (True, False, "2"), (False, True, "1"), (True, True, "1")],
)
def test_the_open_charge_account_stays(ada, twin, mine, theirs, outcome):
    if mine is not None:
        set_charge_account(ada, number="1", retired=mine)
    set_charge_account(twin, number="2", retired=theirs)

    merge_customers(ada, twin)

    assert record_of(ada.pk)["charge_account"]["number"] == outcome


def test_two_credit_balances_need_a_choice(ada, twin):
    update_customer(ada, credit_balance="10.00")
    update_customer(twin, credit_balance="20.00")
    assert blockers_of(ada, twin) == {"credit_balance": "two_balances"}

    merge_customers(ada, twin, choices={"credit_balance": "other"})

    assert ada.credit_balance == 2_000


def test_the_picture_comes_along_where_there_is_none(ada, twin):
    name = set_avatar(twin, picture()).file.name

    merge_customers(ada, twin)

    assert ada.avatar.file.name == name
    assert ada.avatar.file.storage.exists(name)


# --- What is refused -------------------------------------------------------------------------
def test_a_customer_is_not_merged_into_itself(ada):
    assert blockers_of(ada, ada) == {"other": "same_customer"}


@pytest.mark.parametrize("which", ["survivor", "other"])
def test_an_anonymised_customer_is_not_merged(ada, twin, which):
    anonymise_customer(ada if which == "survivor" else twin)

    assert blockers_of(ada, twin) == {which: "anonymised"}


def test_a_record_is_merged_once(ada, twin, grace):
    merge_customers(ada, twin)

    assert blockers_of(ada, twin) == {"other": "already_merged"}
    assert blockers_of(grace, twin) == {"other": "already_merged"}
    assert blockers_of(twin, grace) == {"survivor": "already_merged"}
    assert blockers_of(twin, ada) == {"survivor": "already_merged"}


def test_a_stranger_of_another_tenant_does_not_exist(ada, rival):
    stranger = CustomerFactory(tenant=rival)

    with pytest.raises(CustomerGone):
        merge_customers(ada, stranger)
    with pytest.raises(CustomerGone):
        preview_merge(stranger.pk, ada)
    with in_tenant(rival):
        assert not Merge.objects.exists()


def test_a_version_that_has_moved_on_is_refused_for_either(ada, twin):
    update_customer(twin, language="nb")

    with pytest.raises(VersionConflict):
        merge_customers(ada, twin, expected_versions={twin.pk: 1})
    with pytest.raises(VersionConflict):
        merge_customers(ada, twin, expected_versions={ada.pk: 7, twin.pk: 2})
    assert merge_customers(ada, twin, expected_versions={ada.pk: 1, twin.pk: 2})


def test_a_blocked_merge_leaves_nothing(ada, twin):
    set_charge_account(ada, number="1")
    set_charge_account(twin, number="2")
    n_history = HistoryEntry.objects.count()

    blockers_of(ada, twin)

    assert HistoryEntry.objects.count() == n_history
    assert not Merge.objects.exists()
    assert Customer.objects.count() == 2


# --- What is written -------------------------------------------------------------------------
def test_one_step_one_event_and_history_on_both(acme, ada, twin):
    before = Event.objects.count(), HistoryEntry.objects.count()

    with acting(Actor("staff", None, "Kari"), reason="same birthday"):
        merge = merge_customers(ada, twin)

    assert (Event.objects.count(), HistoryEntry.objects.count()) == (before[0] + 1, before[1] + 2)
    event = Event.objects.latest("id")
    assert (event.kind, event.subject_id, event.version) == ("customer.merged", ada.pk, 2)
    assert event.data == {"survivor": str(ada.pk), "merged": str(twin.pk)}
    assert ada.version == merge.version == 2
    own = HistoryEntry.objects.about("customer", ada.pk).first()
    theirs = HistoryEntry.objects.about("customer", twin.pk).first()
    assert own.deed == theirs.deed == "customer.merged"
    assert own.changes["merged_from"] == [None, str(twin.pk)]
    assert theirs.changes == {"merged_into": [None, str(ada.pk)]}
    assert own.reason == theirs.reason == merge.reason == "same birthday"
    assert merge.actor_label == "Kari"


def test_no_version_that_somebody_holds_for_the_old_id_fits_the_survivor(ada, twin):
    for language in ("nb", "nn", "sv"):
        update_customer(twin, language=language)

    merge_customers(ada, twin)

    assert ada.version > twin.version


def test_the_history_tells_what_moved_and_no_secret(ada, twin):
    update_customer(twin, emails=[{"address": "k@example.org"}], language="nb")
    set_customer_password(twin, "correct horse staple")
    record_consent(twin, purpose="legal", granted=False)

    merge_customers(ada, twin, choices={"password": "other"})

    changes = HistoryEntry.objects.about("customer", ada.pk).first().changes
    assert changes["language"] == ["", "nb"]
    assert changes["emails"][1] == ["Ada@example.org (primary)", "k@example.org"]
    assert changes["consent legal"] == [None, False]
    assert changes["password"] == [None, None]


def test_what_is_left_of_the_merged_row_is_what_leads_to_the_survivor(acme, ada):
    twin = register_customer(
        first_name="Augusta",
        external_id="ext-2",
        username="augusta",
        card_number="8002",
        internal_note="kind",
        login_email="second@example.org",
        birth_date="1915-12-10",
        password="correct horse staple",
    )

    merge_customers(ada, twin, choices={"card_number": "other"})

    shell = Customer.with_merged.get(pk=twin.pk)
    assert shell.merged_into_id == ada.pk
    assert (shell.external_id, shell.username, shell.number) == ("ext-2", None, twin.number)
    assert ada.username == "augusta"
    assert (ada.card_number, shell.card_number) == ("8002", "7001")
    assert (shell.name, shell.first_name, shell.internal_note, shell.search_text) == ("",) * 4
    assert (shell.login_email, shell.birth_month, shell.password) == (None, None, "")
    assert shell.status == "blocked"


def test_a_merged_record_counts_nowhere(ada, twin):
    merge_customers(ada, twin)

    assert list(Customer.objects.all()) == [ada]
    assert not Customer.objects.filter(pk=twin.pk).exists()


def test_a_record_that_took_others_takes_them_along(ada, twin, grace):
    merge_customers(twin, grace)
    merge_customers(ada, twin)

    merged = Customer.with_merged.filter(merged_into=ada)
    assert set(merged.values_list("pk", flat=True)) == {twin.pk, grace.pk}
    assert set(record_of(ada.pk)["merged_from"]) == {grace.pk, twin.pk}


# --- The preview -----------------------------------------------------------------------------
def test_the_preview_tells_both_values_and_the_outcome(ada, twin):
    update_customer(twin, language="nb", card_number="8002")

    preview = preview_merge(ada, twin, {"last_name": "other"})

    fields = {row["field"]: row for row in preview["fields"]}
    assert fields["last_name"] | {"choosable": None} == {
        "field": "last_name",
        "survivor": "Lovelace",
        "other": "King",
        "outcome": "King",
        "taken_from": "other",
        "differs": True,
        "choosable": None,
        "still_found": False,
    }
    assert fields["language"]["taken_from"] == "other"
    assert fields["card_number"]["still_found"] is True
    assert fields["no_email"]["choosable"] is False
    assert fields["password"]["survivor"] is False
    assert preview["survivor"]["id"] == ada.pk
    assert preview["blockers"] == []
    assert preview["undo_days"] == 30
    assert not Merge.objects.exists()


def test_the_preview_tells_lists_counts_and_consents(ada, twin):
    update_customer(twin, emails=[{"address": "ada@example.org"}, {"address": "k@example.org"}])
    record_consent(twin, purpose="marketing", granted=False)

    preview = preview_merge(ada, twin)

    emails = preview["lists"]["emails"]
    assert [row["text"] for row in emails["outcome"]] == [
        "Ada@example.org (primary)",
        "k@example.org",
    ]
    assert len(emails["same"]) == 1
    assert (preview["counts"]["emails"], preview["counts"]["consents"]) == (1, 1)
    assert preview["consents"] == [
        {"purpose": "marketing", "survivor": None, "other": False, "outcome": False,
         "taken_from": "other"}
    ]  # fmt: skip


def test_the_preview_words_what_forbids_the_merge(ada, twin):
    set_charge_account(ada, number="1")
    set_charge_account(twin, number="2")

    (blocker,) = preview_merge(ada, twin)["blockers"]

    assert blocker == {
        "code": "two_charge_accounts",
        "field": "charge_account",
        "message": "Both have an open charge account (1 and 2). Retire one of them first.",
    }


# --- Not a duplicate -------------------------------------------------------------------------
def test_that_two_are_not_the_same_is_remembered_once(ada, twin):
    first = not_duplicates(ada, twin, reason="twins")
    again = not_duplicates(twin, ada, reason="still twins")

    assert first == again
    assert NotDuplicate.objects.get().reason == "twins"
    told = HistoryEntry.objects.filter(deed="customer.not_duplicate")
    assert set(told.values_list("subject_id", flat=True)) == {ada.pk, twin.pk}
    assert told.count() == 2


def test_nobody_is_somebody_else_than_oneself(ada):
    with pytest.raises(ValidationError) as refused:
        not_duplicates(ada, ada)

    assert codes_of(refused.value) == {"other": "same_customer"}


def test_a_stranger_is_nobodys_twin(ada, rival):
    with pytest.raises(CustomerGone):
        not_duplicates(ada, CustomerFactory(tenant=rival))


def test_who_is_not_the_merged_record_is_not_the_survivor_either(ada, twin, grace):
    not_duplicates(twin, grace, reason="met her")
    not_duplicates(ada, twin)

    merge_customers(ada, twin)

    pair = NotDuplicate.objects.get()
    assert {pair.first_id, pair.second_id} == {ada.pk, grace.pk}
    assert pair.reason == "met her"


def test_a_pair_that_is_known_already_is_not_doubled(ada, twin, grace):
    not_duplicates(twin, grace)
    not_duplicates(ada, grace)

    merge_customers(ada, twin)

    assert NotDuplicate.objects.count() == 1
