"""Open Loyalty as a way in and out."""

from dialects.openloyalty.dialect import DIALECT
from tenancy.models import StaffMember, Store
from tenancy.scoping import in_tenant
from tests.dialects.openloyalty.client import OpenLoyalty, customer

WORDS = {
    "first_name": "firstName",
    "last_name": "lastName",
    "gender": "gender",
    "birth_date": "birthDate",
    "card_number": "loyaltyCardNumber",
    "invitation_token": "invitationToken",
}
ADDRESS = {"street": "street", "city": "city", "postal_code": "postal"}
AGREEMENTS = {"legal": "agreement1", "marketing": "agreement2"}


class Way:
    dialect = DIALECT

    def __init__(self, tenant, token):
        self.tenant = tenant
        self.api = OpenLoyalty(token, code=tenant.code)
        with in_tenant(tenant):
            self.stores = {store.code: str(store.pk) for store in Store.objects.all()}
            members = StaffMember.objects.select_related("user")
            self.sellers = {member.user.email: str(member.pk) for member in members}

    def register(self, person):
        fields = {theirs: person[ours] for ours, theirs in WORDS.items()}
        fields |= {
            f"address__{theirs}": person["addresses"][ours] for ours, theirs in ADDRESS.items()
        }
        fields |= {word: "1" for name, word in AGREEMENTS.items() if person["consents"][name]}
        form = customer(
            **fields,
            email=person["emails"],
            phone=person["phones"],
            company__name=person["company_name"],
            company__nip=person["vat_number"],
            posId=self.stores[person["home_store"]],
            sellerId=self.sellers[person["seller"]],
            labels=";".join(f"{key}:{value}" for key, value in person["labels"]),
        )
        answer = self.api.post("customer/register", form)
        assert answer.status_code == 200, answer.content
        return answer.json()["customerId"]

    def read(self, customer_id):
        told = self.api.get(f"customer/{customer_id}").json()
        company, address = told.get("company") or {}, told.get("address") or {}
        sellers = {pk: email for email, pk in self.sellers.items()}
        return {
            **{ours: told.get(theirs) for ours, theirs in WORDS.items()},
            "birth_date": told.get("birthDate", "")[:10],
            **dict.fromkeys(("emails", "login_email"), told.get("email")),
            **dict.fromkeys(("phones", "login_phone"), told.get("phone")),
            "addresses": {ours: address.get(theirs) for ours, theirs in ADDRESS.items()},
            "kind": "company" if company else "person",
            "company_name": company.get("name"),
            "vat_number": company.get("nip"),
            "home_store": told.get("posIdentifier"),
            "seller": sellers.get(told.get("sellerId")),
            "card_state": told["status"]["state"],
            "labels": [(row["key"], row["value"]) for row in told["labels"]],
            "consents": {name: told[word] for name, word in AGREEMENTS.items()},
            "groups": [row["segmentId"] for row in told["segments"]],
        }
