"""Which fields whom: seen and changed by the table, everything else refused by name."""

import pytest

from customers.models import Customer
from customers.records import record_of
from customers.serializers import (
    AddressSerializer,
    ContactPersonSerializer,
    CustomerChangeSerializer,
    CustomerRegistrationSerializer,
    CustomerSerializer,
    DeviceSerializer,
    EmailSerializer,
    LabelSerializer,
    PhoneSerializer,
)
from customers.services import add_device, add_entry, set_store_profile
from customers.views.writing import ONLY_AT_REGISTRATION, SERVER_OWNED, changeable
from tenancy.permissions import changes_field, sees_field
from tenancy.services import update_tenant
from tests.factories import CustomerFactory, StoreFactory

pytestmark = pytest.mark.django_db

ROLES = ["admin", "seller", "service", "customer"]
NAMES = sorted(changeable())
OWNED = sorted(SERVER_OWNED - changeable() - set(ONLY_AT_REGISTRATION))
INTERNAL = [
    *("tenant", "tenant_id", "password", "search_text", "login_phone_key", "name_given"),
    *("birth_year", "home_store_id", "pk", "is_staff", "points", "deed", "customer", "reason"),
    *("expected_version", "registered", "__class__", "objects", "save", "position", ""),
]


def test_the_schema_shows_exactly_what_a_record_holds(acme, ada):
    assert set(record_of(ada.pk)) == set(CustomerSerializer().fields)


def test_the_schema_shows_exactly_what_may_be_sent(acme):
    assert set(CustomerChangeSerializer().fields) == changeable() | {"version"}
    assert set(CustomerRegistrationSerializer().fields) == changeable() | {*ONLY_AT_REGISTRATION}


@pytest.mark.parametrize(
    ("name", "serializer"),
    [
        ("emails", EmailSerializer),
        ("phones", PhoneSerializer),
        ("addresses", AddressSerializer),
        ("contact_persons", ContactPersonSerializer),
        ("labels", LabelSerializer),
        ("devices", DeviceSerializer),
    ],
)
def test_the_schema_shows_exactly_what_a_part_holds(ada, name, serializer):
    add_entry(ada, "contact_persons", {"first_name": "Eve"})
    add_entry(ada, "labels", {"key": "k"})
    add_device(ada, "t")

    assert set(record_of(ada.pk)[name][0]) == set(serializer().fields)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_sees_its_fields_and_no_other(as_role, ada, role):
    api = as_role(role, customer=ada)

    shown = set(api.get(f"customers/{ada.pk}/").json())

    assert shown == {name for name in record_of(ada.pk) if sees_field(role, name)}


def test_a_seller_sees_the_same_in_a_list(seller, ada):
    row = seller.get("customers/").json()["results"][0]

    assert row == seller.get(f"customers/{ada.pk}/").json()


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", NAMES)
def test_a_role_changes_its_fields_and_no_other(as_role, ada, role, name):
    api = as_role(role, customer=ada)

    answer = api.patch(f"customers/{ada.pk}/", {name: None})

    if changes_field(role, name):
        assert answer.status_code in (200, 400)
    else:
        assert answer.status_code == 403
        assert [error["field"] for error in answer.json()["errors"]] == [name]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", [*OWNED, *INTERNAL])
def test_what_the_system_keeps_nobody_sets(as_role, ada, role, name):
    api = as_role(role, customer=ada)
    before = Customer.objects.filter(pk=ada.pk).values().get()

    changed = api.patch(f"customers/{ada.pk}/", {name: 5} if name != "version" else {"number": 5})
    made = api.post("customers/", {"first_name": "X", name: 5})

    assert changed.status_code == 400
    assert made.status_code == (403 if role == "customer" else 400)
    assert Customer.objects.filter(pk=ada.pk).values().get() == before
    assert Customer.objects.count() == 1


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("emails/", {"address": "b@example.org", "created_at": "2020-01-01"}),
        ("emails/", {"address": "b@example.org", "id": "1"}),
        ("emails/", {"address": "b@example.org", "customer": "1"}),
        ("emails/", {"address": "b@example.org", "address_key": "1"}),
        ("phones/", {"given": "90000002", "e164": "+4790000002"}),
        ("phones/", {"given": "90000002", "digits": "1"}),
        ("addresses/", {"city": "Oslo", "position": 1}),
        ("labels/", {"key": "k", "tenant": "x"}),
        ("contact-persons/", {"first_name": "E", "customer_id": "x"}),
        ("devices/", {"token": "t", "created_at": "2020"}),
        ("consents/", {"purpose": "legal", "granted": True, "actor_kind": "system"}),
        ("consents/", {"purpose": "legal", "granted": True, "version": 1}),
        ("stores/x/", {"note": "n", "customer": "x"}),
        ("charge-account/", {"number": "1", "created_at": "2020"}),
        ("activate/", {"status": "new"}),
        ("deactivate/", {"force": True}),
        ("anonymise/", {"force": True}),
        ("set-password/", {"password": "correct horse battery", "hash": "x"}),
        ("send-code/", {"method": "email", "to": "evil@example.org"}),
        ("change-login/", {"login_email": "a@b.no", "username": "x"}),
        ("confirm-login/", {"code": "1", "login_email": "x"}),
    ],
)
def test_a_part_takes_no_field_that_is_not_its_own(admin, ada, path, body):
    method = "put" if path in ("stores/x/", "charge-account/") else "post"
    StoreFactory(tenant=ada.tenant, code="x")

    answer = admin.send(method, f"customers/{ada.pk}/{path}", body)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] in body
    ada.refresh_from_db()
    assert ada.version == 1


# --- Customers ---------------------------------------------------------------------------------
@pytest.fixture
def own(as_role, ada):
    """The API in Ada's own hands."""
    return as_role("customer", customer=ada)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("patch", "", {"emails": [{"address": "x@example.org", "verified": True}]}),
        ("patch", "", {"phones": [{"given": "90000002", "verified": False}]}),
        ("post", "emails/", {"address": "x@example.org", "verified": True}),
        ("post", "phones/", {"given": "90000002", "verified": True}),
        ("post", "consents/", {"purpose": "legal", "granted": True, "at": "2020-01-01"}),
        ("post", "consents/", {"purpose": "legal", "granted": True, "store": "x"}),
    ],
)
def test_a_customer_proves_nothing_by_saying_so(own, ada, method, path, body):
    answer = own.send(method, f"customers/{ada.pk}/{path}", body)

    assert answer.status_code == 403
    ada.refresh_from_db()
    assert ada.version == 1


def test_a_customer_edits_the_own_profile(own, ada):
    path = f"customers/{ada.pk}/"

    answers = [
        own.patch(path, {"first_name": "Adele"}),
        own.post(f"{path}emails/", {"address": "b@example.org"}),
        own.post(f"{path}consents/", {"purpose": "marketing", "granted": True}),
        own.post(f"{path}devices/", {"token": "t"}),
    ]

    assert [answer.status_code for answer in answers] == [200, 201, 201, 201]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("patch", "", {"first_name": "Adele"}),
        ("post", "emails/", {"address": "b@example.org"}),
        ("post", "phones/", {"given": "90000002"}),
        ("post", "addresses/", {"city": "Oslo"}),
        ("delete", "avatar/", None),
    ],
)
def test_a_tenant_may_keep_the_profiles_itself(own, acme, ada, method, path, body):
    update_tenant(acme, settings={"allow_profile_edits": False})

    answer = own.send(method, f"customers/{ada.pk}/{path}", body)

    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("consents/", {"purpose": "marketing", "granted": False}),
        ("devices/", {"token": "t"}),
        ("set-password/", {"password": "correct horse battery"}),
    ],
)
def test_consent_devices_and_password_stay_in_the_customers_hands(own, acme, ada, path, body):
    update_tenant(acme, settings={"allow_profile_edits": False})

    assert own.post(f"customers/{ada.pk}/{path}", body).status_code in (201, 204)


def test_a_customer_proves_the_old_password_for_a_new_one(as_role, acme):
    person = CustomerFactory(tenant=acme, login_email="p@example.org", password="old one 123 abc")
    path = f"customers/{person.pk}/set-password/"

    def attempt(**body):
        api = as_role("customer", customer=person)
        return api.post(path, {"password": "correct horse battery", **body}).status_code

    assert attempt() == 400
    assert attempt(current_password="guess") == 400
    assert attempt(current_password=["old one 123 abc"]) == 400
    assert attempt(current_password="old one 123 abc") == 204


def test_the_old_password_cannot_be_guessed_forever(as_role, acme):
    person = CustomerFactory(tenant=acme, login_email="p@example.org", password="old one 123 abc")
    api = as_role("customer", customer=person)

    statuses = [
        api.post(
            f"customers/{person.pk}/set-password/",
            {"password": "correct horse battery", "current_password": f"guess {n}"},
            headers={"Idempotency-Key": f"k{n}"},
        ).status_code
        for n in range(12)
    ]

    assert statuses == [400] * 10 + [429] * 2


def test_a_blocked_customers_token_ends(admin, own, ada):
    admin.post(f"customers/{ada.pk}/deactivate/")

    assert own.get(f"customers/{ada.pk}/").status_code == 401


def test_a_customer_waits_for_a_code_to_change_the_sign_in(own, ada, mailoutbox):
    path = f"customers/{ada.pk}/"

    answer = own.post(f"{path}change-login/", {"login_email": "new@example.org"})

    assert answer.status_code == 202
    assert answer.json() == {"code_sent_to": "login_email"}
    assert own.get(path).json()["login_email"] == "ada@example.org"
    assert own.post(f"{path}confirm-login/", {"code": "wrong"}).status_code == 400


# --- Tokens of a store -------------------------------------------------------------------------
@pytest.fixture
def north(acme):
    return StoreFactory(tenant=acme, code="north")


@pytest.fixture
def south(acme):
    return StoreFactory(tenant=acme, code="south")


@pytest.mark.parametrize("role", ["admin", "seller", "service"])
def test_a_token_of_one_store_registers_there(as_role, north, role):
    answer = as_role(role, stores=[north]).post("customers/", {"first_name": "A"})

    assert answer.status_code == 201
    assert answer.json()["home_store"] == "north"


@pytest.mark.parametrize("name", ["store", "home_store"])
@pytest.mark.parametrize("by", ["code", "pk"])
def test_a_token_of_one_store_registers_nowhere_else(as_role, north, south, name, by):
    body = {"first_name": "A", name: str(getattr(south, by))}

    answer = as_role("seller", stores=[north]).post("customers/", body)

    assert answer.status_code == 403
    assert not Customer.objects.exists()


def test_a_token_of_two_stores_names_one(as_role, north, south):
    api = as_role("seller", stores=[north, south])

    unnamed = api.post("customers/", {"first_name": "A"})
    named = api.post("customers/", {"first_name": "A", "store": "SOUTH"})

    assert unnamed.status_code == 400
    assert unnamed.json()["errors"][0]["field"] == "store"
    assert named.json()["home_store"] == "south"


def test_a_token_of_one_store_reads_everybody_and_writes_its_own_profile(
    as_role, ada, north, south
):
    api = as_role("seller", stores=[north])
    path = f"customers/{ada.pk}/"

    assert api.get(path).status_code == 200
    assert api.put(f"{path}stores/north/", {"note": "hers"}).status_code == 200
    assert api.put(f"{path}stores/south/", {"note": "theirs"}).status_code == 403
    set_store_profile(ada, south, note="theirs")
    assert api.delete(f"{path}stores/south/").status_code == 403
