"""The pages that staff open most, with many customers: queries and milliseconds.

    .venv/bin/python -m benchmarks.back_office [customers] [rounds]

A database of its own beside the one that DATABASE_URL names, filled by the import and with points,
removed at the end. Each page is asked for by an administrator through Django's whole stack, without
a network; "first" is the first time (what is kept for a while is counted then), "then" the median
of the others. The same pages with a hundred customers stand beside them: the ratio says what size
costs.
"""

import os
import statistics
import sys
import tempfile
import time
import uuid
from datetime import timedelta
from pathlib import Path

from benchmarks.imports import file_of, new_tenant, ours, say, set_up

FEW = 100
BATCH = 5_000


def give_points(tenant):
    """Every customer has points that expire in three weeks, and a purchase: the most that the
    start page may have to add up."""
    from django.db import reset_queries

    from loyalty.models import Entry, Lot, LoyaltyAccount, Transaction
    from tenancy import clock

    now, week = clock.now(), timedelta(days=7)
    accounts = LoyaltyAccount.objects.order_by("pk")
    some = list(accounts[:BATCH])
    while some:
        entries, lots, sales = [], [], []
        for account in some:
            own = {"tenant": tenant, "account": account}
            entry = Entry(
                **own, seq=account.n_entries + 1, kind="earn", points=10_00, points_after=10_00,
                locked_after=0, at=now - week, created_at=now - week, source_kind="bench",
                source_id=uuid.uuid4(), actor_kind="system",
            )  # fmt: skip
            entries.append(entry)
            lots.append(
                Lot(
                    **own, home_account=account, entry=entry, value=10_00, remaining=10_00,
                    earned_at=now - week, expires_at=now + 3 * week,
                )
            )  # fmt: skip
            sales.append(
                Transaction(
                    **own, home_account=account, number=f"B-{account.pk}", amount=10_00,
                    purchased_at=now - week, applied_seq=1, content_hash="",
                )
            )  # fmt: skip
        for model, rows in ((Entry, entries), (Lot, lots), (Transaction, sales)):
            model.objects.bulk_create(rows, batch_size=1_000)
        reset_queries()  # while DEBUG is on, each is remembered
        some = list(accounts.filter(pk__gt=some[-1].pk)[:BATCH])


def pages_of(client, customer):
    """(name, function that asks for it) of each page."""
    email, phone = customer.emails.first().address, customer.phones.first().given
    find, lists = "/admin/customers/customer/find/", "/admin/customers/customer/"
    return [
        ("start page with charts", lambda: client.get("/admin/")),
        ("list", lambda: client.get(lists)),
        ("list, points expire", lambda: client.get(lists, {"expiring": "soon"})),
        ("list, filtered", lambda: client.get(lists, {"status": "active"})),
        ("list, page 20", lambda: client.get(lists, {"p": "20"})),
        ("list, search for a name", lambda: client.get(lists, {"q": customer.last_name})),
        ("till, name", lambda: client.post(find, {"typed": customer.name})),
        ("till, e-mail", lambda: client.post(find, {"typed": email})),
        ("till, phone", lambda: client.post(find, {"typed": phone})),
        ("till, nobody", lambda: client.post(find, {"typed": "qqzzqq"})),
        ("customer page", lambda: client.get(f"{lists}{customer.pk}/change/")),
    ]


def measure(tenant, rounds):
    """{page: (queries, first ms, median ms)} in this tenant."""
    from django.core.cache import cache
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from customers.models import Customer
    from tenancy.scoping import in_tenant
    from tenancy.services import create_staff

    with in_tenant(tenant):
        email = f"boss-{tenant.code}@example.org"
        user = create_staff(tenant, email=email, name="Boss", role="admin")[0].user
        last = Customer.objects.order_by("-number").first()
        customer = Customer.objects.get(number=max(1, last.number // 2))
        client = Client()
        client.force_login(user)
        session = client.session
        session["tenant"] = str(tenant.pk)
        session.save()
        pages = pages_of(client, customer)
    cache.clear()
    found = {}
    for name, ask in pages:
        times = []
        for _round in range(rounds + 1):
            with CaptureQueriesContext(connection) as queries:
                start = time.perf_counter()
                response = ask()
                response.content  # noqa: B018 - rendered
                times.append((time.perf_counter() - start) * 1000)
            if response.status_code != 200:
                raise SystemExit(f"{name} was answered {response.status_code}")
        found[name] = (len(queries), times[0], statistics.median(times[1:]))
    return found


def report(few, many, n):
    say(f"{'':26}{'queries':>8}{'first ms':>10}{'then ms':>9}{f'of {FEW}':>9}")
    for name, (queries, first, then) in many.items():
        say(f"{name:26}{queries:8}{first:10.1f}{then:9.1f}{then / few[name][2]:9.2f}")


def main():
    sizes = [int(one) for one in sys.argv[1:]]
    os.environ["DEBUG"] = "1"  # static files of a manifest are not what is measured
    n, rounds = (sizes + [20_000, 9][len(sizes) :])[:2]
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("DATABASE_URL", f"sqlite:///{folder}/bench.sqlite3")
        is_sqlite = os.environ["DATABASE_URL"].startswith("sqlite")
        remove = set_up(f"{folder}/bench_test.sqlite3" if is_sqlite else None)
        try:
            from django.conf import settings
            from django.db import connection

            from tenancy.scoping import in_tenant

            settings.ALLOWED_HOSTS = ["testserver"]
            settings.SECURE_SSL_REDIRECT = False
            filled = []
            for size in (FEW, n):
                path, tenant = Path(folder) / f"{size}.csv", new_tenant()
                path.write_bytes(file_of(size).getvalue())
                with in_tenant(tenant):
                    ours(path)
                    give_points(tenant)
                filled.append(tenant)
            say(f"{connection.vendor}, {n} customers, median of {rounds}:")
            report(*[measure(tenant, rounds) for tenant in filled], n)
        finally:
            remove()


if __name__ == "__main__":
    main()
