"""Taking leave of a customer: the data handed out, the person forgotten, the row deleted.

Anonymising has a page of its own: what will go, what stays and why, what cannot be reached from
here. It asks for the customer's number, and answers with a receipt: what was done, and what the
searches for the old values still find, the one of everybody else's rows some time later.
"""

import json

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminTextInputWidget

from customers.admin.data_requests import requests_of
from customers.models import DataRequest, Erasure
from customers.services import CustomerGone, delete_customer
from customers.services.data_requests import ids_of
from customers.services.erasure_receipts import anonymise_with_receipt, receipt_of
from customers.services.exporting import export_customer
from customers.services.previewing import anonymisation_preview
from events.models import HistoryEntry
from tenancy.masking import reader_of
from tenancy.permissions import MASKED


class ErasureForm(forms.Form):
    """Confirmation by typing, and the reason."""

    typed = forms.CharField(
        max_length=40, widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"})
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        required=False,
        max_length=500,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("Stays in the history, so it must not name the person."),
    )

    def __init__(self, *args, wanted, label, **kwargs):
        super().__init__(*args, **kwargs)
        self.wanted = wanted
        self.fields["typed"].label = label

    def clean_typed(self):
        typed = self.cleaned_data["typed"].strip().upper()
        if typed.removeprefix("CUST-") != self.wanted.upper().removeprefix("CUST-"):
            raise ValidationError(_("Type exactly: %(wanted)s") % {"wanted": self.wanted})
        return typed


class ErasurePages:
    """Export, anonymise and delete, as pages of the customer admin."""

    def get_urls(self):
        return [
            self.own_path("<path:object_id>/export/", self.export_view, "export"),
            self.own_path("<path:object_id>/anonymise/", self.anonymise_view, "anonymise"),
            self.own_path("<path:object_id>/receipt/", self.receipt_view, "receipt"),
            self.own_path(
                "<path:object_id>/receipt/state/", self.receipt_state_view, "receipt_state"
            ),
            *super().get_urls(),
        ]

    def erasure_navigation(self, request, customer):
        """The buttons for taking leave, most dangerous last."""
        user = request.user
        items = []
        if customer.anonymised_at is None and user.has_perm("data_requests.create"):
            path = f"{reverse('admin:customers_datarequest_add')}?customer={customer.pk}"
            title = _("Write down a data request")
            items.append(
                {"title": title, "icon": "gavel", "variant": ActionVariant.DEFAULT, "path": path}
            )
        if user.has_perm("data_requests.list"):
            items += [
                {
                    "title": _("Data request: %(what)s") % {"what": asked.get_kind_display()},
                    "icon": "gavel",
                    "variant": ActionVariant.DEFAULT,
                    "path": reverse("admin:customers_datarequest_change", args=[asked.pk]),
                }
                for asked in DataRequest.objects.about([customer.pk]).to_answer()
            ]
        if user.has_perm("customers.export") and reader_of(request, customer.pk) != MASKED:
            items.append(self._button(customer, "export", _("Download all data"), "download"))
        if customer.anonymised_at is None and user.has_perm("customers.anonymise"):
            items.append(
                self._button(
                    customer, "anonymise", _("Anonymise"), "person_off", ActionVariant.DANGER
                )
            )
        if customer.anonymised_at and user.has_perm("customers.anonymise"):
            items.append(self._button(customer, "receipt", _("Receipt"), "task"))
        if self.has_delete_permission(request, customer):
            items.append(
                self._button(customer, "delete", _("Delete"), "delete", ActionVariant.DANGER)
            )
        return items

    # --- The data to take along ----------------------------------------------------------------
    def export_view(self, request, object_id):
        """Everything held about one customer, as a file; that it was given out is recorded."""
        customer = self.get_or_404(request, object_id)
        self.insist(request, "customers.export")
        if self.reader(request) == MASKED:
            # Everything that is masked stands in the file; once it is shown, it may be taken.
            raise PermissionDenied
        if request.method != "POST":
            context = {
                "title": f"{customer}: {_('Download all data')}",
                "sentence": _(
                    "A JSON file with everything that is held about this customer, for the "
                    "customer (GDPR articles 15 and 20). That you downloaded it stays on record."
                ),
                "button": _("Download"),
                "cancel_url": self._page_of(customer),
            }
            return self.page(request, "admin/deed.html", context, obj=customer)
        export = export_customer(customer)
        response = HttpResponse(
            json.dumps(export, ensure_ascii=False, indent=2), content_type="application/json"
        )
        response["Content-Disposition"] = f'attachment; filename="{customer}.json"'
        response["Cache-Control"] = "private, no-store"
        return response

    # --- One ------------------------------------------------------------------------------------
    def anonymise_view(self, request, object_id):
        customer = self.get_or_404(request, object_id)
        self.insist(request, "customers.anonymise")
        form = self._form(request, to_type(customer), _("Type %(code)s to confirm"))
        if request.method == "POST" and not customer.anonymised_at and form.is_valid():
            receipt = anonymise_with_receipt(customer, form.cleaned_data["reason"])
            if receipt["error"] is None:
                return redirect(self.url_name("receipt"), customer.pk)
            for message in receipt["error"].messages:
                form.add_error("reason", message)
        context = {
            "title": f"{customer}: {_('Anonymise')}",
            "sentence": _(
                "Everything personal about this customer is erased for good. The row stays as a "
                "nameless shell, so that sales and totals still add up. It cannot be undone."
            ),
            "preview": by_table(anonymisation_preview(customer)),
            "customer": customer,
            "asked": self._asked(customer),
            "form": form,
            "button": _("Anonymise for good"),
            "danger": True,
            "blocked": _("This customer was anonymised already.") if customer.anonymised_at else "",
            "cancel_url": self._page_of(customer),
        }
        return self.page(request, "admin/customers/customer/anonymise.html", context, obj=customer)

    @staticmethod
    def _asked(customer):
        """What the customer has asked about the data and nobody has answered yet."""
        open_ones = DataRequest.objects.about(ids_of(customer)).to_answer()
        return [one for one in requests_of(ids_of(customer)) if one[0] in set(open_ones)]

    def receipt_view(self, request, object_id):
        """What was done, and what the searches for the old values find."""
        context = self._receipt(request, object_id)
        done = HistoryEntry.objects.about("customer", context["erasure"].customer_id)
        last = done.filter(deed="customer.anonymised").order_by("-id").first()
        context |= {"title": _("Receipt"), "by": last.actor_label if last else "–"}
        response = self.page(request, "admin/customers/customer/receipt.html", context)
        response["Cache-Control"] = "no-store"
        return response

    def receipt_state_view(self, request, object_id):
        """What changes of it until everything is searched, as a piece of the page."""
        template = "admin/customers/customer/receipt_state.html"
        return TemplateResponse(request, template, self._receipt(request, object_id))

    def _receipt(self, request, object_id):
        customer = self.get_or_404(request, object_id)
        self.insist(request, "customers.anonymise")
        erasure = receipt_of(customer.pk)
        if erasure is None:
            raise Http404
        return {"erasure": erasure, "is_moving": erasure.search_state == Erasure.Search.WAITING}

    # --- Deleting -------------------------------------------------------------------------------
    def delete_view(self, request, object_id, extra_context=None):
        customer = self.get_or_404(request, object_id)
        self.insist(request, "customers.delete_customer")
        form = self._form(request, to_type(customer), _("Type %(code)s to confirm"))
        if request.method == "POST" and form.is_valid():
            try:
                delete_customer(customer, reason=form.cleaned_data["reason"])
            except ValidationError as error:
                for message in error.messages:
                    form.add_error("reason", message)
            except CustomerGone:
                return redirect(self.url_name("changelist"))
            else:
                messages.success(request, _("The customer is deleted."))
                return redirect(self.url_name("changelist"))
        context = {
            "title": f"{customer}: {_('Delete')}",
            "sentence": _(
                "The customer is removed with contact points, consents, memberships, history and "
                "files. What stays is the id, the time and your name, so that connected systems "
                "learn that it is gone. It cannot be undone. To keep nameless totals, anonymise "
                "instead."
            ),
            "form": form,
            "button": _("Delete for good"),
            "danger": True,
            "cancel_url": self._page_of(customer),
        }
        return self.page(request, "admin/deed.html", context, obj=customer)

    def _form(self, request, wanted, label):
        data = request.POST if request.method == "POST" else None
        return ErasureForm(data, wanted=wanted, label=label % {"code": wanted})

    def _page_of(self, customer):
        return reverse(self.url_name("change"), args=[customer.pk])


def to_type(customer):
    """What confirms a deed on this customer: the number, or the beginning of the id without one."""
    return customer.code or str(customer.pk)[:8]


# What the system derives or counts: it goes too, but tells a reader nothing.
TECHNICAL = {"id", "at", "created_at", "position", "digits", "reversed_digits", "search_text"}


def by_table(preview):
    """The preview as people read it: one line per part of the record, its values together."""
    tables = {}
    for item in preview["erased"]:
        part, _colon, column = item["label"].partition(": ")
        table = tables.setdefault(part, {"part": part, "columns": [], "rows": 0})
        table["rows"] = max(table["rows"], item["count"])
        samples = [text for text in item["samples"] if not text.startswith(("{", "["))]
        flags_only = bool(samples) and set(samples) <= {"True", "False"}
        if item["column"] in TECHNICAL or item["column"].endswith("_key") or flags_only:
            continue
        table["columns"].append({"column": column, "samples": samples, "count": item["count"]})
    return {**preview, "erased": list(tables.values())}
