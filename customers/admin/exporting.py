"""The filtered list as CSV: streamed, with cells that no spreadsheet takes for a formula."""

import csv
import io
from itertools import islice

from django.db import transaction
from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _

from customers.models import Customer
from customers.records import records
from events.services import record
from tenancy import clock
from tenancy.scoping import current_tenant, in_tenant

BATCH = 500
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
# Records hold more than a table can; lists become their first entries, one column each.
SCALARS = (
    *("id", "number", "external_id", "username", "card_number", "login_email", "login_phone"),
    *("kind", "status", "name", "first_name", "last_name", "company_name", "gender"),
    *("birth_date", "language", "eu_citizen", "vat_number", "card_state", "hidden"),
    *("no_loyalty", "no_email", "created_at", "updated_at", "anonymised_at", "home_store"),
    *("seller", "origin", "discount_percent", "price_list", "payment_terms_days"),
    *("ledger_number", "shipping_mode", "e_invoice", "e_invoice_address", "credit_limit"),
    *("credit_balance", "floor_limit", "internal_note", "invitation_token"),
    *("custom_data1", "custom_data2", "custom_data3", "custom_data4"),
)
ADDRESS = ("street", "street2", "street3", "postal_code", "city", "state", "country")


def header():
    address = [f"address_{name}" for name in ADDRESS]
    return [*SCALARS, "emails", "phones", *address, "labels", "groups", "consents"]


def cells(customer):
    """One record as the cells of a row."""
    address = next(iter(customer["addresses"]), {})
    return [
        *(text(customer[name]) for name in SCALARS),
        joined(email["address"] for email in customer["emails"]),
        joined(phone["e164"] or phone["given"] for phone in customer["phones"]),
        *(text(address.get(name)) for name in ADDRESS),
        joined(f"{label['key']}={label['value']}" for label in customer["labels"]),
        joined(group["code"] for group in customer.get("groups", ())),
        joined(
            f"{consent['purpose']}={'yes' if consent['granted'] else 'no'}"
            for consent in customer["consents"]
        ),
    ]


def joined(values):
    return neutral("; ".join(str(value) for value in values))


def text(value):
    """A value as a cell: what has nothing is empty, yes and no are words, text is neutral."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return neutral(value) if isinstance(value, str) else str(value)


def neutral(value):
    """Text that a spreadsheet would run as a formula, with an apostrophe in front.

    A phone number that is nothing but + and digits is left alone: it is read as a number at worst,
    and importers want it as it is.
    """
    if not value.startswith(FORMULA_STARTS):
        return value
    if value[0] == "+" and value[1:].isascii() and value[1:].isdigit():
        return value
    return f"'{value}"


def csv_lines(customers, tenant):
    """Yield the file in pieces; the tenant is entered for each piece, not between them."""
    yield "\ufeff" + line(header())
    rows = None
    while True:
        with in_tenant(tenant):
            rows = records(customers) if rows is None else rows
            piece = "".join(line(cells(row)) for row in islice(rows, BATCH))
        if not piece:
            return
        yield piece


def line(values):
    buffer = io.StringIO()
    csv.writer(buffer).writerow(values)
    return buffer.getvalue()


class ExportPages:
    """The list's download."""

    change_list_template = "admin/customers/customer/change_list.html"

    def get_urls(self):
        return [self.own_path("export-csv/", self.csv_view, "export_csv"), *super().get_urls()]

    def changelist_view(self, request, extra_context=None):
        may_export = request.user.has_perm("customers.export_all")
        return super().changelist_view(request, {**(extra_context or {}), "may_export": may_export})

    def csv_view(self, request):
        """Every customer that the list with these filters would show, in the list's order."""
        self.insist(request, "customers.export_all")
        customers = self.get_changelist_instance(request).get_queryset(request)
        tenant = current_tenant()
        with transaction.atomic():
            record(tenant, "customers.exported", "tenant", tenant.pk)
        plain = Customer.objects.filter(pk__in=customers.order_by().values("pk"))
        plain = plain.order_by(*self.ordering)
        response = StreamingHttpResponse(
            csv_lines(plain, tenant), content_type="text/csv; charset=utf-8"
        )
        day = clock.now().strftime("%Y-%m-%d")
        name = _("customers")
        response["Content-Disposition"] = f'attachment; filename="{name}-{tenant.code}-{day}.csv"'
        response["Cache-Control"] = "private, no-store"
        return response
