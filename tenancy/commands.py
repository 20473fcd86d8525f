"""What our management commands share: the tenant, worded refusals, the report."""

import json

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from tenancy.models import Tenant
from tenancy.scoping import in_tenant


def tenant_named(code):
    """The tenant with this code in any letter case; CommandError where there is none."""
    tenant = Tenant.objects.filter(code__iexact=code).first()
    if tenant is None:
        raise CommandError(f"There is no tenant {code!r}. Make one with: create_tenant {code}")
    return tenant


def worded(error):
    """A ValidationError as lines that name the field, for a person at a terminal."""
    if hasattr(error, "error_dict"):
        return "\n".join(
            f"{field}: {message}"
            for field, messages in error.message_dict.items()
            for message in messages
        )
    return "\n".join(error.messages)


class TenantCommand(BaseCommand):
    """A command whose refusals are CommandErrors with the field's name, never tracebacks.

    A subclass writes `run(**options)`. Options `tenant` (a code) are opened as the active tenant
    and handed on as the Tenant. Shared: --json prints the returned dict, alone, on standard output.
    """

    def handle(self, *args, **options):
        try:
            code = options.get("tenant")
            if code is None:
                report = self.run(**options)
            else:
                options["tenant"] = tenant_named(code)
                with in_tenant(options["tenant"]):
                    report = self.run(**options)
        except ValidationError as error:
            raise CommandError(worded(error)) from error
        if report is not None and options.get("json"):
            self.stdout.write(json.dumps(report, default=str, ensure_ascii=False))

    def run(self, **options):
        raise NotImplementedError
