"""Deleted customers: that they were here, when they went and by whose hand."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.paginator import InfinitePaginator

from customers.models import Tombstone
from tenancy.admin.base import ReadOnlyAdmin
from tenancy.admin.telling import KINDS


@admin.register(Tombstone)
class TombstoneAdmin(ReadOnlyAdmin):
    paginator = InfinitePaginator  # a table too large to count on every visit
    list_display = ("id", "deleted_at", "who")
    fields = ("id", "deleted_at", "who", "actor_id")
    ordering = ("-deleted_at",)
    sortable_by = ("deleted_at",)
    list_filter = ("actor_kind",)
    search_fields = ("id__exact",)
    search_help_text = _("The whole id")

    @admin.display(description=_("who"))
    def who(self, tombstone):
        return KINDS.get(tombstone.actor_kind, tombstone.actor_kind)

    def get_search_results(self, request, queryset, search_term):
        # Whoever searches half an id finds nothing, instead of an error about its form.
        try:
            return super().get_search_results(request, queryset, search_term)
        except ValueError:
            return queryset.none(), False
