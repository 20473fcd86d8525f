"""What is left of a contact point behind the mask."""

import pytest

from normalise import mask_email, mask_phone


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        ("ada@example.org", "a•••@example.org"),
        ("a@example.org", "a•••@example.org"),
        ("@example.org", "•••"),
        ("no address", "•••"),
        ("", "•••"),
        ("blåbær@example.org", "b•••@example.org"),
    ],
)
def test_an_address_keeps_its_first_letter_and_its_domain(address, masked):
    assert mask_email(address) == masked


@pytest.mark.parametrize(
    ("number", "masked"),
    [("+4790000001", "•••001"), ("900 00 001", "•••001"), ("12345", "•••"), ("", "•••")],
)
def test_a_number_keeps_its_last_three_digits_where_that_gives_little_away(number, masked):
    assert mask_phone(number) == masked
