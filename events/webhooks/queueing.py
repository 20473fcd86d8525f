"""From the change feed to deliveries: each endpoint reads it from its own place, in order.

An event is committed before anybody reads it, and the endpoint's place moves in the transaction
that writes the deliveries: a change that is rolled back tells nobody, and a worker that is killed
anywhere leaves either both or neither.
"""

from django.db import transaction

from events.feed import events_between, last_position, number_events
from events.models import Feed, WebhookDelivery, WebhookEndpoint
from tenancy import clock

AT_ONCE = 1_000
# Who has so many waiting gets no more for now: the feed keeps them, and the table stays small.
BACKLOG = 1_000


def queue_deliveries(endpoint_id):
    """Make deliveries of what the endpoint has not been asked about yet; True when more is left
    that can be queued now."""
    number_events(batches=1)
    with transaction.atomic():
        endpoint = (
            WebhookEndpoint.objects.select_for_update(of=("self",))
            .active()
            .filter(pk=endpoint_id)
            .first()
        )
        if endpoint is None or _is_full(endpoint):
            return False
        # What was cleared away while the endpoint was switched off is gone for it.
        pruned = Feed.objects.values_list("pruned_position", flat=True).first() or 0
        start, reached = max(endpoint.position, pruned), last_position()
        end = min(reached, start + AT_ONCE)
        instant = clock.now()
        WebhookDelivery.objects.bulk_create(
            WebhookDelivery(
                tenant_id=endpoint.tenant_id,
                endpoint=endpoint,
                event=event,
                kind=event.kind,
                position=event.position,
                next_at=instant,
                created_at=instant,
            )
            for event in events_between(start, end, endpoint.events)
        )
        WebhookEndpoint.objects.filter(pk=endpoint.pk).update(position=end)
    return end < reached and not _is_full(endpoint)


def _is_full(endpoint):
    waiting = WebhookDelivery.objects.waiting().filter(endpoint=endpoint)
    return waiting[BACKLOG - 1 : BACKLOG].exists()
