"""Flow Retail as a way in and out."""

from dialects.flowretail.dialect import DIALECT
from tests.dialects.flowretail.client import FlowRetail

WORDS = {
    "external_id": "externalId",
    "card_number": "loyaltyId",
    "first_name": "firstname",
    "last_name": "lastname",
    "company_name": "companyName",
    "vat_number": "vatNumber",
    "price_list": "pricelistUid",
    "payment_terms_days": "paymentTerms",
    "ledger_number": "ledgerNumber",
    "home_store": "defaultStoreUid",
    "origin": "origin",
    "internal_note": "internalNote",
    "emails": "email",
    "phones": "mobile",
    "groups": "customerGroupUids",
}
ADDRESS = {
    "street": "address",
    "city": "city",
    "postal_code": "postalCode",
}


class Way:
    dialect = DIALECT

    def __init__(self, tenant, token):
        self.api = FlowRetail(token, tenant=tenant.code)

    def register(self, person):
        fields = {theirs: person[ours] for ours, theirs in WORDS.items()}
        fields |= {theirs: person["addresses"][ours] for ours, theirs in ADDRESS.items()}
        return self.api.make(
            **fields,
            customerType=person["kind"].upper(),
            ehf={"enabled": person["e_invoice"]},
            contacts=[
                {"firstname": first, "lastname": last} for first, last in person["contact_persons"]
            ],
            consents=[
                {"name": name, "status": status} for name, status in person["consents"].items()
            ],
        )["customerUid"]

    def read(self, customer_id):
        told = self.api.get(customer_id).json()
        manager = told["accountManager"]
        return {
            **{ours: told[theirs] for ours, theirs in WORDS.items()},
            "addresses": {ours: told[theirs] for ours, theirs in ADDRESS.items()},
            "kind": told["customerType"].lower(),
            "name": told["displayName"],
            "e_invoice": told["ehf"]["enabled"],
            "credit_limit": told["credit"]["limit"] and told["credit"]["limit"] // 100,
            "credit_balance": told["credit"]["balance"] and told["credit"]["balance"] // 100,
            "seller": manager and manager["userCode"],
            "contact_persons": [(row["firstname"], row["lastname"]) for row in told["contacts"]],
            "consents": {row["name"]: row["status"] for row in told["consents"]},
        }
