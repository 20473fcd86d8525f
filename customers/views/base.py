"""What every endpoint about one customer shares."""

import uuid
from contextlib import contextmanager
from functools import lru_cache

from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import PermissionDenied
from rest_framework.response import Response

from api.etags import etag, expected_version
from api.views import ViewSet
from customers.models import Customer
from customers.records import record_of
from customers.services import CustomerGone, get_customer, open_change, survivor_of
from tenancy.permissions import CUSTOMER, sees_field


@lru_cache(maxsize=8)
def _hidden_from(role, names):
    return frozenset(name for name in names if not sees_field(role, name))


def visible(record, role):
    """A record without what `role` may not see."""
    hidden = _hidden_from(role, tuple(record))
    return {name: value for name, value in record.items() if name not in hidden}


class CustomerPartViewSet(ViewSet):
    """An endpoint below one customer, named by `customer_id` in the path.

    For a customer every other record is "not there". `own_profile` marks what the tenant may
    close to customers with the setting `allow_profile_edits`.
    """

    own_profile = frozenset()

    def initial(self, request, *args, **kwargs):
        super().initial(request, *args, **kwargs)
        by_customer = self.principal is not None and self.principal.kind == CUSTOMER
        if (
            by_customer
            and self.action in self.own_profile
            and not self.tenant.setting("allow_profile_edits")
        ):
            raise PermissionDenied("This business keeps the profiles itself.", "profile_closed")

    def get_queryset(self):
        return Customer.objects.all()

    def customer_id(self):
        """The id in the path as a UUID; raises Http404 for what cannot be one, and for a record
        that is not the caller's own where only the own one counts. The id of a record that was
        merged into the caller's own is the caller's."""
        try:
            customer_id = uuid.UUID(self.kwargs["customer_id"])
        except ValueError as error:
            raise Http404 from error
        if self.principal.kind == CUSTOMER and customer_id != self.principal.customer_id:
            if survivor_of(customer_id) != self.principal.customer_id:
                raise Http404
            customer_id = self.principal.customer_id
        self.subject_id = customer_id
        return customer_id

    def customer(self):
        """The customer of the path, of an old id the survivor; raises Http404 or CustomerGone."""
        customer = get_customer(self.customer_id())
        self.subject_id = customer.pk
        return customer

    def expected_version(self, customer, body=None):
        """The version that the caller has seen; see `api.etags`. PATCH, PUT and DELETE must name
        one where the tenant says so."""
        required = self.request.method != "POST" and self.tenant.setting("require_if_match")
        return expected_version(self.request, body, required=required, current=customer.version)

    @contextmanager
    def at_expected_version(self, customer, body=None):
        """Run a deed that takes no version itself: nobody changes the customer between the check
        and the deed. Raises VersionConflict."""
        expected = self.expected_version(customer, body)
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

    def fields(self, *known, required=()):
        """The body, which may have the fields `known` and must have `required`.

        Raises ValidationError by field.
        """
        body = self.body()
        unknown = {
            name[:100]: ValidationError(_("Unknown field."), code="unknown")
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

    def own_part(self, name):
        """A UUID of a part in the path; raises Http404 for what cannot be one."""
        try:
            return uuid.UUID(self.kwargs[name])
        except ValueError as error:
            raise Http404 from error

    def shown(self, record):
        """A record as this caller may see it."""
        return visible(record, self.principal.kind)

    def record_response(self, customer_id, *, status=200, headers=None):
        """The answer that shows one customer as it now is, with its ETag."""
        record = record_of(customer_id)
        if record is None:
            raise CustomerGone
        self.subject_id = record["id"]
        headers = {"ETag": etag(record["version"]), **(headers or {})}
        return Response(self.shown(record), status=status, headers=headers)
