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
from django.db.models import Min, Q
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from customers.services import CustomerGone
from customers.services.changes import events_left_out
from events.actors import current
from events.models import Event
from events.services import build_event
from loyalty.models import Entry, EntryNote, Lot, LotUse, LoyaltyAccount
from loyalty.programme import programme_of
from loyalty.services.choosing import levels_of
from loyalty.services.moving import move_after
from tenancy import clock
from tenancy.integrity import refusals

NOT_ENOUGH = _("There are not enough points.")
# The same cause at two customers at once: the constraint decides.
UNIQUE_MESSAGES = {"entry_source_unique": ("source", _("This was counted before."))}


class Repeated(Exception):
    """The cause has made its entry before; `entry` is that one. Nothing was written."""

    def __init__(self, entry):
        super().__init__("This was counted before.")
        self.entry = entry


_open = ContextVar("open_loyalty_accounts", default=None)


class AccountChange:
    """A locked account, exact at `instant`, and what the current deed does to it."""

    def __init__(self, account, customer, programme):
        self.account = account
        self.customer = customer  # None: the account of a deleted customer
        self.programme = programme
        self.instant = clock.now()
        self.entries, self.notes, self.uses = [], [], []
        self.new_lots, self.changed_lots = [], {}
        self.points_before = account.points
        self.look_at_level = False
        self.reason = ""
        self.deed = "customer.updated"  # under which the customer's history tells of a level
        self._lots = None
        self._levels = None

    @property
    def levels(self):
        """The tenant's levels, fetched once."""
        if self._levels is None:
            self._levels = levels_of(self.programme.tenant)
        return self._levels

    def use_levels(self, levels):
        """Take the tenant's levels, by id, from somebody who has fetched them."""
        self._levels = list(levels.values())
        self.account.level = levels.get(self.account.level_id)
        self.account.manual_level = levels.get(self.account.manual_level_id)

    @property
    def lots(self):
        """The account's lots that have points left, fetched once, changed in place."""
        if self._lots is None:
            self._lots = list(Lot.objects.filter(account=self.account, remaining__gt=0))
        return self._lots

    # --- What a deed can do ------------------------------------------------------------------
    def enter(
        self,
        kind,
        *,
        points=0,
        locked=0,
        source,
        at=None,
        reverses=None,
        note="",
        store=None,
    ):
        """Add an entry with these deltas (hundredths) and return it. `source` is (kind, id)."""
        account = self.account
        account.points += points
        account.locked_points += locked
        account.n_entries += 1
        who = current().actor
        source_kind, source_id = source
        entry = Entry(
            tenant=account.tenant,
            account=account,
            seq=account.n_entries,
            kind=kind,
            points=points,
            locked_points=locked,
            points_after=account.points,
            locked_after=account.locked_points,
            at=at or self.instant,
            created_at=self.instant,
            source_kind=source_kind,
            source_id=str(source_id),
            reverses=reverses,
            store_id=getattr(store, "pk", store),
            actor_kind=who.kind,
            actor_id=who.id,
        )
        self.entries.append(entry)
        if note:
            self.notes.append(
                EntryNote(
                    tenant=account.tenant, entry=entry, text=note, actor_label=who.label[:254]
                )
            )
        self.look_at_level |= self.programme.by_points and points != 0
        return entry

    def give(self, kind, points, *, source, at=None, terms=None, received=False, **entry_fields):
        """Let points in: an entry and a lot of their own, and return the entry.

        `at` is the instant at which they were earned. `terms` is (locked_until, expires_at) where
        they are not the programme's. A lot whose lock has ended or that has expired by now comes
        in all the same, and is unlocked and expired by entries of their own.
        """
        earned_at = at or self.instant
        if terms is None:
            terms = (self.programme.lock_end(earned_at), self.programme.expiry(earned_at))
        locked_until, expires_at = terms
        is_locked = locked_until is not None
        entry = self.enter(
            kind,
            points=0 if is_locked else points,
            locked=points if is_locked else 0,
            source=source,
            at=earned_at,
            **entry_fields,
        )
        lot = Lot(
            tenant=self.account.tenant,
            account=self.account,
            home_account=self.account,
            entry=entry,
            value=points,
            remaining=points,
            earned_at=earned_at,
            locked=is_locked,
            locked_until=locked_until,
            expires_at=expires_at,
            received=received,
        )
        self.lots.append(lot)
        self.new_lots.append(lot)
        self.settle()
        return entry

    def take(self, kind, points, *, source, floor=False, **entry_fields):
        """Take points out of the lots in spending order; returns the entry and its LotUses.

        `floor` takes what there is where there is less, possibly nothing; otherwise too little
        raises ValidationError naming `points`, code "insufficient_points".
        """
        if points > self.account.points:
            if not floor:
                raise ValidationError(
                    {"points": ValidationError(NOT_ENOUGH, code="insufficient_points")}
                )
            points = self.account.points
        entry = self.enter(kind, points=-points, source=source, **entry_fields)
        left, uses = points, []
        for lot in self.in_spending_order():
            if not left:
                break
            taken = min(left, lot.remaining)
            self.change_lot(lot, remaining=lot.remaining - taken)
            uses.append(LotUse(tenant=self.account.tenant, entry=entry, lot=lot, points=taken))
            left -= taken
        if left:  # the row and its lots disagree: nothing may be spent on such an account
            raise ValidationError(
                {"points": ValidationError(_("This account must be checked."), code="frozen")}
            )
        self.uses += uses
        return entry, uses

    def in_spending_order(self):
        """The lots that can be spent now, by the programme's order."""
        spendable = [lot for lot in self.lots if lot.remaining and not lot.locked]
        if self.programme.spend_order == "oldest":
            return sorted(spendable, key=lambda lot: (lot.earned_at, str(lot.pk)))
        return sorted(
            spendable,
            key=lambda lot: (
                lot.expires_at is None,
                lot.expires_at or lot.earned_at,
                lot.earned_at,
                str(lot.pk),
            ),
        )

    def change_lot(self, lot, **values):
        """Set columns of a lot; written at the end."""
        for name, value in values.items():
            setattr(lot, name, value)
        if lot not in self.new_lots:
            self.changed_lots[lot.pk] = lot

    def settle(self):
        """Unlock and expire what is due, in the order in which it became due."""
        due = []
        for lot in self.lots:
            if lot.locked and lot.locked_until <= self.instant:
                due.append((lot.locked_until, 0, str(lot.pk), lot))
            if lot.remaining and lot.expires_at is not None and lot.expires_at <= self.instant:
                due.append((lot.expires_at, 1, str(lot.pk), lot))
        for at, is_expiry, _key, lot in sorted(due, key=lambda row: row[:3]):
            if is_expiry:
                self.expire_lot(lot, at=at)
            elif lot.locked:  # not if it expired before its lock ended
                self.unlock_lot(lot, at=at)

    def unlock_lot(self, lot, *, at):
        """Make a held-back lot spendable."""
        self.enter(
            Entry.Kind.UNLOCK,
            points=lot.remaining,
            locked=-lot.remaining,
            source=("lot", lot.pk),
            at=at,
        )
        self.change_lot(lot, locked=False)

    def expire_lot(self, lot, *, at):
        """Let what is left of a lot expire."""
        left = lot.remaining
        self.enter(
            Entry.Kind.EXPIRE,
            points=0 if lot.locked else -left,
            locked=-left if lot.locked else 0,
            source=("lot", lot.pk),
            at=at,
        )
        self.change_lot(lot, remaining=0, expired=lot.expired + left, locked=False)

    # --- Writing -----------------------------------------------------------------------------
    @property
    def moved_points(self):
        """Whether a person's balance is another than before."""
        return self.account.points != self.points_before and self.customer is not None

    def points_event(self):
        """The unsaved event that tells so."""
        return build_event(
            self.account.tenant,
            "points.changed",
            "customer",
            self.customer.pk,
            data={"account": str(self.account.pk)},
        )

    def next_due(self):
        """The first instant at which one of the lots is unlocked or expires."""
        if self._lots is None:
            return self.account.next_due_at
        instants = [lot.locked_until for lot in self.lots if lot.locked]
        instants += [lot.expires_at for lot in self.lots if lot.remaining and lot.expires_at]
        return min(instants, default=None)


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
    entry = (
        Entry.objects.of_source(source_kind, str(source_id))
        .filter(kind=kind)
        .select_related("account")
        .first()
    )
    if entry is None:
        return
    if account.pk not in (entry.account_id, entry.account.merged_into_id):
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
    waiting = {change.account.pk: change for change in changes if change._lots is None}
    lots = {account_id: [] for account_id in waiting}
    for lot in Lot.objects.filter(account__in=list(waiting), remaining__gt=0):
        lots[lot.account_id].append(lot)
    for account_id, change in waiting.items():
        change._lots = lots[account_id]


def account_of(customer):
    """The account of a customer as it is stored, or None."""
    return LoyaltyAccount.objects.with_levels().filter(customer=customer).first()


def next_due_of(account):
    """The first instant at which a lot of this account is unlocked or expires, from the lots."""
    found = Lot.objects.filter(account=account).aggregate(
        unlock=Min("locked_until", filter=Q(locked=True)),
        expiry=Min("expires_at", filter=Q(remaining__gt=0)),
    )
    return min((at for at in found.values() if at is not None), default=None)
