"""What single stores and the accounts department keep about a customer."""

from django.core.exceptions import ValidationError
from django.http import Http404
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.response import Response

from api.etags import etag
from customers.records import record_of
from customers.serializers import ChargeAccountSerializer, StoreProfileSerializer
from customers.services import (
    CustomerGone,
    add_extension,
    open_change,
    remove_charge_account,
    remove_extension,
    remove_store_profile,
    set_charge_account,
    set_store_profile,
)
from customers.stores import find_store
from customers.views.base import CustomerPartViewSet

MOST_EXTENSIONS = 100


class StorePartViewSet(CustomerPartViewSet):
    filter_backends = []
    pagination_class = None
    list_actions = frozenset()

    def record(self):
        """The record of the customer in the path; raises CustomerGone."""
        record = record_of(self.customer_id())
        if record is None:
            raise CustomerGone
        return record

    def answer(self, data, record):
        """A part of a record, with the record's ETag."""
        return Response(data, headers={"ETag": etag(record["version"])})


class StoreProfileViewSet(StorePartViewSet):
    """What a store keeps about a customer: its till's reference, a note, extensions."""

    operation_prefix = "store_profiles"

    @extend_schema(responses=StoreProfileSerializer(many=True), summary="List store profiles")
    def list(self, request, customer_id):
        """The profiles of all stores."""
        record = self.record()
        profiles = {"results": record["store_profiles"], "next": None, "previous": None}
        return self.answer(profiles, record)

    @extend_schema(responses=StoreProfileSerializer, summary="Read a store profile")
    def retrieve(self, request, customer_id, store_code):
        """The profile at one store."""
        record = self.record()
        store = self._store()
        for profile in record["store_profiles"]:
            if profile["store"] == store.code:
                return self.answer(profile, record)
        raise Http404

    @extend_schema(
        request=StoreProfileSerializer,
        responses=StoreProfileSerializer,
        summary="Set a store profile",
    )
    def update(self, request, customer_id, store_code):
        """Create or change the profile at a store; `extensions` replaces the whole list."""
        customer, store = self.customer(), self._writable_store()
        body = self.fields("pos_ref", "note", "extensions")
        extensions = body.pop("extensions", None)
        wanted = None if extensions is None else _codes(extensions)
        with (
            self.at_expected_version(customer),
            open_change(customer, deed="customer.updated") as change,
        ):
            set_store_profile(customer, store, **body)
            if wanted is not None:
                _switch(change, store, wanted)
        return self.retrieve(request, customer_id, store_code)

    @extend_schema(responses={204: None}, summary="Remove a store profile")
    def destroy(self, request, customer_id, store_code):
        """Remove the profile and the extensions at a store."""
        customer, store = self.customer(), self._writable_store()
        with (
            self.at_expected_version(customer),
            open_change(customer, deed="customer.updated") as change,
        ):
            there = remove_store_profile(customer, store)
            there |= bool(_switch(change, store, []))
        if not there:
            raise Http404
        return Response(status=204, headers={"ETag": etag(customer.version)})

    def _store(self):
        store = find_store(self.kwargs["store_code"])
        if store is None:
            raise Http404
        return store

    def _writable_store(self):
        store = self._store()
        if self.principal.store_ids and store.pk not in self.principal.store_ids:
            raise PermissionDenied("This token is for other stores.", "other_store")
        return store


def _codes(extensions):
    if not isinstance(extensions, list) or not all(isinstance(code, str) for code in extensions):
        raise ValidationError(
            {"extensions": ValidationError(_("Must be a list of codes."), code="invalid")}
        )
    if len(extensions) > MOST_EXTENSIONS:
        too_many = _("At most %(n)d entries.") % {"n": MOST_EXTENSIONS}
        raise ValidationError({"extensions": ValidationError(too_many, code="max_length")})
    return extensions


def _switch(change, store, wanted):
    """Make the extensions at a store exactly `wanted`; returns how many were switched."""
    present = set(change.customer.extensions.filter(store=store).values_list("code", flat=True))
    kept = set()
    for index, code in enumerate(wanted):
        try:
            kept.add(add_extension(change.customer, store, code).code)
        except ValidationError as error:
            raise ValidationError({f"extensions.{index}": error.messages}) from error
    for code in sorted(present - kept):
        remove_extension(change.customer, store, code)
    return len(present ^ kept)


class ChargeAccountViewSet(StorePartViewSet):
    """The account that a customer may buy on."""

    operation_prefix = "charge_account"

    @extend_schema(responses=ChargeAccountSerializer, summary="Read the charge account")
    def retrieve(self, request, customer_id):
        """The charge account, or 404 where there is none."""
        record = self.record()
        if record["charge_account"] is None:
            raise Http404
        return self.answer(record["charge_account"], record)

    @extend_schema(
        request=ChargeAccountSerializer,
        responses=ChargeAccountSerializer,
        summary="Set the charge account",
    )
    def update(self, request, customer_id):
        """Open, change or retire the charge account."""
        customer = self.customer()
        body = self.fields("number", "retired")
        with self.at_expected_version(customer):
            set_charge_account(customer, **body)
        return self.retrieve(request, customer_id)

    @extend_schema(responses={204: None}, summary="Remove the charge account")
    def destroy(self, request, customer_id):
        """Close the charge account altogether."""
        customer = self.customer()
        with self.at_expected_version(customer):
            there = remove_charge_account(customer)
        if not there:
            raise Http404
        return Response(status=204, headers={"ETag": etag(customer.version)})
