"""Fieldpine as a way in and out."""

from dialects.fieldpine.dialect import DIALECT
from tests.dialects.fieldpine.client import Fieldpine

WORDS = {
    "name": "Name",
    "first_name": "FirstName",
    "last_name": "LastName",
    "company_name": "CompanyName",
    "birth_date": "Birthday",
    "eu_citizen": "EUCitizen",
    "internal_note": "ContactComment",
    "credit_limit": "CreditLimit",
    "floor_limit": "FloorLimit",
    "emails": "Email",
    "phones": "Mobile",
}
SWITCHES = {"hidden": "DoNotUse", "no_loyalty": "ExcludeLoyalty"}
ADDRESS = {"street": "Address1", "city": "City", "postal_code": "Postcode"}


class Way:
    dialect = DIALECT

    def __init__(self, tenant, token):
        self.api = Fieldpine(token)

    def register(self, person):
        fields = {theirs: person[ours] for ours, theirs in WORDS.items()}
        fields |= {theirs: int(person[ours]) for ours, theirs in SWITCHES.items()}
        fields |= {theirs: person["addresses"][ours] for ours, theirs in ADDRESS.items()}
        return self.api.made(**fields)["CustomerId"]

    def read(self, customer_id):
        (told,) = self.api.rows(f"englishquery=customerid={customer_id}")
        return {
            **{ours: told[theirs] for ours, theirs in WORDS.items()},
            **{ours: bool(told[theirs]) for ours, theirs in SWITCHES.items()},
            "addresses": {ours: told[theirs] for ours, theirs in ADDRESS.items()},
            # A phone stands in the place of its kind.
            "phones": told["Mobile"] or told["Phone"] or told["Fax"],
            "login_email": told["Email"],
        }
