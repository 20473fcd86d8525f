"""A message that is sent again, without a key of its own: done once, by its content."""

import hashlib
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from customers.models import Customer, Fingerprint
from customers.services import (
    CustomerGone,
    SentTooOften,
    anonymise_customer,
    delete_customer,
    merge_customers,
    register_customer,
    register_once,
    update_customer,
)
from tenancy import clock
from tenancy.scoping import in_tenant
from tests.factories import TenantFactory
from tests.loyalty.racing import at_once

MESSAGE = {"name": "Pat Benatar", "street": "1 Rd", "eu": True}


def send(message=MESSAGE, **options):
    def register(**given):
        return register_customer(name=message.get("name", ""), **given)

    return register_once(message, register, **options)


@pytest.mark.django_db
class TestSentAgain:
    def test_registers_once_however_long_after_and_in_whatever_order_of_keys(self, acme):
        first, is_new = send()

        with clock.frozen(clock.now() + timedelta(days=400)):
            again, is_new_again = send(dict(reversed(MESSAGE.items())))

        assert (is_new, is_new_again) == (True, False)
        assert again.pk == first.pk
        assert Customer.objects.count() == 1

    @pytest.mark.parametrize("change", [{"phone": "555"}, {"eu": False}, {"eu": 1}, {"eu": "true"}])
    def test_a_changed_message_is_another_one(self, acme, change):
        first, _is_new = send()

        other, is_new = send(MESSAGE | change)

        assert is_new
        assert other.pk != first.pk
        first.refresh_from_db()
        assert first.version == 1

    def test_a_refused_message_reserves_nothing(self, acme):
        def refuse(**given):
            register_customer(name="Pat", **given)
            raise ValidationError("no")

        with pytest.raises(ValidationError):
            register_once(MESSAGE, refuse)

        assert not Fingerprint.objects.exists()
        assert not Customer.objects.exists()
        assert send()[1]

    def test_answers_the_customer_as_it_now_is_and_changes_nothing(self, acme):
        customer, _is_new = send()
        update_customer(customer, name="Patricia")

        again, _is_new = send()

        assert (again.name, again.version) == ("Patricia", 2)

    def test_answers_the_survivor_of_a_merge(self, acme, ada):
        customer, _is_new = send()
        merge_customers(ada, customer)

        again, is_new = send()

        assert (again.pk, is_new) == (ada.pk, False)

    @pytest.mark.parametrize("deed", [anonymise_customer, delete_customer])
    def test_is_forgotten_with_the_customer(self, acme, deed, settings, tmp_path):
        settings.ERASURE_JOURNAL = tmp_path / "erasures.jsonl"
        customer, _is_new = send()
        deed(customer)

        assert not Fingerprint.objects.exists()
        again, is_new = send()
        assert is_new
        assert again.pk != customer.pk

    def test_is_looked_for_again_where_its_customer_goes_meanwhile(self, acme, monkeypatch):
        customer, _is_new = send()

        def gone(customer_id):
            Customer.objects.filter(pk=customer_id).delete()
            raise CustomerGone

        monkeypatch.setattr("customers.services.resending.get_customer", gone)

        again, is_new = send()
        assert is_new
        assert again.pk != customer.pk

    def test_is_given_up_where_it_goes_again_and_again(self, acme, monkeypatch):
        send()

        def gone(customer_id):
            raise CustomerGone

        monkeypatch.setattr("customers.services.resending.get_customer", gone)

        with pytest.raises(SentTooOften):
            send()

    def test_is_kept_by_a_digest_that_nobody_can_try_messages_against(self, acme):
        send()

        (kept,) = Fingerprint.objects.all()
        content = b'{"eu":true,"name":"Pat Benatar","street":"1 Rd"}'
        assert kept.digest != hashlib.sha256(content).hexdigest()
        assert len(kept.digest) == 64

    def test_is_known_after_the_pepper_was_changed(self, acme, settings):
        settings.TOKEN_PEPPERS = {1: "one"}
        customer, _is_new = send()

        settings.TOKEN_PEPPERS = {1: "one", 2: "two"}

        assert send() == (customer, False)

    def test_another_business_knows_nothing_of_it(self, acme, rival):
        customer, _is_new = send()

        with in_tenant(rival):
            theirs, is_new = send()

        assert is_new
        assert theirs.pk != customer.pk


@pytest.mark.django_db(transaction=True)
def test_sent_by_six_at_once_it_registers_one():
    tenant = TenantFactory()
    found = []

    outcomes = at_once(tenant, 6, lambda number: found.append(send()[0].pk))

    assert outcomes == {"done": 6}
    assert len(set(found)) == 1
    with in_tenant(tenant):
        assert Customer.objects.count() == Fingerprint.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_who_waits_for_a_message_that_is_refused_registers_it():
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time: nobody waits inside")
    tenant = TenantFactory()

    def refuse(**given):
        register_customer(name="Pat", **given)
        raise ValidationError("no", code="no")

    outcomes = at_once(
        tenant,
        4,
        lambda number: register_once(MESSAGE, refuse) if number < 2 else send(),
    )

    with in_tenant(tenant):
        assert Customer.objects.count() == 1
    assert outcomes["done"] >= 2
