"""One deed for many chosen customers: the page that previews, confirms, watches and answers."""

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import IS_POPUP_VAR
from django.core.exceptions import ValidationError
from django.http import HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from customers.admin.deed import ReasonForm
from customers.hooks import hooks
from customers.models import BulkDeed, Customer
from customers.privacy import registry
from customers.services.bulk_deeds import (
    ANONYMISE,
    cancel_bulk_deed,
    choose_for_bulk_deed,
    confirm_bulk_deed,
    draft_bulk_deed,
    preview_bulk_deed,
)
from customers.services.erasure_receipts import receipts_of
from groups.models import Group
from tenancy.admin.base import ReadOnlyAdmin
from tenancy.admin.telling import KINDS, badge

State = BulkDeed.State
SHOWN = 10
RECEIPTS_SHOWN = 200
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


class GroupForm(forms.Form):
    """Which group."""

    group = forms.ModelChoiceField(
        Group.objects.none(), label=gettext_lazy("Group"), widget=UnfoldAdminSelectWidget
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["group"].queryset = Group.objects.order_by("title", "code")
        self.fields["group"].empty_label = "—"


class JoiningForm(GroupForm):
    """Which group, and whether they have said that they want its mail."""

    subscribed = forms.BooleanField(
        label=gettext_lazy("They want the mail of this group"),
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text=gettext_lazy("Only tick it when they have said so."),
    )


CHOICES = {"add_to_group": JoiningForm, "remove_from_group": GroupForm}


def kinds_for(user):
    """The deeds for many that `user` may do, the gravest last."""
    mine = [kind for kind in hooks.bulk_deeds.values() if user.has_perm(kind.operation)]
    return sorted(mine, key=lambda kind: kind.name == ANONYMISE)


class ManyActions:
    """The deeds for many as actions of the list of customers."""

    def get_actions(self, request):
        """With those of the table that the role may do, as "<name>_many"."""
        if IS_POPUP_VAR in request.GET:
            return {}  # there one is chosen, and nothing done
        own = {
            f"{kind.name}_many": (_begin(kind), f"{kind.name}_many", f"{kind.label}…")
            for kind in kinds_for(request.user)
        }
        return own | super().get_actions(request)

    def begin_many(self, request, queryset, kind):
        """Keep who is chosen, and go on to the page that asks before anything happens."""
        self.insist(request, kind.operation)
        try:
            bulk = draft_bulk_deed(kind.name, Customer.objects.filter(pk__in=queryset.values("pk")))
        except ValidationError as error:
            for message in error.messages:
                messages.error(request, message)
            return None
        return redirect("admin:customers_bulkdeed_change", bulk.pk)


def _begin(kind):
    def action(model_admin, request, queryset):
        return model_admin.begin_many(request, queryset, kind)

    return action


@admin.register(BulkDeed)
class BulkDeedAdmin(ReadOnlyAdmin):
    actions = None
    list_display = (
        "deed_shown",
        "n_total",
        "state_shown",
        "counts_shown",
        "who_shown",
        "created_at",
    )
    sortable_by = ()

    def get_queryset(self, request):
        found = super().get_queryset(request)
        found = found.filter(deed__in=[kind.name for kind in kinds_for(request.user)])
        return found.exclude(state=State.DRAFT) if self._is_list(request) else found

    def _is_list(self, request):
        return request.resolver_match.url_name == "customers_bulkdeed_changelist"

    @admin.display(description=gettext_lazy("what"))
    def deed_shown(self, bulk):
        return bulk.words

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
        self.insist(request, bulk.kind.operation)
        return bulk

    def change_view(self, request, object_id, form_url="", extra_context=None):
        bulk = self._bulk(request, object_id)
        if bulk.state == State.DRAFT:
            is_asked = bulk.kind.clean_choice is not None and "choose" in request.GET
            if bulk.lacks_choice or is_asked:
                return self._choose(request, bulk)
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

    def _choose(self, request, bulk):
        """What the deed needs beside the customers, before it can be looked at."""
        form = CHOICES[bulk.deed](request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            try:
                chosen = choose_for_bulk_deed(bulk, form.cleaned_data)
                return redirect(self.url_name("change"), chosen.pk)
            except ValidationError as error:
                put_beside(form, error)
        context = {
            "title": self._title(bulk),
            "sentence": bulk.kind.sentence,
            "form": form,
            "button": _("Continue"),
            "cancel_url": reverse("admin:customers_customer_changelist"),
        }
        return self.page(request, "admin/deed.html", context, obj=bulk)

    def _draft(self, request, bulk):
        preview = preview_bulk_deed(bulk)
        n_todo, erases = preview["n_todo"], bulk.deed == ANONYMISE
        data = request.POST if request.method == "POST" else None
        form = ConfirmForm(data, n_todo=n_todo, erases=erases)
        if data is not None and form.is_valid():
            try:
                confirm_bulk_deed(bulk, **form.cleaned_data)
                return redirect(self.url_name("change"), bulk.pk)
            except ValidationError as error:
                put_beside(form, error)
        some = Customer.objects.filter(pk__in=bulk.customer_ids[:SHOWN]).order_by("number")
        context = {
            "title": self._title(bulk),
            "sentence": bulk.kind.sentence,
            "bulk": bulk,
            "preview": preview,
            "out_of_reach": [one for one in registry.stores if not one.reached] if erases else [],
            "some": some,
            "n_more": bulk.n_total - len(some),
            "form": form,
            "button": _("Anonymise for good") if erases else bulk.kind.label,
            "danger": not bulk.kind.is_mild,
            "may_choose": bool(bulk.choice),
            "blocked": "" if n_todo else _("There is nobody of whom this could be done."),
            "cancel_url": reverse("admin:customers_customer_changelist"),
        }
        return self.page(request, "admin/customers/bulkdeed/confirm.html", context, obj=bulk)

    @staticmethod
    def _title(bulk):
        words = ngettext("%(what)s: %(n)s customer", "%(what)s: %(n)s customers", bulk.n_total)
        return words % {"what": bulk.words, "n": f"{bulk.n_total:,}"}

    def state_view(self, request, object_id):
        """What changes while it runs, as a piece of the page."""
        template = "admin/customers/bulkdeed/state.html"
        return TemplateResponse(request, template, self._state(self._bulk(request, object_id)))

    def _state(self, bulk):
        results = [] if bulk.is_moving else bulk.results[:RECEIPTS_SHOWN]
        known = Customer.objects.in_bulk([one["id"] for one in results])
        known = {str(key): customer for key, customer in known.items()}
        erased = receipts_of(known) if bulk.deed == ANONYMISE else {}
        erased = {str(key): erasure for key, erasure in erased.items()}
        return {
            "bulk": bulk,
            "badge": _badge(bulk),
            "is_moving": bulk.is_moving,
            "counts": [(words, bulk.counts.get(name, 0)) for name, words in OUTCOMES.items()],
            "results": [
                {**one, "customer": known.get(one["id"]), "erasure": erased.get(one["id"])}
                for one in results
            ],
            "n_more": max(0, len(bulk.results) - len(results)) if not bulk.is_moving else 0,
            "erases": bulk.deed == ANONYMISE,
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


def put_beside(form, error):
    """A service's refusal beside the fields of the form."""
    told = getattr(error, "error_dict", None) or {None: error.error_list}
    for name, errors in told.items():
        form.add_error(name if name in form.fields else None, errors)


def _badge(bulk):
    if bulk.is_moving and bulk.cancel_requested:
        return badge(_("Is being cancelled"), "warning")
    kind = COLOURS.get(bulk.state, "warning")
    if bulk.state == State.DONE and bulk.counts.get("refused"):
        kind = "warning"
    return badge(bulk.get_state_display(), kind)
