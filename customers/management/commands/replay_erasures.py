"""replay_erasures: after a restore, erase again whom the backup brought back."""

import json
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from customers.services import replay_journal


class Command(BaseCommand):
    help = (
        "Run this after every restore of a backup, before anybody works with it. Every line of "
        "the erasure journal is done again where the database still knows the person; who is "
        "erased already stays as is. Also finishes erasures whose files or journal lines could "
        "not be settled. Exit code 1 when a line cannot be read or something is left to finish."
    )

    def add_arguments(self, parser):
        parser.add_argument("journal", nargs="?", type=Path, help="default: ERASURE_JOURNAL")
        parser.add_argument("--dry-run", action="store_true", help="only count")
        parser.add_argument("--json", action="store_true", help="print the report as JSON")

    def handle(self, *, journal, dry_run, **options):
        journal = journal or Path(settings.ERASURE_JOURNAL)
        try:
            report = replay_journal(journal, dry_run=dry_run)
        except OSError as error:
            raise CommandError(f"{journal} cannot be read: {type(error).__name__}") from error
        if options["json"]:
            self.stdout.write(json.dumps(report))
        else:
            self.stdout.write(
                "lines {lines}: repeated {repeated}, unchanged {unchanged}, newer {newer}, "
                "refused {refused}; unfinished {unfinished}".format(**report)
            )
            for error in report["errors"]:
                self.stdout.write(f"  line {error['line']}: {error['message']}")
        if report["refused"] or report["unfinished"]:
            raise CommandError(
                f"{report['refused']} lines refused, {report['unfinished']} erasures unfinished"
            )
