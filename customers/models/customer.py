"""The customer row."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.querysets import CustomerQuerySet
from tenancy.clock import now
from tenancy.models import StaffMember, Store, TenantOwned
from tenancy.scoping import owned_manager

SMALL_MAX = 32_767
MONEY_MAX = 9_007_199_254_740_991  # what a JSON reader keeps exact


def _unique_where_known(column, name):
    """Unique within the tenant. Most customers have no such identifier: an index of those who have
    is small, and no database takes the many without one for namesakes when it makes its plans."""
    return models.UniqueConstraint(
        fields=["tenant", column], condition=models.Q(**{f"{column}__isnull": False}), name=name
    )


class Customer(TenantOwned):
    """A person or company that buys from a tenant, and what the retailer keeps about it.

    Uniqueness of the identifiers is a constraint within the tenant; NULL means "has none".
    `version` counts every visible change, also of a child row, and is the ETag.
    """

    class Kind(models.TextChoices):
        PERSON = "person", _("Person")
        COMPANY = "company", _("Company")

    class Gender(models.TextChoices):
        MALE = "male", _("Male")
        FEMALE = "female", _("Female")
        NOT_DISCLOSED = "not_disclosed", _("Not disclosed")

    class Status(models.TextChoices):
        NEW = "new", _("New")
        ACTIVE = "active", _("Active")
        BLOCKED = "blocked", _("Blocked")

    class CardState(models.TextChoices):
        NO_CARD = "no-card", _("No card")
        CARD_SENT = "card-sent", _("Card sent")
        WITH_CARD = "with-card", _("With card")

    # What a caller may set through register and update, by the names of the wire; serializers,
    # admin and importer are built from it. `birth_date` stands for the three birth columns;
    # the child lists follow in CHILD_LISTS.
    PROFILE = (
        "external_id",
        "username",
        "card_number",
        "login_email",
        "login_phone",
        "kind",
        "name",
        "first_name",
        "last_name",
        "company_name",
        "gender",
        "birth_date",
        "language",
        "eu_citizen",
        "vat_number",
        "card_state",
        "hidden",
        "no_loyalty",
        "discount_percent",
        "price_list",
        "payment_terms_days",
        "ledger_number",
        "shipping_mode",
        "e_invoice",
        "e_invoice_address",
        "credit_limit",
        "credit_balance",
        "floor_limit",
        "home_store",
        "seller",
        "origin",
        "internal_note",
        "invitation_token",
        "custom_data1",
        "custom_data2",
        "custom_data3",
        "custom_data4",
        "no_email",
    )
    CHILD_LISTS = ("emails", "phones", "addresses", "contact_persons", "labels")
    IDENTIFIERS = ("external_id", "username", "card_number", "login_email", "login_phone")
    # These (beside id and number) go on leading to the survivor when a record is merged.
    FOLLOWED = ("external_id", "username", "card_number")
    MONEY = ("credit_limit", "credit_balance", "floor_limit")
    # Kept by the services alone.
    SYSTEM = (
        "id",
        "tenant",
        "number",
        "login_phone_key",
        "birth_year",
        "birth_month",
        "birth_day",
        "status",
        "created_at",
        "updated_at",
        "version",
        "anonymised_at",
        "merged_into",
        "password",
        "password_temporary",
        "search_text",
        "name_given",
    )

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # NULL only for the anonymised: the number stands on cards and receipts and leads to a person.
    number = models.BigIntegerField(_("number"), null=True, editable=False)
    external_id = models.CharField(_("external id"), max_length=200, null=True, blank=True)
    username = models.CharField(_("username"), max_length=254, null=True, blank=True)
    card_number = models.CharField(_("card number"), max_length=100, null=True, blank=True)
    login_email = models.CharField(
        _("sign-in e-mail"),
        max_length=254,
        null=True,
        blank=True,
        help_text=_("Signs in with it; unique among the customers."),
    )
    login_phone = models.CharField(
        _("sign-in phone"),
        max_length=40,
        null=True,
        blank=True,
        help_text=_("Signs in with it; unique among the customers by its digits."),
    )
    login_phone_key = models.CharField(max_length=40, null=True, blank=True, editable=False)

    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices, default=Kind.PERSON)
    name = models.CharField(
        _("name"),
        max_length=250,
        blank=True,
        help_text=_("Empty: first and last name, else the company."),
    )
    # Whether `name` was given; a built name is built again when its parts change.
    name_given = models.BooleanField(default=False, editable=False)
    first_name = models.CharField(_("first name"), max_length=120, blank=True)
    last_name = models.CharField(_("last name"), max_length=120, blank=True)
    company_name = models.CharField(_("company"), max_length=200, blank=True)
    gender = models.CharField(
        _("gender"), max_length=16, choices=Gender.choices, default=Gender.NOT_DISCLOSED
    )
    # Three columns, because the year may be unknown.
    birth_year = models.PositiveSmallIntegerField(null=True, blank=True, editable=False)
    birth_month = models.PositiveSmallIntegerField(null=True, blank=True, editable=False)
    birth_day = models.PositiveSmallIntegerField(null=True, blank=True, editable=False)
    language = models.CharField(_("language"), max_length=20, blank=True)
    eu_citizen = models.BooleanField(_("EU citizen"), null=True, blank=True)
    vat_number = models.CharField(_("VAT number"), max_length=40, blank=True)

    status = models.CharField(
        _("status"), max_length=8, choices=Status.choices, default=Status.ACTIVE, editable=False
    )
    card_state = models.CharField(
        _("card"), max_length=10, choices=CardState.choices, default=CardState.NO_CARD
    )
    hidden = models.BooleanField(_("hidden"), default=False)
    no_loyalty = models.BooleanField(_("out of loyalty"), default=False)
    created_at = models.DateTimeField(_("registered"), default=now, editable=False)
    updated_at = models.DateTimeField(_("changed"), default=now, editable=False)
    version = models.PositiveIntegerField(_("version"), default=1, editable=False)
    anonymised_at = models.DateTimeField(_("anonymised"), null=True, blank=True, editable=False)

    # Set: this row is what is left of a record that became part of another one. It keeps the
    # identifiers that go on leading to the survivor, and nothing else; `objects` leaves it out.
    # Always a record that is not merged itself.
    merged_into = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.RESTRICT,
        related_name="merged_from",
        db_index=False,
        editable=False,
        verbose_name=_("merged into"),
    )

    discount_percent = models.PositiveSmallIntegerField(_("discount %"), default=0)
    price_list = models.CharField(_("price list"), max_length=64, blank=True)
    payment_terms_days = models.PositiveSmallIntegerField(
        _("payment terms (days)"), null=True, blank=True
    )
    ledger_number = models.CharField(
        _("ledger number"), max_length=32, blank=True, help_text=_("Digits; leading zeros count.")
    )
    shipping_mode = models.CharField(_("shipping mode"), max_length=64, blank=True)
    e_invoice = models.BooleanField(_("e-invoice"), default=False)
    e_invoice_address = models.CharField(_("e-invoice address"), max_length=200, blank=True)
    # Money in the currency's minor unit; NULL: no limit was set, nothing is known.
    credit_limit = models.BigIntegerField(_("credit limit"), null=True, blank=True)
    credit_balance = models.BigIntegerField(_("credit balance"), null=True, blank=True)
    floor_limit = models.BigIntegerField(_("floor limit"), null=True, blank=True)
    home_store = models.ForeignKey(
        Store,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("home store"),
    )
    seller = models.ForeignKey(
        StaffMember,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("seller"),
    )
    origin = models.CharField(_("origin"), max_length=120, blank=True)
    internal_note = models.TextField(_("internal note"), max_length=10_000, blank=True)
    invitation_token = models.CharField(_("invitation token"), max_length=200, blank=True)
    custom_data1 = models.TextField(_("custom data 1"), max_length=4_000, blank=True)
    custom_data2 = models.TextField(_("custom data 2"), max_length=4_000, blank=True)
    custom_data3 = models.TextField(_("custom data 3"), max_length=4_000, blank=True)
    custom_data4 = models.TextField(_("custom data 4"), max_length=4_000, blank=True)
    no_email = models.BooleanField(_("no unsolicited mail"), default=False)

    password = models.CharField(max_length=128, blank=True, editable=False)
    # Made up by us and sent; the customer is asked for one of the own choice at each sign-in.
    password_temporary = models.BooleanField(default=False, editable=False)
    # Everything a search looks at, folded (normalise): " word word … ".
    search_text = models.TextField(blank=True, editable=False)

    # The records. A merged one is none any more: it counts nowhere and is in no list.
    objects = owned_manager(CustomerQuerySet, merged_into=None)
    # For who follows an old id or identifier, and for the constraints' sake.
    with_merged = owned_manager(CustomerQuerySet)

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "number"], name="customer_number_unique"),
            _unique_where_known("external_id", "customer_external_id_unique"),
            _unique_where_known("username", "customer_username_unique"),
            _unique_where_known("card_number", "customer_card_number_unique"),
            _unique_where_known("login_email", "customer_login_email_unique"),
            _unique_where_known("login_phone_key", "customer_login_phone_unique"),
            models.CheckConstraint(
                condition=models.Q(number__isnull=False) | models.Q(anonymised_at__isnull=False),
                name="customer_number_unless_anonymised",
            ),
            models.CheckConstraint(
                condition=models.Q(discount_percent__gte=0, discount_percent__lte=100),
                name="customer_discount_percent",
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=["person", "company"]), name="customer_kind"
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=["new", "active", "blocked"]), name="customer_status"
            ),
            models.CheckConstraint(
                condition=(
                    models.Q(birth_month=None, birth_day=None, birth_year=None)
                    | models.Q(
                        birth_month__gte=1,
                        birth_month__lte=12,
                        birth_day__gte=1,
                        birth_day__lte=31,
                    )
                ),
                name="customer_birth_date_whole",
            ),
            models.CheckConstraint(
                condition=~models.Q(merged_into=models.F("id")), name="customer_not_in_itself"
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "updated_at", "id"], name="customer_updated"),
            models.Index(fields=["tenant", "created_at", "id"], name="customer_created"),
            models.Index(fields=["tenant", "home_store", "id"], name="customer_home_store"),
            # It also counts those who were not merged, without a look at the rows.
            models.Index(
                fields=["tenant", "status", "merged_into", "id"], name="customer_status_idx"
            ),
            models.Index(
                fields=["tenant", "vat_number"],
                condition=~models.Q(vat_number=""),
                name="customer_vat_number",
            ),
            models.Index(
                fields=["merged_into"],
                condition=models.Q(merged_into__isnull=False),
                name="customer_merged_into",
            ),
        ]

    def __str__(self):
        # The number, never the name: labels of rows are copied to places that erasure cannot see.
        return self.code or str(self.id)

    @property
    def code(self):
        """The number as people see it; empty for the anonymised, who have none."""
        return "" if self.number is None else f"CUST-{self.number}"

    @property
    def display_name(self):
        """What a person reads as this customer's name."""
        if self.anonymised_at:
            return str(_("Anonymised"))
        return self.name or self.code

    @property
    def birth_date(self):
        """`YYYY-MM-DD`, `--MM-DD` where the year is unknown, or None."""
        if self.birth_month is None:
            return None
        year = f"{self.birth_year:04d}" if self.birth_year else "-"
        return f"{year}-{self.birth_month:02d}-{self.birth_day:02d}"
