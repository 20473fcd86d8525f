"""Turns the database's refusal of a duplicate into the field's message.

Uniqueness is decided by constraints, never by looking first. PostgreSQL names the constraint that
refused; SQLite names the columns, or the index where it covers an expression.
"""

import re
from contextlib import contextmanager

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import UniqueConstraint

_SQLITE = re.compile(r"UNIQUE constraint failed: (?:index '(?P<index>\w+)'|(?P<columns>.+))")


def violated_constraint(error):
    """The name of the unique constraint that an IntegrityError is about, or None."""
    diagnosis = getattr(error.__cause__, "diag", None)
    if diagnosis is not None:
        return diagnosis.constraint_name
    match = _SQLITE.search(str(error))
    if not match:
        return None
    if match["index"]:
        return match["index"]
    columns = [column.strip().split(".") for column in match["columns"].split(",")]
    return _constraint_of(columns[0][0], {column for _table, column in columns})


def _constraint_of(table, columns):
    for model in apps.get_models():
        if model._meta.db_table != table:
            continue
        if columns == {model._meta.pk.column}:
            return f"{table}_pkey"
        for constraint in model._meta.constraints:
            if isinstance(constraint, UniqueConstraint) and columns == {
                model._meta.get_field(name).column for name in constraint.fields
            }:
                return constraint.name
    return None


@contextmanager
def refusals(messages):
    """Run the writes inside in a savepoint; word a duplicate as the field's ValidationError.

    `messages` maps a constraint's name to (field, message). The error has code "unique". Another
    IntegrityError passes through.
    """
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        field, message = messages.get(violated_constraint(error), (None, None))
        if field is None:
            raise
        raise ValidationError({field: ValidationError(message, code="unique")}) from error
