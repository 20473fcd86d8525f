"""Requests of people about their data: the board, the page of one, and each step as a form.

The most urgent stands first. A copy of the data is offered before an erasure; the erasure itself is
the page that anonymises, which closes the request.
"""

import json
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.contrib.filters.admin import RadioFilter
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from customers.admin.deed import ReasonForm
from customers.models import Customer, DataRequest
from customers.search import search_customers
from customers.services import CustomerGone
from customers.services.data_requests import (
    MOST_MONTHS,
    complete_data_request,
    confirm_identity,
    customer_of,
    days_left,
    hand_out,
    hold_data_request,
    months_later,
    open_data_request,
    refuse_data_request,
    resume_data_request,
    today,
)
from customers.services.erasure_receipts import receipt_of
from tenancy.admin.base import ReadOnlyAdmin
from tenancy.admin.telling import badge
from tenancy.scoping import current_tenant

Kind, State = DataRequest.Kind, DataRequest.State
SOON = 7  # days
COLOURS = {State.OPEN: "info", State.HELD: "warning", State.DONE: "success"}
HANDS_OUT = gettext_lazy(
    "A JSON file with everything that is held about this customer, for the customer (GDPR articles "
    "15 and 20). That you downloaded it stays on record."
)


class DayInput(forms.DateInput):
    """The browser's own field for a day."""

    input_type = "date"

    def __init__(self):
        classes = UnfoldAdminTextInputWidget().attrs["class"]
        super().__init__(attrs={"class": classes}, format="%Y-%m-%d")


class RequestForm(forms.Form):
    """What was asked for, by whom, when and how."""

    customer = forms.CharField(
        label=gettext_lazy("Customer"),
        max_length=254,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("The customer number, e-mail, phone or card."),
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("Asked for"), choices=Kind.choices, widget=UnfoldAdminSelectWidget
    )
    received_on = forms.DateField(
        label=gettext_lazy("Received"),
        widget=DayInput,
        help_text=gettext_lazy("It is due a month later."),
    )
    channel = forms.ChoiceField(
        label=gettext_lazy("How"),
        choices=DataRequest.Channel.choices,
        widget=UnfoldAdminSelectWidget,
    )
    identity = forms.ChoiceField(
        label=gettext_lazy("How the identity was checked"),
        required=False,
        choices=[("", gettext_lazy("not yet")), *DataRequest.Identity.choices],
        widget=UnfoldAdminSelectWidget,
    )
    note = forms.CharField(
        label=gettext_lazy("Note"),
        required=False,
        max_length=2000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=gettext_lazy("For the staff; it goes when the customer is anonymised."),
    )

    def __init__(self, *args, customer=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.found = customer
        if customer is not None:
            del self.fields["customer"]

    def clean_customer(self):
        typed = self.cleaned_data["customer"]
        found = list(search_customers(Customer.objects.all(), typed)[:2])
        if not found:
            raise ValidationError(_("Nobody is found by this."))
        if len(found) > 1:
            raise ValidationError(_("Several are found by this; type the customer number."))
        self.found = found[0]
        return typed


class IdentityForm(forms.Form):
    identity = forms.ChoiceField(
        label=gettext_lazy("How the identity was checked"),
        choices=DataRequest.Identity.choices,
        widget=UnfoldAdminSelectWidget,
    )


class TellingForm(ReasonForm):
    """A reason that the person is told."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        reason = self.fields["reason"]
        reason.required = True
        reason.help_text = _("The person is told. It stays, so it must not name the person.")


class HoldForm(TellingForm):
    until = forms.DateField(label=gettext_lazy("Until"), required=False, widget=DayInput)
    field_order = ("reason", "until")


class DoneForm(ReasonForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["reason"].label = _("What was done")
        self.fields["reason"].help_text = _("Optional. It stays, so it must not name the person.")


class ObjectionForm(DoneForm):
    deactivate = forms.BooleanField(
        label=gettext_lazy("Deactivate the customer too (the data may only be kept)"),
        required=False,
        widget=UnfoldBooleanWidget,
    )


class RequestStateFilter(RadioFilter):
    title, parameter_name = gettext_lazy("state"), "state"

    def lookups(self, request, model_admin):
        return [("late", _("Overdue")), *State.choices, ("all", _("all"))]

    def queryset(self, request, queryset):
        if self.value() == "all":
            return queryset
        if self.value() in State:
            return queryset.filter(state=self.value())
        if self.value() == "late":
            return queryset.to_answer().filter(due_on__lt=today(current_tenant()))
        return queryset.to_answer()


@admin.register(DataRequest)
class DataRequestAdmin(ReadOnlyAdmin):
    actions = None
    list_display = (
        *("due_shown", "kind", "who_shown"),
        *("state_shown", "identity_shown", "received_on"),
    )
    list_display_links = ("due_shown", "kind")
    list_filter = (RequestStateFilter,)
    ordering = ("due_on", "id")
    sortable_by = ()
    history_subject = "data_request"

    def has_add_permission(self, request):
        return request.user.has_perm("data_requests.create")

    # --- The board --------------------------------------------------------------------------------
    def get_queryset(self, request):
        about = Customer.with_merged.filter(pk=OuterRef("customer_id"))
        number, name = (
            Coalesce("merged_into__number", "number"),
            Coalesce("merged_into__name", "name"),
        )
        return (
            super()
            .get_queryset(request)
            .annotate(
                who_number=Subquery(about.values(told=number)),
                who_name=Subquery(about.values(told=name)),
            )
        )

    @admin.display(description=gettext_lazy("due"))
    def due_shown(self, asked):
        return due_badge(asked)

    @admin.display(description=gettext_lazy("customer"))
    def who_shown(self, asked):
        code = f"CUST-{asked.who_number}" if asked.who_number else ""
        return " ".join(filter(None, (code, asked.who_name))) or _("nameless or deleted")

    @admin.display(description=gettext_lazy("state"))
    def state_shown(self, asked):
        return state_badge(asked)

    @admin.display(description=gettext_lazy("identity"))
    def identity_shown(self, asked):
        return asked.get_identity_display() or badge(_("Not checked yet"), "warning")

    # --- Pages ------------------------------------------------------------------------------------
    def get_urls(self):
        def own(name, view):
            return self.own_path(f"<uuid:object_id>/{name}/", view, name.replace("-", "_"))

        return [
            own("identity", self.identity_view),
            own("hold", self.hold_view),
            own("resume", self.resume_view),
            own("refuse", self.refuse_view),
            own("hand-out", self.hand_out_view),
            own("complete", self.complete_view),
            *super().get_urls(),
        ]

    def add_view(self, request, form_url="", extra_context=None):
        self.insist(request, "data_requests.create")
        customer = _asked_customer(request)
        first = {"received_on": today(current_tenant()), "kind": request.GET.get("kind")}
        data = request.POST if request.method == "POST" else None
        form = RequestForm(data, customer=customer, initial=first)
        if data is not None and form.is_valid():
            values = {name: form.cleaned_data[name] for name in form.fields if name != "customer"}
            try:
                asked = open_data_request(form.found, **values)
            except ValidationError as error:
                _put(form, error)
            else:
                day = date_format(asked.due_on, "DATE_FORMAT")
                messages.success(request, _("Written down. It is due on %(day)s.") % {"day": day})
                return redirect(self.url_name("change"), asked.pk)
        context = {
            "title": _("A customer asks about the data"),
            "sentence": _(
                "What people may ask for by the GDPR: a copy of their data (articles 15 and 20), "
                "erasure (17), or that it is not used in some way (18 and 21). The answer is due "
                "within a month."
            ),
            "form": form,
            "button": _("Write it down"),
            "cancel_url": _customer_page(customer)
            if customer
            else reverse(self.url_name("changelist")),
        }
        return self.page(request, "admin/deed.html", context, obj=customer)

    def change_view(self, request, object_id, form_url="", extra_context=None):
        asked = self.get_or_404(request, object_id)
        if not self.has_view_permission(request, asked):
            raise PermissionDenied
        customer = customer_of(asked)
        context = {
            "title": asked.get_kind_display(),
            "asked": asked,
            "customer": customer,
            "due": due_badge(asked),
            "badge": state_badge(asked),
            "is_open": asked.is_open,
            "may_answer": asked.is_open and bool(asked.identity) and customer is not None,
            "erasure": asked.kind == "erase"
            and receipt_of(customer.pk if customer else asked.customer_id),
            "back_url": reverse(self.url_name("changelist")),
        }
        return self.page(request, "admin/customers/datarequest/request.html", context, obj=asked)

    # --- Steps ------------------------------------------------------------------------------------
    def identity_view(self, request, object_id):
        return self._step(
            request,
            object_id,
            "identify",
            IdentityForm,
            lambda asked, values: confirm_identity(asked, values["identity"]),
            _("Who is asking?"),
            _("Your name and the time are kept with it."),
            _("Say so"),
        )

    def hold_view(self, request, object_id):
        asked = self.get_or_404(request, str(object_id))
        latest = months_later(asked.received_on, MOST_MONTHS)
        # A day that has passed gives nobody more time.
        until = asked.due_on if days_left(asked) >= 0 else latest
        return self._step(
            request,
            object_id,
            "hold",
            HoldForm,
            lambda asked, values: hold_data_request(asked, **values),
            _("Put on hold"),
            _(
                "Where a request is complex, or something is missing from the person, it may take "
                "longer: until %(day)s at most. The person must be told so within the first month."
            )
            % {"day": date_format(latest, "DATE_FORMAT")},
            _("Put on hold"),
            first={"until": until, "reason": asked.reason},
        )

    def resume_view(self, request, object_id):
        return self._step(
            request,
            object_id,
            "resume",
            None,
            lambda asked, values: resume_data_request(asked),
            _("Take off hold"),
            _("It is to be answered again by the day on which it is due."),
            _("Take off hold"),
        )

    def refuse_view(self, request, object_id):
        return self._step(
            request,
            object_id,
            "refuse",
            TellingForm,
            lambda asked, values: refuse_data_request(asked, reason=values["reason"]),
            _("Refuse the request"),
            _(
                "The person is told why, and that a complaint can be made to the supervisory "
                "authority. A refused request cannot be opened again; another can be written down."
            ),
            _("Refuse"),
            danger=True,
        )

    def complete_view(self, request, object_id):
        asked = self.get_or_404(request, str(object_id))
        is_objection = asked.kind == Kind.OBJECT
        sentence = _("The copy was handed out, and nothing else is to be done.")
        if is_objection:
            sentence = _(
                "The consent to marketing is withdrawn, and the customer is marked as one who "
                "wants no unsolicited mail."
            )
        return self._step(
            request,
            object_id,
            "complete",
            ObjectionForm if is_objection else DoneForm,
            lambda asked, values: complete_data_request(asked, **values),
            _("Done"),
            sentence,
            _("Mark as done"),
        )

    def _step(self, request, object_id, name, form_class, deed, title, sentence, button, **more):
        """One step as a page: what happens in a sentence, a small form, a button."""
        asked = self.get_or_404(request, str(object_id))
        self.insist(request, f"data_requests.{name}")
        data = request.POST if request.method == "POST" else None
        form = form_class(data, initial=more.get("first")) if form_class else forms.Form(data)
        if data is not None and form.is_valid():
            try:
                deed(asked, form.cleaned_data)
            except ValidationError as error:
                _put(form, error)
            except CustomerGone:
                form.add_error(None, _("This customer was deleted meanwhile."))
            else:
                messages.success(request, _("It stands on record."))
                return redirect(self.url_name("change"), asked.pk)
        context = {
            "title": title,
            "sentence": sentence,
            "form": form,
            "button": button,
            "danger": more.get("danger", False),
            "blocked": "" if asked.is_open else _("The request is answered already."),
            "cancel_url": reverse(self.url_name("change"), args=[asked.pk]),
        }
        return self.page(request, "admin/deed.html", context, obj=asked)

    def hand_out_view(self, request, object_id):
        """The copy of the data, as a file."""
        asked = self.get_or_404(request, str(object_id))
        self.insist(request, "data_requests.hand_out")
        back = reverse(self.url_name("change"), args=[asked.pk])
        if request.method != "POST":
            context = {
                "title": _("Copy of the data"),
                "sentence": HANDS_OUT,
                "button": _("Download"),
                "blocked": "" if asked.is_open else _("The request is answered already."),
                "cancel_url": back,
            }
            return self.page(request, "admin/deed.html", context, obj=asked)
        try:
            export = hand_out(asked)
        except ValidationError as error:
            for message in error.messages:
                messages.error(request, message)
            return redirect(back)
        except CustomerGone as gone:
            raise Http404 from gone
        text = json.dumps(export, ensure_ascii=False, indent=2)
        response = HttpResponse(text, content_type="application/json")
        response["Content-Disposition"] = f'attachment; filename="{customer_of(asked)}.json"'
        response["Cache-Control"] = "private, no-store"
        return response


def due_badge(asked):
    """When a request is due: the day, and how near it is."""
    day = date_format(asked.due_on, "DATE_FORMAT")
    if not asked.is_open:
        return day
    left = days_left(asked)
    if left < 0:
        words = ngettext("%(n)d day overdue", "%(n)d days overdue", -left) % {"n": -left}
        return badge(f"{day} · {words}", "danger")
    words = ngettext("in %(n)d day", "in %(n)d days", left) % {"n": left} if left else _("today")
    return badge(f"{day} · {words}", "warning" if left <= SOON else "")


def state_badge(asked):
    return badge(asked.get_state_display(), COLOURS.get(asked.state, ""))


def requests_of(customer_ids):
    """(request, when it is due, how it stands) of what was asked about these records."""
    found = DataRequest.objects.about(customer_ids).order_by("-received_on", "-id")
    return [(asked, due_badge(asked), state_badge(asked)) for asked in found[:20]]


def _asked_customer(request):
    asked = request.GET.get("customer", "")
    if not asked:
        return None
    try:
        found = Customer.objects.filter(pk=UUID(asked)).first()
    except ValueError:
        found = None
    if found is None:
        raise Http404
    return found


def _customer_page(customer):
    return reverse("admin:customers_customer_change", args=[customer.pk])


def _put(form, error):
    told = error.error_dict if hasattr(error, "error_dict") else {None: error.error_list}
    for name, errors in told.items():
        form.add_error(name if name in form.fields else None, errors)
