"""Customers from XML: one element after the other, read as `normalise.markup` does it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from normalise.markup import Bounded, MarkupRefused, read_markup

from .errors import FileError

MAX_PARTS = 1_000  # elements below one customer

INVALID = "XML has invalid structure"


@dataclass(frozen=True)
class Kind:
    """A kind of document that is known: what its customers are called, and their columns. `lists`
    are the paths that may come several times; what stands between the customers does not matter.
    """

    element: str
    columns: tuple[str, ...]
    lists: dict[tuple[str, ...], str]


OPEN_LOYALTY = Kind(
    "customer",
    (
        *("email", "firstName", "lastName", "gender", "birthDate", "phone", "loyaltyCardNumber"),
        *("active", "sendActivationMail", "agreement1", "agreement2", "agreement3"),
        *("levelId", "posId", "sellerId", "company/name", "company/nip", "labels"),
        *("address/street", "address/address1", "address/address2", "address/postal"),
        *("address/city", "address/province", "address/country"),
    ),
    {("labels", "label"): "labels"},
)
ZEALD = Kind(
    "Customer",
    (
        *("username", "password", "email", "phone_day", "phone_night", "b_company", "b_fname"),
        *("b_lname", "b_address1", "b_address2", "b_address3", "b_city", "b_state", "b_zip"),
        *("b_country", "company", "fname", "lname", "address1", "address2", "address3", "city"),
        *("state", "zip", "country", "inactive", "discount", "no_email", "mv_shipmode"),
        *("custom_data1", "custom_data2", "custom_data3", "custom_data4", "UserCustomerGroup"),
    ),
    {("UserCustomerGroup",): "UserCustomerGroup"},
)
KINDS = {kind.element: kind for kind in (OPEN_LOYALTY, ZEALD)}


def kind_of(file: BinaryIO) -> Kind:
    """The kind of document that a file is, by the first customer in it; of a file in which none
    comes, whatever is wrong with it, the first kind."""
    handler = _Sniffer()
    try:
        for _step in read_markup(file, handler):
            if handler.found:
                return handler.found
    except MarkupRefused:
        pass
    return handler.found or OPEN_LOYALTY


class _Sniffer(Bounded):
    """Waits for the first element that is a customer somewhere."""

    found: Kind | None = None

    def begin(self, name: str) -> None:
        self.found = self.found or KINDS.get(name)

    def hear(self, text: str) -> None:
        pass

    def finish(self) -> None:
        pass


def read_elements(file: BinaryIO, kind: Kind) -> Iterator[tuple[int, dict[str, Any]]]:
    """Every outermost customer of a file of this kind as (line, values), in their order.

    `values` maps the paths of its parts that hold no other parts ("email", "address/street") to
    their text; of a path that comes twice the last counts, except for the kind's lists, which
    become lists of dicts. Raises FileError.
    """
    handler = _Handler(kind)
    try:
        for _step in read_markup(file, handler):
            yield from handler.take()
    except MarkupRefused as fault:
        why = fault.message or (f"{INVALID} (its encoding)" if fault.encoding else INVALID)
        raise FileError(why, line=fault.line) from None


class _Handler(Bounded):
    """Collects the customers that a chunk completed."""

    def __init__(self, kind: Kind):
        super().__init__()
        self.kind = kind
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
            if name == self.kind.element:
                self._begin, self._line = self.depth, self.line
                self._values: dict[str, Any] = {}
                self._n_parts = 0
            return
        self._n_parts += 1
        if self._n_parts > MAX_PARTS:
            raise self.refuse(f"more than {MAX_PARTS} parts in one customer")
        self._path.append(name)
        if name := self.kind.lists.get(tuple(self._path)):
            self._values.setdefault(name, []).append({})
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
        for path, name in self.kind.lists.items():
            if tuple(self._path[: len(path)]) == path:
                if len(self._path) == len(path) + 1:
                    self._values[name][-1][self._path[-1]] = text
                return
            if self._path == [name]:
                return
        self._values["/".join(self._path)] = text
