"""What every test run gets: a database, a media folder and a mailbox that are its own.

The engine is SQLite unless TEST_DATABASE_URL names a PostgreSQL server (config/settings.py).
"""

import gc
import json
import os
import secrets

import pytest
from django.conf import settings
from django.core import mail
from django.test import TransactionTestCase, override_settings
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from events.jobs.running import run_due
from tenancy.scoping import in_tenant
from tests.emptying import empty_tables
from tests.factories import CustomerFactory, StaffMemberFactory, TenantFactory, UserFactory

# The same examples in every run, and no verdict about how fast a shared machine happened to be.
hypothesis_settings.register_profile(
    "regulars",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
hypothesis_settings.load_profile("regulars")


def pytest_collection_finish():
    """Have the garbage collector pass over what lives as long as the run.

    Nine thousand collected tests are a heap that every full round would walk: a sixth of all time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix, tmp_path_factory):
    """Name a test database that no other run uses, so that runs never meet.

    PYTEST_DB_SUFFIX fixes the end of the name, and what an earlier run left under it is replaced,
    or used again with `--reuse-db`; otherwise the process id and a random part make sure that
    nothing of that name exists.
    """
    chosen = os.environ.get("PYTEST_DB_SUFFIX")
    name = "test_regulars" + (chosen or f"_{os.getpid()}_{secrets.token_hex(4)}")
    database = settings.DATABASES["default"]
    # Nothing in it outlives the run, so no commit need wait for the disk.
    options = database.setdefault("OPTIONS", {})
    if database["ENGINE"] == "django.db.backends.sqlite3":
        # A file and not :memory:, because threads must meet in it and the write-ahead log needs it.
        folder = settings.BASE_DIR / "var" if chosen else tmp_path_factory.mktemp("database")
        folder.mkdir(exist_ok=True)
        name = str(folder / f"{name}.sqlite3")
        options["init_command"] += "PRAGMA synchronous=OFF;"
    else:
        options["options"] = f"{options.get('options', '')} -c synchronous_commit=off".strip()
        if pool := options.get("pool"):
            # A hundred threads may queue for ten connections while other runs use the machine.
            pool["timeout"] = 120
    database.setdefault("TEST", {})["NAME"] = name


@pytest.fixture(scope="session", autouse=True)
def _surroundings(django_test_environment, tmp_path_factory):
    """Keep files and mail inside the run, and hash passwords fast: no test guards a real one."""
    with override_settings(
        MEDIA_ROOT=tmp_path_factory.mktemp("media"),
        STATIC_ROOT=tmp_path_factory.mktemp("static"),
        ERASURE_JOURNAL=tmp_path_factory.mktemp("journal") / "erasures.jsonl",
        EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend",
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    ):
        yield


@pytest.fixture(scope="session", autouse=True)
def _emptied_after_transactions():
    """Empty the tables after a transactional test by our own hand.

    Django's flush would be refused by the ledger, truncates every table on PostgreSQL, empty or
    not, and writes all permissions anew: seconds where a few rows are to go.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda case: empty_tables())
        yield


@pytest.fixture
def run_jobs(db, django_capture_on_commit_callbacks):
    """A function that runs all due jobs in this process until none is left, and answers how many
    attempts that were. What a job does after its commit (mail) has happened by then, too."""

    def run():
        n_ran = 0
        while True:
            with django_capture_on_commit_callbacks(execute=True):
                n_more = run_due()
            if not n_more:
                return n_ran
            n_ran += n_more

    return run


@pytest.fixture
def sent_mail(run_jobs):
    """A function that lets the workers work and answers the mails that were sent, oldest first."""

    def sent():
        run_jobs()
        return list(mail.outbox)

    return sent


@pytest.fixture
def sent_sms(run_jobs, settings, tmp_path):
    """A function that lets the workers work and answers the SMS that were sent, oldest first, as
    dicts of `to` and `text`."""
    settings.SMS_FILE_PATH = str(tmp_path / "sms")

    def sent():
        run_jobs()
        files = sorted((tmp_path / "sms").glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
        return [json.loads(path.read_text("utf-8")) for path in files]

    return sent


@pytest.fixture
def tenant(db):
    """The business that the stories play in; nothing is scoped to it yet."""
    return TenantFactory(code="acme", name="Acme")


@pytest.fixture
def acme(tenant):
    """The same business, with its scope open for the whole test."""
    with in_tenant(tenant):
        yield tenant


@pytest.fixture
def rival(db):
    """The stranger next door, whose rows nobody at Acme may ever see."""
    return TenantFactory(code="rival", name="Rival")


@pytest.fixture
def boss(tenant):
    """An administrator of Acme."""
    member = StaffMemberFactory(
        tenant=tenant, role="admin", user=UserFactory(email="boss@example.org", name="Bo Boss")
    )
    return member.user


@pytest.fixture
def clerk(tenant):
    """A seller of Acme."""
    member = StaffMemberFactory(
        tenant=tenant, role="seller", user=UserFactory(email="clerk@example.org", name="Cleo Clerk")
    )
    return member.user


@pytest.fixture
def ada(acme):
    """Ada, a member of long standing: everything about her is filled in."""
    return CustomerFactory(
        tenant=acme,
        first_name="Ada",
        last_name="Lovelace",
        external_id="ext-ada",
        card_number="7001",
        login_email="ada@example.org",
        emails=[{"address": "Ada@Example.org", "primary": True}],
        phones=[{"given": "900 00 001", "kind": "mobile"}],
        addresses=[
            {"street": "Storgata 1", "postal_code": "0155", "city": "Oslo", "country": "NO"}
        ],
        birth_date="1985-12-10",
    )


@pytest.fixture
def grace(acme):
    """Grace, a newcomer of whom only the name is known."""
    return CustomerFactory(tenant=acme, first_name="Grace")
