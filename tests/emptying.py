"""Empty the database between tests that commit."""

from django.apps import apps
from django.db import connections, transaction

from loyalty.guards import lifted_guards

# Written once, after the migrations, and changed by no test.
LASTING = {"django_content_type", "auth_permission", "django_migrations"}


def empty_tables(using="default"):
    """Delete every row of every table but those of LASTING.

    In one transaction and in any order: foreign keys are looked at when it ends.
    """
    connection = connections[using]
    present = connection.introspection.table_names()
    named = [model._meta.db_table for model in apps.get_models(include_auto_created=True)]
    tables = sorted(set(named) & set(present) - LASTING)
    with lifted_guards(using), transaction.atomic(using), connection.cursor() as cursor:
        for table in _filled(cursor, tables):
            cursor.execute(f'DELETE FROM "{table}"')


def _filled(cursor, tables):
    """Those of `tables` that hold a row."""
    cursor.execute(
        " UNION ALL ".join(
            f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM \"{table}\")" for table in tables
        )
    )
    return [name for (name,) in cursor.fetchall()]
