"""Many rows of one table into the database at once: COPY or one UPDATE on PostgreSQL, one prepared
statement on SQLite.

For services that make or change thousands of rows by one set of rules. Nothing is checked here but
by the database itself; the rows must be clean, and no signal is sent.
"""

import json
import os
import uuid
from functools import lru_cache
from operator import attrgetter

from django.db import connection, models

from tenancy import bulk_copy


class Draft:
    """A row without its model: every column that is not set has the model's default, unless that
    is worked out anew for every row (ids, times).

    What a class made by `draft_class` lacks of a model is what costs time in thousands: fields
    that are worked out on every access, states, signals. `row._meta` is there for who tells of it.
    """

    def __init__(self, **columns):
        self.__dict__.update(columns)

    @classmethod
    def of(cls, columns):
        """The row of these columns, which is the dict itself: give it away."""
        row = cls.__new__(cls)
        row.__dict__ = columns
        return row

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
        yield make.of(dict(zip(names, values, strict=True)))


class _KeyOf:
    """The key of a related row, unless it was set by itself."""

    def __init__(self, name):
        self.name = name

    def __get__(self, row, owner=None):
        related = getattr(row, self.name)
        return related and related.pk


def new_ids():
    """Yield new ids without end: version 4 of RFC 9562, as `uuid.uuid4` makes them, in a quarter
    of its time. For one deed: whoever kept the iterator over a fork would get the same ids twice.
    """
    while True:
        noise = os.urandom(4096)
        for start in range(0, 4096, 16):
            value = int.from_bytes(noise[start : start + 16])
            made = _NEW(uuid.UUID)
            _SET(made, "int", value & _NOT_VERSION | _VERSION_4)
            _SET(made, "is_safe", uuid.SafeUUID.unknown)
            yield made


_NEW, _SET = object.__new__, object.__setattr__
_NOT_VERSION = ~((0xF000 << 64) | (0xC000 << 48))
_VERSION_4 = (4 << 76) | (0x8000 << 48)


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
    write = bulk_copy.copy_rows if connection.vendor == "postgresql" else _execute_many
    write(model._meta.db_table, fields, map(values_of, rows))


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


def commit_without_waiting():
    """Let the transaction that is open commit before the disk has it, on PostgreSQL.

    For the steps of a long deed that keeps account of them in the same transactions. What such a
    step wrote is safe when any later transaction has committed that does wait, at the latest its
    end; until then, for a part of a second, a failure of the machine (not of the process) can take
    the step with its account, always the latest first.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit TO off")


def update_rows(model, rows, columns):
    """Write the named columns of rows that are there already, found by their primary key.

    `columns` are names of fields; every row needs a value for each. One statement changes them all,
    so that two rows cannot exchange what is unique: that, like every other refusal of the database,
    raises IntegrityError or DataError, and none of them is changed.
    """
    if not rows:
        return
    meta = model._meta
    fields = [meta.pk, *(meta.get_field(name) for name in sorted(columns))]
    values_of = attrgetter(*(field.attname for field in fields))
    write = _update_from if connection.vendor == "postgresql" else _update_each
    write(meta.db_table, fields, list(map(values_of, rows)))


def _update_from(table, fields, rows):
    quote = connection.ops.quote_name
    key, *others = [quote(field.column) for field in fields]
    said = ", ".join(f"{name} = new.{name}" for name in others)
    # Of a serial number the type of what leads to it: that is a number's.
    types = [getattr(field, "target_field", field).rel_db_type(connection) for field in fields]
    arrays = ", ".join(f"%s::{one}[]" for one in types)
    columns = [list(values) for values in zip(*rows, strict=True)]
    for n, field in enumerate(fields):
        if isinstance(field, models.JSONField):
            columns[n] = [json.dumps(value, ensure_ascii=False) for value in columns[n]]
        elif isinstance(field, (models.CharField, models.TextField)):
            # A choice is a text of a type of its own, and an array has one type.
            columns[n] = [value if value is None else str(value) for value in columns[n]]
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {quote(table)} AS old SET {said} "  # noqa: S608
            f"FROM unnest({arrays}) AS new ({', '.join([key, *others])}) "
            f"WHERE old.{key} = new.{key}",
            columns,
        )


def _update_each(table, fields, rows):
    quote = connection.ops.quote_name
    key, *others = [quote(field.column) for field in fields]
    said = ", ".join(f"{name} = %s" for name in others)
    adapt = [_adapter(field) or _as_it_is for field in fields]
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {quote(table)} SET {said} WHERE {key} = %s",  # noqa: S608
            (
                [
                    value if value is None else how(value)
                    for how, value in zip((*adapt[1:], adapt[0]), (*row[1:], row[0]), strict=True)
                ]
                for row in rows
            ),
        )


def _as_it_is(value):
    return value


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
