"""What became due, written for many accounts at once.

Three statements for a chunk of accounts: the entries by window functions, the lots, the rows of the
accounts. The entries are the same that `AccountChange.settle` makes when such an account is opened.
Both databases run the same SQL but for how an id is made and told.
"""

from dataclasses import dataclass
from typing import NamedTuple

from django.db import connection
from django.db.models import BigIntegerField, Case, Count, F, Q, Sum, Value, When

from events.actors import current
from events.models import Event
from events.services import build_event
from loyalty.models import Entry, Lot, LoyaltyAccount


class Dialect(NamedTuple):
    """How a database makes a random UUID, tells one as text with dashes, and takes one given."""

    made: str
    told: str
    given: str


UUIDS = {
    "postgresql": Dialect("gen_random_uuid()", "{0}::text", "%(actor_id)s::uuid"),
    "sqlite": Dialect(
        "lower(hex(randomblob(6))) || '4' || substr(lower(hex(randomblob(2))), 2) || "
        "substr('89ab', 1 + (random() & 3), 1) || substr(lower(hex(randomblob(8))), 2)",
        "substr({0},1,8)||'-'||substr({0},9,4)||'-'||substr({0},13,4)||'-'||substr({0},17,4)"
        "||'-'||substr({0},21)",
        "%(actor_id)s",
    ),
}

# An unlocked lot and an expired one, in the order in which that happened. A lot that expired while
# it was locked is not unlocked any more.
DUE = """
SELECT lot.account_id, lot.id AS lot_id, 0 AS place, 'unlock' AS kind, lot.locked_until AS at,
       lot.remaining AS points, -lot.remaining AS locked_points
FROM loyalty_lot lot
WHERE lot.account_id IN ({accounts}) AND lot.remaining > 0
  AND lot.locked AND lot.locked_until <= %(now)s
  AND (lot.expires_at IS NULL OR lot.expires_at >= lot.locked_until)
UNION ALL
SELECT lot.account_id, lot.id, 1, 'expire', lot.expires_at,
       CASE WHEN {locked_then} THEN 0 ELSE -lot.remaining END,
       CASE WHEN {locked_then} THEN -lot.remaining ELSE 0 END
FROM loyalty_lot lot
WHERE lot.account_id IN ({accounts}) AND lot.remaining > 0 AND lot.expires_at <= %(now)s
"""
LOCKED_THEN = (
    "lot.locked AND NOT (lot.locked_until <= %(now)s AND lot.locked_until <= lot.expires_at)"
)
# Everything that is left, spendable or locked.
ALL = """
SELECT lot.account_id, lot.id AS lot_id, 1 AS place, 'expire' AS kind, %(now)s AS at,
       CASE WHEN lot.locked THEN 0 ELSE -lot.remaining END AS points,
       CASE WHEN lot.locked THEN -lot.remaining ELSE 0 END AS locked_points
FROM loyalty_lot lot
WHERE lot.account_id IN ({accounts}) AND lot.remaining > 0
"""
INSERT = """
WITH due AS ({due})
INSERT INTO loyalty_entry (id, tenant_id, account_id, seq, kind, points, locked_points,
    points_after, locked_after, at, created_at, source_kind, source_id, actor_kind, actor_id)
SELECT {new_id}, account.tenant_id, account.id,
    account.n_entries + ROW_NUMBER() OVER before,
    due.kind, due.points, due.locked_points,
    account.points + SUM(due.points) OVER until_now,
    account.locked_points + SUM(due.locked_points) OVER until_now,
    due.at, %(now)s, %(source)s, {lot_id} || %(suffix)s, %(actor_kind)s, {actor_id}
FROM due JOIN loyalty_loyaltyaccount account ON account.id = due.account_id
WINDOW before AS (PARTITION BY due.account_id ORDER BY due.at, due.place, due.lot_id),
    until_now AS (PARTITION BY due.account_id ORDER BY due.at, due.place, due.lot_id
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
"""
UPDATE_ACCOUNTS = """
UPDATE loyalty_loyaltyaccount
SET points = loyalty_loyaltyaccount.points + news.points,
    locked_points = loyalty_loyaltyaccount.locked_points + news.locked_points,
    n_entries = news.seq
FROM (
    SELECT entry.account_id, SUM(entry.points) AS points,
        SUM(entry.locked_points) AS locked_points, MAX(entry.seq) AS seq
    FROM loyalty_entry entry JOIN loyalty_loyaltyaccount account ON account.id = entry.account_id
    WHERE entry.account_id IN ({accounts}) AND entry.seq > account.n_entries
    GROUP BY entry.account_id
) news
WHERE loyalty_loyaltyaccount.id = news.account_id
"""
UPDATE_DUE = """
UPDATE loyalty_loyaltyaccount
SET next_due_at = (
    SELECT MIN(due.at) FROM (
        SELECT lot.locked_until AS at FROM loyalty_lot lot
        WHERE lot.account_id = loyalty_loyaltyaccount.id AND lot.locked AND lot.remaining > 0
        UNION ALL
        SELECT lot.expires_at FROM loyalty_lot lot
        WHERE lot.account_id = loyalty_loyaltyaccount.id AND lot.remaining > 0
    ) due
)
WHERE id IN ({accounts})
"""


@dataclass(frozen=True, slots=True)
class News:
    """What one account got: the delta of what can be spent, whether any entry moved that (which
    makes levels by points worth a look), and what was unlocked and what expired."""

    points: int
    moved_points: bool
    unlocked_lots: int
    unlocked_points: int
    expired_lots: int
    expired_points: int


def settle_many(accounts, now):
    """Unlock and expire what is due of locked accounts; returns {account id: News} of those that
    got entries. Must run in a transaction; `accounts` are brought up to date."""
    due = DUE.format(accounts="{accounts}", locked_then=LOCKED_THEN)
    is_due = Q(expires_at__lte=now)
    lots = Lot.objects.filter(
        is_due | Q(locked=True, locked_until__lte=now), account__in=accounts, remaining__gt=0
    )
    return _write(accounts, now, due, lots, is_due, source="lot", suffix="")


def expire_all(accounts, now):
    """Let everything that is left on locked accounts expire at `now`; returns as `settle_many`."""
    lots = Lot.objects.filter(account__in=accounts, remaining__gt=0)
    # A lot can be given points back after it, and expire again.
    suffix = f":{now.isoformat()}"
    return _write(accounts, now, ALL, lots, Q(remaining__gt=0), source="reset", suffix=suffix)


def _write(accounts, now, due, lots, expires, *, source, suffix):
    if not accounts:
        return {}
    ids = [account.pk for account in accounts]
    dialect = UUIDS[connection.vendor]
    who = current().actor
    sql = INSERT.format(
        due=due, new_id=dialect.made, lot_id=dialect.told.format("due.lot_id"),
        actor_id=dialect.given, accounts="{accounts}",
    )  # fmt: skip
    values = {
        "now": _adapted("created_at", now),
        "source": source,
        "suffix": suffix,
        "actor_kind": who.kind,
        "actor_id": _adapted("actor_id", who.id),
    }
    _execute(sql, ids, values)
    gone = Case(
        When(expires, then=F("remaining")), default=Value(0), output_field=BigIntegerField()
    )
    lots.update(
        expired=F("expired") + gone,
        remaining=F("remaining") - gone,
        locked=False,
    )
    news = _news(ids)
    _execute(UPDATE_ACCOUNTS, ids)
    _execute(UPDATE_DUE, ids)
    _refresh(accounts)
    return news


def _adapted(column, value):
    """A value as a statement of our own takes it, by the rules of an entry's column."""
    return Entry._meta.get_field(column).get_db_prep_value(value, connection)


def _execute(sql, ids, values=None):
    names = {f"account_{place}": _adapted("id", key) for place, key in enumerate(ids)}
    listed = ", ".join(f"%({name})s" for name in names)
    with connection.cursor() as cursor:
        cursor.execute(sql.format(accounts=listed), names | (values or {}))


def _news(ids):
    """What the entries say that the accounts' rows do not count yet."""
    unlocked = Q(kind=Entry.Kind.UNLOCK)
    rows = (
        Entry.objects.filter(account__in=ids, seq__gt=F("account__n_entries"))
        .order_by()
        .values("account_id")
        .annotate(
            delta=Sum("points"),
            n_moving=Count("pk", filter=~Q(points=0)),
            n_unlocked=Count("pk", filter=unlocked),
            unlocked=Sum("points", filter=unlocked, default=0),
            n_expired=Count("pk", filter=~unlocked),
            expired=Sum(-F("points") - F("locked_points"), filter=~unlocked, default=0),
        )
    )
    return {
        row["account_id"]: News(
            row["delta"],
            bool(row["n_moving"]),
            row["n_unlocked"],
            row["unlocked"],
            row["n_expired"],
            row["expired"],
        )
        for row in rows
    }


def _refresh(accounts):
    columns = ("points", "locked_points", "n_entries", "next_due_at")
    rows = LoyaltyAccount.objects.filter(pk__in=[account.pk for account in accounts])
    fresh = {row["pk"]: row for row in rows.order_by().values("pk", *columns)}
    for account in accounts:
        for name in columns:
            setattr(account, name, fresh[account.pk][name])


def tell_points(accounts, deltas):
    """The event of every customer whose balance moved; `deltas` is {account id: points}."""
    Event.objects.bulk_create(
        build_event(
            account.tenant,
            "points.changed",
            "customer",
            account.customer_id,
            data={"account": str(account.pk)},
        )
        for account in accounts
        if account.customer_id is not None and deltas.get(account.pk)
    )
