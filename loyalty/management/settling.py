"""What the daily commands of loyalty share: the tenants, the report."""

import json

from django.core.management.base import CommandError

from tenancy.commands import TenantCommand
from tenancy.models import Tenant
from tenancy.scoping import in_tenant

TOLD = (
    ("{accounts} accounts", ("accounts",)),
    ("unlocked {unlocked_points} points in {unlocked_lots} lots", ("unlocked_lots",)),
    ("expired {expired_points} points in {expired_lots} lots", ("expired_lots",)),
    ("levels: {levels_up} up, {levels_down} down", ("levels_up", "levels_down")),
)


class DailyCommand(TenantCommand):
    """A command that does the work of a day for one tenant or for all of them.

    A subclass names `work(dry_run=…, on_chunk=…, **own options)`, which answers a report.
    """

    def add_arguments(self, parser):
        parser.add_argument("--tenant", metavar="CODE", help="default: every tenant")
        parser.add_argument("--dry-run", action="store_true", help="only tell what would happen")
        parser.add_argument("--json", action="store_true", help="print the report as JSON")

    def run(self, *, tenant, dry_run, **options):
        reports = {}
        for one in [tenant] if tenant else Tenant.objects.order_by("code"):
            with in_tenant(one):
                reports[one.code] = self.work(
                    dry_run=dry_run, on_chunk=self.progress(one), **self.own(options)
                )
        if options["json"]:
            self.stdout.write(json.dumps(reports))
        else:
            for code, report in reports.items():
                self.stdout.write(f"{code}: {worded(report)}")
        failed = sum(len(report["failed"]) for report in reports.values())
        if failed:
            raise CommandError(f"{failed} accounts do not add up; see check_ledger")

    def work(self, **options):
        raise NotImplementedError

    def own(self, options):
        """The options of the subclass, as its work takes them."""
        return {}

    def progress(self, tenant):
        """A line that counts, on a terminal."""
        if not self.stderr.isatty():
            return None
        return lambda done, total: self.stderr.write(f"\r{tenant.code}: {done}/{total}", ending="")


def worded(report):
    """A report in a line."""
    parts = [text.format(**report) for text, names in TOLD if any(report[name] for name in names)]
    return ("would be: " if report["dry_run"] else "") + ("; ".join(parts) or "nothing to do")
