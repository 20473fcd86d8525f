"""An import that is killed in the middle, again and again, brings in everybody once."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.db import connection

from customers.imports.runs import report_of
from customers.models import Customer, Email, ImportChunk, ImportRun
from events.models import Event, HistoryEntry
from loyalty.models import LoyaltyAccount
from tenancy import clock
from tenancy.scoping import in_tenant
from tests.customers.imports.kill_import import ROWS_PER_CHUNK
from tests.factories import TenantFactory

ROOT = Path(__file__).resolve().parents[3]
STEPS = ("together", "kept", "written", "committed", "reading")


def database_url():
    """The database of this run, as another process finds it."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    password = f":{database['PASSWORD']}" if database["PASSWORD"] else ""
    host = database["HOST"].replace("/", "%2F")
    port = database["PORT"] or 5432
    return f"postgres://{database['USER']}{password}@{host}:{port}/{database['NAME']}"


def import_in_a_process(path, *trap):
    return subprocess.run(
        [sys.executable, "-m", "tests.customers.imports.kill_import", str(path), *map(str, trap)],
        env=os.environ | {
            "DATABASE_URL": database_url(),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "SECRET_KEY": django_settings.SECRET_KEY,
            "TOKEN_PEPPERS": "",
            "LOG_LEVEL": "CRITICAL",
            "PYTHONPATH": str(ROOT),
        },
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )  # fmt: skip


def let_the_lease_end():
    """What the killed one held would be held for a minute."""
    ImportRun.objects.update(lease_until=clock.now())


def kill_and_go_on(tmp_path, n_kills, n_rows):
    path = tmp_path / "shop.csv"
    bad = n_rows // 7
    lines = [f"x{n},Person {n},p{n}@example.org" for n in range(n_rows)]
    lines[bad] = "bad,Nobody,nowhere"
    lines[bad + 1] = ",Keyless,"
    path.write_text("\n".join(["external_id,first_name,email", *lines]) + "\n")
    chance = random.Random(7)
    tenant = TenantFactory(code="acme")
    with in_tenant(tenant):
        for n in range(n_kills):
            step = STEPS[n % len(STEPS)]
            # The first chunk of this attempt, or the second: every kill is in the middle.
            killed = import_in_a_process(path, step, 1 + chance.randrange(2))
            assert killed.returncode == -signal.SIGKILL, killed.stderr
            run = ImportRun.objects.get()
            assert run.state == run.State.RUNNING
            assert run.rows_done < n_rows
            assert run.rows_done == run.n_chunks * ROWS_PER_CHUNK
            assert Customer.objects.count() == run.counts.get("created", 0)
            let_the_lease_end()
        survivor = import_in_a_process(path)
        assert survivor.returncode == 0, survivor.stderr
        assert_everybody_once(n_rows)


def assert_everybody_once(n_rows):
    run = ImportRun.objects.get()
    report = report_of(run)
    wanted = n_rows - 1
    assert run.state == run.State.DONE
    assert (report.lines, report.created, report.refused) == (n_rows, wanted, 1)
    assert len(report.errors) == 1
    keys = list(Customer.objects.exclude(external_id=None).values_list("external_id", flat=True))
    assert len(keys) == len(set(keys)) == wanted - 1
    assert Customer.objects.get(external_id=None).first_name == "Keyless"
    assert Email.objects.count() == wanted - 1
    assert LoyaltyAccount.objects.count() == wanted
    assert HistoryEntry.objects.filter(deed="customer.registered").count() == wanted
    assert sum(len(bytes(one.created)) for one in ImportChunk.objects.all()) == 16 * wanted
    assert list(Event.objects.order_by("id").values_list("kind", flat=True)) == [
        "import.started", "import.completed",
    ]  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_an_import_that_is_killed_twice_brings_in_everybody_once(tmp_path):
    kill_and_go_on(tmp_path, 2, 6 * ROWS_PER_CHUNK)


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_an_import_that_is_killed_twenty_times_brings_in_everybody_once(tmp_path):
    kill_and_go_on(tmp_path, 20, 60 * ROWS_PER_CHUNK)
