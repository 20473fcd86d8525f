"""Many rows of one table into the database at once: COPY on PostgreSQL, one prepared statement on
SQLite.

For services that make thousands of rows by one set of rules. Nothing is checked here but by the
database itself; the rows must be clean, and no signal is sent.
"""

import json
from functools import lru_cache
from operator import attrgetter

from django.db import connection, models


class Draft:
    """A row without its model: every column that is not set has the model's default, unless that
    is worked out anew for every row (ids, times).

    What a class made by `draft_class` lacks of a model is what costs time in thousands: fields
    that are worked out on every access, states, signals. `row._meta` is there for who tells of it.
    """

    def __init__(self, **columns):
        self.__dict__.update(columns)

    @property
    def pk(self):
        return self.id


@lru_cache(maxsize=64)
def draft_class(model, *properties):
    """A Draft for `model`, with those of the model's own properties that are named."""
    body = {"_meta": model._meta, "id": None}
    for field in model._meta.concrete_fields:
        if not (field.has_default() and callable(field.default)):
            body[field.attname] = field.get_default()
    for field in model._meta.concrete_fields:
        if field.is_relation:
            body[field.name] = None
            body[field.attname] = _KeyOf(field.name)
    for name in properties:
        body[name] = vars(model)[name]
    return type(f"New{model.__name__}", (Draft,), body)


def drafts_of(rows, *properties, without=frozenset()):
    """The rows of a queryset as Drafts, for who looks at thousands and changes none. Columns in
    `without` are not read, and have their defaults."""
    make = draft_class(rows.model, *properties)
    names = [
        field.attname for field in rows.model._meta.concrete_fields if field.name not in without
    ]
    for values in rows.values_list(*names):
        yield make(**dict(zip(names, values, strict=True)))


class _KeyOf:
    """The key of a related row, unless it was set by itself."""

    def __init__(self, name):
        self.name = name

    def __get__(self, row, owner=None):
        related = getattr(row, self.name)
        return related and related.pk


def insert_rows(model, rows):
    """Insert rows (Drafts or instances of the model) of one table, in their order.

    Raises IntegrityError and DataError as any statement does; then none of them is in.
    """
    if not rows:
        return
    fields = [
        field
        for field in model._meta.concrete_fields
        # The database counts; whoever knows better says so for all of them.
        if not (isinstance(field, models.AutoField) and getattr(rows[0], field.attname) is None)
    ]
    values_of = attrgetter(*(field.attname for field in fields))
    write = _copy if connection.vendor == "postgresql" else _execute_many
    write(model._meta.db_table, fields, map(values_of, rows))


def _copy(table, fields, rows):
    quote = connection.ops.quote_name
    columns = ", ".join(quote(field.column) for field in fields)
    as_json = [n for n, field in enumerate(fields) if isinstance(field, models.JSONField)]
    statement = f"COPY {quote(table)} ({columns}) FROM STDIN"
    with (
        connection.wrap_database_errors,
        connection.cursor() as cursor,
        cursor.copy(statement) as copy,
    ):
        for row in rows:
            if as_json:
                row = list(row)
                for n in as_json:
                    row[n] = json.dumps(row[n], ensure_ascii=False)
            copy.write_row(row)


def _execute_many(table, fields, rows):
    quote = connection.ops.quote_name
    columns = ", ".join(quote(field.column) for field in fields)
    marks = ", ".join(["%s"] * len(fields))
    adapt = [(n, how) for n, field in enumerate(fields) if (how := _adapter(field))]

    def adapted():
        for row in rows:
            row = list(row)
            for n, how in adapt:
                if row[n] is not None:
                    row[n] = how(row[n])
            yield row

    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {quote(table)} ({columns}) VALUES ({marks})",  # noqa: S608
            adapted(),
        )


def _adapter(field):
    """How SQLite takes the values of a column; None for as they are."""
    target = field.target_field if field.is_relation else field
    if isinstance(target, models.UUIDField):
        return lambda value: value.hex
    if isinstance(target, models.DateTimeField):
        return connection.ops.adapt_datetimefield_value
    if isinstance(target, models.JSONField):
        return json.dumps
    return None
