"""Registering: what is kept, what is built, what is refused."""

import threading
import uuid
from contextlib import contextmanager
from datetime import UTC, datetime
from unittest import mock

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, connections

from customers.models import Customer, Email
from customers.services import register_customer
from events.actors import Actor, acting
from events.models import Event, HistoryEntry
from tenancy.clock import frozen
from tenancy.models import Tenant
from tenancy.scoping import in_tenant
from tests.factories import CustomerFactory, StoreFactory, TenantFactory

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def refused(**profile):
    """The errors of a registration that must not succeed: field -> codes."""
    with pytest.raises(ValidationError) as refusal:
        register_customer(**profile)
    return {
        field: [error.code for error in errors]
        for field, errors in refusal.value.error_dict.items()
    }


@pytest.mark.django_db
class TestWhatIsKept:
    def test_contact_points_keep_their_order_and_the_first_is_primary(self, acme):
        customer = register_customer(
            first_name="Ada", emails=[{"address": "b@example.org"}, {"address": "a@example.org"}]
        )

        rows = [(email.address, email.primary) for email in customer.emails.all()]

        assert rows == [("b@example.org", True), ("a@example.org", False)]

    def test_a_phone_is_kept_as_given_and_as_e164_by_the_tenants_country(self, acme):
        customer = register_customer(phones=[{"given": " 900 00 001 "}])

        phone = customer.phones.get()

        assert (phone.given, phone.e164, phone.kind) == ("900 00 001", "+4790000001", "mobile")

    def test_a_phone_is_read_by_the_stores_country_where_it_has_one(self, acme):
        berlin = StoreFactory(tenant=acme, country="DE")

        customer = register_customer(phones=[{"given": "030 901820"}], home_store=berlin)

        assert customer.phones.get().e164 == "+4930901820"

    def test_a_phone_that_no_plan_knows_is_kept_as_given(self, acme):
        phone = register_customer(phones=[{"given": "12"}]).phones.get()

        assert (phone.given, phone.e164, phone.digits) == ("12", "", "12")

    def test_money_is_kept_in_minor_units(self, acme):
        assert register_customer(name="A", credit_limit="100.50").credit_limit == 10050

    def test_a_birthday_without_a_year_is_kept(self, acme):
        assert register_customer(name="A", birth_date="--02-29").birth_date == "--02-29"

    def test_an_id_given_by_the_caller_is_kept(self, acme):
        chosen = uuid.uuid4()

        assert register_customer(id=str(chosen).upper(), name="A").pk == chosen

    def test_a_sign_in_stands_in_the_contact_list_too(self, acme):
        customer = register_customer(login_email="ADA@Example.org", login_phone="90000001")

        assert customer.login_email == "ada@example.org"
        assert [email.address for email in customer.emails.all()] == ["ada@example.org"]
        assert [phone.e164 for phone in customer.phones.all()] == ["+4790000001"]

    def test_the_same_contact_point_twice_is_kept_once(self, acme):
        twice = [{"address": "a@example.org"}, {"address": "A@example.org"}]

        assert register_customer(emails=twice).emails.count() == 1

    def test_numbers_increase_and_belong_to_the_tenant(self, acme, rival):
        numbers = [register_customer(name="A").number, register_customer(name="B").number]

        assert numbers == [1, 2]
        assert CustomerFactory(tenant=rival).number == 1

    def test_the_store_of_the_registration_is_the_home_store(self, acme):
        store = StoreFactory(tenant=acme)

        assert register_customer(name="A", store=store).home_store == store


@pytest.mark.django_db
class TestNames:
    @pytest.mark.parametrize(
        ("parts", "name"),
        [
            ({"first_name": "Ada", "last_name": "Lovelace"}, "Ada Lovelace"),
            ({"last_name": "Lovelace"}, "Lovelace"),
            ({"company_name": "Engines Ltd"}, "Engines Ltd"),
            ({"name": "The Boss", "first_name": "Ada"}, "The Boss"),
            ({"first_name": "Ada", "company_name": "Engines Ltd"}, "Ada"),
        ],
    )
    def test_the_name_is_built_unless_it_is_given(self, acme, parts, name):
        assert register_customer(**parts).name == name


@pytest.mark.django_db
class TestTrace:
    def test_history_tells_who_when_why_and_what(self, acme):
        seller = Actor("staff", uuid.uuid4(), "Grace")

        with acting(seller, request_id="r1", reason="At the till"), frozen(NOON):
            customer = register_customer(first_name="Ada", emails=[{"address": "a@example.org"}])
        entry = HistoryEntry.objects.get()

        assert (entry.subject_id, entry.deed, entry.version) == (
            customer.pk,
            "customer.registered",
            1,
        )
        assert (entry.actor_id, entry.actor_label) == (seller.id, "Grace")
        assert (entry.reason, entry.request_id, entry.at) == ("At the till", "r1", NOON)
        assert entry.changes["first_name"] == [None, "Ada"]
        assert entry.changes["emails"] == [None, ["a@example.org (primary)"]]

    def test_one_event_with_ids_only(self, acme):
        customer = register_customer(first_name="Ada", external_id="x1")

        event = Event.objects.get()

        assert (event.kind, event.subject_id, event.version) == (
            "customer.registered",
            customer.pk,
            1,
        )
        assert event.data == {}


@pytest.mark.django_db
class TestRefusals:
    def test_every_bad_field_is_named_at_once(self, acme):
        errors = refused(
            first_name="a\0b",
            emails=[{"address": "nobody"}],
            phones=[{"given": "none"}],
            addresses=[{"country": "Nowhere"}],
            discount_percent=101,
            gender="other",
            shoe_size=44,
        )

        assert set(errors) == {
            "first_name",
            "emails.0.address",
            "phones.0.given",
            "addresses.0.country",
            "discount_percent",
            "gender",
            "shoe_size",
        }

    def test_somebody_about_whom_nothing_is_known(self, acme):
        assert refused(internal_note="Who?") == {"name": ["required"]}

    def test_two_primaries(self, acme):
        emails = [
            {"address": "a@example.org", "primary": True},
            {"address": "b@example.org", "primary": True},
        ]

        assert refused(emails=emails) == {"emails": ["two_primaries"]}

    @pytest.mark.parametrize(
        ("field", "first", "second"),
        [
            ("external_id", "x1", "x1"),
            ("username", "ada", "ada"),
            ("card_number", "7001", "7001"),
            ("login_email", "ada@example.org", "ADA@example.org"),
            ("login_phone", "90000001", "+47 900 00 001"),
        ],
    )
    def test_an_identifier_that_another_customer_has(self, acme, field, first, second):
        register_customer(name="Ada", **{field: first})

        assert refused(name="Mallory", **{field: second}) == {field: ["unique"]}
        assert Customer.objects.count() == 1

    def test_not_an_identifier_that_a_customer_of_another_tenant_has(self, acme, rival):
        CustomerFactory(tenant=rival, external_id="x1")

        assert register_customer(external_id="x1").external_id == "x1"

    def test_an_id_that_is_taken(self, acme, grace):
        assert refused(id=grace.pk, name="Mallory") == {"id": ["unique"]}

    @pytest.mark.parametrize("bad", ["not-a-uuid", 7, ""])
    def test_an_id_that_is_not_a_uuid(self, acme, bad):
        assert refused(id=bad, name="A") == {"id": ["invalid"]}

    def test_a_store_of_another_tenant_as_if_it_did_not_exist(self, acme, rival):
        theirs = StoreFactory(tenant=rival)
        answers = [
            refused(name="A", home_store=reference)
            for reference in (str(theirs.pk), theirs.code, str(uuid.uuid4()), theirs)
        ]

        assert answers == [{"home_store": ["does_not_exist"]}] * 4

    def test_a_registration_in_the_future(self, acme):
        assert refused(name="A", created_at="2999-01-01T00:00:00Z") == {"created_at": ["future"]}

    def test_nothing_is_left_behind(self, acme):
        register_customer(external_id="x1")

        refused(external_id="x1", emails=[{"address": "a@example.org"}])

        assert (Customer.objects.count(), Email.objects.count()) == (1, 0)
        assert HistoryEntry.objects.count() == 1
        assert Event.objects.count() == 1


def register_at_once(tenant, profile, n_threads=2):
    """Run the same registration in threads that start together; answers what each saw."""
    barrier = threading.Barrier(n_threads)
    outcomes = []

    def work():
        try:
            with in_tenant(tenant):
                barrier.wait()
                outcomes.append(register_customer(**profile).pk)
        except ValidationError as error:
            outcomes.append(sorted(error.error_dict))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(n_threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


@contextmanager
def without_constraint(model, name):
    """Drop a constraint from the table for the block, on either database."""
    constraint = next(c for c in model._meta.constraints if c.name == name)
    others = [c for c in model._meta.constraints if c.name != name]
    # SQLite makes the table anew from what the model says, so the model must say it too.
    with mock.patch.object(model._meta, "constraints", others), connection.schema_editor() as ed:
        ed.remove_constraint(model, constraint)
    try:
        yield
    finally:
        with connection.schema_editor() as editor:
            editor.add_constraint(model, constraint)


@pytest.mark.django_db(transaction=True)
class TestTwoAtOnce:
    def test_fifty_identical_pairs_make_one_customer_each(self):
        tenant = TenantFactory(code="acme")

        for index in range(50):
            outcomes = register_at_once(tenant, {"name": "Ada", "external_id": f"x{index}"})

            assert outcomes.count(["external_id"]) == 1

        with in_tenant(tenant):
            assert Customer.objects.count() == 50
            assert HistoryEntry.objects.count() == 50

    def test_the_control_without_the_constraint_doubles_them(self):
        """Shows that the test above can see: look-before-you-insert is not what keeps it green."""
        tenant = TenantFactory(code="acme")
        with without_constraint(Customer, "customer_external_id_unique"):
            register_at_once(tenant, {"name": "Ada", "external_id": "x"})
            with in_tenant(tenant):
                n_customers = Customer.objects.filter(external_id="x").count()
                Customer.objects.all().delete()

        assert n_customers == 2

    def test_eight_at_once_get_eight_numbers(self):
        tenant = TenantFactory(code="acme")

        outcomes = register_at_once(tenant, {"name": "Ada"}, n_threads=8)

        with in_tenant(tenant):
            numbers = sorted(Customer.objects.values_list("number", flat=True))
        assert len(set(outcomes)) == 8
        assert numbers == list(range(1, 9))
        assert Tenant.objects.get(code="acme").last_customer_number == 8


@pytest.mark.django_db
def test_everything_that_is_wrong_with_an_entry_is_told(acme):
    wrong = {"street": "y" * 251, "country": "Atlantis", "kind": "castle"}

    assert refused(first_name="Ada", addresses=[wrong]) == {
        "addresses.0.street": ["max_length"],
        "addresses.0.country": ["invalid_country"],
        "addresses.0.kind": ["invalid_choice"],
    }
