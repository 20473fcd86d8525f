"""Customers from XML: one element after the other, read as `normalise.markup` does it."""

from collections.abc import Iterator
from typing import Any, BinaryIO

from normalise.markup import Bounded, MarkupRefused, read_markup

from .errors import FileError

MAX_PARTS = 1_000  # elements below one customer

INVALID = "XML has invalid structure"
# The one kind of document that is known: what stands between its elements does not matter.
ELEMENT = "customer"
COLUMNS = (
    *("email", "firstName", "lastName", "gender", "birthDate", "phone", "loyaltyCardNumber"),
    *("active", "sendActivationMail", "agreement1", "agreement2", "agreement3"),
    *("levelId", "posId", "sellerId", "company/name", "company/nip", "labels"),
    *("address/street", "address/address1", "address/address2", "address/postal"),
    *("address/city", "address/province", "address/country"),
)


def read_elements(file: BinaryIO, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Every outermost element `name` as (line, values), in the order of the file.

    `values` maps the paths of its parts that hold no other parts ("email", "address/street") to
    their text; of a path that comes twice the last counts, except below `labels/label`, whose
    "labels" become a list of {"key", "value"}. Raises FileError.
    """
    handler = _Handler(name)
    try:
        for _step in read_markup(file, handler):
            yield from handler.take()
    except MarkupRefused as fault:
        why = fault.message or (f"{INVALID} (its encoding)" if fault.encoding else INVALID)
        raise FileError(why, line=fault.line) from None


class _Handler(Bounded):
    """Collects the customers that a chunk completed."""

    def __init__(self, name: str):
        super().__init__()
        self.name = name
        self._begin: int | None = None  # the depth of the customer that is open
        self._path: list[str] = []
        self._text: list[str] = []
        self._n_parts = 0
        self._has_parts = False
        self._found: list[tuple[int, dict[str, Any]]] = []

    def take(self) -> list[tuple[int, dict[str, Any]]]:
        """What was completed since the last call."""
        found, self._found = self._found, []
        return found

    def begin(self, name: str) -> None:
        if self._begin is None:
            if name == self.name:
                self._begin, self._line = self.depth, self.line
                self._values: dict[str, Any] = {}
                self._n_parts = 0
            return
        self._n_parts += 1
        if self._n_parts > MAX_PARTS:
            raise self.refuse(f"more than {MAX_PARTS} parts in one customer")
        self._path.append(name)
        if self._path == ["labels", "label"]:
            self._values.setdefault("labels", []).append({})
        self._text, self._has_parts = [], False

    def hear(self, text: str) -> None:
        if self._begin is not None:
            self.bound(text)
            self._text.append(text)

    def finish(self) -> None:
        if self._begin == self.depth:
            self._found.append((self._line or 0, self._values))
            self._begin = None
        elif self._begin is not None:
            if not self._has_parts:
                self._keep("".join(self._text).strip())
            self._path.pop()
            self._has_parts = True
            self._text = []

    def _keep(self, text: str) -> None:
        if self._path[:2] == ["labels", "label"]:
            if len(self._path) == 3:
                self._values["labels"][-1][self._path[2]] = text
            return
        if self._path == ["labels"]:
            return
        self._values["/".join(self._path)] = text
