"""import_groups FILE --tenant T: groups and their tree from CSV or JSON lines."""

import json

from django.core.management.base import CommandError

from customers.imports.errors import FileError
from customers.imports.readers import KINDS
from groups.imports import import_groups
from tenancy.commands import TenantCommand


class Command(TenantCommand):
    help = (
        "Create and update groups by their code, from CSV, Excel, JSON lines or JSON: columns "
        "code, title, description, subscribable (public, private), subscribe_text and parent (a "
        "code; earlier or later in the file, or there already). A missing column leaves what is "
        "there, an empty cell empties it. One bad row refuses the whole file: nothing is written, "
        "each error is told with line and column, the exit code is 1. --dry-run writes nothing."
    )

    def add_arguments(self, parser):
        parser.add_argument("file")
        parser.add_argument("--tenant", required=True, metavar="CODE")
        parser.add_argument(
            "--errors",
            metavar="FILE",
            help="where rows are refused: write the whole file here, with the reasons beside them",
        )
        parser.add_argument("--format", choices=KINDS)
        parser.add_argument("--encoding")
        parser.add_argument("--delimiter")
        parser.add_argument("--sheet", help="of a workbook; the first when not given")
        parser.add_argument("--dry-run", action="store_true", dest="dry_run")
        parser.add_argument("--json", action="store_true", help="print the report as JSON")

    def run(self, *, file, format, dry_run, errors, **options):
        reading = {name: options[name] for name in ("encoding", "delimiter", "sheet")}
        try:
            report = import_groups(file, dry_run=dry_run, errors=errors, kind=format, **reading)
        except FileError as fault:
            raise CommandError(str(fault)) from fault
        if options["json"]:
            self.stdout.write(json.dumps(report.as_dict(), ensure_ascii=False, default=str))
        else:
            self.stdout.write(summary(report, dry_run))
        if report.errors:
            raise CommandError("\n".join(map(worded, report.errors)))


def summary(report, dry_run):
    """One line for people: what happened to how many."""
    did = "would have created" if dry_run else "created"
    return (
        f"{did} {report.created}, updated {report.updated}, unchanged {report.unchanged}, "
        f"skipped {report.skipped}, refused {report.refused} of {report.lines}"
    )


def worded(error):
    """One error with its place, as far as it has one."""
    place = [f"{name} {error[name]}" for name in ("line", "column") if error[name] is not None]
    return f"{', '.join(place)}: {error['message']}" if place else error["message"]
