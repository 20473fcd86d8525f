"""Indexes that only PostgreSQL has: trigrams for the folded text, where the extension can be had,
and prefix search on reversed phone digits whatever the database's locale."""

from django.db import migrations, transaction
from django.db.utils import DatabaseError

TRIGRAMS = "CREATE INDEX IF NOT EXISTS customer_search_trigrams ON customers_customer USING gin (search_text gin_trgm_ops)"
ENDINGS = "CREATE INDEX IF NOT EXISTS phone_endings ON customers_phone (tenant_id, reversed_digits text_pattern_ops)"


def create_indexes(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(ENDINGS)
        cursor.execute("SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_trgm'")
        if not cursor.fetchone()[0]:
            return
        try:
            # Searches answer the same without it, only slower: a role that may not create
            # extensions is no reason to refuse the installation.
            with transaction.atomic(using=schema_editor.connection.alias):
                cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        except DatabaseError:
            return
        cursor.execute(TRIGRAMS)


def drop_indexes(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("DROP INDEX IF EXISTS customer_search_trigrams")
        cursor.execute("DROP INDEX IF EXISTS phone_endings")


class Migration(migrations.Migration):
    dependencies = [("customers", "0001_initial")]

    operations = [migrations.RunPython(create_indexes, drop_indexes)]
