"""Read-only tabs on the customer page: consents, devices, history."""

from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _

from customers.models import Consent, Device
from customers.services import with_former_ids
from events.models import HistoryEntry
from events.models.records import CHANGES
from tenancy.admin.telling import told_entries, who
from tenancy.masking import reader_of
from tenancy.permissions import sees_field

N_HISTORY = 25


class Panel:
    """One tab. The theme makes it for each request and asks for `contents`.

    Each panel supplies `model`, `title`, `template` and `context`.
    """

    tab = True
    model = None
    title = ""
    template = ""

    def __init__(self, request, extra_context):
        self.request = request
        self.customer_id = extra_context["object"]

    @property
    def id(self):
        return type(self).__name__

    @property
    def model_name(self):
        return self.model._meta.model_name

    @property
    def contents(self):
        context = {"panel": self, "customer_id": self.customer_id, **self.context()}
        return render_to_string(self.template, context, request=self.request)

    def context(self):
        return {}

    @classmethod
    def may_be_seen(cls, request):
        return True


class ConsentPanel(Panel):
    model, title, template = Consent, _("Consents"), "admin/customers/customer/consents.html"

    def context(self):
        rows = list(Consent.objects.filter(customer=self.customer_id).select_related("store"))
        current, seen = [], set()
        for row in rows:  # newest first
            row.told_who = who(row)
            if row.purpose not in seen:
                seen.add(row.purpose)
                current.append(row)
        return {
            "current": current,
            "statements": rows,
            "may_record": self.request.user.has_perm("consents.create"),
        }


class DevicePanel(Panel):
    model, title, template = Device, _("Devices"), "admin/customers/customer/devices.html"

    def context(self):
        return {"devices": Device.objects.filter(customer=self.customer_id)}

    @classmethod
    def may_be_seen(cls, request):
        return sees_field(reader_of(request), "devices")


class HistoryPanel(Panel):
    model, title, template = HistoryEntry, _("History"), "admin/customers/customer/history.html"

    def context(self):
        ids = with_former_ids(self.customer_id)
        told = HistoryEntry.objects.about_any("customer", ids).shown(CHANGES)
        entries = list(told[: N_HISTORY + 1])
        return {
            "entries": told_entries(entries[:N_HISTORY], reader_of(self.request, self.customer_id)),
            "has_more": len(entries) > N_HISTORY,
        }

    @classmethod
    def may_be_seen(cls, request):
        return request.user.has_perm("customers.history")
