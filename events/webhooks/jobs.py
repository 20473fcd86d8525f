"""What the worker does about the change feed and webhooks."""

from datetime import timedelta

from django.conf import settings
from django.db.models import Min, Q

from events.feed import number_events, prune_events
from events.jobs import Retry, every, job, schedule_daily
from events.models import Event, WebhookDelivery, WebhookEndpoint
from events.outbound import circuits
from events.webhooks.managing import circuit_of
from events.webhooks.queueing import queue_deliveries
from events.webhooks.replaying import order_sending
from events.webhooks.sending import send_due, send_test_now
from tenancy import clock
from tenancy.models import Tenant
from tenancy.scoping import all_tenants, in_tenant

TICK_SECONDS = 5
AT_ONCE = 5_000


@job("webhooks.tick", routine=True)
def tick(run):
    """Number what was committed since, and order the sending where there is something to send."""
    with all_tenants():
        unnumbered = Event.objects.filter(position=None).order_by().values("tenant").distinct()
        tenants = list(Tenant.objects.filter(pk__in=unnumbered))
    for tenant in tenants:
        with in_tenant(tenant):
            number_events(batches=4)
    with all_tenants():
        endpoints = list(WebhookEndpoint.objects.with_work(clock.now()).select_related("tenant"))
    left_alone = circuits.open_until(map(circuit_of, endpoints))
    for endpoint in endpoints:
        if circuit_of(endpoint) not in left_alone:
            with in_tenant(endpoint.tenant):
                order_sending(endpoint)


@job("webhooks.send", retry=Retry(delays=(10, 60)), routine=True)
def send(run, *, endpoint_id):
    """Bring one endpoint up to date, as far as that goes in one turn."""
    more = queue_deliveries(endpoint_id)
    if send_due(endpoint_id) or more:
        endpoint = WebhookEndpoint.objects.active().filter(pk=endpoint_id).first()
        if endpoint is not None:
            order_sending(endpoint)


# The second attempt is for a worker that was killed before it wrote down how the first one went.
@job("webhooks.test", retry=Retry(delays=(5,)))
def test(run, *, delivery_id):
    """Send a test, once, whatever state the endpoint is in."""
    waiting = WebhookDelivery.objects.waiting().select_related("endpoint")
    delivery = waiting.filter(pk=delivery_id).first()
    if delivery is not None:
        send_test_now(delivery)


@job("events.prune")
def prune(run):
    """Every day: events and deliveries whose time is over."""
    needed = WebhookEndpoint.objects.active().aggregate(first=Min("position"))["first"]
    prune_events(not_beyond=needed)
    # What waits has not ended; but a test that old is waited for by nobody.
    ended = WebhookDelivery.objects.filter(
        ~Q(state=WebhookDelivery.State.WAITING) | Q(position=0),
        created_at__lt=clock.now() - timedelta(days=settings.WEBHOOK_LOG_DAYS),
    )
    while keys := list(ended.order_by("created_at").values_list("pk", flat=True)[:AT_ONCE]):
        WebhookDelivery.objects.filter(pk__in=keys).delete()


every(TICK_SECONDS, "webhooks.tick")
schedule_daily("events.prune", at="03:40")
