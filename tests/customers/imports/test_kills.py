"""An import that is killed in the middle, again and again, brings in everybody once."""

import random
import signal
import subprocess
import sys

import pytest

from customers.imports.runs import report_of
from customers.models import Customer, Email, ImportChunk, ImportRun
from events.models import Event, HistoryEntry
from loyalty.models import LoyaltyAccount
from tenancy import clock
from tenancy.scoping import in_tenant
from tests.customers.imports.kill_import import ROWS_PER_CHUNK
from tests.factories import TenantFactory
from tests.other_process import ROOT, surroundings

STEPS = ("together", "kept", "written", "committed", "reading")


def import_in_a_process(path, *trap):
    return subprocess.run(
        [sys.executable, "-m", "tests.customers.imports.kill_import", str(path), *map(str, trap)],
        env=surroundings(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )


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
        "import.started",
        "import.completed",
    ]


@pytest.mark.django_db(transaction=True)
def test_an_import_that_is_killed_twice_brings_in_everybody_once(tmp_path):
    kill_and_go_on(tmp_path, 2, 6 * ROWS_PER_CHUNK)


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_an_import_that_is_killed_twenty_times_brings_in_everybody_once(tmp_path):
    kill_and_go_on(tmp_path, 20, 60 * ROWS_PER_CHUNK)
