"""data_map: what is kept about whom, why, how long, and what erasure does to it."""

import json

from django.conf import settings
from django.core.management.base import BaseCommand

from customers.privacy.document import data_map, with_data_map
from customers.services import export_schema

DOCUMENT = "privacy.md"
SCHEMA = "customer_export.schema.json"


class Command(BaseCommand):
    help = (
        "Print the data map (GDPR article 30) from the registry of personal data; --schema prints "
        "the JSON schema of a customer's export instead. --write puts both into docs/."
    )

    def add_arguments(self, parser):
        parser.add_argument("--schema", action="store_true", help="the schema of the export")
        parser.add_argument("--write", action="store_true", help="write both into docs/")

    def handle(self, *, schema, write, **options):
        schema_text = json.dumps(export_schema(), indent=2) + "\n"
        if not write:
            self.stdout.write(schema_text if schema else data_map())
            return
        docs = settings.BASE_DIR / "docs"
        document = docs / DOCUMENT
        document.write_text(with_data_map(document.read_text("utf-8")), "utf-8")
        (docs / SCHEMA).write_text(schema_text, "utf-8")
        self.stdout.write(f"wrote docs/{DOCUMENT} and docs/{SCHEMA}")
