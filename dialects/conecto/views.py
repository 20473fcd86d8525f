"""`/{locationId}/customers`."""

import re
from contextlib import contextmanager

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from rest_framework.response import Response

import normalise
from customers.models import Customer
from customers.records import COLUMNS
from customers.search import search_customers
from dialects.conecto.base import ConectoEndpoint
from dialects.conecto.records import shown
from tenancy.models import Store

PAGE, LARGEST_PAGE = 50, 100
LONGEST_SEARCH = 254
LARGEST = 999_999_999
# A plus in a query string is a blank unless it is written %2B.
LOST_PLUS = re.compile(r"(T[0-9:.]+) ([0-9]{2}:?[0-9]{2})", re.IGNORECASE)


class ConectoCustomerViewSet(ConectoEndpoint):
    """Customers of a location. Nothing can be written on this wire."""

    operation_prefix = "customers"

    def list(self, request, location):
        """The customers of a location page by page, the earliest change first."""
        store = self._store(location)
        asked = request.query_params
        found = Customer.objects.identifiable().at_store(store)
        if search := self._text(asked, "search"):
            found = search_customers(found, search)
        if instant := self._instant(asked):
            found = found.filter(updated_at__gt=instant)
        page = self._whole(asked, "page", 1)
        size = min(self._whole(asked, "pageSize", PAGE), LARGEST_PAGE)
        total = found.count()
        first = (page - 1) * size
        rows = found.order_by("updated_at", "id").values(*COLUMNS)[first : first + size]
        results = shown(rows, store=store, role=self.principal.kind) if first < total else []
        return Response(
            {"results": results, "meta": {"page": page, "pageSize": size, "totalCount": total}}
        )

    def _store(self, location):
        """The store with this location id; Http404 for none, PermissionDenied (403) for one that a
        token which is bound to stores is not bound to."""
        number = int(location) if re.fullmatch("[0-9]{1,10}", location) else -1
        store = Store.objects.filter(location_id=number).first() if number < 2**31 else None
        if store is None:
            raise Http404
        if self.principal.store_ids and store.pk not in self.principal.store_ids:
            raise PermissionDenied("This token reads only its own locations.")
        return store

    def _text(self, asked, name):
        with _named(name):
            return normalise.clean_text(asked.get(name, ""), max_length=LONGEST_SEARCH)

    def _instant(self, asked):
        text = LOST_PLUS.sub(r"\1+\2", self._text(asked, "updatedAfter"))
        with _named("updatedAfter"):
            return normalise.parse_instant(text, tz="UTC") if text else None

    def _whole(self, asked, name, default):
        text = self._text(asked, name)
        with _named(name):
            return normalise.clean_int(text, minimum=1, maximum=LARGEST) if text else default


@contextmanager
def _named(name):
    """Put the parameter's name to what is wrong with its value."""
    try:
        yield
    except ValidationError as error:
        raise ValidationError({name: error.error_list}) from error
