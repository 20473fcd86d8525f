"""Narrowing by a pattern: % is any characters, everything else means itself."""

import pytest

from customers.models import Customer
from customers.search import narrow_by_pattern
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db


def found(column, pattern):
    rows = narrow_by_pattern(Customer.objects.all(), column, pattern).order_by("number")
    return list(rows.values_list(column, flat=True))


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("peter%", ["Peter+b@parker.nz", "peter@parker.nz"]),
        ("peter@parker.nz", ["peter@parker.nz"]),
        ("%arker.n%", ["Peter+b@parker.nz", "peter@parker.nz"]),
        ("p%b@%nz", ["Peter+b@parker.nz"]),
        ("%nz%peter%", []),
        ("%", ["Peter+b@parker.nz", "a_b", "axb", "a\\b", "peter@parker.nz"]),
        ("a_%", ["a_b"]),
        ("a\\%", ["a\\b"]),
        ("", []),
        ("ete", []),
    ],
)
def test_a_username_is_found_by_a_pattern(acme, pattern, expected):
    for name in ("Peter+b@parker.nz", "a_b", "axb", "a\\b", "peter@parker.nz"):
        CustomerFactory(tenant=acme, username=name)

    assert found("username", pattern) == expected


@pytest.mark.parametrize("pattern", ["ØRSTED%", "ørsted 100%", "%sted 100\\%"])
def test_letters_beyond_ascii_are_found_in_any_case(acme, pattern):
    CustomerFactory(tenant=acme, last_name="Ørsted 100\\%")
    CustomerFactory(tenant=acme, last_name="Hansen")

    assert found("last_name", pattern) == ["Ørsted 100\\%"]


def test_free_text_is_not_sought_in_the_folded_text(acme):
    CustomerFactory(tenant=acme, custom_data1="line one\nline two")

    assert found("custom_data1", "line%two") == ["line one\nline two"]
