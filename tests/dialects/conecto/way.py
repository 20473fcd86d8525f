"""Conecto as a way out: it only reads, and by the store where a customer is."""

from dialects.conecto.dialect import DIALECT
from tenancy.models import Store
from tenancy.scoping import in_tenant
from tests.dialects.conecto.client import Conecto

WORDS = {"first_name": "firstName", "last_name": "lastName", "company_name": "companyName"}
ADDRESS = {"street": "street", "city": "city", "postal_code": "zipCode"}


class Way:
    dialect = DIALECT

    def __init__(self, tenant, token):
        self.api = Conecto(token)
        with in_tenant(tenant):
            self.stores = list(Store.objects.values_list("location_id", "code"))

    def read(self, customer_id):
        """The only customer of the tenant, wherever it is."""
        ((code, told),) = [
            (code, row)
            for location, code in self.stores
            for row in self.api.page(location)["results"]
        ]
        [email], [phone], [address] = (
            told[name] for name in ("customerEmails", "customerPhones", "customerAddresses")
        )
        return {
            **{ours: told[theirs] for ours, theirs in WORDS.items()},
            "home_store": code,
            "emails": email["email"],
            "phones": phone["phone"],
            "addresses": {ours: address[theirs] for ours, theirs in ADDRESS.items()},
        }
