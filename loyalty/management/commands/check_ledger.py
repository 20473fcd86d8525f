"""check_ledger: every balance and counter added up again from its parts."""

import json
from dataclasses import asdict

from django.core.management.base import CommandError

from loyalty.models import LoyaltyAccount
from loyalty.services.checking import reconcile, release_account
from tenancy.commands import TenantCommand
from tenancy.models import Tenant
from tenancy.scoping import in_tenant


class Command(TenantCommand):
    help = (
        "Add up again, for one tenant or for all: points and locked points from the entries and "
        "from the lots, the numbers of the entries, the counters of purchases from the "
        "transactions in the order in which they were counted; transfers and merges only move "
        "points. "
        "An account that does not add up is frozen: nothing moves on it. When its cause is mended, "
        "--release ACCOUNT lets it move again, if its sums are right by then. Exit code: 0 all "
        "sums are right, 1 some are not. The worker does the same every night."
    )

    def add_arguments(self, parser):
        parser.add_argument("--tenant", metavar="CODE", help="default: every tenant")
        parser.add_argument("--release", metavar="ACCOUNT", help="let a frozen account move again")
        parser.add_argument("--json", action="store_true", help="print the report as JSON")

    def run(self, *, tenant, release, **options):
        if release:
            return self.release(tenant, release)
        reports = {}
        for one in [tenant] if tenant else Tenant.objects.order_by("code"):
            with in_tenant(one):
                report = reconcile(one)
            report["mismatches"] = [asdict(found) for found in report["mismatches"]]
            reports[one.code] = report
        if options["json"]:
            self.stdout.write(json.dumps(reports, default=str))
        else:
            self.tell(reports)
        if any(report["mismatches"] for report in reports.values()):
            raise CommandError("some sums are not right")
        return None

    def tell(self, reports):
        for code, report in reports.items():
            frozen = f", {report['frozen']} frozen" if report["frozen"] else ""
            self.stdout.write(f"{code}: {report['accounts']} accounts{frozen}")
            for found in report["mismatches"]:
                whose = f"account {found['account']}: " if found["account"] else ""
                self.stdout.write(
                    f"  {whose}{found['what']} is {found['stored']}, "
                    f"its parts make {found['computed']}"
                )

    def release(self, tenant, account_id):
        if tenant is None:
            raise CommandError("--release needs --tenant")
        account = LoyaltyAccount.objects.filter(pk=account_id).first()
        if account is None:
            raise CommandError(f"there is no account {account_id}")
        release_account(account)
        self.stdout.write(f"account {account_id} may move")
