"""Many callers at once, and what became of each."""

import threading
import time
from collections import Counter

from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import F, Q, Sum

from loyalty.models import Entry, Lot, LotUse, LoyaltyAccount
from loyalty.services import Repeated
from loyalty.services.checking import check_accounts, check_sums
from tenancy.scoping import current_tenant, in_tenant

DONE, REPEATED = "done", "repeated"
PATIENCE = 300  # seconds; threads that take longer hang


def at_once(tenant, n_threads, work, *, patience=PATIENCE):
    """Run `work(number)` in threads that start together, in the tenant's scope; returns a Counter
    of what became of the calls. `work` may answer a Counter of its own."""
    start, told = threading.Barrier(n_threads), []

    def run(number):
        try:
            with in_tenant(tenant):
                start.wait(timeout=patience)
                told.append(outcome(work, number))
        finally:
            connection.close()

    threads = [
        threading.Thread(target=run, args=[number], daemon=True) for number in range(n_threads)
    ]
    for thread in threads:
        thread.start()
    end = time.monotonic() + patience
    for thread in threads:
        thread.join(timeout=max(0, end - time.monotonic()))
    assert len(told) == n_threads
    return sum(told, Counter())


def outcome(work, *args):
    """A Counter of one: "done", "repeated", the code of a refusal, or the name of an error."""
    try:
        answer = work(*args)
    except Repeated:
        return Counter({REPEATED: 1})
    except ValidationError as error:
        return Counter({code_of(error): 1})
    except Exception as error:  # whatever else it is, the assertion shall show it
        return Counter({f"{type(error).__name__}: {error}"[:200]: 1})
    return answer if isinstance(answer, Counter) else Counter({DONE: 1})


def code_of(error):
    """The code of the first refusal in a ValidationError."""
    by_field = getattr(error, "error_dict", None)
    errors = next(iter(by_field.values())) if by_field else error.error_list
    return errors[0].code


def wrong_accounts():
    """What does not add up anywhere in the tenant, as sentences: [] is what everybody wants."""
    found = []
    for account in LoyaltyAccount.objects.order_by("pk"):
        found += [f"{account.pk}: {problem}" for problem in problems_of(account)]
    # The product's own proof must agree, or it would not find what we find.
    found += [str(mismatch) for mismatch in check_accounts(list(LoyaltyAccount.objects.all()))]
    found += [str(mismatch) for mismatch in check_sums(current_tenant())]
    if Lot.objects.exclude(Q(remaining__gte=0) & Q(value__gte=F("remaining"))).exists():
        found.append("a lot has less than nothing, or more than came in")
    return found


def problems_of(account):
    """What does not add up on one account: its row, its entries, its lots, their uses."""
    entries = list(Entry.objects.filter(account=account).order_by("seq"))
    points = locked = 0
    for number, entry in enumerate(entries, start=1):
        points, locked = points + entry.points, locked + entry.locked_points
        if entry.seq != number:
            yield f"entry {entry.seq} stands in place {number}"
        if (entry.points_after, entry.locked_after) != (points, locked):
            yield f"entry {number} tells another balance than its predecessors"
        if points < 0 or locked < 0:
            yield f"entry {number} goes below nothing"
    if (account.points, account.locked_points, account.n_entries) != (points, locked, len(entries)):
        yield "the row is not the sum of its entries"
    lots = list(Lot.objects.filter(account=account))
    if points != sum(lot.remaining for lot in lots if not lot.locked):
        yield "the lots hold other points than the row"
    if locked != sum(lot.remaining for lot in lots if lot.locked):
        yield "the lots hold back other points than the row"
    taken = {
        row["lot"]: row["total"]
        for row in LotUse.objects.filter(lot__account=account)
        .order_by()
        .values("lot")
        .annotate(total=Sum("points"))
    }
    gone = {lot.pk: lot.value - lot.remaining - lot.expired - lot.cancelled for lot in lots}
    for lot in lots:
        if not 0 <= gone[lot.pk] <= taken.get(lot.pk, 0):
            yield f"lot {lot.pk} is not what is left, used, expired and cancelled of it"
    # A refund goes back into its lots, or where they have ended into a lot of its own.
    put_back = sum(
        entry.points for entry in entries if entry.kind == "refund" and entry.pk not in fresh(lots)
    )
    if sum(gone.values()) != sum(taken.values()) - put_back:
        yield "the lots lack other points than were taken from them and not put back"


def fresh(lots):
    """The entries that made these lots."""
    return {lot.entry_id for lot in lots}
