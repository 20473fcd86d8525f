"""The questions that clients of the five wire formats ask most, with many customers.

    .venv/bin/python -m benchmarks.dialects [customers] [rounds]

A database of its own beside the one that DATABASE_URL names, filled by the import, removed at the
end. Each question goes through Django's whole stack, without a network, with a service's token.
Told are the number of queries, the median milliseconds, and two ratios: to the same question to our
own API (50 customers, one, a word), and to the same question where there are a hundred customers,
which says what size costs.
"""

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.imports import file_of, new_tenant, ours, say, set_up

FEW = 100
PAGE = 50


def questions(tenant, token, customer, store):
    """(wire, question, kind of question, function that asks it)."""
    from django.test import Client

    client = Client(headers={"authorization": f"Bearer {token}"})
    get = client.get

    def post(path, body):
        return client.post(path, body, content_type="application/json")

    word, mail = customer.last_name, customer.emails.first().address
    api, loyalty = "/api/v1/customers/", f"/api/{tenant.code}/customer"
    fieldpine, flow = "/OpenApi2/Customers", f"/v2/tenants/{tenant.code}/customers"
    conecto, zeald = f"/pos/v2/{store.location_id}/customers", "/API/V3/Customer"
    page, word_page = {"page_size": PAGE, "count": "true"}, {"page_size": PAGE, "q": word}
    start, far = {"_limit": PAGE}, {"pageSize": PAGE, "pageNumber": 99}
    return [
        ("own API", "page", "page", lambda: get(api, page)),
        ("own API", "one customer", "one", lambda: get(f"{api}{customer.pk}/")),
        ("own API", "a last name", "word", lambda: get(api, word_page)),
        ("own API", "an e-mail", "mail", lambda: get(api, {"q": mail})),
        ("Open Loyalty", "page", "page", lambda: get(loyalty, {"perPage": PAGE})),
        ("Open Loyalty", "page 100", "page", lambda: get(loyalty, {"perPage": PAGE, "page": 100})),
        ("Open Loyalty", "one customer", "one", lambda: get(f"{loyalty}/{customer.pk}")),
        ("Open Loyalty", "a last name", "word", lambda: get(loyalty, {"lastName": word})),
        ("Open Loyalty", "an e-mail", "mail", lambda: get(loyalty, {"email": mail})),
        ("Fieldpine", "page", "page", lambda: get(fieldpine, {"limit": PAGE})),
        ("Fieldpine", "page 100", "page", lambda: get(fieldpine, {"limit": PAGE, "page": 100})),
        ("Fieldpine", "a last name", "word", lambda: get(fieldpine, {"englishquery": word})),
        ("Fieldpine", "an e-mail", "mail", lambda: get(fieldpine, {"englishquery": mail})),
        ("Conecto", "page", "page", lambda: get(conecto, {"pageSize": PAGE})),
        ("Conecto", "page 100", "page", lambda: get(conecto, {"pageSize": PAGE, "page": 100})),
        ("Conecto", "a last name", "word", lambda: get(conecto, {"search": word})),
        ("Conecto", "an e-mail", "mail", lambda: get(conecto, {"search": mail})),
        ("Flow Retail", "page", "page", lambda: get(flow, {"pageSize": PAGE})),
        ("Flow Retail", "page 100", "page", lambda: get(flow, far)),
        ("Flow Retail", "one customer", "one", lambda: get(f"{flow}/{customer.pk}")),
        ("Flow Retail", "a last name", "word", lambda: post(f"{flow}/search", {"query": word})),
        ("Flow Retail", "an e-mail", "mail", lambda: post(f"{flow}/search", {"query": mail})),
        ("Zeald", "page", "page", lambda: get(zeald, start)),
        ("Zeald", "page 100", "page", lambda: get(zeald, {**start, "_start": 99 * PAGE})),
        ("Zeald", "one customer", "one", lambda: get(f"{zeald}/{customer.pk}")),
        ("Zeald", "a last name", "word", lambda: get(zeald, {**start, "b_lname": word})),
        ("Zeald", "an e-mail", "mail", lambda: get(zeald, {**start, "email": mail})),
    ]  # fmt: skip


def measure(tenant, rounds):
    """{(wire, question, kind): (queries, median ms)} in this tenant."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from customers.models import Customer
    from tenancy import permissions
    from tenancy.models import Store
    from tenancy.scoping import in_tenant
    from tenancy.services import create_token

    with in_tenant(tenant):
        token = create_token(tenant, holder="service", scopes=permissions.SCOPES)[1]
        last = Customer.objects.order_by("-number").first()
        customer = Customer.objects.get(number=max(1, last.number // 2))
        asked = questions(tenant, token, customer, Store.objects.order_by("pk").first())
    found = {}
    for wire, question, kind, ask in asked:
        times = []
        for _round in range(rounds + 1):  # the first one only warms up
            with CaptureQueriesContext(connection) as queries:
                start = time.perf_counter()
                response = ask()
                response.getvalue()
                times.append((time.perf_counter() - start) * 1000)
            if response.status_code != 200:
                raise SystemExit(f"{wire}, {question}: {response.status_code} {response.content}")
        found[wire, question, kind] = (len(queries), statistics.median(times[1:]))
    return found


def report(few, many):
    own = {kind: ms for (wire, _question, kind), (_n, ms) in many.items() if wire == "own API"}
    say(f"{'':28}{'queries':>8}{'ms':>9}{'of own API':>12}{f'of {FEW}':>9}")
    for key, (queries, ms) in many.items():
        wire, question, kind = key
        say(
            f"{wire:14}{question:14}{queries:8}{ms:9.1f}{ms / own[kind]:12.2f}"
            f"{ms / few[key][1]:9.2f}"
        )


def main():
    sizes = [int(one) for one in sys.argv[1:]]
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
                filled.append(tenant)
            say(f"{connection.vendor}, {n} customers, median of {rounds}:")
            report(*[measure(tenant, rounds) for tenant in filled])
        finally:
            remove()


if __name__ == "__main__":
    main()
