"""The registry of personal data knows every column, and what is made from it is up to date."""

import json

import pytest
from django.conf import settings

from customers.privacy import registry
from customers.privacy.document import data_map, with_data_map
from customers.privacy.registry import EMPTIED, Line, Registry, lines
from customers.services import export_schema


def test_every_column_of_every_table_is_registered():
    assert registry.problems() == []


@pytest.mark.parametrize(
    ("label", "column"),
    [
        ("customers.Customer", "internal_note"),
        ("customers.Address", "street"),
        ("groups.Subscription", "custom_data1"),
        ("events.HistoryEntry", "changes"),
        ("events.IdempotencyKey", "body"),
        ("events.Event", "data"),
        ("tenancy.AccessToken", "name"),
        ("tenancy.RateCounter", "key"),
        ("sessions.Session", "session_data"),
        ("admin.LogEntry", "object_repr"),
    ],
)
def test_a_column_that_nobody_registered_is_named(monkeypatch, label, column):
    table = registry.tables[label]
    others = {name: line for name, line in table.lines.items() if name != column}
    monkeypatch.setattr(table, "lines", others)

    (problem,) = registry.problems()

    assert problem.startswith(f"{label}.{column} is not in the registry")


def test_a_table_that_nobody_registered_is_named_by_its_columns(monkeypatch):
    others = {name: table for name, table in registry.tables.items() if "Device" not in name}
    monkeypatch.setattr(registry, "tables", others)

    problems = registry.problems()

    assert [problem.split(" ")[0] for problem in problems] == [
        "customers.Device.created_at",
        "customers.Device.customer",
        "customers.Device.id",
        "customers.Device.tenant",
        "customers.Device.token",
    ]


def test_a_registered_column_that_is_gone_is_named(monkeypatch):
    monkeypatch.setitem(
        registry.tables["customers.Email"].lines, "fax", Line("fax", EMPTIED, "customer")
    )

    problems = registry.problems()

    assert "customers.Email.fax is in the registry, but there is no such column" in problems


def test_a_registered_table_that_is_gone_is_named(monkeypatch):
    monkeypatch.setitem(
        registry.tables, "customers.Fax", type(registry.tables["customers.Email"])("x", "", "")
    )

    assert "customers.Fax is in the registry, but there is no such table" in registry.problems()


@pytest.mark.parametrize("change", [{"exported": None}, {"why": ""}])
def test_what_is_kept_or_left_out_needs_a_reason(monkeypatch, change):
    table = registry.tables["customers.Consent"]
    line = table.lines["purpose"]
    changed = Line(
        line.column, line.action, line.personal, **({"why": "", "exported": "purpose"} | change)
    )
    monkeypatch.setitem(table.lines, "purpose", changed)

    assert any(problem.startswith("customers.Consent.purpose") for problem in registry.problems())


def test_a_column_cannot_have_two_lines():
    with pytest.raises(ValueError, match="registered twice"):
        Registry().add_table(
            "x.Y", lines("a b", EMPTIED), lines("b", EMPTIED), purpose="", limit=""
        )


def test_the_data_map_in_the_docs_is_the_registrys():
    text = (settings.BASE_DIR / "docs" / "privacy.md").read_text("utf-8")

    assert data_map() in text, "run: manage.py data_map --write"


def test_the_data_map_names_every_column_with_purpose_and_limit():
    told = data_map()

    assert all(table.purpose and table.limit for table in registry.tables.values())
    assert all(
        f"`{line.column}`" in told for table in registry.tables.values() for line in
        table.lines.values()
    )  # fmt: skip
    assert all(store.name in told for store in registry.stores)


def test_a_document_without_marks_is_refused():
    with pytest.raises(ValueError, match="no marks"):
        with_data_map("# Privacy")


def test_the_schema_of_the_export_in_the_docs_is_the_registrys():
    text = (settings.BASE_DIR / "docs" / "customer_export.schema.json").read_text("utf-8")

    assert json.loads(text) == json.loads(json.dumps(export_schema())), (
        "run: manage.py data_map --write"
    )
