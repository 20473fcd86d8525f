"""The customer itself: list, search, read, register, change, delete."""

from itertools import islice
from textwrap import indent

from django.conf import settings
from django.core.exceptions import ValidationError
from rest_framework.response import Response

from customers.models import Customer
from customers.records import record_of
from customers.services import CustomerGone, delete_customer, update_customer
from customers.services.enrolling import enrol_customer
from customers.services.own_changes import change_own_record
from dialects.openloyalty import queries
from dialects.openloyalty.base import CONTENT_TYPE, dumps
from dialects.openloyalty.importing import imported
from dialects.openloyalty.records import customers, shown
from dialects.openloyalty.serializers import (
    OpenLoyaltyImport,
    OpenLoyaltyRegistration,
    OpenLoyaltySearch,
    OpenLoyaltyUpdate,
)
from dialects.openloyalty.views.base import CustomerEndpoint
from loyalty.services import find_level
from loyalty.services.levels import no_such_level
from tenancy.permissions import CUSTOMER, SELLER

BATCH = 1_000
MOST_FOUND = 10_000
LOGINS = ("login_email", "login_phone")


class OpenLoyaltyCustomerViewSet(CustomerEndpoint):
    """`/customer`."""

    operations = {
        "register": "customers.create",
        "till_search": "customers.search",
        "import_file": "customers.import",
        "update": "customers.partial_update",
    }

    def list(self, request, tenant_code):
        """The customers that the filters leave, page by page; `total` counts all of them."""
        asked = self.parameters()
        found = queries.narrowed(Customer.objects.all(), asked, currency=self.tenant.currency)
        total = found.count()
        first, length = queries.page_of(asked)
        rows = customers(queries.ordered(found, asked))
        if length is None or length > settings.API_MAX_PAGE_SIZE:
            if self.principal.may("customers.export_all"):
                rows = rows[first:] if length is None else rows[first : first + length]
                return self.stream(self._pieces(rows, total), content_type=CONTENT_TYPE)
            length = settings.API_MAX_PAGE_SIZE
        page = self.shown(rows[first : first + length]) if first < total else []
        return Response({"customers": page, "total": total})

    def _pieces(self, rows, total):
        yield b'{\n  "customers": ['
        separator = b"\n"
        for batch in batched(rows.iterator(chunk_size=BATCH)):
            for customer in self.shown(batch):
                yield separator + indent(dumps(customer).decode(), "    ").encode()
                separator = b",\n"
        yield b'%s],\n  "total": %d\n}' % (b"" if separator == b"\n" else b"\n  ", total)

    def shown(self, rows, *, detail=False):
        """The customer objects of rows, as this caller may see them."""
        return shown(
            rows,
            tenant=self.tenant,
            role=self.principal.kind,
            locale=self.locale,
            detail=detail,
        )

    def retrieve(self, request, customer, tenant_code):
        """One customer with everything."""
        found = self.shown(customers(Customer.objects.filter(pk=self.customer().pk)), detail=True)
        if not found:
            raise CustomerGone
        return Response(found[0])

    def register(self, request, tenant_code):
        """Register somebody else: at a till, in the office, from a shop."""
        form = self.read_form(OpenLoyaltyRegistration, by_seller=self.principal.kind == SELLER)
        registration = form.registration()
        if "level" in registration:
            registration["level"] = reachable_level(registration["level"])
        customer = enrol_customer(self.principal, with_password=True, **registration)
        return Response(registered(customer))

    def till_search(self, request, tenant_code):
        """The customers of whom every named part is a part, at most MOST_FOUND of them."""
        form = self.read_form(OpenLoyaltySearch)
        found = queries.searched(Customer.objects.identifiable(), form.values)
        rows = customers(queries.ordered(found, {}))[: MOST_FOUND + 1]
        rows = list(rows)
        if len(rows) > MOST_FOUND:
            return Response({"error": "too many results"}, status=400)
        return Response({"customers": self.shown(rows)})

    def update(self, request, customer, tenant_code):
        """Change what is sent; a body without a customer changes nothing."""
        found = self.customer()
        if OpenLoyaltyUpdate.brackets in self.body():
            form = self.read_form(OpenLoyaltyUpdate)
            if self.principal.kind == CUSTOMER:
                change_own(found, form)
            else:
                update_customer(found, **form.changes_of(record_of(found.pk)))
        return Response({"customerId": found.pk})

    def import_file(self, request, tenant_code):
        """`file[file]`: customers as XML, one independent of the other."""
        upload = self.read_form(OpenLoyaltyImport).values["file"]
        return Response(imported(upload))

    def destroy(self, request, customer, tenant_code):
        """Remove the customer for good."""
        delete_customer(self.customer())
        return self.no_content()


def change_own(customer, form):
    """The same by the customer: only what customers may change, a sign-in by a code."""
    record = record_of(customer.pk)
    form.keep_to_own(customer, record, closed=not customer.tenant.setting("allow_profile_edits"))
    changes = form.changes_of(record)
    logins = {name: changes.pop(name) for name in LOGINS if name in changes}
    slots = {name: item for name, item in changes.pop("slots").items() if name == "addresses"}
    change_own_record(customer, logins=logins, slots=slots, **changes)


def reachable_level(level_id):
    """The active level with this id; on this wire nobody begins on another one."""
    try:
        level = find_level(level_id)
        if not level.active:
            raise no_such_level()
    except ValidationError as refusal:
        raise ValidationError({"level": refusal.error_list}) from refusal
    return level


def registered(customer):
    """What a registration answers."""
    return {"customerId": customer.pk, "email": customer.login_email}


def batched(rows):
    """The rows in lists of BATCH."""
    while batch := list(islice(rows, BATCH)):
        yield batch
