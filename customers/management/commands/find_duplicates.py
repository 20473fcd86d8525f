"""find_duplicates: which records may be the same person?"""

from customers.likeness import THRESHOLD
from customers.likeness.wording import reason_in_words
from customers.models import Customer
from customers.services import find_duplicates
from tenancy.commands import TenantCommand


class Command(TenantCommand):
    help = (
        "Look for customers who may be there twice, by e-mail, phone, name, birth date and "
        "address, and put the pairs into the queue for staff. Only customers who have changed "
        "since they were looked at are looked at; --all looks at everybody again. Pairs that "
        "somebody has decided about stay decided. --threshold sets how many points a pair needs "
        "in this run; the next change of a customer is judged by the usual ones again. --dry-run "
        "writes nothing, but works in one long transaction. The worker does the same after every "
        "change and at night. Progress goes to the terminal, the report to standard output."
    )

    def add_arguments(self, parser):
        parser.add_argument("--tenant", metavar="CODE", required=True)
        parser.add_argument("--all", action="store_true", help="look at everybody again")
        parser.add_argument(
            "--threshold",
            type=int,
            default=THRESHOLD,
            choices=range(1, 101),
            metavar="POINTS",
            help=f"1 to 100 (default: {THRESHOLD})",
        )
        parser.add_argument("--dry-run", action="store_true", help="only tell what would happen")
        parser.add_argument("--json", action="store_true", help="print the report as JSON")

    def run(self, *, tenant, threshold, dry_run, **options):
        report = find_duplicates(
            everybody=options["all"],
            threshold=threshold,
            dry_run=dry_run,
            on_page=self._count if self.stderr.isatty() else None,
        )
        if not options["json"]:
            self._tell(report)
        return report

    def _count(self, done, last):
        self.stderr.write(f"\r{done} customers", ending="")

    def _tell(self, report):
        would = "dry run, nothing was written: " if report["dry_run"] else ""
        self.stdout.write(
            f"{would}looked at {report['customers']} customers; {report['new']} new pairs, "
            f"{report['gone']} gone, {report['open']} to decide"
        )
        ids = {pair[side] for pair in report["best"] for side in ("first", "second")}
        codes = {str(row.pk): row.code for row in Customer.objects.filter(pk__in=ids)}
        for pair in report["best"]:
            words = ", ".join(reason_in_words(*reason) for reason in pair["reasons"])
            one, other = codes.get(pair["first"], ""), codes.get(pair["second"], "")
            self.stdout.write(f"{pair['score']:>4}  {one}  {other}  {words}")
