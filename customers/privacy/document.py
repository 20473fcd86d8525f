"""The data map of docs/privacy.md, written from the registry."""

from customers.privacy.registry import registry

BEGIN = "<!-- data map: made by `manage.py data_map --write` -->"
END = "<!-- end of the data map -->"


def data_map():
    """The registry as Markdown: a section per table, and the places that are not tables."""
    parts = [BEGIN, ""]
    tables = sorted(registry.tables.values(), key=lambda table: not table.is_about_customers)
    for table in tables:
        parts += [*_heading(table), *_rows(table), ""]
    parts += [
        "### Places that are not tables",
        "",
        "| place | holds | on erasure | limit |",
        "|---|---|---|---|",
    ]
    parts += [
        f"| {store.name} | {store.holds} | {store.on_erasure} | {store.limit} |"
        for store in registry.stores
    ]
    return "\n".join([*parts, "", END])


def _heading(table):
    yield f"### {table.label}"
    yield ""
    about = "about a customer" if table.is_about_customers else "not about customers"
    yield f"Purpose: {table.purpose}. Limit: {table.limit}. Holds data {about}."
    yield ""
    yield "| column | whose data | on erasure | in the export | why |"
    yield "|---|---|---|---|---|"


def _rows(table):
    """Columns that are treated alike, one after the other, share a row."""
    together = []
    for line in table.lines.values():
        exported = line.exported or "no"
        if line.exported == line.column:
            exported = "yes"
        elif line.exported:
            exported = f"as `{line.exported}`"
        effect = line.action.word if table.is_about_customers else "not touched"
        treatment = (line.personal or "nobody's", effect, exported, line.why)
        if together and together[-1][1] == treatment and not exported.startswith("as"):
            together[-1][0].append(f"`{line.column}`")
        else:
            together.append(([f"`{line.column}`"], treatment))
    for names, treatment in together:
        yield f"| {' '.join(names)} | {' | '.join(treatment)} |"


def with_data_map(text):
    """`text` of the document with the part between the marks replaced. Raises ValueError."""
    before, begin, rest = text.partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError("the document has no marks for the data map")
    return before + data_map() + after
