"""Reading ahead: while a chunk is written, the next one is read."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from django.utils.translation import get_language, override

TURN = 0.0001  # seconds; Python's own measure is fifty times that


def read_ahead(chunks: Iterator[list[Any]]) -> Iterator[list[Any]]:
    """The same chunks, each made in a thread while the one before is worked on.

    One chunk is held beside the one that is worked on. What making a chunk raises is raised when
    its turn comes, in the language of who asks for it. Making one must not ask the database.
    """
    with _short_turns(), ThreadPoolExecutor(1, thread_name_prefix="read-ahead") as thread:
        coming = thread.submit(_next, chunks, get_language())
        while (chunk := coming.result()) is not None:
            coming = thread.submit(_next, chunks, get_language())
            yield chunk


def _next(chunks: Iterator[list[Any]], language: str | None) -> list[Any] | None:
    # A language is a thread's own, and what is wrong with a row is said while it is read.
    with override(language):
        return next(chunks, None)


@contextmanager
def _short_turns() -> Iterator[None]:
    """Let threads of this process take turns more often: who waits for an answer of the database
    otherwise waits as long again, at each answer, until the thread that reads lets go."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(min(before, TURN))
    try:
        yield
    finally:
        sys.setswitchinterval(before)
