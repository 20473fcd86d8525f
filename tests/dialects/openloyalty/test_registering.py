"""Registering somebody at a till or in the office: the contract's cases and what lies around them.

The numbers are those of the contract.
"""

import uuid

import pytest

from customers.models import Customer
from customers.services.consents import current_consents
from tenancy.scoping import in_tenant
from tests.dialects.openloyalty.client import OpenLoyalty, all_errors, customer, errors_of
from tests.factories import StoreFactory, make_token

pytestmark = pytest.mark.django_db

JOHN = {"firstName": "John", "lastName": "Kowalski", "email": "john@example.com", "agreement1": "1"}
ADDRESS = ["street", "address1", "address2", "postal", "city", "province", "country"]


def stored(shop, customer_id):
    with in_tenant(shop):
        return Customer.objects.select_related("seller", "home_store").get(pk=customer_id)


def test_t1_a_registration_answers_id_and_email(admin):
    answer = admin.post("customer/register", customer(**JOHN, phone="000000005000"))

    assert answer.status_code == 200
    assert set(answer.json()) == {"customerId", "email"}
    assert uuid.UUID(answer.json()["customerId"])
    assert answer.json()["email"] == "john@example.com"


def test_t2_who_is_registered_by_staff_is_active_at_once(admin, register):
    told = admin.get(f"customer/{register()}").json()

    assert told["active"] is True
    assert (told["status"]["type"], told["status"]["state"]) == ("active", "no-card")
    assert told["gender"] == "not_disclosed"
    assert (told["agreement1"], told["agreement2"]) == (True, False)
    assert told["labels"] == []
    assert "manuallyAssignedLevelId" not in told


def test_t4_an_empty_body_is_answered_by_the_form_without_a_message(admin):
    answer = admin.post("customer/register")

    assert answer.status_code == 400
    children = answer.json()["form"]["children"]
    assert list(children) == [
        *("firstName", "lastName", "gender", "email", "phone", "birthDate", "createdAt"),
        *("address", "company", "loyaltyCardNumber", "agreement1", "agreement2", "agreement3"),
        *("levelId", "posId", "sellerId"),
    ]
    assert list(children["address"]["children"]) == ADDRESS
    assert list(children["company"]["children"]) == ["name", "nip"]
    assert answer.json()["errors"] == []
    assert all_errors(answer) == {}


@pytest.mark.parametrize(
    ("given", "child", "sentence"),
    [
        ({"email": "not-an-email"}, "email", "This value is not a valid email address."),
        ({"email": ""}, "email", "This value should not be blank."),
        ({"agreement1": "0"}, "agreement1", "This value should not be blank."),
        ({"agreement1": "false"}, "agreement1", "This value should not be blank."),
        ({"agreement1": ""}, "agreement1", "This value should not be blank."),
        ({"agreement2": "perhaps"}, "agreement2", "This value is not valid."),
        ({"firstName": " "}, "firstName", "This value should not be blank."),
        ({"lastName": ""}, "lastName", "This value should not be blank."),
        ({"firstName": "x" * 200}, "firstName", "This value is too long."),
        ({"gender": "other"}, "gender", "This value is not valid."),
        ({"phone": "+440000000"}, "phone", "This value is not a valid phone number."),
        ({"phone": "abc"}, "phone", "This value is not a valid phone number."),
        ({"birthDate": "17.05.1988"}, "birthDate", "This value is not valid."),
        ({"birthDate": "1988-02-30"}, "birthDate", "This value is not valid."),
        ({"createdAt": "yesterday"}, "createdAt", "This value is not valid."),
        ({"createdAt": "2999-01-01"}, "createdAt", "This value is not valid."),
        ({"address__country": "Atlantis"}, "address.country", "This value is not valid."),
        ({"address__street": "x" * 300}, "address.street", "This value is too long."),
        ({"labels": ":v"}, "labels", "Customer labels invalid data"),
        ({"posId": str(uuid.uuid4())}, "posId", "This value is not valid."),
        ({"posId": "main street"}, "posId", "This value is not valid."),
        ({"sellerId": str(uuid.uuid4())}, "sellerId", "This value is not valid."),
        ({"levelId": str(uuid.uuid4())}, "levelId", "This value is not valid."),
    ],
)
def test_t6_t7_a_broken_rule_is_said_at_its_field(admin, given, child, sentence):
    answer = admin.post("customer/register", customer(**(JOHN | given)))

    assert answer.status_code == 400
    assert all_errors(answer) == {child: [sentence]}
    assert answer.json()["errors"] == []
    assert admin.get("customer").json()["total"] == 0


def test_every_broken_rule_is_said_at_once(admin):
    given = {"firstName": "", "email": "x", "birthDate": "x", "address__country": "x"}

    answer = admin.post("customer/register", customer(**given))

    assert set(all_errors(answer)) == {
        *("firstName", "lastName", "email", "birthDate", "address.country", "agreement1"),
    }  # fmt: skip


def test_an_unknown_field_is_refused_at_the_form(admin):
    answer = admin.post("customer/register", customer(**JOHN, level="gold"))

    assert answer.status_code == 400
    assert answer.json()["errors"] == ["This form should not contain extra fields."]
    assert all_errors(answer) == {"": ["This form should not contain extra fields."]}


@pytest.mark.parametrize(
    ("name", "first", "again", "sentence"),
    [
        ("email", "Ada@example.com", "ADA@EXAMPLE.COM", "Customer with such email already exists."),
        ("phone", "+48234234000", "48234234000", "Customer with such phone already exists."),
        ("loyaltyCardNumber", "7001", "7001",
         "Customer with such loyalty card number already exists."),
    ],
)  # fmt: skip
def test_t9_t10_t11_what_signs_in_is_taken_once(admin, register, name, first, again, sentence):
    register(**{name: first})

    answer = admin.post("customer/register", customer(**(JOHN | {name: again})))

    assert answer.status_code == 400
    assert all_errors(answer) == {name: [sentence]}


def test_everything_that_is_taken_is_said_at_once(admin, register):
    given = {"email": "ada@example.com", "phone": "123123123", "loyaltyCardNumber": "1"}
    register(**given)

    answer = admin.post("customer/register", customer(**(JOHN | given)))

    assert set(all_errors(answer)) == set(given)


def test_a_blocked_customers_email_is_still_taken(admin, register, shop):
    from customers.services import deactivate_customer

    customer_id = register(email="ada@example.com")
    with in_tenant(shop):
        deactivate_customer(stored(shop, customer_id))

    answer = admin.post("customer/register", customer(**(JOHN | {"email": "ada@example.com"})))

    assert errors_of(answer, "email") == ["Customer with such email already exists."]


def test_t12_many_may_have_no_phone_and_no_card(register):
    assert register(phone="", loyaltyCardNumber="") != register(phone="", loyaltyCardNumber="")


@pytest.mark.parametrize(
    "phone",
    [
        *("+48234234000", "+48456456000", "+48123123123", "+443340000000", "123123123"),
        *("000000005000", "0665998332", "48123456789"),
    ],
)
def test_a_phone_is_answered_as_it_was_given(admin, register, phone):
    assert admin.get(f"customer/{register(phone=phone)}").json()["phone"] == phone


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("l1:v1;l2:v2", [("l1", "v1"), ("l2", "v2")]),
        ("b:2;a:1", [("b", "2"), ("a", "1")]),
        ("k:", [("k", "")]),
        ("k:v:w;nothing;", [("k", "v:w")]),
        ("", []),
    ],
)
def test_t14_labels_keep_their_order(admin, register, text, labels):
    told = admin.get(f"customer/{register(labels=text)}").json()

    assert told["labels"] == [{"key": key, "value": value} for key, value in labels]


@pytest.mark.parametrize("half", [{"company__name": "X"}, {"company__nip": "1"}])
def test_t16_half_a_company_is_none(admin, register, half):
    assert "company" not in admin.get(f"customer/{register(**half)}").json()


def test_a_whole_company_is_kept(admin, register):
    told = admin.get(
        f"customer/{register(company__name='Lee Ltd', company__nip='111-222-33-44')}"
    ).json()

    assert told["company"] == {"name": "Lee Ltd", "nip": "111-222-33-44"}


def test_t21_only_staff_register(admin, nobody, as_, register, shop):
    own = as_("customer", customer=stored(shop, register()))

    for path in ("customer/register", "admin/customer/register", "seller/customer/register"):
        assert own.post(path, customer(**JOHN)).status_code == 403
        assert nobody.post(path, customer(**JOHN)).status_code == 401


def test_the_offices_path_is_closed_to_sellers(seller):
    assert seller.post("admin/customer/register", customer(**JOHN)).status_code == 403


def test_a_seller_registers_own_customers_at_the_own_store(as_, shop, members, admin):
    store = StoreFactory(tenant=shop, code="pos2")
    till = as_("seller", stores=[store])

    customer_id = till.post("seller/customer/register", customer(**JOHN)).json()["customerId"]

    told = admin.get(f"customer/{customer_id}").json()
    assert told["sellerId"] == str(members("seller").pk)
    assert (told["posId"], told["posIdentifier"]) == (str(store.pk), "pos2")
    assert told["active"] is True


def test_a_seller_cannot_name_another_seller(seller, members):
    answer = seller.post(
        "seller/customer/register", customer(**JOHN, sellerId=str(members("seller").pk))
    )

    assert answer.json()["errors"] == ["This form should not contain extra fields."]
    assert "sellerId" not in answer.json()["form"]["children"]


def test_a_till_registers_at_no_other_store(as_, shop):
    own, other = StoreFactory(tenant=shop), StoreFactory(tenant=shop)
    till = as_("seller", stores=[own])

    answer = till.post("customer/register", customer(**JOHN, posId=str(other.pk)))

    assert answer.status_code == 403


def test_a_store_of_another_tenant_is_none(admin, rival):
    foreign = StoreFactory(tenant=rival)

    answer = admin.post("customer/register", customer(**JOHN, posId=str(foreign.pk)))

    assert all_errors(answer) == {"posId": ["This value is not valid."]}


def test_an_administrator_names_store_and_seller(admin, shop, as_, members):
    store = StoreFactory(tenant=shop)
    as_("seller")
    seller_id = str(members("seller").pk)

    answer = admin.post(
        "admin/customer/register", customer(**JOHN, posId=str(store.pk), sellerId=seller_id)
    )

    told = admin.get(f"customer/{answer.json()['customerId']}").json()
    assert (told["posId"], told["sellerId"]) == (str(store.pk), seller_id)


def test_a_service_registers_like_an_administrator(as_):
    service = as_("service", scopes=["customers:write"])

    assert service.post("customer/register", customer(**JOHN)).status_code == 200


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("2017-01-01 14:15:16", "2017-01-01T14:15:16+0100"),
        ("2017-07-01", "2017-07-01T00:00:00+0200"),
        ("2017-07-01T10:00:00+0000", "2017-07-01T12:00:00+0200"),
    ],
)
def test_a_registration_elsewhere_keeps_its_time(admin, register, given, told):
    assert admin.get(f"customer/{register(createdAt=given)}").json()["createdAt"] == told


@pytest.mark.parametrize(
    ("zone", "told"),
    [
        ("Europe/Warsaw", "1990-09-11T02:00:00+0200"),
        ("America/New_York", "1990-09-11T00:00:00-0400"),
        ("UTC", "1990-09-11T00:00:00+0000"),
    ],
)
def test_a_birth_date_is_that_day_as_written_and_in_utc(admin, register, shop, zone, told):
    from tenancy.services import update_tenant

    customer_id = register(birthDate="1990-09-11")

    update_tenant(shop, timezone=zone)

    assert admin.get(f"customer/{customer_id}").json()["birthDate"] == told


def test_ticks_are_statements_of_consent(register, shop):
    customer_id = register(agreement2="1", agreement3="0")

    with in_tenant(shop):
        consents = current_consents(stored(shop, customer_id))
    assert {purpose: one.granted for purpose, one in consents.items()} == {
        "legal": True,
        "marketing": True,
        "data_processing": False,
    }
    assert {one.source for one in consents.values()} == {"Open Loyalty"}


@pytest.mark.parametrize("country", ["PL", "POL", "Poland", "poland", "Polska"])
def test_a_country_is_stored_by_its_code(admin, register, country):
    told = admin.get(f"customer/{register(address__country=country)}").json()

    assert told["address"] == {"country": "PL"}


def test_without_an_address_it_is_empty(admin, register):
    assert admin.get(f"customer/{register()}").json()["address"] == {}


def test_t54_where_phones_are_proven_a_sellers_customer_waits_for_the_code(seller, admin, by_sms):
    given = JOHN | {"phone": "+48234234000", "email": ""}

    by_seller = seller.post("seller/customer/register", customer(**given)).json()
    by_admin = admin.post(
        "customer/register", customer(**(given | {"phone": "+48456456000"}))
    ).json()

    told = [admin.get(f"customer/{one['customerId']}").json() for one in (by_seller, by_admin)]
    assert [one["status"]["type"] for one in told] == ["new", "active"]
    assert [one["active"] for one in told] == [False, True]


def test_where_phones_are_proven_a_phone_is_needed(admin, by_sms):
    answer = admin.post("customer/register", customer(**(JOHN | {"email": ""})))

    assert all_errors(answer) == {"phone": ["This value should not be blank."]}


def test_a_tenant_is_named_in_any_letter_case(shop):
    lower = OpenLoyalty(make_token(shop), code="default")

    assert lower.post("customer/register", customer(**JOHN)).status_code == 200
