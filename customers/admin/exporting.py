"""The filtered list as a file: every form of export, streamed."""

from functools import partial

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from api.streaming import stream
from customers import exports
from customers.models import Customer
from events.services import record
from tenancy import clock
from tenancy.scoping import current_tenant

# Without it, spreadsheets take the letters of a CSV file for others.
BYTE_ORDER_MARK = "\ufeff".encode()
LABELS = {
    "csv": gettext_lazy("CSV"),
    "xlsx": gettext_lazy("Excel"),
    "jsonl": gettext_lazy("JSON lines"),
    "json": gettext_lazy("JSON"),
}


class ExportPages:
    """The list's downloads."""

    change_list_template = "admin/customers/customer/change_list.html"

    def get_urls(self):
        own = [
            self.own_path(
                f"export-{form}/", partial(self.export_list_view, form=form), f"export_{form}"
            )
            for form in LABELS
        ]
        return [*own, *super().get_urls()]

    def changelist_view(self, request, extra_context=None):
        may_export = request.user.has_perm("customers.export_all")
        forms = [(f"admin:customers_customer_export_{form}", LABELS[form]) for form in LABELS]
        context = {"export_forms": forms if may_export else []}
        return super().changelist_view(request, {**(extra_context or {}), **context})

    def export_list_view(self, request, *, form):
        """Every customer that the list with these filters would show, in the list's order."""
        self.insist(request, "customers.export_all")
        customers = self.get_changelist_instance(request).get_queryset(request)
        plain = Customer.objects.filter(pk__in=customers.order_by().values("pk"))
        try:
            pieces = exports.pieces(plain.order_by(*self.ordering), form)
        except ValidationError as refusal:
            self.message_user(request, " ".join(refusal.messages), messages.ERROR)
            query = f"?{request.GET.urlencode()}" if request.GET else ""
            return redirect(f"../{query}")
        tenant = current_tenant()
        with transaction.atomic():
            record(tenant, "customers.exported", "tenant", tenant.pk)
        if form == "csv":
            pieces = _marked(pieces)
        day = clock.now().strftime("%Y-%m-%d")
        name = f"{_('customers')}-{tenant.code}-{day}.{form}"
        response = stream(pieces, content_type=exports.MEDIA_TYPES[form], filename=name)
        response["Cache-Control"] = "private, no-store"
        return response


def _marked(pieces):
    yield BYTE_ORDER_MARK
    yield from pieces
