"""What the counters of an account make of sales and returns: a running sum, floored at every step.

Pure functions over anything that has the columns named in COUNTERS (an account, or Counters).
"""

from dataclasses import dataclass, fields
from datetime import datetime

from loyalty.models import Transaction


@dataclass(slots=True)
class Counters:
    """The counters of one account; money in minor units."""

    transactions_count: int = 0
    transactions_amount: int = 0
    amount_without_delivery: int = 0
    excluded_amount: int = 0
    n_applied: int = 0
    first_purchase_at: datetime | None = None
    last_purchase_at: datetime | None = None


COUNTERS = tuple(field.name for field in fields(Counters))


def count_sale(counters, sale):
    """Add a sale, and give it the next `applied_seq`."""
    counters.transactions_count += 1
    counters.transactions_amount += sale.amount
    counters.amount_without_delivery += sale.amount - sale.delivery_amount
    counters.excluded_amount += sale.excluded_amount
    first = counters.first_purchase_at
    counters.first_purchase_at = min(first or sale.purchased_at, sale.purchased_at)
    _apply(counters, sale)


def count_return(counters, sale, back, returned):
    """Subtract a return of `sale`, never below zero, and give it the next `applied_seq`.

    `returned` is the total of the sale's returns counted before, None where there was none. A sale
    stops counting as one when its returns reach its amount.
    """
    total = (returned or 0) + back.amount
    if total >= sale.amount and not is_returned(sale, returned):
        counters.transactions_count -= 1
    counters.transactions_amount = max(0, counters.transactions_amount - back.amount)
    counters.amount_without_delivery = max(
        0, counters.amount_without_delivery - (back.amount - back.delivery_amount)
    )
    counters.excluded_amount = max(0, counters.excluded_amount - back.excluded_amount)
    _apply(counters, back)


def is_returned(sale, returned):
    """Whether returns of this total have taken the whole sale back; None: there was no return."""
    return returned is not None and returned >= sale.amount


def _apply(counters, document):
    last = counters.last_purchase_at
    counters.last_purchase_at = max(last or document.purchased_at, document.purchased_at)
    counters.n_applied += 1
    document.applied_seq = counters.n_applied


def replay(transactions):
    """The Counters that these transactions of one account, in any order, add up to.

    They are counted in the order of their `applied_seq` and numbered anew without gaps; those that
    wait (no `applied_seq`) come after them and count as soon as their sale is there. What never
    counts is left with None. The rows are changed in memory only.
    """
    counters, sales, returned, waiting = Counters(), {}, {}, {}
    for document in sorted(transactions, key=_order):
        document.applied_seq = None
        if document.kind == Transaction.Kind.RETURN:
            sale = sales.get(document.revises)
            if sale is None:
                waiting.setdefault(document.revises, []).append(document)
            else:
                _count_back(counters, sale, document, returned)
            continue
        count_sale(counters, document)
        sales[document.number] = document
        for back in waiting.pop(document.number, ()):
            _count_back(counters, document, back, returned)
    return counters


def _count_back(counters, sale, back, returned):
    count_return(counters, sale, back, returned.get(sale.number))
    returned[sale.number] = returned.get(sale.number, 0) + back.amount


def _order(document):
    seq = document.applied_seq
    return (seq is None, seq or 0, document.created_at, str(document.pk))
