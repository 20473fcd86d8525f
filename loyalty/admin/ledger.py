"""Every movement of points, newest first; what came in by mistake can be cancelled."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import DropdownFilter, RangeDateFilter
from unfold.paginator import InfinitePaginator
from unfold.widgets import UnfoldAdminTextInputWidget

from customers.models import Customer
from customers.search import search_customers
from loyalty.amounts import points_told
from loyalty.models import Entry
from loyalty.services import cancel_entry
from loyalty.services.points import CANCELLABLE
from tenancy.admin.base import ReadOnlyAdmin
from tenancy.admin.telling import KINDS, badge


class KindFilter(DropdownFilter):
    title, parameter_name = gettext_lazy("what"), "kind"

    def lookups(self, request, model_admin):
        return Entry.Kind.choices

    def queryset(self, request, queryset):
        known = self.value() in Entry.Kind.values
        return queryset.filter(kind=self.value()) if known else queryset


class CancelForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=500, widget=UnfoldAdminTextInputWidget
    )


def customer_link(customer):
    """The customer of an account as a link, or a dash for an account without a name."""
    if customer is None:
        return "–"
    url = reverse("admin:customers_customer_change", args=[customer.pk])
    label = " · ".join(filter(None, (customer.code, customer.display_name)))
    return format_html('<a class="link" href="{}"><bdi>{}</bdi></a>', url, label)


class OfCustomers:
    """Rows of accounts, searched by their customers."""

    search_fields = ("account__customer__search_text",)
    search_help_text = gettext_lazy("Name, e-mail, phone, card or number of the customer")
    paginator = InfinitePaginator  # tables too large to count on every visit
    list_disable_select_all = True
    sortable_by = ()

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("account__customer")

    def get_search_results(self, request, queryset, search_term):
        if not search_term.strip():
            return queryset, False
        found = search_customers(Customer.objects.all(), search_term)
        return queryset.filter(account__customer__in=found.order_by().values("pk")), False

    @admin.display(description=gettext_lazy("customer"))
    def customer_shown(self, row):
        return customer_link(row.account.customer)


@admin.register(Entry)
class EntryAdmin(OfCustomers, ReadOnlyAdmin):
    list_display = ("at", "customer_shown", "kind_shown", "moved", "balance", "note_shown", "who")
    list_display_links = ("at",)
    list_filter = (KindFilter, ("at", RangeDateFilter))
    ordering = ("-created_at", "-seq")
    fields = (
        *("customer_shown", "kind_shown", "moved", "held", "balance", "at", "created_at"),
        *("cause", "note_shown", "who"),
    )

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("note")

    def crumb(self, entry):
        return f"{entry.get_kind_display()} {self.moved(entry)}"

    @admin.display(description=gettext_lazy("what"))
    def kind_shown(self, entry):
        return badge(entry.get_kind_display(), "success" if entry.points > 0 else "")

    @admin.display(description=gettext_lazy("points"))
    def moved(self, entry):
        return signed(entry.points if entry.points else entry.locked_points)

    @admin.display(description=gettext_lazy("held back"))
    def held(self, entry):
        return signed(entry.locked_points)

    @admin.display(description=gettext_lazy("balance"))
    def balance(self, entry):
        return points_told(entry.points_after)

    @admin.display(description=gettext_lazy("reason"))
    def note_shown(self, entry):
        return entry.note.text if hasattr(entry, "note") else "–"

    @admin.display(description=gettext_lazy("cause"))
    def cause(self, entry):
        return f"{entry.source_kind}: {entry.source_id}"

    @admin.display(description=gettext_lazy("who"))
    def who(self, entry):
        label = entry.note.actor_label if hasattr(entry, "note") else ""
        return label or KINDS.get(entry.actor_kind, entry.actor_kind)

    # --- Cancelling -----------------------------------------------------------------------------
    def get_urls(self):
        return [
            self.own_path("<path:object_id>/cancel/", self.cancel_view, "cancel"),
            *super().get_urls(),
        ]

    def render_change_form(self, request, context, *args, **kwargs):
        entry = kwargs.get("obj")
        came_in = entry is not None and entry.points + entry.locked_points > 0
        may_cancel = request.user.has_perm("points.cancel")
        if came_in and may_cancel and entry.kind in CANCELLABLE:
            context["actions_detail"] = [
                {
                    "title": _("Cancel these points"),
                    "icon": "cancel",
                    "path": reverse(self.url_name("cancel"), args=[entry.pk]),
                }
            ]
        return super().render_change_form(request, context, *args, **kwargs)

    def cancel_view(self, request, object_id):
        """Say what will happen; on POST let it happen."""
        entry = self.get_or_404(request, object_id)
        self.insist(request, "points.cancel")
        form = CancelForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                cancel_entry(entry, reason=form.cleaned_data["reason"])
            except ValidationError as error:
                form.add_error(None, error.messages)
            else:
                messages.success(request, _("The points are cancelled."))
                return redirect(self.url_name("change"), entry.pk)
        context = {
            "title": _("Cancel these points: %(points)s") % {"points": self.moved(entry)},
            "sentence": _(
                "What is left of them goes, and they no longer count as earned. What was spent of "
                "them stays spent. The entry itself stays; another one reverses it."
            ),
            "form": form,
            "button": _("Cancel the points"),
            "danger": True,
            "cancel_url": reverse(self.url_name("change"), args=[entry.pk]),
        }
        return self.page(request, "admin/deed.html", context, obj=entry)


def signed(count):
    """Points with their sign: +12.5 or −3."""
    if not count:
        return "0"
    return f"+{points_told(count)}" if count > 0 else f"−{points_told(-count)}"
