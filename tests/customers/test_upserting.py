"""Registering or changing, whichever it takes."""

import pytest
from django.core.exceptions import ValidationError

from customers.services import create_or_update

pytestmark = pytest.mark.django_db


def refusing(code):
    def create():
        raise ValidationError({"external_id": ValidationError("taken", code=code)})

    return create


def upsert(found, create):
    """`found` are the answers to one look after the other."""
    looks = iter(found)
    return create_or_update(
        find=lambda: next(looks), create=create, update=lambda one: f"{one} changed"
    )


def test_who_is_there_is_changed_and_who_is_not_is_made():
    assert upsert(["ada"], refusing("unique")) == ("ada changed", False)
    assert upsert([None], lambda: "ada") == ("ada", True)


def test_who_was_made_by_somebody_else_meanwhile_is_changed():
    assert upsert([None, "ada"], refusing("unique")) == ("ada changed", False)


def test_every_other_refusal_is_one():
    for found, code in (([None, None], "unique"), ([None], "invalid")):
        with pytest.raises(ValidationError):
            upsert(found, refusing(code))
