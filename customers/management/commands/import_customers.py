"""import_customers FILE --tenant T: customers from CSV, JSON lines, JSON or XML."""

from argparse import BooleanOptionalAction
from contextlib import nullcontext
from pathlib import Path

from customers.imports.engine import import_customers
from customers.imports.errors import FileError, MappingError
from customers.imports.planning import FORMATS, POLICIES
from customers.imports.progress import ProgressBar
from customers.imports.rejects import Rejects
from customers.imports.targets import MATCH_KEYS
from customers.imports.telling import ImportCommand, failed, summary
from customers.management.importing import make_groups


class Command(ImportCommand):
    help = (
        "Bring customers from a file into a tenant. Known customers are found by --match (found "
        "out when not given; a row without it by its whole content) and by default left alone; "
        "the same file again changes nothing. The whole file is checked first: a fault in its "
        "form, and nothing is written. A bad row is refused alone, with every reason. Exit code: "
        "0 all rows are in, 1 some were refused, 2 nothing was done. See docs/importing.md."
    )

    def add_arguments(self, parser):
        parser.add_argument("file", help="CSV, JSON lines, JSON, or Open Loyalty's XML")
        parser.add_argument("--tenant", required=True, metavar="CODE")
        parser.add_argument("--format", choices=FORMATS, help="found out by the header")
        parser.add_argument("--mapping", metavar="FILE", help="JSON: which column fills what")
        parser.add_argument("--match", choices=MATCH_KEYS, help="the key of known customers")
        parser.add_argument(
            "--on-match", choices=POLICIES, help="default skip; refuse where the format says so"
        )
        parser.add_argument("--dry-run", action="store_true", help="do everything, write nothing")
        parser.add_argument("--json", action="store_true", help="print the report as JSON")
        parser.add_argument("--events", action="store_true", help="an event per customer too")
        parser.add_argument(
            "--create-groups",
            action=BooleanOptionalAction,
            help="make unknown groups; by default only for the files of a recognised shop",
        )
        parser.add_argument("--errors", metavar="FILE", help="write the refused rows to this file")
        parser.add_argument("--encoding", help="found out when not given")
        parser.add_argument("--delimiter", help="found out when not given")

    def run(self, *, file, mapping, errors, create_groups, dry_run, **options):
        bar = ProgressBar(self.stderr)
        names = ("format", "match", "on_match", "encoding", "delimiter", "events")
        try:
            with Rejects(errors) if errors else nullcontext() as rejects:
                report = import_customers(
                    file,
                    mapping=Path(mapping).read_bytes() if mapping else None,
                    dry_run=dry_run,
                    make_groups=None if create_groups is False else make_groups,
                    only_shops_make_groups=create_groups is None,
                    on_refused=rejects,
                    progress=bar,
                    **{name: options[name] for name in names},
                )
        except (FileError, MappingError, OSError) as fault:
            failed(self.stdout, fault, as_json=options["json"])
        bar.end()
        self.counted = True
        summary(self.stdout, report, as_json=options["json"])
