"""Store profiles, extensions, charge accounts and devices."""

import pytest
from django.core.exceptions import ValidationError

from customers.models import Customer
from customers.services import (
    add_device,
    add_extension,
    remove_charge_account,
    remove_device,
    remove_extension,
    remove_store_profile,
    set_charge_account,
    set_store_profile,
)
from tenancy.models import Store
from tests.factories import CustomerFactory, StoreFactory

pytestmark = pytest.mark.django_db


def version_of(customer):
    return Customer.objects.get(pk=customer.pk).version


@pytest.fixture
def store(acme):
    return Store.objects.get()


class TestStoreProfiles:
    def test_a_profile_lists_the_customer_at_the_store(self, ada, acme):
        elsewhere = StoreFactory(tenant=acme)

        set_store_profile(ada, elsewhere, pos_ref="P1")

        assert list(Customer.objects.at_store(elsewhere)) == [ada]

    def test_customers_without_a_home_store_are_at_the_default_store(self, ada, store, acme):
        elsewhere = StoreFactory(tenant=acme)
        settled = CustomerFactory(tenant=acme, home_store=elsewhere)

        assert list(Customer.objects.at_store(store)) == [ada]
        assert list(Customer.objects.at_store(elsewhere)) == [settled]

    def test_setting_the_same_again_moves_nothing(self, ada, store):
        set_store_profile(ada, store, pos_ref="P1", note="n")
        set_store_profile(ada, store, pos_ref="P1")

        assert version_of(ada) == 2

    def test_a_reference_is_unique_per_store_only(self, ada, grace, store, acme):
        elsewhere = StoreFactory(tenant=acme)
        set_store_profile(ada, store, pos_ref="P1")

        set_store_profile(grace, elsewhere, pos_ref="P1")
        with pytest.raises(ValidationError) as refusal:
            set_store_profile(grace, store, pos_ref="P1")

        assert set(refusal.value.error_dict) == {"pos_ref"}
        assert not grace.store_profiles.filter(store=store).exists()

    def test_several_customers_without_a_reference_are_no_conflict(self, ada, grace, store):
        set_store_profile(ada, store, note="a")
        set_store_profile(grace, store, pos_ref="", note="b")

        assert Customer.objects.at_store(store).count() == 2

    def test_unknown_names_are_refused(self, ada, store):
        with pytest.raises(ValidationError) as refusal:
            set_store_profile(ada, store, shoe_size=44)

        assert set(refusal.value.error_dict) == {"shoe_size"}

    def test_removing_is_told_once(self, ada, store):
        set_store_profile(ada, store, note="n")

        assert remove_store_profile(ada, store) is True
        assert remove_store_profile(ada, store) is False
        assert version_of(ada) == 3


class TestExtensions:
    def test_switching_on_twice_is_once(self, ada, store):
        add_extension(ada, store, "TWO_INVOICE")
        add_extension(ada, store, "TWO_INVOICE")

        assert ada.extensions.count() == 1
        assert version_of(ada) == 2

    def test_switching_off_what_is_off_says_so(self, ada, store):
        assert remove_extension(ada, store, "TWO_INVOICE") is False

    def test_a_code_is_needed(self, ada, store):
        with pytest.raises(ValidationError):
            add_extension(ada, store, "")


class TestChargeAccounts:
    def test_a_new_account_needs_a_number(self, ada):
        with pytest.raises(ValidationError) as refusal:
            set_charge_account(ada, retired=True)

        assert set(refusal.value.error_dict) == {"number"}

    def test_retiring_keeps_the_number(self, ada):
        set_charge_account(ada, number="A-1")

        account = set_charge_account(ada, retired=True)

        assert (account.number, account.retired) == ("A-1", True)

    def test_a_number_belongs_to_one_customer(self, ada, grace):
        set_charge_account(ada, number="A-1")

        with pytest.raises(ValidationError) as refusal:
            set_charge_account(grace, number="A-1")

        assert set(refusal.value.error_dict) == {"number"}
        assert version_of(grace) == 1

    def test_removing_is_told_once(self, ada):
        set_charge_account(ada, number="A-1")

        assert remove_charge_account(ada) is True
        assert remove_charge_account(ada) is False


class TestDevices:
    def test_adding_twice_is_once(self, ada):
        add_device(ada, "token-1")
        add_device(ada, "token-1")

        assert ada.devices.count() == 1
        assert version_of(ada) == 2

    @pytest.mark.parametrize("bad", ["", None, "x" * 501, "a\0b", 7])
    def test_what_is_no_token_is_refused(self, ada, bad):
        with pytest.raises(ValidationError) as refusal:
            add_device(ada, bad)

        assert set(refusal.value.error_dict) == {"token"}

    def test_removing_is_repeatable(self, ada):
        add_device(ada, "token-1")

        assert remove_device(ada, "token-1") is True
        assert remove_device(ada, "token-1") is False
        assert version_of(ada) == 3
