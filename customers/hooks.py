"""Where higher apps join a customer's deeds, listed in one place.

An app fills in the table from its `AppConfig.ready`. Everything registered here is called inside
the transaction of the deed, in the order of registration (the order of INSTALLED_APPS).
"""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ExtraField:
    """A profile name that a higher app owns, such as `groups`.

    `clean(value, tenant)` returns the clean value or raises ValidationError; `apply(change, value)`
    writes it inside the customer's open change. A field with one value rather than a list names
    `holds(extras, value)`: whether a customer, of whom `HookTable.records` tell `extras`, is at it
    already (None: at nothing). `apply_many(pairs)` does for many new customers at once, as (change,
    value), what `apply` does for one; without it they are registered one by one.
    """

    name: str
    clean: Callable
    apply: Callable
    holds: Callable | None = None
    apply_many: Callable | None = None


@dataclass(frozen=True, slots=True)
class BulkKind:
    """What may be done with many chosen customers at once: its words, the right it takes, and how
    it is done with one of them.

    Where more must be chosen than the customers (which group), `clean_choice(values)` makes of it
    what JSON can hold, or raises ValidationError by field; `tell(choice)` is the deed in words, and
    `obstacle(choice)` a sentence where it can be done with nobody, or "".
    """

    name: str
    label: str
    sentence: str
    operation: str  # of the table of rights
    most: int
    # (customers, choice) -> those of the queryset `customers` who are so already.
    so_already: Callable | None = None
    # (customer, choice, reason) -> whether anything changed; may raise ValidationError.
    perform: Callable | None = None
    is_mild: bool = False
    clean_choice: Callable | None = None
    tell: Callable | None = None
    obstacle: Callable = lambda choice: ""


@dataclass(slots=True)
class HookTable:
    """The deeds that can be joined. Each list holds callables."""

    # (change) -> None: a customer was just registered; `change.customer` is saved.
    registered: list = field(default_factory=list)
    # (tenant) -> (changes) -> None: the same for many who are registered together: whoever joins
    # one joins the other, and leaves the same behind. The first is called once, before any of them
    # is stored, and asks what is to be known; the second is called with some after the others, and
    # asks the database nothing where it need not: it would wait until all rows so far are in.
    registered_many: list = field(default_factory=list)
    # (change) -> None: a change is about to be written; may record more into it.
    updated: list = field(default_factory=list)
    # (customer) -> dict: what this app computes for the export of one customer, by section name.
    # Columns are told by the registry of personal data (customers/privacy), as they are erased.
    exported: list = field(default_factory=list)
    # (customers) -> None: these customers are being anonymised; do what emptying columns cannot.
    erased: list = field(default_factory=list)
    # (customers) -> None: these customers are about to be deleted; keep or remove what is yours.
    deleted: list = field(default_factory=list)
    # (survivor, other) -> {"blockers": [...], "sections": {...}}: what a merge of these two would
    # do to what is yours. A blocker is {"code", "field", "message"} and forbids the merge. Called
    # for the preview, and again under the lock of both rows right before the merge.
    merge_preview: list = field(default_factory=list)
    # (merge, survivor, other) -> None: `other` becomes part of `survivor`; what hangs on `other`
    # is yours to move. The customers' own children have moved, both rows are locked and the change
    # of the survivor is open: `open_change(survivor, deed="customer.merged")` joins it. `merge.id`
    # is the unique source of what you book. What you need to undo it `merge.journal[<your app>]`
    # keeps as JSON; `customers.services.merging_rows` moves rows and brings them back.
    merged: list = field(default_factory=list)
    # (merge, survivor, other) -> None: the merge is undone; both are records of their own again.
    # `open_change(survivor, deed="customer.unmerged")` joins the open change. Raise ValidationError
    # where it cannot be undone.
    unmerged: list = field(default_factory=list)
    # (customer_ids) -> {customer_id: {name: value}}: this app's part of a record, in bulk.
    records: list = field(default_factory=list)
    # A callable of `records` -> (writing) -> SqlPart: the same part as PostgreSQL writes it, see
    # customers/sql_records.py. Without it records are made in Python.
    records_in_sql: dict = field(default_factory=dict)
    # (codes) -> None: an import names these groups; make those that are missing.
    make_groups: list = field(default_factory=list)
    # name -> ExtraField
    fields: dict = field(default_factory=dict)
    # name -> BulkKind, in the order in which they are offered
    bulk_deeds: dict = field(default_factory=dict)

    def add_field(self, extra):
        """Own a profile name; two apps cannot own the same."""
        if extra.name in self.fields:
            raise ValueError(f"the field {extra.name!r} is owned already")
        self.fields[extra.name] = extra

    def add_bulk_deed(self, kind):
        """Offer a deed for many customers."""
        if kind.name in self.bulk_deeds:
            raise ValueError(f"the deed {kind.name!r} is there already")
        self.bulk_deeds[kind.name] = kind


hooks = HookTable()
