"""Open Loyalty's words for our fields: its forms, one field a line, `source` our word for it."""

from django.core.exceptions import ValidationError as ServiceError
from rest_framework.serializers import FileField, ValidationError

import normalise
from customers.models import Consent, Customer
from customers.services.registering import clean_created_at
from customers.slots import email_of, phone_of
from dialects.openloyalty.fields import (
    BLANK,
    INVALID,
    KEEP,
    NO_RIGHT,
    REFUSE,
    WORDED,
    WRONG_EMAIL,
    WRONG_PHONE,
    WRONG_SEARCHED_PHONE,
    Country,
    Group,
    Labels,
    Password,
    Phone,
    Text,
    Tick,
)
from dialects.openloyalty.forms import Form, FormRefused
from tenancy.permissions import ADMIN, CUSTOMER, SERVICE

AGREEMENTS = {
    "agreement1": Consent.LEGAL,
    "agreement2": Consent.MARKETING,
    "agreement3": Consent.DATA_PROCESSING,
}
SOURCE = "Open Loyalty"
LONGEST_SEARCH = 254
# What customers change themselves, by our names; the table of rights says the same.
OWN = {
    *("first_name", "last_name", "gender", "birth_date", "login_email", "login_phone", "address"),
    *AGREEMENTS,
}
# What a form may hold where customers change nothing themselves.
STILL_OPEN = {*AGREEMENTS, "createdAt", "posId", "sellerId", "levelId"}


def searched_text(text):
    return normalise.clean_text(text, max_length=LONGEST_SEARCH)


def searched_phone(text):
    """A part of a phone number: digits, with a plus before them or without."""
    digits = text.removeprefix("+")
    if not (digits.isascii() and digits.isdigit()):
        raise ServiceError(WRONG_SEARCHED_PHONE, code=WORDED)
    return text


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


class OpenLoyaltyWholeCompany(OpenLoyaltyCompany):
    """A company of which no half can be named."""

    def whole(self, values):
        missing = [name for name, field in self.fields.items() if not values[field.source]]
        if missing:
            raise ValidationError({name: [BLANK] for name in missing})
        return values


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
        *("card_number", "labels", "home_store", "seller", "level", "invitation_token"),
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
    phone = Phone(source="login_phone", blank=None, clean=normalise.clean_strict_phone)
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

    def profile(self):
        profile = super().profile()
        if self.values.get("address"):
            profile["addresses"] = [{"kind": "home", **self.values["address"]}]
        return profile

    def registration(self):
        """What `enrol_customer` takes."""
        created_at = self.values.get("created_at")
        return {**self.profile(), "consents": self.consents(), "created_at": created_at}


class OpenLoyaltySelfRegistration(OpenLoyaltyRegistration):
    """`customer[…]` of somebody who registers alone."""

    also = OpenLoyaltyProfile.also | {"password": "plainPassword"}

    # Whitespace belongs to a password.
    plainPassword = Password(source="password")

    def get_fields(self):
        fields = super().get_fields()
        for name in ("levelId", "posId", "sellerId"):
            del fields[name]
        return fields

    def further(self):
        """What a stranger may not say is refused; the time of the registration is now."""
        refused = self.values.get("labels")
        return [("labels", NO_RIGHT)] if refused else []

    def registration(self):
        """What `register_telling` takes."""
        return {
            **self.profile(),
            "consents": self.consents(),
            "password": self.values["password"],
        }


class OpenLoyaltyUpdate(OpenLoyaltyProfile):
    """`customer[…]` of an update: what is not sent stays, what is sent empty goes, except names and
    gender, which everybody has."""

    silent = frozenset({"invitationToken"})

    firstName = Text(source="first_name", blank=KEEP)
    lastName = Text(source="last_name", blank=KEEP)
    gender = Text(blank=KEEP)
    email = Text(source="login_email", blank=None, blank_message=WRONG_EMAIL)
    phone = Phone(
        source="login_phone",
        blank=None,
        blank_message=WRONG_PHONE,
        clean=normalise.clean_strict_phone,
    )
    birthDate = Text(source="birth_date", blank=None)
    createdAt = Text(source="created_at", blank=KEEP)
    address = OpenLoyaltyAddress()
    company = OpenLoyaltyWholeCompany()
    loyaltyCardNumber = Text(source="card_number", blank=None)
    labels = Labels()
    agreement1 = Tick()
    agreement2 = Tick()
    agreement3 = Tick()
    levelId = Text(source="level", blank=KEEP)
    posId = Text(source="home_store", blank=KEEP)
    sellerId = Text(source="seller", blank=KEEP)
    invitationToken = Text(source="invitation_token", blank=KEEP)

    def get_fields(self):
        fields = super().get_fields()
        # What proves an account cannot be taken away.
        method = self.context["tenant"].setting("activation_method")
        if method in ("email", "sms"):
            fields["email" if method == "email" else "phone"].blank = REFUSE
        if self.context["principal"].kind == CUSTOMER:
            # Who is not shown all of a company sends back what is shown: a half, and no change.
            fields["company"] = OpenLoyaltyCompany()
        return fields

    def changes_of(self, record):
        """What `update_customer` takes. An e-mail or phone that is sent back as it was shown is no
        change, also where it is a contact point that nobody signs in with."""
        changes = self.profile()
        slots = {}
        for name, shown, slot, item in (
            ("login_email", email_of(record), "emails", "address"),
            ("login_phone", phone_of(record), "phones", "given"),
        ):
            if name not in changes:
                continue
            if (changes[name] or "").lower() == (shown or "").lower():
                del changes[name]
            else:
                slots[slot] = {item: changes[name]} if changes[name] else None
        if "address" in self.values:
            address = self.values["address"]
            slots["addresses"] = address and {"kind": "home", **address}
        return {
            **changes,
            "slots": slots,
            "consents": self._new_consents(record),
            "created_at": self._created_at(record),
        }

    def _new_consents(self, record):
        """The ticks that differ from what is shown: sending back is no statement."""
        granted = {row["purpose"] for row in record["consents"] if row["granted"]}
        return [row for row in self.consents() if row["granted"] != (row["purpose"] in granted)]

    def _created_at(self, record):
        """The corrected time of the registration; None where it stays, and from who may not."""
        given = self.values.get("created_at")
        if given is None or self.context["principal"].kind not in (ADMIN, SERVICE):
            return None
        instant = clean_created_at(given, self.context["tenant"])
        return None if instant == record["created_at"].replace(microsecond=0) else instant

    def keep_to_own(self, customer, record, *, closed):
        """Leave what customers may change themselves; `closed` where the tenant lets them change
        nothing. What is sent back as it was shown, or empty, is no change and is passed over.

        Raises FormRefused naming the rest.
        """
        shown = {
            "card_number": customer.card_number,
            "home_store": str(customer.home_store_id),
            "level": str((record["loyalty"] or {}).get("level_id")),
        }
        refused = []
        for name, field in self.fields.items():
            ours = field.source
            if ours not in self.values:
                continue
            if closed and name not in STILL_OPEN:
                refused.append((name, NO_RIGHT))
            elif ours not in OWN:
                value = self.values.pop(ours)
                if value and ours != "created_at" and value != shown.get(ours):
                    refused.append((name, NO_RIGHT))
            elif ours in ("login_email", "login_phone") and not self.values[ours]:
                refused.append((name, NO_RIGHT))
        if refused:
            raise FormRefused(refused)


class OpenLoyaltySearch(Form):
    """`search[…]` of a till."""

    brackets = "search"

    loyaltyCardNumber = Text(clean=searched_text)
    phone = Phone(clean=searched_phone)
    email = Text(clean=searched_text)
    firstName = Text(clean=searched_text)
    lastName = Text(clean=searched_text)
    city = Text(clean=searched_text)
    postcode = Text(clean=searched_text)

    def further(self):
        return [] if any(self.values.values()) else [(None, "Provide at least one field")]


class OpenLoyaltyUpload(Form):
    """One file, `avatar[file]` or `file[file]`."""

    file = FileField(error_messages={"required": BLANK, "invalid": INVALID, "empty": INVALID})


class OpenLoyaltyAvatar(OpenLoyaltyUpload):
    brackets = "avatar"


class OpenLoyaltyImport(OpenLoyaltyUpload):
    brackets = "file"


class OpenLoyaltyDevice(Form):
    """`customer[pushyToken]`."""

    brackets = "customer"
    also = {"token": "pushyToken"}

    pushyToken = Text(source="token", required=True, blank=REFUSE)


class OpenLoyaltyReset(Form):
    """`reset[plainPassword]`, after a link."""

    brackets = "reset"
    also = {"password": "plainPassword"}

    plainPassword = Password(source="password")


class OpenLoyaltyPassword(Form):
    """A new password after the present one; its fields stand in no brackets."""

    also = {"current_password": "currentPassword", "password": "plainPassword"}

    currentPassword = Password(source="current")
    plainPassword = Password(source="new")
