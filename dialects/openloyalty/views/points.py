"""Points that are moved, and sales: what a customer's standing is made of."""

import uuid

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from rest_framework.response import Response

from customers.services import get_customer
from customers.services.placing import store_of_registration
from dialects.openloyalty.loyalty_serializers import (
    OpenLoyaltyEarning,
    OpenLoyaltyGift,
    OpenLoyaltyOwnGift,
    OpenLoyaltyTransaction,
    OpenLoyaltyTransfer,
)
from dialects.openloyalty.views.base import CustomerEndpoint
from loyalty.models import Entry
from loyalty.services import (
    add_points,
    cancel_entry,
    record_transaction,
    spend_points,
    transfer_points,
)
from loyalty.services.matching import match_customer
from loyalty.services.sending import find_party, send_own_points
from tenancy.permissions import CUSTOMER

NOT_CANCELLABLE = "this transfer cannot be canceled"


class OpenLoyaltyPointsViewSet(CustomerEndpoint):
    """`points/transfer` and the transfers between customers."""

    operation_prefix = "points"

    def add(self, request, tenant_code):
        """`transfer[…]`: points for a customer; how long they live the programme says."""
        values = self.read_form(OpenLoyaltyEarning).values
        customer = find_party(values["customer"], "customer")
        return moved(add_points(customer, points=values["points"], note=values.get("comment", "")))

    def spend(self, request, tenant_code):
        """`transfer[…]`: points that a customer pays with."""
        values = self.read_form(OpenLoyaltyTransfer).values
        customer = find_party(values["customer"], "customer")
        note = values.get("comment", "")
        return moved(spend_points(customer, points=values["points"], note=note))

    def transfer(self, request, tenant_code):
        """`transfer[…]`: from one customer to another; the answer names what was taken."""
        values = self.read_form(OpenLoyaltyGift).values
        parties = [find_party(values[name], name) for name in ("sender", "receiver")]
        note = values.get("comment", "")
        return moved(transfer_points(*parties, points=values["points"], note=note)[0])

    def send(self, request, tenant_code):
        """The same by the customer who sends."""
        if self.principal.kind != CUSTOMER:
            raise PermissionDenied
        values = self.read_form(OpenLoyaltyOwnGift).values
        customer = get_customer(self.principal.customer_id)
        sent, _received = send_own_points(
            customer,
            receiver=values["receiver"],
            points=values["points"],
            note=values.get("comment", ""),
        )
        return moved(sent)

    def cancel(self, request, transfer, tenant_code):
        """Take back points that were given; what was spent stays spent."""
        try:
            entry = Entry.objects.filter(pk=uuid.UUID(transfer)).first()
        except ValueError as error:
            raise Http404 from error
        if entry is None:
            raise Http404
        try:
            cancel_entry(entry)
        except ValidationError as refusal:
            if getattr(refusal, "code", None) not in ("not_cancellable", "cancelled"):
                raise
            return Response({"error": NOT_CANCELLABLE}, status=400)
        return Response([])


class OpenLoyaltyTransactionViewSet(CustomerEndpoint):
    """`transaction`: sales and returns."""

    operation_prefix = "transactions"

    def create(self, request, tenant_code):
        """`transaction[…]`; the same document again is the same transaction."""
        form = self.read_form(OpenLoyaltyTransaction)
        store = store_of_registration(self.principal, named=form.values.get("store"))
        customer = match_customer(form.buyer())
        recorded, _created = record_transaction(customer, store=store, **form.transaction())
        return Response({"transactionId": recorded.pk})


def moved(entry):
    """The answer that names an entry of the ledger."""
    return Response({"pointsTransferId": entry.pk})
