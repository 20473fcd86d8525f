"""Phones on wires that refuse what may be a typing error."""

import pytest
from django.core.exceptions import ValidationError

from normalise import clean_strict_phone


@pytest.mark.parametrize(
    "given",
    [
        *("+48234234000", "+48456456000", "+48123123123", "+443340000000", "123123123"),
        *("000000005000", "0665998332", "48123456789", "+48 234 234 000", "11111", ""),
    ],
)
def test_a_number_that_may_be_right_stays_as_sent(given):
    assert clean_strict_phone(given) == given


@pytest.mark.parametrize(
    "given", ["+440000000", "+", "+48", "12-34", "900 00 001", "+48abc", "abc", "٠١٢", "++48"]
)
def test_a_number_that_is_surely_wrong_is_refused(given):
    with pytest.raises(ValidationError) as refusal:
        clean_strict_phone(given)

    assert refusal.value.code == "invalid_phone"
