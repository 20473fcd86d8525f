"""Many customers as JSON texts: the record of `records`, one piece of bytes per customer.

On PostgreSQL the database writes them (`customers.sql_records`), elsewhere Python does; either way
the same bytes. The ids are read once, in the order and within the filters of the queryset, through
a cursor; the records follow in batches, so that neither memory nor a transaction grows.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import connection

from customers.models import Customer
from customers.querysets import CustomerQuerySet
from customers.records import COLUMNS, assemble
from customers.sql_records import can_tell, statement
from normalise import json_bytes, json_bytes_of_texts
from tenancy import clock
from tenancy.scoping import current_tenant

# A statement of the database is planned once per batch; Python holds a batch as objects.
BATCH, BATCH_OF_OBJECTS = 1_000, 500


def documents(
    customers: CustomerQuerySet, *, texts: bool = False, batch: int | None = None
) -> Iterator[list[bytes]]:
    """Yield the record of each customer of the queryset as a JSON object, in its order, in lists
    of at most `batch` (none: of as many as are quickest).

    `texts`: decimals are texts instead of numbers. Who is deleted while the records are read is
    left out.
    """
    if connection.vendor == "postgresql" and can_tell():
        make, batch = _by_database, batch or BATCH
    else:
        make, batch = _by_python, batch or BATCH_OF_OBJECTS
    ids = customers.values_list("pk", flat=True).iterator(chunk_size=batch)
    while wanted := list(islice(ids, batch)):
        if found := make(wanted, texts):
            yield found


def _by_python(ids: list[UUID], texts: bool) -> list[bytes]:
    rows = {row["id"]: row for row in Customer.objects.filter(pk__in=ids).values(*COLUMNS)}
    make = json_bytes_of_texts if texts else json_bytes
    records = assemble([rows[one] for one in ids if one in rows])
    # Copied, because what orjson returns keeps all the memory that it reserved: ten times as much.
    return [bytes(memoryview(make(record))) for record in records]


def _by_database(ids: list[UUID], texts: bool) -> list[bytes]:
    tenant = current_tenant()
    wanted = f"{{{','.join(map(str, ids))}}}"
    told = {"tenant": tenant.pk, "ids": wanted, "now": clock.now()}
    text = _answer(statement(tenant.currency, texts=texts), told)
    lines = text.encode().split(b"\n") if text else []
    unsure = [n for n, line in enumerate(lines) if line[:1] != b"{"]
    if not unsure:
        return lines
    # One by one where somebody was deleted since, so that nobody gets another one's record.
    left = [UUID(lines[n].decode()) for n in unsure]
    made = _by_python(left, texts)
    if len(made) == len(left):
        for n, line in zip(unsure, made, strict=True):
            lines[n] = line
        return lines
    return [
        told
        for line in lines
        for told in ([line] if line[:1] == b"{" else _by_python([UUID(line.decode())], texts))
    ]


def _answer(sql: str, parameters: dict[str, Any]) -> str | None:
    """The one value that PostgreSQL answers. The parameters are sent beside the statement: it names
    the ids a dozen times, and reading them anew each time cost it a tenth of the whole."""
    import psycopg

    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        return cursor.execute(sql, parameters).fetchone()[0]
