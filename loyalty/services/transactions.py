"""Sales and returns: recorded once by their number, counted in the order in which they apply.

A sale applies at once. A return applies when its sale has: one that comes first waits, and one
whose sale never comes, or is another customer's, stays on record and counts for nothing. What has
applied is counted on the account in the same transaction (loyalty/services/counting.py), earns or
gives back points (loyalty/services/earning.py), and lets the level be looked at.
"""

from collections import defaultdict

from django.core.exceptions import ValidationError
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from customers.services.changes import events_left_out
from events.models import Event
from events.services import build_event
from loyalty.models import Entry, Lot, Transaction, TransactionLine
from loyalty.services.accounts import joined_accounts, open_account
from loyalty.services.counting import COUNTERS, count_return, count_sale, replay
from loyalty.services.documents import LARGEST_AMOUNT, clean_document
from loyalty.services.earning import SOURCE, earn_for_sale, take_back
from tenancy.integrity import refusals
from tenancy.scoping import current_tenant

OTHER_CONTENT = _("Another transaction has this number.")
# The sum of all that one customer ever buys; far below what 64 bits hold.
LARGEST_SUM = LARGEST_AMOUNT * 100_000


def record_transaction(
    customer,
    *,
    number,
    kind=Transaction.Kind.SALE,
    revises="",
    purchased_at,
    amount,
    delivery_amount=0,
    excluded_amount=0,
    store=None,
    lines=(),
    earns=True,
):
    """Record a sale or a return of `customer` (an instance or an id); (transaction, created).

    The arguments are described at `clean_document`. The same number again with the same content is
    the same transaction: nothing is counted and `created` is False. `earns` False counts a sale
    that has earned its points elsewhere. A customer who may not earn is counted all the same.

    Raises ValidationError by field; naming `number` with code "conflict" where the number stands
    for something else; CustomerGone.
    """
    document = clean_document(
        number=number,
        kind=kind,
        revises=revises,
        purchased_at=purchased_at,
        amount=amount,
        delivery_amount=delivery_amount,
        excluded_amount=excluded_amount,
        store=store,
        lines=lines,
    )
    with open_account(customer) as change:
        recording = Recording([change], [document])
        transaction, created = recording.record(change, document, earns=earns)
        recording.write()
    return transaction, created


class Recording:
    """What is known about the documents that are being recorded, for one customer or for many.

    `changes` are open accounts; `numbers` are further numbers to be known. Reads everything in
    three queries at most, counts in memory, and `write` stores what is new at once, before the
    accounts are closed.
    """

    def __init__(self, changes, documents, numbers=()):
        self.changes = {change.account.pk: change for change in changes}
        self.new, self.lines, self.applied = [], [], []
        self.by_number, self.returns = {}, defaultdict(list)
        keys = {document.number for document in documents} | set(numbers)
        sales = {document.revises for document in documents if document.revises}
        for row in Transaction.objects.filter(number__in=keys | sales):
            self.by_number[row.number] = row
        # In these words the index of returns is used: it leaves out what revises nothing.
        backs = Transaction.objects.exclude(revises="").filter(revises__in=keys | sales)
        for row in backs.returns().order_by("created_at", "pk"):
            self.returns[row.revises].append(row)
        self._lots = self._read_lots(documents)

    def _read_lots(self, documents):
        """What the sales that are on record and may be returned have earned, by the sale's id."""
        sales = [
            self.by_number[document.revises].pk
            for document in documents
            if document.is_return and document.revises in self.by_number
        ]
        if not sales:
            return {}
        lots = Lot.objects.filter(
            entry__tenant=current_tenant(),
            entry__source_kind=SOURCE,
            entry__source_id__in=[str(pk) for pk in sales],
            entry__kind=Entry.Kind.EARN,
        ).select_related("entry")
        return {lot.entry.source_id: lot for lot in lots}

    def record(self, change, document, *, earns=True):
        """Record one document on an open account; (transaction, created). Raises ValidationError
        as `record_transaction` does, and then nothing of it is left behind."""
        known = self.by_number.get(document.number)
        if known is not None:
            if known.account_id != change.account.pk:
                raise _conflict()
            if known.content_hash != document.content_hash:
                raise _conflict()
            return known, False
        if change.account.transactions_amount + document.amount > LARGEST_SUM:
            raise ValidationError({"amount": ValidationError(_("Too much."), code="max_value")})
        row = self._build(change, document)
        self.by_number[row.number] = row
        self.new.append(row)
        if document.is_return:
            self.returns[row.revises].append(row)
            sale = self.by_number.get(document.revises)
            if sale is not None and self._is_sale_of(change, sale):
                self._apply_return(change, sale, row)
        else:
            self._apply_sale(change, row, earns)
        return row, True

    def _build(self, change, document):
        account = change.account
        row = Transaction(
            tenant=account.tenant,
            account=account,
            home_account=account,
            number=document.number,
            kind=document.kind,
            revises=document.revises,
            purchased_at=document.purchased_at,
            amount=document.amount,
            delivery_amount=document.delivery_amount,
            excluded_amount=document.excluded_amount,
            store=document.store,
            content_hash=document.content_hash,
            created_at=change.instant,
        )
        self.lines += [
            TransactionLine(tenant=account.tenant, transaction=row, position=position, **line)
            for position, line in enumerate(document.lines)
        ]
        return row

    @staticmethod
    def _is_sale_of(change, sale):
        return sale.kind == Transaction.Kind.SALE and sale.account_id == change.account.pk

    def _apply_sale(self, change, sale, earns=True):
        count_sale(change.account, sale)
        change.look_at_level |= change.programme.by_transactions
        entry = earn_for_sale(change, sale) if earns else None
        if entry is not None:
            self._lots[str(sale.pk)] = next(lot for lot in change.new_lots if lot.entry is entry)
        for back in self.returns.get(sale.number, ()):
            if back.applied_seq is None and back.account_id == change.account.pk:
                self._apply_return(change, sale, back)
                if not back._state.adding:
                    self.applied.append(back)

    def _apply_return(self, change, sale, back):
        counted = [
            row.amount
            for row in self.returns[sale.number]
            if row.applied_seq is not None and row.account_id == change.account.pk
        ]
        returned = sum(counted) if counted else None
        count_return(change.account, sale, back, returned)
        change.look_at_level |= change.programme.by_transactions
        lot = self._lots.get(str(sale.pk))
        if lot is not None:
            take_back(change, sale, back, lot, returned or 0)

    def write(self):
        """Store what was recorded. Raises ValidationError naming `number` where somebody was
        faster with another transaction of the same number."""
        if not self.new:
            return
        messages = {"transaction_number_unique": ("number", OTHER_CONTENT)}
        try:
            with refusals(messages):
                Transaction.objects.bulk_create(self.new)
        except ValidationError as refusal:
            raise _conflict() from refusal
        if self.lines:
            TransactionLine.objects.bulk_create(self.lines, batch_size=2_000)
        if self.applied:
            Transaction.objects.bulk_update(self.applied, ["applied_seq"], batch_size=500)
        if not events_left_out():
            Event.objects.bulk_create([self._event(row) for row in self.new])

    def _event(self, row):
        customer = self.changes[row.account_id].customer
        return build_event(
            row.tenant,
            "transaction.recorded",
            "transaction",
            row.pk,
            data={"customer": str(customer.pk), "account": str(row.account_id)},
        )


def _conflict():
    return ValidationError({"number": ValidationError(OTHER_CONTENT, code="conflict")})


def recount(change):
    """Count an open account's transactions anew from all that stand on it now.

    For the joining and parting of accounts: call it on each account after the transactions have
    moved. A return that waited and whose sale is here now is counted, one whose sale has gone
    waits again. Points that were earned or taken back stay as they are.
    """
    rows = list(Transaction.objects.filter(account=change.account))
    before = {row.pk: row.applied_seq for row in rows}
    counters = replay(rows)
    for name in COUNTERS:
        setattr(change.account, name, getattr(counters, name))
    moved = [row for row in rows if row.applied_seq != before[row.pk]]
    Transaction.objects.bulk_update(moved, ["applied_seq"], batch_size=500)
    change.look_at_level |= change.programme.by_transactions


def join_transactions(change, other):
    """Move the transactions of the account `other` to an open account and count all of them: first
    what was counted here, then what was counted there, each in its order."""
    Transaction.objects.filter(account=other).update(
        account=change.account, applied_seq=F("applied_seq") + change.account.n_applied
    )
    recount(change)


def part_transactions(change, other):
    """Undo `join_transactions`: what was recorded on the account of the open change `other`, or on
    one that had become part of it, goes back there, and both are counted anew."""
    Transaction.objects.filter(
        account=change.account, home_account__in=joined_accounts(other.account)
    ).update(account=other.account)
    recount(change)
    recount(other)
