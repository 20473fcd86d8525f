"""anonymise_customers --tenant T ID…: erase what is personal of some customers, for good."""

import json
import uuid
from collections import Counter
from pathlib import Path

from django.core.management.base import CommandError

from customers.models import Customer
from customers.services import anonymisation_preview, anonymise_customers
from tenancy.commands import TenantCommand


class Command(TenantCommand):
    help = (
        "Anonymise customers, named by id or number (12 or CUST-12), as arguments or one per line "
        "of --file. This cannot be undone. Each customer is a transaction of its own; repeating a "
        "run changes nothing (name ids then: an anonymised customer has no number any more). "
        "--dry-run counts what would be erased. Exit code 1 when any could not be anonymised."
    )

    def add_arguments(self, parser):
        parser.add_argument("customers", nargs="*", metavar="ID", help="id, 12 or CUST-12")
        parser.add_argument("--tenant", required=True)
        parser.add_argument("--file", type=Path, help="ids or numbers, one per line")
        parser.add_argument("--reason", default="", help="stays in the history; name nobody in it")
        parser.add_argument("--dry-run", action="store_true", help="only count")
        parser.add_argument("--json", action="store_true", help="print the report as JSON")

    def run(self, *, customers, file, reason, dry_run, **options):
        references = [*customers, *(_lines_of(file) if file else ())]
        if not references:
            raise CommandError("Name at least one customer, or a --file.")
        found, unknown = _find_all(references)
        if dry_run:
            report = _counts(found) | {"dry_run": True}
        else:
            report = anonymise_customers(found, reason=reason)
        report["unknown"] = unknown
        if options["json"]:
            self.stdout.write(json.dumps(report, ensure_ascii=False))
        else:
            self._tell(report)
        if unknown or report.get("failed"):
            raise CommandError(f"not all: {len(unknown)} unknown, {report.get('failed', 0)} failed")

    def _tell(self, report):
        if report.get("dry_run"):
            self.stdout.write(f"would anonymise {report['customers']}, erasing:")
            for name, count in report["erased"].items():
                self.stdout.write(f"  {name}: {count}")
            return
        self.stdout.write(
            f"anonymised {report['anonymised']}, unchanged {report['unchanged']}, "
            f"failed {report['failed']}"
        )
        for result in report["results"]:
            if result["outcome"] == "failed":
                self.stdout.write(f"  {result['id']}: {result['message']}")


def _lines_of(file):
    try:
        text = file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{file} cannot be read: {type(error).__name__}") from error
    return [line.strip() for line in text.splitlines() if line.strip()]


def _find_all(references):
    """The customers meant, each once, and the references that mean nobody."""
    found, unknown = {}, []
    for reference in references:
        customer = _find(reference)
        if customer is None:
            unknown.append(reference)
        else:
            found[customer.pk] = customer
    return list(found.values()), unknown


def _find(reference):
    # Nothing but id and number: a deed that cannot be undone must not guess.
    digits = reference.upper().removeprefix("CUST-")
    if digits.isascii() and digits.isdigit() and len(digits) <= 18:
        return Customer.objects.known_as("number", int(digits)).first()
    try:
        return Customer.objects.known_as("pk", uuid.UUID(reference)).first()
    except ValueError:
        return None


def _counts(customers):
    erased = Counter()
    for customer in customers:
        for item in anonymisation_preview(customer)["erased"]:
            erased[f"{item['table']}.{item['column']}"] += item["count"]
    waiting = [customer for customer in customers if customer.anonymised_at is None]
    return {"customers": len(waiting), "erased": dict(sorted(erased.items()))}
