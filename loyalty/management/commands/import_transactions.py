"""import_transactions FILE --tenant T: sales and returns from CSV, JSON lines or JSON."""

from argparse import RawDescriptionHelpFormatter
from contextlib import nullcontext
from pathlib import Path

from django.core.management.base import CommandError

from customers.imports.errors import FileError, MappingError
from customers.imports.progress import ProgressBar
from customers.imports.readers import KINDS
from customers.imports.rejects import Rejects
from customers.imports.telling import ImportCommand, failed, summary
from loyalty.imports import import_transactions
from loyalty.imports.columns import MATCHES

HELP = """\
Bring sales and returns from a file into a tenant. The customers must be there; each row says whose
it is by an id, an external id, a card, an e-mail, a phone, a user name or a customer number.

A document is known by its number: the same again is unchanged, other content under a known number
is refused. A row without a column of kinds is a return where its amount is negative; a return
names its sale in `revises`, and without that counts for nothing. In a file with columns of
articles (line_sku, line_amount, ...) adjacent rows of one number are one document.

A file without numbers: each row gets one, made from the customer, the date, the amount and all else
it says, and from how many rows above it say the same. Rows that are exactly equal are therefore
purchases of their own, and a second run, also of the file with rows added below, doubles nothing.

The whole file is checked first: a fault in its form, and nothing is written. A bad row is refused
alone. Exit code: 0 all rows are in, 1 some were refused, 2 nothing was done. See docs/importing.md.
"""


class Command(ImportCommand):
    help = HELP

    def create_parser(self, *args, **options):
        return super().create_parser(*args, formatter_class=RawDescriptionHelpFormatter, **options)

    def add_arguments(self, parser):
        parser.add_argument("file", help="CSV, JSON lines or JSON")
        parser.add_argument("--tenant", required=True, metavar="CODE")
        parser.add_argument("--mapping", metavar="FILE", help="JSON: which column fills what")
        parser.add_argument(
            "--map", action="append", default=[], metavar="THEIRS=OURS",
            help="one column; may be given often, the others are found out",
        )  # fmt: skip
        parser.add_argument("--match", choices=tuple(MATCHES), help="the key of customers")
        parser.add_argument("--number", metavar="COLUMN", help="their column of document numbers")
        parser.add_argument("--kind", choices=("sale", "return"), help="what every row is")
        parser.add_argument("--dates", choices=("DMY", "MDY", "YMD"), help="found out by the file")
        parser.add_argument("--decimal", choices=(".", ","), help="the decimal mark; default .")
        parser.add_argument(
            "--no-points", action="store_true", help="the purchases have earned points elsewhere"
        )
        parser.add_argument("--dry-run", action="store_true", help="do everything, write nothing")
        parser.add_argument("--json", action="store_true", help="print the report as JSON")
        parser.add_argument("--events", action="store_true", help="an event per transaction too")
        parser.add_argument("--errors", metavar="FILE", help="write the refused rows to this file")
        parser.add_argument("--format", choices=KINDS)
        parser.add_argument("--encoding", help="found out when not given")
        parser.add_argument("--delimiter", help="found out when not given")
        parser.add_argument("--sheet", help="of a workbook; the first when not given")

    def run(self, *, file, mapping, errors, dry_run, no_points, **options):
        bar = ProgressBar(self.stderr)
        names = (
            *("match", "number", "kind", "dates", "decimal", "events"),
            *("format", "encoding", "delimiter", "sheet"),
        )
        columns = dict(map(_pair, options["map"]))
        try:
            with Rejects(errors) if errors else nullcontext() as rejects:
                report = import_transactions(
                    file,
                    mapping=Path(mapping).read_bytes() if mapping else None,
                    columns=columns,
                    dry_run=dry_run,
                    earns=not no_points,
                    on_refused=rejects,
                    progress=bar,
                    **{name: options[name] for name in names},
                )
        except (FileError, MappingError, OSError) as fault:
            failed(self.stdout, fault, as_json=options["json"])
        bar.end()
        self.counted = True
        summary(self.stdout, report, as_json=options["json"])


def _pair(text):
    theirs, equals, ours = text.rpartition("=")
    if not equals:
        raise CommandError(f"--map {text!r}: write THEIRS=OURS")
    return theirs.strip(), ours.strip()
