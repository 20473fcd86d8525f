"""How to reach a customer: e-mails, phones, addresses, and the people of a company.

`position` keeps the order in which a list was given. At most one row of a list is primary.
"""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models.customer import Customer
from tenancy.clock import now
from tenancy.models import TenantOwned


class ChildOfCustomer(TenantOwned):
    """A row that belongs to one customer and goes with it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    position = models.PositiveSmallIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(_("created"), default=now, editable=False)

    class Meta:
        abstract = True


class Email(ChildOfCustomer):
    """An e-mail address of a customer; the same address may stand with other customers too."""

    FIELDS = ("address", "primary", "verified", "opted_out")

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="emails")
    address = models.CharField(_("address"), max_length=254)
    # Wholly lower-cased; what matching compares.
    address_key = models.CharField(max_length=254, editable=False)
    primary = models.BooleanField(_("primary"), default=False)
    verified = models.BooleanField(_("verified"), default=False)
    opted_out = models.BooleanField(_("opted out"), default=False)

    class Meta:
        verbose_name = _("e-mail")
        verbose_name_plural = _("e-mails")
        ordering = ["-primary", "position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "customer"],
                condition=models.Q(primary=True),
                name="email_one_primary",
            ),
            models.UniqueConstraint(
                fields=["tenant", "customer", "address_key"], name="email_once_per_customer"
            ),
        ]
        indexes = [models.Index(fields=["tenant", "address_key"], name="email_address")]

    def __str__(self):
        return str(self.id)


class Phone(ChildOfCustomer):
    """A phone number: as it was given, and as E.164 where the numbering plan allows it."""

    class Kind(models.TextChoices):
        MOBILE = "mobile", _("Mobile")
        HOME = "home", _("Home")
        WORK = "work", _("Work")
        OTHER = "other", _("Other")

    FIELDS = ("given", "kind", "extension", "primary", "verified", "opted_out")

    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="phones", db_index=False
    )
    given = models.CharField(_("number"), max_length=40)
    e164 = models.CharField(_("international"), max_length=16, blank=True, editable=False)
    # Of the E.164 number, else of the number as given; reversed, so that an index finds endings.
    digits = models.CharField(max_length=40, editable=False)
    reversed_digits = models.CharField(max_length=40, editable=False)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices, default=Kind.MOBILE)
    extension = models.CharField(_("extension"), max_length=20, blank=True)
    primary = models.BooleanField(_("primary"), default=False)
    verified = models.BooleanField(_("verified"), default=False)
    opted_out = models.BooleanField(_("opted out"), default=False)

    class Meta:
        verbose_name = _("phone")
        verbose_name_plural = _("phones")
        ordering = ["-primary", "position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "customer"],
                condition=models.Q(primary=True),
                name="phone_one_primary",
            ),
        ]
        indexes = [
            # Both columns, so that no planner prefers an index that is only led by the tenant.
            models.Index(fields=["customer", "tenant"], name="phone_of_customer"),
            models.Index(fields=["tenant", "digits"], name="phone_digits"),
            models.Index(fields=["tenant", "reversed_digits"], name="phone_reversed_digits"),
        ]

    def __str__(self):
        return str(self.id)


class Address(ChildOfCustomer):
    """A postal address, with the recipient where it is not the customer."""

    class Kind(models.TextChoices):
        HOME = "home", _("Home")
        WORK = "work", _("Work")
        BILLING = "billing", _("Billing")
        SHIPPING = "shipping", _("Shipping")
        OTHER = "other", _("Other")

    FIELDS = (
        "kind",
        "street",
        "street2",
        "street3",
        "city",
        "state",
        "postal_code",
        "country",
        "latitude",
        "longitude",
        "first_name",
        "last_name",
        "company",
        "email",
        "phone",
        "primary",
    )

    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="addresses", db_index=False
    )
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices, default=Kind.HOME)
    street = models.CharField(_("street"), max_length=250, blank=True)
    street2 = models.CharField(_("street, line 2"), max_length=250, blank=True)
    street3 = models.CharField(_("street, line 3"), max_length=250, blank=True)
    city = models.CharField(_("city"), max_length=120, blank=True)
    state = models.CharField(_("state or province"), max_length=120, blank=True)
    postal_code = models.CharField(_("postal code"), max_length=20, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    # In millionths of a degree: SQLite keeps decimals as floating point.
    latitude_micro = models.IntegerField(null=True, blank=True, editable=False)
    longitude_micro = models.IntegerField(null=True, blank=True, editable=False)
    first_name = models.CharField(_("recipient's first name"), max_length=120, blank=True)
    last_name = models.CharField(_("recipient's last name"), max_length=120, blank=True)
    company = models.CharField(_("recipient's company"), max_length=200, blank=True)
    email = models.CharField(_("recipient's e-mail"), max_length=254, blank=True)
    phone = models.CharField(_("recipient's phone"), max_length=40, blank=True)
    primary = models.BooleanField(_("primary"), default=False)

    class Meta:
        verbose_name = _("address")
        verbose_name_plural = _("addresses")
        ordering = ["-primary", "position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "customer"],
                condition=models.Q(primary=True),
                name="address_one_primary",
            ),
            models.CheckConstraint(
                condition=models.Q(latitude_micro=None)
                | models.Q(latitude_micro__gte=-90_000_000, latitude_micro__lte=90_000_000),
                name="address_latitude",
            ),
            models.CheckConstraint(
                condition=models.Q(longitude_micro=None)
                | models.Q(longitude_micro__gte=-180_000_000, longitude_micro__lte=180_000_000),
                name="address_longitude",
            ),
        ]
        indexes = [models.Index(fields=["customer", "tenant"], name="address_of_customer")]

    def __str__(self):
        return str(self.id)


class ContactPerson(ChildOfCustomer):
    """Somebody to talk to at a company."""

    FIELDS = ("first_name", "last_name", "email", "mobile")

    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="contact_persons", db_index=False
    )
    first_name = models.CharField(_("first name"), max_length=120, blank=True)
    last_name = models.CharField(_("last name"), max_length=120, blank=True)
    email = models.CharField(_("e-mail"), max_length=254, blank=True)
    mobile = models.CharField(_("mobile"), max_length=40, blank=True)

    class Meta:
        verbose_name = _("contact person")
        verbose_name_plural = _("contact persons")
        ordering = ["position", "id"]
        indexes = [models.Index(fields=["customer", "tenant"], name="contact_of_customer")]

    def __str__(self):
        return str(self.id)
