"""The register form: what it begins with, who may be there already, and one customer per form."""

import re
import uuid
from collections import defaultdict
from contextlib import suppress

from django import forms
from django.contrib import messages
from django.http import QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextInputWidget

from customers.admin.beginning import begin_with
from customers.admin.forms import LISTS, chosen_store
from customers.likeness.wording import reason_in_words, speaks_for, strength_in_words
from customers.models import Customer
from customers.services import possible_duplicates
from customers.services.registering import LONGEST_BECAUSE
from tenancy.scoping import current_tenant

# The fields of the hint: whom it showed, and why it is somebody else.
HINTED, BECAUSE = "hinted", "hint_because"
MOST_HINTED = 20
ROW_FIELD = re.compile(r"(emails|phones|addresses)-([0-9]{1,3})-([a-z0-9_]+)", re.ASCII)
MOST_ROWS = 10
LONGEST = 254


class BecauseForm(forms.Form):
    """Why it is somebody else, beside the hint; the reasons most often given are offered."""

    hint_because = forms.CharField(
        label=gettext_lazy("Why it is somebody else"),
        required=False,
        max_length=LONGEST_BECAUSE,
        widget=UnfoldAdminTextInputWidget(attrs={"list": "hint-reasons", "autocomplete": "off"}),
        help_text=gettext_lazy(
            "Optional; stands in the history of the new customer, so do not name the other one."
        ),
    )

    @property
    def suggestions(self):
        return (
            _("Lives in the same household"),
            _("Has the same name only"),
            _("Shares the phone or the e-mail"),
            _("Wants a second record"),
        )


class RegisterPages:
    """What only the form of a new customer has, as a part of the customer admin."""

    def get_urls(self):
        return [
            self.own_path("begin/", self.begin_view, "begin"),
            self.own_path("doubles/", self.doubles_view, "doubles"),
            *super().get_urls(),
        ]

    # --- What it begins with --------------------------------------------------------------------
    def begin_view(self, request):
        """The form with what a search was for (`typed`) in the field where it belongs. By POST, so
        that it stands in no address; the form itself comes back to this address and is saved."""
        if request.method == "POST" and "typed" in request.POST:
            typed = QueryDict(mutable=True)
            typed["typed"] = request.POST["typed"][:LONGEST]
            request.method, request.GET = "GET", typed
        return self.add_view(request)

    def get_changeform_initial_data(self, request):
        initial = super().get_changeform_initial_data(request)
        member = request.user.membership_in(current_tenant())
        stores = list(member.stores.all()[:2]) if member else []
        if len(stores) == 1:
            initial.setdefault("home_store", stores[0].pk)
        typed = begin_with(initial.pop("typed", ""))
        return {**initial, **{name: value for name, value in typed.items() if name not in LISTS}}

    def get_formset_kwargs(self, request, obj, inline, prefix):
        kwargs = super().get_formset_kwargs(request, obj, inline, prefix)
        if obj._state.adding and request.method == "GET":
            typed = begin_with(request.GET.get("typed", ""))
            kwargs["initial"] = typed.get(inline.formset.list_name, [])
        return kwargs

    # --- Who may be there already ---------------------------------------------------------------
    def doubles_view(self, request):
        """The customers who may be the person that the form (a POST of its fields) is about."""
        self.insist(request, "customers.create")
        self.insist(request, "customers.search")
        store = chosen_store(request.POST.get("home_store", ""))
        found = possible_duplicates(typed_in(request.POST), country=store.country if store else "")
        context = {
            "because": BecauseForm(),
            "hinted": HINTED,
            "doubles": [
                {
                    "customer": customer,
                    "strength": strength_in_words(likeness.points),
                    "reasons": [
                        (reason_in_words(name, level), speaks_for(level))
                        for name, level in likeness.reasons
                    ],
                }
                for customer, likeness in found
            ],
        }
        return TemplateResponse(request, "admin/customers/customer/doubles.html", context)

    def in_spite_of(self, request):
        """What a new customer's history says of the hint that was shown beside the form, as the
        service takes it; {} where there was none."""
        if not request.user.has_perm("customers.search"):
            return {}
        keys = []
        for text in request.POST.getlist(HINTED)[:MOST_HINTED]:
            with suppress(ValueError):
                keys.append(uuid.UUID(text))
        shown = list(Customer.objects.filter(pk__in=keys).order_by("number", "pk"))
        return {"in_spite_of": shown, "because": request.POST.get(BECAUSE, "")} if shown else {}

    def render_change_form(self, request, context, *args, **kwargs):
        if kwargs.get("obj") is None:
            context["title"] = _("Register a customer")
            context["hint_because"] = request.POST.get(BECAUSE, "")[:LONGEST_BECAUSE]
        return super().render_change_form(request, context, *args, **kwargs)

    # --- One customer per form ------------------------------------------------------------------
    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        if object_id is None and request.method == "POST":
            made_before = self._made_before(request)
            if made_before is not None:
                return made_before
        return super().changeform_view(request, object_id, form_url, extra_context)

    def show_again(self, request, error, object_id, form_url, extra_context):
        if object_id is None and "id" in getattr(error, "error_dict", {}):
            # The same form was sent twice at once, and the other one was faster.
            made_before = self._made_before(request)
            if made_before is not None:
                return made_before
        return super().show_again(request, error, object_id, form_url, extra_context)

    def _made_before(self, request):
        """The way to the customer that this very form has made already, or None."""
        try:
            form_id = uuid.UUID(request.POST.get("form_id", ""))
        except ValueError:
            return None
        customer = Customer.objects.filter(pk=form_id).first()
        if customer is None or not self.has_add_permission(request):
            return None
        messages.info(request, _("%(customer)s was registered already.") % {"customer": customer})
        return redirect("admin:customers_customer_change", customer.pk)


def typed_in(post):
    """What stands in a register form, as `possible_duplicates` takes it."""
    rows = defaultdict(dict)
    for name, value in post.items():
        place = ROW_FIELD.fullmatch(name)
        if place:
            kind, number, column = place.groups()
            rows[kind, int(number)][column] = value[:LONGEST]
    typed = {name: value[:LONGEST] for name, value in post.items() if "-" not in name}
    for kind, column in (("emails", "address"), ("phones", "given"), ("addresses", None)):
        held = [row for (name, _number), row in sorted(rows.items()) if name == kind][:MOST_ROWS]
        typed[kind] = [row.get(column, "") for row in held] if column else held
    return typed
