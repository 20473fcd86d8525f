"""Repeating the erasures of the journal after a restore: a backup brings erased people back."""

import datetime
import json
import uuid
from contextlib import suppress
from functools import partial
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ValidationError

from customers.models import Customer, Erasure, Merge
from customers.services.changes import CustomerGone
from customers.services.erasure import anonymise_customer, delete_customer
from customers.services.finishing import finish_erasures
from customers.services.unmerging import undo_merge
from events.models import HistoryEntry
from tenancy.models import Tenant
from tenancy.scoping import in_tenant

REASON = "repeated from the erasure journal"
DEEDS = {
    Erasure.Scope.ANONYMISE.value: anonymise_customer,
    Erasure.Scope.DELETE.value: delete_customer,
}


def replay_journal(path=None, *, dry_run=False):
    """Erase again whoever the journal names and the database still (or again) knows.

    Returns {"lines", "repeated", "unchanged", "newer", "refused", "unfinished", "errors"}, the
    middle four adding up to `lines`. `newer` are customers registered under the same id after
    the erasure: somebody else, or the same person by own wish. A line that cannot be read is
    refused with its number and stops none of the others. `unfinished` counts the erasures whose
    files or journal lines could not be settled even now. Raises FileNotFoundError.
    """
    report = {"lines": 0, "repeated": 0, "unchanged": 0, "newer": 0, "refused": 0}
    report |= {"unfinished": 0, "errors": []}
    tenants = {tenant.pk: tenant for tenant in Tenant.objects.all()}
    waiting = []

    def tell(number, read, repeat):
        try:
            outcome = repeat(read(), tenants, dry_run)
        except MergedMeanwhile as merged:
            waiting.append((number, merged.erasure))
            return
        except (ValueError, ValidationError) as error:
            message = " ".join(getattr(error, "messages", [str(error)]))
            report["errors"].append({"line": number, "message": message})
            outcome = "refused"
        report[outcome] += 1

    with Path(path or settings.ERASURE_JOURNAL).open("rb") as journal:
        for number, line in enumerate(journal, start=1):
            report["lines"] += 1
            tell(number, partial(_read, line), _repeat)
    for number, erasure in waiting:
        tell(number, lambda erasure=erasure: erasure, _repeat_merged)
    if not dry_run:
        for tenant in tenants.values():
            with in_tenant(tenant):
                report["unfinished"] += finish_erasures()
    return report


def _read(line):
    """One line as (tenant id, customer id, scope, instant). Raises ValueError with the fault."""
    try:
        row = json.loads(line)
        tenant, customer = uuid.UUID(row["tenant"]), uuid.UUID(row["customer"])
        at = datetime.datetime.fromisoformat(row["at"])
        scope = row["scope"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"not a line of an erasure journal ({type(error).__name__})") from error
    if scope not in DEEDS or at.tzinfo is None:
        raise ValueError("not a line of an erasure journal (scope or time)")
    return tenant, customer, scope, at


class MergedMeanwhile(Exception):
    """In the restored database this record is part of another one."""

    def __init__(self, erasure):
        super().__init__()
        self.erasure = erasure


def _repeat_merged(erasure, tenants, dry_run):
    """An erasure of a record that the backup knows as merged. Either the survivor was erased with
    it, and the journal has just said so, or the two had been parted before: so they are again."""
    tenant_id, customer_id, scope, at = erasure
    with in_tenant(tenants[tenant_id]):
        former = Customer.with_merged.filter(pk=customer_id).first()
        if former is None or former.anonymised_at or dry_run:
            return "repeated"
        merge = Merge.objects.filter(merged=former, undone_at=None).first()
        if merge is None or not merge.journal:
            raise ValueError("the record is part of another one here; look at both")
        undo_merge(merge, reason=REASON, however_late=True)
    return _repeat(erasure, tenants, dry_run)


def _repeat(erasure, tenants, dry_run):
    tenant_id, customer_id, scope, at = erasure
    if tenant_id not in tenants:
        return "unchanged"  # the tenant is gone, and its customers with it
    with in_tenant(tenants[tenant_id]):
        customer = Customer.objects.filter(pk=customer_id).first()
        if customer is None:
            former = Customer.with_merged.filter(pk=customer_id).first()
            if former is None or (former.anonymised_at and scope == Erasure.Scope.ANONYMISE):
                return "unchanged"
            raise MergedMeanwhile(erasure)
        if customer.anonymised_at and scope == Erasure.Scope.ANONYMISE:
            return "unchanged"
        if _registered_at(customer) > at:
            return "newer"
        if not dry_run:
            with suppress(CustomerGone):
                DEEDS[scope](customer, reason=REASON, repeats=at)
        return "repeated"


def _registered_at(customer):
    """When the row was made, by the history: an import may say that the person came long before.

    Where the history's times were cut to the month, the row is a shell already.
    """
    first = HistoryEntry.objects.about("customer", customer.pk).order_by("id").first()
    return first.at if first else customer.created_at
