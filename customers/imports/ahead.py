"""Reading ahead: while a chunk is written, the next one is read."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def read_ahead(chunks: Iterator[list[Any]]) -> Iterator[list[Any]]:
    """The same chunks, each made in a thread while the one before is worked on.

    One chunk is held beside the one that is worked on. What making a chunk raises is raised when
    its turn comes. Making one must not ask the database.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="read-ahead") as thread:
        coming = thread.submit(next, chunks, None)
        while (chunk := coming.result()) is not None:
            coming = thread.submit(next, chunks, None)
            yield chunk
