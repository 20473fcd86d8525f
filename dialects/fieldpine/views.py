"""`/Customers`: the list and its questions, and the one way to write."""

from functools import partial
from itertools import islice

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from rest_framework.response import Response

from customers.models import Customer
from customers.records import COLUMNS, records
from customers.services import CustomerGone, get_customer, register_once
from customers.services.enrolling import enrol_customer
from dialects.base import dumps
from dialects.fieldpine import asking
from dialects.fieldpine.base import (
    CODES,
    CONTENT_TYPE,
    WARNING,
    FieldpineEndpoint,
    is_developer,
    packet,
    packets,
)
from dialects.fieldpine.records import customer, shown
from dialects.fieldpine.serializers import FieldpineCustomer

MOST_NAMED = 20


class FieldpineCustomerViewSet(FieldpineEndpoint):
    """Customers."""

    operation_prefix = "customers"
    known_parameters = frozenset({"englishquery", "option", "filter", "limit", "page", "sort"})

    def list(self, request):
        """The customers that the question and the filter leave: a page of them, or with `limit=0`
        everything in one answer, however much it is."""
        asked = self.parameters()
        found = asking.ordered(asking.narrowed(asked, tenant=self.tenant), asked)
        first, length = asking.page_of(asked)
        largest = settings.API_MAX_PAGE_SIZE
        if length is not None and length <= largest:
            return Response({"data": self._shown(found[first : first + length])})
        wanted = found[first:] if length is None else found[first : first + length]
        if self.principal.may("customers.export_all"):
            return self.stream(self._pieces(wanted), content_type=CONTENT_TYPE)
        # Who may not export gets it all the same where it is no more than a page, and never a part
        # that looks like the whole.
        rows = list(islice(wanted[: largest + 1].values(*COLUMNS), largest + 1))
        if len(rows) > largest:
            raise PermissionDenied(f"More than {largest} at once need the right to export.")
        return Response({"data": shown(rows, role=self.principal.kind)})

    def _shown(self, customers):
        return shown(customers.values(*COLUMNS), role=self.principal.kind)

    def _pieces(self, customers):
        yield b'{"data":['
        separator = b""
        for record in records(customers):
            yield separator + dumps(customer(record, self.principal.kind))
            separator = b","
        yield b"]}"

    def create(self, request):
        """Register a customer. The same body sent again, also days later, is answered with the same
        customer and done once; one with a CustomerId that is known changes nothing."""
        body = self.body()
        self.form = form = FieldpineCustomer()
        form.read(body)
        found = self._registered(form)
        (told,) = self._shown(Customer.objects.filter(pk=found.pk))
        answer = {"data": told}
        if form.unknown and is_developer(request):
            warnings = [
                packet(CODES["unknown"], f"{name[:60]}: not known here.", WARNING)
                for name in form.unknown[:MOST_NAMED]
            ]
            answer["error"] = packets(warnings)
        return Response(answer)

    def _registered(self, form):
        key = form.values.get("CustomerId")
        register = partial(enrol_customer, self.principal, **form.registration(self.principal))
        try:
            return register_once(form.message, register, customer_id=key)[0]
        except ValidationError as refusal:
            known = self._of_key(key) if _is_taken_id(refusal) else None
            if known is None:
                raise
            return known

    def _of_key(self, key):
        """The customer of this business who has the key already, unless nobody is left of it."""
        try:
            found = get_customer(key)
        except CustomerGone:
            return None
        return None if found.anonymised_at else found


def _is_taken_id(refusal):
    named = getattr(refusal, "error_dict", {})
    return set(named) == {"id"} and all(error.code == "unique" for error in named["id"])
