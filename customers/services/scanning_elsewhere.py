"""Looking for a person's texts in rows of others: whole tables, a stretch of rows at a time.

One query looks at all columns of a stretch, so that no statement takes longer than a few seconds,
however large the table, and whoever searches can tell how far it is in between.
"""

import json

from django.db import connection
from django.db.models import BooleanField, Count, Func, JSONField, Q, TextField
from django.db.models.functions import Cast

from customers.privacy import is_text
from customers.services.holdings import merged_records

STRETCH = 20_000
SHOWN_ROWS = 20
# Of a longer text its beginning is looked for.
LONGEST = 200
# So many alternatives stand beside each other; SQLite allows no condition that is nested deeper.
ABREAST = 100


class Erased:
    """Stands in for a customer who may be deleted: only the id is left to ask for."""

    code = ""

    def __init__(self, customer_id):
        self.pk = customer_id


def rows_about(table, customer_id):
    """The condition for a table's rows about a customer and what was merged into it."""
    wanted = Q()
    records = merged_records(Erased(customer_id))
    for record_id in (customer_id, *(record.pk for record in records)):
        wanted |= Q(**{table.owner: record_id}) if table.owner else table.select(Erased(record_id))
    return wanted


def text_columns(table):
    """The columns of a registered table that can hold words."""
    columns = [table.column(line.column) for line in table.lines.values()]
    return [column for column in columns if is_text(column)]


def forms_of(value, column):
    """How a text may stand in a column: JSON keeps other letters than ASCII escaped on SQLite."""
    if isinstance(column, JSONField):
        return {value, json.dumps(value)[1:-1]}
    return {value}


class Tells(Func):
    """Whether a text holds one of `patterns` (from `patterns_of`), in any letter case."""

    output_field = BooleanField()

    def __init__(self, text, patterns):
        super().__init__(text)
        self.patterns = patterns

    def as_sql(self, compiler, connection, **options):
        text, values = compiler.compile(self.source_expressions[0])
        one = f"{text} LIKE %s ESCAPE '\\'"
        groups, told = [], []
        for begin in range(0, len(self.patterns), ABREAST):
            some = self.patterns[begin : begin + ABREAST]
            groups.append("(" + " OR ".join([one] * len(some)) + ")")
            for pattern in some:
                told += [*values, pattern]
        return "(" + " OR ".join(groups) + ")", told

    def as_postgresql(self, compiler, connection, **options):
        text, values = compiler.compile(self.source_expressions[0])
        return f"UPPER({text}) LIKE ANY (%s::text[])", [*values, self.patterns]


def patterns_of(texts):
    """What `Tells` compares with. The database itself makes capitals of them, as it does of the
    texts, because it knows other ones than Python does."""
    cut = sorted({text[:LONGEST] for text in texts})
    escaped = [text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") for text in cut]
    patterns = [f"%{text}%" for text in escaped]
    if connection.vendor != "postgresql":
        return patterns
    with connection.cursor() as cursor:
        cursor.execute("SELECT UPPER(one) FROM UNNEST(%s::text[]) AS one", [patterns])
        return [row[0] for row in cursor.fetchall()]


def hits_elsewhere(table, customer_id, values, *, on_stretch=None):
    """Where `values` stand in the rows of a registered table that are not about this customer.

    Answers [{"table", "column", "count", "rows"}], of the rows the keys of the first twenty.
    `on_stretch(rows looked at)` is called after each stretch.
    """
    columns = text_columns(table)
    if not columns or not values:
        return []
    others = table.all_rows().order_by()
    if table.is_about_customers:
        others = others.exclude(rows_about(table, customer_id))
    tells = {
        f"tells_{number}": Tells(
            Cast(column.attname, TextField()),
            patterns_of({form for value in values for form in forms_of(value, column)}),
        )
        for number, column in enumerate(columns)
    }
    any_tells = Q(next(iter(tells.values())))
    for condition in list(tells.values())[1:]:
        any_tells |= Q(condition)
    counts = {name: Count("pk", filter=Q(condition)) for name, condition in tells.items()}
    found = {name: {"count": 0, "rows": []} for name in tells}
    n_rows = 0
    for stretch in _stretches(table):
        rows = others.filter(stretch)
        for name, count in rows.filter(any_tells).aggregate(**counts).items():
            hit = found[name]
            hit["count"] += count
            wanted = SHOWN_ROWS - len(hit["rows"])
            if count and wanted:
                keys = rows.filter(tells[name]).order_by("pk").values_list("pk", flat=True)
                hit["rows"] += [str(key) for key in keys[:wanted]]
        n_rows += STRETCH
        if on_stretch is not None:
            on_stretch(n_rows)
    return [
        {"table": table.label, "column": column.name, **hit}
        for column, hit in zip(columns, found.values(), strict=True)
        if hit["count"]
    ]


def _stretches(table):
    """Conditions that cut a table's rows into stretches, in the order of their keys."""
    keys = table.all_rows().order_by("pk").values_list("pk", flat=True)
    begin = Q()
    while True:
        end = list(keys.filter(begin)[STRETCH - 1 : STRETCH])
        if not end:
            yield begin
            return
        yield begin & Q(pk__lte=end[0])
        begin = Q(pk__gt=end[0])
