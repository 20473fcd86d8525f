"""One deed for many chosen customers: the page that previews, confirms, watches and answers."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import UnfoldAdminTextInputWidget

from customers.admin.deed import ReasonForm
from customers.models import BulkDeed, Customer
from customers.privacy import registry
from customers.services.bulk_deeds import (
    cancel_bulk_deed,
    confirm_bulk_deed,
    draft_bulk_deed,
    preview_bulk_deed,
)
from tenancy.admin.base import ReadOnlyAdmin
from tenancy.admin.telling import KINDS, badge

Deed, State = BulkDeed.Deed, BulkDeed.State
SHOWN = 10
RECEIPTS_SHOWN = 200
SENTENCES = {
    Deed.ACTIVATE: gettext_lazy("They can sign in, earn and be written to again."),
    Deed.DEACTIVATE: gettext_lazy(
        "They cannot sign in or earn any more, and every session ends. Nothing is lost: activating "
        "brings everything back."
    ),
    Deed.ANONYMISE: gettext_lazy(
        "Everything personal about them is erased for good; nameless rows stay for the totals. "
        "Each is done by itself: a refused one stops no other. It cannot be undone."
    ),
}
COLOURS = {State.WAITING: "info", State.RUNNING: "info", State.DONE: "success"}
OUTCOMES = {
    "done": gettext_lazy("Done"),
    "unchanged": gettext_lazy("Were so already"),
    "refused": gettext_lazy("Refused"),
}


class ConfirmForm(ReasonForm):
    """The number of customers, typed, and the reason."""

    typed = forms.IntegerField(
        min_value=0,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "inputmode": "numeric"}),
    )
    field_order = ("typed", "reason")

    def __init__(self, *args, n_todo, erases, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["typed"].label = _("Type %(n)s, the number of customers, to confirm") % {
            "n": n_todo
        }
        if erases:
            self.fields["reason"].help_text = _(
                "Stays in the history, so it must not name the person."
            )


class ManyActions:
    """The deeds for many as actions of the list of customers."""

    @admin.action(description=gettext_lazy("Activate…"))
    def activate_many(self, request, queryset):
        return self._choose(request, queryset, Deed.ACTIVATE)

    @admin.action(description=gettext_lazy("Deactivate…"))
    def deactivate_many(self, request, queryset):
        return self._choose(request, queryset, Deed.DEACTIVATE)

    @admin.action(description=gettext_lazy("Anonymise…"))
    def anonymise_many(self, request, queryset):
        return self._choose(request, queryset, Deed.ANONYMISE)

    def _choose(self, request, queryset, deed):
        self.insist(request, f"customers.{deed}")
        try:
            bulk = draft_bulk_deed(deed, Customer.objects.filter(pk__in=queryset.values("pk")))
        except ValidationError as error:
            for message in error.messages:
                messages.error(request, message)
            return None
        return redirect("admin:customers_bulkdeed_change", bulk.pk)


@admin.register(BulkDeed)
class BulkDeedAdmin(ReadOnlyAdmin):
    actions = None
    list_display = ("deed", "n_total", "state_shown", "counts_shown", "who_shown", "created_at")
    sortable_by = ()

    def get_queryset(self, request):
        found = super().get_queryset(request)
        if not request.user.has_perm("customers.anonymise"):
            found = found.exclude(deed=Deed.ANONYMISE)
        return found.exclude(state=State.DRAFT) if self._is_list(request) else found

    def _is_list(self, request):
        return request.resolver_match.url_name == "customers_bulkdeed_changelist"

    @admin.display(description=gettext_lazy("state"))
    def state_shown(self, bulk):
        return _badge(bulk)

    @admin.display(description=gettext_lazy("what became of them"))
    def counts_shown(self, bulk):
        told = [f"{OUTCOMES[name]}: {n:,}" for name, n in bulk.counts.items() if n]
        return ", ".join(told) or "–"

    @admin.display(description=gettext_lazy("who"))
    def who_shown(self, bulk):
        return bulk.actor_label or str(KINDS.get(bulk.actor_kind, bulk.actor_kind))

    def get_urls(self):
        return [
            self.own_path("<uuid:object_id>/state/", self.state_view, "state"),
            self.own_path("<uuid:object_id>/cancel/", self.cancel_view, "cancel"),
            *super().get_urls(),
        ]

    def _bulk(self, request, object_id):
        bulk = self.get_or_404(request, str(object_id))
        if not request.user.has_perm(f"customers.{bulk.deed}"):
            raise PermissionDenied
        return bulk

    def change_view(self, request, object_id, form_url="", extra_context=None):
        bulk = self._bulk(request, object_id)
        if bulk.state == State.DRAFT:
            return self._draft(request, bulk)
        if request.method == "POST":
            messages.info(request, _("It was confirmed already."))
            return redirect(self.url_name("change"), bulk.pk)
        response = self.page(
            request,
            "admin/customers/bulkdeed/bulk.html",
            {"title": self._title(bulk), **self._state(bulk)},
            obj=bulk,
        )
        response["Cache-Control"] = "no-store"
        return response

    def _draft(self, request, bulk):
        preview = preview_bulk_deed(bulk)
        n_todo, erases = preview["n_todo"], bulk.deed == Deed.ANONYMISE
        data = request.POST if request.method == "POST" else None
        form = ConfirmForm(data, n_todo=n_todo, erases=erases)
        if data is not None and form.is_valid():
            try:
                confirm_bulk_deed(bulk, **form.cleaned_data)
                return redirect(self.url_name("change"), bulk.pk)
            except ValidationError as error:
                told = getattr(error, "error_dict", None) or {None: error.error_list}
                for name, errors in told.items():
                    form.add_error(name, errors)
        some = Customer.objects.filter(pk__in=bulk.customer_ids[:SHOWN]).order_by("number")
        context = {
            "title": self._title(bulk),
            "sentence": SENTENCES[bulk.deed],
            "bulk": bulk,
            "preview": preview,
            "out_of_reach": [one for one in registry.stores if not one.reached] if erases else [],
            "some": some,
            "n_more": bulk.n_total - len(some),
            "form": form,
            "button": _("Anonymise for good") if erases else bulk.get_deed_display(),
            "danger": bulk.deed != Deed.ACTIVATE,
            "blocked": "" if n_todo else _("There is nobody of whom this could be done."),
            "cancel_url": reverse("admin:customers_customer_changelist"),
        }
        return self.page(request, "admin/customers/bulkdeed/confirm.html", context, obj=bulk)

    @staticmethod
    def _title(bulk):
        words = ngettext("%(what)s: %(n)s customer", "%(what)s: %(n)s customers", bulk.n_total)
        return words % {"what": bulk.get_deed_display(), "n": f"{bulk.n_total:,}"}

    def state_view(self, request, object_id):
        """What changes while it runs, as a piece of the page."""
        template = "admin/customers/bulkdeed/state.html"
        return TemplateResponse(request, template, self._state(self._bulk(request, object_id)))

    def _state(self, bulk):
        results = [] if bulk.is_moving else bulk.results[:RECEIPTS_SHOWN]
        known = Customer.objects.in_bulk([one["id"] for one in results])
        known = {str(key): customer for key, customer in known.items()}
        return {
            "bulk": bulk,
            "badge": _badge(bulk),
            "is_moving": bulk.is_moving,
            "counts": [(words, bulk.counts.get(name, 0)) for name, words in OUTCOMES.items()],
            "results": [{**one, "customer": known.get(one["id"])} for one in results],
            "n_more": max(0, len(bulk.results) - len(results)) if not bulk.is_moving else 0,
            "erases": bulk.deed == Deed.ANONYMISE,
        }

    def cancel_view(self, request, object_id):
        bulk = self._bulk(request, object_id)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            cancel_bulk_deed(bulk)
        except ValidationError as error:
            for message in error.messages:
                messages.error(request, message)
        return redirect(self.url_name("change"), bulk.pk)


def _badge(bulk):
    if bulk.is_moving and bulk.cancel_requested:
        return badge(_("Is being cancelled"), "warning")
    kind = COLOURS.get(bulk.state, "warning")
    if bulk.state == State.DONE and bulk.counts.get("refused"):
        kind = "warning"
    return badge(bulk.get_state_display(), kind)
