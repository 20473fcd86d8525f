"""What stands below a customer, and what is done to a customer as a whole."""

import io
import uuid

import pytest
from PIL import Image

from customers.models import Customer
from tests.factories import CustomerFactory, StoreFactory

pytestmark = pytest.mark.django_db

ENTRIES = [
    ("emails", {"address": "b@example.org"}, {"opted_out": True}),
    ("phones", {"given": "90000002", "kind": "work"}, {"kind": "home"}),
    ("addresses", {"kind": "billing", "city": "Bergen"}, {"city": "Tromsø"}),
    ("contact-persons", {"first_name": "Eve"}, {"last_name": "Moe"}),
    ("labels", {"key": "vip", "value": "gold"}, {"value": "silver"}),
]


@pytest.mark.parametrize(("name", "new", "change"), ENTRIES)
def test_an_entry_is_added_read_changed_and_removed(admin, ada, name, new, change):
    path = f"customers/{ada.pk}/{name}/"

    made = admin.post(path, new)
    entry = made["Location"].partition("testserver")[2]
    listed = admin.get(path).json()["results"]
    changed = admin.patch(entry, change)
    removed = admin.delete(entry)

    assert made.status_code == 201
    assert made.json() in listed
    assert new.items() <= made.json().items()
    assert change.items() <= changed.json().items()
    assert (made["ETag"], changed["ETag"], removed["ETag"]) == ('"2"', '"3"', '"4"')
    assert admin.get(entry).status_code == 404
    assert admin.delete(entry).status_code == 404


@pytest.mark.parametrize(("name", "new", "change"), ENTRIES)
def test_an_entry_of_another_customer_is_missing(admin, ada, grace, name, new, change):
    entry_id = admin.post(f"customers/{ada.pk}/{name}/", new).json()["id"]
    path = f"customers/{grace.pk}/{name}/{entry_id}/"

    assert admin.get(path).status_code == 404
    assert admin.patch(path, change).status_code == 404
    assert admin.delete(path).status_code == 404


@pytest.mark.parametrize("entry_id", ["x", "0", "null", str(uuid.uuid4())])
def test_an_entry_that_is_not_there_is_missing(admin, ada, entry_id):
    path = f"customers/{ada.pk}/emails/{entry_id}/"

    assert admin.get(path).status_code == 404
    assert admin.patch(path, {"opted_out": True}).status_code == 404


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("emails", {}),
        ("emails", {"address": None}),
        ("emails", {"address": "x"}),
        ("phones", {}),
        ("phones", {"given": ""}),
        ("phones", {"given": "90000002", "kind": "pager"}),
        ("addresses", {"latitude": 400}),
        ("labels", {"value": "x"}),
        ("labels", {"key": None}),
        ("contact-persons", {"email": "x"}),
        ("devices", {}),
        ("devices", {"token": 5}),
        ("devices", {"token": "x" * 501}),
        ("consents", {"purpose": "legal"}),
        ("consents", {"granted": True}),
        ("consents", {"purpose": ["legal"], "granted": True}),
        ("consents", {"purpose": "x" * 41, "granted": True}),
        ("consents", {"purpose": "legal", "granted": True, "at": "tomorrow"}),
        ("consents", {"purpose": "legal", "granted": True, "at": "2999-01-01"}),
        ("consents", {"purpose": "legal", "granted": True, "store": "nowhere"}),
        ("consents", {"purpose": "legal", "granted": True, "source": []}),
    ],
)
def test_a_bad_part_names_its_field(admin, ada, name, body):
    answer = admin.post(f"customers/{ada.pk}/{name}/", body)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] in {
        "address", "given", "kind", "latitude", "key", "email", "token", "purpose", "granted",
        "at", "store", "source",
    }  # fmt: skip


def test_consents_are_kept_with_their_whole_history(admin, ada):
    path = f"customers/{ada.pk}/consents/"
    said = [True, True, False]

    statuses = [
        admin.post(path, {"purpose": "marketing", "granted": granted}).status_code
        for granted in said
    ]

    history = admin.get(path).json()["results"]
    assert statuses == [201, 200, 201]
    assert [row["granted"] for row in history] == [False, True]
    assert {row["actor"] for row in history} == {"staff"}
    current = admin.get(f"customers/{ada.pk}/").json()["consents"]
    assert [(row["purpose"], row["granted"]) for row in current] == [("marketing", False)]


def test_devices_go_by_id_or_by_the_token_in_a_body(admin, ada):
    path = f"customers/{ada.pk}/devices/"
    first = admin.post(path, {"token": "push/1?&"}).json()
    admin.post(path, {"token": "push-2"})

    by_id = admin.delete(f"{path}{first['id']}/")
    by_token = admin.post(f"{path}remove/", {"token": "push-2"})

    assert (by_id.status_code, by_token.status_code) == (204, 204)
    assert admin.get(path).json()["results"] == []
    assert admin.delete(f"{path}{first['id']}/").status_code == 404
    assert admin.post(f"{path}remove/", {"token": "push-2"}).status_code == 204


def test_a_store_keeps_its_own_profile(admin, ada):
    StoreFactory(tenant=ada.tenant, code="north")
    path = f"customers/{ada.pk}/stores/north/"

    made = admin.put(path, {"pos_ref": "till-1", "extensions": ["tax-free", "parking"]})
    changed = admin.put(path, {"note": "asks for receipts", "extensions": ["parking"]})

    assert made.json()["extensions"] == ["parking", "tax-free"]
    assert changed.json() == {
        "store": "north",
        "pos_ref": "till-1",
        "note": "asks for receipts",
        "extensions": ["parking"],
    }
    assert changed["ETag"] == '"3"'
    assert admin.delete(path).status_code == 204
    assert admin.get(path).status_code == admin.delete(path).status_code == 404
    assert admin.get(f"customers/{ada.pk}/stores/").json()["results"] == []


@pytest.mark.parametrize(
    "body",
    [{"pos_ref": 5}, {"note": []}, {"extensions": "x"}, {"extensions": [5]},
     {"extensions": ["x" * 41]}, {"extensions": [""]}, {"extensions": ["x"] * 101}],
)  # fmt: skip
def test_a_bad_store_profile_changes_nothing(admin, ada, body):
    StoreFactory(tenant=ada.tenant, code="north")

    answer = admin.put(f"customers/{ada.pk}/stores/north/", {"note": "n", **body})

    assert answer.status_code == 400
    ada.refresh_from_db()
    assert ada.version == 1


def test_the_tills_reference_is_taken_once_per_store(admin, ada, grace):
    StoreFactory(tenant=ada.tenant, code="north")
    admin.put(f"customers/{ada.pk}/stores/north/", {"pos_ref": "7"})

    answer = admin.put(f"customers/{grace.pk}/stores/north/", {"pos_ref": "7"})

    assert answer.status_code == 409
    assert answer.json()["errors"][0]["field"] == "pos_ref"


def test_a_charge_account_is_opened_retired_and_closed(admin, seller, ada):
    path = f"customers/{ada.pk}/charge-account/"

    assert admin.get(path).status_code == 404
    assert admin.put(path, {"retired": True}).status_code == 400
    assert admin.put(path, {"number": "C-1"}).json() == {"number": "C-1", "retired": False}
    assert admin.put(path, {"retired": True}).json() == {"number": "C-1", "retired": True}
    assert seller.get(path).status_code == 200
    assert seller.put(path, {"retired": False}).status_code == 403
    assert admin.delete(path).status_code == 204
    assert admin.delete(path).status_code == 404


# --- The picture -------------------------------------------------------------------------------
def picture(form="PNG"):
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(out, form)
    out.seek(0)
    out.name = "me.png"
    return out


def upload(api, path, **files):
    return api.client.post(f"/api/v1/{path}", files, headers=api.headers(None))


def test_a_picture_is_stored_shown_and_removed(admin, ada):
    path = f"customers/{ada.pk}/avatar/"

    stored = upload(admin, path, file=picture())
    shown = admin.get(path, headers={"Accept": "image/*"})
    content = b"".join(shown.streaming_content)
    removed = admin.delete(path)

    assert stored.status_code == 204, stored.content
    assert shown["Content-Type"] == "image/webp"
    assert shown["X-Content-Type-Options"] == "nosniff"
    assert shown["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert shown["Cache-Control"] == "no-store"
    assert Image.open(io.BytesIO(content)).size == (40, 30)
    assert removed.status_code == 204
    assert admin.get(path).status_code == admin.delete(path).status_code == 404


def test_a_picture_is_not_shown_to_another_customer(admin, as_role, ada, grace):
    upload(admin, f"customers/{ada.pk}/avatar/", file=picture())

    answer = as_role("customer", customer=grace).get(f"customers/{ada.pk}/avatar/")

    assert answer.status_code == 404


@pytest.mark.parametrize(
    "content", [b"", b"<svg/>", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"%PDF-1.4", b"a" * 5_300_000]
)
def test_what_is_no_picture_is_refused(admin, ada, content):
    file = io.BytesIO(content)
    file.name = "x.png"

    answer = upload(admin, f"customers/{ada.pk}/avatar/", file=file)

    assert answer.status_code in (400, 413)


def test_a_form_without_the_file_or_with_more_is_refused(admin, ada):
    path = f"customers/{ada.pk}/avatar/"

    for files in ({}, {"file": "text"}, {"picture": picture()}, {"file": picture(), "x": "1"}):
        assert upload(admin, path, **files).status_code == 400
    assert admin.post(path, {"file": "x"}).status_code == 415


# --- Deeds -------------------------------------------------------------------------------------
def test_activation_is_repeatable_and_reversible(admin, acme):
    person = CustomerFactory(tenant=acme, status="new")
    path = f"customers/{person.pk}/"

    states = [
        admin.post(f"{path}{deed}/").json()
        for deed in ("activate", "activate", "deactivate", "deactivate", "activate")
    ]

    assert [(state["status"], state["version"]) for state in states] == [
        ("active", 2),
        ("active", 2),
        ("blocked", 3),
        ("blocked", 3),
        ("active", 4),
    ]


def test_a_code_goes_to_new_customers_only(admin, ada):
    answer = admin.post(f"customers/{ada.pk}/send-code/", {"method": "email"})

    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:regulars:problem:not_new"


@pytest.mark.parametrize("method", ["pigeon", 5, [], {}, True])
def test_a_code_goes_by_mail_or_sms(admin, acme, method):
    person = CustomerFactory(tenant=acme, status="new")

    answer = admin.post(f"customers/{person.pk}/send-code/", {"method": method})

    assert answer.status_code == 400


def test_the_sixth_code_of_a_day_is_refused(admin, acme):
    person = CustomerFactory(tenant=acme, status="new", emails=[{"address": "p@example.org"}])
    path = f"customers/{person.pk}/send-code/"

    statuses = [admin.post(path, {"method": "email"}).status_code for _n in range(6)]

    assert statuses == [202] * 5 + [429]


def test_anonymising_is_final_and_repeatable(admin, ada):
    path = f"customers/{ada.pk}/"
    preview = admin.get(f"{path}anonymise/").json()

    first = admin.post(f"{path}anonymise/")
    again = admin.post(f"{path}anonymise/")

    record = admin.get(path).json()
    assert preview["erased"]
    assert (first.status_code, again.status_code) == (204, 204)
    assert (record["name"], record["emails"], record["status"]) == ("", [], "blocked")
    assert record["anonymised_at"]
    assert admin.patch(path, {"first_name": "Ada"}).status_code == 409
    assert admin.get("customers/", {"q": "lovelace"}).json()["results"] == []


def test_a_deleted_customer_is_gone(admin, ada):
    path = f"customers/{ada.pk}/"

    assert admin.delete(path).status_code == 204
    assert admin.get(path).status_code == admin.delete(path).status_code == 404
    assert admin.post("customers/", {"external_id": "ext-ada"}).status_code == 201


def test_an_export_holds_the_person(admin, as_role, ada):
    own = as_role("customer", customer=ada)

    for api in (admin, own):
        answer = api.get(f"customers/{ada.pk}/export/")

        assert answer.status_code == 200
        assert b"Lovelace" in answer.content


def test_the_history_hides_fields_that_a_seller_may_not_see(admin, seller, ada):
    admin.patch(f"customers/{ada.pk}/", {"ledger_number": "123", "first_name": "Adele"})
    path = f"customers/{ada.pk}/history/"

    def told(api):
        return set(api.get(path).json()["results"][0]["changes"])

    assert told(admin) == {"ledger_number", "first_name", "name"}
    assert told(seller) == {"first_name", "name"}


def test_the_history_comes_in_pages(admin, ada):
    for n in range(5):
        admin.patch(f"customers/{ada.pk}/", {"first_name": f"A{n}"})

    page = admin.get(f"customers/{ada.pk}/history/", {"page_size": 2}).json()

    assert [row["version"] for row in page["results"]] == [6, 5]
    assert page["next"]


def test_two_registrations_of_one_identifier_conflict(admin, ada):
    for name, value in (("external_id", "ext-ada"), ("login_email", "ADA@example.org")):
        answer = admin.post("customers/", {"first_name": "X", name: value})

        assert answer.status_code == 409
        assert answer.json()["errors"][0]["field"] == name
    assert Customer.objects.count() == 1
