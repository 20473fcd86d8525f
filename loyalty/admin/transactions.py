"""Sales and returns, as tills and imports recorded them."""

from django.contrib import admin
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import DropdownFilter, RangeDateFilter

from loyalty.admin.ledger import OfCustomers
from loyalty.amounts import THOUSANDTHS, money_out, number_out, plain
from loyalty.models import Transaction, TransactionLine
from tenancy.admin.base import ReadOnlyAdmin, TabularInline
from tenancy.admin.telling import badge
from tenancy.models import Store
from tenancy.scoping import current_tenant


class KindFilter(DropdownFilter):
    title, parameter_name = gettext_lazy("kind"), "kind"

    def lookups(self, request, model_admin):
        return Transaction.Kind.choices

    def queryset(self, request, queryset):
        known = self.value() in Transaction.Kind.values
        return queryset.filter(kind=self.value()) if known else queryset


class StoreFilter(DropdownFilter):
    title, parameter_name = gettext_lazy("store"), "store"

    def lookups(self, request, model_admin):
        return [(str(store.pk), str(store)) for store in Store.objects.all()[:500]]

    def queryset(self, request, queryset):
        known = {pk for pk, _name in self.lookup_choices}
        return queryset.filter(store=self.value()) if self.value() in known else queryset


def money_told(amount):
    """An amount in minor units with the tenant's currency."""
    currency = current_tenant().currency
    return f"{money_out(amount, currency):,f} {currency}"


class LineInline(TabularInline):
    model = TransactionLine
    tab = False
    fields = ("sku", "name", "quantity_shown", "amount_shown", "category", "maker")
    readonly_fields = fields

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    @admin.display(description=gettext_lazy("quantity"))
    def quantity_shown(self, line):
        return plain(number_out(line.quantity, THOUSANDTHS))

    @admin.display(description=gettext_lazy("amount"))
    def amount_shown(self, line):
        return money_told(line.amount)


@admin.register(Transaction)
class TransactionAdmin(OfCustomers, ReadOnlyAdmin):
    list_display = (
        "purchased_at",
        "number",
        "customer_shown",
        "kind_shown",
        "amount_shown",
        "store",
    )
    list_display_links = ("number",)
    list_filter = (KindFilter, StoreFilter, ("purchased_at", RangeDateFilter))
    ordering = ("-purchased_at", "-id")
    search_fields = ("number", "account__customer__search_text")
    search_help_text = gettext_lazy("Number of the document, or name, card, e-mail of the customer")
    inlines = (LineInline,)
    fields = (
        *("number", "kind_shown", "revises", "customer_shown", "purchased_at", "store"),
        *("amount_shown", "delivery_shown", "excluded_shown", "counted", "created_at"),
    )

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("store")

    def get_search_results(self, request, queryset, search_term):
        term = search_term.strip()
        if term and queryset.filter(number=term).exists():
            return queryset.filter(number=term), False
        return super().get_search_results(request, queryset, search_term)

    @admin.display(description=gettext_lazy("kind"))
    def kind_shown(self, row):
        kind = "warning" if row.kind == Transaction.Kind.RETURN else ""
        return badge(row.get_kind_display(), kind)

    @admin.display(description=gettext_lazy("amount"))
    def amount_shown(self, row):
        return money_told(row.amount)

    @admin.display(description=gettext_lazy("of that delivery"))
    def delivery_shown(self, row):
        return money_told(row.delivery_amount)

    @admin.display(description=gettext_lazy("of that not counted for levels"))
    def excluded_shown(self, row):
        return money_told(row.excluded_amount)

    @admin.display(description=gettext_lazy("counted"))
    def counted(self, row):
        if row.applied_seq is None:
            return _("not yet: the sale that it returns is not known")
        return _("yes")
