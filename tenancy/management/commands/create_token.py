"""create_token TENANT: an access token, printed once, alone, on standard output."""

from datetime import timedelta

from django.core.management.base import CommandError

from tenancy import permissions
from tenancy.commands import TenantCommand
from tenancy.management.commands.create_staff import find_store
from tenancy.models import AccessToken, StaffMember
from tenancy.services import create_token


class Command(TenantCommand):
    help = (
        "Issue an access token and print it, alone, on standard output; it cannot be shown again. "
        "--role service needs --scope (repeatable). --role admin or seller needs --staff EMAIL "
        "unless the tenant has exactly one active member with that role. --store binds the token "
        "to stores. Without --days it does not expire. Scopes: " + ", ".join(permissions.SCOPES)
    )

    def add_arguments(self, parser):
        parser.add_argument("tenant")
        parser.add_argument("--role", required=True, choices=["admin", "seller", "service"])
        parser.add_argument("--staff", metavar="EMAIL")
        parser.add_argument("--scope", action="append", metavar="SCOPE")
        parser.add_argument("--store", action="append", default=[], metavar="CODE")
        parser.add_argument("--name", default="")
        parser.add_argument("--days", type=int)

    def run(self, *, tenant, role, staff, scope, store, name, days, **options):
        is_service = role == permissions.SERVICE
        if is_service and staff:
            raise CommandError("--staff goes with --role admin or seller.")
        _row, plain = create_token(
            tenant,
            holder=AccessToken.Holder.SERVICE if is_service else AccessToken.Holder.STAFF,
            staff=None if is_service else find_member(role, staff),
            scopes=scope,
            stores=[find_store(code) for code in store],
            name=name,
            lifetime=None if days is None else timedelta(days=days),
        )
        self.stdout.write(plain)


def find_member(role, email):
    """The staff member that the token is for; CommandError where it is not clear who."""
    members = StaffMember.objects.filter(role=role, active=True)
    if email:
        members = members.filter(user__email=email.strip().lower())
    found = list(members[:2])
    if len(found) == 1:
        return found[0]
    if not found:
        who = f"{email!r} with the role {role}" if email else f"a {role}"
        raise CommandError(f"There is no such staff member: {who}. Make one with create_staff.")
    raise CommandError(f"There are several staff members with the role {role}: name --staff EMAIL.")
