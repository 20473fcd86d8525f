"""The catalogue of rewards."""

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from customers.models import Customer
from loyalty.filters import RewardFilter
from loyalty.models import LoyaltyAccount, Reward
from loyalty.serializers.rewards import (
    OwnRewardSerializer,
    RewardSerializer,
    RewardWriteSerializer,
)
from loyalty.services import create_reward, delete_reward, update_reward
from loyalty.views.base import LoyaltyViewSet
from tenancy import clock


class RewardViewSet(LoyaltyViewSet):
    """Rewards. Customers see what they may redeem now, whether or not they have the points."""

    operation_prefix = "rewards"
    filterset_class = RewardFilter
    ordering = ("position", "cost")
    ordering_fields = ("position", "cost", "name", "created_at", "updated_at")

    def get_queryset(self):
        rewards = Reward.objects.prefetch_related("levels")
        if not self.by_customer:
            return rewards
        account = LoyaltyAccount.objects.filter(customer=self.principal.customer_id).first()
        return rewards.on_offer(clock.now()).open_to(account and account.level_id)

    def get_serializer_class(self):
        return OwnRewardSerializer if self.by_customer else RewardSerializer

    def get_serializer_context(self):
        if not self.by_customer:
            return {}
        customer = Customer.objects.filter(pk=self.principal.customer_id)
        return {"language": customer.values_list("language", flat=True).first()}

    @extend_schema(responses=RewardSerializer(many=True), summary="List rewards")
    def list(self, request):
        """The catalogue, in the order in which people see it."""
        return self.page(self.get_queryset())

    @extend_schema(responses=RewardSerializer, summary="Read a reward")
    def retrieve(self, request, reward_id):
        """One reward."""
        return self.shown(self.row("reward_id"))

    @extend_schema(
        request=RewardWriteSerializer, responses={201: RewardSerializer}, summary="Create a reward"
    )
    def create(self, request):
        """Put a reward into the catalogue."""
        reward = create_reward(**self.fields(*Reward.FIELDS))
        return self.created(RewardSerializer(reward).data, reverse("api:reward", args=[reward.pk]))

    @extend_schema(
        request=RewardWriteSerializer(partial=True),
        responses=RewardSerializer,
        summary="Change a reward",
    )
    def partial_update(self, request, reward_id):
        """Change the named fields. The price of what was redeemed stays; `stock` counts redeemed
        pieces too and cannot fall below them."""
        reward = update_reward(self.row("reward_id"), **self.fields(*Reward.FIELDS))
        return Response(RewardSerializer(reward).data)

    @extend_schema(responses={204: None}, summary="Delete a reward")
    def destroy(self, request, reward_id):
        """Delete a reward that nobody has redeemed; any other is made inactive instead (409)."""
        delete_reward(self.row("reward_id"))
        return self.no_content()
