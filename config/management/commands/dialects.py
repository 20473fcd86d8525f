"""dialects: which fields and endpoints of the other vendors' APIs are spoken."""

from django.conf import settings
from django.core.management.base import BaseCommand

from config.dialects_page import page

DOCUMENT = "dialects.md"


class Command(BaseCommand):
    help = (
        "Print the fields and endpoints that each dialect speaks, from what the dialects declare "
        "and the URL table serves. --write puts it into docs/dialects.md."
    )

    def add_arguments(self, parser):
        parser.add_argument("--write", action="store_true", help="write docs/dialects.md")

    def handle(self, *, write, **options):
        if not write:
            self.stdout.write(page())
            return
        (settings.BASE_DIR / "docs" / DOCUMENT).write_text(page(), "utf-8")
        self.stdout.write(f"wrote docs/{DOCUMENT}")
