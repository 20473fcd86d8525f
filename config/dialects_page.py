"""docs/dialects.md, made of what the dialects declare and what the URL table serves."""

import re

from django.urls import Resolver404, URLResolver, resolve

from customers.models import Customer
from dialects import urls
from dialects.base import Dialect

HEAD = """# The dialects

Regulars speaks, beside its own API, the wire formats of other vendors' customer APIs, so that their
clients need a new host name and nothing else. This page is generated from the code
(`manage.py dialects --write`); where a dialect differs from the vendor's document, and why, stands
in a page of its own.
"""


# Our own API, which says everything, as the first of all dialects.
_FIELDS = (*Customer.PROFILE, *Customer.CHILD_LISTS, "consents", "groups")
HOUSE = Dialect(
    name="house",
    label="`/api/v1/`",
    mount="/api/v1/",
    format="JSON",
    errors="problem documents",
    credentials="Bearer",
    spoken={name: name for name in _FIELDS},
    registers=_FIELDS,
)


def dialects():
    """Every dialect that the URL table mounts, in its order."""
    found = {}
    for pattern in urls.urlpatterns:
        if isinstance(pattern, URLResolver):
            dialect = pattern.urlconf_module.DIALECT
            found[dialect.name] = dialect
    return list(found.values())


def page():
    """The whole text."""
    spoken = dialects()
    fields = ["", "## Fields of a customer", "", *field_lines(spoken)]
    return "\n".join([HEAD, *_mounts(spoken), *fields, *_crossing(spoken), *_endpoints(spoken)])


def kept(way_in, way_out):
    """The fields that a registration by one format takes and an answer of another tells."""
    told = set(way_out.spoken) - set(way_out.untold)
    return [name for name in way_in.registers if name in told]


def serves(endpoint):
    """Whether the URL table answers `METHOD /path` of a vendor's document."""
    method, _blank, path = endpoint.partition(" ")
    try:
        view = resolve(re.sub(r"<[^>]+>", "x", path)).func
    except Resolver404:
        return False
    return method.lower() in getattr(view, "actions", {})


def _table(head, rows):
    return ["| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows)]


def _mounts(spoken):
    rows = [
        [f"[{one.label}](dialects/{one.name}.md)", f"`{one.mount}`", one.format, one.errors,
         one.credentials]
        for one in spoken
    ]  # fmt: skip
    return _table(["dialect", "mount", "format", "errors", "credentials"], rows)


def field_lines(spoken):
    """A table of our fields in the words of these dialects, and why one has none."""
    names = sorted({name for one in spoken for name in (*one.spoken, *one.unspoken)})
    notes, rows = [], []
    for name in names:
        cells = []
        for one in spoken:
            reason = one.unspoken.get(name)
            if reason is not None and reason not in notes:
                notes.append(reason)
            cells.append(one.spoken[name] if reason is None else f"– ({notes.index(reason) + 1})")
        rows.append([f"`{name}`", *cells])
    told = [f"{number}. {reason}" for number, reason in enumerate(notes, 1)]
    head = ["our field", *(one.label for one in spoken)]
    return [*_table(head, rows), "", "Not said, because:", "", *told]


def _crossing(spoken):
    ways = [HOUSE, *spoken]
    counts = [
        [way_in.label, *(f"{len(kept(way_in, way_out))} of {len(way_in.registers)}"
                         for way_out in ways)]
        for way_in in ways
        if way_in.registers
    ]  # fmt: skip
    rows = [
        [f"`{name}`", *(_said(name, way) for way in ways)]
        for name in sorted({name for way in ways for name in way.registers})
    ]
    return [
        *("", "## In by one way, out by another", ""),
        "Who is registered by the format on the left and read by the one above: how many of the",
        "fields that the registration takes are told again. A format that only reads has no row.",
        *("", *_table(["in \\ out", *(way.label for way in ways)], counts), ""),
        "Why not the others: the way out has no word for them, or never tells them whole. *in*: a",
        "registration takes it, *out*: an answer tells it.",
        *("", *_table(["our field", *(way.label for way in ways)], rows)),
    ]


def _said(name, way):
    taken, told = name in way.registers, name in way.spoken and name not in way.untold
    return " ".join(word for word, so in (("in", taken), ("out", told)) if so) or "–"


def _endpoints(spoken):
    lines = ["", "## Endpoints"]
    for one in spoken:
        rows = [
            [f"`{endpoint}`", "yes" if serves(endpoint) else "not yet"]
            for endpoint in one.endpoints
        ]
        lines += ["", f"### {one.label}", "", *_table(["endpoint", "spoken"], rows)]
    return [*lines, ""]
