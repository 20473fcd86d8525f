"""The database's own refusal to change or delete an entry of the ledger.

Installed after every migration, because SQLite drops a table's triggers when a migration remakes
it. Lifted only by the test runner, which has to empty tables.
"""

from contextlib import contextmanager

from django.db import connections

TABLE = "loyalty_entry"
REFUSAL = "entries of the ledger are never changed"

SQLITE = {
    "loyalty_entry_no_update": f"BEFORE UPDATE ON {TABLE}",
    "loyalty_entry_no_delete": f"BEFORE DELETE ON {TABLE}",
}
POSTGRESQL = {
    "loyalty_entry_no_update": f"BEFORE UPDATE OR DELETE ON {TABLE} FOR EACH ROW",
    "loyalty_entry_no_truncate": f"BEFORE TRUNCATE ON {TABLE} FOR EACH STATEMENT",
}
POSTGRESQL_FUNCTION = f"""
CREATE OR REPLACE FUNCTION loyalty_entry_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'restrict_violation'; END $$
"""


def install_guards(using="default"):
    """Make the database refuse to change or delete entries; repeatable."""
    connection = connections[using]
    with connection.cursor() as cursor:
        if TABLE not in connection.introspection.table_names(cursor):
            return
        if connection.vendor == "postgresql":
            cursor.execute(POSTGRESQL_FUNCTION)
            for name, when in POSTGRESQL.items():
                cursor.execute(f"DROP TRIGGER IF EXISTS {name} ON {TABLE}")
                cursor.execute(
                    f"CREATE TRIGGER {name} {when} EXECUTE FUNCTION loyalty_entry_refuse()"
                )
        else:
            for name, when in SQLITE.items():
                cursor.execute(
                    f"CREATE TRIGGER IF NOT EXISTS {name} {when} "
                    f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
                )


def remove_guards(using="default"):
    """Take the refusal away; for the test runner's flush alone."""
    connection = connections[using]
    with connection.cursor() as cursor:
        if TABLE not in connection.introspection.table_names(cursor):
            return
        for name in POSTGRESQL if connection.vendor == "postgresql" else SQLITE:
            on_table = f" ON {TABLE}" if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}{on_table}")


@contextmanager
def lifted_guards(using="default"):
    """Without the refusal inside the block."""
    remove_guards(using)
    try:
        yield
    finally:
        install_guards(using)


def after_migrate(*, using="default", **_others):
    """Receiver of Django's post_migrate."""
    install_guards(using)
