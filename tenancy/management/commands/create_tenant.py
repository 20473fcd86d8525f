"""create_tenant CODE: a business with its own customers, and its default store."""

from django.core.management.base import CommandError

from tenancy.commands import TenantCommand
from tenancy.services import create_tenant
from tenancy.tenant_settings import TABLE


def pair(text):
    """NAME=VALUE as a pair."""
    name, separator, value = text.partition("=")
    if not separator:
        raise CommandError(f"--setting wants NAME=VALUE, not {text!r}")
    return name, value


class Command(TenantCommand):
    help = (
        "Create a tenant and its default store. Idempotent: a tenant that is there stays as it is. "
        "Codes are letters, digits, hyphen and underscore and are compared without letter case. "
        "Settings: " + ", ".join(f"{s.name} (default {s.default})" for s in TABLE)
    )

    def add_arguments(self, parser):
        parser.add_argument("code")
        parser.add_argument("--name", default="", help="what people call the business")
        parser.add_argument("--currency", help="ISO 4217, three letters; default EUR")
        parser.add_argument("--country", help="two letters or a name; phone numbers are read by it")
        parser.add_argument("--timezone", help="such as Europe/Oslo; default UTC")
        parser.add_argument("--setting", action="append", default=[], metavar="NAME=VALUE")
        parser.add_argument("--bare", action="store_true", help="without the default store")

    def run(self, *, code, name, currency, country, timezone, setting, bare, **options):
        tenant, created = create_tenant(
            code,
            name=name or None,
            currency=currency,
            country=country,
            timezone=timezone,
            settings=dict(map(pair, setting)),
            bare=bare,
        )
        self.stdout.write(f"tenant {tenant.code}: {'created' if created else 'was there already'}")
