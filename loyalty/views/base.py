"""What the endpoints of loyalty share: the customer of the path, rows by id, bodies, stores."""

import uuid
from contextlib import contextmanager

from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import PermissionDenied
from rest_framework.response import Response

import normalise
from api.etags import expected_version
from api.views import LONGEST_REASON, ViewSet
from customers.services import get_customer, open_change
from customers.stores import find_store
from tenancy.models import Store
from tenancy.permissions import CUSTOMER

# An entry that a transfer makes adds a number behind the source; both must fit into the column.
LONGEST_SOURCE = 100
SOURCE = "api"


class LoyaltyViewSet(ViewSet):
    """An endpoint of loyalty."""

    @property
    def by_customer(self):
        """Whether a customer calls, who sees the own things alone."""
        return self.principal is not None and self.principal.kind == CUSTOMER

    # --- what the path names
    def customer_id(self):
        """The id in the path as a UUID. Raises Http404 for what cannot be one, and for another
        record than the own one where a customer calls."""
        customer_id = self.key("customer_id")
        if self.by_customer and customer_id != self.principal.customer_id:
            raise Http404
        self.subject_id = customer_id
        return customer_id

    def customer(self):
        """The customer of the path; raises Http404 or CustomerGone."""
        return get_customer(self.customer_id())

    def key(self, name):
        """A UUID in the path; raises Http404 for what cannot be one."""
        try:
            return uuid.UUID(self.kwargs[name])
        except ValueError as error:
            raise Http404 from error

    def row(self, name, *, of=None):
        """The row of the view's queryset (or `of` another) with the id in the path; a foreign one
        is not there. Raises Http404."""
        rows = self.get_queryset() if of is None else of
        row = rows.filter(pk=self.key(name)).first()
        if row is None:
            raise Http404
        return row

    # --- what the body says
    def fields(self, *known, required=()):
        """The body, which may have the names `known` and must have `required`. Raises
        ValidationError by field."""
        body = self.body()
        unknown = {
            name[:100]: ValidationError(_("Unknown field, or not to be set."), code="unknown")
            for name in body
            if name not in known
        }
        missing = {
            name: ValidationError(_("This field is required."), code="required")
            for name in required
            if body.get(name) in (None, "")
        }
        if unknown or missing:
            raise ValidationError(unknown | missing)
        return body

    def source_of(self, body):
        """The (kind, id) of an entry from `source`, or None where nothing is named."""
        with naming("source"):
            source = normalise.clean_identifier(body.get("source"), max_length=LONGEST_SOURCE)
        return (SOURCE, source) if source else None

    def words(self, body, name):
        """A text of a person in the body, at most 500 characters; "" where there is none. Raises
        ValidationError naming it."""
        with naming(name):
            text = body.get(name)
            return normalise.clean_text("" if text is None else text, max_length=LONGEST_REASON)

    def store_of(self, body):
        """The store in `store`, by code or id; for a token that is bound to stores one of its own,
        its only one where none is named. Raises ValidationError naming it, PermissionDenied."""
        return store_for(self.principal, body.get("store"))

    # --- answers
    def page(self, rows, serializer_class=None):
        """One page of a list, filtered and in order."""
        shown = self.paginate_queryset(self.filter_queryset(rows))
        serializer_class = serializer_class or self.get_serializer_class()
        context = self.get_serializer_context()
        return self.get_paginated_response(serializer_class(shown, many=True, context=context).data)

    def shown(self, row, *, status=200, serializer_class=None):
        """The answer that shows one row."""
        serializer_class = serializer_class or self.get_serializer_class()
        context = self.get_serializer_context()
        return Response(serializer_class(row, context=context).data, status=status)

    @contextmanager
    def at_expected_version(self, customer):
        """Run a deed on a customer who is at the version that If-Match names, where it names one.
        Raises VersionConflict, PreconditionRequired."""
        required = self.request.method != "POST" and self.tenant.setting("require_if_match")
        expected = expected_version(self.request, required=required, current=customer.version)
        if expected is None:
            yield
            return
        with transaction.atomic():
            with open_change(
                customer,
                deed="customer.updated",
                expected_version=expected,
                allow_anonymised=True,
            ):
                pass  # the row stays locked until the transaction around it ends
            yield


class naming:
    """Gives a ValidationError from inside the block the name of a field."""

    def __init__(self, name):
        self.name = name

    def __enter__(self):
        return self

    def __exit__(self, _kind, error, _traceback):
        if isinstance(error, ValidationError) and not hasattr(error, "error_dict"):
            raise ValidationError({self.name: error.error_list}) from error


def store_for(principal, named):
    """The store at which a caller does something; see `LoyaltyViewSet.store_of`."""
    store = None
    if named not in (None, ""):
        store = find_store(named)
        if store is None:
            missing = ValidationError(_("There is no such store."), code="does_not_exist")
            raise ValidationError({"store": missing})
    if not principal.store_ids:
        return store
    if store is None:
        if len(principal.store_ids) > 1:
            required = ValidationError(_("Name one of the token's stores."), code="required")
            raise ValidationError({"store": required})
        return Store.objects.get(pk=next(iter(principal.store_ids)))
    if store.pk not in principal.store_ids:
        raise PermissionDenied("This token is for other stores.", "other_store")
    return store
