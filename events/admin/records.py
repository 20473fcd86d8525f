"""What happened, to be read: the history of deeds and the events that others hear of."""

from django.contrib import admin
from django.db.models import CharField, Value
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter
from unfold.paginator import InfinitePaginator

from customers.models import Customer
from events.kinds import READ
from events.models import Event, HistoryEntry
from tenancy.admin.base import ReadOnlyAdmin
from tenancy.admin.telling import (
    DEEDS,
    KINDS,
    deed_in_words,
    field_in_words,
    told_change,
    visible_changes,
    who,
)

PAGES = {
    "customer": "customers_customer",
    "data_request": "customers_datarequest",
    "earning_rule": "loyalty_earningrule",
    "group": "groups_group",
    "import_profile": "customers_importprofile",
    "job": "events_job",
    "level": "loyalty_level",
    "reward": "loyalty_reward",
    "tenant": "tenancy_tenant",
    "webhook": "events_webhookendpoint",
}
WORDS = {
    "customer": _("customer"),
    "data_request": _("data request"),
    "earning_rule": _("earning rule"),
    "group": _("group"),
    "import_profile": _("remembered mapping"),
    "job": _("job"),
    "level": _("level"),
    "reward": _("reward"),
    "tenant": _("the set-up"),
    "webhook": _("webhook"),
}


def kind_in_words(subject_type):
    return str(WORDS.get(subject_type, subject_type.replace("_", " ")))


class DeedFilter(DropdownFilter):
    """One of the deeds there are, without asking the table which ones it holds; of who only looked
    (`events.reading`) nothing is shown unless asked for, else it would hide all the rest."""

    title, parameter_name, column = _("what"), "deed", "deed"

    def lookups(self, request, model_admin):
        told = [
            (deed, f"{kind_in_words(deed.partition('.')[0])}: {words}")
            for deed, words in DEEDS.items()
        ]
        return sorted(told, key=lambda pair: pair[1].casefold())

    def queryset(self, request, queryset):
        value = self.value()
        if value not in DEEDS:
            return queryset.exclude(**{self.column: READ})
        return queryset.filter(**{self.column: value})


class EventKindFilter(DeedFilter):
    title, parameter_name, column = _("kind"), "kind", "kind"


class ActorFilter(DropdownFilter):
    title, parameter_name = _("who"), "who"

    def lookups(self, request, model_admin):
        return list(KINDS.items())

    def queryset(self, request, queryset):
        value = self.value()
        return queryset.filter(actor_kind=value) if value in KINDS else queryset


class NamesCustomers:
    """Part of a ChangeList: gives the rows of one page their customers' numbers, in one query."""

    def get_results(self, request):
        super().get_results(request)
        self.result_list = list(self.result_list)
        ids = {row.subject_id for row in self.result_list if row.subject_type == "customer"}
        known = Customer.with_merged.only("id", "number").in_bulk(ids)
        for row in self.result_list:
            row.subject_code = known[row.subject_id].code if row.subject_id in known else ""


class AboutSubject(ReadOnlyAdmin):
    """Rows about some object, newest first."""

    paginator = InfinitePaginator  # a table too large to count on every visit
    ordering = ("-id",)
    sortable_by = ()

    def get_changelist(self, request, **kwargs):
        changelist = super().get_changelist(request, **kwargs)
        return type(changelist.__name__, (NamesCustomers, changelist), {})

    @admin.display(description=_("about"))
    def subject(self, row):
        words = self._subject_words(row)
        try:
            url = reverse(f"admin:{PAGES[row.subject_type]}_change", args=[row.subject_id])
        except (KeyError, NoReverseMatch):
            return words
        return format_html('<a class="link" href="{}">{}</a>', url, words)

    def _subject_words(self, row):
        code = getattr(row, "subject_code", None)
        if code is None and row.subject_type == "customer":
            # A page of its own, not a row of the list.
            with_number = Customer.with_merged.only("id", "number")
            named = with_number.filter(pk=row.subject_id).first()
            code = named.code if named else ""
        kind = kind_in_words(row.subject_type)
        if row.subject_type == "tenant":
            return kind
        return code or f"{kind} {str(row.subject_id)[:8]}…"


@admin.register(HistoryEntry)
class HistoryEntryAdmin(AboutSubject):
    list_display = ("at", "who", "deed_shown", "subject", "n_changes")
    list_filter = (DeedFilter, ActorFilter)
    fields = ("at", "who", "deed_shown", "reason", "subject", "version", "told", "request_id")

    def get_queryset(self, request):
        # The columns are asked of the row alone; what it may tell depends on who reads it.
        return (
            super()
            .get_queryset(request)
            .annotate(reader=Value(self.reader(request) or "", output_field=CharField()))
        )

    def visible(self, entry):
        """What the reader may know of the changes."""
        return visible_changes(entry, entry.reader)

    @admin.display(description=_("who"))
    def who(self, entry):
        return who(entry)

    def crumb(self, entry):
        return deed_in_words(entry.deed)

    @admin.display(description=_("what"))
    def deed_shown(self, entry):
        return deed_in_words(entry.deed)

    @admin.display(description=_("fields"))
    def n_changes(self, entry):
        names = [field_in_words(entry.subject_type, name) for name in self.visible(entry)]
        return ", ".join(names[:4]) + (" …" if len(names) > 4 else "") or "–"

    @admin.display(description=_("changes"))
    def told(self, entry):
        if entry.redacted:
            return _("The values were erased.")
        rows = (told_change(entry.subject_type, *change) for change in self.visible(entry).items())
        told = (
            (name, f"{old or '–'} → {new or '–'}" if old or new else gettext("changed"))
            for name, old, new in rows
        )
        return format_html_join("", "<div><strong>{}</strong>: {}</div>", told) or "–"


@admin.register(Event)
class EventAdmin(AboutSubject):
    list_display = ("at", "kind", "subject", "version")
    list_filter = (EventKindFilter,)
    fields = ("at", "kind", "subject", "version", "data", "uid")

    def crumb(self, event):
        return event.kind
