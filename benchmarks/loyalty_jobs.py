"""The nightly expiry and the look at everybody's level: ours, one account at a time, a bare sum.

    .venv/bin/python -m benchmarks.loyalty_jobs [accounts] [one by one]

Every account has one lot that has expired and one that has not. Ours is `expire_points`; the loop
opens one account after the other, as the next purchase would (fewer of them, reckoned per account);
the bare sum is the one query that must read every due lot in any case. Then `recalculate_levels
--all` beside the loop, after a threshold was moved. In a database of its own, which is removed at
the end, beside the one that DATABASE_URL names (SQLite in a temporary folder without it); only the
ratios mean anything on another machine.
"""

import os
import sys
import tempfile
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BEGIN = datetime(2026, 1, 5, 9, tzinfo=UTC)
END = BEGIN + timedelta(days=10)
BATCH = 2_000


def make(n_accounts, code):
    """A tenant with so many customers, by bulk writes that keep what the services keep."""
    from customers.models import Customer
    from loyalty.models import Entry, Level, Lot, LoyaltyAccount
    from tenancy.scoping import in_tenant
    from tenancy.services import create_tenant

    tenant = create_tenant(code)[0]
    tenant.settings |= {"tier_by": "points", "downgrade_mode": "automatic"}
    tenant.save(update_fields=["settings"])
    with in_tenant(tenant):
        level = Level.objects.get()
        Level.objects.create(tenant=tenant, name="Gold", threshold=30_00, reward_percent=10_00)
        for first in range(0, n_accounts, BATCH):
            customers = [
                Customer(id=uuid.uuid4(), tenant=tenant, number=number, name=f"Customer {number}")
                for number in range(first + 1, min(first + BATCH, n_accounts) + 1)
            ]
            accounts = [
                LoyaltyAccount(
                    tenant=tenant, customer=customer, level=level, level_since=BEGIN,
                    points=20_00, n_entries=2, next_due_at=BEGIN + timedelta(days=5),
                )
                for customer in customers
            ]  # fmt: skip
            entries, lots = [], []
            for account in accounts:
                for seq, expires in ((1, 5), (2, 90)):
                    entry = Entry(
                        tenant=tenant, account=account, seq=seq, kind="earn", points=10_00,
                        points_after=seq * 10_00, locked_after=0, at=BEGIN, created_at=BEGIN,
                        source_kind="bench", source_id=uuid.uuid4(), actor_kind="system",
                    )  # fmt: skip
                    entries.append(entry)
                    lots.append(
                        Lot(
                            tenant=tenant, account=account, home_account=account, entry=entry,
                            value=10_00, remaining=10_00, earned_at=BEGIN,
                            expires_at=BEGIN + timedelta(days=expires),
                        )
                    )  # fmt: skip
            for model, rows in (
                (Customer, customers), (LoyaltyAccount, accounts), (Entry, entries), (Lot, lots)
            ):  # fmt: skip
                model.objects.bulk_create(rows, batch_size=500)
    return tenant


def say(line):
    sys.stdout.write(f"{line}\n")


def timed(deed):
    start = time.perf_counter()
    result = deed()
    return time.perf_counter() - start, result


def one_by_one():
    """Open every due account, one after the other; how many."""
    from loyalty.models import LoyaltyAccount
    from loyalty.services import open_account

    due = list(LoyaltyAccount.objects.due(END).values_list("customer_id", flat=True))
    for customer_id in due:
        with open_account(customer_id):
            pass
    return len(due)


def look_one_by_one():
    from loyalty.models import LoyaltyAccount
    from loyalty.services import open_account

    everybody = list(LoyaltyAccount.objects.values_list("customer_id", flat=True))
    for customer_id in everybody:
        with open_account(customer_id) as change:
            change.look_at_level = True
    return len(everybody)


def bare_sum():
    from django.db.models import Sum

    from loyalty.models import Lot

    due = Lot.objects.filter(remaining__gt=0, expires_at__lte=END).order_by()
    return len(list(due.values("account_id").annotate(points=Sum("remaining"))))


def lower_threshold():
    from loyalty.models import Level
    from loyalty.services import update_level

    update_level(Level.objects.get(name="Gold"), threshold=5)


def measure(n_accounts, n_loop):
    from loyalty.services.expiring import expire_points
    from loyalty.services.recalculating import recalculate_levels
    from tenancy import clock
    from tenancy.scoping import in_tenant

    many, few = make(n_accounts, "many"), make(n_loop, "few")
    with clock.frozen(END):
        with in_tenant(many):
            sums, _ = timed(bare_sum)
            ours, report = timed(expire_points)
            assert report["accounts"] == report["expired_lots"] == n_accounts
            again, _ = timed(expire_points)
        with in_tenant(few):
            loop, n_opened = timed(one_by_one)
            assert n_opened == n_loop
        tell("expire_points", n_accounts, ours, loop / n_loop, sums)
        say(f"  a second run, with nothing due: {again * 1000:.1f} ms")
        with in_tenant(many):
            looked, report = timed(lambda: recalculate_levels(everybody=True))
            say(f"recalculate_levels --all, nobody moves: {looked * 1e6 / n_accounts:.1f} µs")
            lower_threshold()
            ours, report = timed(lambda: recalculate_levels(everybody=True))
            assert report["levels_up"] == n_accounts
        with in_tenant(few):
            lower_threshold()
            loop, _ = timed(look_one_by_one)
        tell("recalculate_levels --all, everybody moves", n_accounts, ours, loop / n_loop, None)


def tell(what, n_accounts, ours, loop, sums):
    own = ours / n_accounts
    say(f"{what}: {n_accounts} accounts")
    say(f"  ours {own * 1e6:.0f} µs, one by one {loop * 1e6:.0f} µs: {loop / own:.1f} times less")
    if sums is not None:
        bare = sums / n_accounts
        say(f"  the bare sum {bare * 1e6:.1f} µs: ours takes {own / bare:.0f} times as long")


def main():
    n_accounts = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    n_loop = int(sys.argv[2]) if len(sys.argv) > 2 else min(n_accounts, 500)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("DATABASE_URL", f"sqlite:///{folder}/bench.sqlite3")
        import django

        django.setup()
        from django.db import connection

        database = connection.settings_dict
        if connection.vendor == "sqlite":
            database["TEST"]["NAME"] = f"{folder}/bench_test.sqlite3"
        else:
            database["TEST"]["NAME"] = f"bench_{uuid.uuid4().hex[:12]}"
        name = database["NAME"]
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        try:
            say(f"{connection.vendor}, per account:")
            measure(n_accounts, n_loop)
        finally:
            connection.creation.destroy_test_db(name, verbosity=0)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
