"""The customer form: every profile field as text that the profile's own rules judge."""

import uuid
from decimal import Decimal

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from customers.models import Consent, Customer
from customers.profile import clean_profile
from normalise import minor_unit_places
from tenancy.admin.base import ServiceForm
from tenancy.entering import role_in
from tenancy.masking import reader_of
from tenancy.models import Store
from tenancy.permissions import changes_field
from tenancy.scoping import current_tenant

ACCOUNT_FIELDS = {"charge_account_number": "number", "charge_account_retired": "retired"}
# What stands on the page beside the profile, and which field of the permission table it is.
BESIDE_PROFILE = {
    **dict.fromkeys(ACCOUNT_FIELDS, "charge_account"),
    "picture": "avatar",
}
CONSENT_FIELDS = {
    "consent_marketing": Consent.MARKETING,
    "consent_data_processing": Consent.DATA_PROCESSING,
    "consent_legal": Consent.LEGAL,
}
LISTS = (*Customer.CHILD_LISTS, "groups", "store_profiles")


def decimal_money(amount, currency):
    """An amount in minor units as decimal text; "" for None."""
    if amount is None:
        return ""
    return f"{Decimal(amount).scaleb(-minor_unit_places(currency)):f}"


def text_field(label, **options):
    attrs = options.pop("attrs", {})
    return forms.CharField(
        label=label, required=False, widget=UnfoldAdminTextInputWidget(attrs=attrs), **options
    )


def flag_field(label, **options):
    return forms.BooleanField(
        label=label, required=False, widget=UnfoldBooleanSwitchWidget, **options
    )


class CustomerForm(ServiceForm):
    """One customer without its lists. Only what was typed here is judged and saved, so that a
    value that some wire left behind never stands in the way of another change."""

    # The new customer's id, chosen when the empty form was shown: a second press of the button,
    # or a form sent again, finds the customer that the first one made.
    form_id = forms.UUIDField(required=False, widget=forms.HiddenInput)
    # The version that the page showed.
    seen_version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    birth_date = text_field(
        _("Birth date"),
        max_length=20,
        attrs={"placeholder": _("YYYY-MM-DD, or --MM-DD")},
    )
    credit_limit = text_field(_("Credit limit"), max_length=40, attrs={"inputmode": "decimal"})
    credit_balance = text_field(_("Credit balance"), max_length=40, attrs={"inputmode": "decimal"})
    floor_limit = text_field(_("Floor limit"), max_length=40, attrs={"inputmode": "decimal"})
    charge_account_number = text_field(_("Charge account"), max_length=40)
    charge_account_retired = flag_field(
        _("Charge account retired"), help_text=_("A retired account takes nothing new.")
    )
    picture = forms.FileField(
        label=_("Picture"),
        required=False,
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": "image/*"}),
        help_text=_("JPEG, PNG, WebP or GIF, 5 MB at most."),
    )
    consent_marketing = flag_field(_("Agrees to marketing"))
    consent_data_processing = flag_field(_("Agrees to data processing"))
    consent_legal = flag_field(_("Agrees to the terms"))
    consent_wording = text_field(
        _("Wording"), max_length=40, help_text=_("Which version of the wording was read.")
    )
    reason = text_field(
        _("Reason"), max_length=500, help_text=_("Optional; stands in the history.")
    )
    only_new = ("form_id", *CONSENT_FIELDS, "consent_wording")
    only_old = ("seen_version", *BESIDE_PROFILE)
    unremembered = ("form_id", "seen_version", "reason", "consent_wording", "picture")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.tenant = current_tenant()
        customer = self.instance
        self.is_new = customer._state.adding
        role = (
            role_in(self.request.user, self.tenant)
            if self.is_new
            else reader_of(self.request, customer.pk)
        )
        for name in list(self.fields):
            rule = BESIDE_PROFILE.get(name, name)
            judged = name in Customer.PROFILE or name in BESIDE_PROFILE
            if (judged and not changes_field(role, rule)) or name in (
                self.only_old if self.is_new else self.only_new
            ):
                del self.fields[name]
        for name in self.unremembered:
            if name in self.fields:
                self.fields[name].show_hidden_initial = False
        for name in ("discount_percent", "gender", "card_state"):
            if name in self.fields:
                self.fields[name].required = False
        for name in Customer.MONEY:
            if name in self.fields:
                self.fields[name].help_text = self.tenant.currency
                self.initial[name] = decimal_money(getattr(customer, name), self.tenant.currency)
        if self.is_new:
            self.initial.setdefault("form_id", uuid.uuid4())
            return
        self.initial |= {
            "seen_version": customer.version,
            "birth_date": customer.birth_date or "",
            "name": customer.name if customer.name_given else "",
        }
        if "name" in self.fields:
            self.fields["name"].widget.attrs["placeholder"] = customer.name
        if "charge_account_number" in self.fields:
            account = getattr(customer, "charge_account", None)
            self.initial["charge_account_number"] = account.number if account else ""
            self.initial["charge_account_retired"] = bool(account and account.retired)

    @property
    def profile(self):
        """name -> value of the profile fields that were changed here."""
        return {name: value for name, value in self.changes.items() if name in Customer.PROFILE}

    @property
    def account(self):
        """What changed of the charge account, by the names of its service."""
        return {
            ours: value
            for name, value in self.changes.items()
            if (ours := ACCOUNT_FIELDS.get(name))
        }

    @property
    def consents(self):
        """The statements of consent of a new customer: only what was ticked was said."""
        return [
            {
                "purpose": purpose,
                "granted": True,
                "source": "back office",
                "wording_version": self.cleaned_data.get("consent_wording", ""),
            }
            for name, purpose in CONSENT_FIELDS.items()
            if self.cleaned_data.get(name)
        ]

    @property
    def version_to_send(self):
        """The version that the next save is based on: after a conflict, the one just shown."""
        conflict = getattr(self.request, "conflicting_version", None)
        return conflict or self["seen_version"].value()

    @property
    def country(self):
        """The country that phones are read by."""
        store = None if self.is_new else self.instance.home_store
        if self.is_new and self.data.get("home_store"):
            store = chosen_store(self.data["home_store"])
        return (store.country if store else "") or self.tenant.country

    def _post_clean(self):
        try:
            clean_profile(self.profile, tenant=self.tenant, country=self.country)
        except ValidationError as error:
            self.add_refusal(error)
        super()._post_clean()

    def is_spoken_elsewhere(self, name):
        return name.partition(".")[0] in LISTS


def chosen_store(value):
    """The tenant's store with this id as text, or None."""
    try:
        return Store.objects.filter(pk=uuid.UUID(str(value))).first()
    except ValueError:
        return None
