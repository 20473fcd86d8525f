"""What the lists of jobs, of messages and of deliveries can be narrowed by."""

import django_filters

from api.filters import FilterSet, InstantFilter
from events.models import Job, Message, WebhookDelivery


class JobFilter(FilterSet):
    """Jobs by what they are and how they do."""

    name = django_filters.CharFilter(label="Such as `webhooks.send`.")
    state = django_filters.ChoiceFilter(choices=Job.State.choices)
    created_after = InstantFilter(field_name="created_at", lookup_expr="gt")

    class Meta:
        model = Job
        fields = ()


class MessageFilter(FilterSet):
    """Messages by what they are for and what became of them."""

    customer = django_filters.UUIDFilter(field_name="customer_id", label="The customer's id.")
    purpose = django_filters.CharFilter(label="Such as `reset_password`.")
    channel = django_filters.ChoiceFilter(choices=Message.Channel.choices)
    state = django_filters.ChoiceFilter(choices=Message.State.choices)
    created_after = InstantFilter(field_name="created_at", lookup_expr="gt")

    class Meta:
        model = Message
        fields = ()


class DeliveryFilter(FilterSet):
    """Deliveries of a webhook by what they tell and how they went."""

    state = django_filters.ChoiceFilter(choices=WebhookDelivery.State.choices)
    event = django_filters.CharFilter(field_name="kind", label="Such as `customer.updated`.")
    created_after = InstantFilter(field_name="created_at", lookup_expr="gt")

    class Meta:
        model = WebhookDelivery
        fields = ()
