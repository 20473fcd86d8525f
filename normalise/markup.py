"""XML from outside: one event after the other, in flat memory, with nothing of XML's dangers.

No document type, entity or outside reference is accepted. What a document may hold is bounded by
its depth, the attributes of an element, the length of a text, and how much of it may pass without
an event: no form of nesting, width or length fills the memory. How many elements there may be is
known only to who reads them; `Bounded.refuse` says so.
"""

from collections.abc import Iterator
from typing import Any, BinaryIO
from xml.sax import ContentHandler, SAXException
from xml.sax.handler import feature_namespaces

from defusedxml import DefusedXmlException
from defusedxml.sax import make_parser

CHUNK = 1 << 16
MAX_DEPTH = 32
MAX_ATTRIBUTES = 64
MAX_TEXT = 1 << 17
MAX_SILENCE = 1 << 20  # bytes without an event

FORBIDDEN = "document types and entities are not accepted"


class MarkupRefused(Exception):
    """A document that is not read to its end.

    `message` says what it has too much of, or that it has what no document may have; it is None
    for a document that is no XML, of which `encoding` says whether its characters are to blame.
    """

    def __init__(self, message: str | None, line: int | None, *, encoding: bool = False):
        super().__init__(message)
        self.message = message
        self.line = line
        self.encoding = encoding


class Bounded(ContentHandler):
    """A reader of elements by their local names, whatever their namespace.

    Each reader supplies: `begin`, `hear` and `finish`. Shared; do not override: the bounds,
    `depth`, which counts the element that begins or ends, and `attributes`, those of the element
    that began last.
    """

    def __init__(self) -> None:
        super().__init__()
        self.events = 0
        self.depth = 0
        self.attributes: Any = {}
        self._length = 0
        self._locator: Any = None

    def begin(self, name: str) -> None:
        """An element begins."""
        raise NotImplementedError

    def hear(self, text: str) -> None:
        """A piece of text; call `bound` with it where it is kept."""
        raise NotImplementedError

    def finish(self) -> None:
        """The element that began last ends."""
        raise NotImplementedError

    # --- shared
    def refuse(self, message: str) -> MarkupRefused:
        """The refusal to raise where the document has too much of something."""
        return MarkupRefused(message, self.line)

    def bound(self, text: str) -> None:
        """Count a piece of text; raises MarkupRefused when what lies between two tags is long."""
        self._length += len(text)
        if self._length > MAX_TEXT:
            raise self.refuse(f"a text is longer than {MAX_TEXT} characters")

    @property
    def line(self) -> int | None:
        return self._locator.getLineNumber() if self._locator else None

    def setDocumentLocator(self, locator: Any) -> None:  # noqa: N802 - the name is SAX's
        self._locator = locator

    def startElement(self, name: str, attrs: Any) -> None:  # noqa: N802
        self.events += 1
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.refuse(f"more than {MAX_DEPTH} levels of nesting")
        if len(attrs) > MAX_ATTRIBUTES:
            raise self.refuse(f"more than {MAX_ATTRIBUTES} attributes")
        self._length = 0
        self.attributes = attrs
        self.begin(name.rpartition(":")[2])

    def characters(self, content: str) -> None:
        self.events += 1
        self.hear(content)

    def endElement(self, name: str) -> None:  # noqa: N802
        self.events += 1
        self.finish()
        self._length = 0
        self.depth -= 1


def read_markup(file: BinaryIO, handler: Bounded) -> Iterator[None]:
    """Hand the document in `file` to `handler`, a chunk at each step. Raises MarkupRefused."""
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
                raise handler.refuse("a part of the file is too long")
            yield
        parser.close()
    except DefusedXmlException:
        raise MarkupRefused(FORBIDDEN, handler.line) from None
    except SAXException as fault:
        line = getattr(fault, "getLineNumber", lambda: handler.line)()
        raise MarkupRefused(None, line) from None
    except (UnicodeError, LookupError, ValueError):
        raise MarkupRefused(None, handler.line, encoding=True) from None
    yield
