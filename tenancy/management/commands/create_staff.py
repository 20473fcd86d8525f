"""create_staff TENANT EMAIL: a person who works in the back office."""

import getpass
import sys

from django.core.management.base import CommandError

from tenancy.commands import TenantCommand
from tenancy.models import StaffMember, Store, User
from tenancy.services import create_staff


class Command(TenantCommand):
    help = (
        "Make a person a staff member of a tenant. Idempotent: an existing member gets the given "
        "role and stores; an existing user keeps the password. Without --password it is asked for "
        "on a terminal, else the person cannot sign in until one is set."
    )

    def add_arguments(self, parser):
        parser.add_argument("tenant")
        parser.add_argument("email")
        parser.add_argument("--role", required=True, choices=StaffMember.Role.values)
        parser.add_argument("--name", default="")
        parser.add_argument("--password", help="better typed at the prompt than written here")
        parser.add_argument("--store", action="append", default=[], metavar="CODE")

    def run(self, *, tenant, email, role, name, password, store, **options):
        is_known = User.objects.filter(email=email.strip().lower()).exists()
        if password is None and not is_known and sys.stdin.isatty():
            password = getpass.getpass("Password: ")
        member, created = create_staff(
            tenant,
            email,
            role=role,
            name=name,
            password=password,
            stores=[find_store(code) for code in store],
        )
        self.stdout.write(f"{member.user.email}: {member.role} of {tenant.code}")


def find_store(code):
    """The store with this code; CommandError where there is none."""
    found = Store.objects.filter(code__iexact=code).first()
    if found is None:
        raise CommandError(f"There is no store {code!r}.")
    return found
