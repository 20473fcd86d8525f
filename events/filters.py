"""What the list of jobs can be narrowed by."""

import django_filters

from api.filters import FilterSet, InstantFilter
from events.models import Job


class JobFilter(FilterSet):
    """Jobs by what they are and how they do."""

    name = django_filters.CharFilter(label="Such as `webhooks.deliver`.")
    state = django_filters.ChoiceFilter(choices=Job.State.choices)
    created_after = InstantFilter(field_name="created_at", lookup_expr="gt")

    class Meta:
        model = Job
        fields = ()
