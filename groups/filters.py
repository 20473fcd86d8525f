"""What lists of groups and of members can be narrowed by."""

import django_filters
from django.db.models import Exists, OuterRef, Q

from api.filters import FilterSet, InstantFilter
from customers.models import Customer
from groups.models import Group, Subscription
from groups.querysets import reachable_in

CHANNELS = [("any", "Any"), ("email", "E-mail"), ("sms", "SMS"), ("post", "Post")]


class GroupFilter(FilterSet):
    """Groups by what they are called and where they stand."""

    q = django_filters.CharFilter(
        method="search", label="Part of the code or title, in any letter case."
    )
    subscribable = django_filters.ChoiceFilter(choices=Group.Subscribable.choices)
    parent = django_filters.CharFilter(
        method="below", label="Code or id of the group above; `none` for those at the top."
    )
    updated_after = InstantFilter(field_name="updated_at", lookup_expr="gt")

    class Meta:
        model = Group
        fields = ()

    def search(self, queryset, name, value):
        return queryset.filter(Q(code__icontains=value) | Q(title__icontains=value))

    def below(self, queryset, name, value):
        if value == "none":
            return queryset.filter(parent=None)
        parent = Group.objects.named(value)
        return queryset.filter(parent=parent) if parent else queryset.none()


class MemberFilter(FilterSet):
    """Members by what they want and whether they can be written to. The view names `group`."""

    subscribed = django_filters.BooleanFilter(method="with_flag", label="The flag in this group.")
    reachable = django_filters.ChoiceFilter(
        choices=CHANNELS,
        method="within_reach",
        label="May be written to about this group, by any way or by the one named.",
    )

    class Meta:
        model = Customer
        fields = ()

    @property
    def group(self):
        return self.request.parser_context["view"].group

    def with_flag(self, queryset, name, value):
        rows = Subscription.objects.filter(
            customer=OuterRef("pk"), group=self.group, subscribed=value
        )
        return queryset.filter(Exists(rows))

    def within_reach(self, queryset, name, value):
        return reachable_in(queryset, self.group, None if value == "any" else value)
