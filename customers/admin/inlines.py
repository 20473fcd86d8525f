"""The lists on the customer page: tables that write nothing, and answer what was typed."""

from decimal import Decimal

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.admin import StackedInline
from unfold.forms import PaginationInlineFormSet
from unfold.widgets import UnfoldAdminTextInputWidget

from customers.admin.choices import RemembersChoices
from customers.models import Address, ContactPerson, Email, Label, Phone, StoreProfile
from customers.profile import clean_profile
from groups.models import Subscription
from tenancy.admin.base import Scoped, TabularInline


class RowForm(forms.ModelForm):
    """One row. Its values are judged by the profile's rules, together with the whole list."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            # A new row has nothing to remember: what it was opened with is meant to be saved.
            field.show_hidden_initial = not self.instance._state.adding
            # The head of a column is no label to a screen reader.
            field.widget.attrs.setdefault("aria-label", str(field.label or ""))

    def _post_clean(self):
        """Leaves the instance as it is."""

    def typed(self):
        """Every value of a new row; of a known one those that were changed here."""
        names = set(self.cleaned_data) if self.instance._state.adding else set(self.changed_data)
        return {
            name: value
            for name, value in self.cleaned_data.items()
            # The formset adds the customer, the id and the mark for removal.
            if name in names and name in self._meta.fields and name != "customer"
        }


class RowFormSet(PaginationInlineFormSet):
    """The rows of one list as the service wants them, and its refusals beside the row.

    Each list supplies `list_name`, the name in the profile. The admin sets `request`, `tenant`
    and `country`.
    """

    list_name = ""
    request = tenant = None
    country = ""

    def clean(self):
        self.rows, self.row_forms = [], []
        for form in self.forms:
            if self._is_gone(form):
                self._word_vanished(form)
                continue
            if form.instance._state.adding and not form.has_changed():
                continue
            if self._should_delete_form(form) or form.errors:
                continue
            self.rows.append(self.row_of(form))
            self.row_forms.append(form)
        self.rows += self._rows_of_others()
        if self.has_changed():
            self.judge()
        refusal = getattr(self.request, "refusal", None)
        if refusal is not None and hasattr(refusal, "error_dict"):
            self.place(refusal)

    def row_of(self, form):
        row = form.typed()
        if not form.instance._state.adding:
            row["id"] = str(form.instance.pk)
        return row

    def judge(self):
        """Let the profile's rules look at the list."""
        try:
            clean_profile({self.list_name: self.rows}, tenant=self.tenant, country=self.country)
        except ValidationError as error:
            self.place(error)

    def place(self, error):
        """Put each refusal of this list beside its row and field."""
        for path, errors in error.error_dict.items():
            name, _dot, rest = path.partition(".")
            if name != self.list_name:
                continue
            index, _dot, column = rest.partition(".")
            form = self.row_forms[int(index)] if index.isdigit() and self._has(index) else None
            if form is None:
                self._non_form_errors.extend(errors)
            else:
                form.add_error(column if column in form.fields else None, errors)

    def lists(self):
        """{list name: rows} where anything was changed here, else {}."""
        return {self.list_name: self.rows} if self.has_changed() else {}

    def _has(self, index):
        return int(index) < len(self.row_forms)

    def _is_gone(self, form):
        """Whether the form names a row that this customer does not have (any more)."""
        return self._pk_field.name in form.errors

    def _word_vanished(self, form):
        """Above the list: the row itself is not shown any more, so what was typed stands here."""
        typed = ", ".join(str(value) for name in form.changed_data if (value := form[name].value()))
        self._non_form_errors.append(
            _("Somebody removed an entry meanwhile. You had typed: %(typed)s. Open the page again.")
            % {"typed": typed or "–"}
        )

    def _rows_of_others(self):
        """Rows that came while this page stood open: they stay."""
        shown = {form.instance.pk for form in self.forms}
        return [self.kept(row) for row in self.get_queryset() if row.pk not in shown]

    def kept(self, row):
        return {"id": str(row.pk)}


def formset_for(name, base=RowFormSet):
    """A formset class for one list of the profile."""
    return type(f"{name.title()}FormSet", (base,), {"list_name": name})


class ListInline(TabularInline):
    """One list of the profile as a table."""

    form = RowForm
    min_num = 0

    def get_queryset(self, request):
        return super().get_queryset(request).order_by("position", "id")


class EmailInline(ListInline):
    model = Email
    fields = Email.FIELDS
    formset = formset_for("emails")

    def get_extra(self, request, obj=None, **kwargs):
        return 0 if obj else 1


class PhoneInline(ListInline):
    model = Phone
    fields = ("given", "e164", "kind", "extension", "primary", "verified", "opted_out")
    readonly_fields = ("e164",)
    formset = formset_for("phones")

    def get_extra(self, request, obj=None, **kwargs):
        return 0 if obj else 1


class AddressForm(RowForm):
    country = forms.CharField(
        label=_("Country"),
        max_length=60,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("Its code or its name."),
    )
    latitude = forms.CharField(
        label=_("Latitude"), max_length=20, required=False, widget=UnfoldAdminTextInputWidget
    )
    longitude = forms.CharField(
        label=_("Longitude"), max_length=20, required=False, widget=UnfoldAdminTextInputWidget
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name in ("latitude", "longitude"):
            micro = getattr(self.instance, f"{name}_micro")
            self.initial[name] = "" if micro is None else f"{Decimal(micro).scaleb(-6):f}"
        # What the theme writes above the row, in place of its id.
        parts = (self.instance.street, self.instance.postal_code, self.instance.city)
        self.instance.get_inline_title = ", ".join(
            part for part in (self.instance.get_kind_display(), *parts) if part
        )

    def typed(self):
        names = self.cleaned_data if self.instance._state.adding else self.changed_data
        place = {
            name: self.cleaned_data[name] for name in ("latitude", "longitude") if name in names
        }
        return {**super().typed(), **place}


class AddressInline(Scoped, StackedInline):
    model = Address
    form = AddressForm
    formset = formset_for("addresses")
    extra = 0
    tab = True
    hide_title = True
    fields = (
        ("kind", "primary"),
        "street",
        ("street2", "street3"),
        ("postal_code", "city"),
        ("state", "country"),
        ("first_name", "last_name"),
        "company",
        ("email", "phone"),
        ("latitude", "longitude"),
    )


class ContactPersonInline(ListInline):
    model = ContactPerson
    fields = ContactPerson.FIELDS
    formset = formset_for("contact_persons")
    tab = True


class LabelInline(ListInline):
    model = Label
    fields = Label.FIELDS
    formset = formset_for("labels")
    tab = True


class GroupFormSet(RowFormSet):
    """Memberships: a row is a group and a wish, recognised by the group."""

    list_name = "groups"

    def row_of(self, form):
        typed = form.typed()
        group = form.cleaned_data.get("group") or form.instance.group
        row = {"group": str(group.pk)}
        if "subscribed" in typed or "group" in typed:
            row |= {"subscribed": form.cleaned_data["subscribed"], "source": "back office"}
        return row

    def kept(self, row):
        return {"group": str(row.group_id)}


class SubscriptionInline(RemembersChoices, TabularInline):
    model = Subscription
    remembered_choices = ("group",)
    form = RowForm
    formset = GroupFormSet
    fields = ("group", "subscribed", "at", "evidence")
    readonly_fields = ("at", "evidence")
    verbose_name = _("group")
    verbose_name_plural = _("groups")
    tab = True

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("group", "store")

    def evidence(self, subscription):
        """Who said so, where, on which wording."""
        parts = (
            subscription.actor_label or subscription.actor_kind,
            subscription.store and subscription.store.name,
            subscription.source,
            subscription.wording_version,
        )
        return ", ".join(part for part in parts if part) or "–"

    evidence.short_description = _("evidence")


class StoreProfileFormSet(RowFormSet):
    """Store profiles have services of their own, called one by one in the same change."""

    list_name = "store_profiles"

    def judge(self):
        stores = [form.cleaned_data.get("store") for form in self.row_forms]
        for form, store in zip(self.row_forms, stores, strict=True):
            if store is not None and stores.count(store) > 1:
                form.add_error("store", _("Each store once."))

    def lists(self):
        return {}

    def deeds(self):
        """(what, store, values, place) in the order in which they must happen."""
        removals, settings = [], []
        for form in self.forms:
            old = None if form.instance._state.adding else form.instance.store
            if old is not None and self._should_delete_form(form):
                removals.append(("remove", old, {}, None))
        for index, form in enumerate(self.row_forms):
            if not form.has_changed():
                continue
            old = None if form.instance._state.adding else form.instance.store
            store = form.cleaned_data["store"]
            values = {name: form.cleaned_data[name] for name in ("pos_ref", "note")}
            if old is not None and old.pk != store.pk:
                removals.append(("remove", old, {}, None))
            settings.append(("set", store, values, f"{self.list_name}.{index}"))
        return removals + settings


class StoreProfileInline(RemembersChoices, TabularInline):
    model = StoreProfile
    remembered_choices = ("store",)
    form = RowForm
    formset = StoreProfileFormSet
    fields = ("store", "pos_ref", "note")
    tab = True

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("store")


ON_BOTH = (EmailInline, PhoneInline, AddressInline)
ON_CHANGE = (ContactPersonInline, SubscriptionInline, StoreProfileInline, LabelInline)
