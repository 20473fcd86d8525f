"""demo: demonstration data, and how to sign in to it."""

from django.conf import settings

from config.demo import STAFF, TENANT, demo_password, demo_token, load_demo
from tenancy.commands import TenantCommand
from tenancy.models import Tenant


class Command(TenantCommand):
    help = (
        "Make the demonstration tenant: three stores, groups and a few hundred invented customers, "
        "the same every time. Safe to repeat: what is there stays. Prints how to sign in, and a "
        "fresh token for the API (the one printed before ends)."
    )

    def add_arguments(self, parser):
        parser.add_argument("--json", action="store_true", help="report as JSON")

    def run(self, **options):
        talks = not options["json"]
        report = load_demo(report=self.stdout.write if talks else lambda line: None)
        token = demo_token(Tenant.objects.get(code=TENANT))
        if talks:
            self.stdout.write(
                f"Demonstration tenant {TENANT!r}: {report['customers']} customers "
                f"({report['created']} new)."
            )
            self.stdout.write(f"Back office  {settings.BASE_URL}/admin/")
            for email, _name, role in STAFF:
                self.stdout.write(f"  {role:7} {email}   password {demo_password()}")
            self.stdout.write(f"API          {settings.BASE_URL}/api/v1/docs/")
            self.stdout.write(f"  token   {token}")
        return {**report, "password": demo_password(), "token": token}
