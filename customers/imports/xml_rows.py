"""Customers from XML: one element after the other, in flat memory, with nothing of XML's dangers.

No document type, entity or outside reference is accepted. What a document may hold is bounded by
its depth, the attributes of an element, the length of a text, and how much of it may pass without
an event: no form of nesting, width or length fills the memory.
"""

from collections.abc import Iterator
from typing import Any, BinaryIO
from xml.sax import ContentHandler, SAXException
from xml.sax.handler import feature_namespaces

from defusedxml import DefusedXmlException
from defusedxml.sax import make_parser

from .errors import FileError

CHUNK = 1 << 16
MAX_DEPTH = 32
MAX_ATTRIBUTES = 64
MAX_TEXT = 1 << 17
MAX_PARTS = 1_000  # elements below one customer
MAX_SILENCE = 1 << 20  # bytes without an event

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
    parser = make_parser()
    parser.forbid_dtd = True
    parser.setFeature(feature_namespaces, False)
    parser.setContentHandler(handler)
    handler.setDocumentLocator(parser)
    silence = 0
    try:
        while chunk := file.read(CHUNK):
            handler.events = 0
            parser.feed(chunk)
            silence = 0 if handler.events else silence + len(chunk)
            if silence > MAX_SILENCE:
                raise FileError("a part of the file is too long", line=handler.line)
            yield from handler.take()
        parser.close()
    except DefusedXmlException:
        raise FileError("document types and entities are not accepted", line=handler.line) from None
    except SAXException as fault:
        line = getattr(fault, "getLineNumber", lambda: handler.line)()
        raise FileError(INVALID, line=line) from None
    except (UnicodeError, LookupError, ValueError):
        raise FileError(f"{INVALID} (its encoding)", line=handler.line) from None
    yield from handler.take()


class _Handler(ContentHandler):
    """Collects the customers that a chunk completed."""

    def __init__(self, name: str):
        super().__init__()
        self.name = name
        self.events = 0
        self.depth = 0
        self._begin: int | None = None  # the depth of the customer that is open
        self._path: list[str] = []
        self._text: list[str] = []
        self._length = 0
        self._n_parts = 0
        self._has_parts = False
        self._found: list[tuple[int, dict[str, Any]]] = []
        self._locator: Any = None

    def setDocumentLocator(self, locator: Any) -> None:  # noqa: N802 - the name is SAX's
        self._locator = locator

    @property
    def line(self) -> int | None:
        return self._locator.getLineNumber() if self._locator else None

    def take(self) -> list[tuple[int, dict[str, Any]]]:
        """What was completed since the last call."""
        found, self._found = self._found, []
        return found

    def startElement(self, name: str, attrs: Any) -> None:  # noqa: N802
        self.events += 1
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise FileError(f"more than {MAX_DEPTH} levels of nesting", line=self.line)
        if len(attrs) > MAX_ATTRIBUTES:
            raise FileError(f"more than {MAX_ATTRIBUTES} attributes", line=self.line)
        name = name.rpartition(":")[2]
        if self._begin is None:
            if name == self.name:
                self._begin, self._line = self.depth, self.line
                self._values: dict[str, Any] = {}
                self._n_parts = 0
            return
        self._n_parts += 1
        if self._n_parts > MAX_PARTS:
            raise FileError(f"more than {MAX_PARTS} parts in one customer", line=self.line)
        self._path.append(name)
        if self._path == ["labels", "label"]:
            self._values.setdefault("labels", []).append({})
        self._text, self._length, self._has_parts = [], 0, False

    def characters(self, content: str) -> None:
        self.events += 1
        if self._begin is None:
            return
        self._length += len(content)
        if self._length > MAX_TEXT:
            raise FileError(f"a text is longer than {MAX_TEXT} characters", line=self.line)
        self._text.append(content)

    def endElement(self, name: str) -> None:  # noqa: N802
        self.events += 1
        if self._begin == self.depth:
            self._found.append((self._line or 0, self._values))
            self._begin = None
        elif self._begin is not None:
            if not self._has_parts:
                self._keep("".join(self._text).strip())
            self._path.pop()
            self._has_parts = True
            self._text, self._length = [], 0
        self.depth -= 1

    def _keep(self, text: str) -> None:
        if self._path[:2] == ["labels", "label"]:
            if len(self._path) == 3:
                self._values["labels"][-1][self._path[2]] = text
            return
        if self._path == ["labels"]:
            return
        self._values["/".join(self._path)] = text
