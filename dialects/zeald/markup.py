"""Zeald's XML: a body into records, records into a ResultSet, a refusal into `rsp`."""

import io
import re
from dataclasses import dataclass, field
from urllib.parse import quote

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError

from normalise.markup import Bounded, MarkupRefused, read_markup

NAMESPACE = "http://www.zeald.com"
CONTENT_TYPE = "text/xml; charset=utf-8"
HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'
ROOT = "ResultSet"
DEEPEST = 4  # ResultSet, Customer, UserCustomerGroup, UserGroup; then fields
MOST_PARTS = 5_000  # elements below one record
_DECLARED = re.compile(r"""\s*<\?xml\s[^>]*?encoding\s*=\s*["']([^"']+)["']""")
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_REPLACEMENT = "\ufffd"
_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_ATTRIBUTE = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;",
     "\r": "&#13;", "\n": "&#10;", "\t": "&#9;"}
)  # fmt: skip


# --- In ----------------------------------------------------------------------------------------
@dataclass
class Node:
    """One record of a body: the texts of its fields, and the records in it."""

    name: str
    fields: dict = field(default_factory=dict)
    children: list = field(default_factory=list)


def read(raw):
    """The records in the bytes of a body. Raises ParseError (400) for anything but one ResultSet
    in UTF-8 that holds records."""
    try:
        text = raw.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    except UnicodeDecodeError as error:
        raise _broken(_("it is not UTF-8 (byte %(n)d)") % {"n": error.start}) from error
    declared = _DECLARED.match(text[:200])
    if declared and declared[1].lower() not in ("utf-8", "utf8"):
        raise _broken(_("it must be in UTF-8, and say so where it names an encoding"))
    reader = _Reader()
    try:
        for _step in read_markup(io.BytesIO(raw), reader):
            pass
    except MarkupRefused as refusal:
        why = refusal.message or _("it is not well-formed")
        raise _broken(why, refusal.line) from refusal
    return reader.records


def _broken(why, line=None):
    if line is None:
        return ParseError(_("This XML is not accepted: %(why)s.") % {"why": why})
    told = {"why": why, "line": line}
    return ParseError(_("This XML is not accepted: %(why)s (line %(line)d).") % told)


class _Reader(Bounded):
    """Collects records. An element without others in it is a field, where it stands in a record;
    one that holds elements is a record."""

    def __init__(self):
        super().__init__()
        self.records = []
        self._open = []  # the elements from below the root down to the present one
        self._texts = []
        self._n_parts = 0

    def begin(self, name):
        if self.depth == 1:
            if name != ROOT:
                raise self.refuse(_("the outermost element must be %(name)s") % {"name": ROOT})
            return
        if self.depth == 2:
            self._n_parts = 0
            if len(self.records) >= settings.API_BATCH_LIMIT:
                most = settings.API_BATCH_LIMIT
                raise self.refuse(_("more than %(n)d records") % {"n": most})
        self._n_parts += 1
        if self._n_parts > MOST_PARTS:
            raise self.refuse(_("more than %(n)d elements in one record") % {"n": MOST_PARTS})
        if self.depth > DEEPEST + 1:
            raise self.refuse(_("more levels than any record has"))
        self._refuse_stray_text()
        self._open.append(Node(name))

    def hear(self, text):
        self.bound(text)
        self._texts.append(text)

    def finish(self):
        if self.depth == 1:
            self._refuse_stray_text()
            return
        node = self._open.pop()
        if not self._open:
            self._refuse_stray_text()
            self.records.append(node)
            return
        around = self._open[-1]
        if node.fields or node.children:
            self._refuse_stray_text()
            around.children.append(node)
            return
        if node.name in around.fields:
            raise self.refuse(_("%(name)s comes twice in one record") % {"name": node.name})
        around.fields[node.name] = "".join(self._texts)
        self._texts = []

    def _refuse_stray_text(self):
        if "".join(self._texts).strip():
            raise self.refuse(_("text stands between the elements"))
        self._texts = []


# --- Out ---------------------------------------------------------------------------------------
@dataclass(slots=True)
class Shown:
    """One record to show: its resource, its key, its fields in their order, the records in it."""

    resource: object
    key: str
    fields: dict
    children: list = field(default_factory=list)


def result_set(shown, *, base, specification, start, total):
    """The bytes of a ResultSet. `base` is the address of `/API/V3/`, `start` the place of the first
    record among the `total` that match."""
    schema = attribute(f"{NAMESPACE} {base}{quote(specification, safe='+()')}.xsd")
    pieces = [
        f'{HEAD}<{ROOT} startResultIndex="{start}" totalResults="{total}" '
        f'totalResultsReturned="{len(shown)}" xmlns="{NAMESPACE}" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        f'xsi:schemaLocation="{schema}">\n'
    ]
    for record in shown:
        _put(pieces, record, base, "  ")
    pieces.append(f"</{ROOT}>\n")
    return "".join(pieces).encode("utf-8")


def _put(pieces, record, base, indent):
    resource = record.resource
    href = attribute(f"{base}{resource.name}/{quote(record.key, safe='@+')}")
    own = attribute(f"Model::{resource.name}::{record.key}")
    pieces.append(f'{indent}<{resource.node} href="{href}" id="{own}">\n')
    for name, value in record.fields.items():
        pieces.append(f"{indent}  <{name}>{escaped(value)}</{name}>\n")
    for child in record.children:
        _put(pieces, child, base, indent + "  ")
    pieces.append(f"{indent}</{resource.node}>\n")


def escaped(value):
    """A value as the text of an element."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return _NO_XML.sub(_REPLACEMENT, str(value)).translate(_TEXT)


def attribute(text):
    """A text between double quotes."""
    return _NO_XML.sub(_REPLACEMENT, text).translate(_ATTRIBUTE)


def refusal(status, message):
    """The bytes of a refusal."""
    return (
        f'{HEAD}<rsp stat="fail" version="3.0"><error><code>{status}</code>'
        f"<msg>{escaped(message)}</msg></error></rsp>\n"
    ).encode()
