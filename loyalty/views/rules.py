"""The rules that earn points."""

from django.urls import reverse
from drf_spectacular.utils import extend_schema

from loyalty.filters import EarningRuleFilter
from loyalty.models import EarningRule
from loyalty.serializers.transactions import EarningRuleSerializer, EarningRuleWriteSerializer
from loyalty.services import create_earning_rule, delete_earning_rule, update_earning_rule
from loyalty.views.base import LoyaltyViewSet


class EarningRuleViewSet(LoyaltyViewSet):
    """Rules that earn points."""

    operation_prefix = "earning_rules"
    serializer_class = EarningRuleSerializer
    filterset_class = EarningRuleFilter
    ordering = ("kind", "name")
    ordering_fields = ("kind", "name", "created_at", "updated_at")

    def get_queryset(self):
        return EarningRule.objects.prefetch_related("multipliers")

    @extend_schema(responses=EarningRuleSerializer(many=True), summary="List earning rules")
    def list(self, request):
        """All rules, those that hold no more included."""
        return self.page(self.get_queryset())

    @extend_schema(responses=EarningRuleSerializer, summary="Read an earning rule")
    def retrieve(self, request, rule_id):
        """One rule."""
        return self.shown(self.row("rule_id"))

    @extend_schema(
        request=EarningRuleWriteSerializer,
        responses={201: EarningRuleSerializer},
        summary="Create an earning rule",
    )
    def create(self, request):
        """Create a rule. It earns for purchases made while it holds."""
        rule = create_earning_rule(**self.fields(*EarningRule.FIELDS))
        return self.created(
            EarningRuleSerializer(rule).data, reverse("api:earning-rule", args=[rule.pk])
        )

    @extend_schema(
        request=EarningRuleWriteSerializer(partial=True),
        responses=EarningRuleSerializer,
        summary="Change an earning rule",
    )
    def partial_update(self, request, rule_id):
        """Change the named fields; what was earned stays."""
        rule = self.row("rule_id")
        update_earning_rule(rule, **self.fields(*EarningRule.FIELDS))
        return self.shown(self.row("rule_id"))

    @extend_schema(responses={204: None}, summary="Delete an earning rule")
    def destroy(self, request, rule_id):
        """Delete a rule; what it gave stays."""
        delete_earning_rule(self.row("rule_id"))
        return self.no_content()
