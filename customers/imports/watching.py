"""A file that says when somebody reads in it."""

import io
from collections.abc import Callable
from typing import BinaryIO


class Watched(io.BufferedReader):
    """The bytes of `file`; `beat` is called at every read that goes down to it.

    `name` tells the format to who asks. Closing it leaves `file` open.
    """

    def __init__(self, file: BinaryIO, beat: Callable[[], None], *, name: str = ""):
        raw = _Raw(file, beat)
        raw.name = name
        super().__init__(raw, buffer_size=1 << 16)

    def unwatch(self) -> None:
        """Be silent from here on: somebody else reads now, in a thread of his own."""
        self.raw.beat = _nothing


def _nothing() -> None:
    pass


class _Raw(io.RawIOBase):
    def __init__(self, file: BinaryIO, beat: Callable[[], None]):
        super().__init__()
        self.file = file
        self.beat = beat

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self.file.seek(offset, whence)

    def tell(self) -> int:
        return self.file.tell()

    def readinto(self, buffer) -> int:
        self.beat()
        return self.file.readinto(buffer)
