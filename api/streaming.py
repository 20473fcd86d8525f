"""Answers of any length in flat memory: NDJSON, CSV, and JSON as one long list.

Django asks for the pieces after the view has returned. Each piece is therefore made in a copy of
the view's context, in which the tenant and the actor are still named.
"""

import csv
import io
import re
from contextvars import copy_context

import orjson
from django.http import StreamingHttpResponse

from api.renderers import dumps

CHUNK_BYTES = 64 * 1024
# Spreadsheets take a cell that begins so for a formula. Apostrophes in front count as part of it,
# so that the one which `cell` adds is the one that a reader takes off.
_FORMULA = re.compile("'*[=+\\-@\t\r\n\0＝＋－＠]")
_END = object()


def stream(pieces, *, content_type, filename=None):
    """A streaming answer from an iterable of bytes that is worked off in the present context."""
    pieces = _in_context(copy_context(), _gathered(pieces))
    response = StreamingHttpResponse(pieces, content_type=content_type)
    if filename:
        response["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response


def ndjson_lines(records):
    """One JSON object per line."""
    for record in records:
        yield dumps(record) + b"\n"


def json_list(records):
    """The house's list document, with every row in it."""
    yield b'{"results":['
    for index, record in enumerate(records):
        yield (b"," if index else b"") + dumps(record)
    yield b'],"next":null,"previous":null}'


def csv_lines(records, columns):
    """A table with a header line; lists and objects stand in their cells as JSON."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(columns)
    yield _taken(buffer)
    for record in records:
        writer.writerow([cell(record.get(name)) for name in columns])
        yield _taken(buffer)


def cell(value):
    """A value as a cell of a table: text that a spreadsheet would calculate gets an apostrophe in
    front."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list, tuple)):
        return dumps(value).decode() if value else ""
    if isinstance(value, str):
        return f"'{value}" if _FORMULA.match(value) else value
    if isinstance(value, (int, float)):
        return str(value)
    text = dumps(value)
    return orjson.loads(text) if text.startswith(b'"') else text.decode()


def _taken(buffer):
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode("utf-8")


def _gathered(pieces):
    """Pieces of a useful size: a packet per row would cost more than the row."""
    held, size = [], 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= CHUNK_BYTES:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)


def _in_context(context, iterator):
    try:
        while (piece := context.run(next, iterator, _END)) is not _END:
            yield piece
    finally:
        context.run(iterator.close)
