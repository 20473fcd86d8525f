"""Many changes in one request: each item goes the way of the single endpoint, on its own."""

import uuid

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.response import Response

import normalise
from api.etags import NO_VERSION
from api.problems import PreconditionRequired, problem_of, report
from api.schema import FieldErrorSerializer
from customers.models import Customer
from customers.services import (
    create_or_update,
    delete_customer,
    get_customer,
    open_change,
    without_former,
)
from customers.views import writing
from customers.views.base import CustomerPartViewSet
from tenancy.services import take_customer_numbers

DEEDS = ("create", "update", "delete", "upsert")


class BatchResultSerializer(serializers.Serializer):
    """What became of one item."""

    deed = serializers.ChoiceField(choices=DEEDS)
    index = serializers.IntegerField(help_text="Its place in its list, from 0.")
    status = serializers.IntegerField(help_text="As the single endpoint would have answered.")
    id = serializers.UUIDField(required=False)
    version = serializers.IntegerField(required=False)
    type = serializers.CharField(required=False)
    detail = serializers.CharField(required=False)
    errors = FieldErrorSerializer(many=True, required=False)


class BatchAnswerSerializer(serializers.Serializer):
    """What became of every item, in the order of the request."""

    results = BatchResultSerializer(many=True)


class BatchViewSet(CustomerPartViewSet):
    """Create, update, delete and upsert in one request."""

    operation_prefix = "customers"
    filter_backends = []
    pagination_class = None
    list_actions = frozenset()
    numbers = None

    def prepare(self):
        """Take the customer numbers before the transaction that an Idempotency-Key puts around the
        whole batch: nobody else could register until its end."""
        items = self._items()
        n = sum(deed in ("create", "upsert") for deed, _index, _item in items)
        if n:
            first = take_customer_numbers(self.tenant, n)
            self.numbers = iter(range(first, first + n))

    @extend_schema(
        request=inline_serializer(
            "Batch",
            {
                deed: serializers.ListField(child=serializers.DictField(), required=False)
                for deed in DEEDS
            },
        ),
        responses={
            200: BatchAnswerSerializer,
            207: BatchAnswerSerializer,
        },
        summary="Change many customers",
    )
    def batch(self, request):
        """`create` takes registrations; `update` changes with an `id`; `delete` ids, or objects
        with `id` and `version`; `upsert` changes the customer with the `id`, else with the
        `external_id`, or registers it. Every item stands for itself: 200 when all went well, 207
        when some were refused. Results come in the order of the request."""
        results = [self._result(*item) for item in self._items()]
        fine = all(result["status"] < 400 for result in results)
        return Response({"results": results}, status=200 if fine else 207)

    def _items(self):
        body = self.body()
        errors = {
            name[:100]: ValidationError(_("Unknown field."), code="unknown")
            for name in body
            if name not in DEEDS
        }
        for deed in DEEDS:
            if deed in body and not isinstance(body[deed], list):
                errors[deed] = ValidationError(_("Must be a list."), code="invalid")
        if errors:
            raise ValidationError(errors)
        items = [(deed, n, item) for deed, list_ in body.items() for n, item in enumerate(list_)]
        if len(items) > settings.API_BATCH_LIMIT:
            raise ValidationError(
                _("At most %(limit)d items."),
                code="too_many",
                params={"limit": settings.API_BATCH_LIMIT},
            )
        return items

    def _result(self, deed, index, item):
        place = {"deed": deed, "index": index}
        try:
            with transaction.atomic():
                status, customer_id, version = getattr(self, f"_{deed}")(item)
        except Exception as error:
            problem = problem_of(error)
            if problem.status >= 500:
                report(error, self.request._request, problem)
            refusal = problem.document(self.request._request)
            kept = ("status", "type", "detail", "errors")
            named = {"id": item["id"]} if isinstance(item, dict) and _is_uuid(item) else {}
            return {**place, **named, **{name: refusal[name] for name in kept if name in refusal}}
        result = {**place, "status": status, "id": customer_id}
        return result if version is None else {**result, "version": version}

    # --- one item each: (status, id, version)
    def _create(self, item):
        number = next(self.numbers) if self.numbers else None
        customer = writing.register(self.principal, _object(item), number=number)
        return 201, customer.pk, customer.version

    def _update(self, item):
        item = _object(item)
        customer = get_customer(_id(item))
        if customer.pk != _id(item):
            item = without_former(customer, item)
        customer = self._changed(customer, item)
        return 200, customer.pk, customer.version

    def _changed(self, customer, item):
        item = {name: value for name, value in item.items() if name != "id"}
        expected = self._version(item, customer)
        return writing.change(self.principal, customer, item, expected=expected)

    def _delete(self, item):
        if not self.principal.may("customers.batch_delete"):
            raise PermissionDenied("You may not delete customers.", "delete_forbidden")
        item = _object({"id": item} if isinstance(item, str) else item)
        customer = get_customer(_id(item))
        writing.check_names(item, {"id", "version"})
        expected = self._version(item, customer)
        with open_change(
            customer,
            deed="customer.updated",
            expected_version=expected,
            allow_anonymised=True,
        ):
            pass
        delete_customer(customer)
        return 204, customer.pk, None

    def _upsert(self, item):
        item = _object(item)
        number = next(self.numbers) if self.numbers else None
        if item.get("id") is None and item.get("external_id") in (None, ""):
            required = ValidationError(_("An upsert needs id or external_id."), code="required")
            raise ValidationError({"external_id": required})
        registration = {name: item[name] for name in item if name != "version"}
        customer, created = create_or_update(
            find=lambda: self._match(item),
            create=lambda: writing.register(self.principal, registration, number=number),
            update=lambda found: self._upserted(found, item),
        )
        return 201 if created else 200, customer.pk, customer.version

    def _upserted(self, found, item):
        if item.get("id") is not None:
            by_former_key = found.pk != _id(item)
        else:
            by_former_key = found.external_id != item["external_id"]
        return self._changed(found, without_former(found, item) if by_former_key else item)

    def _match(self, item):
        if item.get("id") is not None:
            return Customer.objects.known_as("pk", _id(item)).first()
        try:
            key = normalise.clean_identifier(item["external_id"], max_length=200)
        except ValidationError as error:
            raise ValidationError({"external_id": error.error_list}) from error
        return Customer.objects.known_as("external_id", key).first()

    def _version(self, item, customer):
        version = item.get("version")
        if version is None:
            if self.tenant.setting("require_if_match"):
                raise PreconditionRequired
            return None
        if isinstance(version, bool) or not isinstance(version, int):
            raise ValidationError(
                {"version": ValidationError(_("Enter a whole number."), code="invalid")}
            )
        return version if 0 < version < 2**31 else NO_VERSION


def _object(item):
    if not isinstance(item, dict):
        raise ValidationError(_("Must be an object."), code="invalid")
    return item


def _is_uuid(item):
    try:
        uuid.UUID(str(item.get("id")))
    except ValueError:
        return False
    return True


def _id(item):
    if not _is_uuid(item):
        raise ValidationError({"id": ValidationError(_("Must be a UUID."), code="invalid")})
    return uuid.UUID(str(item["id"]))
