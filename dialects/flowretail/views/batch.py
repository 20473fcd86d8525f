"""Many changes in one request: each item goes the way of the single endpoint, on its own."""

import uuid

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import PermissionDenied
from rest_framework.response import Response

import normalise
from customers.models import Customer
from customers.services import (
    CustomerGone,
    create_or_update,
    delete_customer,
)
from dialects.flowretail.base import told
from dialects.flowretail.serializers import OwnUid
from dialects.flowretail.views.base import CustomerEndpoint
from dialects.flowretail.writing import change, register
from dialects.problems import problem_of, report

DEEDS = ("create", "update", "delete", "upsert")


class FlowRetailBatchViewSet(CustomerEndpoint):
    """`/customers/batch`."""

    def batch(self, request, tenant_code):
        """`create`, `update`, `delete` and `upsert`, in this order whatever the body's; 200 when
        all went well, 207 when any item was refused."""
        lists = self._lists()
        results = {
            deed: [self._result(deed, item) for item in lists[deed]]
            for deed in DEEDS
            if deed in lists
        }
        fine = all(result["error"] is None for done in results.values() for result in done)
        return Response(results, status=200 if fine else 207)

    def _lists(self):
        body = self.body()
        lists = {deed: body[deed] for deed in DEEDS if body.get(deed) is not None}
        errors = {
            deed: ValidationError(_("Must be a list."), code="invalid")
            for deed, items in lists.items()
            if not isinstance(items, list)
        }
        if errors:
            raise ValidationError(errors)
        if sum(map(len, lists.values())) > settings.API_BATCH_LIMIT:
            raise ValidationError(
                _("At most %(limit)d items."),
                code="too_many",
                params={"limit": settings.API_BATCH_LIMIT},
            )
        return lists

    def _result(self, deed, item):
        try:
            with transaction.atomic():
                status, customer_id, external_id = getattr(self, f"_{deed}")(item)
        except Exception as failure:
            problem = problem_of(failure)
            if problem.status >= 500:
                report(failure, self.request._request, problem)
            named = item if isinstance(item, dict) else {"customerUid": item}
            return {
                "status": problem.status,
                **{name: _echo(named.get(name)) for name in ("customerUid", "externalId")},
                "error": told(problem),
            }
        return {
            "status": status,
            "customerUid": customer_id,
            "externalId": external_id,
            "error": None,
        }

    # --- one item each: (status, its key, its external id)
    def _create(self, item):
        customer = register(self.principal, _object(item))
        return 201, customer.pk, customer.external_id

    def _update(self, item):
        item = _object(item)
        customer = self._found(item)
        if customer is None:
            raise CustomerGone
        customer = self._changed(customer, item)
        return 200, customer.pk, customer.external_id

    def _delete(self, item):
        if not self.principal.may("customers.batch_delete"):
            raise PermissionDenied
        customer = self._found({"customerUid": item} if isinstance(item, str) else _object(item))
        if customer is None:
            raise CustomerGone
        key, external_id = customer.pk, customer.external_id
        delete_customer(customer)
        return 204, key, external_id

    def _upsert(self, item):
        item = _object(item)
        customer, created = create_or_update(
            find=lambda: self._found(item),
            create=lambda: register(self.principal, item),
            update=lambda found: self._changed(found, item),
        )
        return 201 if created else 200, customer.pk, customer.external_id

    def _found(self, item):
        """The customer with the item's `customerUid`, else with its `externalId`, or None.

        Raises ValidationError for an item with neither.
        """
        if item.get("customerUid") is not None:
            key = _named("id", OwnUid().clean, item["customerUid"])
            return Customer.objects.known_as("pk", uuid.UUID(key)).first()
        if item.get("externalId") in (None, ""):
            required = ValidationError(_("Name customerUid or externalId."), code="required")
            raise ValidationError({"id": required})
        key = _named("external_id", normalise.clean_identifier, item["externalId"], max_length=200)
        return Customer.objects.known_as("external_id", key).first()

    def _changed(self, customer, item):
        if item.get("customerUid") is not None:
            by_former_key = item["customerUid"].lower() != str(customer.pk)
        else:
            by_former_key = item["externalId"] != customer.external_id
        return change(self.principal, customer, item, by_former_key=by_former_key)


def _object(item):
    if not isinstance(item, dict):
        raise ValidationError(_("Must be an object."), code="invalid")
    return item


def _named(name, clean, *args, **options):
    try:
        return clean(*args, **options)
    except ValidationError as error:
        raise ValidationError({name: error.error_list}) from error


def _echo(value):
    """What an item called its customer, where that is a name at all."""
    return value if isinstance(value, str) and len(value) <= 200 else None
