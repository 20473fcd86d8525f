"""The one table of kinds: what is written is in it, what is in it is written and documented."""

import ast
import re
import uuid

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError

from customers.services import merge_customers, update_customer
from customers.services.changes import open_change
from events.kinds import (
    Kind,
    all_kinds,
    clean_patterns,
    fits,
    kind_named,
    names_of,
    register_kinds,
)
from events.models import Event
from events.services import build_event
from tests.test_architecture import product_files

WRITERS = {"build_event": 1, "record": 1, "tell": 0}  # function -> where its kind stands


def kinds_written_in(tree):
    """The names that stand in a call which writes events."""
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        called = getattr(call.func, "id", getattr(call.func, "attr", None))
        named = [keyword.value for keyword in call.keywords if keyword.arg == "deed"]
        if called == "open_change":
            places = named
        elif called in WRITERS:
            places = call.args[WRITERS[called] :][:1]
        else:
            continue
        for place in places:
            if isinstance(place, ast.Constant) and "." in str(place.value):
                yield place.value


def product_trees():
    for path in product_files():
        if path.name not in ("kinds.py", "telling.py"):
            yield ast.parse(path.read_text("utf-8"))


def test_every_event_that_the_product_writes_is_in_the_table():
    written = {name for tree in product_trees() for name in kinds_written_in(tree)}

    assert len(written) > 5
    assert written <= {kind.name for kind in all_kinds()}


def test_every_kind_in_the_table_is_written_somewhere():
    texts = {
        node.value
        for tree in product_trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }

    assert {kind.name for kind in all_kinds()} <= texts


def test_an_unknown_kind_cannot_be_written(db, tenant):
    with pytest.raises(LookupError, match="register_kinds"):
        build_event(tenant, "thing.done", "thing", uuid.uuid4())


@pytest.mark.parametrize(
    ("subject", "data"), [("group", None), ("customer", {"name": "Ada"})], ids=["subject", "data"]
)
def test_an_event_tells_what_its_kind_tells_and_nothing_else(tenant, subject, data):
    with pytest.raises(ValueError, match="customer.updated"):
        build_event(tenant, "customer.updated", subject, uuid.uuid4(), data=data)


def test_of_a_deed_made_of_several_each_event_tells_its_own_data(acme, ada, grace):
    with open_change(ada, deed="customer.updated"):
        update_customer(ada, first_name="Augusta")
        merge_customers(ada, grace)

    told = {event.kind: set(event.data) for event in Event.objects.filter(version=2)}
    assert told == {"customer.updated": set(), "customer.merged": {"survivor", "merged"}}


def documented(kind):
    """The line of a kind in docs/changes.md."""
    told = "; ".join(f"`{key}`: {meaning}" for key, meaning in kind.data.items())
    return f"| `{kind.name}` | {kind.subject} | {kind.meaning} | {told or '–'} |"


def test_the_kinds_are_documented_as_they_are():
    text = (settings.BASE_DIR / "docs" / "changes.md").read_text("utf-8")
    lines = {line for line in text.splitlines() if re.match(r"\| `[a-z_]+\.[a-z_]+` \|", line)}

    assert lines == {documented(kind) for kind in all_kinds()}


def test_a_name_belongs_to_one_kind():
    known = kind_named("customer.updated")
    register_kinds(known)

    with pytest.raises(ValueError, match="another kind"):
        register_kinds(Kind("customer.updated", "customer", "Something else."))


@pytest.mark.parametrize(
    ("given", "clean"),
    [
        ("customer.*, group.created,,customer.*", ["customer.*", "group.created"]),
        (["*"], ["*"]),
        ("", []),
    ],
)
def test_patterns_are_read_from_text_and_lists(given, clean):
    assert clean_patterns(given) == clean


@pytest.mark.parametrize("given", ["customer", "customer.", "*.created", "nobody.*", [1], {}, None])
def test_what_fits_nothing_is_refused(given):
    with pytest.raises(ValidationError):
        clean_patterns(given)


def test_a_pattern_takes_its_own_group_alone():
    assert fits("customer.updated", ["customer.*"])
    assert not fits("customers.exported", ["customer.*"])
    assert names_of(["group.*"]) == ["group.created", "group.deleted", "group.updated"]
