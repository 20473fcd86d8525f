"""Passwords that come from elsewhere: hashed once, recognised when they come back."""

import pytest
from django.contrib.auth.hashers import check_password
from django.core.exceptions import ValidationError

from customers.models import Customer
from customers.services import (
    encode_password,
    is_password,
    register_customer,
    set_customer_password,
)
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db


def stored(customer):
    return Customer.objects.get(pk=customer.pk).password


def test_an_encoded_password_is_not_hashed_again(ada):
    encoded = encode_password(PASSWORD)

    set_customer_password(ada, encoded)

    assert stored(ada) == encoded == encode_password(encoded)
    assert check_password(PASSWORD, stored(ada))


def test_a_registration_takes_a_password_as_text_or_encoded(acme):
    encoded = encode_password(PASSWORD)

    people = [register_customer(first_name="Ada", password=word) for word in (PASSWORD, encoded)]

    assert check_password(PASSWORD, stored(people[0]))
    assert stored(people[1]) == encoded


def test_the_password_is_known_by_its_text_and_by_its_hash(ada):
    set_customer_password(ada, PASSWORD)

    known = [
        is_password(word, stored(ada))
        for word in (PASSWORD, stored(ada), "other", "", None, "x" * 129)
    ]

    assert known == [True, True, False, False, False, False]
    assert not is_password("", "")


@pytest.mark.parametrize(
    "password", ["short", "x" * 129, "a\0bcdefghij", "\ud800bcdefghij", 12345678]
)
def test_a_password_that_is_none_is_not_encoded(password):
    with pytest.raises(ValidationError) as refusal:
        encode_password(password)

    assert set(refusal.value.message_dict) == {"password"}
