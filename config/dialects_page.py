"""docs/dialects.md, made of what the dialects declare and what the URL table serves."""

import re

from django.urls import Resolver404, URLResolver, resolve

from dialects import urls

HEAD = """# The dialects

Regulars speaks, beside its own API, the wire formats of other vendors' customer APIs, so that their
clients need a new host name and nothing else. This page is generated from the code
(`manage.py dialects --write`); where a dialect differs from the vendor's document, and why, stands
in a page of its own.
"""


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
    return "\n".join([HEAD, *_mounts(spoken), *fields, *_endpoints(spoken)])


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


def _endpoints(spoken):
    lines = ["", "## Endpoints"]
    for one in spoken:
        rows = [
            [f"`{endpoint}`", "yes" if serves(endpoint) else "not yet"]
            for endpoint in one.endpoints
        ]
        lines += ["", f"### {one.label}", "", *_table(["endpoint", "spoken"], rows)]
    return [*lines, ""]
