"""Answers of any length in flat memory: NDJSON, JSON as one long list, or pieces of any kind.

Django asks for the pieces after the view has returned. Each piece is therefore made in a copy of
the view's context, in which the tenant and the actor are still named.
"""

from contextvars import copy_context

from django.http import StreamingHttpResponse

CHUNK_BYTES = 64 * 1024
_END = object()


def stream(pieces, *, content_type, filename=None):
    """A streaming answer from an iterable of bytes that is worked off in the present context."""
    pieces = _in_context(copy_context(), _gathered(pieces))
    response = StreamingHttpResponse(pieces, content_type=content_type)
    if filename:
        response["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response


def ndjson_lines(rows):
    """One JSON object per line, from objects that are JSON already."""
    for row in rows:
        yield row + b"\n"


def json_list(rows):
    """The house's list document, with every row in it; the rows are JSON already."""
    yield b'{"results":['
    for index, row in enumerate(rows):
        yield b"," + row if index else row
    yield b'],"next":null,"previous":null}'


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
