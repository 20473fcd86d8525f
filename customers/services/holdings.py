"""Everything that is held about one person: the rows of the customer, what is left of records that
were merged into it, and what the journals of those merges keep."""

from collections import defaultdict

from customers.models import Avatar, Customer, Merge
from customers.services.merging_rows import journal_rows


def merged_records(customer, *, lock=False):
    """What is left of the records that were merged into a customer, oldest number first."""
    # Found without an order, because SQLite would rather walk through everybody in that order.
    found = Customer.with_merged.filter(merged_into=customer.pk).order_by()
    ids = list(found.values_list("pk", flat=True))
    if not ids:
        return []
    rows = Customer.with_merged.filter(pk__in=ids).order_by("number", "pk")
    return list(rows.select_for_update(of=("self",)) if lock else rows)


def rows_in_journal(record):
    """The rows that the journal of its merge keeps of a merged record, unsaved, by table label."""
    held = defaultdict(list)
    for merge in Merge.objects.filter(merged=record.pk, undone_at=None):
        for row in journal_rows(merge.journal):
            held[row._meta.label].append(row)
    return held


class Holdings:
    """The rows about one person by table, saved or in a journal."""

    def __init__(self, customer):
        self.customer = customer
        self.records = merged_records(customer)
        self._journals = [rows_in_journal(record) for record in self.records]

    def rows(self, table):
        """The rows of a registered table."""
        saved = {}  # a merge is about two records
        for record in (self.customer, *self.records):
            saved |= {row.pk: row for row in table.rows_of(record).order_by(*table.order)}
        found = list(saved.values())
        for journal in self._journals:
            found += journal[table.label]
        return found


def files_in_journals(record):
    """The names of the pictures that a merged record's journal refers to."""
    return [row.file.name for row in rows_in_journal(record)[Avatar._meta.label]]
