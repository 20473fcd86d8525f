"""Changing a customer: partial, counted exactly, traced."""

import threading
import uuid
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connections

from customers.models import Customer
from customers.records import records
from customers.services import (
    CustomerGone,
    NoSuchEntry,
    VersionConflict,
    add_entry,
    change_entry,
    open_change,
    record_consent,
    remove_entry,
    update_customer,
)
from customers.services.consents import current_consents
from events.models import Event, HistoryEntry
from tenancy.clock import frozen
from tenancy.scoping import in_tenant
from tests.factories import CustomerFactory, TenantFactory


def fresh(customer):
    return Customer.objects.get(pk=customer.pk)


@pytest.mark.django_db
class TestPartial:
    def test_what_is_not_named_stays(self, ada):
        update_customer(ada, first_name="Augusta")

        row = fresh(ada)
        assert (row.first_name, row.last_name, row.card_number) == ("Augusta", "Lovelace", "7001")
        assert row.emails.count() == 1

    def test_none_clears(self, ada):
        update_customer(ada, card_number=None, last_name=None, birth_date=None, emails=None)

        row = fresh(ada)
        assert (row.card_number, row.last_name, row.birth_date) == (None, "", None)

    def test_a_sign_in_stays_in_a_list_that_is_replaced(self, ada):
        update_customer(ada, emails=[{"address": "new@example.org", "primary": True}])

        addresses = {email.address: email.primary for email in ada.emails.all()}
        assert addresses == {"new@example.org": True, "ada@example.org": False}

    def test_a_built_name_follows_its_parts(self, ada):
        update_customer(ada, last_name="Byron")

        assert fresh(ada).name == "Ada Byron"

    def test_a_given_name_stays_when_its_parts_change(self, ada):
        update_customer(ada, name="The Countess")

        update_customer(ada, last_name="Byron")

        assert fresh(ada).name == "The Countess"

    def test_clearing_a_given_name_builds_it_again(self, ada):
        update_customer(ada, name="The Countess")

        update_customer(ada, name=None)

        assert fresh(ada).name == "Ada Lovelace"

    def test_a_row_recognised_by_what_it_says_keeps_its_id_and_flags(self, ada):
        email = ada.emails.get()
        change_entry(ada, "emails", email.pk, {"verified": True})

        update_customer(ada, emails=[{"address": "x@example.org"}, {"address": "ADA@example.org"}])

        kept = ada.emails.get(pk=email.pk)
        assert (kept.verified, kept.primary, kept.address) == (True, True, "ADA@example.org")

    def test_search_text_follows(self, ada):
        update_customer(ada, last_name="Ørsted")

        assert " orsted " in fresh(ada).search_text


@pytest.mark.django_db
class TestVersion:
    def test_one_change_moves_version_and_time_once(self, ada):
        before = fresh(ada)

        update_customer(
            ada,
            first_name="Augusta",
            emails=[{"address": "a@example.org"}],
            labels=[{"key": "k", "value": "v"}],
            consents=[{"purpose": "marketing", "granted": True}],
        )

        after = fresh(ada)
        assert after.version == before.version + 1
        assert after.updated_at > before.updated_at
        assert HistoryEntry.objects.about("customer", ada.pk).count() == 2
        assert Event.objects.filter(kind="customer.updated").count() == 1

    def test_a_change_that_changes_nothing_moves_nothing(self, ada):
        before = fresh(ada)

        update_customer(
            ada,
            first_name="Ada",
            card_number="7001",
            emails=[{"address": "Ada@example.org"}],
            phones=[{"given": "900 00 001"}],
            birth_date="1985-12-10",
        )

        after = fresh(ada)
        assert (after.version, after.updated_at) == (before.version, before.updated_at)
        assert HistoryEntry.objects.about("customer", ada.pk).count() == 1

    def test_a_list_that_leaves_its_empty_parts_out_is_recognised(self, ada):
        before = list(ada.addresses.values_list("pk", flat=True))

        update_customer(
            ada,
            addresses=[
                {"street": "Storgata 1", "postal_code": "0155", "city": "Oslo", "country": "NO"}
            ],
        )

        assert ada.version == 1
        assert list(ada.addresses.values_list("pk", flat=True)) == before

    def test_a_child_row_moves_the_customer(self, ada):
        add_entry(ada, "phones", {"given": "22 33 44 55", "kind": "work"})

        assert fresh(ada).version == 2

    def test_time_moves_even_when_the_clock_stands_still(self, ada):
        with frozen(ada.updated_at - timedelta(days=1)):
            update_customer(ada, first_name="Augusta")

        assert fresh(ada).updated_at > ada.created_at

    def test_an_outdated_version_is_refused_and_nothing_changes(self, ada):
        with pytest.raises(VersionConflict) as conflict:
            update_customer(ada, first_name="Mallory", expected_version=7)

        assert conflict.value.current == 1
        assert fresh(ada).first_name == "Ada"

    def test_deeds_inside_a_deed_count_once_and_tell_both(self, ada):
        with open_change(ada, deed="customer.updated"):
            update_customer(ada, first_name="Augusta")
            with open_change(ada, deed="customer.activated"):
                add_entry(ada, "labels", {"key": "k", "value": "v"})

        assert fresh(ada).version == 2
        assert set(Event.objects.filter(version=2).values_list("kind", flat=True)) == {
            "customer.updated",
            "customer.activated",
        }

    def test_a_failed_deed_leaves_nothing_open(self, ada):
        def fail():
            with open_change(ada, deed="customer.updated") as change:
                change.set("first_name", "Mallory")
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail()

        update_customer(ada, last_name="Byron")

        assert (fresh(ada).first_name, fresh(ada).version) == ("Ada", 2)


@pytest.mark.django_db
class TestRefusals:
    def test_unknown_names(self, ada):
        with pytest.raises(ValidationError) as refusal:
            update_customer(ada, number=7, version=9, status="active", tenant="x", shoe_size=44)

        assert set(refusal.value.error_dict) == {
            "number",
            "version",
            "status",
            "tenant",
            "shoe_size",
        }

    def test_an_identifier_that_another_customer_has(self, ada, grace):
        with pytest.raises(ValidationError) as refusal:
            update_customer(grace, card_number="7001", emails=[{"address": "g@example.org"}])

        assert set(refusal.value.error_dict) == {"card_number"}
        assert fresh(grace).version == 1
        assert grace.emails.count() == 0

    def test_an_entry_of_another_customer(self, ada, grace):
        email = ada.emails.get()

        with pytest.raises(NoSuchEntry):
            change_entry(grace, "emails", email.pk, {"address": "stolen@example.org"})
        with pytest.raises(NoSuchEntry):
            remove_entry(grace, "emails", email.pk)
        with pytest.raises(ValidationError) as refusal:
            update_customer(grace, emails=[{"id": str(email.pk), "address": "stolen@example.org"}])

        assert set(refusal.value.error_dict) == {"emails.0.id"}
        assert ada.emails.get().address == "Ada@example.org"

    def test_a_customer_of_another_tenant(self, acme, rival):
        theirs = CustomerFactory(tenant=rival)

        with pytest.raises(CustomerGone):
            update_customer(theirs, first_name="Mallory")

    def test_a_customer_that_is_gone(self, ada):
        Customer.objects.filter(pk=ada.pk).delete()

        with pytest.raises(CustomerGone):
            update_customer(ada, first_name="Mallory")


@pytest.mark.django_db
class TestEntries:
    @pytest.mark.parametrize("empty", [{}, {"kind": "work"}, {"street": "", "primary": True}])
    def test_an_entry_that_says_nothing_is_refused(self, ada, empty):
        with pytest.raises(ValidationError) as refusal:
            add_entry(ada, "addresses", empty)

        assert refusal.value.code == "required"

    def test_a_new_primary_takes_the_flag_from_the_old(self, ada):
        add_entry(ada, "emails", {"address": "new@example.org", "primary": True})

        assert [email.address for email in ada.emails.filter(primary=True)] == ["new@example.org"]

    def test_a_contact_point_that_is_there_is_changed_not_doubled(self, ada):
        row = add_entry(ada, "emails", {"address": "ada@EXAMPLE.org", "opted_out": True})

        assert (ada.emails.count(), row.opted_out) == (1, True)

    def test_removing_the_primary_promotes_the_first_of_the_rest(self, ada):
        first = ada.phones.get()
        second = add_entry(ada, "phones", {"given": "22 33 44 55"})

        remove_entry(ada, "phones", first.pk)

        assert ada.phones.get(primary=True) == second

    def test_a_changed_address_is_no_longer_verified(self, ada):
        email = ada.emails.get()
        change_entry(ada, "emails", email.pk, {"verified": True})

        changed = change_entry(ada, "emails", email.pk, {"address": "other@example.org"})

        assert changed.verified is False

    def test_an_entry_that_does_not_exist(self, ada):
        with pytest.raises(NoSuchEntry):
            remove_entry(ada, "phones", uuid.uuid4())


@pytest.mark.django_db
class TestConsents:
    def test_each_statement_is_kept_and_the_latest_holds(self, ada):
        record_consent(ada, purpose="marketing", granted=True, source="form")
        record_consent(ada, purpose="marketing", granted=False, source="mail")

        assert current_consents(ada)["marketing"].granted is False
        assert [row.granted for row in ada.consents.order_by("version")] == [True, False]

    def test_a_statement_made_before_what_holds_undoes_nothing(self, ada):
        record_consent(ada, purpose="marketing", granted=True, at="2026-01-01T00:00:00Z")
        record_consent(ada, purpose="marketing", granted=False, at="2026-02-01T00:00:00Z")

        record_consent(ada, purpose="marketing", granted=True, at="2026-01-01T00:00:00Z")

        assert current_consents(ada)["marketing"].granted is False
        assert ada.consents.count() == 2

    def test_saying_the_same_again_is_no_new_statement(self, ada):
        record_consent(ada, purpose="marketing", granted=True)
        record_consent(ada, purpose="marketing", granted=True)

        assert ada.consents.count() == 1
        assert fresh(ada).version == 2

    def test_the_same_answer_to_a_new_wording_is_kept_too(self, ada):
        record_consent(ada, purpose="marketing", granted=True, wording_version="1")
        record_consent(ada, purpose="marketing", granted=True, wording_version="2")
        record_consent(ada, purpose="marketing", granted=True)

        assert current_consents(ada)["marketing"].wording_version == "2"
        assert ada.consents.count() == 2

    def test_a_statement_without_a_purpose_or_an_answer_is_refused(self, ada):
        with pytest.raises(ValidationError) as refusal:
            record_consent(ada, purpose="", granted=None)

        assert set(refusal.value.error_dict) == {"consents.0.purpose", "consents.0.granted"}


@pytest.mark.django_db
class TestReachable:
    @pytest.fixture
    def reader(self, acme):
        return CustomerFactory(
            tenant=acme,
            emails=[{"address": "r@example.org"}],
            consents=[{"purpose": "marketing", "granted": True}],
        )

    def reachable(self, channel="email"):
        """Who is found; the column of the record must say the same."""
        found = list(Customer.objects.reachable(channel))
        for record in records(Customer.objects.all()):
            said = channel in record["reachable"] if channel else bool(record["reachable"])
            assert said == (record["id"] in [customer.pk for customer in found])
        return found

    def test_with_consent_and_a_contact_point(self, reader):
        assert self.reachable() == [reader]

    def test_not_by_a_channel_without_a_contact_point(self, reader):
        assert self.reachable("sms") == self.reachable("post") == []

    def test_by_any_channel(self, reader):
        assert self.reachable(None) == [reader]

    def test_not_after_the_consent_is_withdrawn(self, reader):
        record_consent(reader, purpose="marketing", granted=False)

        assert self.reachable() == []

    def test_not_without_any_consent(self, ada):
        assert self.reachable() == []

    def test_not_when_every_address_has_opted_out(self, reader):
        change_entry(reader, "emails", reader.emails.get().pk, {"opted_out": True})

        assert self.reachable() == []

    def test_not_by_mail_for_whom_no_mail_is_wanted(self, reader):
        update_customer(reader, no_email=True)

        assert self.reachable() == []

    def test_not_while_blocked(self, reader):
        Customer.objects.filter(pk=reader.pk).update(status="blocked")

        assert self.reachable() == []


@pytest.mark.django_db(transaction=True)
def test_version_counts_every_change_when_many_write_at_once():
    tenant = TenantFactory(code="acme")
    customer = CustomerFactory(tenant=tenant)
    n_threads, n_changes = 8, 10
    failures = []

    def work(thread):
        try:
            with in_tenant(tenant):
                for change in range(n_changes):
                    update_customer(
                        Customer(pk=customer.pk, tenant=tenant), origin=f"{thread}-{change}"
                    )
        except Exception as error:
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(n,)) for n in range(n_threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    with in_tenant(tenant):
        entries = HistoryEntry.objects.about("customer", customer.pk)
        versions = sorted(entries.values_list("version", flat=True))
        row = Customer.objects.get(pk=customer.pk)
    assert versions == list(range(1, n_threads * n_changes + 2))
    assert row.version == n_threads * n_changes + 1


@pytest.mark.django_db(transaction=True)
def test_of_two_who_have_seen_the_same_version_one_is_refused():
    tenant = TenantFactory(code="acme")
    customer = CustomerFactory(tenant=tenant)
    barrier = threading.Barrier(2)
    outcomes = []

    def work(name):
        try:
            with in_tenant(tenant):
                barrier.wait()
                update_customer(
                    Customer(pk=customer.pk, tenant=tenant), origin=name, expected_version=1
                )
                outcomes.append("changed")
        except VersionConflict:
            outcomes.append("refused")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(name,)) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["changed", "refused"]


def test_a_list_may_name_the_row_of_the_sign_in_by_its_id_alone(ada):
    rows = [{"id": str(ada.emails.get().pk)}, {"address": "second@example.org"}]

    update_customer(ada, emails=rows)

    addresses = [email.address for email in ada.emails.order_by("position")]
    assert addresses == ["Ada@example.org", "second@example.org"]
