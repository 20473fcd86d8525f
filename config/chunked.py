"""Bodies that come in chunks, without a `Content-Length`, as some HTTP libraries send them.

Django reads as many bytes as the length announces and takes a body without one for an empty one: a
change sent in chunks would change nothing and be answered like one that did.
"""

from tempfile import SpooledTemporaryFile

from django.conf import settings

IN_MEMORY = 1 << 20
PIECE = 1 << 16
# In the environ of a request whose body goes on beyond the limit.
TOO_LONG = "regulars.body_too_long"


def with_lengths(application):
    """The WSGI application, for which a body in chunks has a length like any other.

    At most MAX_UPLOAD_BYTES are read; what is longer is marked with TOO_LONG, for
    `BodyLimitMiddleware` to refuse. Needs a server that decodes chunks and ends the input itself,
    and says so (`wsgi.input_terminated`), as gunicorn does.
    """

    def measured(environ, start_response):
        if not _is_in_chunks(environ):
            return application(environ, start_response)
        with SpooledTemporaryFile(IN_MEMORY) as body:
            _measure(environ, body)
            # Nothing of a body is read any more when an answer is streamed.
            return application(environ, start_response)

    return measured


def _is_in_chunks(environ):
    return (
        "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()
        and bool(environ.get("wsgi.input_terminated"))
        and not environ.get("CONTENT_LENGTH")
    )


def _measure(environ, body):
    source, limit = environ["wsgi.input"], settings.MAX_UPLOAD_BYTES
    try:
        while body.tell() <= limit and (piece := source.read(PIECE)):
            body.write(piece)
    except Exception as error:
        # Whatever the server calls a sender who has hung up or counts wrongly.
        environ["wsgi.input"], environ["CONTENT_LENGTH"] = _BrokenOff(error), "1"
        return
    if body.tell() > limit:
        environ[TOO_LONG] = True
    environ["CONTENT_LENGTH"] = str(body.tell())
    body.seek(0)
    environ["wsgi.input"] = body


class _BrokenOff:
    """An input that cannot be read, in the one way that Django tells from a mistake of ours."""

    def __init__(self, error):
        self.error = error

    def read(self, size=-1, /):
        raise OSError("The body broke off.") from self.error

    readline = read
