"""The one way in which a loyalty account changes.

`open_account` locks the customer and the account (always in this order, customers by id), brings
what is due into the ledger (locks that have ended, lots that have expired), collects what the deed
does, and on leaving writes entries, lots, the account's row, the level and the events at once.
"""

import uuid
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from customers.services import CustomerGone
from customers.services.changes import events_left_out
from events.models import Event
from loyalty.models import Entry, EntryNote, Lot, LotUse, LoyaltyAccount
from loyalty.programme import programme_of
from loyalty.services.account_change import AccountChange
from loyalty.services.moving import move_after
from tenancy.integrity import refusals

# The same cause at two customers at once: the constraint decides.
UNIQUE_MESSAGES = {"entry_source_unique": ("source", _("This was counted before."))}


class Repeated(Exception):
    """The cause has made its entry before; `entry` is that one. Nothing was written."""

    def __init__(self, entry):
        super().__init__("This was counted before.")
        self.entry = entry


_open = ContextVar("open_loyalty_accounts", default=None)
ROW = (
    *("points", "locked_points", "n_entries", "next_due_at"),
    *("level_id", "manual_level_id", "level_since", "recalculated_at"),
    *("transactions_count", "transactions_amount", "amount_without_delivery", "excluded_amount"),
    *("n_applied", "first_purchase_at", "last_purchase_at", "merged_into_id"),
)


def _row(account):
    return {name: getattr(account, name) for name in ROW}


def write_accounts(changes):
    """Write what was done to open accounts: each table in one statement for all of them."""
    for change in changes:
        change.account.next_due_at = change.next_due()
    _create(Entry, [row for change in changes for row in change.entries])
    _create(EntryNote, [row for change in changes for row in change.notes])
    _create(Lot, [row for change in changes for row in change.new_lots])
    changed_lots = [lot for change in changes for lot in change.changed_lots.values()]
    if changed_lots:
        Lot.objects.bulk_update(
            changed_lots,
            ["account", "remaining", "expired", "cancelled", "cancelled_at", "locked"],
            batch_size=500,
        )
    _create(LotUse, [row for change in changes for row in change.uses])
    for change in changes:
        _save_row(change.account)
    if not events_left_out():
        _create(Event, [change.points_event() for change in changes if change.moved_points])


def _create(model, rows):
    if rows:
        with refusals(UNIQUE_MESSAGES):
            model.objects.bulk_create(rows)


def _save_row(account):
    values = _row(account)
    changed = {name: value for name, value in values.items() if value != account.read_row[name]}
    if not changed:
        return
    # The row was read under its lock; the condition costs nothing and refuses a write that some
    # other door made possible.
    read = account.read_row["n_entries"]
    written = LoyaltyAccount.objects.filter(pk=account.pk, n_entries=read).update(**changed)
    if written != 1:
        raise IntegrityError("the loyalty account changed under its lock")
    account.read_row = values


@contextmanager
def open_account(customer, *, source=None):
    """Lock the account of `customer` (an instance or an id) and yield its AccountChange.

    Inside another open change of the same account it joins that one. Where `source` is
    (kind, id, entry kind) and that entry exists, raises Repeated before anything is done, or
    ValidationError naming `source` (code "unique") where it stands on somebody else's account.
    Raises CustomerGone; ValidationError for an account that the nightly check has frozen.
    """
    customer_id = customer.pk if isinstance(customer, Customer) else customer
    with opening_accounts([customer_id]) as changes:
        change = changes[customer_id]
        if source is not None:
            refuse_repeated(source, change.account)
        yield change


def refuse_repeated(source, account):
    """Raise Repeated when (source kind, source id, entry kind) has made its entry on `account`, or
    on one that was joined to it; ValidationError when on another."""
    source_kind, source_id, kind = source
    entry = Entry.objects.of_source(source_kind, str(source_id)).filter(kind=kind).first()
    if entry is None:
        return
    if entry.account_id not in joined_accounts(account):
        message = UNIQUE_MESSAGES["entry_source_unique"][1]
        raise ValidationError({"source": ValidationError(message, code="unique")})
    raise Repeated(entry)


@contextmanager
def opening_accounts(customer_ids):
    """Lock the accounts of several customers, in the order of their ids, and yield
    {customer id: AccountChange}; what is open already is joined. A customer without an account
    gets one. Raises as `open_account` does."""
    table = _open.get()
    if table is None:
        table = {}
        _open.set(table)
    wanted = [key for key in dict.fromkeys(customer_ids) if key not in table]
    with ExitStack() as stack:
        if wanted:
            stack.enter_context(transaction.atomic())
            opened = _lock(sorted(wanted, key=str))
            table.update(opened)
            stack.callback(lambda: [table.pop(key, None) for key in opened])
        yield {key: table[key] for key in dict.fromkeys(customer_ids)}
        for key in wanted:
            move_after(table[key])
        write_accounts([table[key] for key in wanted])


def _lock(customer_ids):
    customers = {
        row.pk: row
        for row in Customer.objects.filter(pk__in=customer_ids)
        .select_for_update(of=("self",), no_key=True)
        .select_related("tenant")
        .order_by("pk")
    }
    if len(customers) < len(customer_ids):
        raise CustomerGone
    return changes_of(customers)


def changes_of(customers):
    """{customer id: AccountChange} of customers ({id: instance}) whose rows are locked already, in
    no open account yet; the accounts are locked here. For callers that write them themselves."""
    _open_missing(customers)
    accounts = (
        LoyaltyAccount.objects.filter(customer__in=list(customers))
        .select_for_update(no_key=True)
        .order_by("pk")
    )
    changes = {}
    for account in accounts:
        customer = customers[account.customer_id]
        account.tenant = customer.tenant
        changes[customer.pk] = change_of(account, customer)
    return changes


def change_of(account, customer):
    """An AccountChange over a row that is locked; settles what is due."""
    if account.frozen_at is not None:
        raise ValidationError(_("This account must be checked."), code="frozen")
    account.read_row = _row(account)
    change = AccountChange(account, customer, programme_of(account.tenant))
    if account.next_due_at is not None and account.next_due_at <= change.instant:
        change.settle()
    return change


def _open_missing(customers):
    known = LoyaltyAccount.objects.filter(customer__in=customers).values_list(
        "customer_id", flat=True
    )
    missing = [row for key, row in customers.items() if key not in set(known)]
    # The customer is locked, so nobody else opens the account meanwhile.
    LoyaltyAccount.objects.bulk_create(
        LoyaltyAccount(id=uuid.uuid4(), tenant=row.tenant, customer=row, created_at=row.created_at)
        for row in missing
    )


def fetch_lots(changes):
    """Fetch the lots of many open accounts at once instead of one after the other."""
    waiting = {change.account.pk: change for change in changes if not change.has_lots}
    lots = {account_id: [] for account_id in waiting}
    for lot in Lot.objects.filter(account__in=list(waiting), remaining__gt=0):
        lots[lot.account_id].append(lot)
    for account_id, change in waiting.items():
        change.use_lots(lots[account_id])


def account_of(customer):
    """The account of a customer as it is stored, or None."""
    return LoyaltyAccount.objects.with_levels().filter(customer=customer).first()


def joined_accounts(account):
    """The ids of an account and of all that became part of it."""
    ids, latest = [account.pk], [account.pk]
    while latest:
        latest = list(
            LoyaltyAccount.objects.filter(merged_into__in=latest)
            .exclude(pk__in=ids)
            .values_list("pk", flat=True)
        )
        ids += latest
    return ids
