"""The house API while a webhook's receiver hangs, beside a good receiver and none at all.

    .venv/bin/python -m benchmarks.webhooks_hanging [seconds per turn] [rounds]

The server that `make run` starts, with a worker beside it, on the PostgreSQL that the tests would
use, in a database of its own; the receivers stand on this machine. One client changes a customer
and reads one, again and again; every change is an event that the worker must send. The three
situations take turns in one run, so that whatever else the machine does meets all of them; before
each turn the circuits are closed by hand, else the hanging receiver would be left alone after five
tries and cost nothing. Figures in ms; the ratios are to "none" and mean something elsewhere, too.
"""

import http.client
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from benchmarks.jobs import postgres_database, suppress_missing_server

ROOT = Path(__file__).resolve().parent.parent
SITUATIONS = ("none", "good", "hanging")
DEEDS = ("write", "read")
N_CUSTOMERS = 200
SECONDS_TO_END = 15


def main(n_seconds=8, n_rounds=4):
    with suppress_missing_server(), postgres_database() as url:
        code = f"from benchmarks.webhooks_hanging import measure; measure({n_seconds}, {n_rounds})"
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env=os.environ | {
                "DATABASE_URL": url,
                "DJANGO_SETTINGS_MODULE": "config.settings",
                "LOG_LEVEL": "CRITICAL",
                "API_REQUESTS_PER_MINUTE": "1000000",
                "OUTBOUND_ALLOW": "127.0.0.1/32",
                "OUTBOUND_ALLOW_HTTP": "1",
                "DEBUG": "1",  # static files of the manifest are not what is measured
            },
            check=True,
        )  # fmt: skip


# --- In the process that knows Django ----------------------------------------------------------
def measure(n_seconds, n_rounds):
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    from tests.events.servers import Neighbour, hang

    tenant, token, ids = population()
    took = {(situation, deed): [] for situation in SITUATIONS for deed in DEEDS}
    with ExitStack() as stack:
        good = stack.enter_context(Neighbour())
        hanging = Neighbour(lambda request, connection: hang(hanging))
        stack.enter_context(hanging)
        stack.callback(hanging.closing.set)
        urls = {"none": None, "good": good.url, "hanging": hanging.url}
        port = stack.enter_context(running())
        for number in range(n_rounds):
            for situation in SITUATIONS:
                with webhook(tenant, urls[situation]):
                    times = turn(port, token, ids, n_seconds)
                if number or n_rounds == 1:  # the first round warms up
                    for deed, seconds in times:
                        took[situation, deed].append(seconds * 1000)
        report(took, n_told=len(good.requests), n_hung=hanging.n_connections)


def population():
    """A tenant, a token of a service there, and the ids of its customers."""
    from customers.services import register_customer
    from tenancy.permissions import SCOPES
    from tenancy.scoping import in_tenant
    from tenancy.services import create_tenant, create_token

    tenant = create_tenant("bench")[0]
    with in_tenant(tenant):
        token = create_token(tenant, holder="service", scopes=SCOPES)[1]
        ids = [register_customer(first_name=f"N{n}").pk for n in range(N_CUSTOMERS)]
    return tenant, token, ids


@contextmanager
def running():
    """The server and a worker for the jobs; yields the port."""
    from config.launch import answers, server_command, stop, worker_command

    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen(server_command(port), cwd=ROOT, **quiet)
    worker = subprocess.Popen(worker_command(), cwd=ROOT, **quiet)
    try:
        if not answers(port, server):
            raise SystemExit("the server did not start")
        yield port
    finally:
        stop(server, worker)


@contextmanager
def webhook(tenant, url):
    """A webhook for everything that goes to `url` while the block runs; without one, none."""
    from events.models import Circuit
    from events.webhooks.managing import create_endpoint, delete_endpoint
    from tenancy.scoping import in_tenant

    Circuit.objects.all().delete()
    if url is None:
        yield
        return
    with in_tenant(tenant):
        endpoint = create_endpoint(url=url, events=["*"])
        endpoint = endpoint[0] if isinstance(endpoint, tuple) else endpoint
        try:
            yield
        finally:
            delete_endpoint(endpoint)


def turn(port, token, ids, n_seconds):
    """[(deed, seconds)] of as many changes and readings as fit into the time."""
    chance, took = random.Random(1), []
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    end = time.monotonic() + n_seconds
    while time.monotonic() < end:
        path = f"/api/v1/customers/{chance.choice(ids)}/"
        body = json.dumps({"first_name": f"N{chance.random()}"})
        for deed, method, sent in (("write", "PATCH", body), ("read", "GET", None)):
            start = time.perf_counter()
            connection.request(method, path, sent, headers)
            answer = connection.getresponse()
            answer.read()
            took.append((deed, time.perf_counter() - start))
            if answer.status != 200:
                raise SystemExit(f"{method} was answered {answer.status}")
    connection.close()
    return took


def report(took, *, n_told, n_hung):
    out = sys.stdout.write
    out(f"{'':18}{'n':>7}{'p50':>9}{'p95':>9}{'p50 ratio':>12}{'p95 ratio':>12}\n")
    for deed in DEEDS:
        base = quantiles(took["none", deed])
        for situation in SITUATIONS:
            p50, p95 = quantiles(took[situation, deed])
            out(
                f"{deed + ', ' + situation:18}{len(took[situation, deed]):7}{p50:9.2f}{p95:9.2f}"
                f"{p50 / base[0]:12.2f}{p95 / base[1]:12.2f}\n"
            )
    out(f"the good receiver was told {n_told} times, the hanging one was asked {n_hung} times\n")


def quantiles(times):
    return statistics.median(times), statistics.quantiles(times, n=20)[-1]


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main(*(int(argument) for argument in sys.argv[1:]))
