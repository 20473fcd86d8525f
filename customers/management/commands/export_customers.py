"""export_customers --tenant T: customers to a table or JSON, to a file or standard output."""

import contextlib
from pathlib import Path

from django.core.management.base import CommandError

import normalise
from customers.exports import FORMATS, XLSX, export, select_customers
from customers.models import Customer
from groups.models import Group
from groups.querysets import in_group, reachable_in
from tenancy.commands import TenantCommand
from tenancy.models import Store


class Command(TenantCommand):
    help = (
        "Write customers as CSV or an Excel workbook (columns that import_customers takes back; "
        "cells that could be formulas are made harmless and restored on import), JSON lines or "
        "JSON (whole records). All filters given must match. Without --output everything goes to "
        "standard output."
    )

    def add_arguments(self, parser):
        parser.add_argument("--tenant", required=True, metavar="CODE")
        parser.add_argument("--output", metavar="FILE", help="default: standard output")
        parser.add_argument("--format", choices=FORMATS, help="default: by FILE, else csv")
        parser.add_argument("--q", default="", help="what people type: names, phone, card, …")
        parser.add_argument("--group", metavar="CODE", help="who is in this group")
        parser.add_argument("--store", metavar="CODE", help="who is listed at this store")
        parser.add_argument("--status", choices=Customer.Status.values)
        parser.add_argument("--updated-after", metavar="WHEN", help="ISO date, or date and time")
        parser.add_argument(
            "--reachable",
            choices=["email", "sms", "post", "any"],
            help="who may be written to (of the group)",
        )

    def run(self, *, tenant, output, format, group, store, updated_after, reachable, **options):
        found = Store.objects.filter(code__iexact=store).first() if store else None
        if store and not found:
            raise CommandError(f"There is no store {store!r}.")
        if updated_after:
            updated_after = normalise.parse_instant(updated_after, tz=tenant.timezone)
        customers = select_customers(
            q=options["q"], status=options["status"], store=found,
            updated_after=updated_after, reachable=reachable,
        )  # fmt: skip
        if group:
            if not (wanted := Group.objects.named(group)):
                raise CommandError(f"There is no group {group!r}.")
            channel = None if reachable == "any" else reachable
            narrow = reachable_in if reachable else in_group
            customers = narrow(customers, wanted, *([channel] if reachable else []))
        format = format or _by_name(output or "")
        try:
            with self.opened(output, format) as out:
                n_rows = export(customers, format, out)
        except OSError as fault:
            raise CommandError(f"{output or 'output'}: {fault.strerror}") from fault
        self.stderr.write(f"{n_rows} customers")

    def opened(self, path, format):
        if path:
            return Path(path).open("wb")
        out = getattr(self.stdout, "_out", self.stdout)
        if format == XLSX and (not hasattr(out, "buffer") or out.isatty()):
            raise CommandError("A workbook is no text; name a file with --output.")
        return contextlib.nullcontext(getattr(out, "buffer", None) or _Text(out))


class _Text:
    """A stream of text, for what is written as bytes in UTF-8."""

    def __init__(self, out):
        self.out = out

    def write(self, data):
        self.out.write(data.decode())


def _by_name(path):
    suffix = Path(path).suffix.lower().removeprefix(".")
    return {"ndjson": "jsonl"}.get(suffix, suffix if suffix in FORMATS else "csv")
