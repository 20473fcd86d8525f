"""COPY of thousands of rows into one table of PostgreSQL, if wanted while the next ones are made.

The rows are turned into the text that COPY reads column by column: nearly all columns of rows that
are made in thousands say the same in every one of them, or are texts with nothing to escape.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

from django.db import connection, models

from normalise import json_bytes

NULL = "\\N"
_SPECIAL = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ESCAPED = str.maketrans(_SPECIAL)
_behind: ContextVar["_Behind | None"] = ContextVar("copying_behind", default=None)


def copy_rows(table: str, fields: list[models.Field], rows: Iterable[tuple]) -> None:
    """Insert rows, tuples with a value for each of the fields.

    Raises IntegrityError and DataError; inside `copying_behind` perhaps only when it ends.
    """
    columns = list(zip(*rows, strict=True))
    if not columns:
        return
    texts = [_texts(field, column) for field, column in zip(fields, columns, strict=True)]
    data = "\n".join(map("\t".join, zip(*texts, strict=True))).encode() + b"\n"
    quote = connection.ops.quote_name
    names = ", ".join(quote(field.column) for field in fields)
    statement = f"COPY {quote(table)} ({names}) FROM STDIN"
    behind = _behind.get()
    if behind is None:
        with connection.wrap_database_errors, connection.cursor() as cursor:
            _send(cursor, statement, data)
    else:
        behind.send(statement, data)


def _send(cursor: Any, statement: str, data: bytes) -> None:
    with cursor.copy(statement) as copy:
        copy.write(data)


# --- While the next rows are made --------------------------------------------------------------
class _Behind:
    """Sends what is to be copied in a thread of its own, one COPY after the other."""

    def __init__(self, thread: ThreadPoolExecutor):
        self._thread = thread
        self._connection = connection.connection
        self._sent: list[Future] = []

    def send(self, statement: str, data: bytes) -> None:
        self._sent.append(self._thread.submit(self._copy, statement, data))

    def _copy(self, statement: str, data: bytes) -> None:
        with self._connection.cursor() as cursor:
            _send(cursor, statement, data)

    def wait(self) -> None:
        """Return when everything is in. Raises what the first refused COPY raised, once."""
        sent, self._sent = self._sent, []
        fault = None
        for future in sent:
            # After a refusal the server refuses the rest, which says nothing more.
            fault = fault or future.exception()
            future.exception()
        if fault is not None:
            with connection.wrap_database_errors:
                raise fault

    def __call__(self, execute, *args):
        """Any other statement waits for its turn."""
        self.wait()
        return execute(*args)


@contextmanager
def copying_behind() -> Iterator[None]:
    """Inside, `copy_rows` returns while its rows are on their way: the server stores them while the
    next ones are made. To be used inside a transaction.

    Any other statement on this connection waits until they are in, and so does the end. Either
    raises what the database said against them, after which the transaction is to be undone. What
    the rows refer to is looked up with them, no longer at the end of the transaction, which would
    wait for it: rows come after those that they refer to.
    """
    if connection.vendor != "postgresql" or _behind.get() is not None:
        yield
        return
    with ThreadPoolExecutor(1, thread_name_prefix="copy-behind") as thread:
        behind = _Behind(thread)
        token = _behind.set(behind)
        try:
            with _references_looked_up_at_once(), connection.execute_wrapper(behind):
                yield
                behind.wait()
        finally:
            _behind.reset(token)
            with suppress(Exception):
                behind.wait()


@contextmanager
def _references_looked_up_at_once() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    yield
    # After a refusal this is as before anyway: the transaction, or this part of it, is undone.
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


# --- Texts -------------------------------------------------------------------------------------
def _texts(field: models.Field, column: tuple) -> list[str]:
    """The values of one column as COPY reads them."""
    target = getattr(field, "target_field", field)
    make = _TEXTS[target.get_internal_type()]
    if len(set(map(id, column))) == 1:
        value = column[0]
        return (make(column[:1]) if value is not None else [NULL]) * len(column)
    if type(None) in set(map(type, column)):
        made = iter(make([value for value in column if value is not None]))
        return [NULL if value is None else next(made) for value in column]
    return make(column)


def _uuids(column):
    return [f"{value.int:032x}" for value in column]


def _words(column):
    # A choice is a text of a type of its own.
    texts = list(map(str, column))
    everything = "".join(texts)
    if any(special in everything for special in _SPECIAL):
        return [text.translate(_ESCAPED) for text in texts]
    return texts


def _plain(column):
    return list(map(str, column))


def _flags(column):
    return ["t" if value else "f" for value in column]


def _documents(column):
    # No control character stands in the text of a JSON document, but many a backslash.
    return [json_bytes(value).decode().replace("\\", "\\\\") for value in column]


_TEXTS = {
    "UUIDField": _uuids,
    "JSONField": _documents,
    "BooleanField": _flags,
    **dict.fromkeys(("CharField", "TextField"), _words),
    **dict.fromkeys(("BigIntegerField", "IntegerField", "SmallIntegerField"), _plain),
    **dict.fromkeys(("PositiveIntegerField", "PositiveSmallIntegerField"), _plain),
    **dict.fromkeys(("DateTimeField", "DateField", "BigAutoField"), _plain),
}
