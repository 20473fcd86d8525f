"""Points: the timeline of a customer, the ledger of the tenant, and what moves them."""

import uuid

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

import normalise
from api.views import reason_of
from customers.models import Customer
from loyalty.amounts import number_in
from loyalty.filters import AllEntriesFilter, EntryFilter
from loyalty.models import Entry, LoyaltyAccount
from loyalty.programme import HUNDRED, programme_of
from loyalty.serializers.points import (
    AddedPointsSerializer,
    AdjustmentSerializer,
    EntrySerializer,
    OwnEntrySerializer,
    PointsSerializer,
    SentPointsSerializer,
    TenantEntrySerializer,
    TransferSerializer,
)
from loyalty.services import (
    Repeated,
    add_points,
    adjust_points,
    cancel_entry,
    spend_points,
    transfer_points,
)
from loyalty.views.base import LoyaltyViewSet, naming
from tenancy import clock
from tenancy.models import AccessToken, Store, User
from tenancy.permissions import SELLER

OTHER_DEED = _("This source has moved other points.")


class EntryViewSet(LoyaltyViewSet):
    """Entries of the ledger, however they are listed."""

    operation_prefix = "points"
    serializer_class = EntrySerializer
    filterset_class = EntryFilter

    def get_queryset(self):
        if getattr(self, "swagger_fake_view", False):
            return Entry.objects.none()
        return Entry.objects.as_told()

    def page(self, rows, serializer_class=None):
        shown = self.paginate_queryset(self.filter_queryset(rows))
        serializer_class = serializer_class or self.get_serializer_class()
        told = serializer_class(shown, many=True, context=context_of(shown))
        return self.get_paginated_response(told.data)

    def told(self, entries):
        """Entries as the API shows them, in their order."""
        rows = self.get_queryset().in_bulk([entry.pk for entry in entries])
        ordered = [rows[entry.pk] for entry in entries]
        return EntrySerializer(ordered, many=True, context=context_of(ordered)).data


class CustomerPointsViewSet(EntryViewSet):
    """One customer's points."""

    ordering = ("-seq",)
    ordering_fields = ("seq",)

    def get_serializer_class(self):
        return OwnEntrySerializer if self.by_customer else EntrySerializer

    @extend_schema(responses=EntrySerializer(many=True), summary="Read the timeline of points")
    def list(self, request, customer_id):
        """Every movement of the customer's points with the balance after it, the newest first. What
        has run out since the last movement gets its entry with the next one, or from the nightly
        job; `loyalty/` counts it already."""
        account = LoyaltyAccount.objects.filter(customer=self.customer()).first()
        return self.page(self.get_queryset().filter(account=account))

    @extend_schema(
        request=AddedPointsSerializer,
        responses={200: EntrySerializer, 201: EntrySerializer},
        summary="Let a customer earn points",
    )
    def add(self, request, customer_id):
        """Add points that something outside earned. The same `source` again answers the first
        entry (200); with another amount or customer it is refused (409)."""
        customer = self.customer()
        body = self.fields("points", "source", "note", "store", "at", required=("points",))
        points = self.points(body)
        return self.once(
            points,
            add_points,
            customer,
            points=points,
            source=self.source_of(body),
            at=self.moment(body),
            note=self.words(body, "note"),
            store=self.store_of(body),
        )

    @extend_schema(
        request=PointsSerializer,
        responses={200: EntrySerializer, 201: EntrySerializer},
        summary="Let a customer spend points",
    )
    def spend(self, request, customer_id):
        """Take points that the customer pays with; never more than there are (409). `source` as for
        adding."""
        customer = self.customer()
        body = self.fields("points", "source", "note", "store", required=("points",))
        points = self.points(body)
        return self.once(
            -points,
            spend_points,
            customer,
            points=points,
            source=self.source_of(body),
            note=self.words(body, "note"),
            store=self.store_of(body),
        )

    @extend_schema(
        request=AdjustmentSerializer,
        responses={200: EntrySerializer, 201: EntrySerializer},
        summary="Adjust a balance by hand",
    )
    def adjust(self, request, customer_id):
        """Correct a balance up or down, with a reason. Sellers may move as many points a day and
        customer as the setting `seller_points_ceiling` says; above it 400, code `ceiling`."""
        customer = self.customer()
        body = self.fields("points", "reason", "source", "store", required=("points",))
        points = self.points(body, either_sign=True)
        return self.once(
            points,
            adjust_points,
            customer,
            points=points,
            reason=self.words(body, "reason") or reason_of(request),
            source=self.source_of(body),
            ceiling=self.ceiling(),
            store=self.store_of(body),
        )

    @extend_schema(
        request=SentPointsSerializer,
        responses={200: TransferSerializer, 201: TransferSerializer},
        summary="Send points to another customer",
    )
    def transfer(self, request, customer_id):
        """Send points to another customer; they keep their expiry and never count as earned."""
        customer = self.customer()
        known = ("receiver", "points", "source", "note")
        body = self.fields(*known, required=("receiver", "points"))
        points, receiver = self.points(body), self.receiver(body["receiver"])
        source = self.source_of(body) or ("hand", uuid.uuid4())
        status = 201
        try:
            transfer_points(
                customer,
                receiver,
                points=points,
                source=source,
                note=self.words(body, "note"),
            )
        except Repeated as repeated:
            if repeated.entry.points != -points:
                raise conflict() from repeated
            status = 200
        sent, received = self.both_ends(source)
        if not any(entry.account.customer_id == receiver.pk for entry in received):
            raise conflict()
        return Response({"sent": self.told([sent])[0], "received": self.told(received)}, status)

    def both_ends(self, source):
        """The entries that a transfer made: (sent, received)."""
        kind, name = source
        sent = Entry.objects.of_source(kind, str(name)).get(kind=Entry.Kind.TRANSFER_OUT)
        parts = [f"{name}:{index}" for index in range(sent.uses.count())]
        received = Entry.objects.filter(
            source_kind=kind, source_id__in=parts, kind=Entry.Kind.TRANSFER_IN
        )
        return sent, list(received.select_related("account").order_by("seq"))

    # --- what the bodies say
    def once(self, moved, deed, customer, **values):
        """Do it; a source that has done it before is answered with its entry, when that moved the
        same points."""
        values = {name: value for name, value in values.items() if value is not None}
        try:
            entry, status = deed(customer, **values), 201
        except Repeated as repeated:
            entry, status = repeated.entry, 200
            if entry.points + entry.locked_points != moved:
                raise conflict() from repeated
        return Response(self.told([entry])[0], status=status)

    def points(self, body, *, either_sign=False):
        """`points` of a body in hundredths."""
        with naming("points"):
            return number_in(body["points"], minimum=None if either_sign else 0)

    def moment(self, body):
        """`at` of a body: an instant that has been, or None."""
        if body.get("at") in (None, ""):
            return None
        with naming("at"):
            at = normalise.parse_instant(body["at"], tz=self.tenant.timezone)
            if at > clock.now():
                raise ValidationError(_("Lies in the future."), code="future")
        return at

    def receiver(self, text):
        """The customer who gets the points. Raises ValidationError naming `receiver`."""
        with naming("receiver"):
            try:
                found = Customer.objects.filter(pk=uuid.UUID(str(text))).first()
            except ValueError:
                found = None
            if found is None:
                raise ValidationError(_("There is no such customer."), code="does_not_exist")
        return found

    def ceiling(self):
        """How many points the caller may adjust, in hundredths; None: any."""
        if self.principal.kind != SELLER:
            return None
        return programme_of(self.tenant).seller_points_ceiling * HUNDRED


class LedgerViewSet(EntryViewSet):
    """The ledger of all customers."""

    list_actions = frozenset({"list_all"})
    serializer_class = TenantEntrySerializer
    filterset_class = AllEntriesFilter
    ordering = ("-created_at",)
    ordering_fields = ("created_at",)

    @extend_schema(responses=TenantEntrySerializer(many=True), summary="List all entries")
    def list_all(self, request):
        """Every movement of points in the programme, the newest first."""
        return self.page(self.get_queryset())

    @extend_schema(
        request=None, responses={201: EntrySerializer}, summary="Cancel points that came in"
    )
    def cancel(self, request, entry_id):
        """Cancel earned or adjusted points: what is left of them goes, and they no longer count as
        earned; what was spent stays spent. Answers the correcting entry. X-Reason says why."""
        entry = self.row("entry_id")
        self.fields()
        self.subject_id = entry.account.customer_id
        correction = cancel_entry(entry, reason=reason_of(request))
        return Response(self.told([correction])[0], status=201)


def context_of(entries):
    """The codes of stores and the labels of the people and services that entries name by id."""
    stores, actors = {}, {}
    if any(entry.store_id for entry in entries):
        stores = dict(Store.objects.values_list("pk", "code"))
    ids = {entry.actor_id for entry in entries if entry.actor_kind in ("staff", "service")}
    if ids - {None}:
        people = User.objects.filter(pk__in=ids).values_list("pk", "name", "email")
        actors = {pk: name or email for pk, name, email in people}
        actors |= dict(AccessToken.objects.filter(pk__in=ids).values_list("pk", "name"))
    return {"stores": stores, "actors": actors}


def conflict():
    """The refusal of a source that stands for something else."""
    return ValidationError({"source": ValidationError(OTHER_DEED, code="conflict")})
