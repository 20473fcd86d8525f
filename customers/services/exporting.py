"""Everything held about one customer, as structured data (GDPR articles 15 and 20).

What stands in it is said by the registry of personal data: each table with a `section`, each line
with a name for the export. Keys and rows come in a fixed order, so that two exports of an unchanged
customer differ in nothing but the time and the history entry that an export leaves.
"""

import datetime
import uuid
from decimal import Decimal

from django.db import models, transaction

from customers.hooks import hooks
from customers.models import Customer
from customers.privacy import registry
from customers.services.changes import CustomerGone
from customers.services.holdings import merged_records, rows_in_journal
from events.services import record
from tenancy import clock

FORMAT = "regulars-customer-export"
FORMAT_VERSION = 1
MERGED = "merged_records"


def export_customer(customer, *, reason=""):
    """Everything held about one customer as a dict that JSON can hold, and a note that it was given
    out (`customer.exported` in history and events).

    Staff appear by role only; secrets, copies and derived columns are left out (docs/privacy.md
    names each with its reason). Raises CustomerGone.
    """
    customer_id = getattr(customer, "pk", customer)
    with transaction.atomic():
        # Every change waits for this lock, so that all sections tell of the same moment.
        locked = Customer.objects.select_for_update(of=("self",)).filter(pk=customer_id).first()
        if locked is None:
            raise CustomerGone
        export = {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "exported_at": shape(clock.now()),
            "tenant": locked.tenant.code,
            "currency": locked.tenant.currency,
        }
        sections = {name: section_of(table, locked) for name, table in _sections()}
        for hook in hooks.exported:
            # Computed parts of higher apps; what the registry tells is told by it alone.
            sections = {**hook(locked), **sections}
        sections[MERGED] = [_merged(record) for record in merged_records(locked)]
        export |= dict(sorted(sections.items(), key=lambda item: _place(item[0])))
        record(locked.tenant, "customer.exported", "customer", locked.pk, reason=reason)
    return export


def section_of(table, customer):
    """One table's part of the export: an object or None where it is single, else a list."""
    shown = [_shown_row(table, row) for row in table.rows_of(customer).order_by(*table.order)]
    if table.single:
        return shown[0] if shown else None
    return shown


def _shown_row(table, row):
    return {line.exported: shown_value(line, row) for line in table.lines.values() if line.exported}


def _merged(record):
    """A record that was merged into the customer: lists by section, of what is left of it and of
    what the journal of its merge keeps until the time to undo it is over."""
    journalled = rows_in_journal(record)
    found = {}
    for name, table in _sections():
        rows = [*table.rows_of(record).order_by(*table.order), *journalled[table.label]]
        if rows:
            found[name] = [_shown_row(table, row) for row in rows]
    return found


def shown_value(line, row):
    """The value of one line as the export shows it."""
    return shape(line.show(row) if line.show else getattr(row, line.column))


def shape(value):
    """A value as JSON can hold it."""
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, (uuid.UUID, Decimal)):
        return str(value)
    return value


def _sections():
    return [(table.section, table) for table in registry.tables.values() if table.section]


def _place(name):
    """The registry's order, then what higher apps computed, by name."""
    order = [section for section, _table in _sections()]
    return (order.index(name), "") if name in order else (len(order), name)


def export_schema():
    """The JSON schema of an export, made from the registry; docs/customer_export.schema.json."""
    properties = {
        "format": {"const": FORMAT},
        "format_version": {"const": FORMAT_VERSION},
        "exported_at": {"type": "string", "format": "date-time"},
        "tenant": {"type": "string"},
        "currency": {"type": "string"},
    }
    for name, table in _sections():
        row = _schema_of_row(table)
        if table.single:
            single = {"anyOf": [row, {"type": "null"}]}
            properties[name] = row if table.label == "customers.Customer" else single
        else:
            properties[name] = {"type": "array", "items": row, "description": table.purpose}
    properties[MERGED] = _schema_of_merged()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Everything held about one customer",
        "type": "object",
        "properties": properties,
        "required": list(properties),
    }


def _schema_of_merged():
    rows = {
        name: {"$ref": f"#/properties/{name}" if table.single else f"#/properties/{name}/items"}
        for name, table in _sections()
    }
    return {
        "type": "array",
        "description": "records that turned out to be the same person's and were merged into this",
        "items": {
            "type": "object",
            "properties": {name: {"type": "array", "items": row} for name, row in rows.items()},
            "additionalProperties": False,
        },
    }


def _schema_of_row(table):
    columns = {
        line.exported: line.shows or _schema_of(table.column(line.column))
        for line in table.lines.values()
        if line.exported
    }
    return {
        "type": "object",
        "description": table.purpose,
        "properties": columns,
        "required": list(columns),
        "additionalProperties": False,
    }


_TYPES = (
    (models.BooleanField, {"type": "boolean"}),
    (models.IntegerField, {"type": "integer"}),
    (models.DateTimeField, {"type": "string", "format": "date-time"}),
    (models.UUIDField, {"type": "string", "format": "uuid"}),
    ((models.CharField, models.TextField), {"type": "string"}),
)


def _schema_of(column):
    for kinds, schema in _TYPES:
        if isinstance(column, kinds):
            return {**schema, "type": [schema["type"], "null"]} if column.null else dict(schema)
    return {}
