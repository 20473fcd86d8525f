"""Zeald as a way in and out."""

from customers.models import Customer
from dialects.zeald.dialect import DIALECT
from tenancy.scoping import in_tenant
from tests.dialects.zeald.client import Zeald, customer, link, one

WORDS = {
    "username": "username",
    "company_name": "b_company",
    "first_name": "b_fname",
    "last_name": "b_lname",
    "shipping_mode": "mv_shipmode",
    **{name: name for name in ("custom_data1", "custom_data2", "custom_data3", "custom_data4")},
    "emails": "email",
    "phones": "phone_day",
}
ADDRESS = {"street": "b_address1", "city": "b_city", "postal_code": "b_zip"}
RESOURCE = "Customer+UserCustomerGroups"


class Way:
    dialect = DIALECT

    def __init__(self, tenant, token):
        self.tenant = tenant
        self.api = Zeald(token)

    def register(self, person):
        fields = {theirs: person[ours] for ours, theirs in WORDS.items()}
        fields |= {theirs: person["addresses"][ours] for ours, theirs in ADDRESS.items()}
        fields |= {"discount": person["discount_percent"], "no_email": int(person["no_email"])}
        links = [link(group_code=code) for code in person["groups"]]
        answer = self.api.post(RESOURCE, customer(*links, **fields))
        assert answer.status_code == 201, answer.content
        with in_tenant(self.tenant):
            return str(Customer.objects.get(username=person["username"]).pk)

    def read(self, customer_id):
        with in_tenant(self.tenant):
            key = Customer.objects.get(pk=customer_id).username or customer_id
        told = one(self.api.get(f"{RESOURCE}/{key}"))
        return {
            **{ours: told[theirs] for ours, theirs in WORDS.items()},
            "addresses": {ours: told[theirs] for ours, theirs in ADDRESS.items()},
            "kind": "company" if told["b_company"] else "person",
            "discount_percent": float(told["discount"] or 0),
            "no_email": told["no_email"] == "1",
            "groups": [row["group_code"] for row in told.get("UserCustomerGroup", [])],
        }
