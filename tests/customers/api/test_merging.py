"""Merging over the API: preview, deed, undo, and what the old id answers."""

import json
import uuid
from datetime import timedelta

import pytest

from customers.models import Customer, Merge, NotDuplicate
from customers.services import (
    anonymise_customer,
    merge_customers,
    record_consent,
    register_customer,
    set_charge_account,
    update_customer,
)
from events.models import HistoryEntry
from groups.services import subscribe_customer
from tenancy import clock
from tenancy.services import update_tenant
from tests.api_client import Api
from tests.factories import CustomerFactory, GroupFactory, make_token

pytestmark = pytest.mark.django_db


@pytest.fixture
def twin(acme):
    return register_customer(
        first_name="Augusta",
        last_name="King",
        external_id="ext-2",
        card_number="8002",
        emails=[{"address": "k@example.org"}],
    )


def merge(api, survivor, other, **body):
    return api.post(f"customers/{survivor.pk}/merge/", {"other": str(other.pk), **body})


def codes(response):
    return {error["field"]: error["code"] for error in response.json()["errors"]}


# --- Preview ---------------------------------------------------------------------------------
def test_the_preview_tells_what_would_happen_and_does_nothing(admin, ada, twin):
    record_consent(twin, purpose="marketing", granted=False)

    answer = admin.get(f"customers/{ada.pk}/merge-preview/", {"other": str(twin.pk)})

    assert answer.status_code == 200
    told = answer.json()
    assert told["survivor"]["id"] == str(ada.pk)
    assert told["other"]["code"] == "CUST-2"
    assert told["blockers"] == []
    assert told["counts"]["emails"] == 1
    assert told["consents"][0]["outcome"] is False
    assert not Merge.objects.exists()


def test_a_dry_run_is_the_preview_with_the_choices(admin, ada, twin):
    answer = merge(admin, ada, twin, dry_run=True, choices={"last_name": "other"})

    assert answer.status_code == 200
    fields = {field["field"]: field for field in answer.json()["fields"]}
    assert fields["name"]["outcome"] == "Ada King"
    assert not Merge.objects.exists()


def test_a_preview_shows_what_forbids_the_merge(admin, ada, twin):
    set_charge_account(ada, number="1")
    set_charge_account(twin, number="2")

    answer = admin.get(f"customers/{ada.pk}/merge-preview/", {"other": str(twin.pk)})

    assert [blocker["code"] for blocker in answer.json()["blockers"]] == ["two_charge_accounts"]


def test_a_preview_of_what_cannot_even_be_compared_is_an_answer_too(admin, ada, twin):
    anonymise_customer(twin)

    for other in (ada, twin):
        answer = admin.get(f"customers/{ada.pk}/merge-preview/", {"other": str(other.pk)})
        assert answer.status_code == 200
        assert answer.json()["blockers"]
        assert answer.json()["fields"] == []


# --- The deed --------------------------------------------------------------------------------
def test_a_merge_answers_the_one_id_that_is_true(admin, ada, twin):
    answer = merge(admin, ada, twin, choices={"card_number": "other"}, reason="same person")

    assert answer.status_code == 201
    told = answer.json()
    assert (told["survivor"], told["merged"]) == (str(ada.pk), str(twin.pk))
    assert (told["merged_number"], told["reason"], told["undoable"]) == (2, "same person", True)
    assert told["actor"]["kind"] == "staff"
    assert answer["ETag"] == '"2"'
    assert answer["Location"].endswith(f"/api/v1/merges/{told['id']}/")
    assert admin.get(f"merges/{told['id']}/").json() == told
    record = admin.get(f"customers/{ada.pk}/").json()
    assert record["card_number"] == "8002"
    assert record["merged_from"] == [str(twin.pk)]
    assert record["version"] == 2


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({}, "other", "required"),
        ({"other": "twin"}, "other", "invalid"),
        ({"other": str(uuid.UUID(int=1))}, "other", "does_not_exist"),
        ({"other": None, "who": 1}, "who", "unknown"),
        ({"other": "%s", "choices": {"shoes": "other"}}, "choices.shoes", "unknown"),
        ({"other": "%s", "choices": "all"}, "choices", "invalid"),
        ({"other": "%s", "choices": {"language": {}}}, "choices.language", "invalid_choice"),
        ({"other": "%s", "dry_run": "perhaps"}, "dry_run", "invalid_bool"),
        ({"other": "%s", "other_version": "two"}, "other_version", "invalid"),
        ({"other": "%s", "other_version": True}, "other_version", "invalid"),
        ({"other": "%s", "reason": ["because"]}, "reason", "invalid"),
        ({"other": "%s", "reason": "x" * 501}, "reason", "max_length"),
    ],
)
def test_a_body_that_makes_no_sense_is_refused_by_name(admin, ada, twin, body, field, code):
    body = {name: str(twin.pk) if value == "%s" else value for name, value in body.items()}

    answer = admin.post(f"customers/{ada.pk}/merge/", body)

    assert answer.status_code == 400
    assert codes(answer)[field] == code
    assert Customer.objects.count() == 2


def test_every_blocker_is_told_with_409(admin, ada, twin):
    set_charge_account(ada, number="1")
    set_charge_account(twin, number="2")
    update_customer(ada, credit_balance="1")
    update_customer(twin, credit_balance="2")

    answer = merge(admin, ada, twin)

    assert answer.status_code == 409
    assert codes(answer) == {
        "charge_account": "two_charge_accounts",
        "credit_balance": "two_balances",
    }
    assert answer.json()["type"] == "urn:regulars:problem:two_balances"


def test_a_merge_done_again_is_refused_and_with_its_key_repeated(admin, ada, twin):
    body = {"other": str(twin.pk)}
    key = {"Idempotency-Key": "merge-1"}
    first = admin.post(f"customers/{ada.pk}/merge/", body, headers=key)
    again = admin.post(f"customers/{ada.pk}/merge/", body, headers=key)
    other_way = merge(admin, twin, ada)

    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert again["Idempotent-Replayed"] == "true"
    assert merge(admin, ada, twin).status_code == 409
    # The old id in the path is the survivor's.
    assert codes(other_way) == {"other": "same_customer"}
    assert Merge.objects.count() == 1


def test_versions_that_have_moved_on_are_412(admin, ada, twin):
    update_customer(twin, language="nb")
    path = f"customers/{ada.pk}/merge/"

    assert admin.post(path, {"other": str(twin.pk)}, headers={"If-Match": '"9"'}).status_code == 412
    assert merge(admin, ada, twin, version=9).status_code == 412
    assert merge(admin, ada, twin, other_version=1).status_code == 412
    assert merge(admin, ada, twin, other_version=10**12).status_code == 412
    answer = admin.post(
        path, {"other": str(twin.pk), "other_version": 2}, headers={"If-Match": '"1"'}
    )
    assert answer.status_code == 201


# --- Rights and tenants ----------------------------------------------------------------------
def endpoints(ada, twin, merge_id):
    return [
        ("post", f"customers/{ada.pk}/merge/", {"other": str(twin.pk)}),
        ("get", f"customers/{ada.pk}/merge-preview/?other={twin.pk}", None),
        ("get", f"customers/{ada.pk}/not-duplicates/", None),
        ("post", f"customers/{ada.pk}/not-duplicates/", {"other": str(twin.pk)}),
        ("delete", f"customers/{ada.pk}/not-duplicates/?other={twin.pk}", None),
        ("get", "merges/", None),
        ("get", f"merges/{merge_id}/", None),
        ("post", f"merges/{merge_id}/undo/", {}),
    ]


@pytest.mark.parametrize(
    ("role", "options"),
    [
        ("seller", {}),
        ("customer", {}),
        ("service", {"scopes": ["customers:read", "customers:write", "customers:delete"]}),
    ],
)
def test_who_may_not_merge_is_refused_everywhere(as_role, ada, twin, grace, role, options):
    done = merge_customers(ada, grace)
    if role == "customer":
        options = {"customer": ada}
    api = as_role(role, **options)

    for method, path, body in endpoints(ada, twin, done.pk):
        answer = api.client.generic(
            method.upper(),
            f"/api/v1/{path}",
            data="" if body is None else json.dumps(body),
            content_type="application/json",
            headers=api.headers(None),
        )
        assert answer.status_code == 403, path
    assert Merge.objects.count() == 1


def test_a_service_with_the_scope_may(as_role, ada, twin):
    service = as_role("service", scopes=["customers:merge"])

    assert merge(service, ada, twin).status_code == 201


def test_another_tenants_records_do_not_exist(admin, as_role, ada, twin, rival):
    stranger = CustomerFactory(tenant=rival)

    assert codes(merge(admin, ada, stranger)) == {"other": "does_not_exist"}
    assert merge(admin, stranger, ada).status_code == 404
    preview = admin.get(f"customers/{ada.pk}/merge-preview/", {"other": str(stranger.pk)})
    assert codes(preview) == {"other": "does_not_exist"}
    assert codes(admin.post(
        f"customers/{ada.pk}/not-duplicates/", {"other": str(stranger.pk)}
    )) == {"other": "does_not_exist"}  # fmt: skip


def test_another_tenants_merges_do_not_exist(ada, twin, rival):
    done = merge_customers(ada, twin)
    theirs = Api(make_token(rival, "admin"))

    assert theirs.get("merges/").json()["results"] == []
    assert theirs.get(f"merges/{done.pk}/").status_code == 404
    assert theirs.post(f"merges/{done.pk}/undo/").status_code == 404
    assert theirs.get(f"customers/{twin.pk}/").status_code == 404


# --- Undoing ---------------------------------------------------------------------------------
def test_an_undo_makes_two_of_one(admin, ada, twin):
    done = merge(admin, ada, twin).json()

    answer = admin.post(f"merges/{done['id']}/undo/", {"reason": "two sisters"})

    assert answer.status_code == 200
    assert answer.json()["undoable"] is False
    assert answer.json()["undone_at"] is not None
    record = admin.get(f"customers/{twin.pk}/").json()
    assert (record["id"], record["card_number"], record["merged_from"]) == (
        str(twin.pk),
        "8002",
        [],
    )
    assert HistoryEntry.objects.about("customer", twin.pk).first().reason == "two sisters"


def test_what_cannot_be_undone_is_409_and_says_why(admin, acme, ada, twin, grace):
    update_tenant(acme, settings={"merge_undo_days": 1})
    first = merge_customers(ada, twin)
    second = merge_customers(ada, grace)

    assert admin.post(f"merges/{first.pk}/undo/").json()["type"].endswith("later_merge")
    with clock.frozen(second.at + timedelta(days=3)):
        late = admin.post(f"merges/{second.pk}/undo/")
    assert (late.status_code, late.json()["type"]) == (409, "urn:regulars:problem:undo_expired")
    assert admin.post(f"merges/{second.pk}/undo/").status_code == 200
    again = admin.post(f"merges/{second.pk}/undo/")
    assert (again.status_code, again.json()["type"]) == (409, "urn:regulars:problem:undone")
    anonymise_customer(ada)
    erased = admin.post(f"merges/{first.pk}/undo/")
    assert (erased.status_code, erased.json()["type"]) == (409, "urn:regulars:problem:anonymised")


@pytest.mark.parametrize("path", ["merges/nonsense/", f"merges/{uuid.UUID(int=7)}/"])
def test_a_merge_that_is_not_there_is_404(admin, path):
    assert admin.get(path).status_code == 404
    assert admin.post(f"{path}undo/").status_code == 404


def test_an_undo_takes_no_unknown_name_and_an_old_version_is_412(admin, ada, twin):
    done = merge_customers(ada, twin)

    assert codes(admin.post(f"merges/{done.pk}/undo/", {"why": "x"})) == {"why": "unknown"}
    stale = admin.post(f"merges/{done.pk}/undo/", {}, headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    fresh = admin.post(f"merges/{done.pk}/undo/", {}, headers={"If-Match": f'"{ada.version}"'})
    assert fresh.status_code == 200


def test_merges_are_listed_and_narrowed(admin, ada, twin, grace):
    first, second = merge_customers(ada, twin), merge_customers(ada, grace)
    admin.post(f"merges/{second.pk}/undo/")

    def ids(**parameters):
        return [row["id"] for row in admin.get("merges/", parameters).json()["results"]]

    assert ids() == [str(second.pk), str(first.pk)]
    assert ids(customer=str(twin.pk)) == [str(first.pk)]
    assert ids(customer=str(ada.pk), undone="true") == [str(second.pk)]
    assert ids(undone="false") == [str(first.pk)]
    assert admin.get("merges/", {"customer": "Ada"}).status_code == 400
    assert admin.get("merges/", {"undone": "perhaps"}).status_code == 400


# --- The old id ------------------------------------------------------------------------------
@pytest.fixture
def merged(ada, twin):
    merge_customers(ada, twin)
    return ada


PARTS = ("emails", "phones", "addresses", "contact-persons", "labels", "devices", "consents",
         "stores", "history", "groups", "not-duplicates")  # fmt: skip


@pytest.mark.parametrize("part", PARTS)
def test_every_part_of_the_old_id_is_the_survivors(acme, admin, merged, twin, part):
    subscribe_customer(merged, GroupFactory(tenant=acme))
    record_consent(merged, purpose="legal", granted=True)

    old = admin.get(f"customers/{twin.pk}/{part}/")
    new = admin.get(f"customers/{merged.pk}/{part}/")

    assert old.status_code == 200
    assert old.json()["results"] == new.json()["results"]
    if part in ("emails", "history", "groups", "consents"):
        assert new.json()["results"]


def test_the_old_id_answers_the_record_with_its_etag(admin, merged, twin):
    old = admin.get(f"customers/{twin.pk}/")

    assert (old.status_code, old["ETag"]) == (200, f'"{merged.version}"')
    assert old.json()["id"] == str(merged.pk)
    assert old.json()["merged_from"] == [str(twin.pk)]
    cached = admin.get(f"customers/{twin.pk}/", headers={"If-None-Match": old["ETag"]})
    assert cached.status_code == 304


def test_writes_to_the_old_id_reach_the_survivor(acme, admin, merged, twin):
    group = GroupFactory(tenant=acme, code="club")
    one = f"customers/{twin.pk}/"

    assert admin.patch(one, {"language": "nb"}).json()["id"] == str(merged.pk)
    assert admin.post(f"{one}labels/", {"key": "size", "value": "M"}).status_code == 201
    assert admin.post(f"{one}consents/", {"purpose": "legal", "granted": True}).status_code == 201
    assert admin.post(f"{one}devices/", {"token": "t"}).status_code == 201
    assert admin.put(f"{one}groups/{group.code}/", {"subscribed": True}).status_code == 201
    assert admin.put(f"{one}charge-account/", {"number": "1"}).status_code == 200
    assert admin.post(f"{one}deactivate/").json()["status"] == "blocked"
    record = admin.get(f"customers/{merged.pk}/").json()
    assert (record["language"], record["charge_account"]["number"]) == ("nb", "1")
    assert [label["value"] for label in record["labels"]] == ["M"]
    assert [group["code"] for group in record["groups"]] == ["club"]
    assert admin.post(f"{one}anonymise/").status_code == 204
    assert Customer.objects.get(pk=merged.pk).anonymised_at is not None


def test_deleting_the_old_id_deletes_the_person(admin, merged, twin):
    assert admin.delete(f"customers/{twin.pk}/").status_code == 204

    for old in (merged, twin):
        assert admin.get(f"customers/{old.pk}/").status_code == 404


def test_an_etag_of_the_old_record_fits_nothing(admin, ada, twin):
    for language in ("nb", "nn", "sv"):
        update_customer(twin, language=language)
    seen = admin.get(f"customers/{twin.pk}/")["ETag"]
    merge_customers(ada, twin)

    answer = admin.patch(f"customers/{twin.pk}/", {"language": "da"}, headers={"If-Match": seen})

    assert answer.status_code == 412


def test_an_old_record_sent_again_exchanges_no_identifiers(admin, merged, twin):
    body = {"card_number": "8002", "external_id": "ext-2", "language": "nb"}

    assert admin.patch(f"customers/{twin.pk}/", body).status_code == 200

    merged.refresh_from_db()
    assert (merged.card_number, merged.external_id, merged.language) == ("7001", "ext-ada", "nb")
    own = admin.patch(f"customers/{merged.pk}/", {"card_number": "8002"})
    assert own.json()["card_number"] == "8002"
    assert admin.get("customers/", {"card_number": "7001"}).json()["results"][0]["id"] == str(
        merged.pk
    )


def test_upserts_by_either_key_meet_and_settle(admin, merged, twin):
    def upsert(*items):
        answer = admin.post("customers/batch/", {"upsert": list(items)})
        return [(row["status"], row["id"], row["version"]) for row in answer.json()["results"]]

    items = (
        {"external_id": "ext-ada", "language": "nb"},
        {"external_id": "ext-2", "language": "nb", "card_number": "8002"},
        {"id": str(twin.pk), "external_id": "ext-2", "language": "nb"},
    )
    first = upsert(*items)

    assert first == upsert(*items) == [(200, str(merged.pk), 3)] * 3
    updated = admin.post("customers/batch/", {"update": [{"id": str(twin.pk), "hidden": True}]})
    assert updated.json()["results"][0]["id"] == str(merged.pk)


@pytest.mark.parametrize(
    ("name", "value"),
    [("external_id", "ext-2"), ("card_number", "8002"), ("number", "CUST-2"),
     ("email", "k@example.org"), ("number", "2")],
)  # fmt: skip
def test_lists_searches_and_checks_lead_to_the_survivor(admin, merged, name, value):
    listed = admin.get("customers/", {name: value}).json()["results"]
    searched = admin.post("customers/search/", {name: value}).json()["results"]

    assert [row["id"] for row in listed] == [row["id"] for row in searched] == [str(merged.pk)]
    assert admin.post("customers/check/", {name: value}).json() == {name: 1}
    assert admin.get("customers/", {"q": value}).json()["results"][0]["id"] == str(merged.pk)


def test_the_registrations_count_one(admin, merged):
    assert admin.get("customers/registrations/").json()["total"] == 1
    assert admin.get("customers/", {"count": "true"}).json()["count"] == 1


def test_the_history_tells_of_both_records_and_the_seller_sees_the_merge(
    admin, seller, merged, twin
):
    entries = admin.get(f"customers/{merged.pk}/history/").json()["results"]

    assert {entry["customer"] for entry in entries} == {str(merged.pk), str(twin.pk)}
    assert [entry["deed"] for entry in entries].count("customer.registered") == 2
    told = seller.get(f"customers/{merged.pk}/history/").json()["results"]
    assert any("merged_from" in entry["changes"] for entry in told)


def test_the_person_reaches_the_own_record_under_the_old_id(as_role, merged, twin, grace):
    own = as_role("customer", customer=merged)

    assert own.get(f"customers/{twin.pk}/").json()["id"] == str(merged.pk)
    assert own.patch(f"customers/{twin.pk}/", {"language": "nb"}).status_code == 200
    assert own.get(f"customers/{twin.pk}/groups/").status_code == 200
    assert own.get(f"customers/{grace.pk}/").status_code == 404
    other = as_role("customer", customer=grace)
    for old in (twin, merged):
        assert other.get(f"customers/{old.pk}/").status_code == 404
        assert other.get(f"customers/{old.pk}/groups/").status_code == 404


def test_nobody_sets_where_a_record_came_from(admin, ada):
    answer = admin.patch(f"customers/{ada.pk}/", {"merged_from": [], "merged_into": None})

    assert codes(answer) == {"merged_from": "read_only", "merged_into": "read_only"}


# --- Not a duplicate -------------------------------------------------------------------------
def test_two_people_are_told_apart_listed_and_forgotten(admin, ada, twin):
    path = f"customers/{ada.pk}/not-duplicates/"

    first = admin.post(path, {"other": str(twin.pk), "reason": "mother and daughter"})
    again = admin.post(f"customers/{twin.pk}/not-duplicates/", {"other": str(ada.pk)})

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["reason"] == again.json()["reason"] == "mother and daughter"
    assert again.json()["other"] == str(ada.pk)
    (pair,) = admin.get(path).json()["results"]
    assert pair["other"] == str(twin.pk)
    assert admin.delete(f"{path}?other={twin.pk}").status_code == 204
    assert admin.delete(f"{path}?other={twin.pk}").status_code == 404
    assert not NotDuplicate.objects.exists()


def test_nobody_is_told_apart_from_oneself(admin, ada):
    answer = admin.post(f"customers/{ada.pk}/not-duplicates/", {"other": str(ada.pk)})

    assert (answer.status_code, codes(answer)) == (400, {"other": "same_customer"})
