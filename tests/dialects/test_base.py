"""Names of fields in two languages."""

from dialects.base import translated


def test_the_longest_path_that_has_a_name_gives_it():
    names = {"emails": "email", "addresses": "address", "addresses.country": "address.country"}
    errors = [
        {"field": path}
        for path in (
            *("emails.0.address", "addresses.0.country", "addresses.0.city", "addresses"),
            *("credit_limit", None),
        )
    ]

    assert [name for name, _error in translated(errors, names)] == [
        *("email", "address.country", "address", "address"),
        *(None, None),
    ]
