"""A database row as JSON can hold it, and back again, to the byte.

Made for the journal of merges: whatever app a row belongs to, it is kept by column name, so that a
snapshot survives a migration that adds or drops a column.
"""

import datetime
import uuid

from django.db import models

JSON_KINDS = (str, int, float, bool, list, dict, type(None))


def kept(row):
    """A row as {column: value} of JSON's own types."""
    return {
        field.attname: plain(getattr(row, field.attname)) for field in row._meta.concrete_fields
    }


def plain(value):
    """One value of a column as JSON can hold it, without losing a microsecond."""
    if isinstance(value, JSON_KINDS):
        return value
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    if isinstance(value, (uuid.UUID, models.fields.files.FieldFile)):
        return str(value)
    raise TypeError(f"no snapshot of a {type(value).__name__}")


def rebuilt(model, values, **instead):
    """An unsaved row of `model` from what `kept` answered, with the columns `instead`.

    Columns that are gone are passed over; new ones have their defaults.
    """
    columns = {field.attname: field for field in model._meta.concrete_fields}
    known = {
        name: value_of(columns[name], value) for name, value in values.items() if name in columns
    }
    return model(**{**known, **instead})


def value_of(field, value):
    """A kept value in the type of its column."""
    target = field.target_field if field.is_relation else field
    return value if isinstance(field, models.FileField) else target.to_python(value)


def without_lost_references(rows):
    """Rows that were rebuilt, fit to be saved: what they refer to may be gone by now. A reference
    that may be empty is emptied; a row that cannot be without it is left out."""
    fit = []
    for row in rows:
        lost = [field for field in row._meta.concrete_fields if _is_lost(field, row)]
        for field in lost:
            if field.null:
                setattr(row, field.attname, None)
        if all(field.null for field in lost):
            fit.append(row)
    return fit


def _is_lost(field, row):
    key = getattr(row, field.attname)
    if not field.is_relation or key is None:
        return False
    return not field.related_model._base_manager.filter(pk=key).exists()
