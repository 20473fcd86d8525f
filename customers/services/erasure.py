"""Anonymise and delete: what the registry of personal data says, done to one customer."""

import re
from contextlib import suppress

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from customers.hooks import hooks
from customers.models import Customer, Erasure, Tombstone
from customers.privacy import GOES, POLICY, registry
from customers.services.changes import (
    TICK,
    CustomerChange,
    CustomerGone,
    leave_trace,
    open_change,
)
from customers.services.finishing import finish_after_commit
from customers.services.holdings import files_in_journals, merged_records
from customers.services.scanning import identifying_values
from events.actors import current
from events.services import record
from tenancy import clock

CUSTOMER = "customers.Customer"
BATCH = 200


def anonymise_customer(customer, *, reason="", repeats=None):
    """Erase everything personal of a customer for good; the row stays as a nameless shell.

    Takes an instance or an id and returns the Customer. Repeatable: a second call changes nothing.
    The event `customer.anonymised` and a history entry with who, when and `reason` stay; files,
    the erasure journal and (on SQLite) the write-ahead log follow after the commit. `repeats` is
    the instant of an erasure that the journal knows and a restored backup has forgotten.

    Raises CustomerGone; ValidationError naming `reason` when the reason itself names the person,
    because the reason stays.
    """
    with open_change(
        customer, deed="customer.anonymised", reason=reason, allow_anonymised=True
    ) as change:
        shell = change.customer
        if shell.anonymised_at is None:
            refuse_telling_reason(shell, change.reason or current().reason)
            # Read before the journals are emptied, which hold the names of files.
            former = [(record, _files_of(record)) for record in merged_records(shell, lock=True)]
            files = _files_of(shell)
            for hook in hooks.erased:
                hook([shell])
            emptied = _erase_rows(shell)
            # What an outer deed collected would be written after the erasure.
            change.changes.clear()
            change.consents.clear()
            change.event_data.clear()
            emptied |= _erase_shell(change)
            change.set_silently("anonymised_at", clock.now())
            change.record("erased", None, sorted(emptied))
            _remember(shell, Erasure.Scope.ANONYMISE, files, repeats)
            for record, record_files in former:
                _erase_former(record, record_files, change.reason, repeats)
    return customer if isinstance(customer, Customer) else shell


def _erase_former(record, files, reason, repeats):
    """Erase what is left of a record that was merged into the person's: under its own id, because
    older backups and integrators know it by that."""
    change = CustomerChange(record, "customer.anonymised", reason)
    for hook in hooks.erased:
        hook([record])
    emptied = _erase_rows(record) | _erase_shell(change)
    change.set_silently("anonymised_at", clock.now())
    change.record("erased", None, sorted(emptied))
    record.version += 1
    record.updated_at = max(clock.now(), record.updated_at + TICK)
    record.save(update_fields=[*change.columns, "version", "updated_at"])
    leave_trace(change)
    _remember(record, Erasure.Scope.ANONYMISE, files, repeats)


def anonymise_customers(customers, *, reason=""):
    """Anonymise many (instances or ids), each in a transaction of its own.

    Returns {"anonymised", "unchanged", "failed", "results"}; a result names the `id`, the
    `outcome` (anonymised, unchanged, failed) and for a failure the `message`. One failure stops
    none of the others.
    """
    report = {"anonymised": 0, "unchanged": 0, "failed": 0, "results": []}
    for customer in customers:
        customer_id = getattr(customer, "pk", customer)
        result = {"id": str(customer_id)}
        try:
            was_shell = Customer.objects.filter(pk=customer_id, anonymised_at__isnull=False)
            unchanged = was_shell.exists()
            anonymise_customer(customer, reason=reason)
            result["outcome"] = "unchanged" if unchanged else "anonymised"
        except CustomerGone:
            result |= {"outcome": "failed", "message": str(_("There is no such customer."))}
        except ValidationError as error:
            result |= {"outcome": "failed", "message": " ".join(error.messages)}
        report[result["outcome"]] += 1
        report["results"].append(result)
    return report


def delete_customer(customer, *, reason="", repeats=None):
    """Remove a customer's row, children, files, sessions and history; the id answers 404 then.

    What stays: a tombstone (id, time, by whom), one history entry with who, when and `reason`, and
    the events of the change feed, which hold ids only. Identifiers are free at once. `repeats` is
    as for `anonymise_customer`.

    Raises CustomerGone, also when repeated; ValidationError naming `reason` when it names the
    person.
    """
    customer_id = getattr(customer, "pk", customer)
    with transaction.atomic():
        locked = Customer.objects.select_for_update(of=("self",)).filter(pk=customer_id).first()
        if locked is None:
            raise CustomerGone
        refuse_telling_reason(locked, reason or current().reason)
        for former in merged_records(locked, lock=True):
            _delete_one(former, reason, repeats)
        _delete_one(locked, reason, repeats)


def _delete_one(customer, reason, repeats):
    tenant, customer_id, version = customer.tenant, customer.pk, customer.version + 1
    files = _files_of(customer)
    for hook in hooks.deleted:
        hook([customer])
    _delete_rows(customer)
    _leave_tombstone(customer)
    _remember(customer, Erasure.Scope.DELETE, files, repeats)
    Customer.with_merged.filter(pk=customer_id).delete()
    record(tenant, "customer.deleted", "customer", customer_id, version=version, reason=reason)


def refuse_telling_reason(customer, reason):
    """Raise ValidationError when `reason`, which outlives the person's data, names the person."""
    if reason and any(_stands_in(value, reason) for value in identifying_values(customer)):
        raise ValidationError(
            {
                "reason": ValidationError(
                    _("The reason stays, so it must not name the person."), code="personal"
                )
            }
        )


def _stands_in(value, text):
    if "@" in value:
        return value.casefold() in text.casefold()
    # Whole words in the same letters: somebody called May may still have asked for it in May.
    return re.search(rf"(?<!\w){re.escape(value)}(?!\w)", text) is not None


def _erase_rows(customer):
    """Erase what the other tables hold; returns the names of what held anything."""
    tables = [table for table in registry.about_customers() if table.label != CUSTOMER]
    # Rows that only lose their text first: they are found by rows that go.
    emptied = set()
    for table in tables:
        if not table.whole_row and _empty_columns(table, customer):
            emptied.add(table.section or table.label)
    for table in tables:
        if table.whole_row and table.rows_of(customer).delete()[0]:
            emptied.add(table.section or table.label)
    return emptied


def _empty_columns(table, customer):
    """Bring every changing column of the customer's rows to what erasure leaves of it."""
    columns = {
        table.column(line.column): line.action
        for line in table.lines.values()
        if not line.action.keeps and line.action is not GOES
    }
    if not columns:
        return False
    changed, n_changed = [], 0

    def write():
        table.all_rows().bulk_update(changed, [column.name for column in columns])

    rows = table.rows_of(customer)
    rows = rows.select_related("tenant") if "tenant" in table.lines else rows
    for row in rows.order_by("pk").iterator(chunk_size=BATCH):
        new = {column: action.new_value(row, column) for column, action in columns.items()}
        if any(getattr(row, column.attname) != value for column, value in new.items()):
            for column, value in new.items():
                setattr(row, column.attname, value)
            changed.append(row)
        if len(changed) >= BATCH:
            write()
            n_changed, changed = n_changed + len(changed), []
    if changed:
        write()
    return bool(n_changed or changed)


def _erase_shell(change):
    """Empty the customer's own row; returns the names of the columns that held anything."""
    emptied = set()
    table = registry.tables[CUSTOMER]
    for line in table.lines.values():
        if line.action.keeps:
            continue
        column = table.column(line.column)
        new = line.action.new_value(change.customer, column)
        if getattr(change.customer, column.attname) != new:
            emptied.add(line.column)
        change.set_silently(column.attname, new)
    return emptied


def _delete_rows(customer):
    for table in registry.about_customers():
        if not table.deleted_too and not table.whole_row:
            _empty_columns(table, customer)
    for table in registry.about_customers():
        if table.deleted_too and table.label != CUSTOMER:
            table.rows_of(customer).delete()


def _leave_tombstone(customer):
    who = current().actor
    # An id that a client supplies again and that is deleted again has its last deletion here.
    # Where another tenant deleted the same id before (a business that moved here from its trial),
    # that one's row stays: history and change feed tell of this deletion, and nothing may stop it.
    with suppress(IntegrityError), transaction.atomic():
        Tombstone.objects.update_or_create(
            id=customer.pk,
            tenant=customer.tenant,
            defaults={"deleted_at": clock.now(), "actor_kind": who.kind, "actor_id": who.id},
        )


def _files_of(customer):
    return [
        name
        for table in registry.about_customers()
        if table.file_column
        for name in table.rows_of(customer).values_list(table.file_column, flat=True)
        if name
    ] + files_in_journals(customer)


def _remember(customer, scope, files, repeats):
    erasure = Erasure.objects.create(
        tenant=customer.tenant,
        customer_id=customer.pk,
        scope=scope,
        policy=POLICY,
        at=repeats or clock.now(),
        files=files,
        # The journal has its line already; a second one would look like a second person.
        journaled_at=repeats,
    )
    finish_after_commit(erasure)
