"""Sales and returns: listed, read, recorded alone or in batches."""

from contextlib import contextmanager

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction as database
from django.db.models import F, Sum
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.response import Response

from api.problems import problem_of, report
from api.schema import FieldErrorSerializer
from loyalty.filters import TransactionFilter
from loyalty.models import Entry, Transaction
from loyalty.serializers.transactions import (
    TransactionSerializer,
    TransactionWriteSerializer,
    WholeTransactionSerializer,
)
from loyalty.services.earning import SOURCE
from loyalty.views.base import LoyaltyViewSet
from loyalty.views.recording import read, record

TransactionResult = inline_serializer(
    "TransactionResult",
    {
        "index": serializers.IntegerField(help_text="Its place in the request, from 0."),
        "status": serializers.IntegerField(help_text="As the single endpoint would answer."),
        "number": serializers.CharField(required=False),
        "id": serializers.UUIDField(required=False),
        "customer": serializers.UUIDField(required=False),
        "type": serializers.CharField(required=False),
        "detail": serializers.CharField(required=False),
        "errors": FieldErrorSerializer(many=True, required=False),
    },
    many=True,
)
TransactionAnswer = inline_serializer("TransactionBatchAnswer", {"results": TransactionResult})


class TransactionViewSet(LoyaltyViewSet):
    """Sales and returns of the tenant. Customers see their own."""

    operation_prefix = "transactions"
    serializer_class = TransactionSerializer
    filterset_class = TransactionFilter
    ordering = ("-purchased_at",)
    ordering_fields = ("purchased_at", "number")

    def get_queryset(self):
        rows = Transaction.objects.select_related("account", "store")
        if self.by_customer:
            return rows.filter(account__customer=self.principal.customer_id)
        return rows

    @extend_schema(responses=TransactionSerializer(many=True), summary="List transactions")
    def list(self, request):
        """Sales and returns, the latest purchase first."""
        return self.page(self.get_queryset())

    @extend_schema(responses=WholeTransactionSerializer, summary="Read a transaction")
    def retrieve(self, request, transaction_id):
        """One transaction, with its lines and the points that it moved."""
        return Response(self.whole(self.row("transaction_id")))

    @extend_schema(
        request=TransactionWriteSerializer,
        responses={200: WholeTransactionSerializer, 201: WholeTransactionSerializer},
        summary="Record a transaction",
    )
    def create(self, request):
        """Record a sale or a return of a customer, named by `customer` or found by `match`; the
        account's counters, points and level move with it. The same number with the same content
        again is answered 200 and counts no more; with another content it is refused (409)."""
        recorded, created = record(*read(self.principal, self.body()))
        row = self.get_queryset().get(pk=recorded.pk)
        self.subject_id = row.account.customer_id
        told = self.whole(row)
        if not created:
            return Response(told)
        return self.created(told, reverse("api:transaction", args=[row.pk]))

    @extend_schema(
        request=inline_serializer(
            "TransactionBatch",
            {"transactions": TransactionWriteSerializer(many=True)},
        ),
        responses={200: TransactionAnswer, 207: TransactionAnswer},
        summary="Record many transactions",
    )
    def batch(self, request):
        """Record up to 1000 transactions, each customer's in the order of the request. Each is
        checked, allowed and refused as by its own request and stands or falls alone: 200 when all
        went well, else 207. Results come in the order of the request."""
        items = self.items()
        results, wanted = {}, []
        for index, item in enumerate(items):
            with self.place(results, index, item):
                wanted.append((index, *read(self.principal, _object(item))))
        # By the customers' ids: that is the order in which everybody locks them, and under an
        # Idempotency-Key the whole batch is one transaction.
        for index, customer, values in sorted(wanted, key=lambda row: str(row[1].pk)):
            with self.place(results, index, items[index]), database.atomic():
                row, created = record(customer, values)
                results[index] |= {
                    "status": 201 if created else 200,
                    "id": row.pk,
                    "customer": customer.pk,
                }
        told = [results[index] for index in range(len(items))]
        fine = all(result["status"] < 400 for result in told)
        return Response({"results": told}, status=200 if fine else 207)

    def items(self):
        """The transactions of a batch."""
        items = self.fields("transactions", required=("transactions",))["transactions"]
        if not isinstance(items, list):
            raise ValidationError(
                {"transactions": ValidationError(_("Must be a list."), code="invalid")}
            )
        if len(items) > settings.API_BATCH_LIMIT:
            too_many = _("At most %(n)d items.") % {"n": settings.API_BATCH_LIMIT}
            raise ValidationError({"transactions": ValidationError(too_many, code="too_many")})
        return items

    @contextmanager
    def place(self, results, index, item):
        """Let the work inside fill results[index]; a refusal is told there and goes no further."""
        number = item.get("number") if isinstance(item, dict) else None
        told = {"index": index} | ({"number": number} if isinstance(number, str) else {})
        results[index] = told
        try:
            yield
        except Exception as error:
            problem = problem_of(error)
            if problem.status >= 500:
                report(error, self.request._request, problem)
            refusal = problem.document(self.request._request)
            kept = ("status", "type", "detail", "errors")
            results[index] = told | {name: refusal[name] for name in kept if name in refusal}

    def whole(self, row):
        """A transaction with lines and points, as the API shows it."""
        moved = Entry.objects.of_source(SOURCE, str(row.pk)).aggregate(
            total=Sum(F("points") + F("locked_points"))
        )
        row.moved_points = moved["total"] or 0
        return WholeTransactionSerializer(row).data


def _object(item):
    if not isinstance(item, dict):
        raise ValidationError(_("Must be an object."), code="invalid")
    return item
