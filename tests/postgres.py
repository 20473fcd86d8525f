"""Find a PostgreSQL server for the tests, or start one that lives as long as the run.

In this order: the server named by TEST_DATABASE_URL; a server on this machine that lets us in
without a password and lets us create databases; the server that the package pgserver carries.
"""

import os
import shutil
import stat
import tempfile
import warnings
from contextlib import contextmanager
from getpass import getuser
from pathlib import Path
from urllib.parse import quote

import psycopg

OLDEST_VERSION = 14
SOCKET_FOLDERS = ("/var/run/postgresql", "/tmp")


class NoPostgres(Exception):
    """No server can be had; the message is one sentence that says what to do about it."""


@contextmanager
def postgres():
    """Give (address, description) of a server on which databases can be created.

    A server that had to be started is stopped, and its folder removed, on the way out.
    Raises NoPostgres where there is none, or where TEST_DATABASE_URL leads nowhere: a server that
    somebody chose is never replaced by another one in silence.
    """
    chosen = os.environ.get("TEST_DATABASE_URL")
    if chosen:
        refusal = why_unusable(chosen)
        if refusal:
            raise NoPostgres(f"TEST_DATABASE_URL cannot be used: {refusal}.")
        yield chosen, "the server named by TEST_DATABASE_URL"
        return
    for url, place in local_addresses():
        if why_unusable(url) is None:
            yield url, f"the server on this machine ({place})"
            return
    with temporary_server() as url:
        yield url, "a server of its own, started for this run"


def local_addresses():
    """Yield (address, description) of every door that a server on this machine may leave open."""
    port = os.environ.get("PGPORT", "5432")
    hosts = [("127.0.0.1", f"127.0.0.1:{port}")]
    hosts += [
        (quote(folder, safe=""), f"socket in {folder}")
        for folder in SOCKET_FOLDERS
        if Path(folder, f".s.PGSQL.{port}").exists()
    ]
    for host, place in hosts:
        for user in dict.fromkeys(["postgres", getuser()]):
            yield f"postgres://{quote(user)}@{host}:{port}/postgres", f"{place}, user {user}"


def why_unusable(url):
    """Say why the tests cannot use the server at this address; None when they can."""
    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            may_create, is_replica = connection.execute(
                "SELECT rolsuper OR rolcreatedb, pg_is_in_recovery()"
                " FROM pg_roles WHERE rolname = current_user"
            ).fetchone()
            version = connection.info.server_version // 10000
    except psycopg.Error as error:
        return str(error).strip().splitlines()[0]
    if version < OLDEST_VERSION:
        return f"PostgreSQL {version} is too old, {OLDEST_VERSION} is the oldest we support"
    if is_replica:
        return "the server is a read-only replica"
    if not may_create:
        return "the user may not create databases"
    return None


@contextmanager
def temporary_server():
    """Start the server that pgserver carries, in a folder of its own, and stop it afterwards."""
    try:
        with warnings.catch_warnings():
            # It remarks that a session without a runtime folder gets one in /tmp: so it does.
            warnings.simplefilter("ignore")
            import pgserver
    except ImportError:
        raise NoPostgres(
            "No PostgreSQL for the tests: install one (apt install postgresql), or name one with"
            " TEST_DATABASE_URL=postgres://user:password@host:port/postgres."
        ) from None
    folder = Path(tempfile.mkdtemp(prefix="regulars-pg-"))
    with unchanged_permissions(Path(pgserver.__file__).parent):
        try:
            server = pgserver.get_server(folder, cleanup_mode="delete")
        except Exception as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise NoPostgres(f"pgserver could not start its PostgreSQL: {error}") from error
        try:
            place = server.get_postmaster_info()
            folder_in_url = quote(str(place.socket_dir), safe="")
            url = f"postgres://postgres@{folder_in_url}:{place.port}/postgres"
            # Nothing in it outlives the run, so nothing need reach the disk.
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("ALTER SYSTEM SET fsync = off")
                connection.execute("SELECT pg_reload_conf()")
            yield url
        finally:
            server.cleanup()


@contextmanager
def unchanged_permissions(path):
    """Put back the permissions of the folders above this path.

    Called by root, pgserver runs its server as another user and opens every folder on the way to
    its programs to everybody; a home folder must not stay open.
    """
    before = {folder: stat.S_IMODE(folder.stat().st_mode) for folder in path.parents}
    try:
        yield
    finally:
        for folder, mode in before.items():
            if stat.S_IMODE(folder.stat().st_mode) != mode:
                folder.chmod(mode)
