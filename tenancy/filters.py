"""What the lists of the set-up can be narrowed by."""

import django_filters
from django.db.models import Q

from api.filters import FilterSet
from tenancy.models import AccessToken, StaffMember, Store


class StoreFilter(FilterSet):
    """Stores by what they are called."""

    q = django_filters.CharFilter(method="search", label="Part of the code or name.")
    location_id = django_filters.NumberFilter(min_value=0, max_value=2_147_483_647)

    class Meta:
        model = Store
        fields = ()

    def search(self, queryset, name, value):
        return queryset.filter(Q(code__icontains=value) | Q(name__icontains=value))


class StaffFilter(FilterSet):
    """Staff members by person, role and activity."""

    q = django_filters.CharFilter(method="search", label="Part of the e-mail or name.")
    role = django_filters.ChoiceFilter(choices=StaffMember.Role.choices)
    active = django_filters.BooleanFilter()

    class Meta:
        model = StaffMember
        fields = ()

    def search(self, queryset, name, value):
        return queryset.filter(Q(user__email__icontains=value) | Q(user__name__icontains=value))


class TokenFilter(FilterSet):
    """Tokens by holder, and whether they are still accepted."""

    holder = django_filters.ChoiceFilter(
        choices=[("staff", "Staff member"), ("service", "Service")]
    )
    live = django_filters.BooleanFilter(method="still_live", label="Still accepted.")

    class Meta:
        model = AccessToken
        fields = ()

    def still_live(self, queryset, name, value):
        live = queryset.model.objects.live().values("pk")
        return queryset.filter(pk__in=live) if value else queryset.exclude(pk__in=live)
