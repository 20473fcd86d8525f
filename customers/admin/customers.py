"""Customers: the list, the page, and saving the page as one deed."""

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Prefetch, Value
from django.http import FileResponse, Http404
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.paginator import InfinitePaginator

from customers.admin import layout
from customers.admin.choices import RemembersChoices
from customers.admin.deeds import DeedPages
from customers.admin.exporting import ExportPages
from customers.admin.facts import facts_of
from customers.admin.filters import (
    AnonymisedFilter,
    ExpiringFilter,
    GroupFilter,
    HasEmailFilter,
    HiddenFilter,
    ImportFilter,
    KindFilter,
    LevelFilter,
    MarketingFilter,
    ReachableFilter,
    RegisteredFilter,
    StatusFilter,
    StoreFilter,
)
from customers.admin.forms import BESIDE_PROFILE, CustomerForm, decimal_money
from customers.admin.inlines import ON_BOTH, ON_CHANGE, StoreProfileFormSet
from customers.admin.listing import ListPages
from customers.admin.loyalty import LoyaltyPanel
from customers.admin.merged import LeadsToSurvivor
from customers.admin.merging import MergeTwo
from customers.admin.panels import ConsentPanel, DevicePanel, HistoryPanel
from customers.admin.registering import RegisterPages
from customers.admin.revealing import RevealPages
from customers.admin.saving import (
    changed_meanwhile,
    placed,
    with_present_values,
    write_store_profiles,
)
from customers.admin.till import TillPages
from customers.models import Avatar, Customer, Email, Phone
from customers.search import search_customers
from customers.services import (
    CustomerGone,
    VersionConflict,
    open_change,
    register_customer,
    remove_charge_account,
    set_avatar,
    set_charge_account,
    update_customer,
)
from events import reading
from groups.models import Subscription
from normalise import mask_email, mask_phone
from tenancy.admin.base import ModelAdmin
from tenancy.admin.telling import badge
from tenancy.models import StaffMember
from tenancy.permissions import MASKED, changes_field, sees_field
from tenancy.scoping import current_tenant

PANELS = (LoyaltyPanel, ConsentPanel, DevicePanel, HistoryPanel)
STATUS_BADGES = {
    Customer.Status.ACTIVE: "success",
    Customer.Status.NEW: "info",
    Customer.Status.BLOCKED: "danger",
}


def status_badge(customer):
    """The status in colour and words; an anonymised customer says so instead."""
    if customer.anonymised_at:
        return badge(_("Anonymised"))
    return badge(customer.get_status_display(), STATUS_BADGES[customer.status])


@admin.register(Customer)
class CustomerAdmin(
    *(
        ListPages,
        TillPages,
        RegisterPages,
        LeadsToSurvivor,
        MergeTwo,
        DeedPages,
        ExportPages,
        RevealPages,
        RemembersChoices,
    ),
    ModelAdmin,
):
    form = CustomerForm
    remembered_choices = ("home_store",)
    history_subject = "customer"
    paginator = InfinitePaginator  # a table too large to count on every visit
    list_disable_select_all = True
    list_display = (
        *("code_shown", "name_shown", "email", "phone", "status_shown"),
        *("store_shown", "groups_shown", "reachable_shown", "registered"),
    )
    list_display_links = ("code_shown", "name_shown")
    list_filter = (
        StatusFilter,
        KindFilter,
        StoreFilter,
        GroupFilter,
        LevelFilter,
        ExpiringFilter,
        ReachableFilter,
        MarketingFilter,
        HasEmailFilter,
        AnonymisedFilter,
        HiddenFilter,
        ImportFilter,
        ("created_at", RegisteredFilter),
    )
    # Orders that an index serves; others would sort the whole table.
    ordering = ("-created_at", "-id")
    sortable_by = ("code_shown", "registered")
    # Django asks for names before it shows the box; the search itself is ours.
    search_fields = ("search_text",)
    search_help_text = gettext_lazy("Name, e-mail, phone, card or number")
    list_before_template = "admin/customers/customer/list_top.html"
    change_form_before_template = "admin/customers/customer/form_top.html"
    warn_unsaved_form = True
    add_from_search = True  # a search that found nobody becomes the beginning of the form

    # --- List -----------------------------------------------------------------------------------
    def get_queryset(self, request):
        customers = super().get_queryset(request)
        if request.resolver_match.url_name == "customers_customer_changelist":
            customers = (
                customers.with_reach()
                .annotate(is_masked=Value(self.reader(request) == MASKED))
                .select_related("home_store")
                .prefetch_related(
                    Prefetch("emails", Email.objects.order_by("-primary", "position", "id")),
                    Prefetch("phones", Phone.objects.order_by("-primary", "position", "id")),
                    Prefetch("subscriptions", Subscription.objects.select_related("group")),
                )
            )
        return customers

    def get_search_results(self, request, queryset, search_term):
        return search_customers(queryset, search_term), False

    @admin.display(description=gettext_lazy("number"), ordering="number")
    def code_shown(self, customer):
        return customer.code or "–"

    @admin.display(description=gettext_lazy("name"))
    def name_shown(self, customer):
        return customer.display_name

    @admin.display(description=gettext_lazy("e-mail"))
    def email(self, customer):
        address = next((row.address for row in customer.emails.all()), customer.login_email)
        if address and customer.is_masked:
            address = mask_email(address)
        name, _at, domain = (address or "–").rpartition("@")
        # May be broken before the @, where the eye expects it.
        return format_html("{}<wbr>@{}", name, domain) if name else domain

    @admin.display(description=gettext_lazy("phone"))
    def phone(self, customer):
        number = next(
            (row.e164 or row.given for row in customer.phones.all()), customer.login_phone or ""
        )
        return (mask_phone(number) if number and customer.is_masked else number) or "–"

    @admin.display(description=gettext_lazy("status"))
    def status_shown(self, customer):
        return status_badge(customer)

    @admin.display(description=gettext_lazy("home store"))
    def store_shown(self, customer):
        return customer.home_store or "–"

    @admin.display(description=gettext_lazy("groups"))
    def groups_shown(self, customer):
        groups = [str(row.group) for row in customer.subscriptions.all()]
        if len(groups) <= 1:
            return "".join(groups) or "–"
        rest = ", ".join(groups[1:])
        return format_html('{} <span title="{}">+{}</span>', groups[0], rest, len(groups) - 1)

    @admin.display(description=gettext_lazy("reachable by"))
    def reachable_shown(self, customer):
        words = {"email": _("e-mail"), "sms": _("SMS"), "post": _("post")}
        ways = [word for name, word in words.items() if getattr(customer, f"reach_{name}")]
        return ", ".join(ways) or "–"

    @admin.display(description=gettext_lazy("registered"), ordering="created_at")
    def registered(self, customer):
        return date_format(timezone.localtime(customer.created_at), "DATE_FORMAT")

    def autocomplete_label(self, customer):
        return " · ".join(filter(None, (customer.code, customer.display_name)))

    def get_object(self, request, object_id, from_field=None):
        customer = super().get_object(request, object_id, from_field)
        if customer is not None:
            reading.tell("customer", customer.pk)
        return customer

    # --- Rights ---------------------------------------------------------------------------------
    def has_change_permission(self, request, obj=None):
        if isinstance(obj, Customer) and obj.anonymised_at:
            return False
        return super().has_change_permission(request, obj)

    def get_fieldsets(self, request, obj=None):
        role = self.role(request) if obj is None else self.reader(request)
        editable = obj is None or self.has_change_permission(request, obj)

        def shown(name):
            rule = BESIDE_PROFILE.get(name, name)
            if name in layout.ALWAYS:
                return name
            if name in BESIDE_PROFILE and obj is None:
                return None
            if name in Customer.PROFILE or name in BESIDE_PROFILE:
                if not sees_field(role, rule):
                    return None
                if editable and changes_field(role, rule):
                    return name
                return f"told_{name}" if hasattr(self, f"told_{name}") else name
            return name if editable else None

        return layout.arrange(obj is None, shown)

    def get_readonly_fields(self, request, obj=None):
        role = self.role(request) if obj is None else self.reader(request)
        names = layout.flat(
            row for _title, options in self.get_fieldsets(request, obj) for row in options["fields"]
        )
        return [
            name
            for name in names
            if name.startswith("told_")
            or name in layout.ALWAYS
            or (
                (name in Customer.PROFILE or name in BESIDE_PROFILE)
                and not changes_field(role, BESIDE_PROFILE.get(name, name))
            )
        ]

    def get_inlines(self, request, obj):
        role = self.reader(request) if obj else self.role(request)
        inlines = (*ON_BOTH, *ON_CHANGE) if obj else ON_BOTH
        names = {inline: inline.formset.list_name for inline in inlines}
        return [inline for inline in inlines if sees_field(role, names[inline])]

    def get_changeform_datasets(self, request):
        if request.resolver_match.kwargs.get("object_id") is None:
            return ()
        return [panel for panel in PANELS if panel.may_be_seen(request)]

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.name == "seller":
            kwargs["queryset"] = StaffMember.objects.select_related("user")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    # --- Values that are not columns as a person reads them ---------------------------------------
    @admin.display(description=gettext_lazy("birth date"))
    def told_birth_date(self, customer):
        return customer.birth_date or "–"

    @admin.display(description=gettext_lazy("credit limit"))
    def told_credit_limit(self, customer):
        return self._money(customer.credit_limit)

    @admin.display(description=gettext_lazy("credit balance"))
    def told_credit_balance(self, customer):
        return self._money(customer.credit_balance)

    @admin.display(description=gettext_lazy("floor limit"))
    def told_floor_limit(self, customer):
        return self._money(customer.floor_limit)

    @admin.display(description=gettext_lazy("charge account"))
    def told_charge_account_number(self, customer):
        account = getattr(customer, "charge_account", None)
        return account.number if account else "–"

    @admin.display(description=gettext_lazy("charge account retired"), boolean=True)
    def told_charge_account_retired(self, customer):
        account = getattr(customer, "charge_account", None)
        return bool(account and account.retired)

    @admin.display(description=gettext_lazy("picture"))
    def told_picture(self, customer):
        return _("shown above") if Avatar.objects.filter(customer=customer).exists() else "–"

    def _money(self, amount):
        currency = current_tenant().currency
        return f"{decimal_money(amount, currency)} {currency}" if amount is not None else "–"

    # --- The page -------------------------------------------------------------------------------
    def _create_formsets(self, request, obj, change):
        formsets, inlines = super()._create_formsets(request, obj, change)
        tenant = current_tenant()
        store = obj.home_store if change else None
        for formset in formsets:
            formset.request, formset.tenant = request, tenant
            formset.country = (store.country if store else "") or tenant.country
        return formsets, inlines

    def render_change_form(self, request, context, *args, **kwargs):
        customer = kwargs.get("obj")
        if customer is not None:
            context |= {"title": customer.code or customer.display_name, "subtitle": None}
            # Among the actions, where it says what it does; not beside Save.
            context["show_delete"] = False
            context["customer"] = customer
            context["status_badge"] = status_badge(customer)
            context["has_picture"] = Avatar.objects.filter(customer=customer).exists()
            context |= self.told_doubles(request, customer)
            if request.method == "GET":
                context["facts"] = facts_of(request, customer, self.reader(request))
            context["actions_detail"] = self.deed_navigation(request, customer)
        return super().render_change_form(request, context, *args, **kwargs)

    # --- Saving ---------------------------------------------------------------------------------
    def write(self, request, obj, form, formsets, *, change):
        lists = {}
        for formset in formsets:
            lists |= formset.lists()
        reason = form.cleaned_data.get("reason", "")
        if not change:
            return register_customer(
                id=form.cleaned_data.get("form_id"),
                consents=form.consents,
                reason=reason,
                **self.in_spite_of(request),
                **form.profile,
                **lists,
            )
        try:
            with open_change(
                obj.pk,
                deed="customer.updated",
                reason=reason,
                expected_version=form.cleaned_data.get("seen_version"),
            ) as opened:
                customer = opened.customer
                update_customer(customer, **form.profile, **lists)
                self._write_beside(customer, form, formsets)
        except VersionConflict as conflict:
            request.conflicting_version = conflict.current
            request.POST = with_present_values(request.POST, form)
            raise ValidationError(
                changed_meanwhile(obj, form.cleaned_data["seen_version"]), code="changed_meanwhile"
            ) from conflict
        except CustomerGone as gone:
            raise Http404 from gone
        return Customer.objects.get(pk=obj.pk)

    def _write_beside(self, customer, form, formsets):
        """The parts that have services of their own, inside the same open change."""
        for formset in formsets:
            if isinstance(formset, StoreProfileFormSet):
                write_store_profiles(customer, formset)
        account = form.account
        if account.get("number") == "" and getattr(customer, "charge_account", None):
            remove_charge_account(customer)
        elif account:
            with placed({"number": "charge_account_number", "retired": "charge_account_retired"}):
                set_charge_account(customer, **account)
        picture = form.cleaned_data.get("picture")
        if picture:
            with placed({"file": "picture"}):
                set_avatar(customer, picture, original_name=picture.name)

    # --- The picture ----------------------------------------------------------------------------
    def get_urls(self):
        return [
            self.own_path("<path:object_id>/picture/", self.picture_view, "picture"),
            *super().get_urls(),
        ]

    def picture_view(self, request, object_id):
        """The picture, to whoever may see the customer; files are never served by path."""
        customer = self.get_or_404(request, object_id)
        self.insist(request, "avatar.retrieve")
        avatar = Avatar.objects.filter(customer=customer).first()
        if avatar is None or not avatar.file.storage.exists(avatar.file.name):
            raise Http404
        response = FileResponse(avatar.file.open("rb"), content_type=avatar.mime)
        response["Cache-Control"] = "private, no-store"
        return response
