"""create_store TENANT CODE: a shop of a tenant."""

from tenancy.commands import TenantCommand
from tenancy.services import create_store


class Command(TenantCommand):
    help = (
        "Create a store. Idempotent: a store that is there stays as it is. Without --location-id "
        "it gets the next free number; the first store of a tenant is its default."
    )

    def add_arguments(self, parser):
        parser.add_argument("tenant")
        parser.add_argument("code")
        parser.add_argument("--name")
        parser.add_argument("--location-id", type=int)
        parser.add_argument("--country", help="where it differs from the tenant's")
        parser.add_argument("--latitude", help="where it stands, in degrees; with --longitude")
        parser.add_argument("--longitude")

    def run(self, *, tenant, code, **options):
        fields = ("name", "location_id", "country", "latitude", "longitude")
        store, created = create_store(tenant, code, **{name: options[name] for name in fields})
        outcome = "created" if created else "was there already"
        self.stdout.write(f"store {store.code}, location {store.location_id}: {outcome}")
