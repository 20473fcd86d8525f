"""What the registry of personal data is made of, and how apps fill it.

A `Table` stands for one database table and holds a `Line` for every column: whether it is
personal, what erasure does to it and why, and under which name the export shows it. A `Store` is
any other place: files, logs, mails. Erasure, preview, export, scan and docs/privacy.md read these
lines; there is no second list.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from django.apps import apps
from django.db import models
from django.db.models import Q

# Counts up when erasure starts to mean something else; kept with every erasure and in the journal.
POLICY = 1


# --- What erasure can do to a column -----------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Action:
    """One thing that erasure does to a value: `word` for people, `new_value(row, column)`."""

    word: str
    new_value: Callable
    keeps: bool = False


def _empty(row, column):
    if column.null:
        return None
    return column.get_default()


def _month(row, column):
    instant = getattr(row, column.attname)
    if instant is None:
        return None
    local = instant.astimezone(ZoneInfo(row.tenant.timezone))
    return local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _names_only(row, column):
    # "group news", "extension X at Y": what follows the first word was written by somebody.
    return {name.partition(" ")[0]: [None, None] for name in getattr(row, column.attname)}


KEPT = Action("kept", lambda row, column: getattr(row, column.attname), keeps=True)
EMPTIED = Action("emptied", _empty)
GOES = Action("the row goes", lambda row, column: None)
MONTH = Action("cut to the month", _month)
NAMES_ONLY = Action("values emptied, field names kept", _names_only)


def becomes(value):
    """Erasure sets the column to this very value."""
    return Action(f"becomes {value}", lambda row, column: value)


# --- Lines -------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Line:
    """One column.

    `personal` says whose data it is: "customer", "staff" or "" (nobody's). `why` gives the reason
    for keeping it or for leaving it out of the export. `exported` is its name in the export, None
    where it is left out; `show(row)` its value there, when that is not the bare value, of the JSON
    type `shows`. A `secret` is never shown, not even as a sample. One that `identifies` names the
    person by itself: the reason of an erasure, which stays, must not repeat it.
    """

    column: str
    action: Action
    personal: str = ""
    why: str = ""
    exported: str | None = None
    show: Callable | None = None
    shows: dict | None = None
    secret: bool = False
    identifies: bool = False


def lines(columns, action, *, exported=True, **treatment):
    """Lines for several columns ("a b c") that are treated alike; exported under their names."""
    return [
        Line(name, action, exported=name if exported else None, **treatment)
        for name in columns.split()
    ]


def shown(column, action, name, show, shows, *, personal="customer", why=""):
    """A Line whose export is computed: under `name`, of the JSON type `shows`."""
    return [Line(column, action, personal, why, exported=name, show=show, shows=shows)]


@dataclass(slots=True)
class Table:
    """One database table.

    `owner` is the column that holds the customer's id, or None for a table that holds nothing
    about a customer. `select(customer)` answers the Q of the customer's rows where a column alone
    cannot. `whole_row` True: erasure removes the row. `deleted_too` False: the rows outlive even
    the deletion of the customer. `section` names the part of the export; `single` parts are one
    object, others a list. `manager` knows every row, where the default one hides some.
    """

    label: str
    purpose: str
    limit: str
    lines: dict = field(default_factory=dict)
    owner: str | None = None
    select: Callable | None = None
    whole_row: bool = False
    deleted_too: bool = True
    section: str | None = None
    single: bool = False
    order: tuple = ("pk",)
    file_column: str | None = None
    manager: str = "_default_manager"

    @property
    def model(self):
        return apps.get_model(self.label)

    @property
    def is_about_customers(self):
        return bool(self.owner or self.select)

    def rows_of(self, customer):
        """The rows about this customer, as a queryset."""
        wanted = self.select(customer) if self.select else Q(**{self.owner: customer.pk})
        return self.all_rows().filter(wanted)

    def all_rows(self):
        """Every row that the active tenant may see."""
        return getattr(self.model, self.manager).all()

    def column(self, name):
        return self.model._meta.get_field(name)


@dataclass(frozen=True, slots=True)
class Store:
    """A place outside the tables: what stands there and what becomes of it.

    `reached` True: erasure clears it. Otherwise the preview names it as out of reach.
    """

    name: str
    holds: str
    on_erasure: str
    limit: str
    reached: bool = False


class Registry:
    """Every table and every other place, in the order in which apps registered them."""

    def __init__(self):
        self.tables = {}
        self.stores = []

    def add_table(self, label, *parts, **options):
        """Register a table; `parts` are lists of lines. A column can be named only once."""
        if label in self.tables:
            raise ValueError(f"{label} is registered already")
        table = Table(label, **options)
        for line in (line for part in parts for line in part):
            if line.column in table.lines:
                raise ValueError(f"{label}.{line.column} is registered twice")
            table.lines[line.column] = line
        self.tables[label] = table
        return table

    def add_store(self, **options):
        self.stores.append(Store(**options))

    def about_customers(self):
        """The tables that hold something about a customer."""
        return [table for table in self.tables.values() if table.is_about_customers]

    def problems(self):
        """Columns without a line and lines without a column, a sentence each; none is the aim."""
        found = []
        for model in apps.get_models():
            table = self.tables.get(model._meta.label)
            columns = {column.name for column in model._meta.concrete_fields}
            known = set(table.lines) if table else set()
            found += [
                f"{model._meta.label}.{name} is not in the registry of personal data: say in "
                "privacy.py whether it is personal and what erasure does to it"
                for name in sorted(columns - known)
            ]
            found += [
                f"{model._meta.label}.{name} is in the registry, but there is no such column"
                for name in sorted(known - columns)
            ]
        present = {model._meta.label for model in apps.get_models()}
        found += [
            f"{label} is in the registry, but there is no such table"
            for label in self.tables
            if label not in present
        ]
        for table in self.tables.values():
            found += _unexplained(table)
        return found


def _unexplained(table):
    for line in table.lines.values():
        name = f"{table.label}.{line.column}"
        if table.is_about_customers and line.personal and line.action.keeps and not line.why:
            yield f"{name} is personal and kept, but no line says why"
        if line.personal == "customer" and line.exported is None and not line.why:
            yield f"{name} is personal and not exported, but no line says why"


registry = Registry()


TEXTUAL = (models.CharField, models.TextField, models.JSONField, models.FileField)


def is_text(column):
    """Whether a column can hold words: what a scan has to look at."""
    return isinstance(column, TEXTUAL)
