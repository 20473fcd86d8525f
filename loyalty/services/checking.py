"""The nightly proof: every balance, counter and number is added up again from its parts.

What does not add up is looked at once more under the account's lock and then frozen: nothing moves
on it until a person has found the cause and `release_account` finds the sums right again.
"""

from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, F, Max, Q, Sum, Window
from django.utils.translation import gettext_lazy as _

from events.services import record
from loyalty.models import Entry, Lot, LoyaltyAccount, Transaction
from loyalty.services.counting import COUNTERS, replay
from tenancy import clock

PAGE = 1_000
Kind = Entry.Kind
# What leaves one account comes to another.
PAIRS = {
    "transfers": (Kind.TRANSFER_OUT, Kind.TRANSFER_IN),
    "merges": (Kind.MERGE_OUT, Kind.MERGE_IN),
}


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A number that is not the sum of its parts. `what` names the column; `balances` counts the
    entries whose balance does not follow from the one before; `transfers` and `merges` are the
    tenant's and have no account."""

    account: str | None
    what: str
    stored: object
    computed: object


def check_account(account):
    """The Mismatches of one account as it is stored."""
    stored = LoyaltyAccount.objects.filter(pk=account.pk).first()
    return [] if stored is None else check_accounts([stored])


def check_accounts(accounts):
    """The Mismatches of these rows, in four queries for all of them together."""
    ids = [account.pk for account in accounts]
    entries, lots = _entries_of(ids), _lots_of(ids)
    torn, documents = _torn_balances(ids), _transactions_of(ids)
    found = []
    for account in accounts:
        numbers = {
            "points": account.points,
            "locked_points": account.locked_points,
            "n_entries": account.n_entries,
        }
        sums = entries.get(account.pk, {"points": 0, "locked": 0, "n": 0, "last": 0})
        computed = {
            "points": sums["points"],
            "locked_points": sums["locked"],
            "n_entries": sums["n"],
        }
        numbers |= {"last_seq": account.n_entries, "balances": 0}
        computed |= {"last_seq": sums["last"], "balances": torn.get(account.pk, 0)}
        left = lots.get(account.pk, {"free": 0, "held": 0})
        numbers |= {"lots": account.points, "locked_lots": account.locked_points}
        computed |= {"lots": left["free"], "locked_lots": left["held"]}
        counters = replay(documents.get(account.pk, []))
        for name in COUNTERS:
            numbers[name] = getattr(account, name)
            computed[name] = getattr(counters, name)
        found += [
            Mismatch(str(account.pk), what, stored, computed[what])
            for what, stored in numbers.items()
            if stored != computed[what]
        ]
    return found


def _entries_of(ids):
    rows = Entry.objects.filter(account__in=ids).order_by().values("account_id")
    rows = rows.annotate(
        total=Sum("points"), locked=Sum("locked_points"), n=Count("pk"), last=Max("seq")
    )
    return {
        row["account_id"]: {
            "points": row["total"],
            "locked": row["locked"],
            "n": row["n"],
            "last": row["last"],
        }
        for row in rows
    }


def _torn_balances(ids):
    """How many entries of each account have a balance that their predecessors do not add up to."""

    def running(column):
        return Window(Sum(column), partition_by="account_id", order_by="seq")

    rows = (
        Entry.objects.filter(account__in=ids)
        .order_by()
        .annotate(points_by_now=running("points"), locked_by_now=running("locked_points"))
        .exclude(points_after=F("points_by_now"), locked_after=F("locked_by_now"))
        .values_list("account_id", flat=True)
    )
    torn = {}
    for account_id in rows:
        torn[account_id] = torn.get(account_id, 0) + 1
    return torn


def _lots_of(ids):
    rows = Lot.objects.filter(account__in=ids).order_by().values("account_id")
    rows = rows.annotate(
        free=Sum("remaining", filter=Q(locked=False), default=0),
        held=Sum("remaining", filter=Q(locked=True), default=0),
    )
    return {row["account_id"]: row for row in rows}


def _transactions_of(ids):
    documents = {}
    rows = Transaction.objects.filter(account__in=ids).order_by().defer("content_hash")
    for row in rows.iterator(chunk_size=2_000):
        documents.setdefault(row.account_id, []).append(row)
    return documents


def reconcile(tenant, *, after=None, on_page=None):
    """Check every account of a tenant, freeze those that do not add up, and report.

    `after` is the id of an account: only those behind it (by id) are looked at, to go on where an
    earlier run stopped. `on_page(done, total, last id)` is called after each page. Returns
    {"accounts": looked at, "frozen": frozen now, "mismatches": [Mismatch, …]}, in which accounts
    that were frozen before are told again as long as they do not add up.
    """
    accounts = LoyaltyAccount.objects.filter(tenant=tenant).order_by("pk")
    if after is not None:
        accounts = accounts.filter(pk__gt=after)
    total, done, n_frozen, mismatches = accounts.count(), 0, 0, []
    while page := list(accounts[:PAGE]):
        for account_id in dict.fromkeys(found.account for found in check_accounts(page)):
            confirmed, is_new = _freeze(account_id)
            mismatches += confirmed
            n_frozen += is_new
        done += len(page)
        accounts = accounts.filter(pk__gt=page[-1].pk)
        if on_page:
            on_page(done, max(total, done), str(page[-1].pk))
    mismatches += check_sums(tenant)
    return {"accounts": done, "frozen": n_frozen, "mismatches": mismatches}


def check_sums(tenant):
    """The Mismatches of the tenant: transfers and merges only move points, they make none."""
    found = []
    for what, kinds in PAIRS.items():
        sums = Entry.objects.filter(tenant=tenant, kind__in=kinds).aggregate(
            total=Sum("points", default=0) + Sum("locked_points", default=0)
        )
        if sums["total"]:
            found.append(Mismatch(None, what, 0, sums["total"]))
    return found


def _freeze(account_id):
    """Look again under the lock, since somebody may have been writing; (mismatches, frozen now)."""
    with transaction.atomic():
        account = LoyaltyAccount.objects.select_for_update(no_key=True).get(pk=account_id)
        found = check_accounts([account])
        if not found or account.frozen_at is not None:
            return found, 0
        LoyaltyAccount.objects.filter(pk=account.pk).update(frozen_at=clock.now())
        record(
            account.tenant,
            "account.frozen",
            "account",
            account.pk,
            changes={one.what: [str(one.stored), str(one.computed)] for one in found},
            data={"customer": account.customer_id and str(account.customer_id)},
        )
    return found, 1


def release_account(account, *, reason=""):
    """Let a frozen account move again. Raises ValidationError, code "mismatch", while its sums are
    not right. Releasing one that is not frozen does nothing."""
    with transaction.atomic():
        locked = LoyaltyAccount.objects.select_for_update(no_key=True).get(pk=account.pk)
        if locked.frozen_at is None:
            return locked
        if found := check_accounts([locked]):
            raise ValidationError(
                _("This account does not add up yet: %(what)s."),
                code="mismatch",
                params={"what": ", ".join(one.what for one in found)},
            )
        LoyaltyAccount.objects.filter(pk=locked.pk).update(frozen_at=None)
        record(
            locked.tenant,
            "account.released",
            "account",
            locked.pk,
            changes={"frozen_at": [locked.frozen_at.isoformat(), None]},
            reason=reason,
            data={"customer": locked.customer_id and str(locked.customer_id)},
        )
        locked.frozen_at = None
    return locked
