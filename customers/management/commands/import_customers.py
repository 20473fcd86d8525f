"""import_customers FILE --tenant T: customers from CSV, JSON lines, JSON or XML."""

from argparse import BooleanOptionalAction
from pathlib import Path

from django.core.exceptions import ValidationError

from customers.imports.errors import FileError, MappingError
from customers.imports.planning import BLANKS, DAY_ORDERS, FORMATS, POLICIES
from customers.imports.progress import ProgressBar
from customers.imports.rejects import write_refused
from customers.imports.runs import AlreadyRunning, import_path, report_of, try_path
from customers.imports.targets import MATCH_KEYS
from customers.imports.telling import ImportCommand, failed, summary


class Command(ImportCommand):
    help = (
        "Bring customers from a file into a tenant. Known customers are found by --match (found "
        "out when not given; a row without it by its whole content) and by default left alone; "
        "the same file again changes nothing. The whole file is checked first: a fault in its "
        "form, and nothing is written. A bad row is refused alone, with every reason. Exit code: "
        "0 all rows are in, 1 some were refused, 2 nothing was done. See docs/importing.md."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "file", help="CSV, an Excel workbook (.xlsx), JSON lines, JSON, or Open Loyalty's XML"
        )
        parser.add_argument("--tenant", required=True, metavar="CODE")
        parser.add_argument("--format", choices=FORMATS, help="found out by the header")
        parser.add_argument("--mapping", metavar="FILE", help="JSON: which column fills what")
        parser.add_argument("--match", choices=MATCH_KEYS, help="the key of known customers")
        parser.add_argument(
            "--on-match", choices=POLICIES, help="default skip; refuse where the format says so"
        )
        parser.add_argument(
            "--overwrite",
            metavar="FIELD",
            action="append",
            dest="overwrites",
            help="with --on-match overwrite: only this field or list (may be repeated)",
        )
        parser.add_argument("--blank", choices=BLANKS, help="what a blank cell does; default keep")
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
        parser.add_argument(
            "--dates", choices=DAY_ORDERS, help="the order of day and month where no cell shows it"
        )
        parser.add_argument("--sheet", help="of a workbook; the first when not given")

    def run(self, *, file, mapping, errors, create_groups, dry_run, **options):
        bar = ProgressBar(self.stderr)
        names = (
            *("format", "match", "on_match", "overwrites", "blank"),
            *("encoding", "delimiter", "sheet", "dates", "events"),
        )
        chosen = {name: options[name] for name in names} | {"create_groups": create_groups}
        try:
            if mapping:
                chosen["mapping"] = Path(mapping).read_text("utf-8-sig")
            if dry_run:
                report = try_path(file, options=chosen, errors=errors, progress=bar)
            else:
                run = import_path(file, options=chosen, progress=bar)
                report = report_of(run)
                if errors:
                    write_refused(run, errors)
        except ValidationError as refusal:
            fault = MappingError("", " ".join(refusal.messages))
            failed(self.stdout, fault, as_json=options["json"])
        except (FileError, MappingError, OSError, UnicodeDecodeError, AlreadyRunning) as fault:
            failed(self.stdout, fault, as_json=options["json"])
        bar.end()
        self.counted = True
        summary(self.stdout, report, as_json=options["json"])
