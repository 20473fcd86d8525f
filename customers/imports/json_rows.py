"""JSON lines and JSON lists, one object after the other, in flat memory."""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, TextIO

from .errors import FileError

RECORD_LIMIT = 1 << 20
MAX_DEPTH = 32
MAX_DIGITS = 40

_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_SPACE = " \t\r\n"


class _Refused(ValueError):
    """Valid to the JSON grammar, but not a row that means one thing."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _Refused(f"the key “{key}” stands twice in one object")
            seen.add(key)
    return found


def _constant(text: str) -> None:
    raise _Refused(f"{text} is not a number that can be stored")


def _integer(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise _Refused("a number is too long")
    return int(text)


def _decimal(text: str) -> Decimal:
    number = Decimal(text)
    # A short text can name a number that no memory holds (1e999999999).
    if len(text) > MAX_DIGITS or abs(number.adjusted()) > MAX_DIGITS:
        raise _Refused("a number is too long or too large")
    return number


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique,
    parse_constant=_constant,
    parse_int=_integer,
    parse_float=_decimal,
)


def _decode(text: str, start: int, line: int) -> tuple[Any, int]:
    """One JSON value of `text` from `start`; what json itself refuses passes through."""
    try:
        value, end = _DECODER.raw_decode(text, start)
    except _Refused as refusal:
        raise FileError(str(refusal), line=line) from None
    except RecursionError:
        raise FileError(f"nested deeper than {MAX_DEPTH} levels", line=line) from None
    piece = text[start:end]
    # Brackets inside strings count too: enough of them only cause the exact look.
    if piece.count("{") + piece.count("[") > MAX_DEPTH and _depth(value) > MAX_DEPTH:
        raise FileError(f"nested deeper than {MAX_DEPTH} levels", line=line)
    if "\\u" in piece:
        if "\\u0000" in piece and "\\u0000" in json.dumps(value, default=str):
            raise FileError("a text contains a NUL character", line=line)
        if _ESCAPED_SURROGATE.search(piece):
            try:
                json.dumps(value, ensure_ascii=False, default=str).encode()
            except UnicodeEncodeError:
                message = "a text contains half a character (a lone surrogate)"
                raise FileError(message, line=line) from None
    return value, end


def _depth(value: Any) -> int:
    deepest, level = 0, [value]
    while level:
        deepest += 1
        level = [
            child
            for item in level
            if isinstance(item, (dict, list))
            for child in (item.values() if isinstance(item, dict) else item)
            if isinstance(child, (dict, list))
        ]
    return deepest


def read_lines(text: TextIO) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """Line number and object of each line; None for a blank line."""
    number = 0
    while line := text.readline(RECORD_LIMIT):
        number += 1
        if len(line) >= RECORD_LIMIT and not line.endswith("\n"):
            raise FileError(f"the line is longer than {RECORD_LIMIT} characters", line=number)
        if "\0" in line:
            raise FileError("contains a NUL character", number, line.index("\0") + 1)
        start = len(line) - len(line.lstrip(_SPACE))
        if start == len(line):
            yield number, None
            continue
        if line[start] != "{":
            raise FileError("every line has to be one JSON object", number, start + 1)
        try:
            value, end = _decode(line, start, number)
        except json.JSONDecodeError as fault:
            raise FileError(
                f"broken JSON ({fault.msg}); every line has to be one whole object",
                line=number,
                column=fault.pos + 1,
            ) from None
        if line[end:].strip(_SPACE):
            raise FileError("text after the object", number, end + 1)
        yield number, value


def read_list(text: TextIO) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line of its start and object of each item of one JSON list."""
    window = _Window(text)
    if window.next_character() != "[":
        raise window.error("a JSON file has to be a list of objects, or one object per line")
    window.position += 1
    wants_item = False
    while True:
        character = window.next_character()
        if character == "]" and not wants_item:
            break
        if character != "{":
            raise window.error("every item of the list has to be an object")
        yield window.item()
        character = window.next_character()
        if character not in (",", "]"):
            raise window.error("a comma or the end of the list should follow")
        wants_item = character == ","
        window.position += wants_item
    window.position += 1
    if window.next_character(may_end=True):
        raise window.error("text after the end of the list")


class _Window:
    """The part of a JSON file that is in memory, and which line of the file it is at."""

    def __init__(self, text: TextIO):
        self.text = text
        self.buffer = ""
        self.position = 0
        self.ended = False
        self._line = 1
        self._column = 1
        self._counted = 0

    def place(self, position: int) -> tuple[int, int]:
        """Line and column of a position; positions may only be asked for in rising order."""
        newlines = self.buffer.count("\n", self._counted, position)
        if newlines:
            self._line += newlines
            self._column = position - self.buffer.rindex("\n", self._counted, position)
        else:
            self._column += position - self._counted
        self._counted = position
        return self._line, self._column

    def error(self, message: str) -> FileError:
        return FileError(message, *self.place(self.position))

    def grow(self) -> None:
        self.place(self.position)
        size = max(1 << 16, len(self.buffer) - self.position)
        more = self.text.read(size)
        self.ended = not more
        self.buffer = self.buffer[self.position :] + more
        self.position = self._counted = 0
        if "\0" in more:
            place = self.place(self.buffer.index("\0"))
            raise FileError("contains a NUL character", *place)

    def next_character(self, *, may_end: bool = False) -> str:
        """The next character that is not white space, left where it is."""
        while True:
            while self.position < len(self.buffer):
                if self.buffer[self.position] not in _SPACE:
                    return self.buffer[self.position]
                self.position += 1
            if self.ended:
                if may_end:
                    return ""
                raise self.error("the file ends before its list is closed")
            self.grow()

    def item(self) -> tuple[int, dict[str, Any]]:
        line, _ = self.place(self.position)
        while True:
            try:
                value, end = _decode(self.buffer, self.position, line)
            except json.JSONDecodeError as fault:
                if not self.ended and len(self.buffer) - self.position < RECORD_LIMIT:
                    # Perhaps only the rest of the object is missing here.
                    self.grow()
                    continue
                place = self.place(fault.pos)
                raise FileError(f"broken JSON ({fault.msg})", *place) from None
            if end - self.position > RECORD_LIMIT:
                raise FileError(f"the object is longer than {RECORD_LIMIT} characters", line)
            self.position = end
            return line, value
