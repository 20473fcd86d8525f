"""Fieldpine's words for our fields, one a line; `source` is our word."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.fields import SkipField

from customers.models import Address, Customer, Phone
from dialects.base import check_fields, translated
from dialects.fieldpine.fields import Amount, Birthday, Flag, Key, Number01, Word

# Each place of a phone, and the kind of one that is sent for it.
PHONES = {
    "Mobile": Phone.Kind.MOBILE,
    "Phone": Phone.Kind.HOME,
    "Fax": Phone.Kind.OTHER,
}
# Lines of an address from the third on are one line of ours, the third.
FURTHER_LINES = ("Address3", "Address4", "Address5", "Address6")
LINES = ("Address1", "Address2", *FURTHER_LINES)
ADDRESS = {
    "Address1": "street",
    "Address2": "street2",
    "Address3": "street3",
    "City": "city",
    "Postcode": "postal_code",
}
ADDRESS_LINE_3 = "addresses.street3"
LONGEST_NAME = 120


class FieldpineCustomer(serializers.Serializer):
    """A customer as one is sent. Names in any letter case; others than these are passed over."""

    CustomerId = Key(source="id")
    Name = Word(source="name", most=LONGEST_NAME)
    FirstName = Word(source="first_name")
    LastName = Word(source="last_name")
    CompanyName = Word(source="company_name")
    Address1 = Word(source="addresses.street")
    Address2 = Word(source="addresses.street2")
    Address3 = Word(source=ADDRESS_LINE_3)
    Address4 = Word(source=ADDRESS_LINE_3)
    Address5 = Word(source=ADDRESS_LINE_3)
    Address6 = Word(source=ADDRESS_LINE_3)
    City = Word(source="addresses.city")
    Postcode = Word(source="addresses.postal_code")
    Phone = Word(source="phones")
    Mobile = Word(source="phones")
    Fax = Word(source="phones")
    Email = Word(source="emails")
    EUCitizen = Flag(source="eu_citizen", allow_null=True)
    ContactComment = Word(source="internal_note")
    Birthday = Birthday(source="birth_date", allow_null=True)
    CreditLimit = Amount(source="credit_limit", allow_null=True)
    FloorLimit = Amount(source="floor_limit", allow_null=True)
    DoNotUse = Number01(source="hidden")
    ExcludeLoyalty = Number01(source="no_loyalty")

    def read(self, body):
        """Take the values out of a body, into `values` by the vendor's names; `message` is what
        was sent, whatever the letter case of its names, `unknown` the names that mean nothing here.

        Raises ValidationError by the vendor's names.
        """
        known = {name.lower(): name for name in self.fields}
        self.message, self.values, self.unknown, errors = {}, {}, [], {}
        for sent, value in body.items():
            folded = sent.lower()
            name = known.get(folded, sent)
            if folded in self.message:
                errors[name] = ValidationError(_("This name comes twice."), code="duplicate_key")
                continue
            self.message[folded] = value
            if folded not in known:
                self.unknown.append(sent)
                continue
            try:
                self.values[name] = self.fields[name].run_validation(value)
            except SkipField:
                continue
            except serializers.ValidationError as refusal:
                errors[name] = ValidationError(str(refusal.detail[0]), code="invalid")
        if errors:
            raise ValidationError(errors)

    def registration(self, principal):
        """What `enrol_customer` takes beside the id. Raises FieldsRefused."""
        columns = {
            field.source: self.values[name]
            for name, field in self.fields.items()
            if name in self.values and "." not in field.source
            if field.source not in ("id", "emails", "phones")
        }
        check_fields(principal, columns)
        if self._is_company():
            columns["kind"] = Customer.Kind.COMPANY
        lists = {"emails": self._emails(), "phones": self._phones(), "addresses": self._addresses()}
        return columns | {name: rows for name, rows in lists.items() if rows}

    def _is_company(self):
        """A company's name beside a person's is the person's employer."""
        company = self.values.get("CompanyName")
        named = {self.values.get(name) for name in ("Name", "FirstName", "LastName")}
        return company is not None and named <= {None, company}

    def _emails(self):
        return [{"address": self.values["Email"]}] if "Email" in self.values else []

    def _phones(self):
        return [
            {"given": self.values[name], "kind": kind}
            for name, kind in PHONES.items()
            if name in self.values
        ]

    def _addresses(self):
        row = {ours: self.values[name] for name, ours in ADDRESS.items() if name in self.values}
        further = [self.values[name] for name in FURTHER_LINES if name in self.values]
        if further:
            row["street3"] = ", ".join(further)
        return [{"kind": Address.Kind.BILLING, **row}] if row else []

    def name_of(self, path):
        """The vendor's name of one of our paths, or None."""
        if path in self.fields:
            return path
        list_name, _dot, place = (path or "").partition(".")
        if list_name == "phones" and place[:1].isdigit():
            return [name for name in PHONES if name in self.values][int(place.partition(".")[0])]
        names = {field.source: name for name, field in reversed(list(self.fields.items()))}
        further = [name for name in FURTHER_LINES if name in self.values]
        if further:
            names[ADDRESS_LINE_3] = further[0]
        ((name, _error),) = translated([{"field": path}], names)
        return name


class FieldpineRow(FieldpineCustomer):
    """A customer as one is shown."""

    Cid = serializers.IntegerField(source="number")
    Physkey = serializers.CharField()
    EditDtu = serializers.DateTimeField(source="updated_at")
