"""Sales and returns from a file into the accounts of customers, in chunks of flat memory.

The first pass proves the form of the whole file; a fault there and nothing is written. The second
works chunk by chunk, each in one transaction: customers found in bulk, accounts locked in the order
of their customers' ids, documents recorded in the order of the file, everything written at once. A
refused document is refused alone. What is cut off and started again finds whole chunks unchanged
and does the rest: every document counts exactly once.
"""

import time
import uuid
from collections import defaultdict
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

from django.core.exceptions import ValidationError
from django.db import OperationalError, connection, transaction
from django.utils.translation import gettext_lazy as _

from customers.imports.engine import MANY, refresh_statistics
from customers.imports.errors import FileError
from customers.imports.matching import Index
from customers.imports.report import CREATED, REFUSED, UNCHANGED, Report, describe
from customers.models import Customer
from customers.services import CustomerGone
from customers.services.changes import without_customer_events
from events.actors import acting, current
from events.services import build_event
from loyalty.imports.columns import MATCHES
from loyalty.imports.numbering import (
    Occurrences,
    candidate_numbers,
    choose_number,
    number_of,
)
from loyalty.imports.planning import plan_import
from loyalty.imports.reading import Cleaner, read_drafts
from loyalty.models import EarningRule, LoyaltyAccount
from loyalty.services.accounts import fetch_lots, joined_accounts, opening_accounts
from loyalty.services.moving_many import move_open_accounts
from loyalty.services.rules import has_rules
from loyalty.services.transactions import Recording
from tenancy.scoping import current_tenant

CHUNK = 500
ATTEMPTS = 5
UNBOUND_RETURNS = "%d returns name no sale: they are kept on record and count for nothing."


class _Undone(Exception):
    """Takes back what a dry run wrote."""


def import_transactions(
    file,
    *,
    dry_run=False,
    events=False,
    earns=True,
    on_refused=None,
    progress=None,
    **reading,
):
    """Bring the purchases of a file into the active tenant; returns a Report whose counts add up.

    `reading` is described at `plan_import`. A line is one document. `created` was new, `unchanged`
    on record already; nothing is ever updated: other content under a known number is refused.
    `dry_run` does everything and takes it back. `events` writes an event per transaction, balance
    and level too; `import.started` and `import.completed` are always written. `earns` False counts
    purchases that have earned their points elsewhere. `on_refused(plan, draft, errors)` gets each
    refused document, `progress(done, total)` the rows.

    Raises FileError or MappingError when the file or its mapping is wrong as a whole; then nothing
    was written.
    """
    with ExitStack() as stack:
        if isinstance(file, (str, Path)):
            name = Path(file).name
            file = stack.enter_context(_opened(file))
        else:
            name = Path(str(getattr(file, "name", ""))).name
        run = _Run(plan_import(file, **reading), dry_run, earns, on_refused, progress)
        who = current()
        reason = who.reason or f"import {name}".strip()[:200]
        stack.enter_context(acting(who.actor, request_id=str(run.id), reason=reason))
        if not events:
            stack.enter_context(without_customer_events())
        if not dry_run:
            run.work()
            return run.report
        try:
            with transaction.atomic():
                run.work()
                raise _Undone
        except _Undone:
            return run.report


def _opened(path):
    try:
        return Path(path).open("rb")
    except OSError as fault:
        raise FileError(f"the file cannot be opened: {fault.strerror}") from None


class _Run:
    """One import on its way through its chunks."""

    def __init__(self, plan, dry_run, earns, on_refused, progress):
        self.id = uuid.uuid4()
        self.plan, self.earns = plan, earns
        self.on_refused, self.progress = on_refused, progress
        self.tenant = current_tenant()
        self.cleaner = Cleaner(self.tenant, plan)
        self.occurrences = Occurrences()
        self.n_unbound = 0
        self.report = Report(
            dry_run=dry_run,
            blank_lines=plan.checked.blank_lines,
            kind=plan.source.kind,
            encoding=plan.source.encoding,
            delimiter=plan.source.delimiter,
            match=", ".join(plan.matches),
            unmapped=[one._asdict() for one in plan.unmapped],
        )

    def work(self):
        self.tell("import.started", {"rows": self.plan.checked.rows})
        drafts = read_drafts(self.plan)
        try:
            while chunk := list(islice(drafts, CHUNK)):
                self.do([self.cleaner.clean(draft) for draft in chunk])
                if self.progress:
                    self.progress(self.report.rows, self.plan.checked.rows)
        except FileError as fault:
            # It was whole in the first pass: somebody writes into it. What is in stays in.
            message = f"the file changed while it was imported; the rest is left out ({fault})"
            self.report.add_errors([describe(fault.line, fault.column, None, message)])
        if self.n_unbound:
            self.report.notes.append(UNBOUND_RETURNS % self.n_unbound)
        self.tell("import.completed", self.report.counts)
        if not self.report.dry_run and self.report.created >= MANY:
            refresh_statistics()

    def tell(self, kind, data):
        if not self.report.dry_run:
            build_event(self.tenant, kind, "import", self.id, data=data).save(force_insert=True)

    def do(self, candidates):
        """Write one chunk, whole or not at all, and count what became of it."""
        for attempt in range(ATTEMPTS):
            try:
                with transaction.atomic():
                    outcomes = self.write(candidates)
                break
            except (OperationalError, CustomerGone, ValidationError):
                # A lock that somebody held too long, a customer who has gone since we looked, a
                # number that somebody has given away since: the whole chunk was undone.
                if attempt == ATTEMPTS - 1 or connection.needs_rollback:
                    raise
                time.sleep(0.2 * 2**attempt)
        for candidate, (outcome, errors) in zip(candidates, outcomes, strict=True):
            self.report.count(outcome, candidate.draft.rows)
            if errors:
                self.report.add_errors(errors)
                if self.on_refused:
                    self.on_refused(self.plan, candidate.draft, errors)
            document = candidate.document
            if outcome == CREATED and document.is_return and not document.revises:
                self.n_unbound += 1

    def write(self, candidates):
        """Record what can be recorded; (outcome, errors) of each candidate."""
        buyers = self.find_customers(candidates)
        with opening_accounts(set(buyers.values())) as changes:
            recording = self.prepare(candidates, buyers, changes)
            outcomes = [
                self.record(recording, changes, candidate, buyers.get(index))
                for index, candidate in enumerate(candidates)
            ]
            move_open_accounts(changes.values())
            recording.write()
        return outcomes

    def find_customers(self, candidates):
        """{place of a candidate with a document: id of its customer}; who is not found, or more
        than one, or may not be written to, becomes a reason against the candidate."""
        keys = defaultdict(set)
        for candidate in candidates:
            if candidate.key is not None:
                match, key = candidate.key
                keys[match].add(key)
        known = {
            match: _gathered(Index(self.tenant, match).pairs(wanted))
            for match, wanted in keys.items()
        }
        frozen = set(
            LoyaltyAccount.objects.filter(
                customer__in={
                    pk for found in known.values() for ids in found.values() for pk in ids
                },
                frozen_at__isnull=False,
            ).values_list("customer_id", flat=True)
        )
        buyers = {}
        for index, candidate in enumerate(candidates):
            if candidate.key is None:
                continue
            match, key = candidate.key
            found = known[match].get(key, set())
            candidate.lost = self.about_customer(candidate, found, frozen)
            if candidate.document is not None and not candidate.lost:
                buyers[index] = next(iter(found))
        return buyers

    def about_customer(self, candidate, found, frozen):
        if not found:
            message = _("There is no such customer.")
        elif len(found) > 1:
            rows = Customer.objects.filter(pk__in=found).order_by("number").only("number")
            codes = ", ".join(customer.code for customer in rows)
            message = _("Several customers have this: %(codes)s.") % {"codes": codes}
        elif frozen & found:
            message = _("The account of this customer must be checked.")
        else:
            return []
        target = MATCHES[candidate.key[0]]
        draft = candidate.draft
        value = str(draft.record.get(target))
        return [describe(draft.line, self.plan.label(target), value, message)]

    def prepare(self, candidates, buyers, changes):
        """The Recording of a chunk, with a number for every document."""
        if not self.plan.numbered:
            self.count_occurrences(candidates, buyers)
        documents = [candidates[index].document for index in buyers]
        merged = {} if self.plan.numbered else self.merged_into(changes)
        asked_for = []
        for index, customer_id in buyers.items():
            candidate = candidates[index]
            if customer_id in merged:
                ids = merged[customer_id]
                asked_for += candidate_numbers(ids, candidate.document, candidate.earlier)
            elif not self.plan.numbered:
                document = candidate.document
                document.number = number_of(customer_id, document, candidate.earlier)
        recording = Recording(changes.values(), documents, asked_for)
        self.merged = merged
        if has_rules(self.tenant, EarningRule.Kind.PURCHASE) or any(
            document.is_return or document.number in recording.returns for document in documents
        ):
            fetch_lots(changes.values())
        return recording

    def count_occurrences(self, candidates, buyers):
        for index, customer_id in buyers.items():
            candidate = candidates[index]
            # Once, however often the chunk is tried.
            if candidate.earlier is None:
                candidate.earlier = self.occurrences.count(customer_id, candidate.document)

    def merged_into(self, changes):
        """{customer id: [it, and those whose records became part of it]}, where there are such."""
        accounts = {change.account.pk: customer_id for customer_id, change in changes.items()}
        joined = LoyaltyAccount.objects.filter(merged_into__in=list(accounts))
        survivors = set(joined.values_list("merged_into_id", flat=True))
        found = {}
        for account_id in survivors:
            ids = joined_accounts(changes[accounts[account_id]].account)[1:]
            others = LoyaltyAccount.objects.filter(pk__in=ids, customer__isnull=False)
            customer_id = accounts[account_id]
            found[customer_id] = [
                customer_id, *others.order_by("pk").values_list("customer_id", flat=True)
            ]  # fmt: skip
        return found

    def record(self, recording, changes, candidate, customer_id):
        if customer_id is None:
            return REFUSED, [*candidate.errors, *candidate.lost]
        document = candidate.document
        if customer_id in self.merged:
            ids = self.merged[customer_id]
            document.number = choose_number(ids, document, candidate.earlier, recording.by_number)
        try:
            _row, created = recording.record(changes[customer_id], document, earns=self.earns)
        except ValidationError as refusal:
            return REFUSED, self.cleaner.told(refusal, candidate.draft)
        return (CREATED if created else UNCHANGED), []


def _gathered(pairs):
    found = defaultdict(set)
    for key, customer_id in pairs:
        found[key].add(customer_id)
    return found
