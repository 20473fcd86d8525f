"""Open Loyalty's words for our fields: its forms, one field a line, `source` our word for it."""

import normalise
from customers.models import Consent, Customer
from dialects.openloyalty.fields import (
    INVALID,
    KEEP,
    REFUSE,
    Country,
    Group,
    Labels,
    Text,
    Tick,
)
from dialects.openloyalty.forms import Form

AGREEMENTS = {
    "agreement1": Consent.LEGAL,
    "agreement2": Consent.MARKETING,
    "agreement3": Consent.DATA_PROCESSING,
}
SOURCE = "Open Loyalty"


class OpenLoyaltyAddress(Group):
    street = Text()
    address1 = Text(source="street2")
    address2 = Text(source="street3")
    postal = Text(source="postal_code")
    city = Text()
    province = Text(source="state")
    country = Country()


class OpenLoyaltyCompany(Group):
    name = Text(source="company_name")
    nip = Text(source="vat_number")

    def whole(self, values):
        """Half a company is none."""
        return values if all(values.values()) else None


class OpenLoyaltyProfile(Form):
    """What a registration and an update have in common."""

    brackets = "customer"
    also = {
        "emails": "email",
        "phones": "phone",
        "addresses": "address",
        "company_name": "company.name",
        "vat_number": "company.nip",
        "store": "posId",
        **{f"addresses.{field.source or name}": f"address.{name}"
           for name, field in OpenLoyaltyAddress._declared_fields.items()},
    }  # fmt: skip

    COLUMNS = (
        *("first_name", "last_name", "gender", "birth_date", "login_email", "login_phone"),
        *("card_number", "labels", "home_store", "seller", "invitation_token"),
    )

    def profile(self):
        columns = {name: self.values[name] for name in self.COLUMNS if name in self.values}
        if "company" in self.values:
            columns |= self.company()
        return columns

    def company(self):
        """The columns of a company, or of none."""
        company = self.values["company"]
        kind = Customer.Kind.COMPANY if company else Customer.Kind.PERSON
        return {"kind": kind, **(company or {"company_name": "", "vat_number": ""})}

    def consents(self):
        """The ticks that were sent, as statements."""
        return [
            {"purpose": purpose, "granted": self.values[name], "source": SOURCE}
            for name, purpose in AGREEMENTS.items()
            if name in self.values
        ]


class OpenLoyaltyRegistration(OpenLoyaltyProfile):
    """`customer[…]` of the three calls that register somebody else."""

    silent = frozenset({"labels", "invitationToken"})

    firstName = Text(source="first_name", required=True, blank=REFUSE)
    lastName = Text(source="last_name", required=True, blank=REFUSE)
    gender = Text(blank=KEEP)
    email = Text(source="login_email", blank=None)
    phone = Text(source="login_phone", blank=None, clean=normalise.clean_strict_phone)
    birthDate = Text(source="birth_date", blank=None)
    createdAt = Text(source="created_at", blank=None)
    address = OpenLoyaltyAddress()
    company = OpenLoyaltyCompany()
    loyaltyCardNumber = Text(source="card_number", blank=None)
    labels = Labels()
    agreement1 = Tick(must=True, required=True)
    agreement2 = Tick()
    agreement3 = Tick()
    levelId = Text(source="level", blank=KEEP)
    posId = Text(source="home_store", blank=KEEP)
    sellerId = Text(source="seller", blank=KEEP)
    invitationToken = Text(source="invitation_token", blank=KEEP)

    def get_fields(self):
        fields = super().get_fields()
        # Who activates by SMS signs in by phone; everybody else needs an e-mail.
        by_sms = self.context["tenant"].setting("activation_method") == "sms"
        needed = fields["phone" if by_sms else "email"]
        needed.required, needed.blank = True, REFUSE
        if self.context.get("by_seller"):
            del fields["sellerId"]  # it is the caller
        return fields

    def further(self):
        # There are no levels yet, so none can be named.
        return [("levelId", INVALID)] if "level" in self.values else []

    def profile(self):
        profile = super().profile()
        if self.values.get("address"):
            profile["addresses"] = [{"kind": "home", **self.values["address"]}]
        return profile

    def registration(self):
        """What `enrol_customer` takes."""
        created_at = self.values.get("created_at")
        return {**self.profile(), "consents": self.consents(), "created_at": created_at}
