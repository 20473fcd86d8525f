"""What can be wrong with an import: with the file, with the mapping, with one row."""

from dataclasses import dataclass
from typing import Any


class FileError(Exception):
    """The file as a whole cannot be read; whoever catches it writes nothing at all.

    `line` is the physical line (from 1), `column` the position in that line (JSON) or the
    number of the column (CSV); both are None where the fault has no place. `asks` is the option
    that would settle it ("encoding", "delimiter"), where only the person knows.
    """

    def __init__(
        self,
        message: str,
        line: int | None = None,
        column: int | None = None,
        asks: str | None = None,
    ):
        super().__init__(message)
        self.asks = asks
        self.message = message
        self.line = line
        self.column = column

    def __str__(self) -> str:
        place = []
        if self.line is not None:
            place.append(f"line {self.line}")
        if self.column is not None:
            place.append(f"column {self.column}")
        return f"{', '.join(place)}: {self.message}" if place else self.message


class EmptyFile(FileError):
    """There is nobody in the file."""


class TooManyRows(FileError):
    """More customers than the caller takes at once."""


class MappingError(ValueError):
    """A mapping is wrong in itself, or does not fit the file; `key` names the place in it."""

    def __init__(self, key: str, message: str):
        super().__init__(f"{key}: {message}" if key else message)
        self.key = key
        self.message = message


@dataclass(frozen=True, slots=True)
class RowError:
    """One cell that could not be taken. `line` is set where it is not the row's own line."""

    column: str
    value: Any
    message: str
    line: int | None = None
