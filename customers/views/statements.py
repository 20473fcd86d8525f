"""Consents and devices of a customer."""

from django.core.exceptions import ValidationError
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.response import Response

from api.etags import etag
from api.problems import FieldsRefused
from customers.models import Consent, Device
from customers.serializers import ConsentSerializer, DeviceSerializer
from customers.services import (
    NoSuchEntry,
    add_device,
    current_consents,
    record_consent,
    remove_device,
)
from customers.stores import find_store
from customers.views.base import CustomerPartViewSet
from customers.views.writing import STAFF_EVIDENCE
from tenancy.models import Store
from tenancy.permissions import CUSTOMER

EVIDENCE = ("purpose", "granted", "at", "store", "source", "wording_version")


class StatedConsentSerializer(ConsentSerializer):
    """One statement, with who made it."""

    id = serializers.UUIDField()
    actor = serializers.CharField(help_text="staff, service, customer or system.")


class ConsentViewSet(CustomerPartViewSet):
    """What a customer agreed to: appended, never changed."""

    operation_prefix = "consents"
    filter_backends = []
    ordering_fields = ()

    @extend_schema(responses=StatedConsentSerializer(many=True), summary="List consents")
    def list(self, request, customer_id):
        """Every statement that was ever made, the newest first."""
        statements = Consent.objects.filter(customer=self.customer()).order_by("-version", "-id")
        rows = self.paginate_queryset(statements.select_related("store"))
        return self.get_paginated_response([_statement(row) for row in rows])

    @extend_schema(
        request=ConsentSerializer,
        responses={201: StatedConsentSerializer, 200: StatedConsentSerializer},
        summary="State a consent",
    )
    def create(self, request, customer_id):
        """Grant or withdraw a consent. What holds already is no new statement (200)."""
        customer = self.customer()
        body = self.fields(*EVIDENCE, required=("purpose",))
        if self.principal.kind == CUSTOMER and set(STAFF_EVIDENCE) & set(body):
            raise FieldsRefused(set(STAFF_EVIDENCE) & set(body))
        if len(self.principal.store_ids) == 1 and body.get("store") is None:
            body["store"] = Store.objects.get(pk=next(iter(self.principal.store_ids)))
        self._refuse_other_stores(body.get("store"))
        before = customer.version
        try:
            with self.at_expected_version(customer):
                record_consent(customer, **{"granted": None, **body})
        except ValidationError as error:
            raise _without_place(error) from error
        customer.refresh_from_db(fields=["version"])
        statement = current_consents(customer)[_purpose(body)]
        status = 201 if customer.version != before else 200
        return Response(
            _statement(statement), status=status, headers={"ETag": etag(customer.version)}
        )

    def _refuse_other_stores(self, named):
        """A token that is bound to stores states what was said there. An unknown store is left for
        the service to name."""
        bound = self.principal.store_ids
        store = named if isinstance(named, Store) else named and find_store(str(named).strip())
        if bound and store and store.pk not in bound:
            raise PermissionDenied("This token is for other stores.", "other_store")


def _purpose(body):
    return Consent(purpose=body["purpose"]).purpose.strip()


def _without_place(error):
    """The service speaks of a list of statements; here there is one."""
    if not hasattr(error, "error_dict"):
        return error
    return ValidationError(
        {name.removeprefix("consents.0."): errors for name, errors in error.error_dict.items()}
    )


def _statement(row):
    return {
        "id": row.pk,
        "purpose": row.purpose,
        "granted": row.granted,
        "at": row.at,
        "store": row.store.code if row.store else None,
        "source": row.source,
        "wording_version": row.wording_version,
        "actor": row.actor_kind,
    }


class DeviceViewSet(CustomerPartViewSet):
    """Push tokens. A token never stands in a URL: it goes by its id, or in a body."""

    operation_prefix = "devices"
    operations = {"remove": "devices.destroy"}
    filter_backends = []
    pagination_class = None
    list_actions = frozenset()

    @extend_schema(responses=DeviceSerializer(many=True), summary="List devices")
    def list(self, request, customer_id):
        """All devices of the customer."""
        rows = [_device(row) for row in Device.objects.filter(customer=self.customer())]
        return Response({"results": rows, "next": None, "previous": None})

    @extend_schema(
        request=DeviceSerializer, responses={201: DeviceSerializer}, summary="Add a device"
    )
    def create(self, request, customer_id):
        """Register a push token; one that is there already stays as it is."""
        customer = self.customer()
        token = self.fields("token", required=("token",))["token"]
        with self.at_expected_version(customer):
            device = add_device(customer, token)
        return Response(_device(device), status=201)

    @extend_schema(responses={204: None}, summary="Remove a device")
    def destroy(self, request, customer_id, device_id):
        """Forget a device by its id."""
        customer = self.customer()
        device = Device.objects.filter(customer=customer, pk=self.own_part("device_id")).first()
        if device is None:
            raise NoSuchEntry
        return self._removed(customer, device.token)

    @extend_schema(
        request=DeviceSerializer, responses={204: None}, summary="Remove a device by its token"
    )
    def remove(self, request, customer_id):
        """Forget a device by its push token; repeatable."""
        customer = self.customer()
        token = self.fields("token", required=("token",))["token"]
        if not isinstance(token, str):
            raise ValidationError({"token": ValidationError("This must be text.", "not_text")})
        return self._removed(customer, token)

    def _removed(self, customer, token):
        with self.at_expected_version(customer):
            remove_device(customer, token)
        return Response(status=204, headers={"ETag": etag(customer.version)})


def _device(row):
    return {"id": row.pk, "token": row.token, "created_at": row.created_at}
