"""Redemptions: rewards become coupons, coupons are used, delivered, cancelled."""

import uuid

from django.core.exceptions import ValidationError
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema

from api.views import reason_of
from loyalty.filters import AllRedemptionsFilter, RedemptionFilter
from loyalty.models import Redemption, Reward
from loyalty.serializers.rewards import (
    CouponSerializer,
    CouponUseSerializer,
    DeliverySerializer,
    RedeemingSerializer,
    RedemptionSerializer,
    UseSerializer,
)
from loyalty.services import (
    Repeated,
    cancel_redemption,
    find_coupon,
    redeem_reward,
    set_delivery,
    unuse_coupon,
    use_coupon,
)
from loyalty.views.base import LoyaltyViewSet
from loyalty.views.points import conflict


class RedemptionsViewSet(LoyaltyViewSet):
    """What lists of redemptions have in common."""

    operation_prefix = "redemptions"
    serializer_class = RedemptionSerializer
    ordering = ("-redeemed_at",)
    ordering_fields = ("redeemed_at",)

    def get_queryset(self):
        rows = Redemption.objects.select_related("account", "used_store")
        if self.by_customer:
            return rows.filter(account__customer=self.principal.customer_id)
        return rows


class CustomerRedemptionViewSet(RedemptionsViewSet):
    """One customer's redemptions."""

    filterset_class = RedemptionFilter

    @extend_schema(
        operation_id="redemptions_of_customer",
        responses=RedemptionSerializer(many=True),
        summary="List a customer's redemptions",
    )
    def list(self, request, customer_id):
        """What the customer has redeemed, the newest first."""
        return self.page(self.get_queryset().filter(account__customer=self.customer()))

    @extend_schema(
        request=RedeemingSerializer,
        responses={200: RedemptionSerializer, 201: RedemptionSerializer},
        summary="Redeem a reward",
    )
    def create(self, request, customer_id):
        """Spend points on a reward; the answer holds the coupon. The same `source` again answers
        the first redemption (200). Refused (409) with `insufficient_points`, `sold_out`,
        `not_on_offer`, `wrong_level`, `limit_reached` or `not_spending`."""
        customer = self.customer()
        body = self.fields("reward", "source", "store", required=("reward",))
        reward, source, store = self.reward(body), self.source_of(body), self.store_of(body)
        try:
            made = redeem_reward(customer, reward, source=source, store=store)
        except Repeated as repeated:
            made = self.get_queryset().filter(entry=repeated.entry).first()
            if made is None or made.reward_id != reward.pk:
                raise conflict() from repeated
            return self.shown(made)
        return self.created(
            RedemptionSerializer(made).data, reverse("api:redemption", args=[made.pk])
        )

    def reward(self, body):
        """The reward that the body names. Raises ValidationError naming it."""
        try:
            found = Reward.objects.filter(pk=uuid.UUID(str(body["reward"]))).first()
        except ValueError:
            found = None
        if found is None:
            missing = ValidationError(_("No such reward."), code="does_not_exist")
            raise ValidationError({"reward": missing})
        return found


class RedemptionViewSet(RedemptionsViewSet):
    """Redemptions of the tenant. Customers see their own."""

    filterset_class = AllRedemptionsFilter
    reading_actions = frozenset({"find"})
    operations = {"use_by_code": "redemptions.use"}

    @extend_schema(responses=RedemptionSerializer(many=True), summary="List redemptions")
    def list(self, request):
        """What was redeemed, the newest first."""
        return self.page(self.get_queryset())

    @extend_schema(responses=RedemptionSerializer, summary="Read a redemption")
    def retrieve(self, request, redemption_id):
        """One redemption."""
        return self.shown(self.row("redemption_id"))

    @extend_schema(
        request=CouponSerializer, responses=RedemptionSerializer, summary="Find a coupon"
    )
    def find(self, request):
        """The redemption with this coupon code, without using it. Codes go in a body: URLs end up
        in logs."""
        return self.shown(self.coupon(self.fields("coupon", required=("coupon",))))

    @extend_schema(
        request=CouponUseSerializer, responses=RedemptionSerializer, summary="Use a coupon"
    )
    def use_by_code(self, request):
        """Use the coupon with this code, once. Refused (409) with `used`, `cancelled` or
        `expired`."""
        body = self.fields("coupon", "store", required=("coupon",))
        return self.done(use_coupon, self.coupon(body), store=self.store_of(body))

    @extend_schema(
        request=UseSerializer, responses=RedemptionSerializer, summary="Use a redemption"
    )
    def use(self, request, redemption_id):
        """Use the coupon of this redemption, once."""
        redemption = self.row("redemption_id")
        return self.done(use_coupon, redemption, store=self.store_of(self.fields("store")))

    @extend_schema(
        request=None, responses=RedemptionSerializer, summary="Take the use of a coupon back"
    )
    def unuse(self, request, redemption_id):
        """For a till that scanned the wrong coupon: it works again until its day."""
        redemption = self.row("redemption_id")
        self.fields()
        return self.done(unuse_coupon, redemption, reason=reason_of(request))

    @extend_schema(request=None, responses=RedemptionSerializer, summary="Cancel a redemption")
    def cancel(self, request, redemption_id):
        """Give the points back, and the piece to the stock; not after it was used or delivered
        (409). X-Reason says why."""
        redemption = self.row("redemption_id")
        self.fields()
        return self.done(cancel_redemption, redemption, reason=reason_of(request))

    @extend_schema(
        request=DeliverySerializer, responses=RedemptionSerializer, summary="Move a delivery on"
    )
    def delivery(self, request, redemption_id):
        """Say where the delivery stands; a step back puts a mistake right."""
        redemption = self.row("redemption_id")
        status = self.fields("delivery", required=("delivery",))["delivery"]
        return self.done(set_delivery, redemption, status)

    def coupon(self, body):
        """The redemption with the code in the body; raises Http404."""
        redemption = find_coupon(body["coupon"])
        if redemption is None:
            raise Http404
        return redemption

    def done(self, deed, redemption, *args, **values):
        """Do it, and answer the redemption as it is then."""
        deed(redemption, *args, **values)
        row = self.get_queryset().get(pk=redemption.pk)
        self.subject_id = row.account.customer_id
        return self.shown(row)
