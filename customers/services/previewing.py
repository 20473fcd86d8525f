"""What an anonymisation would do to one customer, told from the live data."""

from django.utils.translation import gettext as _

from customers.models import Customer
from customers.privacy import registry
from customers.services.exporting import shown_value
from customers.services.holdings import Holdings

SAMPLES = 3
SAMPLE_LENGTH = 80


def anonymisation_preview(customer):
    """The three lists of an anonymisation, from what is stored now.

    Returns {"customer", "code", "anonymised_at", "erased", "kept", "out_of_reach", "warnings"}.
    An `erased` item is {"table", "column", "label", "effect", "count", "samples"}: how many rows
    hold something there, and up to three values. A `kept` item is {…, "why"} in place of the
    samples. An `out_of_reach` item is {"name", "holds", "on_erasure", "limit"}; a warning is a
    sentence.
    """
    preview = {
        "customer": str(customer.pk),
        "code": customer.code,
        "anonymised_at": customer.anonymised_at,
        "erased": [],
        "kept": [],
        "out_of_reach": [
            {
                "name": store.name,
                "holds": store.holds,
                "on_erasure": store.on_erasure,
                "limit": store.limit,
            }
            for store in registry.stores
            if not store.reached
        ],
        "warnings": _warnings(customer),
    }
    held = Holdings(customer)
    for table in registry.about_customers():
        rows = held.rows(table)
        if rows:
            erased, kept = _lines_of(table, rows)
            preview["erased"] += erased
            preview["kept"] += kept
    return preview


def _lines_of(table, rows):
    erased, kept = [], []
    for line in table.lines.values():
        column = table.column(line.column)
        item = {
            "table": table.label,
            "column": line.column,
            "label": f"{table.model._meta.verbose_name}: {column.verbose_name}",
            "effect": line.action.word,
        }
        if line.action.keeps:
            if line.personal == "customer":
                n_held = sum(_holds(column, row) for row in rows)
                if n_held:
                    kept.append({**item, "count": n_held, "why": line.why})
        elif line.personal == "customer":
            held = [row for row in rows if _changes(table, line, column, row)]
            if held:
                samples = [] if line.secret else [_sample(line, row) for row in held[:SAMPLES]]
                erased.append({**item, "count": len(held), "samples": samples})
    return erased, kept


def _holds(column, row):
    return getattr(row, column.attname) not in (None, "", [], {})


def _changes(table, line, column, row):
    """Whether erasure would take anything away here."""
    if table.whole_row:
        return _holds(column, row)
    return getattr(row, column.attname) != line.action.new_value(row, column)


def _sample(line, row):
    if line.exported == "content_base64":
        return row.file.name
    text = str(shown_value(line, row))
    return text if len(text) <= SAMPLE_LENGTH else f"{text[: SAMPLE_LENGTH - 1]}…"


def _warnings(customer):
    """What staff should settle before the record forgets it."""
    found = []
    if customer.credit_balance:
        found.append(_("There is an open credit balance; it will be forgotten."))
    account = getattr(customer, "charge_account", None)
    if account is not None and not account.retired:
        found.append(_("The charge account is still open; it will be closed and forgotten."))
    if customer.anonymised_at is None and customer.kind == Customer.Kind.COMPANY:
        found.append(_("This is a company; the people named in it go with it."))
    return found
